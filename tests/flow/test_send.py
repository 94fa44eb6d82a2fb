"""Lanes: red before blue, a dead one delays nobody, what was not sent is sent again — until the warning expires."""

from __future__ import annotations

import asyncio
import time

import pytest

from fengsui.core.facts import DrillSet
from fengsui.flow import failover, pulse, send
from fengsui.flow.clock import Jumping
from fengsui.flow.inputs import Input, Pending, Unwritten
from fengsui.gateways.contract import Outcome
from fengsui.store.states import State
from tests.flow import district
from tests.flow.district import DRILL, MINUTE, NIGHT, alert, drilled
from tests.flow.town import whole
from tests.flow.ways import Way, ask, count, offline, running, until

SECOND = 1_000_000


@pytest.fixture(autouse=True)
def populated(database):
    district.populate(database)


async def issued(house, version=1, level="red", *, name="form", **more):
    if more.get("series") == "exercise":
        drilled(house.writer)
        more["drill"] = DRILL
    fact = alert(version, level, at=house.clock.now(), **more)
    answer = await house.writer.post(Input(f"{name}-{version}", fact))
    assert answer.ok, answer
    await house.writer.settle()


def done():
    return count("state = 0") == 0 < count()


async def minutes(house, many, step=MINUTE):
    """Let time pass, and every pause with it."""
    for _ in range(many):
        house.clock.jump(house.clock.now() + step)
        house.writer.due()
        await house.writer.settle()
        for lane in house.lanes:
            lane.wake()
        await until(lambda: not any(lane.busy for lane in house.lanes))
        await house.writer.settle()


def test_everything_that_is_due_leaves_once(database):
    async def night():
        way = Way()
        async with running(database, way) as house:
            await issued(house)
            await until(done)
        return way

    way = asyncio.run(night())
    assert len(way.ids()) == len(set(way.ids())) == count("state = 2")
    assert count("attempts = 1") == count()


@pytest.mark.parametrize("fault", ["hangs", "not connected", "refuses the login"])
def test_a_dead_lane_never_delays_another(database, fault):
    """Rate and first message of the living lane, with and without 200 people waiting in a dead one."""

    async def night(*, dead):
        say = {"hangs": offline, "not connected": offline}.get(
            fault, lambda *_: (Outcome.REFUSED_CONFIG, "login refused")
        )
        one, two = Way("one", accepts=("exercise",), say=say), Way("two")
        one.dead, two.rate = fault == "hangs", 2000.0
        async with running(database, one, two) as house:
            if dead:
                more = {"stream": "incident-0", "series": "exercise"}
                await issued(house, name="drill", **more)
                await asyncio.sleep(0.3)
            began = time.monotonic()
            await issued(house)
            await until(lambda: count("lane = 'two'") and not count("lane = 'two' AND state = 0"))
            took = time.monotonic() - began
        assert not dead or count("lane = 'one' AND state = 0")
        return two.sent[0][0] - began, took, len(two.sent)

    first, took, sent = asyncio.run(night(dead=True))
    assert sent == count("lane = 'two'")
    assert first < 1.0
    assert took < 3.0


def test_red_overtakes_what_is_less_urgent_and_waits(database):
    async def night():
        way = Way()
        way.rate = 100.0
        async with running(database, way) as house:
            await issued(house, level="orange", hazard="gale", stream="incident-0", name="gale")
            blue = count()
            await until(lambda: len(way.sent) > min(20, blue - 1))
            assert len(way.sent) < blue / 2, (len(way.sent), blue)
            before = len(way.sent)
            await issued(house, level="red")
            red = {id_ for (id_,) in ask("SELECT id FROM delivery WHERE rank < 2")}
            await until(lambda: red <= set(way.ids()), 60)
        return way.ids(), before, red

    order, before, red = asyncio.run(night())
    last = max(order.index(id_) for id_ in red)
    between = [id_ for id_ in order[before : last + 1] if id_ not in red]
    assert len(between) <= 130, "what was with the gateway already, a second's worth"


def test_persons_named_by_a_clause_come_before_the_lists(database):
    async def night():
        way = Way()
        async with running(database, way) as house:
            house.lanes[0].held = True
            await issued(house)
            house.lanes[0].held = False
            house.lanes[0].wake()
            await until(done)
        return way.ids()

    order = asyncio.run(night())
    named = {id_ for (id_,) in ask("SELECT id FROM delivery WHERE responsible = 1")}
    assert set(order[: len(named)]) == named


def test_an_exercise_cannot_leave_where_it_is_not_accepted(database):
    async def night():
        drill, real = Way("drill", accepts=("exercise",)), Way("real", accepts=("actual",))
        async with running(database, drill, real) as house:
            house.lanes[0].held = True
            await issued(house, series="exercise")
            moved = ask("UPDATE delivery SET lane = 'real' RETURNING id")  # a fault of ours, or by hand
            house.lanes[1].wake()
            await until(lambda: not count("lane = 'real' AND state = 0"))
            house.lanes[0].held = False
            house.lanes[0].wake()
            await until(done)
        return real, drill, len(moved)

    real, drill, rows = asyncio.run(night())
    assert real.sent == []
    assert len(drill.sent) == rows > 0


def test_a_drill_that_ends_takes_back_what_waits_and_only_its_end_leaves(database):
    """Of its warnings and of its own announcement; a warning in earnest beside it loses nothing."""

    async def night():
        way = Way("all", accepts=("exercise", "test"))
        async with running(database, way) as house:
            house.lanes[0].held = True
            await issued(house, series="exercise", stream="incident-0", name="drill")
            await issued(house)
            by = house.writer.world.at(DRILL).drill.by
            end = DrillSet(DRILL, house.clock.now(), "stopped", by)
            assert (await house.writer.post(Input("end", end))).ok
            house.lanes[0].held = False
            house.lanes[0].wake()
            await until(done)
            await house.writer.settle()
        return {"".join(text for _, _, text in h.parts) for _, h in way.sent}

    texts = asyncio.run(night())
    drills = {t for t in texts if "【演练】" in t}
    assert drills
    assert all("到此为止" in t for t in drills)
    assert texts - drills
    where = "notice IN (SELECT id FROM notice WHERE stream = 'incident-0')"
    assert count(where) == count(f"{where} AND state = {State.WITHDRAWN}") > 0
    whole(database)


def test_what_waits_in_a_lane_that_is_configured_no_more_leaves_by_another_or_is_told(database):
    """Persons and lists, also lists that are not fanned out yet; nothing waits in silence."""

    async def night(accepts):
        old = Way("old", accepts=("test",))
        async with running(database, old) as house:
            house.lanes[0].held = True
            await issued(house)
        waiting = count("state = 0")
        new = Way("new", accepts=accepts)
        async with running(database, new) as house:
            await until(lambda: not count("state = 0"))
            await house.writer.settle()
        return old.sent, len(new.sent), waiting

    old, new, waiting = asyncio.run(night(("actual",)))
    assert (old, new) == ([], 0)
    assert count(f"state = {State.REFUSED} AND code = 'no-lane'") >= waiting > 0
    assert ask("SELECT count(*) FROM ledger WHERE kind = 'exhausted'")[0][0] > 0


def test_a_gateway_whose_series_changed_takes_nothing_that_waited_for_it(database):
    """The lane keeps its name; what it may not send any more goes to the one that may."""

    async def night():
        async with running(database, Way("one", accepts=("test",))) as house:
            house.lanes[0].held = True
            await issued(house)
        one, two = Way("one", accepts=("actual", "exercise")), Way("two", accepts=("test",))
        async with running(database, one, two):
            await until(done)
        return one.sent, two.ids()

    one, two = asyncio.run(night())
    assert one == []
    assert len(two) == count("state = 2") == count()


def test_what_expired_is_not_sent(database):
    async def night():
        way, clock = Way(), Jumping(NIGHT)
        async with running(database, way, clock=clock) as house:
            house.lanes[0].held = True
            await issued(house, expires=NOW_AND_10)
            clock.jump(NIGHT + 10 * MINUTE)
            house.lanes[0].held = False
            house.lanes[0].wake()
            await until(lambda: not count("state = 0 AND notice = 1"))
        return way

    sent = {h.id for _, h in asyncio.run(night()).sent}
    late = {id_ for (id_,) in ask("SELECT id FROM delivery WHERE notice = 1")}
    assert late
    assert not sent & late
    assert count(f"notice = 1 AND state = {State.EXPIRED} AND code = 'expired'") == len(late)


NOW_AND_10 = NIGHT + 10 * MINUTE


def test_a_held_lane_sends_nothing_and_its_rows_still_expire(database):
    async def night():
        way, clock = Way(), Jumping(NIGHT)
        async with running(database, way, clock=clock) as house:
            house.lanes[0].held = True
            await issued(house, expires=NOW_AND_10)
            await asyncio.sleep(0.7)
            assert count("lease <> 0") == 0
            clock.jump(NOW_AND_10)
            house.writer.due()
            await house.writer.settle()
            await until(lambda: not count("state = 0 AND notice = 1"))
        return way

    assert asyncio.run(night()).sent == []


def test_put_off_rows_go_on_with_growing_pauses_until_the_warning_expires(database):
    """Never given up before; the desk sees code and number of tries; then it ends as expired."""
    pauses = []

    async def night():
        way, clock = Way(say=lambda *_: (Outcome.RETRY, "ESME_RMSGQFUL")), Jumping(NIGHT)
        async with running(database, way, clock=clock) as house:
            await issued(house, expires=NIGHT + 60 * MINUTE)
            await until(lambda: not house.lanes[0].busy)
            for _ in range(6):
                now = clock.now()
                (due,) = {r for (r,) in ask("SELECT run_at FROM delivery WHERE notice = 1 AND state = 0")}
                pauses.append((due - now) // SECOND)
                await minutes(house, 1, due - now)
            await minutes(house, 20)
            assert {s for (s,) in ask("SELECT DISTINCT state FROM delivery WHERE notice = 1")} == {0}
            (worst,) = ask("SELECT min(attempts), min(code) FROM delivery WHERE notice = 1")
            assert worst[0] > 20
            assert worst[1] == "ESME_RMSGQFUL"
            await minutes(house, 40)
        return way

    asyncio.run(night())
    assert pauses == [5, 15, 30, 60, 60, 60]
    assert count(f"notice = 1 AND state = {State.EXPIRED}") == count("notice = 1") > 0
    assert len(ask("SELECT 1 FROM ledger WHERE kind = 'exhausted'")) > 0, "then a person has to see to it"


def test_throttled_rows_wait_briefly_and_leave(database):
    tries: dict[int, int] = {}

    def busy(handover, index):
        tries[handover.id] = tries.get(handover.id, 0) + (index == 0)
        return Outcome.THROTTLED if tries[handover.id] <= 2 else Outcome.ACCEPTED

    async def night():
        way, clock = Way(say=busy), Jumping(NIGHT)
        async with running(database, way, clock=clock) as house:
            await issued(house)
            await until(lambda: not house.lanes[0].busy)
            assert {c for (c,) in ask("SELECT DISTINCT code FROM delivery")} == {"throttled"}
            await minutes(house, 1, SECOND)
            assert count("state = 2") == 0
            await minutes(house, 1, 2 * SECOND)
            await until(done)

    asyncio.run(night())
    assert count("state = 2 AND attempts = 3 AND doubtful = 0") == count()


@pytest.mark.parametrize("level", ["red", "blue"])
def test_doubt_is_marked_and_sent_again_or_closed(database, level, monkeypatch):
    monkeypatch.setattr(send, "PROBE", 0.0)
    seen: set[int] = set()

    def silent(handover, index):
        first = handover.id not in seen
        if index == handover.parts[-1][0]:
            seen.add(handover.id)
        return (Outcome.UNKNOWN, "no answer") if first else Outcome.ACCEPTED

    async def night():
        way = Way(say=silent)
        async with running(database, way) as house:
            await issued(house, level=level)
            await until(lambda: not house.lanes[0].busy)
            await minutes(house, 1)
            await until(done)

    asyncio.run(night())
    assert count("responsible = 1 AND state = 2 AND doubtful = 1 AND attempts = 2") == count(
        "responsible = 1"
    )
    ends = {s for (s,) in ask("SELECT DISTINCT state FROM delivery WHERE responsible = 0")}
    assert ends <= {State.HANDED_OVER if level == "red" else State.UNKNOWN}


def test_a_gateway_that_takes_everything_and_answers_nothing_wakes_nobody_every_minute(database, monkeypatch):
    """One row at a time, each wait twice as long; loud at the desk; when it answers again, all within a minute."""
    monkeypatch.setattr(send, "PROBE", 0.0)
    alarms, tries = [], []

    async def night():
        way, clock = Way(say=lambda *_: (Outcome.UNKNOWN, "no answer")), Jumping(NIGHT)
        async with running(database, way, clock=clock) as house:
            house.writer.alarm.append(alarms.append)
            await issued(house, level="blue")
            lane = house.lanes[0]
            await until(lambda: not lane.busy)
            assert lane.pulse.state == "silent"
            (said,) = (await asyncio.to_thread(house.health)).values()
            assert (said.up, said.code) == (False, "R034")
            ids = {id_ for (id_,) in ask("SELECT min(id) FROM delivery WHERE responsible = 1")}
            for _ in range(33):
                seen = len(way.sent)
                await minutes(house, 1)
                tries.extend((clock.now() - NIGHT) // MINUTE for _, h in way.sent[seen:] if h.id in ids)
            way.say = lambda *_: Outcome.ACCEPTED
            await issued(house, name="other", stream="incident-2", hazard="gale")  # shows that it answers
            await minutes(house, 1)
            assert lane.pulse.state == "well"
            assert (await asyncio.to_thread(house.health))["sms_1"].up

    asyncio.run(night())
    assert tries == [1, 3, 7, 15, 31]
    assert [a.code for a in alarms] == ["R034"]
    assert count("state = 0") == 0
    assert count("doubtful = 6 AND state = 2") > 0


def test_what_waits_in_a_dead_lane_leaves_by_another_of_its_channel(database, monkeypatch):
    monkeypatch.setattr(failover, "LOOK", 0.05)
    monkeypatch.setattr(pulse, "PATIENCE", 0.2)
    monkeypatch.setattr(send, "PROBE", 0.05)
    monkeypatch.setattr(send, "GLANCE", 0.05)

    async def night():
        one, two = Way("one", say=offline), Way("two")
        post, drill = Way("post"), Way("drill", accepts=("exercise",))
        post.channel = "email"
        async with running(database, one, post, drill, two) as house:
            await issued(house)
            await until(done)
            said = await asyncio.to_thread(house.health)
            assert "two" in said["one"].text
            one.say = lambda *_: Outcome.ACCEPTED
            await until(lambda: not house.lanes[0].dead)
            await issued(house, 2)
            await until(lambda: house.lanes[0].relief == "" and done())
        return post, drill, two

    post, drill, two = asyncio.run(night())
    assert (post.sent, drill.sent) == ([], [])
    assert len(two.ids()) == len(set(two.ids())) == count("lane = 'two' AND state = 2 AND doubtful = 0") > 50
    assert count("lane = 'one' AND state = 2") > 0


def test_nothing_moves_out_of_a_held_lane_or_into_one(database, monkeypatch):
    monkeypatch.setattr(failover, "LOOK", 0.02)
    monkeypatch.setattr(pulse, "PATIENCE", 0.0)
    monkeypatch.setattr(send, "PROBE", 0.02)

    async def night():
        one, two = Way("one", say=offline), Way("two")
        async with running(database, one, two) as house:
            house.lanes[1].held = True
            await issued(house)
            await until(lambda: house.lanes[0].dead)
            await asyncio.sleep(0.2)
            assert count("lane = 'one' AND state = 0") == count()
            house.lanes[0].held, house.lanes[1].held = True, False
            await asyncio.sleep(0.2)
            assert count("lane = 'one' AND state = 0") == count()
        return two

    assert asyncio.run(night()).sent == []


def test_only_missing_parts_are_sent_again(database):
    seen: set[int] = set()

    def half(handover, index):
        first = handover.id not in seen
        if index == handover.parts[-1][0]:
            seen.add(handover.id)
        return Outcome.RETRY if first and index else Outcome.ACCEPTED

    async def night():
        way = Way(say=half)
        async with running(database, way) as house:
            await issued(house)
            await until(lambda: not house.lanes[0].busy)
            await minutes(house, 1, 5 * SECOND)
            await until(done)
        return way

    way = asyncio.run(night())
    long = dict(ask("SELECT id, parts FROM delivery WHERE parts > 1"))
    assert long
    for id_, parts in long.items():
        tries = [[i for i, _, _ in h.parts] for _, h in way.sent if h.id == id_]
        assert tries == [list(range(parts)), list(range(1, parts))]
    assert ask("SELECT count(*) FROM part")[0][0] == ask("SELECT sum(parts) FROM delivery")[0][0]


def test_what_never_reached_the_wire_does_not_count_and_waits_for_the_line(database, monkeypatch):
    """Not connected: one row is tried each second, the others stay untouched; a person is told; then all leave."""
    monkeypatch.setattr(send, "PROBE", 0.05)
    monkeypatch.setattr(pulse, "PATIENCE", 0.3)
    alarms = []

    async def night():
        way = Way(say=offline)
        async with running(database, way) as house:
            house.writer.alarm.append(alarms.append)
            await issued(house)
            await until(lambda: way.batches >= 30)
            assert len(way.sent) <= send.FIRST * send.UNDER_WAY + way.batches
            assert count("attempts > 1") == 0  # one may be with the gateway right now
            assert count("attempts = 1") <= 1
            assert count("code = 'not connected'") > 0
            assert house.lanes[0].pulse.down
            way.say, way.sent[:] = (lambda *_: Outcome.ACCEPTED), []
            await until(done)
            assert not house.lanes[0].pulse.down
        return way

    way = asyncio.run(night())
    assert len(way.ids()) == len(set(way.ids())) == count("state = 2 AND attempts = 1") == count()
    assert [a.code for a in alarms] == ["R031"]
    assert "[R031]" in alarms[0].text


def test_a_wrong_account_is_told_at_once_and_keeps_its_rows(database, monkeypatch):
    monkeypatch.setattr(send, "PROBE", 0.05)
    alarms = []

    async def night():
        way = Way(say=lambda *_: (Outcome.REFUSED_CONFIG, "login refused"))
        async with running(database, way) as house:
            house.writer.alarm.append(alarms.append)
            await issued(house)
            await until(lambda: way.batches >= 10)

    asyncio.run(night())
    assert [a.code for a in alarms] == ["R032"]
    assert count("state = 0 AND attempts = 0") == count()


def test_a_slow_gateway_keeps_its_lease_and_gets_small_batches(database, monkeypatch):
    monkeypatch.setattr(send, "LEASE", 600_000)
    clock = Jumping(NIGHT)

    async def night():
        way = Way()
        way.rate = 60.0
        async with running(database, way, clock=clock) as house:
            await issued(house)
            until_ = asyncio.get_running_loop().time() + 3
            while asyncio.get_running_loop().time() < until_:
                await asyncio.sleep(0.05)
                clock.jump(clock.now() + 50_000)  # as the time that passes
            limit = house.lanes[0]._limit
        return way, limit

    way, limit = asyncio.run(night())
    assert len(way.ids()) == len(set(way.ids())), "nothing was taken for lost while the gateway was at it"
    assert count("doubtful = 1") == 0
    assert limit < send.FIRST


def test_a_gateway_that_never_answers_leaves_its_rows_in_doubt(database, monkeypatch):
    monkeypatch.setattr(send, "LEASE", 300_000)
    monkeypatch.setattr(send, "WINDOW", 500_000)

    async def night():
        way = Way()
        way.dead = True
        async with running(database, way) as house:
            await issued(house)
            await until(lambda: count("doubtful = 1") >= send.FIRST)
            way.dead = False
            for _ in range(3):  # what hung when it came back is in doubt a little later
                await until(lambda: not house.lanes[0]._batches)
                await minutes(house, 1)
            await until(done)

    asyncio.run(night())
    assert count("state = 2") == count()


def test_a_database_that_cannot_write_loses_no_result_and_stops_no_lane(database):
    async def night():
        way = Way()
        async with running(database, way) as house:
            writer, failing = house.writer, {"lease": 2, "post_results": 2}

            def faulty(name):
                real = getattr(writer, name)

                def call(*args, **more):
                    if not failing[name]:
                        return real(*args, **more)
                    failing[name] -= 1
                    future = Pending()
                    future.set_exception(Unwritten("磁盘已满[R011]"))
                    return future

                return call

            for name in failing:
                setattr(writer, name, faulty(name))
            await issued(house)
            await until(done)
        return way

    way = asyncio.run(night())
    assert len(way.ids()) == len(set(way.ids())) == count("state = 2") == count()
