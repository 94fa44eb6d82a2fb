"""A backup taken in the middle of the night, and the district that is made of it elsewhere."""

from __future__ import annotations

import asyncio
import json
import shutil
import stat

import pytest

from fengsui.__main__ import main
from fengsui.config import configure
from fengsui.flow import backup, restore
from fengsui.flow.backup import BackupFault
from fengsui.flow.clock import Jumping
from fengsui.flow.inputs import Input
from fengsui.flow.serve import House
from fengsui.rehearse import night
from fengsui.store import history, holds, rebuild, sealed, vault, verify
from fengsui.store.migrate import migrate
from fengsui.store.sql import Session
from tests.conftest import Database
from tests.flow import district
from tests.flow.district import NIGHT, alert, yunzhou
from tests.flow.ways import Way, ask, count, running, until

PHRASE = "一句很长的备份口令 horse"


def restored(source, place, *, url="", phrase=PHRASE):
    """The place made of a backup; Django points there afterwards."""
    manifest = restore.read(source)
    restore.unpack(source, place, manifest, passphrase=phrase, url=url)
    configure(place, url)
    if url:
        restore.load(source, url)
    migrate()
    keys = vault.load(place, NIGHT)
    return keys, restore.settle(keys, manifest, NIGHT + 1)


def checked(keys):
    session = Session()
    try:
        return (
            list(verify.verify(session, keys)),
            rebuild.rebuild(session, "Asia/Shanghai"),
            history.last_seq(session),
        )
    finally:
        session.close()


def test_a_backup_in_the_middle_of_a_night_is_a_whole_district_elsewhere(tmp_path):
    """Taken twice while the night is played; each verifies, and its board is what its ledger says."""
    taken = []

    async def play():
        (tmp_path / "here").mkdir()
        rain = yunzhou().drills["rainstorm"]
        stage = await night.begin(tmp_path / "here", yunzhou(), rain, people=60, seed=1)
        tasks = []

        def seen(stage, at):
            if len(tasks) < 2 and len(stage.facts) > 120 * (len(tasks) + 1):
                target = tmp_path / f"backup{len(tasks)}"
                tasks.append(
                    asyncio.ensure_future(
                        asyncio.to_thread(
                            backup.backup, stage.place, target, url="", passphrase=PHRASE, now=at
                        )
                    )
                )

        await night.play(stage, rain, seen)
        taken.extend(await asyncio.gather(*tasks))
        total = history.last_seq(stage._session)
        await stage.stop()
        return total

    total = asyncio.run(play())

    assert len(taken) == 2
    assert 0 < taken[0].chain.seq < taken[1].chain.seq < total
    for number, manifest in enumerate(taken):
        keys, done = restored(tmp_path / f"backup{number}", tmp_path / f"there{number}")
        faults, differing, facts = checked(keys)
        assert (faults, differing, facts) == ([], 0, manifest.chain.seq)
        assert (done.facts, done.epoch) == (manifest.chain.seq, 1)
        session = Session("archive")
        papers = {row[0] for row in session.run("SELECT digest FROM paper")}
        session.close()
        named = ask("SELECT body FROM ledger WHERE kind = 'alerted'")
        assert {json.loads(body)["paper"] for (body,) in named} <= papers, "papers come before facts"
    configure(tmp_path)


def test_nothing_leaves_a_restored_district_until_a_person_releases_it(template, tmp_path):
    """What was open is in doubt: it waits over a restart, and goes out as a possible duplicate."""
    shutil.copytree(template, tmp_path / "here")
    configure(tmp_path / "here")
    database = Database(tmp_path / "here", "", vault.load(tmp_path / "here", NIGHT))
    district.populate(database)
    target, place = tmp_path / "backup", tmp_path / "there"

    async def before():
        slow = Way(say=None)
        slow.dead = True  # what is handed over is never answered
        async with running(database, slow) as house:
            await house.writer.post(Input("form-1", alert()))
            await house.writer.settle()
            await asyncio.to_thread(
                backup.backup, database.data, target, url="", passphrase=PHRASE, now=NIGHT
            )

    asyncio.run(before())
    keys, done = restored(target, place)
    open_ = count("state = 0")
    assert done.waiting == {"sms_1": open_}
    assert open_ > 100
    assert count("state = 0 AND doubtful = 0") == 0
    assert count("state = 0 AND NOT (lease = 0)") == 0

    async def after(release):
        way = Way()
        house = House(yunzhou(), Jumping(NIGHT + 1), keys, [way])
        await house.start()
        try:
            await asyncio.sleep(1.5)
            held = len(way.sent)
            if release:
                await asyncio.to_thread(lift)
                await until(lambda: len(way.sent) and not ask("SELECT 1 FROM delivery WHERE state = 0"))
            return held, len(way.sent)
        finally:
            await house.stop()

    assert asyncio.run(after(release=False)) == (0, 0)
    held, sent = asyncio.run(after(release=True))
    assert (held, sent) == (0, open_)
    assert count("doubtful = 1 AND state = 2") == open_
    configure(tmp_path)


def lift():
    session = Session()
    try:
        assert holds.lift(session) == 1
    finally:
        session.close()


@pytest.mark.foreign
def test_a_postgresql_district_is_restored_into_an_empty_database_only(postgresql, tmp_path):
    here, there = (postgresql.database(name) for name in ("backup_here", "backup_there"))
    data = tmp_path / "here"
    configure(data, here)
    migrate()
    database = Database(data, here, vault.create(data, NIGHT))
    district.populate(database)

    async def before():
        async with running(database, Way()) as house:
            await house.writer.post(Input("form-1", alert()))
            await house.writer.settle()
            return await asyncio.to_thread(
                backup.backup, data, tmp_path / "backup", url=here, passphrase=PHRASE, now=NIGHT
            )

    manifest = asyncio.run(before())
    manifest_, place = restore.read(tmp_path / "backup"), tmp_path / "there"
    assert manifest_ == manifest
    with pytest.raises(BackupFault, match="C058"):
        restored(tmp_path / "backup", tmp_path / "wrong", url=here)
    keys, done = restored(tmp_path / "backup", place, url=there)
    assert done.epoch == 1
    assert checked(keys) == ([], 0, manifest.chain.seq)
    configure(tmp_path)
    for name in ("backup_here", "backup_there"):
        postgresql.drop(name)


# ── what is refused ──────────────────────────────────────────────────────────


@pytest.fixture
def parcel(tmp_path, template):
    """An empty district and its backup."""
    place = tmp_path / "place"
    shutil.copytree(template, place)
    configure(place)
    backup.backup(place, tmp_path / "backup", url="", passphrase=PHRASE, now=NIGHT)
    yield tmp_path / "backup"
    configure(tmp_path)


def test_a_backup_is_readable_by_its_owner_only_and_keys_in_it_by_nobody(parcel):
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in parcel.iterdir() if p.is_file()}

    assert set(modes) == {*backup.FILES.values(), "keys.sealed", "manifest.json"}
    assert set(modes.values()) == {0o600}
    closed = (parcel / "keys.sealed").read_bytes()
    assert b"secret" not in closed
    assert b"purpose" not in closed


def test_what_was_changed_after_the_backup_is_refused(parcel, tmp_path):
    with (parcel / "fengsui.sqlite3").open("r+b") as file:
        file.seek(5000)
        file.write(b"x")

    with pytest.raises(BackupFault, match="C055"):
        restore.read(parcel)
    (parcel / "manifest.json").unlink()
    with pytest.raises(BackupFault, match="C054"):
        restore.read(parcel)


def test_the_wrong_passphrase_opens_nothing_and_leaves_nothing(parcel, tmp_path):
    with pytest.raises(sealed.Unsealed):
        restored(parcel, tmp_path / "there", phrase="another long passphrase")

    assert not (tmp_path / "there").exists()


def test_nothing_is_ever_overwritten(parcel, tmp_path):
    place = tmp_path / "place"
    with pytest.raises(BackupFault, match="C056"):
        restore.unpack(parcel, place, restore.read(parcel), passphrase=PHRASE, url="")
    with pytest.raises(BackupFault, match="C051"):
        backup.backup(place, parcel, url="", passphrase=PHRASE, now=NIGHT)
    with pytest.raises(ValueError, match="S061"):
        backup.backup(place, tmp_path / "new", url="", passphrase="short", now=NIGHT)
    assert not list(tmp_path.glob("new*"))


def test_keys_may_lie_apart(template, tmp_path):
    place = tmp_path / "place"
    shutil.copytree(template, place)
    configure(place)
    apart = tmp_path / "keys.sealed"
    backup.backup(place, tmp_path / "backup", url="", passphrase=PHRASE, now=NIGHT, keys=apart)

    assert not (tmp_path / "backup" / "keys.sealed").exists()
    restore.unpack(
        tmp_path / "backup", tmp_path / "there", restore.read(tmp_path / "backup"), passphrase=PHRASE, url="",
        keys=apart,
    )  # fmt: skip
    names = sorted(p.name for p in (place / "keys").iterdir())
    assert sorted(p.name for p in (tmp_path / "there" / "keys").iterdir()) == names
    configure(tmp_path)


def test_a_place_that_was_not_wholly_restored_never_runs(parcel, tmp_path, monkeypatch, capsys):
    """However its restore ended: killed after the files lay there, or refused at the ledger."""
    killed = tmp_path / "killed"
    restore.unpack(parcel, killed, restore.read(parcel), passphrase=PHRASE, url="")
    wrong = json.loads((parcel / "manifest.json").read_bytes())
    wrong["chain"]["hash"] = "x" * 64
    (parcel / "manifest.json").write_text(json.dumps(wrong))
    refused = tmp_path / "refused"
    monkeypatch.setenv("FENGSUI_BACKUP_PASSPHRASE", PHRASE)
    monkeypatch.setenv("FENGSUI_DATABASE", "")
    monkeypatch.setenv("FENGSUI_DATA", str(refused))
    assert main(["restore", str(parcel)]) == 2
    assert "C059" in capsys.readouterr().err

    house = House(yunzhou(), Jumping(NIGHT), vault.load(killed, NIGHT), [Way()])
    with pytest.raises(restore.Half):
        asyncio.run(house.start())
    for place in (killed, refused):
        monkeypatch.setenv("FENGSUI_DATA", str(place))
        for words in (["serve"], ["release"], ["backup", str(tmp_path / "again")]):
            assert main(words) == 2
            assert "C060" in capsys.readouterr().err


def test_outlines_of_the_site_are_in_its_backup(template, tmp_path):
    place = tmp_path / "place"
    shutil.copytree(template, place)
    (place / "districts.geojson").write_text('{"features": []}')
    configure(place)
    backup.backup(place, tmp_path / "backup", url="", passphrase=PHRASE, now=NIGHT)
    restored(tmp_path / "backup", tmp_path / "there")
    configure(tmp_path)

    assert (tmp_path / "there" / "districts.geojson").read_text() == '{"features": []}'
    restore.whole(tmp_path / "there")


def test_a_ledger_that_does_not_verify_is_not_gone_on_with_and_stays_held(parcel, tmp_path):
    manifest = restore.read(parcel)
    wrong = backup.Manifest(
        manifest.release, manifest.at, "sqlite", backup.Chain(7, "x" * 64, 0), manifest.files
    )
    place = tmp_path / "there"
    restore.unpack(parcel, place, wrong, passphrase=PHRASE, url="")
    configure(place)

    with pytest.raises(BackupFault, match="C059"):
        restore.settle(vault.load(place, NIGHT), wrong, NIGHT)

    session = Session()
    assert [h.lane for h in holds.read(session)] == ["*"]
    session.close()
