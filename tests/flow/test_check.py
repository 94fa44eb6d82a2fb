"""A place as an administrator makes it, and what he is told of what would not work tonight."""

from __future__ import annotations

import contextlib
import http.server
import os
import re
import shutil
import stat
import threading
import tomllib

import pytest

from fengsui.__main__ import main
from fengsui.config import configure, site
from fengsui.flow.clock import Jumping
from fengsui.formats import packs
from fengsui.store import departures, holds, people, vault
from fengsui.store.sql import Session
from tests.flow import district
from tests.flow.district import NIGHT, everyone, issue, writing

CODE = re.compile(r"\[(C\d{3})\]$")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty place that the environment names."""
    at = tmp_path / "place"
    monkeypatch.setenv("FENGSUI_DATA", str(at))
    monkeypatch.setenv("FENGSUI_DATABASE", "")
    monkeypatch.setenv("FENGSUI_BACKUP_PASSPHRASE", "a passphrase of some length")
    yield at
    configure(tmp_path)


@pytest.fixture
def run(capsys):
    """Runs a command: its exit code, and its lines."""

    def command(*words):
        code = main(words)
        said = capsys.readouterr()
        return code, (said.out + said.err).splitlines()

    return command


@pytest.fixture
def made(place, run):
    """A place just made."""
    assert run("init")[0] == 0
    return place


def faults(lines):
    return [m[1] for line in lines if line.startswith("故障") and (m := CODE.search(line))]


def peopled(place):
    """Everybody the district needs at night, in a place whose only gateway is a message centre that is not there."""
    keys = vault.load(place, 2**62)
    session = Session()
    with session.transaction():
        people.apply(session, keys, everyone())
    session.close()
    gateway = '[[gateway]]\nname = "sms"\nkind = "sms_smpp"\naccepts = ["test"]\n[gateway.settings]\n'
    settings = {"host": "127.0.0.1", "port": "1", "system_id": "t", "source": "1009900", "password": "x"}
    gateway += "".join(f'{k} = "{v}"\n' for k, v in settings.items())
    file = place / site.FILE
    file.write_text(file.read_text() + gateway, encoding="utf-8")


@contextlib.contextmanager
def answering(answers):
    """A server on this machine; answers: path → (status, body), all else is not found."""

    class Answering(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = answers.get(self.path, (404, b""))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# ── init ─────────────────────────────────────────────────────────────────────


def test_init_makes_a_place_that_can_run(place, run):
    code, lines = run("init")

    assert code == 0
    assert {p.name for p in place.iterdir()} >= {
        "fengsui.toml",
        "site",
        "keys",
        "fengsui.sqlite3",
        "desk.sqlite3",
    }
    here = site.read(place)
    pack = packs.load(site.which(place, here))
    assert (pack.id, len(pack.clauses)) == ("site", 22)
    assert tomllib.loads((place / "site" / "pack.toml").read_text())["extends"] == "yunzhou"
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(p.stat().st_mode) == 0o600 for p in (place / "keys").iterdir())
    passwords = [line for line in lines if "一次性口令" in line]
    assert len(passwords) == 1


def test_the_first_password_works_once_and_must_be_changed(place, run):
    from django.contrib.auth.hashers import check_password

    from fengsui.store.accounts import Account

    _, lines = run("init")
    (password,) = (m[1] for line in lines if (m := re.search("一次性口令：(\\S+)", line)))

    (account,) = Account.objects.all()
    assert (account.username, account.role, account.must_change) == ("admin", "administrator", True)
    assert check_password(password, account.password)
    assert password not in (place / site.FILE).read_text()


def test_init_never_overwrites(made, run):
    before = {p.name: p.read_bytes() for p in made.iterdir() if p.is_file() and p.suffix == ".toml"}

    code, lines = run("init")

    assert (code, CODE.search(lines[-1])[1]) == (2, "C020")
    assert before == {name: (made / name).read_bytes() for name in before}


def test_init_with_a_pack_that_is_not_there_writes_nothing(place, run):
    code, lines = run("init", "--pack", "nowhere")

    assert (code, place.exists()) == (2, False)
    assert "yunzhou" in lines[-1], "says which there are"


def test_a_site_s_own_pack_replaces_what_it_names(made):
    (made / "site" / "units.toml").write_text(
        '[[unit]]\nid = "water"\nname = "某区水务局"\narea = "140215"\ngroups = ["members"]\nsuperior = "government"\n'
        'basis = "本站核实"\nverified = true\n',
        encoding="utf-8",
    )

    pack = packs.load(site.which(made, site.read(made)))

    assert (pack.units["water"].name, pack.units["water"].verified) == ("某区水务局", True)
    assert pack.units["emergency"].name == "区应急管理局"


# ── check ────────────────────────────────────────────────────────────────────


def test_a_place_that_is_none_is_said_to_be_none(place, run):
    place.mkdir()

    code, lines = run("check")

    assert (code, faults(lines)) == (1, ["C021"])
    assert not list(place.iterdir()), "looking changes nothing"


def test_a_new_place_lacks_gateways_and_people(made, run):
    code, lines = run("check")

    assert (code, faults(lines)) == (1, ["C033", "C045"])
    assert any("待核实" in line and line.startswith("注意") for line in lines)
    assert all(CODE.search(line) for line in lines[:-1])


def test_a_gateway_is_tried_for_real_and_a_wrong_setting_is_named(made, run):
    peopled(made)
    code, lines = run("check")
    assert (code, faults(lines)) == (1, ["C034", "C045"])
    assert any("7 个单位无人可通知" in line for line in lines), "the townships where nobody is on duty"

    file = made / site.FILE
    file.write_text(file.read_text().replace('port = "1"\n', 'port = "1"\ntypo = "2"\n'), encoding="utf-8")
    code, lines = run("check")
    assert faults(lines)[:1] == ["C033"]
    assert any("typo" in line for line in lines)


def test_feeds_and_whose_signatures_count_are_looked_at(made, run):
    file = made / site.FILE
    more = (
        '[[feed]]\nname = "gone"\nurl = "http://127.0.0.1:1/"\n[[feed]]\nname = "box"\nfolder = "incoming"\n'
    )
    file.write_text(file.read_text() + more, encoding="utf-8")
    (made / "trust").mkdir()
    (made / "trust" / "x.pem").write_text("no certificate", encoding="utf-8")
    _, lines = run("check")
    assert {"C047", "C048"} <= set(faults(lines))
    assert any("gone" in line and "R093" in line for line in lines)
    assert any("box 可用" in line for line in lines)

    file.write_text(
        file.read_text() + '[[feed]]\nname = "odd"\nurl = "file:///etc/passwd"\n', encoding="utf-8"
    )
    _, lines = run("check")
    assert any("odd" in line and "R100" in line for line in lines)


def test_signers_without_one_time_codes_are_named(made, run):
    peopled(made)
    _, lines = run("check")
    assert not any("[C049]" in line for line in lines), "nobody signs here yet"
    desk = departures.desk()
    row = "INSERT INTO account (username, name, role, unit, person, password, stamp, totp, active, must_change) VALUES"
    desk.run(f"{row} ('s', '', 'signer', 'meteorology', '', '', '', ?, true, false)", b"")
    _, lines = run("check")
    assert any(line.startswith("注意") and "1 个账号都没有登记动态口令" in line for line in lines)
    desk.run("UPDATE account SET totp = ?", b"secret")
    _, lines = run("check")
    assert any(line.startswith("正常") and "[C049]" in line for line in lines)
    desk.close()


def test_beside_a_running_district_no_second_login_is_made_unasked(made, run):
    peopled(made)
    file = made / site.FILE
    with answering({"/health": (200, b"")}) as port:
        file.write_text(file.read_text().replace("port = 8080", f"port = {port}"), encoding="utf-8")
        quiet, asked = run("check")[1], run("check", "--connect")[1]

    assert ("C034" in faults(quiet), "C034" in faults(asked)) == (False, True)
    assert any(line.startswith("注意") and "[C034]" in line for line in quiet)


SUBSCRIBER = (
    '[[gateway]]\nname = "province"\nkind = "webhook"\naccepts = ["actual"]\n[gateway.settings]\n'
    'url = "https://receiver.invalid/"\nsecret = "sixteen letters or more"\n'
)


@pytest.mark.parametrize(
    ("feed", "kind"),
    [
        ((200, b'{"alerts": []}'), "正常"),
        ((404, b""), "故障"),
        ((301, b""), "故障"),
        ((200, b"<html>"), "故障"),
    ],
)
def test_where_somebody_subscribes_the_feed_is_fetched_at_the_public_address(made, run, feed, kind):
    with answering({"/health": (200, b""), "/cap/feed.json": feed}) as port:
        file = made / site.FILE
        text = (
            file.read_text()
            .replace("port = 8080", f"port = {port}")
            .replace('address = ""', f'address = "http://127.0.0.1:{port}"')
        )
        file.write_text(text, encoding="utf-8")
        nobody = run("check")[1]
        file.write_text(text + SUBSCRIBER, encoding="utf-8")
        said = [line for line in run("check")[1] if line.endswith("[C051]")]

    assert not any("[C051]" in line for line in nobody)
    assert [line[:2] for line in said] == [kind]


def test_a_public_address_that_does_not_answer_is_no_fault_of_the_proxy(made, run):
    with answering({"/health": (200, b"")}) as port:
        file = made / site.FILE
        text = file.read_text().replace("port = 8080", f"port = {port}")
        file.write_text(
            text.replace('address = ""', 'address = "http://127.0.0.1:1"') + SUBSCRIBER, encoding="utf-8"
        )
        said = [line for line in run("check")[1] if line.endswith("[C051]")]

    assert [line[:2] for line in said] == ["注意"]


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("https://yj.example.gov.cn", "正常"),
        ("http://yj.example.gov.cn", "故障"),
        ("http://10.0.0.8:8080", "故障"),
        ("http://127.0.0.1:8080", "注意"),
        ("http://localhost:8080", "注意"),
        ("http://[::1]:8080", "注意"),
        ("https://yj.example.gov.cn/", "故障"),
        ("https://10.0.0.8", "故障"),
        ("https://[::1", "故障"),
        ("https://fengsui", "故障"),
    ],
)
def test_a_public_address_is_one_that_phones_can_open(made, run, address, kind):
    file = made / site.FILE
    file.write_text(file.read_text().replace('address = ""', f'address = "{address}"'), encoding="utf-8")

    _, lines = run("check")

    assert next(line for line in lines if "[C037]" in line).startswith(kind)


def test_an_address_without_https_is_said_to_send_passwords_in_the_open(made, run):
    file = made / site.FILE
    text = file.read_text().replace('address = ""', 'address = "http://yj.example.gov.cn"')
    file.write_text(text, encoding="utf-8")

    (line,) = (line for line in run("check")[1] if "[C037]" in line)

    assert "明文" in line
    assert "HTTPS" in line


def test_keys_that_others_can_read_are_a_fault(made, run):
    key = next((made / "keys").iterdir())
    key.chmod(0o644)
    (made / "keys").chmod(0o755)

    _, lines = run("check")

    assert "C036" in faults(lines)
    assert any(key.name in line and "chmod" in line for line in lines)


def test_what_was_left_lying_is_named(made, run):
    session = Session()
    session.run("INSERT INTO parked (id, input, error, at) VALUES ('x', '', 'KeyError: y', 1)")
    session.run(
        "INSERT INTO inbox (id, gateway, sender, cipher, suffix, text, at, state, digest)"
        " VALUES ('a', 'sms', x'00', x'00', '', x'00', 1, 'unclear', x'00')"
    )
    holds.put(session, "sms", 1, "网关检修")
    session.close()

    _, lines = run("check")

    assert {"C042", "C043", "C044"} <= set(faults(lines))
    assert any("网关检修" in line and "fengsui release" in line for line in lines)


def test_a_ledger_somebody_changed_is_a_fault(made, run):
    from tests.conftest import Database

    database = Database(made, "", vault.load(made, 2**62))
    district.populate(database)
    with writing(database, Jumping(NIGHT)) as writer:
        assert issue(writer).ok
    session = Session()
    session.run("DROP TRIGGER ledger_update")
    session.run("UPDATE ledger SET body = replace(body, 'red', 'blue') WHERE seq = 1")
    session.close()

    code, lines = run("check")

    assert code == 1
    assert faults(lines).count("C040") == 1
    assert "C041" in faults(lines), "the rehearsed night lies ahead of the clock"


def test_a_database_of_a_later_release_is_not_touched(made, run):
    session = Session()
    session.run(
        "INSERT INTO django_migrations (app, name, applied) VALUES ('store', '9999_later', '2027-01-01')"
    )
    session.close()
    _, lines = run("check")
    assert any("9999_later" in line for line in lines)

    session = Session()
    session.run(
        "DELETE FROM django_migrations WHERE id = (SELECT max(id) FROM django_migrations"
        " WHERE app = 'store' AND name <> '9999_later')"
    )
    session.run("DELETE FROM django_migrations WHERE app = 'store' AND name = '9999_later'")
    session.close()
    code, lines = run("check")
    assert (code, "C031" in faults(lines)) == (1, True)


# ── the commands together ────────────────────────────────────────────────────


def test_backup_restore_and_release_as_an_administrator_types_them(made, run, tmp_path, monkeypatch):
    target, there = tmp_path / "backup", tmp_path / "there"
    assert run("backup", str(target))[0] == 0
    code, lines = run("backup", str(target))
    assert (code, CODE.search(lines[-1])[1]) == (2, "C051")

    monkeypatch.setenv("FENGSUI_DATA", str(there))
    code, lines = run("restore", str(target))
    assert (code, "停发" in "".join(lines)) == (0, True)
    assert "C044" in faults(run("check")[1])
    assert run("release")[0] == 0
    assert "没有停发的车道" in run("release")[1][-1]
    assert "C044" not in faults(run("check")[1])
    assert run("verify")[0] == run("rebuild")[0] == 0
    shutil.rmtree(there)


def test_without_a_passphrase_there_is_no_backup(made, run, tmp_path, monkeypatch):
    monkeypatch.setenv("FENGSUI_BACKUP_PASSPHRASE", "")

    code, lines = run("backup", str(tmp_path / "backup"))

    assert (code, "FENGSUI_BACKUP_PASSPHRASE" in lines[-1]) == (2, True)
    assert not os.path.lexists(tmp_path / "backup")
