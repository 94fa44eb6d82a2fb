"""Drills of real people: only who takes part is told, chased or owes; nothing of it outlives it, and nothing of it is live."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fengsui.core import drill, tally
from fengsui.core.calendar import HOUR, MINUTE
from fengsui.core.facts import Alerted, DutyEnded, DutyOpened, Notified, Reached, StepTaken
from fengsui.core.state import Refusal
from tests.core.worlds import DRILL, FENGYU, JULE, District, a_drill, a_population, an_alert, at, code

UNITS = ("聚乐乡", "峰峪乡", "water", "media", "emergency", "meteorology", "headquarters_office")


def played(level="red", *zones, version=1, **more):
    return an_alert(level, *zones, version=version, **{"series": "exercise", "drill": DRILL} | more)


def units_of(person, d):
    """The person's own unit, and those whose posts he holds or stands in for."""
    held = {p.unit for p in d.directory.posts.values() if person in (p.holder, p.deputy)}
    return {d.directory.persons[person].unit, *held}


TURNS = st.lists(
    st.tuples(st.sampled_from(["red", "orange", "", "answer", "stop"]), st.integers(0, 90)), max_size=6
)


@settings(max_examples=40, deadline=None)
@given(st.sets(st.sampled_from(UNITS), min_size=1), TURNS)
def test_whatever_happens_in_a_drill_nobody_but_its_participants_is_told_and_its_end_ends_everything(
    units, turns
):
    d, now, version = District(a_population()).drilled(*sorted(units)), at("02:13"), 0
    for what, minutes in (*turns, ("stop", 1)):
        now += minutes * MINUTE
        d.wait(now)
        if what == "stop":
            d.post(a_drill("stopped", time="02:00", at=now))
        elif what == "answer":
            for person in list(d.told()):
                d.post(Reached("incident-1", now, person, "", "sms", "acknowledged", version))
        elif isinstance(d.post(played(what, version=version + 1, at=now, expires=now + 6 * HOUR)), list):
            version += 1
    d.wait(now + 30 * HOUR)

    told = [f for f in d.facts if isinstance(f, Notified)]
    assert not [f.lists for f in told if f.lists]
    assert all(units_of(r.person, d) & units for f in told for r in f.recipients)
    assert {f.stream for f in d.facts if isinstance(f, DutyOpened)} <= {"incident-1"}
    assert all(h.split("/")[0] in units for f in d.facts if isinstance(f, DutyOpened) for h in f.holders)
    assert not [f for f in d.facts if isinstance(f, StepTaken | DutyOpened) and f.at > now]
    state = d.streams.get("incident-1")
    assert state is None or state.closed
    assert [
        s for x in d.streams.values() for y in x.duties.values() for s in y.shares.values() if s.open
    ] == []


def test_the_end_is_told_to_exactly_those_who_were_told_anything():
    d = District(a_population()).drilled("聚乐乡", "meteorology")
    d.post(played())
    d.wait(at("03:00"))
    before = set(d.told())

    d.post(a_drill("stopped", time="03:00"))

    (end,) = [f for f in d.facts if isinstance(f, Notified) and f.template == "drill_stopped"]
    assert {r.person for r in end.recipients} == before
    assert {f.how for f in d.facts if isinstance(f, DutyEnded) and f.at == at("03:00")} == {"cancelled"}
    counts = tally.count(f for f in d.facts if f.stream == "incident-1")
    assert not [c for c, n in counts.items() if n.waiting]


@pytest.mark.parametrize(
    ("fact", "refused"),
    [
        (a_drill(by="聚乐乡-leader"), "E09"),
        (a_drill(by="nobody"), "E09"),
        (a_drill(scenario="flood"), "E03"),
        (a_drill("announced", "nowhere"), "E04"),
        (a_drill(areas=("999",)), "E05"),
        (a_drill(begins=at("01:00")), "E06"),
        (a_drill("started"), "E08"),
        (a_drill("stopped"), "E08"),
    ],
)
def test_a_drill_that_can_not_be_is_refused(fact, refused):
    d = District(a_population()).drilled("聚乐乡")
    d.post(a_drill("stopped", time="02:01"))

    fact = type(fact)(
        **{f: getattr(fact, f) for f in fact.__struct_fields__} | {"stream": "drill-20270721-2"}
    )

    assert code(d.post(fact)) == (refused, False)


def test_a_stream_keeps_its_series_and_only_a_drills_warning_names_one():
    d = District(a_population()).drilled()
    d.post(an_alert("red", JULE, stream="real", series="actual"))

    assert (
        code(d.post(an_alert("red", JULE, stream="real", version=2, series="exercise", drill=DRILL)))[0]
        == "E10"
    )
    assert code(d.post(an_alert("red", FENGYU, stream="other", series="actual", drill=DRILL)))[0] == "E11"
    d.post(played())
    assert code(d.post(played(version=2, series="actual")))[0] == "E10"


def test_a_live_warning_during_a_drill_tells_whom_it_would_tell_without_one():
    alone, beside = District(a_population()), District(a_population()).drilled("聚乐乡")
    alone.directory = beside.directory
    beside.post(played())
    live = an_alert(stream="real", series="actual", time="02:20")
    one, two = alone.post(live), beside.post(live)

    def told(facts):
        return [f for f in facts if isinstance(f, Notified | DutyOpened | Alerted)]

    assert told(one) == told(two)
    assert any(f.lists for f in told(two) if isinstance(f, Notified))


def test_a_second_drill_waits_for_the_first():
    d = District(a_population()).drilled("聚乐乡")
    second = a_drill(stream="drill-20270721-2", time="02:05")

    assert code(d.post(second)) == ("E02", False)
    d.post(a_drill("stopped", time="02:06"))
    assert drill.under_way(d.world) == ""
    assert not isinstance(d.post(a_drill(stream="drill-20270721-2", time="02:07")), Refusal)
