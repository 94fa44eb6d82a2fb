"""情景提示 Proposing: what the scenario of a drill under way would have drafted by now — a forecaster drafts it, or does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from django.urls import reverse

from fengsui.core import alerts, calendar
from fengsui.core.levels import LEVELS, Level
from fengsui.core.scenario import Lifted, Move, Scenario
from fengsui.core.state import DrillPart, State, World, Zoned
from fengsui.web import here
from fengsui.web.written import Written

LEAST = 2 * calendar.HOUR
"""µs for which a proposed version holds at least, when a drill lags behind its scenario."""


class Step(NamedTuple):
    """A version of the scenario as this drill plays it. at: UTC µs when it is to be drafted; zones: none = it is lifted."""

    number: int
    at: int
    zones: dict[str, Level]
    said: Move | Lifted


class Proposal(NamedTuple):
    """A step as the drill's page offers it. done: the drill has come so far; due: its moment has come; next: it is the next."""

    step: Step
    title: str
    done: bool
    due: bool
    next: bool
    url: str


def steps(part: DrillPart, world: World) -> list[Step]:
    """Every version in order. A first one at several levels is two: the strongest is issued at once, then the others join."""
    scenario = world.pack.drills.get(part.scenario)
    if scenario is None:
        return []
    made: list[tuple[int, dict[str, Level], Move | Lifted]] = []
    for move in scenario.version:
        at, zones = part.started + scenario.after(move.drafted), _zones(scenario, move.drafted, part, world)
        strongest = {z: a for z, a in zones.items() if a == _top(zones)}
        if not made and len(strongest) < len(zones):
            made.append((at, strongest, move))
        made.append((at, zones, move))
    made.append((part.started + scenario.after(scenario.cleared.drafted), {}, scenario.cleared))
    return [Step(n, *one) for n, one in enumerate(made, start=1)]


def _zones(scenario: Scenario, clock: str, part: DrillPart, world: World) -> dict[str, Level]:
    """What the readings call for, in the places of the drill; where it has none of them, all its places at the strongest."""
    found = scenario.zones(world.pack.hazards[scenario.hazard], clock)
    within = {z: a for z, a in found.items() if not part.areas or z in part.areas}
    return within or (dict.fromkeys(part.areas, _top(found)) if found else {})


def _top(zones: Mapping[str, Level]) -> Level:
    return max(zones.values(), key=LEVELS.index, default=LEVELS[0])


def proposals(drill: str, incident: State | None, world: World, now: int) -> list[Proposal]:
    """The steps of a drill that has begun, with what each would be drafted as. incident: the warning played in it, if any."""
    part = world.at(drill).drill
    version = incident.alert.version if incident else 0
    found = []
    for step in steps(part, world) if part.started else ():
        coming = step.number == version + 1
        url = _url(drill, incident, step, world) if coming else ""
        title = _title(step, world, part)
        found.append(Proposal(step, title, step.number <= version, step.at <= now, coming, url))
    return found


def _title(step: Step, world: World, part: DrillPart) -> str:
    hazard = world.pack.hazards[world.pack.drills[part.scenario].hazard]
    if not step.zones:
        return f"解除{hazard.name}预警"
    levels: dict[Level, list[str]] = {}
    for zone, level in sorted(step.zones.items(), key=lambda pair: -LEVELS.index(pair[1])):
        levels.setdefault(level, []).append(world.pack.areas[zone].name)
    words = "；".join(f"{world.pack.texts.levels[a]} {'、'.join(names)}" for a, names in levels.items())
    return f"{hazard.name}{words}"


def _url(drill: str, incident: State | None, step: Step, world: World) -> str:
    """Where it is drafted, filled in."""
    if incident is None or not incident.alert.version:
        return f"{reverse('issue')}?{urlencode({'drill': drill, 'move': step.number, 'new': 1})}"
    verb = alerts.fitting(incident.alert.now, Zoned(step.zones), world.pack)
    page = "issue_cancel" if verb == "cancel" else f"issue_{verb}" if verb != "issue" else "issue_change"
    return f"{reverse(page, args=[incident.stream])}?{urlencode({'move': step.number, 'new': 1})}"


def filled(draft: Written, state: State, asked: Mapping[str, Any]) -> Written:
    """A draft as the scenario has it: in a drill (``drill``), at a step of it (``move``); any other as it is."""
    world = here.world()
    drill = state.drill.of or str(asked.get("drill", ""))
    part = world.at(drill).drill
    if part.stage != "started":
        return draft
    if not state.alert.version:
        draft = msgspec.structs.replace(draft, drill=drill, series="exercise")
    number = str(asked.get("move", ""))
    step = next((s for s in steps(part, world) if str(s.number) == number), None)
    if step is None:
        return draft
    if isinstance(step.said, Lifted) or not step.zones:
        return msgspec.structs.replace(draft, cause=step.said.cause) if draft.cancel else draft
    said = step.said.filled("、".join(world.pack.areas[z].name for z in step.zones))
    scenario = world.pack.drills[part.scenario]
    until = max(part.started + scenario.after(said.expires), here.now() + LEAST)
    return msgspec.structs.replace(
        draft,
        hazard=scenario.hazard,
        zones=step.zones,
        cause=said.cause,
        forecast=said.forecast,
        others={a: text for a, text in said.others.items() if a in step.zones.values() and a != _top(step.zones)},
        expires=until // calendar.MINUTE * calendar.MINUTE,
    )  # fmt: skip
