"""职责 Duties: the engine of all clauses — opens what a fact triggers, ends what it proves, climbs what is overdue.

Pure. It knows no clause by name: triggers, evidence and ladders are the pack's. Holders are units and posts; persons
are whoever holds a post when a step is taken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

import msgspec

from fengsui.core import callup, evidence, notices, plans, triggers
from fengsui.core.alerts import area_of, change
from fengsui.core.facts import (
    Alerted,
    DutyEnded,
    DutyOpened,
    Exhausted,
    Fact,
    Received,
    Reported,
    StepTaken,
    TimeReached,
    UnitReceived,
)
from fengsui.core.levels import GONE
from fengsui.core.many import Many
from fengsui.core.state import Duty, Refusal, Share, State, World

replace = msgspec.structs.replace
Held = tuple[str, str]
"""Key of a duty and one of its holders."""


# ── fold ─────────────────────────────────────────────────────────────────────


def folded(state: State, fact: DutyOpened | UnitReceived | StepTaken | DutyEnded) -> State:
    """The stream after a duty opened, its unit received, a step was taken, or it ended."""
    match fact:
        case DutyOpened():
            return _put(state, fact.key, fact.clause, _opened(fact))
        case UnitReceived():
            return _received(state, fact)
        case StepTaken():
            return _change(state, fact.key, fact.holders, lambda s: _stepped(s, fact))
        case DutyEnded():
            return _change(state, fact.key, fact.holders, lambda s: _ended(s, fact))


def _opened(fact: DutyOpened) -> dict[str, Share]:
    share = plans.share(fact.plan, opened=fact.at, deadline=fact.deadline)
    return dict.fromkeys(fact.holders, share)


def _put(state: State, key: str, clause: str, shares: dict[str, Share]) -> State:
    before = state.duties[key].shares if key in state.duties else Many[str, Share]()
    return replace(state, duties={**state.duties, key: Duty(key, clause, before.having(shares))})


def _change(state: State, key: str, holders: Iterable[str], how: Callable[[Share], Share]) -> State:
    duty = state.duties[key]
    changed = {h: how(duty.shares[h]) for h in holders if h in duty.shares}
    return _put(state, key, duty.clause, changed)


def _stepped(share: Share, fact: StepTaken) -> Share:
    if not share.open:
        return share
    after = plans.coming(share.plan, fact.step + 1, fact.at)
    return replace(
        share,
        step=fact.step + 1,
        next_at=after,
        desk=share.desk or fact.do == "desk" or after is None,
        supervised=share.supervised or fact.do == "supervise",
    )


def _ended(share: Share, fact: DutyEnded) -> Share:
    if not share.open:
        return share
    return replace(share, ended=fact.at, how=fact.how, evidence=fact.evidence, next_at=None, desk=False)


def _received(state: State, fact: UnitReceived) -> State:
    """Time runs from the first reception of that version or a later one, and never longer than it already did."""
    state = replace(state, received={**state.received, fact.unit: fact.version})
    for key, duty in state.duties.items():
        share = duty.shares.get(fact.unit)
        if share is None or not share.open or share.plan.latest < 0 or share.plan.version > fact.version:
            continue
        deadline = fact.at + share.plan.within
        if deadline >= share.deadline:
            continue
        moved = (
            share if share.step else replace(share, next_at=plans.first(share.plan, share.opened, deadline))
        )
        state = _put(state, key, duty.clause, {fact.unit: replace(moved, deadline=deadline)})
    return state


# ── admit ────────────────────────────────────────────────────────────────────


def admit(fact: Fact, world: World) -> Refusal | None:
    """A moment counts only if something waits for it; a report only if the pack knows it and it changes something."""
    match fact:
        case TimeReached() if (moment := due(world.at(fact.stream))) is None or moment > fact.at:
            return Refusal("D00", "此刻没有到期的事项", already=True)
        case Reported():
            return _report(fact, world)
    return None


def _report(fact: Reported, world: World) -> Refusal | None:
    known = world.pack.reports.get(fact.what)
    if known is None or fact.unit not in world.pack.units:
        return Refusal("D01", "没有这种报告或没有这个单位，请从列表选择")
    if known.paper and not fact.paper:
        return Refusal("D02", f"{known.title}须附文书")
    if known.other and fact.by in world.at(fact.stream).alert.alone:
        return Refusal("D04", f"{known.title}须由签发人以外的人作出")
    if not any(_ends(fact, world)) and not any(_openings(fact, world)) and not notices.implied(fact, world):
        return Refusal("D03", f"{known.title}已记录，没有待办的相应事项", already=True)
    return None


# ── decide ───────────────────────────────────────────────────────────────────


def decide(fact: Fact, world: World) -> Iterator[Fact]:
    """Ends before openings, then the ladder: a newer version must not end what it has just opened."""
    yield from _ends(fact, world)
    yield from _openings(fact, world)
    match fact:
        case TimeReached():
            yield from callup.climb(_due(world.at(fact.stream), fact.at), fact, world)
        case Exhausted():
            yield from callup.climb(_unreached(fact, world), fact, world)
        case DutyOpened():
            yield from callup.climb(_vacant(fact, world), fact, world)


def _ends(fact: Fact, world: World) -> Iterator[Fact]:
    if isinstance(fact, Alerted | Received):
        yield from _dropped(fact, world)
    for proof in evidence.proofs(fact, world):
        state = world.at(fact.stream)
        for key, duty in state.duties.items():
            named = duty.shares if proof.holders is None else proof.holders
            done = sorted(h for h in named if _proved(duty.shares.get(h), proof, key, h, fact))
            if done:
                yield DutyEnded(fact.stream, fact.at, key, tuple(done), "done", proof.word)
                yield from _again(fact, world, duty, done)


def _proved(share: Share | None, proof: evidence.Proof, key: str, holder: str, fact: Fact) -> bool:
    """Whether a proof ends a share; what is owed again is not proved by the very evidence that opened it."""
    if share is None or not share.open or (share.plan.repeat and share.opened >= fact.at):
        return False
    return proof.covers(key, holder, share)


def _dropped(fact: Alerted | Received, world: World) -> Iterator[Fact]:
    """Shares of units that the warning left, where the clause says drop: cancelled, never done."""
    state = world.at(fact.stream)
    for key, duty in state.duties.items():
        gone = [
            h
            for h, s in duty.shares.items()
            if s.open and s.plan.cancel == "drop" and s.plan.version < fact.version and _left(state, h, world)
        ]
        if gone:
            yield DutyEnded(fact.stream, fact.at, key, tuple(sorted(gone)), "cancelled", "alert")


def _left(state: State, holder: str, world: World) -> bool:
    area = area_of(holder, world)
    found = change(state.warning, area) if area else None
    return found is None or found[0] in GONE


def _again(fact: Fact, world: World, duty: Duty, done: list[str]) -> Iterator[Fact]:
    """A duty that is owed again some time after each evidence, while the warning holds for its holder; a repetition
    that is still open when the warning goes is dropped, the first one is not.
    """
    state = world.at(fact.stream)
    by_plan: dict[str, list[str]] = defaultdict(list)
    for holder in done:
        share = duty.shares[holder]
        if share.plan.every and not _left(state, holder, world):
            by_plan[repr(share.plan)].append(holder)
    for holders in by_plan.values():
        plan = replace(duty.shares[holders[0]].plan, latest=-1, cancel="drop", repeat=True)
        yield DutyOpened(
            fact.stream, fact.at, duty.key, duty.clause, tuple(holders), fact.at + plan.every, plan
        )


def _openings(fact: Fact, world: World) -> Iterator[Fact]:
    for opening in triggers.openings(fact, world):
        yield from _opening(opening, fact, world)


def _opening(opening: triggers.Opening, fact: Fact, world: World) -> Iterator[Fact]:
    key = f"{opening.clause.id}/{opening.duty.name}" + (f"/{opening.thread}" if opening.thread else "")
    holders = opening.holders
    if not opening.renews:
        open_now = world.at(opening.stream).duties.get(key)
        holders = tuple(
            h for h in holders if not (open_now and h in open_now.shares and open_now.shares[h].open)
        )
    if not holders:
        return
    plan = plans.plan(opening.duty, world.pack, opening.level, at=fact.at, version=opening.version)
    base = opening.due if opening.duty.origin == "due" else fact.at + max(plan.latest, 0)
    deadline = base + plan.within if base + plan.within > fact.at else base
    yield DutyOpened(opening.stream, fact.at, key, opening.clause.id, holders, deadline, plan)


# ── who climbs ───────────────────────────────────────────────────────────────


def due(state: State) -> int | None:
    """The next moment something of a stream is due, None if nothing waits or the stream is closed."""
    if state.closed:
        return None
    moments = [s.next_at for d in state.duties.values() for s in d.shares.values() if s.next_at is not None]
    return min(moments, default=None)


def _due(state: State, at: int) -> list[Held]:
    return [
        (key, holder)
        for key, duty in sorted(state.duties.items())
        for holder, share in sorted(duty.shares.items())
        if share.next_at is not None and share.next_at <= at
    ]


def _unreached(fact: Exhausted, world: World) -> list[Held]:
    """Open shares whose every last-told person is now known to be unreachable, or not to be the one."""
    part = world.at(fact.stream).notices
    told = part.people[fact.person].told if fact.person in part.people else {}
    hopeless = {
        holder
        for holder in told
        if (asked := part.asked.get(holder)) is not None
        and fact.person in asked.persons
        and (fact.notice == asked.notice or fact.person in part.disowned)
        and all((asked.notice, p) in part.exhausted or p in part.disowned for p in asked.persons)
    }
    return _calling(world.at(fact.stream), hopeless)


def _vacant(fact: DutyOpened, world: World) -> list[Held]:
    """Posts that owe an answer but whom nobody can be told for: no holder, or no way to him."""
    if "acknowledged" not in fact.plan.evidence:
        return []
    posts, reachable = world.directory.posts, world.directory.reachable
    mute = {h for h in fact.holders if h not in posts or posts[h].holder not in reachable}
    return [(fact.key, h) for h in sorted(mute)]


def _calling(state: State, holders: set[str]) -> list[Held]:
    """Shares of these holders whom somebody is being called for; a ladder's end is not climbed, only the clock repeats it."""
    return [
        (key, holder)
        for key, duty in sorted(state.duties.items())
        for holder in sorted(holders & duty.shares.keys())
        if _climbs(duty.shares[holder], post="/" in holder)
    ]


def _climbs(share: Share, *, post: bool) -> bool:
    return share.open and share.step < len(share.plan.steps) and bool(post or share.step)
