"""预警 Alerts: the warning in force — issue, update, upgrade, downgrade, split and cancel are one fact, Alerted."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fengsui.core.clauses import LEVELS, Change, Level, Unit, touches
from fengsui.core.facts import Alerted, Closed, Fact
from fengsui.core.state import AlertPart, Refusal, State, World, Zoned


def fold(part: AlertPart, fact: Alerted) -> AlertPart:
    """The zones of the newest version; those before it are kept to tell what changed for whom."""
    return AlertPart(
        version=fact.version,
        hazard=fact.hazard,
        now=Zoned(fact.zones),
        before=part.now,
        expires=fact.expires,
        at=fact.at,
        paper=fact.paper,
        withdrawn=fact.withdrawn,
    )


def change(part: AlertPart, area: str) -> tuple[Change, Level] | None:
    """What the newest version changed for an area, and the level it speaks of (the old one where it is gone)."""
    before, now = part.before.level(area), part.now.level(area)
    if now is None:
        return ("gone", before) if before else None
    if before is None:
        return ("new", now)
    order = LEVELS.index(now) - LEVELS.index(before)
    return ("up" if order > 0 else "down" if order < 0 else "same", now)


def area_of(holder: str, world: World) -> str:
    """The area a unit or a post answers for, "" if neither is known any more."""
    if holder in world.directory.posts:
        return world.directory.posts[holder].area
    unit = world.pack.units.get(holder.split("/", 1)[0])
    return unit.area if unit else ""


def touched(state: State, unit: Unit) -> tuple[Change, Level] | None:
    """What the newest version changed for a unit, None if the warning does not touch it."""
    return change(state.alert, unit.area)


def spread(state: State, world: World) -> float:
    """Share of the district's townships that the zones in force touch, 0 to 1."""
    towns = [a for a in world.pack.areas.values() if a.kind == "township" and not a.valid_to]
    warned = [a for a in towns if state.alert.now.level(a.id)]
    return len(warned) / len(towns) if towns else 0.0


def admit(fact: Fact, world: World) -> Refusal | None:
    """Whether a warning may be issued, changed, cancelled, or its stream closed, as the person asks."""
    match fact:
        case Alerted():
            return _repeated(fact, world) or _stale(fact, world) or _unsigned(fact) or _unsound(fact, world)
        case Closed():
            return _unfinished(world.at(fact.stream))
    return None


def _unfinished(state: State) -> Refusal | None:
    """Nothing ends silently: while a warning holds or the clock still has a step to take, a stream stays open."""
    if state.alert.holds:
        return Refusal("A09", "预警尚未解除，不能归档。请先解除预警")
    waiting = sum(s.next_at is not None for d in state.duties.values() for s in d.shares.values())
    return Refusal("A11", f"尚有 {waiting} 项职责在催办中，不能归档") if waiting else None


def _repeated(fact: Alerted, world: World) -> Refusal | None:
    now = world.at(fact.stream).alert
    if (
        now.version == fact.version
        and now.paper == fact.paper
        and now.now.zones == fact.zones
        and now.version
    ):
        return Refusal("A00", f"该预警已发布为第 {now.version} 版", already=True)
    return None


def _stale(fact: Alerted, world: World) -> Refusal | None:
    state = world.at(fact.stream)
    if fact.replaces != state.alert.version or fact.version != state.alert.version + 1:
        return Refusal("A01", f"预警已有第 {state.alert.version} 版（另一席位刚刚发布），请刷新后再定")
    return None


def _unsigned(fact: Alerted) -> Refusal | None:
    if fact.author == fact.signer and not fact.mode:
        return Refusal("A02", "制作人与签发人不能是同一人，请由另一人签发")
    return None


def _unsound(fact: Alerted, world: World) -> Refusal | None:
    now = world.at(fact.stream).alert
    hazard = world.pack.hazards.get(fact.hazard)
    if hazard is None or (now.hazard and now.hazard != fact.hazard):
        return Refusal("A03", "灾种与本过程不符或数据包中没有此灾种，请另建过程")
    for zone, level in fact.zones.items():
        if zone not in world.pack.areas:
            return Refusal("A04", f"预警区域“{zone}”不在数据包中，请从列表选择")
        if level not in hazard.levels:
            return Refusal("A05", f"{hazard.name}没有这一级别的预警信号，请另选级别")
    if not fact.zones and not now.holds:
        return Refusal("A06", "没有生效中的预警可供解除")
    if fact.zones and fact.expires <= fact.at:
        return Refusal("A07", "失效时间须晚于发布时间")
    return _doubled(fact, world)


def _doubled(fact: Alerted, world: World) -> Refusal | None:
    for other in world.heads.values():
        if other.stream == fact.stream or other.hazard != fact.hazard or other.series != fact.series:
            continue
        if any(touches(a, b) for a in fact.zones for b in other.zones):
            return Refusal("A10", "同一灾种在该区域已有生效预警，请在原过程上更新")
    return None


def decide(fact: Fact, world: World) -> Iterator[Fact]:
    """Nothing follows from a warning by itself: duties and notices read it."""
    del fact, world
    return iter(())


def folded(state: State, fact: Alerted | Closed) -> State:
    """The stream after a warning or its closing."""
    if isinstance(fact, Closed):
        return msgspec.structs.replace(state, closed=True)
    return msgspec.structs.replace(state, alert=fold(state.alert, fact), series=fact.series)
