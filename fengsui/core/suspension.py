"""停工停业停课 Suspension: a decision with a reason is forced, never a stop — unless the unit authorised it beforehand."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fengsui.core.facts import DutyOpened, Fact, SuspensionDecided
from fengsui.core.state import Refusal, State, World

DECIDERS = ("leader", "duty_leader", "duty_officer")
"""Posts that may decide for their unit what stops, and when it goes on."""


def folded(state: State, fact: SuspensionDecided) -> State:
    """The latest decision of each unit."""
    return msgspec.structs.replace(state, suspension={**state.suspension, fact.unit: fact})


def admit(fact: Fact, world: World) -> Refusal | None:
    """A decision answers the one its maker saw; not to stop needs a reason; only what was stopped can be lifted."""
    if not isinstance(fact, SuspensionDecided):
        return None
    before = world.at(fact.stream).suspension.get(fact.unit)
    if before and before == msgspec.structs.replace(fact, at=before.at):
        return Refusal("S00", "该决定已记录", already=True)
    if fact.replaces != (before.at if before else 0):
        return Refusal("S01", "该单位已有新的决定，请刷新后再定")
    if fact.lifted and not stopped(world.at(fact.stream), fact.unit):
        return Refusal("S03", "该单位没有停工停业停课，无须恢复")
    if not fact.stops and not fact.lifted and not fact.reason:
        return Refusal("S02", "不停须写明理由")
    return None


def deciding(person: str, state: State, world: World) -> tuple[str, ...]:
    """Units for which a person may decide: by a post he holds, or one that he was asked for in its holder's place."""
    contact = state.notices.people.get(person)
    held = [p.id for p in world.directory.held.get(person, ())]
    posts = [h.split("/") for h in (*held, *(contact.told if contact else ())) if "/" in h]
    return tuple(dict.fromkeys(parts[0] for parts in posts if parts[1] in DECIDERS))


def stopped(state: State, unit: str) -> bool:
    """Whether a unit has stopped something and not lifted it."""
    said = state.suspension.get(unit)
    return bool(said and said.stops and not said.lifted)


def remains(person: str, state: State, world: World) -> bool:
    """Whether a warning that is over still leaves this person something: to lift what stands still, or to see it lifted."""
    decisions = (state.suspension.get(unit) for unit in deciding(person, state, world))
    return any(said.stops or said.lifted for said in decisions if said)


def decide(fact: Fact, world: World) -> Iterator[Fact]:
    """What a unit authorised beforehand is decided for it as soon as the duty to decide opens."""
    match fact:
        case DutyOpened(plan=plan) if plan.use and plan.use.mechanism == "suspension":
            for unit in fact.holders:
                stops = world.directory.standing.get(unit)
                before = world.at(fact.stream).suspension.get(unit)
                if stops and not stopped(world.at(fact.stream), unit):
                    replaces = before.at if before else 0
                    yield SuspensionDecided(fact.stream, fact.at, unit, "standing", stops, replaces=replaces)
