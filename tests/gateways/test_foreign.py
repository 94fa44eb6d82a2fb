"""Other people's programs judge ours: npm smpp and PyPI smpp34 as centres, PyPI smpplib as a client of our centre."""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from smpp_rig import accepted, connected, gateway, handover, handovers, outcomes, until

from fengsui.formats import smpp_content, sms
from fengsui.gateways.contract import Outcome, Reply
from fengsui.rehearse.smsc import Centre, Plan

HERE = Path(__file__).parent
LONG = "雨" * 66 + "𠮷" + "云冈区" * 20

pytestmark = pytest.mark.foreign


@contextlib.contextmanager
def process(*words):
    """A child with its lines in and out; it ends when its input does, and is ended if it does not."""
    child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE)
    try:
        yield child
    finally:
        child.stdin.close()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(10)
        child.stdout.close()


@pytest.fixture(scope="session")
def node_modules():
    if not (HERE.parent / "node_modules" / "smpp").is_dir():
        subprocess.run(["npm", "ci", "--prefix", str(HERE.parent), "--silent"], check=True, timeout=120)


@contextlib.contextmanager
def npm_judge(throttle_every=0):
    """(port, report): npm smpp as the centre."""
    with process("node", "smpp_judge.js", str(throttle_every)) as child:

        def report():
            child.stdin.write("report\n")
            child.stdin.flush()
            return json.loads(child.stdout.readline())

        yield json.loads(child.stdout.readline())["port"], report


@pytest.mark.usefixtures("node_modules")
def test_npm_smpp_reads_every_text_and_every_receipt_comes_back():
    batch = [
        handover(f"100{n:08d}", *sms.split(LONG if n % 10 == 0 else f"第{n}号𠮷预警"), id=n)
        for n in range(500)
    ]

    async def scene(port, report):
        gate = gateway(port, idle=0.2)
        async with connected(gate) as inbox:
            results = await gate.send(batch)
            await gate.send([handover("10099999999", "请回复", suffix="07")])
            await until(lambda: len(inbox.items) == 552)
            await until(lambda: report()["heard"] == 552)
            await until(lambda: report()["enquiries"] > 0)
        return results, inbox.items

    with npm_judge() as (port, report):
        results, items = asyncio.run(scene(port, report))
        seen = report()

    assert (accepted(results), seen["errors"], seen["binds"], seen["unbinds"]) == (550, [], 1, 1)
    texts = {}
    for message in seen["messages"]:
        texts[message["to"]] = texts.get(message["to"], "") + message["text"]
    assert texts == {one.to: "".join(text for _, _, text in one.parts) for one in batch} | {
        "10099999999": "请回复"
    }
    headed = [message["udh"] for message in seen["messages"] if message["esm"] == 0x40]
    assert sorted(map(str, headed)) == sorted(["['0003070201']", "['0003070202']"] * 50)
    assert {(message["coding"], message["registered"]) for message in seen["messages"]} == {(8, 1)}
    assert [item for item in items if isinstance(item, Reply)] == [
        Reply("10099999999", "1069000007", "收到𠮷")
    ]
    ids = {part.provider_id for result in results for part in result.parts}
    assert ids <= {item.provider_id for item in items if not isinstance(item, Reply)}


@pytest.mark.usefixtures("node_modules")
def test_npm_smpp_throttles_and_each_message_goes_out_once_in_the_end():
    async def scene(port):
        gate = gateway(port, window=20)
        async with connected(gate) as inbox:
            left, throttled = {one.id: one for one in handovers(60)}, 0
            while left:
                for result in await gate.send(list(left.values())):
                    throttled += result.parts[0].outcome is Outcome.THROTTLED
                    if result.parts[0].outcome is Outcome.ACCEPTED:
                        del left[result.id]
            await until(lambda: len(inbox.items) == 60)
        return throttled

    with npm_judge(throttle_every=10) as (port, report):
        throttled = asyncio.run(scene(port))
        seen = report()

    assert throttled == seen["throttled"] > 0
    assert sorted(message["to"] for message in seen["messages"]) == [one.to for one in handovers(60)]


@pytest.mark.usefixtures("node_modules")
def test_npm_smpp_refuses_a_wrong_password_once():
    async def scene(port):
        gate = gateway(port, password="wrong")
        async with connected(gate, up=False):
            await until(lambda: gate._refused)
            await asyncio.sleep(0.2)
            return outcomes(await gate.send(handovers(2)))

    with npm_judge() as (port, report):
        assert asyncio.run(scene(port)) == [Outcome.REFUSED_CONFIG] * 2
        assert report()["binds"] == 1


def free_port():
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", 0))
        return plug.getsockname()[1]


def test_smpp34_takes_parts_and_throttles_and_its_receipts_match():
    async def scene(port):
        gate = gateway(port, window=10)
        async with connected(gate) as inbox:
            results = await gate.send([*handovers(20), handover("10000000099", *sms.split(LONG), id=99)])
            await until(lambda: len(inbox.items) == 20)
            return results, inbox.items

    port = free_port()
    with process(sys.executable, "smpp34_judge.py", str(port)) as child:
        assert child.stdout.readline().strip() == "ready"
        results, items = asyncio.run(scene(port))
        child.stdin.close()
        seen = json.loads(child.stdout.readline())

    assert outcomes(results).count(Outcome.THROTTLED) == 2
    assert accepted(results) == 20
    assert {part.provider_id for result in results for part in result.parts} - {""} == {
        item.provider_id for item in items
    }
    bodies = [message["body"] for message in seen["messages"] if message["to"] == "10000000099"]
    assert "".join(sms.decode(bytes.fromhex(body)[6:]) for body in bodies) == LONG
    assert [body[:12] for body in bodies] == ["050003070201", "050003070202"]
    assert seen["binds"] == 1


def test_smpplib_finds_our_centre_in_order():
    async def scene():
        centre, arrived = Centre(Plan()), []
        centre.on_message = lambda *message: arrived.append(message)
        port = await centre.start()
        centre.reply("10000000001", "10690000", "收到")
        child = await asyncio.create_subprocess_exec(
            sys.executable, "smpplib_judge.py", str(port), cwd=HERE, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await asyncio.wait_for(child.communicate(), 30)
        await centre.stop()
        return json.loads(said), arrived, centre

    seen, arrived, centre = asyncio.run(scene())

    assert arrived == [("10000000001", "10690000", "暴雨红色预警" * 20, 2)]
    assert seen["replies"] == ["收到"]
    assert [smpp_content.normal(name.removeprefix("id:")) for name in seen["receipts"]] == [
        smpp_content.normal(name) for name in seen["sent"]
    ]
    assert (centre.count["heard"], centre.count["malformed"]) == (3, 0)
