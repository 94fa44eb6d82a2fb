"""台账 Ledger, the writing side: append facts, sign the head. Only ``flow`` may import this.

hash = sha-256 over the canonical JSON array of every other column in the order of ``COLUMNS``, ``prev`` last;
the first row's prev is 64 zeros. The head is signed in the commit that moves it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from fengsui.store.sql import Session, pack
from fengsui.store.vault import Vault

GENESIS = "0" * 64
SCHEMA = 1
COLUMNS = "seq, id, series, stream, kind, at, cause, schema, body, pack, directory, release, prev"


class Row(NamedTuple):
    """A row as stored. pack, directory and release are the digests of a decision, "" on what follows from its input."""

    seq: int
    id: str
    series: str
    stream: str
    kind: str
    at: int
    cause: str
    schema: int
    body: str
    pack: str
    directory: str
    release: str
    prev: str
    hash: str


class New(NamedTuple):
    """A row before it has its place in the chain."""

    id: str
    series: str
    stream: str
    kind: str
    at: int
    cause: str
    body: str
    pack: str = ""
    directory: str = ""
    release: str = ""


class Head(NamedTuple):
    """The end of the chain."""

    seq: int
    hash: str
    epoch: int = 0

    def message(self) -> bytes:
        """What is signed."""
        return f"fengsui chain {self.epoch} {self.seq} {self.hash}".encode()


def digest(row: Sequence[object]) -> str:
    """The hash of a row: of all its columns but the hash."""
    return hashlib.sha256(msgspec.json.encode(list(row[:13]))).hexdigest()


def lock(session: Session) -> Head:
    """The head, locked until the end of the transaction where the database has row locks."""
    return Head(*session.run("SELECT seq, hash, epoch FROM chain WHERE id = 1 {lock}")[0])


def known(session: Session, ids: Sequence[str]) -> dict[str, int]:
    """Which of these ids are in the ledger already, with their seq."""
    if not ids:
        return {}
    return dict(
        session.run("SELECT l.id, l.seq FROM {each_text} {join} ledger l ON l.id = j.value", pack(list(ids)))
    )


def append(session: Session, head: Head, rows: Sequence[New]) -> tuple[Head, dict[str, int]]:
    """Chain rows to the head and insert them in one statement; the new head and the seq of each id."""
    chained: list[Row] = []
    for row in rows:
        bare = (head.seq + 1, *row[:6], SCHEMA, *row[6:], head.hash)
        chained.append(Row(*bare, digest(bare)))
        head = Head(chained[-1].seq, chained[-1].hash, head.epoch)
    session.run(
        "INSERT INTO ledger (seq, id, series, stream, kind, at, cause, schema, body, pack, directory, release, prev,"
        " hash) SELECT CAST(j.value->>0 AS BIGINT), j.value->>1, j.value->>2, j.value->>3, j.value->>4,"
        " CAST(j.value->>5 AS BIGINT), j.value->>6, CAST(j.value->>7 AS BIGINT), j.value->>8, j.value->>9,"
        " j.value->>10, j.value->>11, j.value->>12, j.value->>13 FROM {each}",
        pack(chained),
    )
    return head, {row.id: row.seq for row in chained}


def seal(session: Session, head: Head, vault: Vault) -> None:
    """Sign the head and store it."""
    signature, key = vault.sign(head.message())
    session.run(
        "UPDATE chain SET seq = ?, hash = ?, signature = ?, key = ? WHERE id = 1",
        head.seq,
        head.hash,
        signature,
        key,
    )
