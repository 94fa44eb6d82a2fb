"""回执 Receipts: what a peer says later about parts it took, in whatever order it says it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from fengsui.store import tally
from fengsui.store.sql import Session, Values, pack
from fengsui.store.states import State


class Moved(NamedTuple):
    """A row whose state has just risen."""

    id: int
    notice: int
    recipient: str
    channel: str
    responsible: int
    address: int
    state: int
    code: str


# ── receipts ─────────────────────────────────────────────────────────────────


class Receipt(NamedTuple):
    """A peer's word about a part: state delivered, failed or expired; dead: the number is out of service."""

    provider_id: str
    state: str
    code: str = ""
    dead: bool = False


_WORDS = {"delivered": State.DELIVERED, "failed": State.FAILED, "expired": State.EXPIRED, "read": State.READ}


def apply(session: Session, gateway: str, batch: Sequence[Receipt], now: int) -> list[Moved]:
    """Apply receipts in whatever order they come; those whose part is not known yet are kept until it is."""
    words = [r for r in batch if r.state in _WORDS]
    rows = session.run(
        "SELECT p.provider_id, d.id, d.notice, d.recipient, d.channel, d.responsible, d.address,"
        " d.state, d.parts, d.delivered, p.idx FROM {each_text}"
        " {join} part p ON p.gateway = ? AND p.provider_id = j.value JOIN delivery d ON d.id = p.delivery",
        pack(dict.fromkeys(r.provider_id for r in words)), gateway,
    )  # fmt: skip
    known: dict[str, list[Values]] = defaultdict(list)
    for row in rows:
        known[row[0]].append(row)
    if early := [r for r in words if r.provider_id not in known]:
        session.run(
            "INSERT INTO early_receipt (gateway, provider_id, state, code, dead, at) SELECT ?, j.value->>0,"
            " j.value->>1, j.value->>2, CASE WHEN CAST(j.value->>3 AS TEXT) IN ('true', '1') THEN 1 ELSE 0 END, ? FROM {each}",
            gateway, now, pack(early),
        )  # fmt: skip
    return _raise(session, [(r, row) for r in words for row in known.get(r.provider_id, ())])


def _raise(session: Session, told: Sequence[tuple[Receipt, Values]]) -> list[Moved]:
    """Risen states, computed here: a round holds the lock, so nothing changes between reading and writing."""
    now: dict[int, tuple[int, int, str]] = {}
    before: dict[int, tuple[int, str, str, int, int, int]] = {}
    dead: list[int] = []
    for receipt, (_, id_, notice, recipient, channel, responsible, address, state, parts, mask, idx) in told:
        word = _WORDS[receipt.state]
        state, mask, code = now.get(id_, (state, mask, ""))  # noqa: PLW2901
        before.setdefault(id_, (notice, recipient, channel, responsible, address, state))
        if word >= State.DELIVERED:
            mask |= 1 << idx  # noqa: PLW2901
            word = word if mask == (1 << parts) - 1 else State.PLANNED
        now[id_] = (max(state, word), mask, receipt.code or code)
        if receipt.dead:
            dead.append(id_)
    if not now:
        return []
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
    moved = [
        Moved(id_, *before[id_][:5], state, code)
        for id_, (state, _, code) in now.items()
        if state > before[id_][5]
    ]
    tally.moved(session, Counter((m.notice, m.channel, before[m.id][5], m.state) for m in moved))
    return moved


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
