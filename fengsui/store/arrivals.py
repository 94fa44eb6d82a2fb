"""来报 Arrivals: every message and text that came from elsewhere, what became of it, and why — beside the desk.

A row stands before anything is done about it, so that nothing is lost between its coming and its reading; the bytes are in
the archive under its digest. The same bytes are one arrival, however often and by whatever way they come; a way that is
trusted makes it new once more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from fengsui.store import archive, departures
from fengsui.store.archive import Paper
from fengsui.store.sql import Session
from fengsui.store.sql import archive as open_archive

KIND = "received"
"""Of papers in the archive."""
State = Literal["new", "registered", "waiting", "refused", "aside"]
NEW: State = "new"
OPEN: tuple[State, ...] = ("waiting", "refused")
"""What a person must look at; ``aside``: it does not concern this district, or no more."""


class Arrival(msgspec.Struct, frozen=True):
    """One arrival. at: UTC µs when it came; source: the feed, or how a person brought it; name: of its file or address; form:
    cap or text; bound: its channel is trusted. code, why: what was said of it; stream: where it was registered, one for each
    hazard with a space between ("" = not);
    hazard: id of the pack, or as written; signer: whose pinned certificate signed it; seen: who has looked at it.
    """

    digest: str
    at: int
    source: str
    name: str = ""
    form: str = "cap"
    bound: int = 0
    state: State = NEW
    code: str = ""
    why: str = ""
    stream: str = ""
    series: str = ""
    sender: str = ""
    identifier: str = ""
    sent: int = 0
    kind: str = ""
    hazard: str = ""
    level: str = ""
    title: str = ""
    expires: int = 0
    valid: int = 0
    signer: str = ""
    seen: str = ""


FIELDS = tuple(f.name for f in msgspec.structs.fields(Arrival))
_SELECT = f"SELECT {', '.join(FIELDS)} FROM arrival"  # noqa: S608 - names of ours
_INSERT = (
    f"INSERT INTO arrival ({', '.join(FIELDS)}) VALUES ({', '.join('?' * len(FIELDS))})"  # noqa: S608
    " ON CONFLICT (digest) DO UPDATE SET bound = excluded.bound, source = excluded.source, state = 'new'"
    " WHERE arrival.bound < excluded.bound"
)
_UPDATE = f"UPDATE arrival SET {', '.join(f'{name} = ?' for name in FIELDS[1:])} WHERE digest = ?"  # noqa: S608


def desk() -> Session:
    """A connection to where arrivals stand."""
    return departures.desk()


def keep(session: Session, found: Iterable[tuple[Arrival, bytes]], now: int) -> int:
    """Keep the bytes, then the rows, each once; how many were new, or came for the first time by a trusted way."""
    rows = list(found)
    papers = open_archive()
    try:
        archive.put(papers, [Paper(KIND, body) for _, body in rows], now)
    finally:
        papers.close()
    with session.transaction():
        return sum(session.count(_INSERT, *msgspec.structs.astuple(row)) for row, _ in rows)


def content(digest: str) -> bytes:
    """The bytes as they came. Raises archive.Missing, archive.Erased."""
    papers = open_archive()
    try:
        return archive.get(papers, digest)
    finally:
        papers.close()


def settle(session: Session, one: Arrival) -> None:
    """What became of an arrival."""
    digest, *others = msgspec.structs.astuple(one)
    session.run(_UPDATE, *(v.replace("\0", "") if isinstance(v, str) else v for v in others), digest)


def find(session: Session, digest: str) -> Arrival | None:
    """An arrival by its digest."""
    rows = session.run(f"{_SELECT} WHERE digest = ?", digest)
    return Arrival(*rows[0]) if rows else None


def fresh(session: Session, limit: int = 100) -> list[Arrival]:
    """What nobody has read yet, in the order in which it came."""
    return [
        Arrival(*row)
        for row in session.run(f"{_SELECT} WHERE state = 'new' ORDER BY at, digest LIMIT ?", limit)
    ]


def waits(session: Session, limit: int = 20) -> list[Arrival]:
    """What a person must look at and nobody has, the newest first."""
    text = f"{_SELECT} WHERE state IN ('waiting', 'refused') AND seen = '' ORDER BY at DESC LIMIT ?"
    return [Arrival(*row) for row in session.run(text, limit)]


def count(session: Session, source: str) -> int:
    """How many a source was the first to bring."""
    return int(session.run("SELECT count(*) FROM arrival WHERE source = ?", source)[0][0])


def listed(session: Session, state: str, limit: int) -> list[Arrival]:
    """The newest arrivals, of a state or of all ("")."""
    text = f"{_SELECT} WHERE (? = '' OR state = ?) ORDER BY at DESC, digest LIMIT ?"
    return [Arrival(*row) for row in session.run(text, state, state, limit)]


def of_stream(session: Session, stream: str) -> list[Arrival]:
    """What was registered in a stream, oldest first."""
    text = f"{_SELECT} WHERE ' ' || stream || ' ' LIKE ? ORDER BY sent, at"
    return [Arrival(*row) for row in session.run(text, f"% {stream} %")]
