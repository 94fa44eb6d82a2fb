"""A clause's duty becomes a frozen plan: spans in µs, offsets as gaps."""

import msgspec
import pytest

from fengsui.core import plans
from fengsui.core.calendar import DAY, HOUR, MINUTE
from fengsui.core.facts import PlanStep
from tests.core.worlds import at, yunzhou


def duty(clause, name):
    return next(d for d in yunzhou().clauses[clause].duty if d.name == name)


def plan(clause, name, level="red", version=1):
    return plans.plan(duty(clause, name), yunzhou(), level, at=at("02:13"), version=version)


@pytest.mark.parametrize(
    ("level", "within", "latest"),
    [("red", 15, 10), ("orange", 30, 15), ("yellow", 60, 30), ("blue", 120, 60)],
)
def test_terms_are_those_of_the_level(level, within, latest):
    p = plan("2.4.1", "relay", level)

    assert (p.within, p.latest) == (within * MINUTE, latest * MINUTE)


def test_offsets_become_gaps_between_steps():
    p = plan("2.4.1", "acknowledge")

    assert [(s.do, s.gap // MINUTE) for s in p.steps] == [
        ("remind", 3), ("deputy", 2), ("superior", 3), ("desk", 2), ("visit", 5), ("supervise", 10), ("remind", 5)]  # fmt: skip
    assert (p.ladder, p.again, p.latest) == ("opening", 5 * MINUTE, -1)


def test_only_red_repeats():
    assert [plan("2.4.1", "acknowledge", level).again for level in ("blue", "yellow", "orange")] == [0, 0, 0]


def test_the_first_step_is_counted_from_opening_or_deadline():
    assert plans.first(plan("2.4.1", "acknowledge"), 100, 999) == 100 + 3 * MINUTE
    assert plans.first(plan("2.4.1", "relay"), 100, 999) == 999


def test_the_next_step_is_counted_from_the_last_and_the_last_repeats_or_is_the_end():
    p = plan("2.4.1", "acknowledge")
    urgent = plan("2.4.1", "relay")

    assert plans.coming(p, 1, 100) == 100 + 2 * MINUTE
    assert plans.coming(p, 7, 100) == plans.coming(p, 70, 100) == 100 + 5 * MINUTE
    assert plans.coming(urgent, 4, 100) is None


def test_a_duty_without_a_ladder_still_ends_in_front_of_a_person():
    bare = msgspec.structs.replace(duty("2.4.1", "relay"), ladder="")

    assert plans.plan(bare, yunzhou(), "red", at=at("02:13"), version=1).steps == (PlanStep(0, "desk"),)


def test_a_level_that_the_ladder_does_not_know_ends_there_too():
    assert plans.steps(yunzhou().ladders["call-up"], "purple") == (PlanStep(0, "desk"),)


def test_workdays_are_counted_when_the_duty_opens():
    assert plan("2.3.b", "correct", "").within == DAY  # a Wednesday
    friday = plans.plan(duty("2.3.b", "correct"), yunzhou(), "", at=at("02:13") + 2 * DAY, version=0)
    assert friday.within == 3 * DAY
    assert plan("2.4.1", "measures").every == 2 * HOUR
