"""看板 Board as stored: rows in and out of ``core.board.Row``, written as a difference, read for what is due."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from fengsui.core.board import Row
from fengsui.store.sql import Session, pack

FIELDS = tuple(f.name for f in msgspec.structs.fields(Row))
_NUMBERS = {"opened", "deadline", "run_at", "version", "ended"}


def _column(index: int, name: str) -> str:
    if name == "desk":
        return f"CASE WHEN CAST(j.value->>{index} AS TEXT) IN ('true', '1') THEN 1 ELSE 0 END"
    return f"CAST(j.value->>{index} AS BIGINT)" if name in _NUMBERS else f"j.value->>{index}"


_UPSERT = (
    f"INSERT INTO board ({', '.join(FIELDS)}) SELECT {', '.join(_column(i, n) for i, n in enumerate(FIELDS))}"  # noqa: S608 - names of ours
    " FROM {each} WHERE true ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{n} = excluded.{n}" for n in FIELDS if n != "id")
)
_SELECT = f"SELECT {', '.join(FIELDS)} FROM board"  # noqa: S608


def write(session: Session, changed: Sequence[Row], gone: Sequence[str]) -> None:
    """Write a difference."""
    if gone:
        session.run("DELETE FROM board WHERE id IN (SELECT j.value FROM {each_text})", pack(list(gone)))
    if changed:
        session.run(_UPSERT, pack([tuple(getattr(row, n) for n in FIELDS) for row in changed]))


def read(session: Session) -> dict[str, Row]:
    """The whole board, by id."""
    found = {}
    for values in session.run(_SELECT):
        named = dict(zip(FIELDS, values, strict=True))
        found[named["id"]] = Row(**{**named, "desk": bool(named["desk"])})
    return found


def due(session: Session, now: int) -> list[tuple[str, int]]:
    """Streams in which something is due, and the latest moment up to now that is."""
    return [
        (stream, at)
        for stream, at in session.run(
            "SELECT stream, max(run_at) FROM board WHERE run_at <= ? GROUP BY stream ORDER BY stream", now
        )
    ]


def soonest(session: Session) -> int | None:
    """When something is due next, or None."""
    found = session.run("SELECT min(run_at) FROM board WHERE run_at IS NOT NULL")[0][0]
    return None if found is None else int(found)
