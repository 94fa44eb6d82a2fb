"""演员 Cast: what invented people do when a message reaches them or a duty is theirs — by seed, never by order.

Every choice is drawn from a die named after who chooses about what, so that the same seed gives the same night
however messages interleave. Nobody here knows the rules: they get short messages and duties, and act or do not.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator
from typing import NamedTuple

from fengsui.core.calendar import MINUTE, SECOND
from fengsui.core.clauses import Pack
from fengsui.core.facts import (
    Aired,
    Alerted,
    Consulted,
    DutyOpened,
    Fact,
    Reached,
    Reported,
    ResponseSet,
    StepTaken,
    SuspensionDecided,
)
from fengsui.rehearse.people import Invented, Population

DEAD, DISOWNS, AWAY, ASLEEP, SLOW = 0.03, 0.04, 0.09, 0.17, 0.36
"""Cumulative shares of numbers that are dead, people who left, are away, asleep, slow; the rest answers promptly."""
ASKS = re.compile("回复?1")
"""How a message asks for an answer."""
ACKNOWLEDGE = "2.4.1/acknowledge"
STOPS: dict[str, tuple[str, ...]] = {
    "education": ("classes",),
    "housing": ("work",),
    "culture_tourism": ("business",),
}
"""What the rehearsed departments stop; townships stop everything, the others go on and say why."""
PATIENCE = 60 * MINUTE
"""Nobody in a rehearsal takes longer than this for what is his, however long he may; who has hours forgets nothing,
since the night would end before anybody could press him."""


class Say(NamedTuple):
    """A phone answers by short message."""

    at: int
    number: str
    text: str


class Do(NamedTuple):
    """Somebody records something; ``note``: words that belong to it and become a paper."""

    at: int
    fact: Fact
    note: str = ""


class Correct(NamedTuple):
    """A unit corrects a person's number, then says so."""

    at: int
    person: str
    number: str
    report: Reported


Act = Say | Do | Correct


def die(seed: int, *names: object) -> random.Random:
    """A die of its own for one choice of one person."""
    return random.Random(hashlib.sha256(repr((seed, names)).encode()).digest())


def span(dice: random.Random, low: float, high: float) -> int:
    """A span between two numbers of minutes, in µs: no two people act in the same instant."""
    return round(dice.uniform(low, high) * MINUTE)


class Cast:
    """The invented people of one night."""

    def __init__(self, population: Population, pack: Pack, seed: int) -> None:
        self.pack, self.seed = pack, seed
        self.by_number: dict[str, Invented] = {p.number: p for p in population.people}
        self.by_id: dict[str, Invented] = {p.id: p for p in population.people}
        self.posts = {p.id: p for p in population.posts}
        self.on_duty = {p.unit: p.holder for p in population.posts if p.role == "duty_officer"}
        self.desk_free = 0
        self.heard: dict[str, int] = {}
        self.versions: dict[str, int] = {}

    # ── phones ───────────────────────────────────────────────────────────────

    def mood(self, person: str) -> str:
        """dead, disowns, away, asleep, slow or prompt: how this person is tonight. Those on duty are awake."""
        draw = die(self.seed, "mood", person).random()
        if person in self.on_duty.values():
            return "slow" if draw < DISOWNS else "prompt"
        for share, name in (
            (DEAD, "dead"),
            (DISOWNS, "disowns"),
            (AWAY, "away"),
            (ASLEEP, "asleep"),
            (SLOW, "slow"),
        ):
            if draw < share:
                return name
        return "prompt"

    def arrival(self, number: str) -> tuple[int, bool]:
        """How long a message takes to a phone (µs), and whether it arrives at all."""
        person = self.by_number[number]
        turn = self.heard.get(number, 0)
        dice = die(self.seed, "arrival", person.id, turn)
        return span(dice, 0.05, 0.6) // SECOND * SECOND, not (
            self.mood(person.id) == "dead" and not person.list and number[3] == "0"
        )

    def hears(self, number: str, text: str, at: int) -> Iterator[Act]:
        """What a person does who reads a message; list members are told, not asked."""
        person = self.by_number[number]
        turn = self.heard[number] = self.heard.get(number, 0) + 1
        if person.list or not ASKS.search(text):
            return
        dice = die(self.seed, "answer", person.id, turn)
        match self.mood(person.id):
            case "prompt":
                yield Say(at + span(dice, 0.3, 3.5), number, self._words(person, dice))
            case "slow":
                yield Say(at + span(dice, 3, 9), number, self._words(person, dice))
            case "asleep" if turn > 1 and dice.random() < 0.4:
                yield Say(at + span(dice, 1, 4), number, "收到")
            case "disowns":
                yield Say(at + span(dice, 1, 4), number, "0")

    def _words(self, person: Invented, dice: random.Random) -> str:
        draw = dice.random()
        if draw < 0.02 and person.area not in (self.pack.district, ""):
            return "3"
        if draw < 0.04:
            return "正在往村里赶，路不好走"
        return dice.choice(("1", "1", "1", "1", "１", "收到", "1。", "收到！"))

    # ── duties ───────────────────────────────────────────────────────────────

    def sees(self, fact: Fact) -> Iterator[Act]:
        """What people do about a fact that concerns them."""
        match fact:
            case Alerted():
                self.versions[fact.stream] = fact.version
            case DutyOpened():
                for holder in fact.holders:
                    yield from self._owed(fact, holder)
            case StepTaken(do="desk", key=key) if key == ACKNOWLEDGE:
                for holder in fact.holders:
                    yield from self._desk(fact, holder)
            case StepTaken(do="supervise"):
                for holder in fact.holders:
                    dice = die(self.seed, "spurred", fact.key, holder)
                    if holder in self.on_duty and dice.random() < 0.75:
                        yield from self._act(fact.stream, fact.key, holder, fact.at + span(dice, 4, 14), dice)

    def _desk(self, fact: StepTaken, holder: str) -> Iterator[Act]:
        """The person at the desk dials, one after the other, a little over a minute each."""
        if holder not in self.posts:
            return
        person = self.posts[holder].holder
        dice = die(self.seed, "call", holder, fact.step)
        self.desk_free = max(self.desk_free, fact.at) + 70 * SECOND
        chance = {"prompt": 0.97, "slow": 0.95, "asleep": 0.8}.get(self.mood(person), 0.0)
        version = self.versions.get(fact.stream, 1)
        if dice.random() < chance:
            yield Do(
                self.desk_free,
                Reached(fact.stream, self.desk_free, person, "", "voice", "acknowledged", version, by="desk"),
            )

    def _owed(self, fact: DutyOpened, holder: str) -> Iterator[Act]:
        """In time, late, or not before somebody presses; nobody acts for a unit without people."""
        if fact.key == ACKNOWLEDGE or holder not in self.on_duty:
            return
        dice = die(self.seed, "duty", fact.key, holder, fact.at)
        time = min(fact.deadline - fact.at, PATIENCE)
        draw = dice.random()
        if draw < 0.80 or fact.clause == "2.4.3" or fact.deadline > fact.at + 2 * PATIENCE:
            wait = time * dice.uniform(0.25, 0.92)
        elif draw < 0.92:
            wait = time + dice.uniform(2, 13) * MINUTE
        else:
            return
        yield from self._act(fact.stream, fact.key, holder, fact.at + round(wait), dice)

    def _act(self, stream: str, key: str, holder: str, at: int, dice: random.Random) -> Iterator[Act]:
        clause, name, *thread = key.split("/", 2)
        match f"{clause}/{name}":
            case "2.1.3/hold":
                yield Do(
                    at,
                    Consulted(
                        stream,
                        at,
                        f"emergency-{self.versions.get(stream, 1)}",
                        "emergency",
                        "held",
                        holder,
                        self._by(holder),
                    ),
                )
            case "2.1.3/conclude":
                fact = Consulted(
                    stream,
                    at,
                    thread[0],
                    "emergency",
                    "concluded",
                    holder,
                    self._by(holder),
                    outcome="activate",
                )
                yield Do(at, fact, "模拟会商纪要：建议启动Ⅲ级应急响应。")
            case "2.1.3/activate":
                yield Do(at, ResponseSet(stream, at, "III", holder, self._by(holder)))
            case "2.4.1/relay":
                number = self.by_id[self.on_duty[holder]].number
                yield Say(at, number, dice.choice(("2", "2", "２", "已传播")))
            case "2.4.1/support":
                yield Do(at, Reported(stream, at, "support_settled", holder, self._by(holder), duty=key))
            case "2.4.2/decide":
                yield self._decision(stream, holder, at)
            case "2.4.2/resume":
                yield Do(
                    at, SuspensionDecided(stream, at, holder, self._by(holder), lifted=True, replaces=-1)
                )
            case "2.3.b/correct":
                report = Reported(stream, at, "roster_confirmed", holder, self._by(holder), duty=key)
                yield Correct(at, thread[0], self._renumbered(thread[0]), report)
            case "2.4.3/crawl_off" | "2.4.3/badge_off":
                yield Do(
                    at, Aired(stream, at, holder, name.removesuffix("_off"), on=False, by=self._by(holder))
                )
            case "2.4.3/crawl" | "2.4.3/badge" | "2.4.3/anchor":
                yield Do(
                    at,
                    Aired(
                        stream,
                        at,
                        holder,
                        name,
                        on=True,
                        by=self._by(holder),
                        version=self.versions.get(stream, 1),
                    ),
                )
            case _:
                yield from self._report(stream, key, holder, at)

    def _report(self, stream: str, key: str, holder: str, at: int) -> Iterator[Act]:
        clause, name = key.split("/")[:2]
        duty = next(d for d in self.pack.clauses[clause].duty if d.name == name)
        what = next((e for e in duty.evidence if e in self.pack.reports), "")
        if what:
            note = "模拟文书" if self.pack.reports[what].paper else ""
            yield Do(at, Reported(stream, at, what, holder, self._by(holder), duty=key), note)

    def _decision(self, stream: str, unit: str, at: int) -> Do:
        townships = "townships" in self.pack.units[unit].groups
        stops = ("work", "business", "classes") if townships else STOPS.get(unit, ())
        note = "" if stops else "本单位夜间无生产经营和教学活动，值守力量在岗，不停。"
        return Do(at, SuspensionDecided(stream, at, unit, self._by(unit), stops), note)

    def _by(self, unit: str) -> str:
        return self.on_duty.get(unit, "")

    def _renumbered(self, person: str) -> str:
        """The number a unit gives instead of a dead one: invented too."""
        return "1009" + self.by_id[person].number[4:]
