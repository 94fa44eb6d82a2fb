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


def page(session: Session, *, before: int, limit: int, kind: str = "") -> list[Line]:
    """The newest facts before a seq, newest first; of one kind or of all."""
    if kind:
        rows = session.run(
            _SELECT + "WHERE kind = ? AND seq < ? ORDER BY seq DESC LIMIT ?", kind, before, limit
        )
    else:
        rows = session.run(_SELECT + "WHERE seq < ? ORDER BY seq DESC LIMIT ?", before, limit)
    return [_line(row) for row in rows]


def consequences(session: Session, id: str) -> list[Line]:  # noqa: A002 - the ledger's own word
    """What followed from an input, to the end, in order: entries of one decision stand together."""
    rows = session.run(
        "WITH RECURSIVE after(id) AS (SELECT ? UNION SELECT l.id FROM ledger l JOIN after a ON l.cause = a.id"
        " WHERE l.seq > (SELECT seq FROM ledger WHERE id = ?))"
        " SELECT l.seq, l.id, l.cause, l.body FROM ledger l JOIN after a ON a.id = l.id ORDER BY l.seq",
        id, id,
    )  # fmt: skip
    return [_line(row) for row in rows]


def facts(session: Session, batch: int = 5000) -> Iterator[Line]:
    """The whole ledger in order, in short reads (an open reader lets SQLite's log grow)."""
    seq = 0
    while rows := session.run(_SELECT + "WHERE seq > ? ORDER BY seq LIMIT ?", seq, batch):
        for row in rows:
            yield _line(row)
        seq = rows[-1][0]


def last_at(session: Session) -> int:
    """The latest moment in the ledger, UTC µs; 0 when it is empty."""
    return int(
        session.run(
            "SELECT coalesce(max(at), 0) FROM (SELECT at FROM ledger ORDER BY seq DESC LIMIT 1000) AS t"
        )[0][0]
    )


def _line(row: tuple[int, str, str, str]) -> Line:
    return Line(row[0], row[1], row[2], decode(row[3]))
