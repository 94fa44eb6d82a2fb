"""A district that lives in memory: post facts, let time pass, look at what followed. Pure; no clock, no database."""

from __future__ import annotations

import datetime as dt
from functools import cache

import msgspec

from fengsui.core import calendar, duties, mind
from fengsui.core.clauses import Pack
from fengsui.core.directory import Directory, Person, Post
from fengsui.core.facts import (
    Alerted,
    DrillSet,
    DutyOpened,
    Exhausted,
    Fact,
    Notified,
    Reached,
    Reported,
    StepTaken,
    TimeReached,
    UnitReceived,
    kind,
)
from fengsui.core.state import Head, Refusal, Share, State, World, head
from fengsui.formats import packs
from fengsui.rehearse import people

JULE, FENGYU = "140215209", "140215202"
INCIDENT = "incident-1"
ALERT = "2.3.a/alert/1/red-new"
"""The key of the first red telling."""
MIDNIGHT = calendar.utc(dt.datetime.fromisoformat("2027-07-21T00:00:00+08:00"))

DESK = {p: Person(p, "meteorology", ()) for p in ("forecaster", "signer")}
"""Who writes and signs the warnings of these tests; nothing reaches them."""


@cache
def yunzhou() -> Pack:
    return packs.load("yunzhou")


def at(text: str) -> int:
    """``at("02:13")``: that time of the night, UTC µs; hours may exceed 24."""
    hours, minutes = text.split(":")
    return MIDNIGHT + int(hours) * calendar.HOUR + int(minutes) * calendar.MINUTE


def clock(moment: int) -> str:
    minutes = (moment - MIDNIGHT) // calendar.MINUTE
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def only(*clauses: str) -> Pack:
    """The Yunzhou pack with nothing but these clauses live."""
    pack = yunzhou()
    kept = {
        i: msgspec.structs.replace(c, planned=c.planned or i not in clauses) for i, c in pack.clauses.items()
    }
    return msgspec.structs.replace(pack, clauses=kept)


def a_directory(
    *townships: str, roles: tuple[str, ...] = ("duty_officer", "leader"), deputies: bool = True
) -> Directory:
    """A person for each role of each unit, named after his post; deputies of the officers on duty."""
    persons, posts = dict(DESK), {}
    for unit in townships:
        area = yunzhou().units[unit].area
        for role in roles:
            holder = f"{unit}-{role}"
            deputy = f"{unit}-deputy" if deputies and role == "duty_officer" else ""
            posts[f"{unit}/{role}/1"] = Post(f"{unit}/{role}/1", unit, role, area, holder, deputy)
            for person in filter(None, (holder, deputy)):
                persons[person] = Person(person, unit, ("sms",))
    return Directory(persons, posts, frozenset({"sms"}))


def a_population(size: int = 120, seed: int = 1) -> Directory:
    found = people.invent(yunzhou(), size, seed, (JULE, FENGYU)).directory()
    return msgspec.structs.replace(found, persons={**DESK, **found.persons})


def an_alert(
    level: str = "red", *zones: str, version: int = 1, time: str = "02:13", **more: object
) -> Alerted:
    fields = {
        "stream": INCIDENT, "at": at(time), "version": version, "hazard": "rainstorm",
        "zones": dict.fromkeys(zones or (JULE, FENGYU), level) if level else {},
        "expires": at(time) + 6 * calendar.HOUR, "author": "forecaster", "signer": "signer",
        "paper": f"paper-{version}", "replaces": version - 1, "series": "test",
    }  # fmt: skip
    return msgspec.convert({"kind": "alerted"} | fields | more, Alerted)


DRILL = "drill-20270721-1"


def a_drill(state: str = "announced", *units: str, time: str = "02:00", **more: object) -> DrillSet:
    """A turn of a drill of the weather office and these units (none: all)."""
    said = {"scenario": "rainstorm", "units": units or tuple(yunzhou().units), "begins": at(time)}
    fields = {"stream": DRILL, "at": at(time), "state": state, "by": "trainer"}
    fields |= said if state == "announced" else {}
    return msgspec.convert({"kind": "drill_set"} | fields | more, DrillSet)


class District:
    """A world that moves on: ``post`` an input, ``wait`` until a time; ``facts`` is the ledger so far."""

    def __init__(self, directory: Directory, pack: Pack | None = None) -> None:
        self.pack, self.directory = pack or yunzhou(), directory
        self.streams: dict[str, State] = {}
        self.facts: list[Fact] = []
        self.ids: set[str] = set()

    @property
    def world(self) -> World:
        heads: dict[str, Head] = {s: h for s, state in self.streams.items() if (h := head(state))}
        return World(self.pack, self.directory, dict(self.streams), heads)

    def post(self, fact: Fact) -> Refusal | list[Fact]:
        answer = mind.consider(fact, f"input-{len(self.facts)}", self.world)
        if isinstance(answer, Refusal):
            return answer
        self.streams |= answer.streams
        self.ids.update(e.id for e in answer.entries)
        followed = [e.fact for e in answer.entries]
        self.facts += followed
        return followed

    def drilled(self, *units: str, time: str = "02:00") -> District:
        """With a drill that has begun; somebody of the weather office runs it."""
        self.directory = with_post(self.directory, "meteorology", "leader", "trainer")
        for state in ("announced", "started"):
            answer = self.post(a_drill(state, *units, time=time))
            assert not isinstance(answer, Refusal), answer
        return self

    def wait(self, until: int) -> None:
        """Let time pass: every moment that something waits for comes, in order."""
        while True:
            waiting = [
                (due, s) for s, state in self.streams.items() if (due := duties.due(state)) is not None
            ]
            if not waiting or min(waiting)[0] > until:
                return
            due, stream = min(waiting)
            answer = self.post(TimeReached(stream, due, due))
            assert not isinstance(answer, Refusal), answer

    def answer(
        self, person: str, time: int, version: int = 1, stream: str = INCIDENT
    ) -> Refusal | list[Fact]:
        return self.post(Reached(stream, time, person, "", "sms", "acknowledged", version))

    def report(
        self,
        what: str,
        unit: str,
        time: int,
        *,
        by: str = "",
        version: int = 0,
        paper: str = "",
        duty: str = "",
    ) -> Refusal | list[Fact]:
        return self.post(Reported(INCIDENT, time, what, unit, by, version, duty, paper))

    def reach(
        self, person: str, state: str, time: int, *, notice: str = ALERT, version: int = 1
    ) -> Refusal | list[Fact]:
        return self.post(Reached(INCIDENT, time, person, notice, "sms", state, version))  # type: ignore[arg-type]

    def lose(self, person: str, time: int, *, notice: str = "", why: str = "refused") -> Refusal | list[Fact]:
        """Every way to a person failed for the telling he got last, or for the one named."""
        last = notice or self.told()[person][-1]
        return self.post(Exhausted(INCIDENT, time, person, last, why))  # type: ignore[arg-type]

    def share(self, key: str, holder: str) -> Share:
        return self.state().duties[key].shares[holder]

    def state(self, stream: str = INCIDENT) -> State:
        return self.streams[stream]

    def told(self, *, since: int = 0) -> dict[str, list[str]]:
        """Person → keys of what he was told, in order."""
        found: dict[str, list[str]] = {}
        for fact in self.facts:
            if isinstance(fact, Notified) and fact.at >= since:
                for r in fact.recipients:
                    found.setdefault(r.person, []).append(fact.key)
        return found

    def of(self, *kinds: str) -> list[Fact]:
        return [f for f in self.facts if kind(f) in kinds]


def opened(facts: object) -> set[tuple[str, str, str]]:
    """(holder, duty, deadline) of everything that was opened."""
    assert isinstance(facts, list), facts
    return {(h, f.key, clock(f.deadline)) for f in facts if isinstance(f, DutyOpened) for h in f.holders}


def steps(facts: object, key: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """(time, what, for whom) of the ladder steps of a duty."""
    assert isinstance(facts, list), facts
    return [(clock(f.at), f.do, f.holders) for f in facts if isinstance(f, StepTaken) and f.key == key]


def notified(facts: object, template: str = "") -> dict[str, tuple[str, ...]]:
    """Key of each telling → who is told."""
    assert isinstance(facts, list), facts
    return {
        f.key: tuple(r.person for r in f.recipients)
        for f in facts
        if isinstance(f, Notified) and f.template == (template or f.template)
    }


def kinds(facts: object) -> list[str]:
    """Kinds of the facts but for receptions, which accompany almost everything."""
    assert isinstance(facts, list), facts
    return [kind(f) for f in facts if not isinstance(f, UnitReceived)]


def code(answer: object) -> tuple[str, bool]:
    """Code of a refusal, and whether it says that it happened already."""
    assert isinstance(answer, Refusal), answer
    return answer.code, answer.already


def with_post(
    directory: Directory, unit: str, role: str, person: str, *, area: str = "", deputy: str = "", of: str = ""
) -> Directory:
    """The directory with one more post; ``of``: the unit its holder belongs to, if another."""
    number = 1 + sum(p.unit == unit and p.role == role for p in directory.posts.values())
    id_ = f"{unit}/{role}/{number}"
    post = Post(id_, unit, role, area or yunzhou().units[unit].area, person, deputy)
    people_ = {
        p: Person(p, of or unit, ("sms",)) for p in (person, deputy) if p and p not in directory.persons
    }
    return msgspec.structs.replace(
        directory, posts={**directory.posts, id_: post}, persons={**directory.persons, **people_}
    )
