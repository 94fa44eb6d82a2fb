"""通知 Notices: who is told of a warning, and how far each telling got.

Audience × channel × order are the pack's. ``reached``: whoever was told by any version at any step is told the all-clear;
``misled``: whoever was told by a version that was wrong is told its correction; nobody else is. A person stands once in
one telling.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Literal

import msgspec

from fengsui.core import alerts, triggers, vacancy
from fengsui.core.clauses import Cause, Clause, Notice, choose
from fengsui.core.facts import (
    REACH,
    Alerted,
    DirectoryChanged,
    Exhausted,
    Fact,
    Notified,
    Reach,
    Reached,
    Received,
    Recipient,
    Reported,
    Tallied,
    Tried,
    UnitReceived,
)
from fengsui.core.levels import GONE, LEVELS, Change, Level
from fengsui.core.state import DISTRICT, Asked, Contact, NoticePart, Refusal, State, World

replace = msgspec.structs.replace
BLANK = Contact()
TRIAL = "trial"
"""Template of a test message."""
DEFECT: dict[str, Literal["bounced", "disowned"]] = {"address": "bounced", "disowned": "disowned"}
"""What an unreachable person means for the directory."""
Group = tuple[Change, Level]


# ── fold ─────────────────────────────────────────────────────────────────────


def folded(state: State, fact: Notified | Reached | Exhausted | Tallied) -> State:
    """The stream after a telling, or after news of how far one got."""
    return replace(state, notices=fold(state.notices, fact))


def fold(part: NoticePart, fact: Notified | Reached | Exhausted | Tallied) -> NoticePart:
    """Tellings, contacts, and channels still to be tallied."""
    match fact:
        case Notified():
            return _told(part, fact)
        case Reached(holder=str(post)) if post:
            return replace(part, people=part.people.having(vacancy.spoken(part, fact)))
        case Reached():
            mine = fact.state == "acknowledged"
            return replace(
                part,
                people=part.people.having({fact.person: _further(part, fact)}),
                disowned=part.disowned - {fact.person} if mine else part.disowned,
            )
        case Exhausted():
            stranger = {fact.person} if fact.why == "disowned" else set()
            return replace(
                part,
                exhausted=part.exhausted.having({(fact.notice, fact.person): True}),
                disowned=part.disowned | stranger,
            )
        case Tallied():
            left = tuple(c for c in part.pending.get(fact.notice, ()) if c != fact.channel)
            return replace(part, pending={**part.pending, fact.notice: left})


def _told(part: NoticePart, fact: Notified) -> NoticePart:
    people: dict[str, Contact] = {}
    asked = dict(part.asked)
    by_holder: dict[str, list[str]] = defaultdict(list)
    for r in fact.recipients:
        before = people.get(r.person, part.people.get(r.person, BLANK))
        told = {**before.told, **dict.fromkeys(r.holders, fact.version)} if r.holders else before.told
        people[r.person] = replace(before, version=max(before.version, fact.version), told=told)
        for holder in r.holders:
            by_holder[holder].append(r.person)
    asked.update({h: Asked(fact.key, tuple(p)) for h, p in by_holder.items()})
    channels = dict.fromkeys(
        [c for r in fact.recipients for c in r.channels] + list(fact.channels if fact.lists else ())
    )
    return replace(
        part,
        sent={**part.sent, fact.key: fact},
        people=part.people.having(people),
        asked=asked,
        lists={**part.lists, **{name: _zones(part, name, fact) for name in fact.lists}},
        pending={**part.pending, fact.key: tuple(channels)},
    )


def _zones(part: NoticePart, name: str, fact: Notified) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*part.lists.get(name, ()), *fact.zones)))


def _further(part: NoticePart, fact: Reached) -> Contact:
    contact = part.people.get(fact.person, BLANK)
    reach = {**contact.reach, fact.notice: further(contact.reach.get(fact.notice), fact.state)}
    version = fact.version if fact.state == "acknowledged" else -1
    return replace(contact, reach=reach, acknowledged=max(contact.acknowledged, version))


def further(before: Reach | None, now: Reach) -> Reach:
    """The later of two states: none ever goes back."""
    return now if before is None or REACH.index(now) > REACH.index(before) else before


# ── admit ────────────────────────────────────────────────────────────────────


def admit(fact: Fact, world: World) -> Refusal | None:
    """News of a telling counts once, and only for whom it was told to."""
    match fact:
        case Tried():
            return _untriable(fact, world)
        case Reached():
            return _reached(fact, world)
        case Exhausted():
            part = world.at(fact.stream).notices
            if fact.person not in part.people:
                return Refusal("N01", "此人未在本过程中被通知")
            if (fact.notice, fact.person) in part.exhausted:
                return Refusal("N02", "已记为无路可达", already=True)
        case Tallied():
            if fact.channel not in world.at(fact.stream).notices.pending.get(fact.notice, ()):
                return Refusal("N03", "该渠道清单已记", already=True)
    return None


def _reached(fact: Reached, world: World) -> Refusal | None:
    if fact.holder:
        return vacancy.refusal(fact, world)
    state = world.at(fact.stream)
    contact = state.notices.people.get(fact.person)
    if contact is None:
        return Refusal("N01", "此人未在本过程中被通知")
    if fact.state == "acknowledged":
        if contact.acknowledged >= fact.version and not _owes(state, contact, fact.version):
            return Refusal("N04", "已签收", already=True)
        return None
    before = contact.reach.get(fact.notice)
    if before and REACH.index(before) >= REACH.index(fact.state):
        return Refusal("N05", "该状态已记", already=True)
    return None


def _untriable(fact: Tried, world: World) -> Refusal | None:
    """No test without a way, and none to whom a warning still waits for an answer: his 1 would be taken for it."""
    if fact.person not in world.directory.persons:
        return Refusal("N06", "名录中没有此人，请刷新后重试")
    if not _ways(fact, world):
        return Refusal("N07", "此人没有可用的接收方式（未登记、空号，或该渠道没有网关），请先更正")
    for state in world.streams.values():
        contact = state.notices.people.get(fact.person)
        if contact and not state.closed and _owes(state, contact, contact.version):
            return Refusal("N08", "此人有预警待签收，回复会混淆；请待其签收后再试")
    return None


def _ways(fact: Tried, world: World) -> tuple[str, ...]:
    open_ways = world.directory.usable(fact.person, ())
    return tuple(c for c in open_ways if fact.channel in ("", c))


def _owes(state: State, contact: Contact, version: int) -> bool:
    """Whether an answer by this person would still end something."""
    for duty in state.duties.values():
        for holder, told in contact.told.items():
            share = duty.shares.get(holder)
            if (
                share
                and share.open
                and "acknowledged" in share.plan.evidence
                and share.plan.version <= min(version, told)
            ):
                return True
    return False


# ── decide ───────────────────────────────────────────────────────────────────


def decide(fact: Fact, world: World) -> Iterator[Fact]:
    """Tell whom a warning concerns; note a unit's reception; a dead number becomes a matter of the directory."""
    match fact:
        case Alerted():
            yield from _announce(fact, "alert", world)
        case Received(binding=True):
            yield from _announce(fact, "received", world)
        case Reached():
            yield from _reception(fact, world)
        case Tried():
            yield _trial(fact, world)
        case Exhausted(why="address" | "disowned"):
            person = world.directory.persons.get(fact.person)
            if person:
                yield DirectoryChanged(
                    DISTRICT, fact.at, DEFECT[fact.why], person.unit, person.id, world.directory.digest
                )
        case Reported(by=str(person)) if person:
            yield from _implied(fact, world)


def _trial(fact: Tried, world: World) -> Notified:
    """The telling of a test: each has a version of its own, so that each can be answered."""
    version = world.at(fact.stream).notices.people.get(fact.person, BLANK).version + 1
    recipient = Recipient(fact.person, _ways(fact, world))
    key = f"{TRIAL}/{fact.person}/{version}"
    return Notified(fact.stream, fact.at, key, TRIAL, (recipient,), version)


def _reception(fact: Reached, world: World) -> Iterator[Fact]:
    """The first of a unit's persons whose message got as far as the pack calls 接收到: of his own unit, and of each
    unit for whose posts he was told.
    """
    if fact.stream == DISTRICT or REACH.index(fact.state) < REACH.index(world.pack.reception):
        return  # no warning is told there
    state, units = world.at(fact.stream), _receiving(fact, world)
    for unit in sorted(filter(None, units)):
        if state.received.get(unit, 0) < units[unit]:
            yield UnitReceived(fact.stream, fact.at, unit, units[unit])


def _receiving(fact: Reached, world: World) -> dict[str, int]:
    """Units that have received by this, each with the version; a post signed for stands for its unit alone."""
    if fact.holder:
        return {fact.holder.split("/", 1)[0]: fact.version}
    state, person = world.at(fact.stream), world.directory.persons.get(fact.person)
    contact = state.notices.people[fact.person]
    version = fact.version or contact.version
    units = {person.unit: version} if person else {}
    for holder, told in contact.told.items():
        unit = holder.split("/", 1)[0]
        units[unit] = max(units.get(unit, 0), min(version, told))
    return units


def _implied(fact: Reported, world: World) -> Iterator[Fact]:
    """已再传播 implies 收到: whoever reports has read."""
    if implied(fact, world):
        version = fact.version or world.at(fact.stream).alert.version
        yield Reached(fact.stream, fact.at, fact.by, "", "", "acknowledged", version)


def implied(fact: Reported, world: World) -> bool:
    """Whether a report is also an answer that its maker still owes."""
    state = world.at(fact.stream)
    contact = state.notices.people.get(fact.by)
    return contact is not None and _owes(state, contact, fact.version or state.warning.version)


def _announce(fact: Alerted | Received, cause: Cause, world: World) -> Iterator[Fact]:
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
    """Whether something may have reached a person: he was told, and not every delivery was provably unsent."""
    return person in state.notices.people and person not in state.warning.withdrawn


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
    changes = _changes(person, state, world)
    if not changes or any(c[0] != "gone" for c in changes):
        return None
    return max((c[1] for c in changes), key=LEVELS.index)


def _ended(state: State) -> Level:
    """The strongest level of the version that was replaced."""
    return state.warning.before.strongest or LEVELS[0]


def _changes(person: str, state: State, world: World) -> list[Group]:
    """What the newest version changed for all that a person answers for."""
    areas = {alerts.area_of(h, world) for h in state.notices.people[person].told}
    areas |= {p.area for p in world.directory.held.get(person, ())}
    known = world.directory.persons.get(person)
    if not areas and known:
        areas = {alerts.area_of(known.unit, world)}
    return [c for a in sorted(filter(None, areas)) if (c := alerts.change(state.warning, a))]


def _misled(clause: Clause, notice: Notice, state: State, world: World) -> Told:
    """Where something still holds, exactly whom the wrong version told; where nothing does any more, whoever was ever told
    so. Neither whom the right version alarms anew, nor whom nothing of the wrong one was about.
    """
    del clause
    found: Told = defaultdict(dict)
    wrong = _told_by(state, state.warning.version - 1)
    for person in state.notices.people if state.warning.action == "correct" else ():
        changes = _changes(person, state, world)
        if not _may_know(person, state) or any(c[0] in triggers.FRESH for c in changes):
            continue
        holds = [level for change, level in changes if change not in GONE]
        if (holds and person not in wrong) or (state.warning.holds and not changes):
            continue
        level = max(holds or [level for _, level in changes], key=LEVELS.index, default=_ended(state))
        group: Group = ("corrected" if holds else "retracted", level)
        if triggers.asks(notice.trigger, *group):
            found[group][person] = ()
    return found


def _told_by(state: State, version: int) -> set[str]:
    """Persons whom a version told anything."""
    return {r.person for n in state.notices.sent.values() if n.version == version for r in n.recipients}


def _tell(
    fact: Alerted | Received, clause: Clause, notice: Notice, told: Told, world: World
) -> Iterator[Fact]:
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
    correction = state.warning.action == "correct"
    if notice.who == ("reached",):
        return {} if correction else _cleared(state)
    if notice.who == ("misled",):
        return _righted(notice, state) if correction else {}
    lists = world.pack.audiences[notice.audience].lists
    found: dict[Group, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for zone, level in state.warning.now.zones.items():
        change, before = _began(zone, level, state)
        if zone in state.warning.kept or (correction and change not in triggers.FRESH):
            continue
        names = {*choose(lists, level), *(choose(lists, before) if change == "down" else ())}
        if names and triggers.asks(notice.trigger, change, level):
            found[change, level][0].update(names)
            found[change, level][1].add(zone)
    return {group: (tuple(sorted(names)), tuple(sorted(zones))) for group, (names, zones) in found.items()}


def _began(zone: str, level: Level, state: State) -> tuple[Change, str]:
    """What changed for the whole of a zone: compared with what covered all of it, not with what touched a part."""
    covered = [at for z, at in state.warning.before.zones.items() if zone.startswith(z)]
    if not covered:
        return "new", ""
    before = max(covered, key=LEVELS.index)
    order = LEVELS.index(level) - LEVELS.index(before)
    return ("up" if order > 0 else "down" if order < 0 else "same"), before


def _cleared(state: State) -> Informed:
    """Lists that were told, in the zones that the warning has left: all of them once nothing holds any more."""
    told, left = state.notices.lists, defaultdict[Group, set[str]](set)
    for zone in {z for zones in told.values() for z in zones}:
        if not state.warning.holds:
            left["gone", _ended(state)].add(zone)
        elif (change := alerts.change(state.warning, zone)) and change[0] == "gone":
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
            now, before = state.warning.now.level(zone), state.warning.before.level(zone)
            group: Group = ("corrected", now) if now else ("retracted", before or _ended(state))
            wrong = (
                told.version == state.warning.version - 1 if now else bool(before) or not state.warning.holds
            )
            if wrong and triggers.asks(notice.trigger, *group):
                found[group][0].update(told.lists)
                found[group][1].add(zone)
    return {group: (tuple(sorted(names)), tuple(sorted(zones))) for group, (names, zones) in found.items()}
