"""预警 Alerts: the warning in force — issue, renew, change, upgrade, downgrade, split, cancel and correct are one fact."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from fengsui.core import drill
from fengsui.core.clauses import Pack
from fengsui.core.facts import Alerted, Closed, Fact
from fengsui.core.levels import LEVELS, Action, Change, Level
from fengsui.core.state import AlertPart, Refusal, State, World, Zoned
from fengsui.core.tables import Hazard, Unit, touches

Mode = Literal["retraction", "emergency"]
"""How one person may sign by himself."""


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
        action=fact.action,
        kept=fact.kept,
        was=part.at,
        until=part.expires,
        alone=part.alone | {fact.signer} if fact.mode else part.alone,
    )


def change(part: AlertPart, area: str) -> tuple[Change, Level] | None:
    """What the newest version changed for an area, and the level it speaks of (the old one where it is gone)."""
    before, now = part.before.level(area), part.now.level(area)
    if now is None:
        return ("retracted" if part.action == "correct" else "gone", before) if before else None
    if before is None:
        return ("new", now)
    order = LEVELS.index(now) - LEVELS.index(before)
    if order > 0:
        return ("up", now)
    if part.action == "correct":
        return ("corrected", now)
    return ("down", now) if order < 0 else (_even(part, area), now)


def _even(part: AlertPart, area: str) -> Change:
    """How a version touched an area whose strongest level it left as it was."""
    if part.before.over(area) != part.now.over(area):
        return "changed"
    return "kept" if part.now.near(area).keys() <= set(part.kept) else "same"


def left(part: AlertPart, pack: Pack) -> dict[str, Level]:
    """What the newest version has left, each with the level it had: the largest places of a zone that was in force before in
    which nothing is any more. Two townships lifted out of a whole district are these two; a place that was
    abolished is one as well, for whoever is still listed there.
    """
    inside: dict[str, list[str]] = {}
    for area in pack.areas.values():
        inside.setdefault(area.parent, []).append(area.id)
    return {place: level for zone in part.before.zones for place, level in _left(zone, part, inside)}


def _left(place: str, part: AlertPart, inside: dict[str, list[str]]) -> Iterator[tuple[str, Level]]:
    before, now = part.before.level(place), part.now.level(place)
    if now is None and before is not None:
        yield place, before
    elif before is not None and not any(place.startswith(zone) for zone in part.now.zones):
        for child in inside.get(place, ()):
            yield from _left(child, part, inside)


# ── verbs 动作 ────────────────────────────────────────────────────────────────


def offered(part: AlertPart, hazard: Hazard | None) -> tuple[Action, ...]:
    """What may be done to a warning as it stands, in the order in which a desk offers it."""
    if not part.version:
        return ("issue",)
    if not part.holds or hazard is None:
        return ("issue", "correct")
    levels = [LEVELS.index(level) for level in hazard.levels if level in LEVELS]
    held = [LEVELS.index(level) for level in part.now.zones.values()]
    found: tuple[tuple[Action, bool], ...] = (
        ("renew", True),
        ("upgrade", min(held) < max(levels)),
        ("downgrade", max(held) > min(levels)),
        ("change", True),
        ("cancel", True),
        ("correct", True),
    )
    return tuple(action for action, legal in found if legal)


def fitting(before: Zoned, now: Zoned, pack: Pack) -> Action:
    """What it is called to replace these zones by those: the first verb that fits."""
    verbs: tuple[Action, ...] = ("issue", "cancel", "renew", "upgrade", "downgrade")
    return next((verb for verb in verbs if fits(verb, before, now, pack)), "change")


def fits(action: Action, before: Zoned, now: Zoned, pack: Pack) -> bool:
    """Whether a verb may be said of replacing these zones by those. A change may be anything, and so may a correction."""
    found = _changes(before, now, pack)
    match action:
        case "issue":
            return not before.zones and bool(now.zones)
        case "cancel":
            return bool(before.zones) and not now.zones
        case "renew":
            return found == {"same"}
        case "upgrade":
            return "up" in found and not found & {"down", "gone"}
        case "downgrade":
            return "down" in found and not found & {"up", "new"}
        case "change":
            return bool(before.zones and now.zones)
        case "correct":
            return True


def _changes(before: Zoned, now: Zoned, pack: Pack) -> set[Change]:
    """What happens to the townships, and to the zones that lie inside one."""
    part = AlertPart(now=now, before=before)
    places = {a.id for a in pack.areas.values() if a.kind == "township"}
    places |= {z for z in (*before.zones, *now.zones) if z != pack.district}
    return {"same" if c[0] == "changed" else c[0] for a in places if (c := change(part, a))}


def area_of(holder: str, world: World) -> str:
    """The area a unit or a post answers for, "" if neither is known any more."""
    if holder in world.directory.posts:
        return world.directory.posts[holder].area
    unit = world.pack.units.get(holder.split("/", 1)[0])
    return unit.area if unit else ""


def touched(state: State, unit: Unit) -> tuple[Change, Level] | None:
    """What the newest version changed for a unit, None if the warning does not touch it."""
    return change(state.warning, unit.area)


def spread(state: State, world: World) -> float:
    """Share of the district's townships that the zones in force touch, 0 to 1."""
    towns = [a for a in world.pack.areas.values() if a.kind == "township" and not a.valid_to]
    warned = [a for a in towns if state.alert.now.level(a.id)]
    return len(warned) / len(towns) if towns else 0.0


def admit(fact: Fact, world: World) -> Refusal | None:
    """Whether a warning may be issued, changed, cancelled, or its stream closed, as the person asks."""
    match fact:
        case Alerted():
            objections = (_repeated, _stale, _unsigned, _unlisted, _unsound, _unfit, _unjoined)
            return next((r for objects in objections if (r := objects(fact, world))), None)
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


def _unsigned(fact: Alerted, world: World) -> Refusal | None:
    del world
    if fact.author == fact.signer and not fact.mode:
        return Refusal("A02", "制作人与签发人不能是同一人，请由另一人签发")
    return None


def _unlisted(fact: Alerted, world: World) -> Refusal | None:
    """Whoever puts his name to a warning stands in the directory: who has left answers for nothing any more."""
    for title, person in (("制作人", fact.author), ("签发人", fact.signer)):
        if person not in world.directory.persons:
            return Refusal("A17", f"{title}不在名册中（已离任或账号未对应责任人），请由在册人员办理")
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
        return Refusal("A06", "没有生效中的预警可供解除或撤回")
    if fact.zones and fact.expires <= fact.at:
        return Refusal("A07", "失效时间须晚于发布时间")
    return _doubled(fact, world)


def _unfit(fact: Alerted, world: World) -> Refusal | None:
    """The verb must fit what is done; one person alone may only take back; what is kept must be as it was."""
    part, now = world.at(fact.stream).alert, Zoned(fact.zones)
    if fact.action and not fits(fact.action, part.now, now, world.pack):
        said = fitting(part.now, now, world.pack)
        words = world.pack.texts.verbs
        return Refusal(
            "A12", f"所选动作是“{words[fact.action]}”，按区域和级别应为“{words[said]}”，请核对后重新提交"
        )
    if fact.action == "correct" and not part.version:
        return Refusal("A12", "尚未发布，无从更正")
    if fact.mode and fact.mode not in alone(fact.action, part, now, fact.expires, world.pack):
        return REFUSED[fact.mode]
    same = {z for z, level in fact.zones.items() if part.now.over(z) == {z: level}}
    if not set(fact.kept) <= same or (fact.kept and fact.expires != part.expires):
        return Refusal("A14", "级别或有效期有变的区域须通知，不能略过")
    return None


REFUSED = {
    "retraction": Refusal(
        "A13", "一人只可更正以撤回、降低或缩小；提高级别、扩大区域、延长时效或只改文字须由另一人签发"
    ),
    "emergency": Refusal("A16", "紧急单人签发只限红色预警的发布，其余须由另一人签发"),
}
"""What is said where one person may not sign by himself."""


def alone(
    action: Action | Literal[""], part: AlertPart, now: Zoned, expires: int, pack: Pack
) -> tuple[Mode, ...]:
    """How one person may sign by himself what replaces a warning: to take back what was wrong, and, where it is red, in an
    emergency. expires: of what replaces it.
    """
    found: list[Mode] = ["emergency"] if "red" in now.zones.values() else []
    if action == "correct" and _takes_back(part, now, expires, pack):
        found.insert(0, "retraction")
    return tuple(found)


def weakens(before: Zoned, now: Zoned, pack: Pack) -> bool:
    """Whether these zones take something away from those, and add nothing anywhere."""
    found = _changes(before, now, pack)
    return bool(found & {"down", "gone"}) and not found & {"up", "new"}


def _takes_back(part: AlertPart, now: Zoned, expires: int, pack: Pack) -> bool:
    """Whether it takes something away and prolongs nothing; or what held before holds again, as long as it would have, and
    is weaker or ends no later: an upgrade or a renewal is taken back.
    """
    if _changes(part.now, now, pack) & {"up", "new"}:
        return False
    weaker, shorter = weakens(part.now, now, pack), not now.zones or expires <= part.expires
    restored = now == part.before and expires == part.until
    return (weaker and shorter) or (restored and (weaker or shorter))


def _unjoined(fact: Alerted, world: World) -> Refusal | None:
    """A joint product needs a signature of each issuing unit, by a person of that unit who did not write it."""
    issuers = world.pack.hazards[fact.hazard].issuers
    if fact.mode:
        return None
    for unit in issuers:
        if unit in world.pack.rights.issue:
            continue  # the signer's own
        person = world.directory.persons.get(fact.cosigners.get(unit, ""))
        if person is None or person.unit != unit or person.id == fact.author:
            name = world.pack.units[unit].name if unit in world.pack.units else unit
            return Refusal("A15", f"联合发布的预警须有{name}签发，请送该单位签发")
    return None


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
    state = drill.joined(state, fact)
    return msgspec.structs.replace(state, alert=fold(state.alert, fact), series=fact.series)
