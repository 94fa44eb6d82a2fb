"""Every order of events in a small world: two townships, three persons, one red or yellow warning, its update and its end.

A state is canonical: moments count from now, a telling by whom it told and who of them is lost, a ladder's repetition as
its end. Two histories in the same canonical state have the same future, so the walk visits each once and is exhaustive
up to its depth, which counts inputs (answers, refusals, versions, ticks of the clock).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from fengsui.core import duties, mind
from fengsui.core.calendar import MINUTE
from fengsui.core.clauses import Pack
from fengsui.core.directory import Directory, Person, Post
from fengsui.core.facts import (
    Alerted,
    DutyEnded,
    DutyOpened,
    Exhausted,
    Fact,
    Notified,
    Reached,
    StepTaken,
    TimeReached,
)
from fengsui.core.state import Head, Refusal, State, World
from tests.core.worlds import DESK, FENGYU, INCIDENT, JULE, an_alert, only, yunzhou

ACK = "2.4.1/acknowledge"
DESK_BY = {"red": 10 * MINUTE, "yellow": 30 * MINUTE}
ASKS = ("remind", "deputy", "visit")


class Broken(AssertionError):  # noqa: N818  the rule, not the class, is broken
    """A rule that must hold in every state does not."""


class Node(NamedTuple):
    """A state, the moment, and whether the warning is over."""

    state: State
    now: int


def small_pack() -> Pack:
    """Nothing but the telling, the acknowledgement and its supervision, owed by townships alone."""
    pack = only("2.3.a", "2.4.1", "4.2.b")
    clauses = {}
    for id_, clause in pack.clauses.items():
        kept = tuple(d for d in clause.duty if d.name in ("acknowledge", "reply_urgent"))
        clauses[id_] = msgspec.structs.replace(clause, responsible=("townships",), duty=kept)
    return msgspec.structs.replace(pack, clauses=clauses)


def small_directory() -> Directory:
    """A on duty and B in charge at 聚乐乡 (B stands in for A); C alone on duty at 峰峪乡."""
    posts = (
        Post("聚乐乡/duty_officer/1", "聚乐乡", "duty_officer", JULE, "A", "B"),
        Post("聚乐乡/leader/1", "聚乐乡", "leader", JULE, "B"),
        Post("峰峪乡/duty_officer/1", "峰峪乡", "duty_officer", FENGYU, "C"),
    )
    people = {"A": "聚乐乡", "B": "聚乐乡", "C": "峰峪乡"}
    return Directory(
        DESK | {p: Person(p, u, ("sms",)) for p, u in people.items()},
        {p.id: p for p in posts},
        frozenset({"sms"}),
    )


def vacant_directory() -> Directory:
    """The same, but nobody holds 峰峪乡's only post (C is its driver), and 聚乐乡 has no leader: A is told for him."""
    base = small_directory()
    posts = (
        Post("峰峪乡/duty_officer/1", "峰峪乡", "duty_officer", FENGYU),
        Post("聚乐乡/leader/1", "聚乐乡", "leader", JULE),
    )
    return msgspec.structs.replace(base, posts=base.posts | {p.id: p for p in posts})


class Walk:
    """Breadth first from each first warning; ``states`` and ``transitions`` count what was seen."""

    def __init__(
        self,
        pack: Pack | None = None,
        directory: Directory | None = None,
        *,
        wide: bool = True,
        lost: int = 99,
        signs: bool = False,
    ) -> None:
        """wide: also updates of the warning, late answers to an old version, and persons who say 不归我.
        lost: how many times at most somebody can not be reached. signs: the desk tries to sign for every post.
        """
        self.wide, self.lost, self.signs = wide, lost, signs
        self.pack, self.directory = pack or small_pack(), directory or small_directory()
        self.states = self.transitions = self.deepest = 0
        self.most_steps = self.signed = 0

    def world(self, state: State) -> World:
        heads: dict[str, Head] = {}
        return World(self.pack, self.directory, {INCIDENT: state}, heads)

    def run(self, depth: int) -> None:
        """Walk every order of at most ``depth`` inputs. Raises Broken at the first state where a rule fails."""
        seen: set[object] = set()
        edge: list[Node] = []
        for first in (an_alert("red", JULE, FENGYU), an_alert(zones={JULE: "yellow", FENGYU: "red"}))[
            : 1 + self.wide
        ]:
            edge += self.step(Node(State.blank(INCIDENT), first.at), first)
        for self.deepest in range(1, depth + 1):
            fresh: list[Node] = []
            for node in edge:
                key = canonical(node)
                if key in seen:
                    continue
                seen.add(key)
                self.states += 1
                for fact in self.moves(node):
                    fresh += self.step(node, fact)
            edge = fresh
            if not edge:
                break

    def moves(self, node: Node) -> Iterator[Fact]:
        """Whatever may happen next: who answers, who is lost, a newer version, the end, or time passing."""
        state, now = node
        version = state.alert.version
        for person in state.notices.people:
            for answered in range(1 if self.wide else version, version + 1):
                yield Reached(INCIDENT, now, person, "", "sms", "acknowledged", answered)
            told = {a.notice for a in state.notices.asked.values() if person in a.persons}
            for notice in told if len(state.notices.exhausted) < self.lost else ():
                if (notice, person) not in state.notices.exhausted:
                    yield Exhausted(INCIDENT, now, person, notice, "refused")
            if self.wide and told and person not in state.notices.disowned:
                yield Exhausted(INCIDENT, now, person, min(told), "disowned")
        if self.signs and ACK in state.duties:
            for holder in state.duties[ACK].shares:
                yield from (signature(holder, person, now, version) for person in ("", "C"))
        if self.wide and state.alert.holds and version < 2:
            for zones in ({JULE: "red", FENGYU: "red"}, {JULE: "red"}):
                yield an_alert(zones=zones, version=version + 1, at=now, expires=now + 600 * MINUTE)
        if state.alert.holds:
            yield an_alert("", version=version + 1, at=now)
        due = duties.due(state)
        if due is not None:
            yield TimeReached(INCIDENT, due, due)

    def step(self, node: Node, fact: Fact) -> list[Node]:
        """Follow one input and hold what came of it against the rules; nothing if it was refused."""
        answer = mind.consider(fact, "x", self.world(node.state))
        if isinstance(answer, Refusal):
            if isinstance(fact, Reached) and fact.holder:
                self.judge_refusal(node.state, fact)
            return []
        self.transitions += 1
        after = Node(answer.streams[INCIDENT], max(node.now, fact.at))
        self.judge(node, fact, [e.fact for e in answer.entries if e.fact.stream == INCIDENT], after)
        return [after]

    def judge(self, before: Node, fact: Fact, facts: list[Fact], after: Node) -> None:
        """The rules that hold at every transition and in every state."""
        state = after.state
        for f in facts:
            if isinstance(f, Notified):
                self.judge_telling(before, f, state)
            if isinstance(f, StepTaken):
                self.most_steps = max(self.most_steps, f.step + 1)
                held(f.key in state.duties, "a step of no duty", f)
            if isinstance(f, DutyEnded) and f.key == ACK and f.how == "done":
                told = before.state.notices.people
                held(isinstance(fact, Reached), "ended by what is no answer", f)
                for holder in f.holders:
                    held(
                        fact.holder == holder or holder in told[fact.person].told,
                        "ended by who was not asked",
                        f,
                    )
            if isinstance(f, DutyOpened):
                held(f.deadline > f.at, "a term that is over when it begins", f)
        if isinstance(fact, TimeReached):
            held(any(isinstance(f, StepTaken) for f in facts), "time came and nothing was done", fact)
        if isinstance(fact, Alerted) and not fact.zones:
            told = {
                r.person
                for f in facts
                if isinstance(f, Notified) and f.template == "all_clear"
                for r in f.recipients
            }
            held(
                told == set(before.state.notices.people),
                "the all-clear goes to everybody told and nobody else",
                told,
            )
        if isinstance(fact, Reached) and fact.holder:
            self.judge_signature(before.state, fact, state)
        elif isinstance(fact, Reached):
            for holder, version in before.state.notices.people[fact.person].told.items():
                share = state.duties[ACK].shares.get(holder)
                if share and share.plan.version <= min(fact.version, version):
                    held(not share.open, "an answer that counts for nothing", (fact, holder))
        self.judge_shares(after)

    def judge_refusal(self, state: State, fact: Reached) -> None:
        share = state.duties[ACK].shares[fact.holder]
        current = share.open and share.plan.version <= fact.version
        held(not current or told_for(fact.holder, state), "a vacant post that nobody can sign for", fact)

    def judge_signature(self, before: State, fact: Reached, after: State) -> None:
        held(not told_for(fact.holder, before), "signed for whom somebody else answers", fact)
        for holder, share in before.duties[ACK].shares.items():
            now = after.duties[ACK].shares[holder]
            held(
                now == share if holder != fact.holder else now.how == "done",
                "a signature counts for its own post and no other",
                (fact, holder),
            )
        held(
            all(
                after.notices.people[p].acknowledged == c.acknowledged
                for p, c in before.notices.people.items()
            ),
            "a signature for a post answers for nobody's own",
            fact,
        )
        self.signed += 1

    def judge_telling(self, before: Node, f: Notified, state: State) -> None:
        persons = [r.person for r in f.recipients]
        held(len(persons) == len(set(persons)), "a person stands twice in one telling", f)
        for r in f.recipients:
            held(bool(r.channels), "told by no way", r)
            held(
                bool(r.holders) == any(c.do in ASKS for c in r.calls) or f.template != "call",
                "asked for nothing",
                r,
            )
            for call in r.calls:
                if call.key == ACK:
                    was = (
                        before.state.duties[ACK].shares.get(call.holder)
                        if ACK in before.state.duties
                        else None
                    )
                    now = state.duties[ACK].shares[call.holder]
                    again = (
                        was is not None and now.plan.version > was.plan.version
                    )  # asked and called at once
                    held(now.open, "called after the answer", (f.key, call))
                    held(was is None or was.open or again, "called after the answer", (f.key, call))

    def judge_shares(self, node: Node) -> None:
        state, now = node
        for key, duty in state.duties.items():
            for holder, share in duty.shares.items():
                if not share.open:
                    held(share.next_at is None and not share.desk, "chased after the end", (key, holder))
                    continue
                held(share.next_at is not None or share.desk, "left without a next step", (key, holder))
                held(
                    share.next_at is None or share.next_at > now,
                    "a step that was due was not taken",
                    (key, holder),
                )
                if key != ACK:
                    continue
                held(
                    state.alert.now.level(area(holder)) is not None,
                    "chased although the warning left",
                    holder,
                )
                level = "red" if share.plan.again else "yellow"
                if now >= share.opened + DESK_BY[level]:
                    held(share.desk, "nobody at the desk sees to it in time", (holder, share))
                if level == "red":
                    held(share.next_at is not None, "red gives up", holder)
                    held(
                        share.step < 6 or share.supervised,
                        "not supervised although the ladder is climbed",
                        holder,
                    )
        for holder in state.duties[ACK].shares if state.alert.holds and ACK in state.duties else ():
            share = state.duties[ACK].shares[holder]
            told = [c for c in state.notices.people.values() if holder in c.told]
            answered = any(
                c.acknowledged >= share.plan.version and c.told[holder] >= share.plan.version for c in told
            )
            if share.how == "done" and not self.signs:
                held(answered, "done without an answer", holder)


def signature(holder: str, person: str, now: int, version: int) -> Reached:
    """The desk signs for a post after a call that a person took, "" = a stranger."""
    return Reached(
        INCIDENT, now, person, "", "call", "acknowledged", version, by="desk", holder=holder, paper="note"
    )


def told_for(holder: str, state: State) -> bool:
    """Whether anybody was told for a post since it was asked last who has not said 不归我."""
    asked = state.duties[ACK].shares[holder].plan.version
    people = state.notices.people.items()
    return any(c.told.get(holder, 0) >= asked for p, c in people if p not in state.notices.disowned)


def held(rule: bool, meaning: str, about: object) -> None:
    if not rule:
        raise Broken(f"{meaning}: {about}")


def area(holder: str) -> str:
    return yunzhou().units[holder.split("/", 1)[0]].area


def canonical(node: Node) -> object:
    """What the future depends on, and no more."""
    state, now = node
    shares = tuple(
        (
            key, holder, s.open, s.how, min(s.step, len(s.plan.steps)), s.desk, s.supervised,
            s.next_at and s.next_at - now, s.plan.version, bool(s.plan.again),
            min(now - s.opened, DESK_BY["red" if s.plan.again else "yellow"]) if s.open else 0,
        )
        for key, duty in sorted(state.duties.items())
        for holder, s in sorted(duty.shares.items())
    )  # fmt: skip
    part = state.notices
    asked = tuple(
        (
            h,
            a.persons,
            tuple((a.notice, p) in part.exhausted for p in a.persons),
            sorted(a.notice for a in part.asked.values()).index(a.notice),
        )
        for h, a in sorted(part.asked.items())
    )
    people = tuple(
        (p, c.version, tuple(sorted(c.told.items())), c.acknowledged) for p, c in sorted(part.people.items())
    )
    alert = (
        state.alert.version,
        tuple(sorted(state.alert.now.zones.items())),
        tuple(sorted(state.alert.before.zones.items())),
    )
    return (
        shares,
        asked,
        people,
        alert,
        part.disowned,
        len(part.exhausted),
        tuple(sorted(state.received.items())),
    )
