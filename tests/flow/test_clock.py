"""The clock follows small corrections, never goes back by itself, and asks a person about anything else."""

from __future__ import annotations

import asyncio

import pytest

from fengsui.flow.clock import SECOND, STEP, Clock, Jumping, database_wall
from fengsui.store.sql import Session

START = 1_772_000_000 * SECOND


class Hands:
    """A wall clock and a monotonic one that tests set."""

    def __init__(self):
        self.at, self.run = START, 5

    def go(self, span, step=0):
        self.at += span + step
        self.run += span

    def clock(self, last=0):
        return Clock(last, wall=lambda: self.at, steady=lambda: self.run)


@pytest.mark.parametrize("step", [0, 3 * SECOND, STEP - SECOND])
def test_small_corrections_are_followed(step):
    hands = Hands()
    clock = hands.clock()
    hands.go(10 * SECOND, step)

    assert (clock.now(), clock.alarm) == (hands.at, None)


def test_a_small_correction_back_never_turns_time_back():
    hands = Hands()
    clock = hands.clock()
    hands.go(30 * SECOND)
    before = clock.now()
    hands.go(SECOND, -20 * SECOND)

    assert clock.now() == before
    hands.go(30 * SECOND)
    assert (clock.now(), clock.alarm) == (hands.at, None)


@pytest.mark.parametrize("step", [-3600 * SECOND, STEP + SECOND, 3600 * SECOND])
def test_a_step_is_an_alarm_and_is_followed_when_confirmed(step):
    hands = Hands()
    clock = hands.clock()
    hands.go(SECOND, step)

    assert clock.now() == START + SECOND
    assert clock.alarm is not None
    assert clock.alarm.code == "R001"
    hands.go(5 * SECOND)
    assert clock.now() == START + 6 * SECOND

    clock.confirm()
    assert (clock.now(), clock.alarm) == (hands.at, None)


def test_an_alarm_ends_when_the_wall_clock_comes_back():
    hands = Hands()
    clock = hands.clock()
    hands.go(SECOND, 3600 * SECOND)
    clock.now()
    hands.go(SECOND, -3600 * SECOND)

    assert (clock.now(), clock.alarm) == (hands.at, None)


@pytest.mark.parametrize("early", [10 * SECOND, 7200 * SECOND])
def test_a_start_before_the_last_fact_is_an_alarm(early):
    hands = Hands()
    clock = hands.clock(last=START + early)

    assert clock.now() == START + early
    assert clock.alarm is not None
    hands.go(SECOND)
    assert clock.now() == START + early + SECOND


def test_a_jumping_clock_wakes_sleepers_in_order():
    async def night():
        clock, woken = Jumping(START), []

        async def sleep(span):
            await clock.sleep_until(START + span)
            woken.append(span)

        tasks = [asyncio.create_task(sleep(n)) for n in (30, 10, 20)]
        await asyncio.sleep(0)
        assert clock.next == START + 10
        clock.jump(START + 20)
        await asyncio.sleep(0.01)
        assert woken == [10, 20]
        clock.jump(START + 30)
        await asyncio.gather(*tasks)
        with pytest.raises(ValueError, match="R002"):
            clock.jump(START)

    asyncio.run(night())


def test_the_databases_time_is_asked_for(database):
    session = Session()
    wall = database_wall(session)
    session.close()

    assert abs(wall() - Clock().now()) < 5 * SECOND
