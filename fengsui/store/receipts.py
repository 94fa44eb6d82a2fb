"""回执 Receipts: what a peer says later about parts it took, in whatever order it says it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec

from fengsui.store import tally
from fengsui.store.sql import Session, pack
from fengsui.store.states import State


class Moved(NamedTuple):
    """A row whose state has just risen."""

    id: int
    notice: int
    recipient: str
    channel: str
    responsible: int
    state: int


# ── receipts ─────────────────────────────────────────────────────────────────


class Word(Protocol):
    """A peer's word about a part, as gateways say it and as it is kept."""

    @property
    def provider_id(self) -> str:
        """The name under which the peer took the part."""

    @property
    def state(self) -> str:
        """One of delivered, failed, expired, read; anything else says nothing."""

    @property
    def code(self) -> str:
        """The peer's raw error, or ""."""

    @property
    def dead(self) -> bool:
        """Whether the number is out of service."""


class Receipt(NamedTuple):
    """Such a word as it was kept."""

    provider_id: str
    state: str
    code: str = ""
    dead: bool = False


_WORDS = {"delivered": State.DELIVERED, "failed": State.FAILED, "expired": State.EXPIRED, "read": State.READ}


class _Known(NamedTuple):
    """A part that a peer took, with its row."""

    provider: str
    idx: int
    id: int
    notice: int
    recipient: str
    channel: str
    responsible: int
    state: int
    parts: int
    delivered: int


_KNOWN = (
    "SELECT CAST({all}({row}(p.provider_id, p.idx, d.id, d.notice, d.recipient, d.channel, d.responsible, d.state,"
    " d.parts, d.delivered)) AS TEXT) FROM {each_text}"
    " {join} part p ON p.gateway = ? AND p.provider_id = j.value JOIN delivery d ON d.id = p.delivery"
)
_known = msgspec.json.Decoder(list[_Known])


def apply(session: Session, gateway: str, batch: Sequence[Word], now: int) -> list[Moved]:
    """Apply receipts in whatever order they come; those whose part is not known yet are kept until it is."""
    words = [r for r in batch if r.state in _WORDS]
    known: dict[str, list[_Known]] = defaultdict(list)
    for part in session.gather(_known, _KNOWN, pack({r.provider_id for r in words}), gateway):
        known[part.provider].append(part)
    if early := [(r.provider_id, r.state, r.code, r.dead) for r in words if r.provider_id not in known]:
        session.run(
            "INSERT INTO early_receipt (gateway, provider_id, state, code, dead, at) SELECT ?, j.value->>0,"
            " j.value->>1, j.value->>2, CASE WHEN CAST(j.value->>3 AS TEXT) IN ('true', '1') THEN 1 ELSE 0 END, ? FROM {each}",
            gateway, now, pack(early),
        )  # fmt: skip
    return _raise(session, [(r, part) for r in words for part in known.get(r.provider_id, ())])


def _raise(session: Session, told: Sequence[tuple[Word, _Known]]) -> list[Moved]:
    """Risen states, computed here: a round holds the lock, so nothing changes between reading and writing."""
    now: dict[int, tuple[int, int, str]] = {}
    before: dict[int, _Known] = {}
    dead: list[int] = []
    for receipt, part in told:
        word, id_ = _WORDS[receipt.state], part.id
        before.setdefault(id_, part)
        state, mask, code = now.get(id_) or (part.state, part.delivered, "")
        if word >= State.DELIVERED:
            mask |= 1 << part.idx
            word = word if mask == (1 << part.parts) - 1 else State.PLANNED
        now[id_] = (max(state, word), mask, receipt.code or code)
        if receipt.dead:
            dead.append(id_)
    alike: dict[tuple[int, int, str], list[int]] = defaultdict(list)  # most receipts say the same
    for id_, value in now.items():
        alike[value].append(id_)
    for (state, mask, code), ids in alike.items():
        session.run(
            "UPDATE delivery SET state = ?, delivered = ?, lease = CASE WHEN CAST(? AS BIGINT) = 0 THEN lease ELSE 0 END,"
            " code = CASE WHEN CAST(? AS TEXT) = '' THEN code ELSE ? END"
            " WHERE id IN (SELECT CAST(j.value AS BIGINT) FROM {each_text})",
            state, mask, state, code, code, pack(ids),
        )  # fmt: skip
    if dead:
        bury(session, dead)
    risen = [(before[id_], state) for id_, (state, _, _) in now.items() if state > before[id_].state]
    tally.moved(session, Counter([(row.notice, row.channel, row.state, state) for row, state in risen]))
    return [Moved(r.id, r.notice, r.recipient, r.channel, r.responsible, state) for r, state in risen]


def early(session: Session, gateway: str, providers: list[str], now: int) -> list[Moved]:
    """Apply receipts that came before the answers that name these ids."""
    if not session.run("SELECT 1 FROM early_receipt LIMIT 1"):
        return []
    rows = session.run(
        "DELETE FROM early_receipt WHERE gateway = ? AND provider_id IN (SELECT j.value FROM {each_text})"
        " RETURNING provider_id, state, code, dead",
        gateway, pack(providers),
    )  # fmt: skip
    return apply(session, gateway, [Receipt(p, s, c, bool(d)) for p, s, c, d in rows], now) if rows else []


def forget_early(session: Session, before: int) -> int:
    """Drop receipts that nothing has claimed since a moment; how many."""
    return session.count("DELETE FROM early_receipt WHERE at < ?", before)


def bury(session: Session, deliveries: list[int]) -> None:
    """Mark the addresses of these deliveries as dead: nothing is planned for them any more."""
    for table, flag in (("address", 1), ("member", 0)):
        session.run(
            _DEAD[table],
            pack(deliveries), flag,
        )  # fmt: skip


_DEAD = {
    table: f"UPDATE {table} SET state = 'dead' WHERE id IN (SELECT address FROM delivery WHERE id IN"  # noqa: S608
    " (SELECT CAST(j.value AS BIGINT) FROM {each_text}) AND responsible = ?)"
    for table in ("address", "member")
}
