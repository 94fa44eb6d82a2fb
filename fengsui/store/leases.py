"""租约 Leases: rows a lane takes to hand over, and what became of them. A token fences them: only its holder's word counts.

All functions work inside the caller's transaction. These are the statements every message passes through: they read
many rows in one step and compute here, for a round holds the lock and nothing changes between reading and writing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec

from fengsui.store import receipts, tally
from fengsui.store.receipts import Moved
from fengsui.store.sql import Session, pack
from fengsui.store.states import State

BATCH = 500
"""Most rows of a lease: in doubt after a crash = leased. A lane takes fewer from a gateway that is slower than that."""
SLICE = 4_000
"""Most rows moved to another lane at a time."""
RANKS = 8
"""Red to blue, each for persons named by a clause and then for lists."""
AGAIN = 3
"""Highest rank of orange and red: what is in doubt there is sent again, also to lists."""


class Leased(NamedTuple):
    """A row to hand over. cipher None: the address was erased. texts: what the body is split into as short messages.
    accepted: mask of parts the peer has already. doubtful: how often it may have gone out without our knowing.
    """

    id: int
    notice: int
    recipient: str
    cipher: bytes | None
    body: str
    texts: tuple[str, ...]
    parts: int
    accepted: int
    level: str
    expires: int
    suffix: str
    series: str
    attempts: int
    doubtful: int


class Verdict(NamedTuple):
    """What became of a leased row. end: PLANNED = as the mask says (again at run_at if parts are left), UNKNOWN,
    REFUSED, EXPIRED. accepted: mask of parts taken now; provider_ids: (index, the peer's id) of each of them.
    """

    id: int
    lease: int
    accepted: int = 0
    end: int = State.PLANNED
    run_at: int = 0
    code: str = ""
    provider_ids: tuple[tuple[int, str], ...] = ()
    dead: bool = False


# ── taking ──


class _Due(NamedTuple):
    """A row as it waits; address: its cipher in hexadecimal, "" if it was erased."""

    rank: int
    id: int
    notice: int
    recipient: str
    text: int
    parts: int
    accepted: int
    attempts: int
    doubtful: int
    address: str | None


class _Telling(NamedTuple):
    """What rows of one notice and text have in common."""

    notice: int
    text: int
    body: str
    texts: str
    level: str
    expires: int
    suffix: str
    series: str


_RANK = (
    "SELECT * FROM (SELECT id FROM delivery WHERE lane = ? AND rank = {n} AND state = 0 AND lease = 0 AND run_at <= ?"
    " AND notice NOT IN (SELECT id FROM notice WHERE stopped = 1 AND drained = 0) ORDER BY run_at LIMIT ? {skip}) AS r{n}"
)
_RANKS = ", ".join(map(str, range(RANKS)))
_WAITING = " UNION ALL ".join(_RANK.replace("{n}", str(rank)) for rank in range(RANKS))
_DUE = {
    vendor: (
        "SELECT CAST({all}({row}(d.rank, d.id, d.notice, d.recipient, d.text, d.parts, d.accepted, d.attempts + 1,"  # noqa: S608 - texts of ours
        f" d.doubtful, {cipher})) AS TEXT) FROM ({_WAITING} LIMIT ?) AS due {{join}} delivery d ON d.id = due.id"
        " LEFT JOIN address a ON d.responsible = 1 AND a.id = d.address"
        " LEFT JOIN member m ON d.responsible = 0 AND m.id = d.address"
    )
    for vendor, cipher in (
        ("sqlite", "hex(coalesce(a.cipher, m.cipher))"),
        ("postgresql", "encode(coalesce(a.cipher, m.cipher), 'hex')"),
    )
}
_due = msgspec.json.Decoder(list[_Due])
_tellings = msgspec.json.Decoder(list[_Telling])
_pieces = msgspec.json.Decoder(tuple[str, ...])


def lease(
    session: Session, lane: str, *, now: int, until: int, token: int, limit: int = BATCH
) -> list[Leased]:
    """Take rows of a lane that are due, red before blue and persons named by a clause before lists, until a moment.

    The token fences them: only its holder's result counts. Rows of a stopped notice stay.
    """
    most = min(limit, BATCH)
    due = session.gather(_due, _DUE[session.vendor], *(lane, now, most) * RANKS, most)
    if not due:
        return []
    due.sort()
    session.run(
        "UPDATE delivery SET lease = ?, run_at = ?, attempts = attempts + 1"
        " WHERE id IN (SELECT CAST(j.value AS BIGINT) FROM {each_text})",
        token, until, pack([row.id for row in due]),
    )  # fmt: skip
    found = session.gather(
        _tellings,
        "SELECT CAST({all}({row}(n.id, t.id, t.body, t.parts, n.level, n.expires, n.suffix, n.series)) AS TEXT)"
        " FROM {each} {join} notice n ON n.id = CAST(j.value->>0 AS BIGINT)"
        " JOIN text t ON t.id = CAST(j.value->>1 AS BIGINT)",
        pack({(row.notice, row.text) for row in due}),
    )
    tellings = {(each.notice, each.text): (each, _pieces.decode(each.texts)) for each in found}
    rows = []
    for _, id_, notice, recipient, written, parts, accepted, attempts, doubtful, address in due:
        telling, pieces = tellings[notice, written]
        cipher = bytes.fromhex(address) if address else None
        rows.append(
            Leased(
                id_, notice, recipient, cipher, telling.body, pieces, parts, accepted, telling.level,
                telling.expires, telling.suffix, telling.series, attempts, doubtful,
            )
        )  # fmt: skip
    return rows


class _Held(NamedTuple):
    """A leased row, when its result comes."""

    id: int
    lease: int
    notice: int
    recipient: str
    channel: str
    responsible: int
    rank: int
    parts: int
    accepted: int


_HELD = (
    "SELECT CAST({all}({row}(d.id, d.lease, d.notice, d.recipient, d.channel, d.responsible, d.rank, d.parts,"
    " d.accepted)) AS TEXT) FROM {each_text}"
    " {join} delivery d ON d.id = CAST(j.value AS BIGINT) AND d.state = 0 AND d.lease <> 0"
)
_FINISH = (
    "UPDATE delivery SET accepted = accepted | ?, lease = 0, run_at = ?, state = ?,"
    " doubtful = doubtful + CASE WHEN CAST(? AS BIGINT) = 1 THEN 1 ELSE 0 END,"
    " code = CASE WHEN CAST(? AS TEXT) = '' THEN code ELSE ? END"
    " WHERE id IN (SELECT CAST(j.value AS BIGINT) FROM {each_text})"
)
_held = msgspec.json.Decoder(list[_Held])


def finish(session: Session, gateway: str, verdicts: Sequence[Verdict], now: int) -> list[Moved]:
    """Write what became of leased rows; a result whose lease is lost changes no state. Rows that moved are returned.

    A peer's ids are kept in any case: the message did go out. Receipts that came before are applied. A row that is
    unknown: responsible or orange and red again, marked as possible duplicate, else closed as unknown.
    """
    if not verdicts:
        return []
    held = {row.id: row for row in session.gather(_held, _HELD, pack([v.id for v in verdicts]))}
    moved: list[Moved] = []
    alike: dict[tuple[int, int, int, int, str], list[int]] = defaultdict(
        list
    )  # most rows of a batch fare alike
    for v in verdicts:
        row = held.get(v.id)
        if row is None or row.lease != v.lease:
            continue
        state = _after(row, v)
        alike[v.accepted, v.run_at, state, v.end, v.code].append(v.id)
        if state:
            moved.append(Moved(v.id, row.notice, row.recipient, row.channel, row.responsible, state))
    for (mask, run_at, state, end, code), ids in alike.items():
        session.run(_FINISH, mask, run_at, state, end, code, code, pack(ids))
    tally.moved(session, Counter([(m.notice, m.channel, 0, m.state) for m in moved]))
    parts = [(v.id, index, provider) for v in verdicts for index, provider in v.provider_ids]
    if parts:
        session.run(
            "INSERT INTO part (delivery, idx, gateway, provider_id) SELECT CAST(j.value->>0 AS BIGINT),"
            " CAST(j.value->>1 AS BIGINT), ?, j.value->>2 FROM {each}",
            gateway, pack(parts),
        )  # fmt: skip
        moved += receipts.early(session, gateway, [p[2] for p in parts], now)
    if dead := [v.id for v in verdicts if v.dead]:
        receipts.bury(session, dead)
    return moved


def _after(row: _Held, verdict: Verdict) -> int:
    """The state of a row after a verdict."""
    if row.accepted | verdict.accepted == (1 << row.parts) - 1:
        return State.HANDED_OVER
    if verdict.end in (State.EXPIRED, State.REFUSED):
        return verdict.end
    closed = verdict.end == State.UNKNOWN and not row.responsible and row.rank > AGAIN
    return State.UNKNOWN if closed else State.PLANNED


def outlook(session: Session) -> tuple[int, int | None]:
    """How many rows are leased, and when the next row that nobody holds is due (None: none waits)."""
    leased = session.run("SELECT count(*) FROM delivery WHERE state = 0 AND NOT (lease = 0)")[0][0]
    soonest = session.run("SELECT min(run_at) FROM delivery WHERE state = 0 AND lease = 0")[0][0]
    return int(leased), None if soonest is None else int(soonest)


def release(session: Session, rows: Sequence[tuple[int, int]], run_at: int, code: str = "") -> int:
    """Give back (id, token) rows that were provably not handed to the peer, due again at run_at; code: why."""
    return session.count(
        "UPDATE delivery SET lease = 0, run_at = ?, attempts = attempts - 1,"
        " code = CASE WHEN CAST(? AS TEXT) = '' THEN code ELSE ? END WHERE state = 0 AND lease <> 0"
        " AND EXISTS (SELECT 1 FROM {each} WHERE CAST(j.value->>0 AS BIGINT) = delivery.id"
        " AND CAST(j.value->>1 AS BIGINT) = delivery.lease) AND id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {each})",
        run_at, code, code, pack(list(rows)), pack(list(rows)),
    )  # fmt: skip


def extend(session: Session, token: int, until: int) -> int:
    """Make the lease of a slow batch last longer."""
    return session.count(
        "UPDATE delivery SET run_at = ? WHERE state = 0 AND NOT (lease = 0) AND lease = ?", until, token
    )


def expire_doubtful(session: Session, now: int) -> list[Moved]:
    """Leases that ran out: unknown, not unsent. Again, marked as possible duplicate, for persons named by a clause
    and for orange and red, and for subscribers, who know a message by its identifier; else closed as unknown and counted.
    """
    rows = session.run(
        "UPDATE delivery SET lease = 0, run_at = ?, doubtful = doubtful + 1, code = 'in-doubt',"
        " state = CASE WHEN responsible = 1 OR rank <= ? OR recipient LIKE '@%' THEN 0 ELSE 1 END"
        " WHERE state = 0 AND NOT (lease = 0) AND run_at <= ?"
        " RETURNING id, notice, recipient, channel, responsible, state",
        now, AGAIN, now,
    )  # fmt: skip
    moved = [Moved._make(row) for row in rows if row[5]]
    tally.moved(session, Counter((m.notice, m.channel, 0, m.state) for m in moved))
    return moved


def revive(session: Session, lane: str, at: int) -> int:
    """A lane works again: what is in doubt there waits no longer than until a moment."""
    return session.count(
        f"UPDATE delivery SET run_at = ? WHERE lane = ? AND rank IN ({_RANKS}) AND state = 0 AND lease = 0"  # noqa: S608
        " AND run_at > ? AND doubtful > 0",
        at, lane, at,
    )  # fmt: skip


def reroute(session: Session, lane: str, other: str, series: Collection[str], now: int) -> int:
    """Move rows of which nothing is accepted and which nobody holds from a lane to another of the same channel, due at
    once, the most urgent first; how many, at most ``SLICE``. series: of the tellings that may leave there.
    """
    return session.count(
        "UPDATE delivery SET lane = ?, run_at = CASE WHEN run_at > ? THEN ? ELSE run_at END WHERE id IN ("
        "SELECT id FROM delivery WHERE lane = ? AND state = 0 AND lease = 0 AND accepted = 0 AND notice IN"
        " (SELECT n.id FROM notice n WHERE n.series IN (SELECT j.value FROM {each_text})"
        " AND NOT (n.stopped = 1 AND n.drained = 0)) ORDER BY rank, run_at LIMIT ?)",
        other, now, now, lane, pack(sorted(series)), SLICE,
    )  # fmt: skip
