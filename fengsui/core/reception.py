"""收到 Reception: a warning of another office — when it counts, which stream it belongs to, what of it is in force beside ours.

Never judged by the district's criteria, never ours: other streams do not see it, and our own warnings stand beside it. What
the clauses attach to reception follows by ``core.triggers`` and ``core.notices``, if the message binds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import msgspec

from fengsui.core.facts import Alerted, Arrival, Fact, Received
from fengsui.core.levels import Action
from fengsui.core.state import DISTRICT, AlertPart, Foreign, Refusal, State, World, Zoned

STREAM = "received-"
"""How the streams of other offices' warnings begin."""
ENDS: tuple[Arrival, ...] = ("cancel", "expire")
ACTIONS: dict[Arrival, Action] = {
    "issue": "issue",
    "update": "change",
    "cancel": "cancel",
    "expire": "cancel",
}


def key(sender: str, identifier: str, digest: str) -> str:
    """What names a message wherever it turns up: who sent it and what he calls it; its bytes, where it has no name."""
    named = f"{sender.strip()}\n{identifier.strip()}" if identifier.strip() else digest
    return hashlib.sha256(named.encode()).hexdigest()[:24]


def stream(own: str, referred: Iterable[str], hazard: str, world: World) -> str:
    """The stream of a message: that of the first message it refers to, known or not; else one of its own.

    own, referred: keys, the oldest first. A message about several hazards stands in a stream for each.
    """
    keys = (*referred, own)
    for state in world.streams.values():
        if (
            state.foreign.part.hazard == hazard
            and not state.closed
            and state.foreign.known.keys() & set(keys)
        ):
            return state.stream
    return f"{STREAM}{keys[0]}-{hazard}"


def in_force(world: World, now: int) -> list[State]:
    """Streams of other offices' warnings in force at a moment (UTC µs), the newest first."""
    found = [s for s in world.streams.values() if s.foreign.part.holds and s.foreign.part.expires > now]
    return sorted(found, key=lambda s: (-s.foreign.part.at, s.stream))


def run_out(world: World, now: int) -> list[State]:
    """Streams whose warning is over by its own word and not yet ended."""
    return [s for s in world.streams.values() if s.foreign.part.holds and s.foreign.part.expires <= now]


def expired(state: State, now: int) -> Received:
    """The end of a warning that nobody ended, by its own word."""
    foreign = state.foreign
    return Received(
        state.stream, now, foreign.part.version + 1, f"{foreign.part.version}@{foreign.part.expires}", foreign.sender,
        foreign.sent, foreign.part.hazard, {}, foreign.part.expires, foreign.part.paper, "expire", state.series,
        foreign.valid, foreign.binding,
    )  # fmt: skip


# ── the five functions' parts ────────────────────────────────────────────────


def folded(state: State, fact: Received) -> State:
    """The stream after a message."""
    before = state.foreign
    bound = before.binding or not fact.binding  # what did not bind has asked nobody for anything
    part = AlertPart(
        fact.version, fact.hazard, Zoned(fact.zones), before.part.now if bound else Zoned(), fact.expires, fact.at, fact.paper,
        action=ACTIONS[fact.action], was=before.part.at,
    )  # fmt: skip
    known = {**before.known, fact.key: fact.paper}
    foreign = Foreign(part, fact.sender, fact.sent, fact.valid, fact.binding, known)
    return msgspec.structs.replace(state, foreign=foreign, series=fact.series)


def admit(fact: Fact, world: World) -> Refusal | None:
    """Whether a message counts; and no warning of ours is ever written into a stream of another office."""
    match fact:
        case Alerted() if world.at(fact.stream).foreign.part.version:
            return Refusal("Y01", "这是其他单位的预警，不能在其上签发，请另行拟稿")
        case Received():
            objections = (_misplaced, _again, _drilled, _weaker, _unsound)
            return next((r for objects in objections if (r := objects(fact, world))), None)
    return None


def _again(fact: Received, world: World) -> Refusal | None:
    """Replays, altered ones, and what another desk or feed was quicker with."""
    known = world.at(fact.stream).foreign
    if fact.key in known.known:
        if known.known[fact.key] == fact.paper and known.binding >= fact.binding:
            return Refusal("Y00", "这份报文已登记", already=True)
        if known.known[fact.key] != fact.paper:
            return Refusal("Y02", "已登记过一份标识相同而内容不同的报文，请向发布单位核实")
    if fact.version != known.part.version + 1:
        return Refusal("Y03", "这条预警刚有新的报文登记，请刷新后再定")
    if fact.action != "expire" and known.part.version and fact.sent < known.sent:
        return Refusal("Y04", "已登记了同一预警更晚发出的报文，这一份不再采用")
    return None


def _misplaced(fact: Received, world: World) -> Refusal | None:
    state = world.at(fact.stream)
    if state.alert.version or fact.stream == DISTRICT or not fact.stream.startswith(STREAM):
        return Refusal("Y05", "收到的预警须有自己的过程")
    if state.foreign.part.version and fact.hazard != state.foreign.part.hazard:
        return Refusal("Y06", "灾种与原预警不符，请核实")
    return None


def _drilled(fact: Received, world: World) -> Refusal | None:
    """What is a drill stays one, and in a district that only rehearses nothing is in earnest."""
    state, own = world.at(fact.stream), world.at(DISTRICT).series
    if state.foreign.part.version and fact.series != state.series:
        return Refusal("Y07", "同一预警前后的状态（实际、演练、测试）不一致，请核实")
    if fact.series == "actual" and own != "actual":
        return Refusal("Y08", "本系统不在实战状态，实际预警在此只作模拟登记")
    return None


def _weaker(fact: Received, world: World) -> Refusal | None:
    """Who is not believed cannot change or end what somebody who is believed has said; nor can a stranger."""
    known = world.at(fact.stream).foreign
    if not known.part.version or fact.action == "expire" or fact.by:
        return None
    if known.binding and not fact.binding:
        return Refusal("Y09", "来源不受信，不能变更或解除受信来源的预警，请人工核对")
    if fact.sender != known.sender:
        return Refusal("Y10", "发布单位与原预警不同，请人工核对")
    return None


def _unsound(fact: Received, world: World) -> Refusal | None:
    part = world.at(fact.stream).foreign.part
    if fact.hazard not in world.pack.hazards:
        return Refusal("Y11", "没有这个灾种，请从列表选择")
    if not set(fact.zones) <= set(world.pack.areas):
        return Refusal("Y12", "有的区域不在本区，请从列表选择")
    if fact.action in ENDS:
        if fact.zones or not part.holds:
            return Refusal("Y13", "没有登记过它所解除的预警，或它已经结束")
        return None
    if not fact.zones:
        return Refusal("Y14", "没有涉及本区的区域，请选择区域")
    if fact.expires <= fact.at:
        return Refusal("Y15", "预警已过失效时间")
    return None


def decide(fact: Fact, world: World) -> Iterator[Fact]:
    """Nothing by itself: duties and notices read it."""
    del fact, world
    return iter(())
