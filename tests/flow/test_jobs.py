"""Slow work: done in its turn by a program of the lowest priority, remembered by its key, never in the way of the house."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import msgspec
import pytest

from fengsui.flow import jobs as module
from fengsui.flow.jobs import LOWEST, MOST, Failed, Job, Jobs
from fengsui.formats import pdf

PRINT = "fengsui.formats.pdf"
SEAL = pdf.Seal(seq=1, hash="0" * 64, at=1_815_761_580_000_000, zone="Asia/Shanghai")
HANDS = 30.0


def order(rows: int = 1, name: str = "甲") -> bytes:
    row = pdf.CallRow(unit="聚乐乡", post="值班员", people=(pdf.Callee("本人", name, ("10000000001",)),))
    sheet = pdf.CallSheet(office="云州区气象台", series="test", words={}, rows=(row,) * rows, seal=SEAL)
    return msgspec.json.encode(pdf.Order(sheet))


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    made = Jobs()
    yield made
    made.stop()


def test_what_is_asked_for_twice_is_made_once(jobs: Jobs) -> None:
    first, again = (jobs.later(Job(PRINT, order(), ("p1",)), "sheet") for _ in range(2))

    assert first is again
    assert pdf.read(first.result.result(HANDS)).pdf.startswith(b"%PDF-")
    assert jobs.later(Job(PRINT, b"never read"), "sheet") is first
    assert jobs.known("sheet").job.about == ("p1",)
    assert jobs.known("another") is None


def test_what_failed_is_tried_anew_when_it_is_asked_for_anew(jobs: Jobs) -> None:
    with pytest.raises(Failed, match="R070"):
        jobs.later(Job(PRINT, b"no order at all"), "sheet").result.result(HANDS)
    assert jobs.known("sheet").result.exception()

    assert pdf.read(jobs.later(Job(PRINT, order()), "sheet").result.result(HANDS)).pdf


def test_a_program_that_says_what_is_wrong_is_heard(jobs: Jobs) -> None:
    with pytest.raises(Failed, match="R070"):
        jobs.later(Job("fengsui.nothing", b""), "sheet").result.result(HANDS)

    with pytest.raises(Failed, match="usage"):
        jobs.later(Job("fengsui", b""), "cli").result.result(HANDS)


def test_what_takes_too_long_is_given_up_and_the_next_is_done() -> None:
    jobs = Jobs(longest=1.0)
    try:
        slow = jobs.later(Job(PRINT, order(3000)), "slow")
        quick = jobs.later(Job(PRINT, order()), "quick")

        with pytest.raises(Failed, match="R072"):
            slow.result.result(HANDS)
        assert quick.result.result(HANDS)
    finally:
        jobs.stop()


def test_jobs_are_done_in_turn_and_say_how_many_are_before_them(jobs: Jobs) -> None:
    tasks = [jobs.later(Job(PRINT, order(n + 1)), f"sheet {n}") for n in range(4)]

    assert 2 <= jobs.ahead(tasks[3]) <= 3
    tasks[3].result.result(HANDS)
    assert all(t.result.done() for t in tasks)
    assert jobs.ahead(tasks[3]) == 0


def test_a_queue_is_not_endless(jobs: Jobs) -> None:
    tasks = [jobs.later(Job(PRINT, order()), f"sheet {n}") for n in range(MOST + 2)]

    with pytest.raises(Failed, match="R071"):
        tasks[-1].result.result(0)
    assert all(jobs.known(t.key) is t for t in tasks), "what still waits is not forgotten"


def test_of_what_is_over_the_oldest_is_forgotten(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 2)
    for n in range(4):
        jobs.later(Job(PRINT, order()), f"sheet {n}").result.result(HANDS)

    assert [n for n in range(4) if jobs.known(f"sheet {n}")] == [2, 3]


def test_the_program_yields_to_everybody(jobs: Jobs) -> None:
    task = jobs.later(Job(PRINT, order(600)), "long")

    seen = set()
    while not task.result.done():
        if (child := jobs._child) is not None:
            seen.add(_priority(child.pid))
        time.sleep(0.005)

    assert LOWEST in seen
    assert os.getpriority(os.PRIO_PROCESS, 0) < LOWEST


def _priority(pid: int) -> int | None:
    try:
        return os.getpriority(os.PRIO_PROCESS, pid)
    except ProcessLookupError:
        return None


def test_stopping_waits_for_nothing() -> None:
    jobs = Jobs()
    tasks = [jobs.later(Job(PRINT, order(3000)), f"sheet {n}") for n in range(3)]
    while jobs._child is None:
        time.sleep(0.001)
    child = jobs._child

    began = time.monotonic()
    jobs.stop()

    assert time.monotonic() - began < 1.0
    assert child.poll() is not None
    for task in tasks:
        with pytest.raises(Failed):
            task.result.result(0)
    assert not any(t.name == "jobs" and t.is_alive() for t in threading.enumerate())
