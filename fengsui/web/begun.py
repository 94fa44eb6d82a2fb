"""起稿 Begun: what a form says before anybody has typed — for a new warning, and for each verb on one in force."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from fengsui.core import alerts, calendar
from fengsui.core.levels import LEVELS, Level
from fengsui.core.state import AlertPart, State, Zoned
from fengsui.web import here, written
from fengsui.web.written import Written

VERBS = ("renew", "upgrade", "downgrade", "change", "cancel")
"""Verbs whose form is a draft; a correction has a page of its own."""
SHORT = calendar.HOUR
"""µs before its expiry from which a warning that is changed is also extended."""

MEANINGS = {
    "up": "升级", "new": "新增", "down": "降级", "gone": "解除", "retracted": "撤回", "corrected": "更正",
    "changed": "变更", "same": "继续，再次通知", "kept": "不变，不再通知",
}  # fmt: skip
"""What a version means for a place, in words; the gravest first."""


class Meaning(NamedTuple):
    """Places for which a version means the same. level: the one it speaks of, the old one where it ends."""

    word: str
    level: Level
    change: str
    places: tuple[str, ...]


def begun(verb: str, state: State, author: str) -> Written:
    """A draft of a verb on a warning in force, ready to be handed in as it stands. verb: one of ``VERBS``."""
    draft = msgspec.structs.replace(written.before(state), author=author, verb=verb)
    if state.alert.action == "correct":  # its cause said what had been wrong
        draft = msgspec.structs.replace(draft, cause="")
    if verb == "cancel":
        cause = ends(state.alert.hazard)[0]
        return msgspec.structs.replace(draft, zones={}, others={}, forecast="", cause=cause, cancel=True)
    step = {"upgrade": 1, "downgrade": -1}.get(verb, 0)
    zones = {zone: stepped(state.alert.hazard, level, step) for zone, level in draft.zones.items()}
    until = _until(verb, zones, state)
    return spoken(msgspec.structs.replace(draft, zones=zones, expires=until, forecast="", others={}), state)


def stepped(hazard: str, level: Level, step: int) -> Level:
    """The next existing level of a hazard up (1) or down (-1); the same where there is none."""
    found = [a for a in LEVELS if a in here.pack().hazards[hazard].levels]
    at = found.index(level) + step
    return found[min(max(at, 0), len(found) - 1)]


def _until(verb: str, zones: dict[str, Level], state: State) -> int:
    """Renewed: by the signal's own hours; else as in force, unless little of that is left."""
    now, level = here.now(), max(zones.values(), key=LEVELS.index)
    if verb != "renew" and state.alert.expires > now + SHORT:
        return state.alert.expires
    until = written.filled(state.alert.hazard, level, now)[2]
    return until if until > state.alert.expires else until + state.alert.expires - now


def forecasts(zones: dict[str, Level], state: State) -> dict[Level, str]:
    """A forecast for each level that is written: the one in force at this level, else what its criterion suggests."""
    known: dict[str, str] = {}
    if state.alert.now.strongest:
        said = written.before(state)
        known = {state.alert.now.strongest: said.forecast} | said.others
    exists = here.pack().hazards[state.alert.hazard].levels
    levels = [a for a in reversed(LEVELS) if a in zones.values() and a in exists]
    return {a: known.get(a) or written.filled(state.alert.hazard, a, here.now())[1] for a in levels}


def spoken(draft: Written, state: State) -> Written:
    """The draft with a forecast for each of its levels; what it says of one already stays."""
    if draft.ended or not draft.zones or not state.alert.version:
        return draft
    strongest = max(draft.zones.values(), key=LEVELS.index)
    found: dict[str, str] = dict(forecasts(draft.zones, state))
    others = {a: draft.others.get(a) or text for a, text in found.items() if a != strongest}
    return msgspec.structs.replace(draft, forecast=draft.forecast or found.get(strongest, ""), others=others)


def fresh(asked: Any, author: str) -> Written:
    """A new warning: for the whole district, or as another page proposes it (hazard, level, zone, cause)."""
    pack = here.pack()
    hazard, level = asked.get("hazard", ""), asked.get("level", "")
    draft = Written(series=here.world().at("district").series, author=author)
    known = {area for area, _ in written.towns()}
    zones = [z for z in asked.getlist("zone") or [pack.district] if z in known]
    if hazard not in pack.hazards or level not in pack.hazards[hazard].levels:
        return draft
    cause, forecast, expires = written.filled(hazard, level, here.now())
    return msgspec.structs.replace(
        draft,
        hazard=hazard,
        zones=dict.fromkeys(zones, level),
        cause=asked.get("cause") or cause,
        forecast=forecast,
        expires=expires,
        remark="" if zones else level,  # the pair is shown as chosen even before a zone is
    )


def causes(hazard: str) -> tuple[str, ...]:
    """Causes that one click puts in."""
    table = here.pack().texts.causes
    return table.get(hazard, table.get("any", ()))


def ends(hazard: str) -> tuple[str, ...]:
    """Causes of lifting; the first stands there from the beginning. At least one, perhaps empty."""
    pack = here.pack()
    found = pack.texts.ends.get(hazard, pack.texts.ends.get("any", ("",)))
    return tuple(text.format(hazard=pack.hazards[hazard].name) for text in found)


def meaning(draft: Written, state: State) -> list[Meaning]:
    """What a draft means for the places it touches, the gravest first; nothing for a new warning."""
    before = state.alert.now
    if not state.alert.version or not (draft.zones or draft.ended):
        return []
    return meanings(AlertPart(now=Zoned(draft.zones), before=before, kept=draft.kept, action=draft.action))


def meanings(part: AlertPart) -> list[Meaning]:
    """What a version meant for every place it touched, the gravest first."""
    pack = here.pack()
    places = [area for area, _ in written.towns() if area != pack.district]
    touched = {**part.before.zones, **part.now.zones}
    places += [z for z in touched if z != pack.district and z not in places and z in pack.areas]
    found: dict[tuple[str, Level], list[str]] = {}
    for place in places:
        if changed := alerts.change(part, place):
            found.setdefault(changed, []).append(pack.areas[place].name)
    order = sorted(found, key=lambda pair: (list(MEANINGS).index(pair[0]), -LEVELS.index(pair[1])))
    return [Meaning(MEANINGS[change], level, change, tuple(found[change, level])) for change, level in order]
