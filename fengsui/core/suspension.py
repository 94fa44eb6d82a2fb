"""停工停业停课 Suspension: a decision with a reason is forced, never a stop — unless the unit authorised it beforehand."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fengsui.core.facts import DutyOpened, Fact, SuspensionDecided
from fengsui.core.state import Refusal, State, World


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
    if fact.lifted and not (before and before.stops and not before.lifted):
        return Refusal("S03", "该单位没有停工停业停课，无须恢复")
    if not fact.stops and not fact.lifted and not fact.reason:
        return Refusal("S02", "不停须写明理由")
    return None


def decide(fact: Fact, world: World) -> Iterator[Fact]:
    """What a unit authorised beforehand is decided for it as soon as the duty to decide opens."""
    match fact:
        case DutyOpened(plan=plan) if plan.use and plan.use.mechanism == "suspension":
            for unit in fact.holders:
                stops = world.directory.standing.get(unit)
                before = world.at(fact.stream).suspension.get(unit)
                if stops and not (before and before.stops and not before.lifted):
                    replaces = before.at if before else 0
                    yield SuspensionDecided(fact.stream, fact.at, unit, "standing", stops, replaces=replaces)
