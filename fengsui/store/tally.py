"""清点 Tallies: counts of a notice on a channel, moved with every state, so that its end is found without counting rows."""

from __future__ import annotations

from collections import Counter

from fengsui.store.sql import Session
from fengsui.store.states import COLUMN, State

Move = tuple[int, str, int, int]
"""(notice, channel, old state, new state)."""


def planned(session: Session, notice: int, counts: Counter[str]) -> None:
    """Count new rows of a notice, by channel."""
    for channel, count in counts.items():
        session.run(
            "INSERT INTO notice_channel (notice, channel, planned, open, handed, delivered, failed, refused, unknown,"
            " expired, withdrawn, tallied) VALUES (?, ?, ?, ?, 0, 0, 0, 0, 0, 0, 0, 0) ON CONFLICT (notice, channel)"
            " DO UPDATE SET planned = notice_channel.planned + excluded.planned,"
            " open = notice_channel.open + excluded.open",
            notice, channel, count, count,
        )  # fmt: skip


_MOVE = {
    column: f"UPDATE notice_channel SET open = open - ?, {column} = {column} + ? WHERE notice = ? AND channel = ?"  # noqa: S608 - columns of ours
    for column in COLUMN.values()
}


def moved(session: Session, moves: Counter[Move]) -> None:
    """Count rows whose state rose. ``handed`` counts every row a peer took, however it ended."""
    for (notice, channel, old, new), count in moves.items():
        column = COLUMN[State(min(new, State.DELIVERED))]
        if column != COLUMN.get(State(min(old, State.DELIVERED))):
            session.run(_MOVE[column], 0 if old else count, count, notice, channel)
        if new >= State.DELIVERED and old < State.HANDED_OVER:
            session.run(_MOVE["handed"], 0, count, notice, channel)
        if old == State.UNKNOWN:
            session.run(_MOVE["unknown"], 0, -count, notice, channel)


def over(session: Session) -> list[tuple[int, str, dict[str, int]]]:
    """(notice, channel, counts) for whatever has just been handed over or given up entirely; each is told once."""
    rows = session.run(
        "UPDATE notice_channel SET tallied = 1 WHERE open = 0 AND tallied = 0"
        " AND notice IN (SELECT id FROM notice WHERE done = 1)"
        " RETURNING notice, channel, planned, handed, refused, failed, unknown, expired, withdrawn"
    )
    names = ("planned", "handed_over", "refused", "failed", "unknown", "expired", "withdrawn")
    return [(row[0], row[1], {n: v for n, v in zip(names, row[2:], strict=True) if v}) for row in rows]
