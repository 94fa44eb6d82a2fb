"""即时插播 Insertion: the media centre is ordered to air crawl, badge and anchor, and to take them off."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from fengsui.core import alerts, calendar, wording
from fengsui.core.clauses import pick
from fengsui.core.facts import Aired, DutyOpened, Fact, InsertionOrdered, Notified
from fengsui.core.levels import LEVELS, Level
from fengsui.core.series import marked
from fengsui.core.state import Refusal, State, World

replace = msgspec.structs.replace
MOMENTARY = "anchor"
"""The form that is spoken once and so never has to come off the air."""


def folded(state: State, fact: InsertionOrdered | Aired) -> State:
    """The latest order of each form, and what is on the air."""
    place = f"{fact.unit}/{fact.form}"
    if isinstance(fact, InsertionOrdered):
        return replace(state, orders={**state.orders, place: fact})
    on_air = {p: v for p, v in state.on_air.items() if p != place}
    if fact.on and fact.form != MOMENTARY:
        on_air[place] = fact.version
    return replace(state, on_air=on_air)


def admit(fact: Fact, world: World) -> Refusal | None:
    """Only what was ordered can be confirmed; a confirmation counts once for a version."""
    if not isinstance(fact, Aired):
        return None
    state = world.at(fact.stream)
    place = f"{fact.unit}/{fact.form}"
    if place not in state.orders:
        return Refusal("I01", "没有这一形式的插播单")
    if fact.on and state.on_air.get(place, -1) >= fact.version:
        return Refusal("I02", "已记为播出", already=True)
    if not fact.on and place not in state.on_air:
        return Refusal("I03", "该形式不在播出中", already=True)
    return None


def decide(fact: Fact, world: World) -> Iterator[Fact]:
    """A duty to air orders its form at the level of the warning."""
    match fact:
        case DutyOpened(plan=plan) if plan.use and plan.use.mechanism == "insertion":
            for unit in fact.holders:
                level = world.at(fact.stream).alert.now.level(world.pack.units[unit].area) or ""
                every = pick(plan.use.every, level)
                yield InsertionOrdered(
                    fact.stream,
                    fact.at,
                    unit,
                    plan.use.form,
                    plan.version,
                    level,
                    calendar.span(every) if every else 0,
                )


# ── words 文稿 ───────────────────────────────────────────────────────────────

BRACKET = re.compile("^【[^】]*】")
"""What a crawl begins with and nobody says aloud."""


def levels(state: State) -> list[Level]:
    """Levels in force, strongest first; after the warning those it had."""
    zones = state.warning.now.zones or state.warning.before.zones
    return sorted(set(zones.values()), key=LEVELS.index, reverse=True)


def words(state: State, form: str, world: World, paper: bytes) -> str:
    """The words of a form for the newest version: the strongest level in full, then what else holds where."""
    first, *others = levels(state)
    others = [] if form == "badge" else others
    said = _said(state, form, first, world, paper)
    for level in others:
        more = _said(state, "crawl", level, world, paper)
        said += f"另外，{BRACKET.sub('', more)}" if form == "anchor" else more
    return marked(said, state.series)


def _said(state: State, form: str, level: Level, world: World, paper: bytes) -> str:
    """A form's words for one level, with nothing at either end."""
    zones = state.alert.now.zones or state.alert.before.zones
    changed = alerts.change(state.alert, next(z for z, at in zones.items() if at == level))
    told = Notified(
        state.stream,
        state.alert.at,
        form,
        form,
        (),
        state.alert.version,
        level,
        changed[0] if changed else "new",
    )
    return wording.said(told, (), world.seen(state), paper)


def spoken(state: State, world: World, paper: bytes) -> dict[str, str]:
    """Form → its words, for every form that stands ordered; none once nothing is in force."""
    forms = sorted({order.form for order in state.orders.values()}) if state.alert.holds else []
    return {form: words(state, form, world, paper) for form in forms}
