"""Gateways: a form made of declared fields; secrets go in and never out; a change waits for a restart and says so."""

from __future__ import annotations

import asyncio
import re
import socket
import stat
import time

import pytest

from fengsui import gateways as kinds
from fengsui.config import site as sites
from fengsui.gateways.contract import Field, Outcome
from fengsui.gateways.sms_smpp import SmsSmpp
from fengsui.rehearse.smsc import Centre
from fengsui.store import holds, ways
from fengsui.store.sql import Session
from fengsui.web import audit
from tests.flow.ways import Way
from tests.web.site import site as running

SECRET = "geheim-4711"
GOOD = {
    "kind": "sms_smpp", "name": "sms_mobile", "set-host": "smsc.invalid", "set-system_id": "fengsui",
    "set-password": SECRET, "set-source": "1069000", "accepts": ["actual", "exercise"], "position": "1", "active": "1",
}  # fmt: skip


def text(answer, status=200):
    assert answer.status_code == status, (answer.status_code, answer.content.decode()[-800:])
    return answer.content.decode()


def made(at, **more):
    return at.client("administrator").post("/gateways/new", GOOD | more)


@pytest.mark.parametrize("kind", list(kinds.KINDS))
def test_the_form_asks_for_every_declared_field(quiet, kind):
    page = text(quiet.client("administrator").get(f"/gateways/new?kind={kind}"))

    asked = re.findall(r'name="set-(\w+)"', page)
    assert asked == [field.name for field in kinds.declared(kind)]
    for field in kinds.declared(kind):
        assert isinstance(field, Field)
        assert field.label in page


def test_what_is_saved_is_what_the_next_start_runs_with(quiet):
    assert made(quiet)["Location"] == "/gateways/sms_mobile?done=saved"

    site = sites.edited(ways.place(), sites.Site(), ways.read())

    (way,) = site.gateway
    assert (way.name, way.kind, way.accepts) == ("sms_mobile", "sms_smpp", ("actual", "exercise"))
    assert way.settings["password"] == SECRET
    assert kinds.load(way.kind, way.settings, name=way.name, clock=lambda: 0).name == "sms_mobile"


def test_a_secret_stands_in_keys_for_this_user_only_and_is_never_shown(quiet):
    made(quiet)
    file = ways.place() / "keys" / "gateway-sms_mobile.toml"

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert SECRET not in str(ways.read())
    client = quiet.client("administrator")
    page = text(client.get("/gateways/sms_mobile"))
    assert SECRET not in page
    assert "已设置，不显示" in page

    client.post("/gateways/sms_mobile", GOOD | {"set-password": "", "set-host": "other.invalid"})
    assert ways.secrets(ways.place(), "sms_mobile") == {"password": SECRET}, "left blank stays"
    assert ways.read()[0].settings["host"] == "other.invalid"


@pytest.mark.parametrize("secret", ['a"b\\c', "口令 \n换行", "tab\there", "\x7f"])
def test_any_secret_comes_back_as_it_was(tmp_path, secret):
    ways.keep(tmp_path, "x", {"password": secret})

    assert ways.secrets(tmp_path, "x") == {"password": secret}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"set-host": ""}, "G003"),
        ({"set-port": "viele"}, "G004"),
        ({"set-tls": "maybe"}, "G005"),
        ({"set-mode": "both"}, "[G"),
        ({"accepts": []}, "W157"),
        ({"position": "-1"}, "W158"),
        ({"name": "SMS 1"}, "W156"),
        ({"name": "sms_1"}, "W155"),
    ],
)
def test_what_is_wrong_is_said_at_the_field_and_nothing_is_saved(quiet, given, said):
    page = text(made(quiet, **given), 400)

    assert said in page
    assert 'value="fengsui"' in page, "what was typed stays"
    assert SECRET not in page
    assert ways.read() == []


@pytest.mark.parametrize("name", ["host", "port", "tls"])
def test_a_fault_stands_at_its_own_field_which_says_so_to_a_screen_reader(quiet, name):
    wrong = {"host": "", "port": "viele", "tls": "maybe"}

    page = text(made(quiet, **{f"set-{name}": wrong[name]}), 400)

    fields = dict(re.findall(r'name="set-(\w+)"(.*?)<p class="note">', page, re.DOTALL))
    faulty = [n for n, rest in fields.items() if 'class="wrong" role="alert"' in rest]
    assert faulty == [name]


def test_a_form_that_was_refused_gives_no_secret_back_and_keeps_none(quiet):
    page = text(made(quiet, **{"set-port": "0"}), 400)

    assert SECRET not in page
    assert "已设置，不显示" not in page, "nothing was kept, so nothing is said to be"
    assert not (ways.place() / "keys" / "gateway-sms_mobile.toml").exists()
    assert "G004" in page


def test_several_faults_are_said_at_once(quiet):
    page = text(made(quiet, **{"set-host": "", "set-port": "x", "position": "y"}), 400)

    assert "有 3 处需要改正" in page


def test_a_row_wins_over_the_file_and_one_that_is_off_is_not_started(quiet):
    written = sites.Site(gateway=(sites.Way("sms_mobile", "sms_smpp"), sites.Way("letters", "email")))
    made(quiet)
    assert [w.name for w in sites.edited(ways.place(), written, ways.read()).gateway] == [
        "letters",
        "sms_mobile",
    ]

    quiet.client("administrator").post(
        "/gateways/sms_mobile", {k: v for k, v in GOOD.items() if k != "active"}
    )
    assert [w.name for w in sites.edited(ways.place(), written, ways.read()).gateway] == ["letters"]


def test_the_page_says_what_waits_for_a_restart(quiet):
    assert "重启后生效" not in text(quiet.client("administrator").get("/gateways"))
    made(quiet)

    page = text(quiet.client("administrator").get("/gateways"))

    assert "sms_mobile" in page
    assert "重启后生效" in page


def test_a_lane_is_held_and_released_at_once(quiet):
    client = quiet.client("administrator")
    client.post("/gateways/sms_1/hold")
    assert "人工停发" in text(client.get("/gateways"))

    quiet.issue()
    quiet.house.writer.settle().result(10)
    assert quiet.way.sent == []
    waiting = quiet.house.writer.outlook().result(10)[1]
    assert waiting is not None

    client.post("/gateways/sms_1/release")
    quiet.calm()
    assert quiet.way.sent
    assert sorted(n.what for n in audit.notes("gateway")) == ["停发", "恢复发送"]


def test_a_restored_district_sends_nothing_until_the_page_says_so(quiet):
    session = Session()
    holds.put(session, holds.EVERY, quiet.now, "由备份恢复")
    page = text(quiet.client("administrator").get("/gateways"))
    assert "全部停发" in page
    assert "由备份恢复" in page
    assert "恢复全部发送" not in text(quiet.client("clerk").get("/gateways"))

    assert quiet.client("administrator").post("/gateways/all/release")["Location"] == "/gateways"

    assert holds.read(session) == ()
    session.close()


def test_a_held_lane_stays_held_over_a_restart(quiet):
    session = Session()
    quiet.client("administrator").post("/gateways/sms_1/hold")
    assert [h.lane for h in holds.read(session)] == ["sms_1"]
    quiet.client("administrator").post("/gateways/sms_1/release")
    assert holds.read(session) == ()
    session.close()


def test_traces_show_codes_and_masked_numbers(busy):
    page = text(busy.client("administrator").get("/gateways/sms_1"))

    assert re.search(r"100\*\*\*\*\d\d", page)
    assert not re.search(r"\b100\d{8}\b", page)
    assert "送达" in page
    for role in ("forecaster", "clerk"):
        assert "设置" not in re.findall(r"<h2>(.*?)</h2>", text(busy.client(role).get("/gateways/sms_1")))


def test_what_the_peer_said_stands_in_the_traces_and_the_words_do_not(place):
    def says(handover, index):
        return (Outcome.REFUSED_ADDRESS, "0x0000000B") if handover.to.endswith("7") else Outcome.ACCEPTED

    with running(place, ways=[Way(say=says)]) as at:
        at.issue()
        at.calm()
        page = text(at.client("administrator").get("/gateways/sms_1"))

    rows = re.findall(r"<tr><td class=.num.>.*?</tr>", page)
    assert {"0x0000000B" in row for row in rows if "被拒" in row} == {True}
    assert {"0x0000000B" in row for row in rows if "已提交" in row} == {False}
    assert "预计未来3小时" not in page, "what was sent is nobody's to read here"
    assert not re.search(r"\b1\d{10}\b", page)


@pytest.fixture
def line(place):
    """A house whose only gateway logs in to a message centre that is not there yet; (house, port)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    given = {
        "host": "127.0.0.1",
        "port": str(port),
        "system_id": "t",
        "password": "rehearse",
        "source": "1009900",
    }
    way = SmsSmpp(
        "sms_mobile", given, accepts=frozenset({"actual", "test"}), clock=lambda: time.time_ns() // 1000
    )
    with running(place, ways=[way]) as made:
        yield made, port


def shows(client, path, *words, seconds=20):
    """The page as soon as it has these words."""
    end = time.monotonic() + seconds
    while not all(word in (page := text(client.get(path))) for word in words):
        assert time.monotonic() < end, (words, page[-3000:])
        time.sleep(0.05)
    return page


def test_a_line_that_is_down_says_why_and_a_test_message_shows_that_it_is_up(line):
    """The whole way of an administrator: no centre, a centre, a message to one person, what became of it."""
    at, port = line
    client = at.client("administrator")
    page = shows(client, "/gateways/sms_mobile", "不通")
    assert "测试连接" in page
    assert "按“试通”" in page
    assert "rehearse" not in page
    assert "不通" in text(client.get("/gateways"))

    heard = []
    centre = Centre(on_message=lambda *message: heard.append((message[0], message[2])))
    asyncio.run_coroutine_threadsafe(centre.start(port), at._loop).result(10)
    try:
        page = shows(client, "/gateways/sms_mobile", '<span class="mark ok">正常</span>')
        person = at.holder("water/duty_officer/1")
        assert client.post(f"/people/{person}/test", {"form": "t", "channel": "sms"}).status_code == 302

        page = shows(client, "/gateways/sms_mobile", "试通", "送达")
    finally:
        asyncio.run_coroutine_threadsafe(centre.stop(), at._loop).result(10)
    ((number, words),) = heard
    assert "这不是预警" in words
    assert number not in page
    assert f"{number[:3]}****{number[-2:]}" in page
    assert "这不是预警" not in page


def test_settings_are_dropped_with_their_secrets(quiet):
    made(quiet)
    assert quiet.client("administrator").post("/gateways/sms_mobile/drop")["Location"] == "/gateways"

    assert ways.read() == []
    assert ways.secrets(ways.place(), "sms_mobile") == {}


def test_only_the_administrator_changes_anything(quiet):
    for path in ("/gateways/new", "/gateways/sms_1/hold"):
        assert quiet.client("clerk").post(path, GOOD).status_code == 403
    assert quiet.client("clerk").post("/gateways/sms_1", GOOD).status_code == 404
