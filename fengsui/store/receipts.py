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


class Risen(NamedTuple):
    """How many rows have risen, and which of them are of persons named by a clause."""

    rows: int
    persons: list[Moved]


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


_SINGLE = (
    "SELECT d.notice, d.channel, d.responsible, d.state, count(*), CAST({all}(p.provider_id) AS TEXT),"
    " CAST({all}(d.id) AS TEXT), CAST({all}(d.recipient) FILTER (WHERE d.responsible = 1) AS TEXT)"
    " FROM {each_text} {join} part p ON p.gateway = ? AND p.provider_id = j.value"
    " JOIN delivery d ON d.id = p.delivery AND d.parts = 1 GROUP BY d.notice, d.channel, d.responsible, d.state"
)
_DELIVERED = (
    "UPDATE delivery SET state = 7, delivered = 1, lease = 0"
    " WHERE id IN (SELECT CAST(j.value AS BIGINT) FROM {each_text})"
)
_ids = msgspec.json.Decoder(list[int])
_words = msgspec.json.Decoder(list[str])


def apply(session: Session, gateway: str, batch: Sequence[Word], now: int) -> Risen:
    """Apply receipts in whatever order they come; those whose part is not known yet are kept until it is."""
    plain = {r.provider_id for r in batch if r.state == "delivered" and not (r.code or r.dead)}
    known, risen = _single(session, gateway, plain) if plain else (set[str](), Risen(0, []))
    rest = [
        r for r in batch if r.provider_id not in known or r.provider_id not in plain or r.state != "delivered"
    ]
    if len(known) < len(plain) or rest:
        more = _each(session, gateway, [r for r in rest if r.state in _WORDS], now)
        risen = Risen(risen.rows + more.rows, risen.persons + more.persons)
    return risen


def _single(session: Session, gateway: str, providers: set[str]) -> tuple[set[str], Risen]:
    """Nearly all receipts: a message of one part is delivered. In sets, and which of the peer's ids that were."""
    known: set[str] = set()
    persons: list[Moved] = []
    moves: Counter[tally.Move] = Counter()
    for notice, channel, responsible, state, count, names, ids, recipients in session.run(
        _SINGLE, pack(providers), gateway
    ):
        known.update(_words.decode(names))
        if state >= State.DELIVERED:
            continue
        session.run(_DELIVERED, ids)
        moves[notice, channel, state, int(State.DELIVERED)] += count
        if responsible:
            persons += moved(notice, channel, State.DELIVERED, ids, recipients)
    tally.moved(session, moves)
    return known, Risen(moves.total(), persons)


def moved(notice: int, channel: str, state: int, ids: str, recipients: str) -> list[Moved]:
    """Rows of persons that have risen together; ids and recipients: JSON arrays, one beside the other."""
    pairs = zip(_ids.decode(ids), _words.decode(recipients), strict=True)
    return [Moved(id_, notice, recipient, channel, 1, state) for id_, recipient in pairs]


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


def _each(session: Session, gateway: str, words: Sequence[Word], now: int) -> Risen:
    """Receipts of long messages, of failures, and of parts that nobody knows yet."""
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


def _raise(session: Session, told: Sequence[tuple[Word, _Known]]) -> Risen:
    """Risen states, computed here: a round holds the lock, so nothing changes between reading and writing."""
    now: dict[int, tuple[int, int, str]] = {}
    before: dict[int, _Known] = {}
    dead: list[int] = []
    for receipt, part in told:
        word, id_ = int(_WORDS[receipt.state]), part.id
        before.setdefault(id_, part)
        state, mask, code = now.get(id_) or (part.state, part.delivered, "")
        if word >= State.DELIVERED:
            mask |= 1 << part.idx
            word = word if mask == (1 << part.parts) - 1 else 0
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
    persons = [Moved(r.id, r.notice, r.recipient, r.channel, 1, state) for r, state in risen if r.responsible]
    return Risen(len(risen), persons)


def early(session: Session, gateway: str, providers: list[str], now: int) -> Risen:
    """Apply receipts that came before the answers that name these ids."""
    if not session.run("SELECT 1 FROM early_receipt LIMIT 1"):
        return Risen(0, [])
    rows = session.run(
        "DELETE FROM early_receipt WHERE gateway = ? AND provider_id IN (SELECT j.value FROM {each_text})"
        " RETURNING provider_id, state, code, dead",
        gateway, pack(providers),
    )  # fmt: skip
    return apply(session, gateway, [Receipt(p, s, c, bool(d)) for p, s, c, d in rows], now)


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
