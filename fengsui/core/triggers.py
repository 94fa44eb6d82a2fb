"""触发 Triggers: which duties of which clauses a fact opens, for whom, at which level."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from fengsui.core import alerts
from fengsui.core.clauses import Cause, Clause, Duty, Pack, Trigger, choose
from fengsui.core.directory import Post
from fengsui.core.facts import (
    Aired,
    Alerted,
    Consulted,
    DirectoryChanged,
    Fact,
    Received,
    Reported,
    StepTaken,
    SuspensionDecided,
)
from fengsui.core.levels import Change, Level
from fengsui.core.state import State, World

FRESH = ("new", "up")
"""The changes that ask again when a trigger names none."""


class Opening(NamedTuple):
    """A duty to open. ``renews``: it replaces what is open (a newer warning does, a repeated report does not)."""

    clause: Clause
    duty: Duty
    stream: str
    holders: tuple[str, ...]
    level: str = ""
    thread: str = ""
    version: int = 0
    due: int = 0
    renews: bool = False


def openings(fact: Fact, world: World) -> Iterator[Opening]:
    """Every duty that this fact opens, in the order of clause and name."""
    match fact:
        case Alerted():
            yield from _by_warning(fact, "alert", world, fact.mode)
        case Received(binding=True):
            yield from _by_warning(fact, "received", world)
        case StepTaken():
            yield from _by_step(fact, world)
        case Consulted():
            yield from _by_consultation(fact, world)
        case SuspensionDecided():
            yield from _by_suspension(fact, world)
        case DirectoryChanged():
            yield from _by_directory(fact, world)
        case Reported():
            yield from _by_report(fact, world)
        case Aired(on=True):
            yield from _aired_late(fact, world)
        case _:
            return


def _aired_late(fact: Aired, world: World) -> Iterator[Opening]:
    """What goes on the air although the warning is over must come off, as if it had been on when it was cancelled."""
    state = world.at(fact.stream)
    if state.alert.holds or not state.alert.version:
        return
    for clause, duty, trigger in _rules("alert", world.pack):
        if "on_air" in duty.who and "gone" in trigger.change and f"off_air_{fact.form}" in duty.evidence:
            yield Opening(clause, duty, fact.stream, (fact.unit,), version=state.alert.version)


def _rules(cause: str, pack: Pack) -> tuple[tuple[Clause, Duty, Trigger], ...]:
    return pack.rules.get(cause, ())


def _by_warning(fact: Alerted | Received, cause: Cause, world: World, mode: str = "") -> Iterator[Opening]:
    """What a version of ours opens, or one of another office by what the clauses attach to its reception."""
    state = world.at(fact.stream)
    opened: set[tuple[str, str, str]] = set()
    for clause, duty, trigger in _rules(cause, world.pack):
        if trigger.hazards and fact.hazard not in trigger.hazards:
            continue
        if trigger.modes and mode not in trigger.modes:
            continue
        if trigger.spread and alerts.spread(state, world) < trigger.spread:
            continue
        for level, holders in _warned(clause, duty, trigger, state, world).items():
            fresh = tuple(h for h in holders if (clause.id, duty.name, h) not in opened)
            opened.update((clause.id, duty.name, h) for h in fresh)
            yield Opening(
                clause,
                duty,
                fact.stream,
                fresh,
                level=level,
                version=fact.version,
                due=fact.expires,
                renews=True,
            )


def _warned(
    clause: Clause, duty: Duty, trigger: Trigger, state: State, world: World
) -> dict[str, tuple[str, ...]]:
    """Level → holders, for units that the newest version touches in a way the trigger names."""
    found: dict[str, list[str]] = defaultdict(list)
    known: Changes = {}
    for unit in subjects(duty.who or clause.responsible, "", state, world.pack):
        if duty.each == "post":
            for post, change, level in posts(unit, state, world, known=known):
                if asks(trigger, change, level):
                    found[level].append(post.id)
            continue
        touched = alerts.touched(state, world.pack.units[unit])
        if touched and asks(trigger, *touched) and ("on_air" not in duty.who or _airs(duty, unit, state)):
            found[touched[1]].append(unit)
    return {level: tuple(sorted(set(holders))) for level, holders in sorted(found.items())}


def asks(trigger: Trigger, change: Change, level: Level) -> bool:
    """Whether a trigger names this change at this level."""
    return change in (trigger.change or FRESH) and (not trigger.levels or level in trigger.levels)


def _airs(duty: Duty, unit: str, state: State) -> bool:
    """Whether a unit has on the air what this duty wants taken off: a form that never aired can not come off."""
    return any(f"{unit}/{word.removeprefix('off_air_')}" in state.on_air for word in duty.evidence)


Changes = dict[str, tuple[Change, Level] | None]
"""What changed for areas already looked at: many posts share one."""


def posts(
    unit: str, state: State, world: World, *, audience: str = "responsible", known: Changes
) -> Iterator[tuple[Post, Change, Level]]:
    """Posts of a unit that the newest version concerns, each by its own area: the roles the audience names at its level.

    A post that was told a higher level is also told that it sinks.
    """
    table = world.pack.audiences[audience].roles
    for post in world.directory.unit_posts.get(unit, ()):
        if post.area not in known:
            known[post.area] = alerts.change(state.warning, post.area)
        touched = known[post.area]
        if touched is None:
            continue
        change, level = touched
        if post.role in choose(table, level) or (
            change == "down" and post.role in choose(table, state.warning.before.level(post.area) or "")
        ):
            yield post, change, level


def subjects(words: tuple[str, ...], same: str, state: State, pack: Pack) -> tuple[str, ...]:
    """Units that the words of ``who`` stand for: groups and units, or what a mechanism knows."""
    found: list[str] = []
    for word in words:
        match word:
            case "same":
                found.append(same)
            case "suspended":
                found += [u for u, s in state.suspension.items() if s.stops and not s.lifted]
            case "on_air":
                found += [place.split("/")[0] for place in state.on_air]
            case "invited":
                found += [u for c in state.consultations.values() for u in c.invited]
            case _:
                found += pack.group(word)
    return tuple(dict.fromkeys(u for u in found if u in pack.units))


def _by_step(fact: StepTaken, world: World) -> Iterator[Opening]:
    """督办: one duty for each unit among the holders, threaded by the duty that is overdue."""
    state = world.at(fact.stream)
    same = tuple(sorted({h.split("/", 1)[0] for h in fact.holders}))
    for clause, duty, trigger in _rules("step", world.pack):
        if fact.do != trigger.do or (trigger.haste and fact.haste not in trigger.haste):
            continue
        holders = [u for s in same for u in subjects(duty.who or clause.responsible, s, state, world.pack)]
        yield Opening(clause, duty, fact.stream, tuple(dict.fromkeys(holders)), thread=fact.key)


def _by_consultation(fact: Consulted, world: World) -> Iterator[Opening]:
    state = world.at(fact.stream)
    for clause, duty, trigger in _rules("consultation", world.pack):
        if fact.stage != trigger.stage or (trigger.kinds and fact.type not in trigger.kinds):
            continue
        if trigger.outcome and fact.outcome not in trigger.outcome:
            continue
        holders = subjects(duty.who or clause.responsible, fact.unit, state, world.pack)
        yield Opening(clause, duty, fact.stream, holders, level="normal", thread=fact.consultation)


def _by_suspension(fact: SuspensionDecided, world: World) -> Iterator[Opening]:
    for clause, duty, trigger in _rules("suspension", world.pack):
        if fact.lifted or (trigger.stops is not None and trigger.stops != bool(fact.stops)):
            continue
        holders = subjects(duty.who or clause.responsible, fact.unit, world.at(fact.stream), world.pack)
        yield Opening(clause, duty, fact.stream, holders)


def _by_directory(fact: DirectoryChanged, world: World) -> Iterator[Opening]:
    for clause, duty, trigger in _rules("directory", world.pack):
        if trigger.change and fact.change not in trigger.change:
            continue
        holders = subjects(duty.who or clause.responsible, fact.unit, world.at(fact.stream), world.pack)
        yield Opening(clause, duty, fact.stream, holders, thread=fact.person)


def _by_report(fact: Reported, world: World) -> Iterator[Opening]:
    for clause, duty, trigger in _rules("report", world.pack):
        if trigger.what and fact.what not in trigger.what:
            continue
        holders = subjects(duty.who or clause.responsible, fact.unit, world.at(fact.stream), world.pack)
        yield Opening(clause, duty, fact.stream, holders, thread=fact.unit)
