"""What a newer version makes untrue goes out no more: in the commit that decides it, and in no other."""

from __future__ import annotations

import sqlite3

import msgspec
import pytest

from fengsui.core.facts import Alerted
from fengsui.flow.inputs import Input, Parked, Unwritten
from fengsui.store import rebuild
from fengsui.store.leases import Leased
from fengsui.store.sql import Session
from fengsui.store.states import State
from fengsui.store.verify import verify
from tests.flow import district
from tests.flow.district import alert, facts, issue, take, writing

WITHDRAWN = int(State.WITHDRAWN)


@pytest.fixture(autouse=True)
def populated(database):
    district.populate(database)


def states(session: Session) -> dict[int, int]:
    return dict(session.run("SELECT state, count(*) FROM delivery GROUP BY state"))


def templates(session: Session, rows: list[Leased]) -> set[str]:
    known = dict(session.run("SELECT id, template FROM notice"))
    return {known[row.notice] for row in rows}


def sound(database, session: Session) -> None:
    assert list(verify(session, database.vault)) == []
    assert rebuild.rebuild(session, "Asia/Shanghai") == 0


# ── one commit ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize("trouble", [sqlite3.OperationalError("database or disk is full"), SystemExit(9)])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_cancellation_that_is_not_recorded_stops_nothing(trouble, database, session):
    """Whether the disk is full or the process dies: the warning holds, so it goes out."""
    with writing(database) as writer:
        issue(writer)
        writer.settle().result(10)
        before, commit = states(session), writer._commit

        def fails(waiting):
            if waiting.inputs:
                raise trouble
            return commit(waiting)

        writer._commit = fails
        with pytest.raises((Unwritten, SystemExit)):
            writer.post(Input("cancel", alert(2, "", action="cancel"))).result(10)
    with writing(database) as writer:
        writer.settle().result(10)
        assert writer.world.at("incident-1").alert.holds
        assert states(session) == before == {State.PLANNED: sum(before.values())}
        assert len(take(writer)[1]) > 0

    sound(database, session)


@pytest.mark.parametrize("gap", [1, 2, 3])
def test_a_cancellation_and_another_desk_meet_and_only_one_counts(gap, database, session):
    """However late another process gets in between: what holds goes out, what does not hold does not."""
    with writing(database) as other, writing(database) as writer:
        issue(writer)
        writer.settle().result(10)
        other.settle().result(10)
        begin, begun = writer._session.begin, []

        def begins():
            begun.append(1)
            if len(begun) == gap:
                begun.append(issue(other, 2, "red", action="renew").code)
            begin()

        writer._session.begin = begins
        said = writer.post(Input("cancel", alert(2, "", action="cancel"))).result(10)
        while len(begun) < gap:
            writer.due()
            writer.settle().result(10)
        writer._session.begin = begin
        for each in (writer, other):
            each.due()
            each.settle().result(10)
        holds = other.world.at("incident-1").alert.holds
        sent = templates(session, take(other)[1])

    (renewed,) = [said for said in begun if said != 1]
    assert {holds: (said.code, renewed)}[holds] == (("A01", "") if holds else ("", "A01"))
    assert ("alert" in sent, "all_clear" in sent) == (holds, not holds)
    sound(database, session)


def test_a_cancellation_that_fails_is_parked_and_stops_nothing(database, session):
    pack = district.yunzhou()
    mute = {k: v for k, v in pack.texts.templates.items() if k != "all_clear"}
    broken = msgspec.structs.replace(pack, texts=msgspec.structs.replace(pack.texts, templates=mute))
    with writing(database, pack=broken) as writer:
        issue(writer)
        writer.settle().result(10)
        take(writer, 3)
        with pytest.raises(Parked):
            issue(writer, 2, "")
        writer.settle().result(10)

    assert WITHDRAWN not in states(session)


def test_a_warning_and_its_cancellation_in_one_round(database, session):
    with writing(database) as writer:
        with writer._queue.ready:
            said = [writer.post(Input(f"form-{v}", alert(v, level))) for v, level in ((1, "red"), (2, ""))]
        assert [s.result(10).code for s in said] == ["", ""]
        told = set(writer.world.at("incident-1").notices.people)
        writer.settle().result(10)
        assert templates(session, take(writer)[1]) == {"all_clear"}

    (cancelled,) = [
        f for b in facts(session, "alerted") if not (f := msgspec.json.decode(b, type=Alerted)).zones
    ]
    assert set(cancelled.withdrawn) == told != set()
    wrong = session.run(
        "SELECT DISTINCT d.state FROM delivery d JOIN notice n ON n.id = d.notice WHERE n.version = 1"
    )
    assert wrong == [(WITHDRAWN,)]
    sound(database, session)
