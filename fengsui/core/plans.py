"""计划 Plans: a clause's duty and a moment become the frozen plan that a DutyOpened carries."""

from __future__ import annotations

from fengsui.core import calendar
from fengsui.core.clauses import By, Duty, Ladder, Pack, choose, pick
from fengsui.core.facts import Plan, PlanStep
from fengsui.core.state import Share

AT_DESK = (PlanStep(0, "desk"),)
"""A duty without a ladder still ends in front of a person: at its deadline it becomes a task at the desk."""


def plan(duty: Duty, pack: Pack, level: str, *, at: int, version: int) -> Plan:
    """The plan of a duty opened at a moment, for a warning's level or a response's grade ("" = neither)."""
    ladder = pack.ladders.get(duty.ladder)
    return Plan(
        within=_span(duty.within, level, at, pack),
        latest=_span(duty.latest, level, at, pack) if duty.origin == "reception" else -1,
        every=_span(duty.every, level, at, pack),
        evidence=duty.evidence,
        steps=steps(ladder, level) if ladder else AT_DESK,
        ladder=ladder.origin if ladder else "deadline",
        again=_span(ladder.again, level, at, pack) if ladder else 0,
        haste=duty.haste,
        cancel=duty.cancel,
        version=version,
        use=duty.use,
    )


def steps(ladder: Ladder, level: str) -> tuple[PlanStep, ...]:
    """A ladder's steps for a level: offsets of the pack become gaps between steps really taken."""
    gaps: list[PlanStep] = []
    before = 0
    for step in choose(ladder.steps, level):
        offset = calendar.span(step.at)
        gaps.append(PlanStep(offset - before, step.do, step.channels))
        before = offset
    return tuple(gaps) or AT_DESK


def _span(table: By | str, key: str, at: int, pack: Pack) -> int:
    text = pick(table, key)
    return calendar.later(at, text, pack.zone, pack.almanac) - at if text else 0


def share(plan: Plan, *, opened: int, deadline: int) -> Share:
    """A fresh share: its first step is counted from opening or deadline, as the ladder says."""
    return Share(plan=plan, opened=opened, deadline=deadline, next_at=first(plan, opened, deadline))


def first(plan: Plan, opened: int, deadline: int) -> int:
    """When the first step of a ladder is due."""
    return (opened if plan.ladder == "opening" else deadline) + plan.steps[0].gap


def coming(plan: Plan, step: int, at: int) -> int | None:
    """When the next step is due after ``step`` steps, the last of them taken at ``at``; None: the ladder is over."""
    if step < len(plan.steps):
        return at + plan.steps[step].gap
    return at + plan.again if plan.again else None
