"""史 History: reading the ledger, for pages, for folding again, for reports. Never writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fengsui.core.facts import Fact, decode
from fengsui.store.sql import Session


class Line(NamedTuple):
    """A fact with its place: seq, id, the id of its cause ("" = it came from outside)."""

    seq: int
    id: str
    cause: str
    fact: Fact


_SELECT = "SELECT seq, id, cause, body FROM ledger "


def since(session: Session, seq: int) -> list[Line]:
    """Everything after a seq, in order."""
    return [_line(row) for row in session.run(_SELECT + "WHERE seq > ? ORDER BY seq", seq)]


def stream(session: Session, name: str) -> list[Line]:
    """The facts of one stream, in order."""
    return [_line(row) for row in session.run(_SELECT + "WHERE stream = ? ORDER BY seq", name)]


def page(session: Session, *, before: int, limit: int, kind: str = "", but: str = "") -> list[Line]:
    """The newest facts before a seq, newest first; of one kind or of all, without those of a series (but)."""
    if but:
        select = _SELECT + "WHERE seq < ? AND NOT series = ? ORDER BY seq DESC LIMIT ?"
        rows = session.run(select, before, but, limit)
    elif kind:
        rows = session.run(
            _SELECT + "WHERE kind = ? AND seq < ? ORDER BY seq DESC LIMIT ?", kind, before, limit
        )
    else:
        rows = session.run(_SELECT + "WHERE seq < ? ORDER BY seq DESC LIMIT ?", before, limit)
    return [_line(row) for row in rows]


def of_kind(session: Session, kind: str, series: str = "") -> list[Line]:
    """Every fact of a kind, in order; of one series or of all."""
    if series:
        rows = session.run(_SELECT + "WHERE kind = ? AND series = ? ORDER BY seq", kind, series)
    else:
        rows = session.run(_SELECT + "WHERE kind = ? ORDER BY seq", kind)
    return [_line(row) for row in rows]


def consequences(session: Session, id: str) -> list[Line]:  # noqa: A002 - the ledger's own word
    """An input and what followed from it, in order: the entries of one decision stand together."""
    start = session.run("SELECT seq FROM ledger WHERE id = ?", id)
    if not start:
        return []
    end = session.run("SELECT seq FROM ledger WHERE seq > ? AND cause = '' ORDER BY seq LIMIT 1", start[0][0])
    rows = session.run(
        _SELECT + "WHERE seq >= ? AND seq < ? ORDER BY seq", start[0][0], end[0][0] if end else 2**62
    )
    return [_line(row) for row in rows]


def facts(session: Session, batch: int = 5000) -> Iterator[Line]:
    """The whole ledger in order, in short reads (an open reader lets SQLite's log grow)."""
    seq = 0
    while rows := session.run(_SELECT + "WHERE seq > ? ORDER BY seq LIMIT ?", seq, batch):
        for row in rows:
            yield _line(row)
        seq = rows[-1][0]


def last_seq(session: Session) -> int:
    """How many facts the ledger has."""
    return int(session.run("SELECT coalesce(max(seq), 0) FROM ledger")[0][0])


def last_at(session: Session) -> int:
    """The latest moment in the ledger, UTC µs; 0 when it is empty."""
    return int(
        session.run(
            "SELECT coalesce(max(at), 0) FROM (SELECT at FROM ledger ORDER BY seq DESC LIMIT 1000) AS t"
        )[0][0]
    )


def _line(row: tuple[int, str, str, str]) -> Line:
    return Line(row[0], row[1], row[2], decode(row[3]))
