"""告知 Telling: to whom a version of a warning is told, in which words, by which channels.

Audience × channel × order are the pack's. ``reached``: whoever was told by any version at any step is told the all-clear;
``misled``: whoever was told by a version that was wrong is told its correction; nobody else is. A person stands once in
one telling.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from fengsui.core import alerts, triggers, wording
from fengsui.core.clauses import Cause, Clause, Notice, Pack, choose
from fengsui.core.facts import Alerted, Notified, Received, Recipient
from fengsui.core.levels import GONE, LEVELS, Change, Level
from fengsui.core.state import State, World
from fengsui.core.tables import touches

Group = tuple[Change, Level]


def tellings(fact: Alerted | Received, cause: Cause, world: World) -> Iterator[Notified]:
    """All tellings of a version that the pack's notices ask for."""
    for clause, notice in world.pack.notices:
        hazards = notice.trigger.hazards
        if notice.trigger.on == cause and (not hazards or fact.hazard in hazards):
            told = _whom(clause, notice, world.at(fact.stream), world)
            yield from _tell(fact, clause, notice, told, world)


Told = dict[Group, dict[str, tuple[str, ...]]]
"""For each change and level: person → holders he may answer for."""


def _whom(clause: Clause, notice: Notice, state: State, world: World) -> Told:
    match notice.who:
        case ("reached",):
            return _reached_before(clause, notice, state, world)
        case ("misled",):
            return _misled(clause, notice, state, world)
        case _:
            return _audience(clause, notice, state, world)


def _audience(clause: Clause, notice: Notice, state: State, world: World) -> Told:
    found: Told = defaultdict(dict)
    known: triggers.Changes = {}
    for unit in triggers.subjects(notice.who or clause.responsible, "", state, world.pack):
        for post, change, level in triggers.posts(unit, state, world, audience=notice.audience, known=known):
            if not post.holder or (change in GONE and not _may_know(post.holder, state)):
                continue
            if triggers.asks(notice.trigger, change, level):
                group = found[change, level]
                group[post.holder] = (*group.get(post.holder, ()), post.id)
    return found


def _may_know(person: str, state: State) -> bool:
    """Whether something may have reached a person: a delivery of his may have gone out, or somebody told him by telephone."""
    contact = state.notices.people.get(person)
    if contact is None or person not in state.warning.withdrawn:
        return contact is not None
    return bool(contact.reach) or contact.acknowledged >= 0


def _reached_before(clause: Clause, notice: Notice, state: State, world: World) -> Told:
    """Whoever was told in any version at any step and whose area the warning has left, minus whoever was withdrawn."""
    del clause, notice
    found: Told = defaultdict(dict)
    for person in () if state.warning.action == "correct" else state.notices.people:
        if not _may_know(person, state):
            continue
        gone = _gone(person, state, world)
        if gone:
            found["gone", gone][person] = ()
    return found


def _gone(person: str, state: State, world: World) -> Level | None:
    """The level that has left a person, None while the warning still touches anything he answers for."""
    if not state.warning.holds:
        return _ended(state)
    changes = changed_for(person, state, world)
    if not changes or any(c[0] != "gone" for c in changes):
        return None
    return max((c[1] for c in changes), key=LEVELS.index)


def _ended(state: State) -> Level:
    """The strongest level of the version that was replaced."""
    return state.warning.before.strongest or LEVELS[0]


def changed_for(person: str, state: State, world: World) -> list[Group]:
    """What the newest version changed for all that a person answers for."""
    return [c for a in _areas(person, state, world) if (c := alerts.change(state.warning, a))]


def _areas(person: str, state: State, world: World) -> list[str]:
    """The areas of all that a person answers for or was told for."""
    areas = {alerts.area_of(h, world) for h in state.notices.people[person].told}
    areas |= {p.area for p in world.directory.held.get(person, ())}
    known = world.directory.persons.get(person)
    if not areas and known:
        areas = {alerts.area_of(known.unit, world)}
    return sorted(filter(None, areas))


def _misled(clause: Clause, notice: Notice, state: State, world: World) -> Told:
    """Where something still holds, exactly whom the wrong version told, and whoever believes an earlier one that it had kept
    and the right one does not; where nothing does any more, whoever was ever told so. Neither whom the right version alarms
    anew, nor whom nothing of the wrong one was about.
    """
    del clause
    found: Told = defaultdict(dict)
    wrong = _told_by(state, state.warning.version - 1)
    for person in state.notices.people if state.warning.action == "correct" else ():
        changes = changed_for(person, state, world)
        if not _may_know(person, state) or any(c[0] in triggers.FRESH for c in changes):
            continue
        holds = [level for change, level in changes if change not in GONE]
        if (holds and person not in wrong and not _altered(person, state, world)) or (
            state.warning.holds and not changes
        ):
            continue
        level = max(holds or [level for _, level in changes], key=LEVELS.index, default=_ended(state))
        group: Group = ("corrected" if holds else "retracted", level)
        if triggers.asks(notice.trigger, *group):
            found[group][person] = ()
    return found


def _altered(person: str, state: State, world: World) -> bool:
    """Whether anything a person answers for is at another level now than before."""
    before, now = state.warning.before, state.warning.now
    return any(before.over(a) != now.over(a) for a in _areas(person, state, world))


def _told_by(state: State, version: int) -> set[str]:
    """Persons whom a version told anything."""
    return {r.person for n in state.notices.sent.values() if n.version == version for r in n.recipients}


def _tell(
    fact: Alerted | Received, clause: Clause, notice: Notice, told: Told, world: World
) -> Iterator[Notified]:
    """A telling for each change and level, strongest first; whoever stands in several is told once, for all his posts."""
    audience, state = world.pack.audiences[notice.audience], world.at(fact.stream)
    informed = _informed(notice, state, world)
    answers: dict[str, tuple[str, ...]] = {}
    for group in told.values():
        for person, holders in group.items():
            answers[person] = (*answers[person], *holders) if person in answers else holders
    seen: set[str] = set()
    for change, level in sorted(told.keys() | informed.keys(), key=lambda g: (-LEVELS.index(g[1]), g[0])):
        wanted = choose(audience.channels, level)
        recipients = [
            Recipient(person, ways, answers[person])
            for person in sorted(told.get((change, level), {}))
            if person not in seen and (ways := world.directory.usable(person, wanted))
        ]
        seen.update(r.person for r in recipients)
        groups = _groups(recipients, informed.get((change, level), {}), change, state, world)
        for number, one in enumerate(groups):
            yield Notified(
                fact.stream,
                fact.at,
                key=f"{clause.id}/{notice.name}/{fact.version}/{level}-{change}"
                + (f"-{number}" if number else ""),
                template=notice.template or notice.name,
                recipients=tuple(one.persons),
                version=fact.version,
                level=level,
                change=change,
                lists=one.lists,
                channels=tuple(c for c in wanted if c in world.directory.ways) if one.lists else (),
                zones=one.zones,
            )


class _Group(NamedTuple):
    """Who reads the same words: persons, or lists and the zones where their members must be. zones without lists: what the
    words must name.
    """

    persons: list[Recipient]
    lists: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()


def _groups(
    recipients: list[Recipient], informed: dict[str, set[str]], change: Change, state: State, world: World
) -> list[_Group]:
    """Lists by where they are told, the first of them with all persons near zones of one level; apart from these persons near
    zones of several levels, who must read all of theirs: with one answer they answer for all of them.
    """
    places: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for place in sorted(informed):
        places[tuple(sorted(informed[place]))].append(place)
    listed = [_Group([], names, tuple(zones)) for names, zones in sorted(places.items())]
    persons: dict[tuple[str, ...], list[Recipient]] = defaultdict(list)
    for recipient in recipients:
        persons[_several(recipient.holders, change, state, world)].append(recipient)
    if plain := persons.pop((), []):
        listed[:1] = [listed[0]._replace(persons=plain) if listed else _Group(plain)]
    return listed + [_Group(some, zones=zones) for zones, some in sorted(persons.items())]


def _several(holders: tuple[str, ...], change: Change, state: State, world: World) -> tuple[str, ...]:
    """The zones near what somebody answers for, strongest first, where they are at several levels and not named anyway."""
    if change in (*GONE, *wording.SEVERAL):
        return ()
    now = state.warning.now
    near = {z: at for h in holders for z, at in now.near(alerts.area_of(h, world)).items()}
    several = len(set(near.values())) > 1
    return tuple(sorted(near, key=lambda z: (-LEVELS.index(near[z]), z))) if several else ()


Informed = dict[Group, dict[str, set[str]]]
"""For each change and level: the places where lists are told, and which."""


def _nobody() -> Informed:
    return defaultdict(lambda: defaultdict(set))


def _informed(notice: Notice, state: State, world: World) -> Informed:
    correction = state.warning.action == "correct"
    if notice.who == ("reached",):
        return {} if correction else _cleared(state, world.pack)
    if notice.who == ("misled",):
        return _righted(notice, state, world.pack) if correction else {}
    lists, found = world.pack.audiences[notice.audience].lists, _nobody()
    for zone, level in state.warning.now.zones.items():
        change, before = _began(zone, level, state)
        if zone in state.warning.kept or (correction and change not in triggers.FRESH):
            continue
        names = {*choose(lists, level), *(choose(lists, before) if change == "down" else ())}
        if names and triggers.asks(notice.trigger, change, level):
            found[change, level][zone] |= names
    return found


def _began(zone: str, level: Level, state: State) -> tuple[Change, str]:
    """What changed for the whole of a zone: compared with what covered all of it, not with what touched a part."""
    covered = [at for z, at in state.warning.before.zones.items() if zone.startswith(z)]
    if not covered:
        return "new", ""
    before = max(covered, key=LEVELS.index)
    order = LEVELS.index(level) - LEVELS.index(before)
    return ("up" if order > 0 else "down" if order < 0 else "same"), before


def _cleared(state: State, pack: Pack) -> Informed:
    """Lists that were told, in the places that the warning has left: all of them once nothing holds any more."""
    found = _nobody()
    left = alerts.left(state.warning, pack)
    for name, zones in state.notices.lists.items():
        for zone in zones:
            if not state.warning.holds:
                found["gone", _ended(state)][zone].add(name)
                continue
            for place, level in _within(zone, left).items():
                found["gone", level][place].add(name)
    return found


def _righted(notice: Notice, state: State, pack: Pack) -> Informed:
    """Lists in the places where they were told: where something still holds as the wrong version said, by that one; else by any."""
    found, alert = _nobody(), state.warning
    left = alerts.left(alert, pack)
    for told in state.notices.sent.values():
        for zone in told.zones if told.lists else ():
            groups: dict[str, Group] = {p: ("retracted", at) for p, at in _within(zone, left).items()}
            if not alert.holds:
                groups = {zone: ("retracted", alert.before.level(zone) or _ended(state))}
            for place in _within(zone, alert.now.zones):
                if told.version == alert.version - 1 or alert.before.over(place) != alert.now.over(place):
                    groups[place] = ("corrected", alert.now.level(place) or _ended(state))
            for place, group in groups.items():
                if triggers.asks(notice.trigger, *group):
                    found[group][place].update(told.lists)
    return found


def _within(zone: str, places: Mapping[str, Level]) -> dict[str, Level]:
    """What of some places lies within a zone, or the zone itself if it lies within one of them."""
    return {max(place, zone, key=len): level for place, level in places.items() if touches(place, zone)}
