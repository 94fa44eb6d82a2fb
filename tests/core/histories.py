"""Random histories: what could happen next in a district, drawn by seed — answers, silences, refusals, versions, the clock."""

from __future__ import annotations

import random
from collections.abc import Iterator

from fengsui.core import calendar, duties
from fengsui.core.facts import (
    Aired,
    Alerted,
    Consulted,
    DirectoryChanged,
    Exhausted,
    Fact,
    Notified,
    Reached,
    Reported,
    ResponseSet,
    SuspensionDecided,
    Tallied,
    TimeReached,
)
from fengsui.core.state import State
from tests.core.worlds import FENGYU, INCIDENT, JULE, District, an_alert, at

ZONES = (
    {JULE: "red"}, {JULE: "red", FENGYU: "red"}, {FENGYU: "orange"}, {JULE: "yellow", FENGYU: "red"}, {JULE: "blue"},
    {f"{JULE}205": "red"}, {f"{JULE}205": "orange", f"{JULE}216": "red"}, {"140215": "yellow", JULE: "red"}, {},
)  # fmt: skip
REPORTS = (
    "relay",
    "measures",
    "support",
    "support_settled",
    "extreme_weather_response",
    "suspension_notice",
    "supervision_reply",
)


def play(d: District, dice: random.Random, length: int, clock: float = 0.4) -> Iterator[Fact]:
    """Post ``length`` inputs that could happen, one after another; yields each after it was posted."""
    now = at("02:13")
    for _ in range(length):
        state = d.streams.get(INCIDENT) or State.blank(INCIDENT)
        due = duties.due(state)
        if due is not None and (due <= now or dice.random() < clock):
            now = max(now, due)
            fact: Fact = TimeReached(INCIDENT, now, due)
        else:
            now += dice.randrange(1, 4 * calendar.MINUTE)
            if due is not None:
                now = min(now, due)
            fact = some(d, state, dice, now)
        d.post(fact)
        yield fact


def some(d: District, state: State, dice: random.Random, now: int) -> Fact:
    """An input that somebody might bring now; the mind may refuse it."""
    part = state.notices
    person, notice = dice.choice(sorted(part.people) or ["nobody"]), dice.choice(sorted(part.sent) or [""])
    unit = dice.choice(("聚乐乡", "峰峪乡", "media", "headquarters_office", "meteorology"))
    version = dice.randint(0, state.alert.version + 1)
    if not state.alert.version or dice.random() < 0.12:
        return alert(state, dice, now)
    roll = dice.randrange(10)
    if roll < 3:
        reach = dice.choice(("handed_over", "delivered", "read", "acknowledged", "acknowledged"))
        return Reached(INCIDENT, now, person, notice, "sms", reach, version)
    if roll == 3:
        mine = [k for k, n in part.sent.items() if any(r.person == person for r in n.recipients)]
        return Exhausted(
            INCIDENT,
            now,
            person,
            dice.choice(mine or [notice]),
            dice.choice(("none", "refused", "address", "disowned")),
        )
    if roll == 4:
        by = dice.choice(["", person])
        return Reported(INCIDENT, now, dice.choice(REPORTS), unit, by, version, paper="p")
    if roll == 5:
        before = state.suspension.get(unit)
        stops = dice.choice(((), ("classes",)))
        return SuspensionDecided(
            INCIDENT,
            now,
            unit,
            "a",
            stops,
            "r",
            lifted=bool(before and before.stops and not stops),
            replaces=before.at if before else 0,
        )
    if roll == 6:
        form = dice.choice(("crawl", "badge", "anchor"))
        return Aired(INCIDENT, now, "media", form, on=dice.random() < 0.7, by="onair", version=version)
    if roll == 7:
        name = dice.choice(sorted(state.consultations) or ["c"])
        stage = dice.choice(("held", "concluded"))
        return Consulted(
            INCIDENT, now, name, "emergency", stage, "headquarters_office", "a", outcome="activate", paper="p"
        )
    if roll == 8:
        return signature(state, dice, now, version)
    told: Notified | None = part.sent.get(notice)
    if told and dice.random() < 0.7:
        return Tallied(INCIDENT, now, notice, "sms", {"delivered": len(told.recipients)})
    if dice.random() < 0.5:
        return ResponseSet(INCIDENT, now, "III", "headquarters", "a")
    return DirectoryChanged("district", now, "departed", unit, person)


def signature(state: State, dice: random.Random, now: int, version: int) -> Reached:
    """The desk signs for a post, whether or not it may."""
    posts = sorted(h for duty in state.duties.values() for h in duty.shares if "/" in h)
    post, person = dice.choice(posts or ["nobody/leader/1"]), dice.choice(("", "聚乐乡-leader", "nobody"))
    return Reached(
        INCIDENT, now, person, "", "call", "acknowledged", version, by="desk", holder=post, paper="note"
    )


def alert(state: State, dice: random.Random, now: int) -> Alerted:
    """The next version: other zones, other levels, or none."""
    version = state.alert.version + 1
    told = sorted(state.notices.people)
    withdrawn = dice.sample(told, min(1, len(told))) if dice.random() < 0.3 else []
    zones = dice.choice(ZONES[:-1] if not state.alert.holds else ZONES)
    return an_alert(
        "red",
        version=version,
        at=now,
        expires=now + dice.choice((15, 240)) * calendar.MINUTE,
        zones=zones,
        withdrawn=withdrawn,
    )
