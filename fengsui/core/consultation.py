"""会商 Consultation: a duty to consult summons the units it names; what was concluded decides what follows."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fengsui.core.clauses import choose
from fengsui.core.facts import Consulted, DutyOpened, Fact, Notified, Recipient
from fengsui.core.levels import LEVELS
from fengsui.core.state import Refusal, State, World

ORDER = ("called", "held", "concluded")


def folded(state: State, fact: Consulted) -> State:
    """The latest stage of each consultation; whom it invited stays known."""
    before = state.consultations.get(fact.consultation)
    invited = fact.invited or (before.invited if before else ())
    latest = msgspec.structs.replace(fact, invited=invited)
    return msgspec.structs.replace(state, consultations={**state.consultations, fact.consultation: latest})


def admit(fact: Fact, world: World) -> Refusal | None:
    """Called, held, concluded, each once and in this order; not to activate needs a recorded reason."""
    if not isinstance(fact, Consulted):
        return None
    before = world.at(fact.stream).consultations.get(fact.consultation)
    at = ORDER.index(before.stage) if before else -1
    if ORDER.index(fact.stage) <= at:
        return Refusal("C00", "该会商已记到这一步", already=True)
    if ORDER.index(fact.stage) != at + 1:
        return Refusal("C01", "会商须依次召集、召开、形成结论")
    if fact.stage == "concluded" and not fact.paper:
        return Refusal("C02", "会商结论须附纪要（不启动响应须写明理由）")
    return None


def decide(fact: Fact, world: World) -> Iterator[Fact]:
    """An opened duty to consult calls the consultation; a call summons whoever is invited."""
    match fact:
        case DutyOpened(plan=plan) if plan.use and plan.use.mechanism == "consultation":
            for unit in fact.holders:
                name = f"{plan.use.kind}-{plan.version}"
                if name not in world.at(fact.stream).consultations:
                    yield Consulted(
                        fact.stream, fact.at, name, plan.use.kind, "called", unit, invited=plan.use.invite
                    )
        case Consulted(stage="called"):
            yield from _summons(fact, world)


def _summons(fact: Consulted, world: World) -> Iterator[Fact]:
    audience = world.pack.audiences["office"]
    roles, wanted = choose(audience.roles, ""), choose(audience.channels, "")
    persons = dict.fromkeys(
        p
        for unit in (fact.unit, *fact.invited)
        for p in (world.directory.holders(unit, *roles) or world.directory.holders(unit, "duty_officer"))
    )
    recipients = tuple(
        Recipient(p, ways) for p in sorted(persons) if (ways := world.directory.usable(p, wanted))
    )
    if recipients:
        state = world.at(fact.stream)
        yield Notified(
            fact.stream,
            fact.at,
            key=f"summons/{fact.consultation}",
            template="summons",
            recipients=recipients,
            version=state.alert.version,
            level=max(state.alert.now.zones.values(), key=LEVELS.index, default=""),
            subject=fact.consultation,
        )
