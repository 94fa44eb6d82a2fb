"""通知 Notices: who is told of a warning, and how far each telling got.

Audience × channel × order are the pack's. Whoever was told by any version at any step is told the all-clear; nobody
else is. A person stands once in one telling.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Literal

import msgspec

from fengsui.core import alerts, triggers
from fengsui.core.clauses import LEVELS, Change, Clause, Level, Notice, choose
from fengsui.core.facts import (
    REACH,
    Alerted,
    DirectoryChanged,
    Exhausted,
    Fact,
    Notified,
    Reach,
    Reached,
    Recipient,
    Reported,
    Tallied,
    UnitReceived,
)
from fengsui.core.state import DISTRICT, Asked, Contact, NoticePart, Refusal, State, World

replace = msgspec.structs.replace
BLANK = Contact()
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
        case Reached():
            return replace(part, people={**part.people, fact.person: _further(part, fact)})
        case Exhausted():
            return replace(part, exhausted=part.exhausted | {(fact.notice, fact.person)})
        case Tallied():
            left = tuple(c for c in part.pending.get(fact.notice, ()) if c != fact.channel)
            return replace(part, pending={**part.pending, fact.notice: left})


def _told(part: NoticePart, fact: Notified) -> NoticePart:
    people, asked = dict(part.people), dict(part.asked)
    by_holder: dict[str, list[str]] = defaultdict(list)
    for r in fact.recipients:
        before = people.get(r.person, BLANK)
        holders = tuple(dict.fromkeys((*before.holders, *r.holders)))
        people[r.person] = replace(before, version=max(before.version, fact.version), holders=holders)
        for holder in r.holders:
            by_holder[holder].append(r.person)
    asked.update({h: Asked(fact.key, tuple(p)) for h, p in by_holder.items()})
    channels = dict.fromkeys(
        [c for r in fact.recipients for c in r.channels] + list(fact.channels if fact.lists else ())
    )
    return replace(
        part,
        sent={**part.sent, fact.key: fact},
        people=people,
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


def _owes(state: State, contact: Contact, version: int) -> bool:
    """Whether an answer by this person would still end something."""
    for duty in state.duties.values():
        for holder in contact.holders:
            share = duty.shares.get(holder)
            if (
                share
                and share.open
                and "acknowledged" in share.plan.evidence
                and share.plan.version <= version
            ):
                return True
    return False


# ── decide ───────────────────────────────────────────────────────────────────


def decide(fact: Fact, world: World) -> Iterator[Fact]:
    """Tell whom a warning concerns; note a unit's reception; a dead number becomes a matter of the directory."""
    match fact:
        case Alerted():
            yield from _announce(fact, world)
        case Reached():
            yield from _reception(fact, world)
        case Exhausted(why="address" | "disowned"):
            person = world.directory.persons.get(fact.person)
            if person:
                yield DirectoryChanged(
                    DISTRICT, fact.at, DEFECT[fact.why], person.unit, person.id, world.directory.digest
                )
        case Reported(by=str(person)) if person:
            yield from _implied(fact, world)


def _reception(fact: Reached, world: World) -> Iterator[Fact]:
    """The first of a unit's persons whose message got as far as the pack calls 接收到."""
    person = world.directory.persons.get(fact.person)
    version = fact.version or world.at(fact.stream).notices.people[fact.person].version
    if person is None or REACH.index(fact.state) < REACH.index(world.pack.reception):
        return
    if world.at(fact.stream).received.get(person.unit, 0) < version:
        yield UnitReceived(fact.stream, fact.at, person.unit, version)


def _implied(fact: Reported, world: World) -> Iterator[Fact]:
    """已再传播 implies 收到: whoever reports has read."""
    state = world.at(fact.stream)
    contact = state.notices.people.get(fact.by)
    version = fact.version or state.alert.version
    if contact and _owes(state, contact, version):
        yield Reached(fact.stream, fact.at, fact.by, "", "", "acknowledged", version)


def _announce(fact: Alerted, world: World) -> Iterator[Fact]:
    for clause, notice in world.pack.notices:
        if notice.trigger.on == "alert":
            who = _reached_before if notice.who == ("reached",) else _audience
            yield from _tell(fact, clause, notice, who(clause, notice, world.at(fact.stream), world), world)


Told = dict[Group, dict[str, tuple[str, ...]]]
"""For each change and level: person → holders he may answer for."""


def _audience(clause: Clause, notice: Notice, state: State, world: World) -> Told:
    found: Told = defaultdict(dict)
    for unit in triggers.subjects(notice.who or clause.responsible, "", state, world.pack):
        touched = alerts.touched(state, world.pack.units[unit])
        if touched is None or touched[0] not in (notice.trigger.change or triggers.FRESH):
            continue
        for post in triggers.posts(unit, touched[1], state, world, notice.audience):
            holder = world.directory.posts[post].holder
            if holder:
                found[touched][holder] = (*found[touched].get(holder, ()), post)
    return found


def _reached_before(clause: Clause, notice: Notice, state: State, world: World) -> Told:
    """Whoever was told in any version at any step and whose area the warning has left, minus whoever was withdrawn."""
    del clause, notice
    found: Told = defaultdict(dict)
    for person in state.notices.people:
        if person in state.alert.withdrawn:
            continue
        gone = _gone(person, state, world)
        if gone:
            found["gone", gone][person] = ()
    return found


def _gone(person: str, state: State, world: World) -> Level | None:
    """The level that has left a person's area, None while the warning still touches it."""
    before = state.alert.before.zones
    if not state.alert.holds:
        return max(before.values(), key=LEVELS.index)
    held = [p.area for p in world.directory.posts.values() if p.holder == person]
    known = world.directory.persons.get(person)
    areas = held or ([world.pack.units[known.unit].area] if known and known.unit in world.pack.units else [])
    changes = [alerts.change(state.alert, area) for area in areas]
    if areas and all(c and c[0] == "gone" for c in changes):
        return max((c[1] for c in changes if c), key=LEVELS.index)
    return None


def _tell(fact: Alerted, clause: Clause, notice: Notice, told: Told, world: World) -> Iterator[Fact]:
    audience = world.pack.audiences[notice.audience]
    seen: set[str] = set()
    for change, level in sorted(told, key=lambda g: (-LEVELS.index(g[1]), g[0])):
        wanted = choose(audience.channels, level)
        recipients = tuple(
            Recipient(person, ways, holders)
            for person, holders in sorted(told[change, level].items())
            if person not in seen and (ways := world.directory.usable(person, wanted))
        )
        seen.update(r.person for r in recipients)
        lists, zones = _informed(notice, change, level, fact, world)
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


def _informed(
    notice: Notice, change: Change, level: Level, fact: Alerted, world: World
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Lists that are told, and the zones their members must be in: those where this level has just begun or ended."""
    state = world.at(fact.stream)
    if notice.who == ("reached",):
        left = {z for z in state.alert.before.zones if state.alert.now.level(z) is None}
        lists = tuple(sorted(name for name, zones in state.notices.lists.items() if left & set(zones)))
        return (lists, tuple(sorted(left))) if lists else ((), ())
    lists = choose(world.pack.audiences[notice.audience].lists, level)
    zones = tuple(
        sorted(
            z for z, at in fact.zones.items() if at == level and alerts.change(state.alert, z) == (change, at)
        )
    )
    return (lists, zones) if lists and zones else ((), ())
