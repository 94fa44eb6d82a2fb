"""研判 Mind: the five functions and their loop — concerns, admit, fold, decide, rows.

``consider`` is what the writer calls: an input is refused, or becomes a decision, which is all the facts that follow
from it and the new states of the streams they touch. Total and deterministic; time is in the facts.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple, Protocol, assert_never

import msgspec

from fengsui.core import alerts, consultation, drill, duties, insertion, notices, reception, suspension
from fengsui.core.facts import (
    Aired,
    Alerted,
    Closed,
    Consulted,
    DirectoryChanged,
    DrillSet,
    DutyEnded,
    DutyOpened,
    Exhausted,
    Fact,
    InsertionOrdered,
    Notified,
    PackInForce,
    Reached,
    Received,
    Reported,
    ResponseSet,
    StepTaken,
    SuspensionDecided,
    Tallied,
    TimeReached,
    Tried,
    UnitReceived,
    kind,
)
from fengsui.core.state import DISTRICT, Head, Refusal, State, World


class Module(Protocol):
    """A mechanism: may object to an input and may decide on any fact."""

    def admit(self, fact: Fact, world: World) -> Refusal | None:
        """Its objection to an input, or None."""

    def decide(self, fact: Fact, world: World) -> Iterator[Fact]:
        """What it makes follow from a fact."""


MODULES: tuple[Module, ...] = (drill, reception, alerts, suspension, consultation, insertion, notices, duties)
DEPTH = 12
"""How far one input's consequences may reach; a pack that needs more triggers itself."""


class Entry(NamedTuple):
    """A fact with its id and the id of the entry it follows from ("" = it is the input)."""

    id: str
    cause: str
    fact: Fact


class Decision(msgspec.Struct, frozen=True):
    """All facts of one admitted input, in order, and the streams they touched in their new states."""

    entries: tuple[Entry, ...]
    streams: dict[str, State]


class Endless(Exception):  # noqa: N818  the condition, not the class, is the error
    """An input's consequences did not end within the depth that any sound pack needs: the pack triggers itself. [M001]"""


def concerns(fact: Fact, heads: dict[str, Head]) -> tuple[str, ...]:
    """Streams whose state an input needs: its own, the district's where a person's address may change, and its drill's."""
    played = fact.drill if isinstance(fact, Alerted) else ""
    own = heads[fact.stream].drill if fact.stream in heads else ""
    return tuple(dict.fromkeys(filter(None, (fact.stream, DISTRICT, own or played))))


def admit(fact: Fact, world: World) -> Refusal | None:
    """Whether an input may happen; every module may object, the first objection counts."""
    state = world.at(fact.stream)
    if state.closed:
        return Refusal("M002", "该过程已归档，不能再记录")
    for module in MODULES:
        refusal = module.admit(fact, world)
        if refusal:
            return refusal
    return None


def fold(state: State, fact: Fact) -> State:
    """The state of a stream after a fact; each kind has one owner."""
    return msgspec.structs.replace(_owned(state, fact), last=max(state.last, fact.at))


def _owned(state: State, fact: Fact) -> State:
    match fact:
        case Alerted() | Closed():
            return alerts.folded(state, fact)
        case Received():
            return reception.folded(state, fact)
        case DutyOpened() | UnitReceived() | StepTaken() | DutyEnded():
            return duties.folded(state, fact)
        case Notified() | Reached() | Exhausted() | Tallied():
            return notices.folded(state, fact)
        case InsertionOrdered() | Aired():
            return insertion.folded(state, fact)
        case SuspensionDecided():
            return suspension.folded(state, fact)
        case Consulted():
            return consultation.folded(state, fact)
        case ResponseSet():
            return msgspec.structs.replace(state, response=fact.grade)
        case DrillSet():
            return drill.folded(state, fact)
        case PackInForce():
            return msgspec.structs.replace(state, series=fact.series)
        case Reported() | DirectoryChanged() | TimeReached() | Tried():
            return state  # what they lead to has facts of its own
        case _:
            assert_never(fact)


def decide(fact: Fact, world: World) -> Iterator[Fact]:
    """What must follow from a fact, given the world after it; ends come before openings."""
    there = drill.seen(fact.stream, world)
    facts = [f for module in MODULES for f in module.decide(fact, there)]
    yield from sorted(facts, key=lambda f: not isinstance(f, DutyEnded))


def consider(fact: Fact, id: str, world: World) -> Decision | Refusal:  # noqa: A002
    """Admit an input and follow it to the end. Raises Endless if the pack triggers itself."""
    return admit(fact, world) or settle(fact, id, world)


def settle(fact: Fact, id: str, world: World) -> Decision:  # noqa: A002
    """All that follows from a fact that is admitted, each fact seeing the world after the one before it."""
    entries: list[Entry] = []
    touched: dict[str, State] = {}
    queue = deque([(Entry(id, "", fact), 0)])
    while queue:
        entry, depth = queue.popleft()
        if depth > DEPTH:
            raise Endless(
                f"{kind(entry.fact)} 在 {entry.fact.stream}：条款互相触发，超过 {DEPTH} 层。请检查数据包 [M001]"
            )
        entries.append(entry)
        state = fold(world.at(entry.fact.stream), entry.fact)
        touched[state.stream] = state
        world = world.seen(state)
        for number, follows in enumerate(decide(entry.fact, world)):
            key = f"{entry.id}/{number}"
            queue.append((Entry(derived_id(entry.id, kind(follows), key), entry.id, follows), depth + 1))
    return Decision(tuple(entries), touched)


def derived_id(cause: str, kind: str, key: str) -> str:
    """The id of a fact that follows from another: the digest of cause, kind and key, 32 hexadecimal digits."""
    return hashlib.sha256(f"{cause}\n{kind}\n{key}".encode()).hexdigest()[:32]
