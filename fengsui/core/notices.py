"""通知 Notices: how far each telling got — who was told, who has it, who answered, whom nothing reaches any more.

To whom a version of a warning is told is ``core.telling``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Literal

import msgspec

from fengsui.core import telling, vacancy
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
from fengsui.core.state import DISTRICT, Asked, Contact, NoticePart, Refusal, State, World

replace = msgspec.structs.replace
BLANK = Contact()
TRIAL = "trial"
"""Template of a test message."""
DEFECT: dict[str, Literal["bounced", "disowned"]] = {"address": "bounced", "disowned": "disowned"}
"""What an unreachable person means for the directory."""


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
            yield from telling.tellings(fact, "alert", world)
        case Received(binding=True):
            yield from telling.tellings(fact, "received", world)
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
