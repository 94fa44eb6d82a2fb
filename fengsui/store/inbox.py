"""收件 Inbox: what phones wrote to us, stored before the peer is acknowledged; the same message twice is one."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

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


def settle(session: Session, id: str, state: str) -> None:  # noqa: A002 - the table's own word
    """Say what became of a message: "read", "unknown" …"""
    session.run("UPDATE inbox SET state = ? WHERE id = ?", state, id)
