"""既往 Past: a stream as the ledger has it — its facts, its state at any of them, whom and what each fact concerns."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import NamedTuple

from fengsui.core import mind
from fengsui.core.facts import (
    Aired,
    Alerted,
    Consulted,
    DirectoryChanged,
    DutyEnded,
    DutyOpened,
    Exhausted,
    Fact,
    InsertionOrdered,
    Notified,
    Reached,
    Received,
    Reported,
    ResponseSet,
    StepTaken,
    SuspensionDecided,
    Tried,
    UnitReceived,
    kind,
)
from fengsui.core.levels import LEVELS
from fengsui.core.state import DISTRICT, State, World
from fengsui.store import history
from fengsui.store.history import Line
from fengsui.store.streams import Stream
from fengsui.web import here

KEPT = 4
"""Streams whose facts stay in memory."""
EVERY = 200
"""Facts between remembered states: any other state is at most so many folds away."""

KINDS = {
    kind_: (struct.__doc__ or "").split(" ", 1)[0]
    for struct in Fact.__args__
    for kind_ in (struct.__struct_config__.tag,)
}
"""Kind of a fact → what it is called in Chinese: the first word of its meaning."""


class Told(NamedTuple):
    """A stream's facts in order, and its states after every so many of them (the first: before any)."""

    lines: tuple[Line, ...]
    states: tuple[State, ...]

    def at(self, n: int) -> State:
        """The state after the first n facts."""
        near = min(n // EVERY, len(self.states) - 1)
        state = self.states[near]
        for line in self.lines[near * EVERY : n]:
            state = mind.fold(state, line.fact)
        return state


_told: OrderedDict[tuple[int, str, int], Told] = OrderedDict()
_lock = Lock()


def told(stream: str, last: int) -> Told:
    """The facts of a stream up to its last seq, as read once."""
    key = (id(here.house()), stream, last)
    with _lock:
        if key in _told:
            _told.move_to_end(key)
            return _told[key]
    lines = tuple(history.stream(here.session(), stream))
    state = State.blank(stream)
    states = [state]
    for number, line in enumerate(lines, start=1):
        state = mind.fold(state, line.fact)
        if number % EVERY == 0:
            states.append(state)
    found = Told(lines, tuple(states))
    with _lock:
        _told[key] = found
        while len(_told) > KEPT:
            _told.popitem(last=False)
    return found


def title(stream: Stream, world: World) -> str:
    """What a stream is called: its hazard at its highest level, or that it belongs to the whole district."""
    if not stream.alerts:
        return "名录、数据包、日常事项" if stream.name == DISTRICT else stream.name
    levels = [level for alert in stream.alerts for level in alert.zones.values()]
    hazard = world.pack.hazards.get(stream.alerts[0].hazard)
    name = hazard.name if hazard else stream.alerts[0].hazard
    level = max(levels, key=LEVELS.index) if levels else ""
    first = stream.alerts[0]
    sender = first.sender if isinstance(first, Received) else ""
    return f"{sender}{name}{world.pack.texts.levels.get(level, '')}预警"


def level(stream: Stream) -> str:
    """The highest level a stream ever had, "" if it is no warning."""
    levels = [level for alert in stream.alerts for level in alert.zones.values()]
    return max(levels, key=LEVELS.index) if levels else ""


def clause(fact: Fact) -> str:
    """The clause a fact belongs to, "" if to none."""
    match fact:
        case DutyOpened() | StepTaken() | DutyEnded() | Notified():
            return fact.key.split("/", 1)[0]
        case Reached() | Exhausted():
            return fact.notice.split("/", 1)[0]
        case Reported(duty=duty) if duty:
            return duty.split("/", 1)[0]
        case _:
            return ""


def units(fact: Fact, world: World) -> frozenset[str]:
    """The units a fact concerns."""
    match fact:
        case DutyOpened() | StepTaken() | DutyEnded():
            return frozenset(h.split("/", 1)[0] for h in fact.holders)
        case Notified():
            return _of(tuple(r.person for r in fact.recipients), world)
        case Reached(holder=str(post)) if post:
            return frozenset((post.split("/", 1)[0],))
        case Reached() | Exhausted() | Tried():
            return _of((fact.person,), world)
        case (
            Reported() | SuspensionDecided() | Aired() | Consulted() | ResponseSet() | UnitReceived()
            | InsertionOrdered() | DirectoryChanged()
        ):  # fmt: skip
            return frozenset((fact.unit,))
        case _:
            return frozenset()


def _of(persons: Sequence[str], world: World) -> frozenset[str]:
    known = world.directory.persons
    return frozenset(known[p].unit for p in persons if p in known)


def weighty(fact: Fact) -> bool:
    """Whether a fact is a turn of the night that somebody would jump to."""
    match fact:
        case Alerted() | Received() | SuspensionDecided() | ResponseSet() | Consulted() | Aired():
            return True
        case StepTaken(do="supervise"):
            return True
        case _:
            return False


def named(fact: Fact) -> str:
    """What a fact's kind is called."""
    return KINDS[kind(fact)]
