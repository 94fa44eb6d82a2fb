"""档案 Papers by their digest: stored before the fact that names them; erasing leaves digest, kind and size."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from fengsui.store.sql import Session, pack


class Paper(msgspec.Struct, frozen=True):
    """Bytes to keep, and their class (how long they are kept stands in the pack)."""

    kind: str
    body: bytes

    @property
    def digest(self) -> str:
        """sha-256 of the bytes, hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()


class Erased(Exception):  # noqa: N818 - the condition is the name
    """已按规定删除。[S040]"""


class Missing(Exception):  # noqa: N818 - the condition is the name
    """档案里没有这份文书。请核对摘要，或从备份恢复档案。[S041]"""


def put(session: Session, papers: Iterable[Paper], now: int) -> None:
    """Store papers, each once, and commit. The same bytes twice are one paper."""
    with session.transaction():
        for paper in papers:
            session.run(
                "INSERT INTO paper (digest, kind, at, size, body, erased_at) VALUES (?, ?, ?, ?, ?, 0)"
                " ON CONFLICT (digest) DO NOTHING",
                paper.digest, paper.kind, now, len(paper.body), paper.body,
            )  # fmt: skip


def get(session: Session, digest: str) -> bytes:
    """The bytes of a paper. Raises Erased or Missing."""
    rows = session.run("SELECT body FROM paper WHERE digest = ?", digest)
    if not rows:
        raise Missing(Missing.__doc__)
    if rows[0][0] is None:
        raise Erased(Erased.__doc__)
    return bytes(rows[0][0])


def several(session: Session, digests: Iterable[str]) -> dict[str, bytes]:
    """The bytes of those papers that are there and not erased, by digest, with one query."""
    rows = session.run(
        "SELECT p.digest, p.body FROM {each_text} {join} paper p ON p.digest = j.value WHERE p.body IS NOT NULL",
        pack(digests),
    )
    return {digest: bytes(body) for digest, body in rows}


def changed(session: Session, digests: Iterable[str]) -> int:
    """When the newest of these papers was stored, or the last of them erased, UTC µs; 0 without any."""
    rows = session.run(
        "SELECT coalesce(max(p.at), 0), coalesce(max(p.erased_at), 0)"
        " FROM {each_text} {join} paper p ON p.digest = j.value",
        pack(digests),
    )
    return max(map(int, rows[0]))


def listed(session: Session, kind: str, limit: int) -> list[bytes]:
    """The newest papers of a class that still have their bytes, newest first."""
    rows = session.run(
        "SELECT body FROM paper WHERE kind = ? AND body IS NOT NULL ORDER BY at DESC, digest LIMIT ?",
        kind,
        limit,
    )
    return [bytes(row[0]) for row in rows]


def erase(session: Session, digest: str, now: int) -> None:
    """Remove the bytes; the row stays and says when."""
    session.run("UPDATE paper SET body = NULL, erased_at = ? WHERE digest = ? AND erased_at = 0", now, digest)
