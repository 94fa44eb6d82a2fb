"""告知 Telling: to whom a version of a warning is told, in which words, by which channels.

Audience × channel × order are the pack's. ``reached``: whoever was told by any version at any step is told the all-clear;
``misled``: whoever was told by a version that was wrong is told its correction; nobody else is. A person stands once in
one telling.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fengsui.core import alerts, triggers
from fengsui.core.clauses import Clause, Notice, choose
from fengsui.core.facts import Alerted, Notified, Recipient
from fengsui.core.levels import GONE, LEVELS, Change, Level
from fengsui.core.state import State, World

Group = tuple[Change, Level]


def tellings(fact: Alerted, world: World) -> Iterator[Notified]:
    """All tellings of a version that the pack's notices ask for."""
    for clause, notice in world.pack.notices:
        hazards = notice.trigger.hazards
        if notice.trigger.on == "alert" and (not hazards or fact.hazard in hazards):
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
    """Whether something may have reached a person: he was told, and not every delivery was provably unsent."""
    return person in state.notices.people and person not in state.alert.withdrawn


def _reached_before(clause: Clause, notice: Notice, state: State, world: World) -> Told:
    """Whoever was told in any version at any step and whose area the warning has left, minus whoever was withdrawn."""
    del clause, notice
    found: Told = defaultdict(dict)
    for person in () if state.alert.action == "correct" else state.notices.people:
        if not _may_know(person, state):
            continue
        gone = _gone(person, state, world)
        if gone:
            found["gone", gone][person] = ()
    return found


def _gone(person: str, state: State, world: World) -> Level | None:
    """The level that has left a person, None while the warning still touches anything he answers for."""
    if not state.alert.holds:
        return _ended(state)
    changes = changed_for(person, state, world)
    if not changes or any(c[0] != "gone" for c in changes):
        return None
    return max((c[1] for c in changes), key=LEVELS.index)


def _ended(state: State) -> Level:
    """The strongest level of the version that was replaced."""
    return state.alert.before.strongest or LEVELS[0]


def changed_for(person: str, state: State, world: World) -> list[Group]:
    """What the newest version changed for all that a person answers for."""
    areas = {alerts.area_of(h, world) for h in state.notices.people[person].told}
    areas |= {p.area for p in world.directory.held.get(person, ())}
    known = world.directory.persons.get(person)
    if not areas and known:
        areas = {alerts.area_of(known.unit, world)}
    return [c for a in sorted(filter(None, areas)) if (c := alerts.change(state.alert, a))]


def _misled(clause: Clause, notice: Notice, state: State, world: World) -> Told:
    """Where something still holds, exactly whom the wrong version told; where nothing does any more, whoever was ever told
    so. Neither whom the right version alarms anew, nor whom nothing of the wrong one was about.
    """
    del clause
    found: Told = defaultdict(dict)
    wrong = _told_by(state, state.alert.version - 1)
    for person in state.notices.people if state.alert.action == "correct" else ():
        changes = changed_for(person, state, world)
        if not _may_know(person, state) or any(c[0] in triggers.FRESH for c in changes):
            continue
        holds = [level for change, level in changes if change not in GONE]
        if (holds and person not in wrong) or (state.alert.holds and not changes):
            continue
        level = max(holds or [level for _, level in changes], key=LEVELS.index, default=_ended(state))
        group: Group = ("corrected" if holds else "retracted", level)
        if triggers.asks(notice.trigger, *group):
            found[group][person] = ()
    return found


def _told_by(state: State, version: int) -> set[str]:
    """Persons whom a version told anything."""
    return {r.person for n in state.notices.sent.values() if n.version == version for r in n.recipients}


def _tell(fact: Alerted, clause: Clause, notice: Notice, told: Told, world: World) -> Iterator[Notified]:
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
        recipients = tuple(
            Recipient(person, ways, answers[person])
            for person in sorted(told.get((change, level), {}))
            if person not in seen and (ways := world.directory.usable(person, wanted))
        )
        seen.update(r.person for r in recipients)
        lists, zones = informed.get((change, level), ((), ()))
        if recipients or lists:
            yield Notified(
                fact.stream,
                fact.at,
                key=f"{clause.id}/{notice.name}/{fact.version}/{level}-{change}",
                template=notice.template or notice.name,
                recipients=recipients,
                version=fact.version,
                level=level,
                change=change,
                lists=lists,
                channels=tuple(c for c in wanted if c in world.directory.ways) if lists else (),
                zones=zones,
            )


Informed = dict[Group, tuple[tuple[str, ...], tuple[str, ...]]]
"""For each change and level: the lists that are told, and the zones their members must be in."""


def _informed(notice: Notice, state: State, world: World) -> Informed:
    correction = state.alert.action == "correct"
    if notice.who == ("reached",):
        return {} if correction else _cleared(state)
    if notice.who == ("misled",):
        return _righted(notice, state) if correction else {}
    lists = world.pack.audiences[notice.audience].lists
    found: dict[Group, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for zone, level in state.alert.now.zones.items():
        change, before = _began(zone, level, state)
        if zone in state.alert.kept or (correction and change not in triggers.FRESH):
            continue
        names = {*choose(lists, level), *(choose(lists, before) if change == "down" else ())}
        if names and triggers.asks(notice.trigger, change, level):
            found[change, level][0].update(names)
            found[change, level][1].add(zone)
    return {group: (tuple(sorted(names)), tuple(sorted(zones))) for group, (names, zones) in found.items()}


def _began(zone: str, level: Level, state: State) -> tuple[Change, str]:
    """What changed for the whole of a zone: compared with what covered all of it, not with what touched a part."""
    covered = [at for z, at in state.alert.before.zones.items() if zone.startswith(z)]
    if not covered:
        return "new", ""
    before = max(covered, key=LEVELS.index)
    order = LEVELS.index(level) - LEVELS.index(before)
    return ("up" if order > 0 else "down" if order < 0 else "same"), before


def _cleared(state: State) -> Informed:
    """Lists that were told, in the zones that the warning has left: all of them once nothing holds any more."""
    told, left = state.notices.lists, defaultdict[Group, set[str]](set)
    for zone in {z for zones in told.values() for z in zones}:
        if not state.alert.holds:
            left["gone", _ended(state)].add(zone)
        elif (change := alerts.change(state.alert, zone)) and change[0] == "gone":
            left[change].add(zone)
    return {
        group: (tuple(sorted(n for n, at in told.items() if zones & set(at))), tuple(sorted(zones)))
        for group, zones in left.items()
    }


def _righted(notice: Notice, state: State) -> Informed:
    """Lists by the zones in which they were told: where something still holds, by the wrong version; else, by any."""
    found: dict[Group, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for told in state.notices.sent.values():
        for zone in told.zones if told.lists else ():
            now, before = state.alert.now.level(zone), state.alert.before.level(zone)
            group: Group = ("corrected", now) if now else ("retracted", before or _ended(state))
            wrong = told.version == state.alert.version - 1 if now else bool(before) or not state.alert.holds
            if wrong and triggers.asks(notice.trigger, *group):
                found[group][0].update(told.lists)
                found[group][1].add(zone)
    return {group: (tuple(sorted(names)), tuple(sorted(zones))) for group, (names, zones) in found.items()}
