"""过程 Streams: the ledger by stream, and the end of its chain, for pages. Reads only; the number of queries is fixed."""

from __future__ import annotations

from typing import NamedTuple

from fengsui.core.board import Row
from fengsui.core.facts import Alerted, Received, decode
from fengsui.store.board import FIELDS
from fengsui.store.sql import Session, pack


class Stream(NamedTuple):
    """A stream: series, how many facts it has, the first and last of them by seq and moment; its warnings in order, ours or
    another office's.
    """

    name: str
    series: str
    facts: int
    first: int
    last: int
    began: int
    ended: int
    alerts: tuple[Alerted | Received, ...]


class Head(NamedTuple):
    """The end of the chain: seq, hash, the key that signed it, how often a restore has happened."""

    seq: int
    hash: str
    key: str
    epoch: int


def head(session: Session) -> Head:
    """The end of the chain."""
    return Head(*session.run("SELECT seq, hash, key, epoch FROM chain WHERE id = 1")[0])


def place(session: Session, seq: int) -> tuple[str, int]:
    """Hash and moment of the fact with this seq."""
    hash_, at = session.run("SELECT hash, at FROM ledger WHERE seq = ?", seq)[0]
    return str(hash_), int(at)


def series(session: Session, name: str) -> str:
    """The series of a stream, "" if nothing ever happened in it."""
    rows = session.run("SELECT series FROM ledger WHERE stream = ? ORDER BY seq DESC LIMIT 1", name)
    return str(rows[0][0]) if rows else ""


def streams(session: Session) -> list[Stream]:
    """Every stream, the one that was touched last first."""
    alerts: dict[str, list[Alerted | Received]] = {}
    for name, body in session.run(
        "SELECT stream, body FROM ledger WHERE kind IN ('alerted', 'received') ORDER BY seq"
    ):
        fact = decode(body)
        if isinstance(fact, Alerted | Received):
            alerts.setdefault(name, []).append(fact)
    rows = session.run(
        "SELECT s.stream, b.series, s.n, s.first, s.last, a.at, b.at FROM (SELECT stream, count(*) AS n,"
        " min(seq) AS first, max(seq) AS last FROM ledger GROUP BY stream) AS s JOIN ledger a ON a.seq = s.first"
        " JOIN ledger b ON b.seq = s.last ORDER BY s.last DESC"
    )
    return [Stream._make((*row, tuple(alerts.get(row[0], ())))) for row in rows]


def duties(session: Session, names: list[str]) -> dict[str, list[str]]:
    """The bodies of all facts about duties of some streams, in order: what a tally is counted from."""
    found: dict[str, list[str]] = {}
    for name, body in session.run(
        "SELECT l.stream, l.body FROM {each_text} {join} ledger l ON l.stream = j.value"
        " WHERE l.kind IN ('duty_opened', 'duty_ended', 'step_taken', 'unit_received') ORDER BY l.seq",
        pack(names),
    ):
        found.setdefault(name, []).append(body)
    return found


def board(session: Session, stream: str = "") -> list[Row]:
    """The rows of one stream, or of all; by clause, then by deadline."""
    found = session.run(_ROWS + " ORDER BY clause, deadline, id", stream, stream)
    return [_row(values) for values in found]


def open_rows(session: Session, stream: str = "") -> list[Row]:
    """The rows that are still owed."""
    return [_row(v) for v in session.run(_ROWS + " AND ended IS NULL ORDER BY deadline, id", stream, stream)]


def standing(session: Session) -> dict[str, dict[str, int]]:
    """How many rows of each stream stand how: stream → status → count."""
    found: dict[str, dict[str, int]] = {}
    for stream, status, count in session.run(
        "SELECT stream, status, count(*) FROM board GROUP BY stream, status"
    ):
        found.setdefault(stream, {})[status] = int(count)
    return found


_ROWS = f"SELECT {', '.join(FIELDS)} FROM board WHERE (? = '' OR stream = ?)"  # noqa: S608 - names of ours


def _row(values: tuple[object, ...]) -> Row:
    named = dict(zip(FIELDS, values, strict=True))
    return Row(**{**named, "desk": bool(named["desk"])})  # type: ignore[arg-type]
