"""演练报告 Drill report: who answered when and what was missed — from facts alone, by post and unit, never by name. Pure.

The same for real people and for invented ones: any facts, in ledger order, of one drill.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from fengsui.core import tally
from fengsui.core.calendar import MINUTE
from fengsui.core.facts import (
    Alerted,
    DrillSet,
    DutyEnded,
    DutyOpened,
    Exhausted,
    Fact,
    Notified,
    Reached,
    StepTaken,
    UnitReceived,
)
from fengsui.core.mind import fold
from fengsui.core.state import Share, State

MARKS = (1, 3, 5, 10, 15)
"""Minutes after issue at which the share of answers is told."""
How = Literal["late", "supervised", "never"]


class Answer(msgspec.Struct, frozen=True):
    """A post that owed an answer: asked and answered when (UTC µs; answered None = never)."""

    post: str
    asked: int
    answered: int | None = None

    @property
    def minutes(self) -> int | None:
        """Whole minutes from being asked to answering, begun ones counted."""
        return None if self.answered is None else -(-(self.answered - self.asked) // MINUTE)


class Miss(msgspec.Struct, frozen=True):
    """A duty that was not done by its deadline. late: done after it, ``minutes`` too late; supervised: only chased; never."""

    holder: str
    key: str
    clause: str
    deadline: int
    how: How
    minutes: int = 0


class Report(msgspec.Struct, frozen=True):
    """What a drill came to. issued: its first warning (0 = none); ended: its end or the last fact (UTC µs).

    shares: minutes after issue → share of the posts asked first that had answered, 0 to 1. reached: first and last
    moment at which a message got to a person, after issue. told, unreached: persons.
    """

    scenario: str
    issued: int
    ended: int
    versions: int
    told: int
    unreached: int
    reached: tuple[int, int] | None
    shares: dict[int, float]
    answers: tuple[Answer, ...]
    misses: tuple[Miss, ...]
    clauses: dict[str, tally.Counts]

    @property
    def answered(self) -> int:
        """How many posts have answered."""
        return sum(a.answered is not None for a in self.answers)


def within(facts: Iterable[Fact], drill: str) -> list[Fact]:
    """Of any facts those of a drill of real people: its own, and of the incidents played in it."""
    known = tuple(facts)
    streams = {drill, *(f.stream for f in known if isinstance(f, Alerted) and f.drill == drill)}
    return [f for f in known if f.stream in streams]


def report(facts: Sequence[Fact]) -> Report:
    """A drill's facts, counted."""
    issued = next((f.at for f in facts if isinstance(f, Alerted)), 0)
    stop = next((f.at for f in facts if isinstance(f, DrillSet) and f.state == "stopped"), 0)
    ended = stop or max((f.at for f in facts), default=0)
    answers = _answers(facts)
    got = [f.at for f in facts if isinstance(f, Reached) and f.at >= issued > 0 and f.state != "handed_over"]
    lost = {f.person for f in facts if isinstance(f, Exhausted)} - {
        f.person for f in facts if isinstance(f, Reached)
    }
    return Report(
        scenario=next((f.scenario for f in facts if isinstance(f, DrillSet) and f.scenario), ""),
        issued=issued,
        ended=ended,
        versions=sum(isinstance(f, Alerted) for f in facts),
        told=len({r.person for f in facts if isinstance(f, Notified) for r in f.recipients}),
        unreached=len(lost),
        reached=(min(got), max(got)) if got else None,
        shares=_shares(answers, issued),
        answers=answers,
        misses=tuple(sorted(_misses(facts, ended), key=lambda m: (m.clause, m.deadline, m.holder))),
        clauses=tally.count(facts),
    )


def _answers(facts: Sequence[Fact]) -> tuple[Answer, ...]:
    """Each post that was asked, from the first time on, to the first answer."""
    found: dict[tuple[str, str], Answer] = {}
    for fact in facts:
        match fact:
            case DutyOpened() if "acknowledged" in fact.plan.evidence:
                for post in fact.holders:
                    found.setdefault((fact.stream, post), Answer(post, fact.at))
            case DutyEnded(how="done", evidence="acknowledged"):
                for post in fact.holders:
                    asked = found.get((fact.stream, post))
                    if asked and asked.answered is None:
                        found[fact.stream, post] = msgspec.structs.replace(asked, answered=fact.at)
    return tuple(sorted(found.values(), key=lambda a: (a.answered is None, a.answered or 0, a.post)))


def _shares(answers: Sequence[Answer], issued: int) -> dict[int, float]:
    first = [a for a in answers if a.asked == issued]
    return {
        mark: round(sum(a.answered is not None and a.answered <= issued + mark * MINUTE for a in first) / len(first), 4)
        for mark in (MARKS if first else ())
    }  # fmt: skip


def _misses(facts: Iterable[Fact], ended: int) -> Iterator[Miss]:
    """Duties past their deadline, each once: of a share that a newer warning replaced the newer one."""
    states: dict[str, State] = {}
    for fact in facts:
        if isinstance(fact, DutyOpened | DutyEnded | StepTaken | UnitReceived):
            state = states.get(fact.stream) or State.blank(fact.stream)
            if isinstance(fact, DutyOpened) and fact.key in state.duties:
                shares = state.duties[fact.key].shares
                yield from (
                    m
                    for h in fact.holders
                    if h in shares and (m := _missed(shares[h], fact.key, h, fact.clause))
                )
            states[fact.stream] = fold(state, fact)
    for state in states.values():
        for key, duty in state.duties.items():
            for holder, share in duty.shares.items():
                if missed := _missed(share, key, holder, duty.clause, ended):
                    yield missed


def _missed(share: Share, key: str, holder: str, clause: str, ended: int = 0) -> Miss | None:
    """How a share was missed; None if it was not, or (ended 0: it is about to be replaced) if it goes on."""
    over = share.ended if share.ended is not None else ended
    if over <= share.deadline:
        return None
    if share.how == "done":
        return Miss(holder, key, clause, share.deadline, "late", -(-(over - share.deadline) // MINUTE))
    return Miss(holder, key, clause, share.deadline, "supervised" if share.supervised else "never")
