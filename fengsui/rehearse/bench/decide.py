"""研判量测 Decide bench: what one warning and one answer cost the writer, after a thousand facts and after N.

The ledger is filled through the mind with incidents that are over: response levels set, raised, lowered, ended, the
stream closed. Then warnings are issued, answered and cancelled one at a time; a figure is post to commit,
and beside it the CPU time, which other programs on the machine do not change: growth is that of the CPU time.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, NamedTuple

from fengsui.core.clauses import Pack
from fengsui.core.facts import Closed, Fact, Reached, ResponseSet
from fengsui.flow.clock import Clock
from fengsui.flow.inputs import Answer, Input, Pending
from fengsui.flow.record import Writer
from fengsui.rehearse.bench import place
from fengsui.store import history
from fengsui.store.lanes import Lane
from fengsui.store.sql import Session

RESPONSIBLE = 200
SAMPLES = 40
"""Warnings that are timed, at each size of the ledger."""
ANSWERS = 5
"""Answers that are timed, to each of them."""
BASE = 1_000
UNDER_WAY = 1_000
"""Inputs posted before the oldest is waited for."""
GRADES = ("IV", "III", "II", "I", "II", "III", "IV", "III", "")


class Span(NamedTuple):
    """Seconds of one decision: on the clock, and of CPU."""

    wall: float
    cpu: float


def bench(data: Path | None, database: str, *, ledger: int) -> dict[str, Any]:
    """One run; its figures."""
    if not BASE <= ledger <= 10_000_000:
        raise ValueError("ledger 应为 1000–10000000。[B004]")
    with place.empty(data, database) as keys:
        rules = place.pack()
        place.populate(keys, rules, responsible=RESPONSIBLE, members=0)
        lane = Lane("sms", "sms", frozenset({"test"}))
        writer = Writer(rules, Clock(), keys, lanes=(lane,))
        writer.start()
        try:
            return _measured(writer, rules, ledger)
        finally:
            writer.stop()


def _measured(writer: Writer, rules: Pack, ledger: int) -> dict[str, Any]:
    session = Session()
    _fill(writer, session, BASE)
    _timed(writer, rules, "warm")
    base = _timed(writer, rules, "base")
    _fill(writer, session, ledger)
    found = _timed(writer, rules, "full") if ledger > BASE else base
    facts, vendor = history.last_seq(session), session.vendor
    session.close()
    growth = {f"{n}_growth": round(found[f"{n}_cpu_ms"] / base[f"{n}_cpu_ms"], 2) for n in ("alert", "ack")}
    return {
        "ledger": ledger, **found, "base": {"ledger": BASE, **base}, **growth, "facts": facts,
        "rss_mb": place.rss_mb(), "database": vendor,
    }  # fmt: skip


def _fill(writer: Writer, session: Session, wanted: int) -> None:
    """Closed incidents until the ledger has this many facts."""
    number = history.last_seq(session)
    waiting: list[Pending[Answer]] = []
    while number + len(waiting) < wanted:
        stream = f"old-{number + len(waiting)}"
        for n, fact in enumerate(_incident(stream, writer.clock.now())):
            waiting.append(writer.post(Input(f"{stream}/{n}", fact)))
        if len(waiting) >= UNDER_WAY:
            _all(waiting)
            number += len(waiting)
            waiting.clear()
            if number % 50_000 < UNDER_WAY:
                place.progress(f"台账 {number}/{wanted}")
    _all(waiting)


def _incident(stream: str, at: int) -> list[Fact]:
    """Ten facts of an incident that is over."""
    facts: list[Fact] = [ResponseSet(stream, at, grade, "headquarters", place.SIGNER) for grade in GRADES]
    return [*facts, Closed(stream, at, place.SIGNER)]


def _all(waiting: list[Pending[Answer]]) -> None:
    for pending in waiting:
        if not (answer := pending.result()).ok:
            raise ValueError(f"台账未能填充：{answer.text}")


def _timed(writer: Writer, rules: Pack, name: str) -> dict[str, float]:
    """Median and p99 of warnings and of answers, ms."""
    alerts, acks = [], []
    for n in range(SAMPLES):
        stream = f"{name}-{n}"
        alerts.append(_took(writer, place.signed(rules, writer.clock.now(), stream=stream)))
        for person in range(ANSWERS):
            fact = Reached(stream, writer.clock.now(), f"p{person:07d}", "", "link", "acknowledged", 1)
            acks.append(_took(writer, Input(f"{stream}/ack/{person}", fact)))
        _took(writer, place.signed(rules, writer.clock.now(), stream=stream, version=2, level=""))
    return {**_spread("alert", alerts), **_spread("ack", acks)}


def _took(writer: Writer, one: Input) -> Span:
    """From the post to the answer, which comes after the commit."""
    began, cpu = time.perf_counter(), time.process_time()
    answer = writer.post(one).result()
    span = Span(time.perf_counter() - began, time.process_time() - cpu)
    if not answer.ok:
        raise ValueError(f"未被接受：{answer.text}")
    writer.settle().result()
    return span


def _spread(name: str, spans: list[Span]) -> dict[str, float]:
    walls, cpus = sorted(s.wall for s in spans), sorted(s.cpu for s in spans)
    return {
        f"{name}_ms": round(walls[len(walls) // 2] * 1000, 2),
        f"{name}_p99_ms": round(walls[len(walls) * 99 // 100] * 1000, 2),
        f"{name}_cpu_ms": round(cpus[len(cpus) // 2] * 1000, 2),
    }
