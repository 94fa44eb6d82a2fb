"""停发 Holds: lanes that send nothing until a person releases them; a table, so that a restart changes nothing."""

from __future__ import annotations

from typing import NamedTuple

from fengsui.store.sql import Session

EVERY = "*"
"""Stands for every lane, also for one that is configured later."""


class Hold(NamedTuple):
    """A held lane: since when (UTC µs), and why."""

    lane: str
    since: int
    reason: str


def put(session: Session, lane: str, now: int, reason: str) -> None:
    """Hold a lane; one that is held already keeps its first reason."""
    session.run(
        "INSERT INTO hold (lane, since, reason) VALUES (?, ?, ?) ON CONFLICT (lane) DO NOTHING",
        lane,
        now,
        reason,
    )


def lift(session: Session, lane: str = "") -> int:
    """Release a lane, "" = all of them; how many holds are gone. A hold on every lane ends only with all of them."""
    if lane:
        return session.count("DELETE FROM hold WHERE lane = ?", lane)
    return session.count("DELETE FROM hold")


def read(session: Session) -> tuple[Hold, ...]:
    """Every hold, oldest first."""
    return tuple(map(Hold._make, session.run("SELECT lane, since, reason FROM hold ORDER BY since, lane")))


def waiting(session: Session) -> dict[str, int]:
    """How many rows wait to be sent, by lane."""
    rows = session.run("SELECT lane, count(*) FROM delivery WHERE state = 0 GROUP BY lane ORDER BY lane")
    return {str(lane): int(count) for lane, count in rows}
