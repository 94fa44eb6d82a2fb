"""Gateways: a form made of declared fields; secrets go in and never out; a change waits for a restart and says so."""

from __future__ import annotations

import re
import stat

import pytest

from fengsui import gateways as kinds
from fengsui.config import site as sites
from fengsui.gateways.contract import Field
from fengsui.store import holds, ways
from fengsui.store.sql import Session
from fengsui.web import audit

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


def test_settings_are_dropped_with_their_secrets(quiet):
    made(quiet)
    assert quiet.client("administrator").post("/gateways/sms_mobile/drop")["Location"] == "/gateways"

    assert ways.read() == []
    assert ways.secrets(ways.place(), "sms_mobile") == {}


def test_only_the_administrator_changes_anything(quiet):
    for path in ("/gateways/new", "/gateways/sms_1/hold"):
        assert quiet.client("clerk").post(path, GOOD).status_code == 403
    assert quiet.client("clerk").post("/gateways/sms_1", GOOD).status_code == 404
