"""收件 Inbox: what phones wrote to us, stored before the peer is acknowledged; the same message twice is one."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import NamedTuple

from fengsui.store.sql import Session
from fengsui.store.vault import Vault

WINDOW = 600_000_000
"""µs within which the same words from the same phone to the same number are one message that the peer repeated."""


def put(
    session: Session, vault: Vault, gateway: str, replies: Iterable[tuple[str, str, str]], now: int
) -> list[str]:
    """Store (sender, recipient, text); ids of those that are new."""
    made = []
    for sender, recipient, text in replies:
        digest = vault.lookup(f"{gateway}\n{sender}\n{recipient}\n{text}")
        if session.run("SELECT 1 FROM inbox WHERE digest = ? AND at > ?", digest, now - WINDOW):
            continue
        made.append(secrets.token_hex(8))
        session.run(
            "INSERT INTO inbox (id, gateway, sender, cipher, suffix, text, at, state, digest)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 'new', ?)",
            made[-1], gateway, vault.lookup(sender), vault.encrypt(sender, "address"), recipient,
            vault.encrypt(text, "text"), now, digest,
        )  # fmt: skip
    return made


def new(session: Session, vault: Vault, limit: int = 500) -> list[tuple[str, str, str, str, str]]:
    """Messages nobody has read yet: (id, gateway, sender, recipient, text), oldest first."""
    rows = session.run(
        "SELECT id, gateway, cipher, suffix, text FROM inbox WHERE state = 'new' ORDER BY at LIMIT ?", limit
    )
    return [
        (id_, gateway, vault.decrypt(bytes(cipher), "address"), suffix, vault.decrypt(bytes(text), "text"))
        for id_, gateway, cipher, suffix, text in rows
    ]


class Waiting(NamedTuple):
    """A message that nobody understood (unclear) or whose sender nobody knows (unknown)."""

    id: str
    gateway: str
    at: int
    state: str
    sender: str
    recipient: str
    text: str


def waiting(session: Session, vault: Vault, limit: int = 200) -> list[Waiting]:
    """Messages that wait for a person, oldest first; the sender in clear, for masking."""
    rows = session.run(
        "SELECT id, gateway, at, state, cipher, suffix, text FROM inbox WHERE state IN ('unclear', 'unknown')"
        " ORDER BY at, id LIMIT ?",
        limit,
    )
    return [
        Waiting(
            id_,
            gateway,
            at,
            state,
            vault.decrypt(bytes(cipher), "address"),
            to,
            vault.decrypt(bytes(text), "text"),
        )
        for id_, gateway, at, state, cipher, to, text in rows
    ]


def waits(session: Session) -> int:
    """How many messages wait for a person."""
    return int(session.run("SELECT count(*) FROM inbox WHERE state IN ('unclear', 'unknown')")[0][0])


def settle(session: Session, id: str, state: str) -> None:  # noqa: A002 - the table's own word
    """Say what became of a message: "read", "unknown" …"""
    session.run("UPDATE inbox SET state = ? WHERE id = ?", state, id)
