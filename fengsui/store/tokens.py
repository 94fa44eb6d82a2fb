"""链接码 Tokens: by their hash, whose they are and which warning they answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from fengsui.store.sql import Session, pack

LENGTH = 12
"""Characters of a token."""


def mark(token: str) -> str:
    """What is stored of a token: its sha-256."""
    return hashlib.sha256(token.encode()).hexdigest()


def put(session: Session, rows: Iterable[tuple[str, str, str, int]]) -> None:
    """Store (hash, person, stream, version); a token that is known keeps its first version."""
    session.run(
        "INSERT INTO token (hash, person, stream, version, used_at) SELECT j.value->>0, j.value->>1, j.value->>2,"
        " CAST(j.value->>3 AS BIGINT), 0 FROM {each} WHERE true ON CONFLICT (hash) DO NOTHING",
        pack(list(rows)),
    )


def find(session: Session, key: str) -> tuple[str, str] | None:
    """Person and stream of a token by its hash, or None."""
    rows = session.run("SELECT person, stream FROM token WHERE hash = ?", key)
    return (rows[0][0], rows[0][1]) if rows else None
