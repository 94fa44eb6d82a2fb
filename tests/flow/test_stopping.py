"""What a newer version makes untrue goes out no more: in the commit that decides it, and in no other."""

from __future__ import annotations

import sqlite3

import msgspec
import pytest

from fengsui.core import outdated
from fengsui.core.facts import Alerted, DrillSet
from fengsui.flow import spare
from fengsui.flow.clock import Jumping
from fengsui.flow.inputs import Input, Parked, Unwritten
from fengsui.store import leases, rebuild
from fengsui.store.lanes import Lane, Step
from fengsui.store.leases import Leased, Verdict
from fengsui.store.sql import Session
from fengsui.store.states import State
from fengsui.store.verify import verify
from tests.flow import district
from tests.flow.district import MINUTE, NIGHT, ZONES, alert, facts, issue, send_all, take, writing

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


def test_a_drill_whose_end_fails_is_parked_and_stops_nothing(database, session):
    pack = district.yunzhou()
    mute = {k: v for k, v in pack.texts.templates.items() if k != "drill_stopped"}
    broken = msgspec.structs.replace(pack, texts=msgspec.structs.replace(pack.texts, templates=mute))
    lane = Lane("sms_1", "sms", frozenset({"exercise"}))
    with writing(database, pack=broken, lanes=[lane]) as writer:
        district.drilled(writer)
        assert issue(writer, series="exercise", drill=district.DRILL).ok
        writer.settle().result(10)
        by = writer.world.at(district.DRILL).drill.by
        end = DrillSet(district.DRILL, writer.clock.now(), "stopped", by)
        with pytest.raises(Parked):
            writer.post(Input("end", end)).result(10)
        writer.settle().result(10)

    assert session.run("SELECT count(*) FROM delivery WHERE state = 0")[0][0] > 0
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


# ── newer versions ───────────────────────────────────────────────────────────


def busy(writer, minutes: int) -> None:
    """The gateway takes nothing for a while."""
    while (batch := take(writer))[1]:
        later = writer.clock.now() + minutes * MINUTE
        writer.post_results(
            "sms_1", [Verdict(r.id, batch[0], run_at=later, code="busy") for r in batch[1]]
        ).result(10)


def told(session: Session, rows: list[Leased]) -> dict[str, list[tuple[int, str]]]:
    """(version, template) of the warning messages that each recipient got, in order."""
    known = {
        id_: (version, template)
        for id_, version, template in session.run(
            "SELECT id, version, template FROM notice WHERE template NOT IN ('call', 'summons')"
        )
    }
    who = dict(session.run("SELECT id, recipient FROM delivery"))
    found: dict[str, list[tuple[int, str]]] = {}
    for row in rows:
        if row.notice in known:
            found.setdefault(who[row.id], []).append(known[row.notice])
    return found


def test_after_a_downgrade_nobody_gets_the_old_level_any_more(database, session):
    clock = Jumping(NIGHT)
    with writing(database, clock) as writer:
        issue(writer)
        writer.settle().result(10)
        _, held = take(writer, 20)
        busy(writer, 1)
        clock.jump(NIGHT + MINUTE // 2)
        assert issue(writer, 2, "blue", action="downgrade").ok
        writer.settle().result(10)
        sent = send_all(writer)
        clock.jump(NIGHT + 5 * MINUTE)  # what was held comes back in doubt
        writer.settle().result(10)
        sent += send_all(writer)
        writer.settle().result(10)

    got = told(session, sent)
    assert {version for each in got.values() for version, _ in each} == {2}
    assert {h.recipient for h in held} <= got.keys()
    counts = session.run("SELECT sum(planned), sum(open), sum(withdrawn + unknown) FROM notice_channel WHERE notice IN"
        " (SELECT id FROM notice WHERE version = 1 AND template IN ('alert', 'order'))")  # fmt: skip
    assert [tuple(map(int, row)) for row in counts] == [(counts[0][0], 0, counts[0][0])]
    assert states(session).keys() <= {State.HANDED_OVER, State.UNKNOWN, WITHDRAWN}
    sound(database, session)


@pytest.mark.parametrize("fanned", [True, False])
def test_a_partial_lift_stops_its_zone_and_leaves_the_other(fanned, database, session, monkeypatch):
    """Whether the lists stood in the queue already, or their cursor was under way."""
    kept = ZONES[0]
    if not fanned:
        monkeypatch.setattr(spare, "SLICE", 3)
    with writing(database) as writer:
        issue(writer)
        if fanned:
            writer.settle().result(10)
        zones = {kept: "red"}
        assert issue(writer, 2, "red", zones=zones, kept=[kept], action="change").ok
        writer.settle().result(10)
        got = told(session, send_all(writer))
        here, world = writer.world.at("incident-1"), writer.world
        gone = outdated.left(here, world)

    (fact,) = [
        f for b in facts(session, "alerted") if (f := msgspec.json.decode(b, type=Alerted)).version == 2
    ]
    assert set(fact.withdrawn) == gone != set()
    areas = dict(session.run("SELECT 'm' || lower(hex(lookup)), area FROM member" if not database.url
        else "SELECT 'm' || encode(lookup, 'hex'), area FROM member"))  # fmt: skip
    for recipient, each in got.items():
        if recipient in areas:
            assert each == [(1, "alert") if areas[recipient].startswith(kept) else (2, "all_clear")]
        else:
            assert recipient not in gone
            assert len({version for version, _ in each}) == 1
    assert {a for r, a in areas.items() if r in got} == set(areas.values())
    assert set(here.notices.people) - gone <= got.keys()
    sound(database, session)


def test_a_correction_stops_what_was_wrong(database, session):
    with writing(database) as writer:
        issue(writer)
        writer.settle().result(10)
        zones = {ZONES[0]: "blue"}
        said = issue(writer, 2, zones=zones, action="correct", mode="retraction", signer="forecaster")
        assert said.ok
        writer.settle().result(10)
        got = told(session, send_all(writer))

    assert {version for each in got.values() for version, _ in each} == {2}
    assert {template for each in got.values() for _, template in each} >= {"corrected"}
    sound(database, session)


def test_what_is_held_while_it_is_stopped_and_given_back_goes_nowhere(database, session):
    with writing(database) as writer:
        issue(writer)
        token, held = take(writer, 30)
        assert issue(writer, 2, "blue", action="downgrade").ok
        assert writer.release(token, [row.id for row in held]).result(10) == len(held)
        writer.settle().result(10)
        got = told(session, send_all(writer))

    assert {version for each in got.values() for version, _ in each} == {2}
    sound(database, session)


def test_a_second_version_leaves_calls_and_all_clears_of_before(database, session):
    """A zone that was lifted by the second stays lifted with the third: its all-clear goes on."""
    kept = ZONES[0]
    with writing(database) as writer:
        issue(writer)
        writer.settle().result(10)
        busy_rows = send_all(writer)
        assert issue(writer, 2, zones={kept: "red"}, kept=[kept], action="change").ok
        assert issue(writer, 3, zones={kept: "orange"}, action="downgrade").ok
        writer.settle().result(10)
        got = told(session, send_all(writer))
        gone = outdated.left(writer.world.at("incident-1"), writer.world)

    before = told(session, busy_rows)
    assert gone & before.keys() != set()
    assert all(got[person] == [(2, "all_clear")] for person in gone & before.keys())
    assert {e for p, each in got.items() if p in before and p not in gone for e in each} >= {(3, "alert")}
    sound(database, session)


def test_a_list_that_was_narrowed_is_planned_anew_for_the_lanes_of_the_next_start(
    database, session, monkeypatch
):
    """Its zones stay as they were narrowed, whichever way it leaves."""
    monkeypatch.setattr(spare, "SLICE", 1)
    with writing(database) as writer:
        issue(writer)
        writer.settle().result(10)
        assert issue(writer, 2, "red", zones={ZONES[0]: "red"}, kept=[ZONES[0]], action="change").ok
        writer.settle().result(10)
    session.run("UPDATE notice SET done = 0")  # as if it had ended before the lists were through
    before = dict(session.run("SELECT id, plan FROM notice"))
    assert any(step.zones for plan in before.values() for step in steps(plan))

    there = Lane("other", "sms", frozenset({"test"}))
    leases.orphaned(session, [there])

    for id_, plan in session.run("SELECT id, plan FROM notice"):
        assert steps(plan) == [msgspec.structs.replace(step, lane="other") for step in steps(before[id_])]


def steps(plan: str) -> list[Step]:
    return msgspec.json.decode(plan, type=list[Step])
