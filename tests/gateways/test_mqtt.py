"""Notifications against a real Mosquitto: the form of WIS2, login, order, and a broker that is not there."""

from __future__ import annotations

import asyncio
import base64
import hashlib

import aiomqtt
import msgspec
import pytest

from fengsui import gateways
from fengsui.core import cap_out
from fengsui.formats.cap import write
from fengsui.gateways.contract import Handover, Outcome
from fengsui.gateways.settings import SettingsError
from tests.core.cap_lives import versions
from tests.core.worlds import JULE, an_alert, yunzhou
from tests.gateways.mqtt_rig import broker, free

pytestmark = pytest.mark.foreign
TOPIC = "origin/a/wis2/cn-example/data/core/weather/advisories-warnings"
NOW = 1_816_107_200_000_000


def messages() -> list[str]:
    rings = {JULE: ("40,113 40,114 41,114 40,113",)}
    facts = [
        an_alert("red", JULE, action="issue"),
        an_alert("orange", JULE, version=2, time="02:30", action="downgrade"),
    ]
    return [write.write(cap_out.message(v, yunzhou(), rings)).decode() for v in versions(facts)]


def gateway(port: int | str, **more: str):
    given = {
        "host": "127.0.0.1",
        "port": str(port),
        "topic": TOPIC,
        "address": "https://warn.invalid/",
        "timeout": "3",
    }
    accepts = frozenset({"actual", "test"})
    return gateways.load("mqtt", given | more, accepts=accepts, clock=lambda: NOW)


async def sent(one, texts: list[str]):
    await one.start()
    try:
        batch = [Handover(i, "", ((0, 1, t),), 0, NOW * 2, "red") for i, t in enumerate(texts)]
        return [r.parts[0] for r in await one.send(batch)], await one.check()
    finally:
        await one.stop()


def test_a_broker_is_told_of_each_message_in_order_where_its_bytes_are_and_their_digest(tmp_path):
    async def go(port: int):
        got = []
        async with aiomqtt.Client("127.0.0.1", port) as reader:
            await reader.subscribe("origin/#", qos=1)
            parts, health = await sent(gateway(port), messages())
            async with asyncio.timeout(10):
                async for message in reader.messages:
                    got.append((message.topic.value, msgspec.json.decode(message.payload)))
                    if len(got) == 2:
                        break
        return got, parts, health

    with broker(tmp_path) as port:
        got, parts, health = asyncio.run(go(port))

    assert [p.outcome for p in parts] == [Outcome.ACCEPTED] * 2
    assert health.up
    assert {topic for topic, _ in got} == {TOPIC}
    first, second = (told for _, told in got)
    content = messages()[0].encode()
    assert first["links"] == [
        {
            "rel": "canonical", "type": "application/cap+xml", "length": len(content),
            "href": "https://warn.invalid/cap/14021541600000_20270721021300.xml",
        }
    ]  # fmt: skip
    properties = first["properties"]
    assert properties["integrity"] == {
        "method": "sha512",
        "value": base64.b64encode(hashlib.sha512(content).digest()).decode(),
    }
    assert properties["data_id"] == f"{TOPIC}/14021541600000_20270721021300"
    assert (properties["datetime"], properties["pubtime"]) == ("2027-07-20T18:13:00Z", "2027-07-20T18:13:20Z")
    assert first["geometry"]["coordinates"] == [[[[113, 40], [114, 40], [114, 41], [113, 40]]]]
    assert (first["type"], len({first["id"], second["id"]})) == ("Feature", 2)
    assert second["properties"]["data_id"].endswith("_20270721023000")


def test_a_wrong_password_is_our_settings_fault_and_the_right_one_works(tmp_path):
    with broker(tmp_path, password="right") as port:
        parts, health = asyncio.run(sent(gateway(port, username="fengsui", password="wrong"), messages()))
        assert {p.outcome for p in parts} == {Outcome.REFUSED_CONFIG}
        assert (health.up, health.code) == (False, "G083")
        parts, health = asyncio.run(sent(gateway(port, username="fengsui", password="right"), messages()))
        assert {p.outcome for p in parts} == {Outcome.ACCEPTED}
        assert health.up


def test_without_a_broker_nothing_was_sent():
    parts, health = asyncio.run(sent(gateway(free(), timeout="0.5"), messages()))

    assert {(p.outcome, p.code) for p in parts} == {(Outcome.RETRY, "not connected")}
    assert (health.up, health.code) == (False, "G085")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"topic": "a/#"}, "G080"), ({"address": "warn.invalid"}, "G081"), ({"port": "0"}, "G004"),
     ({"tls": "yes", "tls_ca": "/none.pem"}, "G008"), ({"topic": ""}, "G003")],
)  # fmt: skip
def test_a_wrong_setting_names_itself(wrong, code):
    with pytest.raises(SettingsError, match=code):
        gateway(**({"port": "1883"} | wrong))
