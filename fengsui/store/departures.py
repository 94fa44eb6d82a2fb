"""待发 Departures: drafts that were signed and leave in a moment — rows beside the drafts, so that no crash loses them.

A draft is ``leaving`` until its moment, when it can still be called back; then ``going``, until the ledger has it. What is
urgent is ``going`` at once: a page posts it, and its moment is when the house asks whether the ledger has it. A row of
its own holds what will be posted; its ``account`` is the draft's number. What could not go is kept as the reason why.
"""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings

from fengsui.store.sql import Session

KIND, REFUSED = "leaving", "refused"
"""Kinds of rows: what is to be posted; why it was not."""


class Departure(NamedTuple):
    """What is to be posted: its own row, the draft's, its moment (UTC µs), what it says."""

    row: int
    draft: int
    at: int
    body: str


def desk() -> Session:
    """A connection to the desk's own database: a file of its own on SQLite, the main database on PostgreSQL."""
    return Session("desk" if "desk" in settings.DATABASES else "default")


def due(session: Session, now: int) -> list[Departure]:
    """Whose moment has come, the first first."""
    rows = session.run(
        "SELECT id, account, at, body FROM draft WHERE kind = ? AND at <= ? ORDER BY at, id", KIND, now
    )
    return [Departure(int(row), int(draft), int(at), str(body)) for row, draft, at, body in rows]


def claim(session: Session, one: Departure) -> bool:
    """From here it can no longer be called back; False if it was, or has gone meanwhile: then its row is dropped."""
    known = (
        "UPDATE draft SET state = 'going' WHERE id = ? AND state IN ('leaving', 'going')"
        " AND EXISTS (SELECT 1 FROM draft AS own WHERE own.id = ? AND own.kind = ?)"
    )
    if session.count(known, one.draft, one.row, KIND):
        return True
    session.run("DELETE FROM draft WHERE id = ? AND kind = ?", one.row, KIND)
    return False


def gone(session: Session, one: Departure) -> None:
    """The ledger has it."""
    with session.transaction():
        session.run("UPDATE draft SET state = 'signed' WHERE id = ? AND state = 'going'", one.draft)
        session.run("DELETE FROM draft WHERE id = ?", one.row)


def back(session: Session, one: Departure, why: str, now: int) -> bool:
    """It could not go: the draft waits for a signature again, and says why. False if somebody else has settled it."""
    with session.transaction():
        known = "UPDATE draft SET state = 'submitted' WHERE id = ? AND state = 'going'"
        if not session.count(known, one.draft):
            return False
        session.run("UPDATE draft SET kind = ?, body = ?, at = ? WHERE id = ?", REFUSED, why, now, one.row)
        return True


def strays(session: Session) -> list[int]:
    """Drafts that should be leaving and have nothing that would be posted: they would wait for ever."""
    rows = session.run(
        "SELECT id FROM draft WHERE state IN ('leaving', 'going')"
        " AND NOT EXISTS (SELECT 1 FROM draft AS own WHERE own.account = draft.id AND own.kind = ?)",
        KIND,
    )
    return [int(draft) for (draft,) in rows]


def stray(session: Session, draft: int, why: str, now: int) -> bool:
    """Such a draft waits for a signature again, and says why. False if it has moved on meanwhile."""
    known = (
        "UPDATE draft SET state = 'submitted' WHERE id = ? AND state IN ('leaving', 'going')"
        " AND NOT EXISTS (SELECT 1 FROM draft AS own WHERE own.account = draft.id AND own.kind = ?)"
    )
    with session.transaction():
        if not session.count(known, draft, KIND):
            return False
        session.run(
            "INSERT INTO draft (kind, account, stream, body, at, state) VALUES (?, ?, '', ?, ?, 'open')",
            REFUSED, draft, why, now,
        )  # fmt: skip
        return True
