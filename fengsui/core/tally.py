"""汇总 Tally: per clause, how many duties were triggered, done in time, done late, or are being supervised.

Read from facts alone, so that anybody can count again. A share that a newer warning replaced is one duty, not two; a
share dropped because the warning ended before its deadline was never owed to the end and is counted apart.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fengsui.core.facts import DutyEnded, DutyOpened, Fact, StepTaken, UnitReceived
from fengsui.core.mind import fold
from fengsui.core.state import Share, State


class Counts(msgspec.Struct):
    """Duties of one clause. ``waiting``: open and not yet due; ``dropped``: ended with the warning, unfinished."""

    triggered: int = 0
    done: int = 0
    late: int = 0
    supervised: int = 0
    waiting: int = 0
    dropped: int = 0


def count(facts: Iterable[Fact]) -> dict[str, Counts]:
    """Counts by clause id over any facts, in ledger order; every duty counts once."""
    table: dict[str, Counts] = {}
    states: dict[str, State] = {}
    for fact in facts:
        if not isinstance(fact, DutyOpened | DutyEnded | StepTaken | UnitReceived):
            continue
        state = states.get(fact.stream) or State.blank(fact.stream)
        if isinstance(fact, DutyOpened) and fact.key in state.duties:
            for holder in fact.holders:
                _close(table, state.duties[fact.key].clause, state.duties[fact.key].shares.get(holder))
        states[fact.stream] = fold(state, fact)
    for state in states.values():
        for duty in state.duties.values():
            for share in duty.shares.values():
                _add(table, duty.clause, share)
    return table


def _close(table: dict[str, Counts], clause: str, share: Share | None) -> None:
    """A share that is about to be replaced: counts if it had ended; if not, the new one goes on in its place."""
    if share is not None and not share.open:
        _add(table, clause, share)


def _add(table: dict[str, Counts], clause: str, share: Share) -> None:
    counts = table.setdefault(clause, Counts())
    if share.how == "cancelled" and not share.supervised:
        counts.dropped += 1
        return
    counts.triggered += 1
    if share.how == "done":
        if share.ended is not None and share.ended <= share.deadline:
            counts.done += 1
        else:
            counts.late += 1
    elif share.supervised or share.desk or share.step:
        counts.supervised += 1
    else:
        counts.waiting += 1
