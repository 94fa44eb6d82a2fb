"""看板 Board: what screens show and filter by — rows derived from state and from nothing else.

``difference`` gives the same rows as ``rows`` before and after, but looks only where something changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from fengsui.core.state import Duty, Share, State


class Row(msgspec.Struct, frozen=True):
    """One line: what a holder owes. Moments UTC µs; status open, desk, supervised, done, late or cancelled.

    run_at: when the clock must look again. A row at the desk waits for a person.
    """

    id: str
    stream: str
    clause: str
    duty: str
    holder: str
    unit: str
    opened: int
    deadline: int
    run_at: int | None
    status: str
    desk: bool
    version: int
    haste: str
    ended: int | None = None
    evidence: str = ""


def rows(state: State) -> dict[str, Row]:
    """Every row of a stream, by id."""
    return {row.id: row for duty in state.duties.values() for row in _rows(state.stream, duty, {})}


def difference(before: State, after: State) -> tuple[list[Row], list[str]]:
    """Rows to write and ids to delete to get from one state's board to the next's."""
    changed: list[Row] = []
    for key, duty in after.duties.items():
        old = before.duties.get(key)
        if old is not duty:
            changed.extend(_rows(after.stream, duty, old.shares if old else {}))
    gone = [
        f"{after.stream}|{key}|{holder}"
        for key, duty in before.duties.items()
        if key not in after.duties
        for holder in duty.shares
    ]
    return changed, gone


def _rows(stream: str, duty: Duty, known: Mapping[str, Share]) -> Iterator[Row]:
    for holder, share in duty.shares.items():
        if known.get(holder) is share:
            continue
        yield Row(
            id=f"{stream}|{duty.key}|{holder}",
            stream=stream,
            clause=duty.clause,
            duty=duty.key,
            holder=holder,
            unit=holder.split("/", 1)[0],
            opened=share.opened,
            deadline=share.deadline,
            run_at=share.next_at,
            status=status(share),
            desk=share.desk,
            version=share.plan.version,
            haste=share.plan.haste,
            ended=share.ended,
            evidence=share.evidence,
        )


def status(share: Share) -> str:
    """In one word how a share stands."""
    if share.ended is not None:
        if share.how == "cancelled":
            return "cancelled"
        return "done" if share.ended <= share.deadline else "late"
    if share.supervised:
        return "supervised"
    return "desk" if share.desk else "open"
