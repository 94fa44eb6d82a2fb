"""留痕 Audit: deeds on pages that are no facts of the mechanism, yet must be answered for — who, what, when.

Papers of the archive, one for each deed, listed for the administrator. Looks at whole numbers are kept by ``numbers``.
"""

from __future__ import annotations

import secrets
from typing import Literal

import msgspec

from fengsui.store import archive
from fengsui.store.accounts import Account
from fengsui.store.archive import Paper
from fengsui.store.sql import archive as open_archive
from fengsui.web import here, numbers

Deed = Literal["gateway", "account"]


class Note(msgspec.Struct, frozen=True):
    """One deed: who did it (login), what, concerning whom or what, when (UTC µs)."""

    account: str
    what: str
    about: str
    at: int
    nonce: str


class Look(msgspec.Struct, frozen=True):
    """A look at whole numbers, as ``numbers`` keeps it: who, whose, why, when (UTC µs)."""

    account: str
    of: tuple[str, ...]
    reason: str
    at: int


def note(deed: Deed, account: Account, what: str, about: str) -> None:
    """Record a deed before it is done. about: never a number or a secret."""
    made = Note(account.username, what, about, here.now(), secrets.token_hex(4))
    numbers.keep(Paper(deed, msgspec.json.encode(made)))


def notes(deed: Deed, limit: int = 200) -> list[Note]:
    """The newest deeds of a kind, newest first."""
    return [msgspec.json.decode(body, type=Note) for body in _papers(deed, limit)]


def looks(limit: int = 1000) -> list[Look]:
    """The newest looks at whole numbers, newest first."""
    return [msgspec.json.decode(body, type=Look) for body in _papers("unmask", limit)]


def _papers(kind: str, limit: int) -> list[bytes]:
    session = open_archive()
    try:
        return archive.listed(session, kind, limit)
    finally:
        session.close()
