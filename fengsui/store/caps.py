"""对外报文 Caps: which version of a warning left as which message, by the digest of its bytes in the archive — or why not.

A message that has left is never made again: whoever asks gets the archived bytes.
"""

from __future__ import annotations

import msgspec

from fengsui.core.series import Series
from fengsui.store.signals import FIELDS, Signal
from fengsui.store.sql import Session


class Cap(msgspec.Struct, frozen=True):
    """A version as a message. second: its own, UTC seconds; expires: UTC µs; digest: of the bytes, "" = did not leave;
    fault: why it did not.
    """

    identifier: str
    stream: str
    version: int
    series: Series
    second: int
    expires: int
    digest: str = ""
    fault: str = ""


_SELECT = "SELECT identifier, stream, version, series, second, expires, digest, fault FROM cap"
_WAITING = (
    f"SELECT {', '.join(f's.{name}' for name in FIELDS)} FROM signal s LEFT JOIN cap c"  # noqa: S608 - names of ours
    " ON c.stream = s.stream AND c.version = s.version"
    " WHERE s.second >= ? AND coalesce(c.digest, '') = '' AND (c.identifier IS NULL OR ? = 1) AND NOT EXISTS"
    " (SELECT 1 FROM cap n WHERE n.stream = s.stream AND n.version > s.version AND n.digest <> '') ORDER BY s.seq"
)


def waiting(session: Session, since: int, *, again: bool) -> list[Signal]:
    """Versions registered since a second of which no message was made, oldest first. again: also those that failed.
    None of a warning of which something newer has left: it would undo that.
    """
    return [Signal(*row) for row in session.run(_WAITING, since, int(again))]


def write(session: Session, cap: Cap) -> None:
    """Keep what became of a version; a message that left stays as it is."""
    session.run(
        "INSERT INTO cap (identifier, stream, version, series, second, expires, digest, fault)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (stream, version) DO UPDATE SET identifier = excluded.identifier,"
        " digest = excluded.digest, fault = excluded.fault, expires = excluded.expires WHERE cap.digest = ''",
        *msgspec.structs.astuple(cap),
    )


def newest(session: Session, series: Series, limit: int) -> list[Cap]:
    """The newest messages of a series that left, newest first."""
    text = f"{_SELECT} WHERE series = ? AND digest <> '' ORDER BY second DESC LIMIT ?"
    return [Cap(*row) for row in session.run(text, series, limit)]


def find(session: Session, identifier: str) -> Cap | None:
    """A message that left, by its identifier."""
    rows = session.run(f"{_SELECT} WHERE identifier = ? AND digest <> ''", identifier)
    return Cap(*rows[0]) if rows else None


def thread(session: Session, stream: str) -> list[Cap]:
    """What became of every version of a stream, oldest first."""
    return [Cap(*row) for row in session.run(f"{_SELECT} WHERE stream = ? ORDER BY version", stream)]


def faults(session: Session, now: int) -> list[Cap]:
    """Versions still valid (UTC µs) that did not leave, newest first."""
    text = f"{_SELECT} WHERE fault <> '' AND digest = '' AND expires > ? ORDER BY second DESC LIMIT 20"
    return [Cap(*row) for row in session.run(text, now)]
