"""The ledger only grows, its chain shows every change, keys and papers behave."""

from __future__ import annotations

import pytest

from fengsui.core.facts import Closed, encode
from fengsui.store import archive, history, ledger, lock, people, vault
from fengsui.store.sql import Errors, Session
from fengsui.store.verify import verify
from tests.conftest import START, Database


def append(session: Session, database: Database, count: int) -> None:
    rows = [
        ledger.New(
            f"id-{n}", "test", "s", "closed", n, "", encode(Closed("s", n, "某人")).decode(), "p", "d", "r"
        )
        for n in range(count)
    ]
    with session.transaction():
        head, _ = ledger.append(session, ledger.lock(session), rows)
        ledger.seal(session, head, database.vault)


CHANGES = (
    "UPDATE ledger SET body = '{}' WHERE seq = 2",
    "DELETE FROM ledger WHERE seq = 2",
    (
        "INSERT INTO ledger (seq, id, series, stream, kind, at, cause, schema, body, pack, directory, release, prev, hash)"
        " VALUES (2, 'other', '', '', '', 0, '', 1, '', '', '', '', '', '') ON CONFLICT (seq) DO UPDATE SET body = ''"
    ),
)
REPLACE = (
    "INSERT OR REPLACE INTO ledger (seq, id, series, stream, kind, at, cause, schema, body, pack, directory, release,"
    " prev, hash) VALUES (2, 'other', '', '', '', 0, '', 1, '', '', '', '', '', '')"
)


@pytest.mark.parametrize("change", [*CHANGES, REPLACE, "TRUNCATE ledger"])
def test_nothing_in_the_ledger_can_be_changed(change, database, session):
    append(session, database, 3)

    with pytest.raises(Errors) as error:
        session.run(change)
    session.rollback()

    refused_by_language = ("REPLACE" in change and database.url) or (
        "TRUNCATE" in change and not database.url
    )
    assert refused_by_language or "S001" in str(error.value)
    assert list(verify(session, database.vault)) == []


def test_replacing_is_refused_without_recursive_triggers_too(database, session):
    if database.url:
        return
    append(session, database, 3)
    session.run("PRAGMA recursive_triggers=OFF")

    with pytest.raises(Errors, match="S001"):
        session.run(REPLACE)


def untrigger(session: Session) -> None:
    if session.vendor == "sqlite":
        for name in ("update", "delete", "again"):
            session.run(f"DROP TRIGGER ledger_{name}")
    else:
        session.run("DROP TRIGGER ledger_change ON ledger")


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        ("UPDATE ledger SET at = at + 1 WHERE seq = 4", [(4, "S103")]),
        ("UPDATE ledger SET release = 'x' WHERE seq = 2", [(2, "S103")]),
        ("DELETE FROM ledger WHERE seq = 3", [(4, "S101"), (4, "S102")]),
        ("DELETE FROM ledger WHERE seq = 5", [(0, "S104")]),
        ("UPDATE chain SET epoch = 7", [(0, "S105")]),
    ],
)
def test_the_chain_names_the_row_that_was_changed(change, faults, database, session):
    append(session, database, 5)
    untrigger(session)

    session.run(change)

    assert [(f.seq, f.code) for f in verify(session, database.vault)] == faults


def test_the_ledger_reads_back_what_was_written(database, session):
    append(session, database, 3)

    assert [line.fact for line in history.stream(session, "s")] == [Closed("s", n, "某人") for n in range(3)]
    assert [line.seq for line in history.page(session, before=3, limit=9)] == [2, 1]
    assert history.last_at(session) == 2


SIGN = (
    "INSERT INTO signature (paper, author_person, signer_person, mode, reason, at) VALUES (?, ?, ?, ?, ?, 0)"
)


@pytest.mark.parametrize(
    ("row", "good"),
    [
        (("p", "a", "b", "", ""), True),
        (("p", "a", "a", "", ""), False),
        (("p", "a", "a", "emergency", ""), False),
        (("p", "a", "a", "haste", "通信中断"), False),
        (("p", "a", "a", "emergency", "通信中断"), True),
        (("p", "a", None, "", ""), False),
        (("p", None, "b", "", ""), False),
    ],
)
def test_two_persons_sign_unless_a_mode_and_a_reason_say_why_not(row, good, session):
    if good:
        session.run(SIGN, *row)
    with pytest.raises(Errors):
        session.run(SIGN, *row)  # and nobody signs a paper twice


def test_an_erased_paper_leaves_its_digest(database):
    papers = archive_session()
    paper = archive.Paper("minutes", "会商纪要".encode())
    archive.put(papers, [paper, paper], 1)
    assert archive.get(papers, paper.digest) == paper.body

    archive.erase(papers, paper.digest, 2)

    with pytest.raises(archive.Erased):
        archive.get(papers, paper.digest)
    with pytest.raises(archive.Missing):
        archive.get(papers, "0" * 64)
    papers.close()


def archive_session() -> Session:
    from fengsui.store.sql import archive as opened

    return opened()


NUMBER, NAME = "10000000017", "张三丰"


def test_no_name_and_no_number_is_stored_in_clear(database, session):
    edit = people.Edit(
        people=(people.Human("p1", "u", NAME, (people.Contact("sms", NUMBER),)),),
        members=(people.Member("village", "140215", NUMBER),),
    )
    with session.transaction():
        people.apply(session, database.vault, edit)

    assert people.name(session, database.vault, "p1") == NAME
    assert people.find(session, database.vault, "sms", NUMBER) == ("p1",)
    if database.url:
        dump = str(session.run("SELECT * FROM person")) + str(session.run("SELECT * FROM address"))
        stored = (dump + str(session.run("SELECT * FROM member"))).encode()
    else:
        session.run("PRAGMA wal_checkpoint(TRUNCATE)")
        stored = b"".join(p.read_bytes() for p in database.data.glob("*.sqlite3*"))
    assert NUMBER.encode() not in stored
    assert NAME.encode() not in stored


def test_a_departed_person_leaves_nothing_but_a_vacancy(database, session):
    human = people.Human("p1", "u", NAME, (people.Contact("sms", NUMBER),))
    post = people.Post("u/leader/1", "u", "leader", "140215", "p1")
    with session.transaction():
        people.apply(session, database.vault, people.Edit(people=(human,), posts=(post,)))
    before = people.snapshot(session, frozenset({"sms"}))
    with session.transaction():
        people.apply(session, database.vault, people.Edit(departed=("p1",)))
    after = people.snapshot(session, frozenset({"sms"}))

    assert before.usable("p1", ("sms",)) == ("sms",)
    assert (after.persons, after.posts["u/leader/1"].holder) == ({}, "")
    assert before.digest != after.digest
    assert session.run("SELECT count(*) FROM address") == [(0,)]


def test_keys_rotate_and_the_old_ones_still_read(tmp_path):
    first = vault.create(tmp_path, START)
    old = first.encrypt(NUMBER, "address")
    signature, key = first.sign(b"head")
    for purpose in ("data", "lookup", "chain"):
        vault.add(tmp_path, purpose, START + 1)
    second = vault.load(tmp_path, START + 2)

    assert second.decrypt(old, "address") == NUMBER
    assert second.encrypt(NUMBER, "address")[:4] != old[:4]
    assert first.lookup(NUMBER) in second.lookups(NUMBER)
    assert second.lookup(NUMBER) != first.lookup(NUMBER)
    assert second.signed(b"head", signature, key)
    assert not second.signed(b"other", signature, key)
    with pytest.raises(vault.KeyFault, match="S020"):
        second.decrypt(old, "name")


def test_keys_open_to_others_are_refused(tmp_path):
    vault.create(tmp_path, START)
    next((tmp_path / "keys").glob("data-*")).chmod(0o644)

    with pytest.raises(vault.KeyFault, match="S021"):
        vault.load(tmp_path, START)


def test_one_serve_for_each_data_directory(tmp_path):
    held = lock.Lock(tmp_path)
    with pytest.raises(lock.Occupied, match="S030"):
        lock.Lock(tmp_path)
    held.release()
    lock.Lock(tmp_path).release()
