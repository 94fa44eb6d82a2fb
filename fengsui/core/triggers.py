"""触发 Triggers: which duties of which clauses a fact opens, for whom, at which level."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from fengsui.core import alerts
from fengsui.core.clauses import Clause, Duty, Pack, Trigger, choose
from fengsui.core.facts import (
    Alerted,
    Consulted,
    DirectoryChanged,
    Fact,
    Reported,
    StepTaken,
    SuspensionDecided,
)
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
            yield from _by_alert(fact, world)
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
        case _:
            return


def _rules(cause: str, pack: Pack) -> tuple[tuple[Clause, Duty, Trigger], ...]:
    return pack.rules.get(cause, ())


def _by_alert(fact: Alerted, world: World) -> Iterator[Opening]:
    state = world.at(fact.stream)
    opened: set[tuple[str, str, str]] = set()
    for clause, duty, trigger in _rules("alert", world.pack):
        if trigger.hazards and fact.hazard not in trigger.hazards:
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
    for unit in subjects(duty.who or clause.responsible, "", state, world.pack):
        touched = alerts.touched(state, world.pack.units[unit])
        if touched is None or touched[0] not in (trigger.change or FRESH):
            continue
        if trigger.levels and touched[1] not in trigger.levels:
            continue
        found[touched[1]] += posts(unit, touched[1], state, world) if duty.each == "post" else (unit,)
    return {level: tuple(sorted(set(holders))) for level, holders in sorted(found.items())}


def posts(unit: str, level: str, state: State, world: World, audience: str = "responsible") -> list[str]:
    """Posts of a unit that are told at a level: the audience's roles, in the warned area."""
    roles = choose(world.pack.audiences[audience].roles, level)
    return [
        p.id
        for p in world.directory.unit_posts.get(unit, ())
        if p.role in roles and (state.alert.now.level(p.area) or state.alert.before.level(p.area))
    ]


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
