"""核验 Verify: walk the chain, recompute every hash, check the signed head. Yields what is wrong, with its seq."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fengsui.store.ledger import COLUMNS, GENESIS, Head, digest
from fengsui.store.sql import Session
from fengsui.store.vault import Vault


class Fault(NamedTuple):
    """Something that does not agree: the row's seq (0 = the head), a stable code, and what to do, in Chinese."""

    seq: int
    code: str
    text: str


def verify(session: Session, vault: Vault, batch: int = 5000, *, since: int = 0) -> Iterator[Fault]:
    """Every fault of the ledger; none = nothing was changed, removed or added outside the writer.

    since: only what comes after this seq, whose own hash is taken as it stands; 0 = the whole ledger.
    """
    seq, prev = since, _before(session, since)
    while rows := session.run(_SELECT, seq, batch):
        for row in rows:
            if row[0] != seq + 1:
                yield Fault(
                    row[0],
                    "S101",
                    f"台账第 {seq + 1} 至 {row[0] - 1} 条缺失。请与签发件上印的链头核对。[S101]",
                )
            if row[12] != prev:
                yield Fault(row[0], "S102", f"台账第 {row[0]} 条与上一条不相连。请从备份核对。[S102]")
            if digest(row) != row[13]:
                yield Fault(row[0], "S103", f"台账第 {row[0]} 条被改动过。请从备份核对。[S103]")
            seq, prev = row[0], row[13]
    yield from _head(session, vault, seq, prev)


def _before(session: Session, seq: int) -> str:
    rows = session.run("SELECT hash FROM ledger WHERE seq = ?", seq)
    return str(rows[0][0]) if rows else GENESIS


_SELECT = f"SELECT {COLUMNS}, hash FROM ledger WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608 - columns of ours


def _head(session: Session, vault: Vault, seq: int, prev: str) -> Iterator[Fault]:
    at, hash_, epoch, signature, key = session.run(
        "SELECT seq, hash, epoch, signature, key FROM chain WHERE id = 1"
    )[0]
    if (at, hash_) != (seq, prev):
        yield Fault(0, "S104", f"链头记到第 {at} 条，台账到第 {seq} 条，两者不符。末尾可能被删改。[S104]")
    if at and not vault.signed(Head(at, hash_, epoch).message(), signature, key):
        yield Fault(0, "S105", f"链头签名无效（密钥 {key}）。请确认 keys 目录完整，再从备份核对。[S105]")
