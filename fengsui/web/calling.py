"""叫应通话 Calling: for a board row, whom to ring in which order, what to say, and which fact a call becomes.

The core decides whether the fact is admitted; here is only which one the person at the desk means.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import msgspec

from fengsui.core import alerts, vacancy, wording
from fengsui.core.board import Row
from fengsui.core.facts import Fact, Reached, Reported, SuspensionDecided
from fengsui.core.levels import LEVELS, Level
from fengsui.core.series import word
from fengsui.core.state import Share, State, World
from fengsui.web import sentences, tasks

Outcome = Literal["answered", "done", "promised", "none"]
DESK = "desk"
"""Who says so, where an account acts for no person."""
ORDER = ("duty_officer", "liaison", "duty_leader", "leader")
"""Roles of a unit in the order in which they are rung."""


class Note(msgspec.Struct, frozen=True):
    """A call as it is kept: which row, who rang whom, whether he was reached, what was promised."""

    at: int
    row: str
    by: str
    person: str
    who: str
    outcome: Outcome
    words: str = ""
    heard: str = ""
    form: str = ""


class Contact(NamedTuple):
    """Somebody to ring for a row: his part in it, and whether an answer of his counts for its holder."""

    person: str
    part: str
    counts: bool


class Asked(NamedTuple):
    """What a row asks. answer: a plain 收到 ends it; report: the report that ends it; stops: a decision does.

    vacant: nobody could be told, so that the desk signs for whoever takes the call.
    """

    answer: bool = False
    vacant: bool = False
    report: str = ""
    title: str = ""
    paper: bool = False
    stops: tuple[str, ...] = ()
    lifts: bool = False

    @property
    def closes(self) -> bool:
        """Whether a call can end the row."""
        return bool(self.answer or self.report or self.stops or self.lifts)


def asked(row: Row, world: World) -> Asked:
    """What would end a row, as far as a person can say it."""
    share, pack = tasks.share(row, world), world.pack
    words = share.plan.evidence
    if "acknowledged" in words:
        return Asked(answer=True, vacant=not vacancy.answerable(row.holder, world.at(row.stream)))
    if "suspension_decided" in words:
        return Asked(stops=share.plan.use.stops if share.plan.use else tuple(sentences.STOPS))
    if "suspension_lifted" in words:
        return Asked(lifts=True)
    known = next((w for w in words if w in pack.reports), "")
    return (
        Asked(report=known, title=pack.reports[known].title, paper=pack.reports[known].paper)
        if known
        else Asked()
    )


def contacts(row: Row, world: World) -> list[Contact]:
    """Whom to ring for a row: the holder, who stands in, those at work, those in charge, the unit above; each once."""
    state, found = world.at(row.stream), {}
    for person, part in _known(row, world):
        if person and person not in found:
            found[person] = Contact(person, part, _counts(person, row.holder, state))
    return list(found.values())


def _known(row: Row, world: World) -> Iterator[tuple[str, str]]:
    directory, pack = world.directory, world.pack
    post = directory.posts.get(row.holder)
    if post is not None:
        yield post.holder, "本人"
        yield post.deputy, "B角"
    asked_ = world.at(row.stream).notices.asked.get(row.holder)
    for role in ORDER:
        for one in directory.unit_posts.get(row.unit, ()):
            if one.role == role:
                yield one.holder, pack.roles.get(role, role)
                yield one.deputy, f"{pack.roles.get(role, role)}B角"
    for person in asked_.persons if asked_ else ():
        yield person, "已被通知"
    superior = pack.units[row.unit].superior if row.unit in pack.units else ""
    for person in directory.holders(superior, "duty_officer", "leader") if superior else ():
        yield person, f"上级 {sentences.unit(superior, world)}"


def _counts(person: str, holder: str, state: State) -> bool:
    contact = state.notices.people.get(person)
    return contact is not None and holder in contact.told


def both(row: Row, world: World) -> tuple[tuple[str, str], ...]:
    """The holder of a post and who stands in for him, each with his part; without either, who was told for it."""
    post = world.directory.posts.get(row.holder)
    named = [(post.holder, "本人"), (post.deputy, "B角")] if post else []
    if not any(p for p, _ in named):
        named = [(c.person, c.part) for c in contacts(row, world)[:2]]
    return tuple((p, part) for p, part in named if p)


def silent(world: World, now: int) -> list[Row]:
    """Whoever has not acknowledged, in the order in which they are rung: the strongest level first, then the worst."""
    found = [row for row in tasks.rows(world) if asked(row, world).answer]
    return sorted(found, key=lambda row: (-LEVELS.index(level(row, world) or "blue"), tasks.order(row, now)))


def level(row: Row, world: World) -> Level | Literal[""]:
    """The level of the warning over the place that a row is about, "" without a warning."""
    alert = world.at(row.stream).warning
    zones = alert.now if alert.holds else alert.before
    area = alerts.area_of(row.holder, world)
    return zones.level(area) or max(zones.zones.values(), key=LEVELS.index, default="")


def words(row: Row, world: World, whom: str = "") -> str:
    """What to say on the telephone. whom: as the person is called, "" = by his post."""
    state, pack = world.at(row.stream), world.pack
    whom = whom or sentences.holder(row.holder, world)
    alert, mark = state.warning, f"这是{word(state.series)}。" if word(state.series) else ""
    if not alert.hazard:
        return f"{mark}您好，这里是{pack.texts.issuer}值班室。{whom}“{sentences.title(row.duty, world)}”尚未办结，请尽快办理。"
    zones = alert.now.zones or alert.before.zones
    level = pack.texts.levels[max(zones.values(), key=LEVELS.index)]
    areas = wording.places(tuple(zones), zones, pack)
    begun = state.foreign.sent or alert.at
    about = f"{state.foreign.sender}{wording.clock(begun, pack)}发布的{pack.hazards[alert.hazard].name}{level}预警，区域{areas}"
    wants = asked(row, world)
    if wants.vacant:
        return (
            f"{mark}您好，这里是{pack.texts.issuer}值班室。{about}。{whom}目前没有能通知到的人。"
            "请您记下，立即报告单位负责人并通知到村到户。请复述一遍灾种、级别和区域，并说明您的姓名、职务和怎么落实。"
        )
    if wants.answer:
        return (
            f"{mark}您好，这里是{pack.texts.issuer}值班室。{about}。{whom}还没有签收。"
            "请您现在确认已经知道，立即通知到村到户，并随时报告情况。请复述一遍灾种、级别和区域。"
        )
    return (
        f"{mark}您好，这里是{pack.texts.issuer}值班室。{about}。{whom}的“{sentences.title(row.duty, world)}”"
        f"时限{wording.clock(row.deadline, pack)}，尚未办结。请立即办理，办好马上报告；现在办到哪一步？"
    )


def answerer(row: Row, person: str, world: World) -> str:
    """The person whose answer a call is: who spoke if he was told for this holder, else who holds the post."""
    state = world.at(row.stream)
    post = world.directory.posts.get(row.holder)
    told = state.notices.asked.get(row.holder)
    wanted = [person, post.holder if post else "", *(told.persons if told else ())]
    return next((p for p in wanted if p and _counts(p, row.holder, state)), person)


def fact(row: Row, note: Note, world: World, *, paper: str, stops: tuple[str, ...] = ()) -> Fact | None:
    """The fact a call becomes, None where it is only a call: nobody reached, or a promise."""
    wants, share = asked(row, world), tasks.share(row, world)
    if note.outcome == "answered" and wants.vacant:
        return _signed(row, note, world, paper=paper)
    if note.outcome == "answered" and wants.answer:
        person = answerer(row, note.person, world)
        return Reached(
            row.stream,
            note.at,
            person,
            "",
            "call",
            "acknowledged",
            _version(row, share, person, world),
            note.by,
        )
    if note.outcome != "done":
        return None
    if wants.report:
        by = note.person if note.person in world.at(row.stream).notices.people else ""
        return Reported(row.stream, note.at, wants.report, row.unit, by, share.plan.version, row.duty, paper)
    if wants.stops or wants.lifts:
        before = world.at(row.stream).suspension.get(row.unit)
        return SuspensionDecided(
            row.stream,
            note.at,
            row.unit,
            note.person or note.by,
            stops if wants.stops else (),
            "" if stops or wants.lifts else paper,
            lifted=wants.lifts,
            replaces=before.at if before else 0,
        )
    return None


def _signed(row: Row, note: Note, world: World, *, paper: str) -> Reached:
    """The desk signs for a post nobody could be told for; the paper says who took the call and what he promised."""
    return Reached(
        row.stream,
        note.at,
        note.person if note.person in world.directory.persons else "",
        "",
        "call",
        "acknowledged",
        row.version,
        note.by,
        row.holder,
        paper,
    )


def _version(row: Row, share: Share, person: str, world: World) -> int:
    contact = world.at(row.stream).notices.people.get(person)
    return max(share.plan.version, contact.told.get(row.holder, 0) if contact else 0)
