"""What pages read, on both databases: streams, boards, deliveries, the roster, configured gateways."""

from __future__ import annotations

from fengsui.core import board, tally
from fengsui.core.facts import decode
from fengsui.store import archive, roster, streams, traces, ways
from fengsui.store.archive import Paper
from fengsui.store.sql import archive as open_archive
from tests.flow.district import everyone, issue, populate, send_all, writing


def test_a_stream_is_read_as_it_was_written(database, session):
    populate(database)
    with writing(database) as writer:
        issue(writer)
        writer.settle().result(10)
        state = writer.world.at("incident-1")

    (found,) = streams.streams(session)
    assert (found.name, found.series, found.first, found.last) == ("incident-1", "test", 1, found.facts)
    assert [a.version for a in found.alerts] == [1]
    assert {r.id: r for r in streams.board(session, "incident-1")} == board.rows(state)
    assert streams.open_rows(session) != []
    assert streams.board(session, "other") == []
    assert streams.standing(session)["incident-1"]["open"] == len(streams.open_rows(session))
    head = streams.head(session)
    assert (head.seq, len(head.hash)) == (found.last, 64)
    counts = tally.count(decode(body) for body in streams.duties(session, ["incident-1"])["incident-1"])
    assert counts["2.4.1"].triggered > 0


def test_deliveries_are_read_with_masked_numbers(database, session):
    populate(database)
    with writing(database) as writer:
        issue(writer)
        writer.settle().result(10)
        assert sum(traces.waiting(session).values()) > 0
        send_all(writer)

    shown = traces.lane(session, database.vault, "sms_1")
    assert {t.state for t in shown} == {"已提交"}
    assert all("****" in t.to for t in shown)
    assert traces.lane(session, database.vault, "other") == []
    counts = traces.counts(session)["sms"]
    assert counts.planned == counts.handed > 0
    person = everyone().people[0].id
    assert all(t.channel == "sms" for t in traces.person(session, database.vault, person))


def test_the_roster_is_read_whole_or_one_by_one(database, session):
    populate(database)

    found = roster.everyone(session, database.vault)

    given = everyone().people
    assert {(e.id, e.name, e.ways[0].value) for e in found} == {
        (h.id, h.name, h.contacts[0].value) for h in given
    }
    assert roster.everyone(session, database.vault, given[0].id) == [e for e in found if e.id == given[0].id]
    assert roster.everyone(session, database.vault, "none") == []


def test_gateways_are_rows_in_their_order(database):
    one = ways.Stored("b", "email", ("actual",), {"host": "x"}, 2, True, 7)
    two = ways.Stored("a", "sms_smpp", ("exercise", "test"), {}, 1, False, 8)
    for way in (one, two, one):
        ways.put(way)

    assert ways.read() == [two, one]

    ways.drop("a")
    assert ways.read() == [one]


def test_papers_of_a_class_are_listed_newest_first(database):
    session = open_archive()
    for at in (1, 2, 3):
        archive.put(session, [Paper("unmask", b"%d" % at), Paper("note", b"n%d" % at)], at)

    assert archive.listed(session, "unmask", 2) == [b"3", b"2"]
    archive.erase(session, Paper("unmask", b"3").digest, 4)
    assert archive.listed(session, "unmask", 2) == [b"2", b"1"]

    papers = [Paper("unmask", body) for body in (b"1", b"2", b"3")]
    found = archive.several(session, [*(p.digest for p in papers), "none"])
    assert found == {p.digest: p.body for p in papers[:2]}
    assert archive.several(session, []) == {}
    session.close()
