"""发件 Outbox: every hot set-based statement about deliveries. The table of deliveries is the queue.

All functions work inside the caller's transaction. Tallies in ``notice_channel`` move with every state, so that
"everything of this notice on this channel is handed over or given up" is found without counting rows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from fengsui.store import receipts, tally
from fengsui.store.receipts import Moved
from fengsui.store.sql import Session, pack
from fengsui.store.states import State

SLICE = 10_000
"""Most rows of a fan-out slice."""
CURSOR = 7
"""Bytes of a member's lookup that say how far a list is fanned out: they fit a number of the database."""
ENDED = 1 << 8 * CURSOR
BATCH = 250
"""Most rows of a lease: in doubt after a crash = leased."""


class Planned(NamedTuple):
    """A delivery to make: recipient, channel, lane ("" = none accepts it), ids of address and text, parts, state."""

    recipient: str
    channel: str
    lane: str
    address: int
    text: int
    parts: int
    state: int = 0
    code: str = ""


class Leased(NamedTuple):
    """A row to hand over. cipher None: the address was erased. accepted: mask of parts the peer has already."""

    id: int
    notice: int
    recipient: str
    cipher: bytes | None
    body: str
    texts: str
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


# ── fan-out ──────────────────────────────────────────────────────────────────


def fan_out_responsible(
    session: Session, notice: int, rows: Iterable[Planned], *, rank: int, now: int
) -> None:
    """Rows for persons that the fact names, each once; refused at once where no lane accepts them."""
    made = session.run(
        "INSERT INTO delivery (notice, recipient, channel, lane, responsible, address, text, parts, accepted,"
        " delivered, state, rank, run_at, lease, attempts, doubtful, code)"
        " SELECT ?, j.value->>0, j.value->>1, j.value->>2, 1, CAST(j.value->>3 AS BIGINT),"
        " CAST(j.value->>4 AS BIGINT), CAST(j.value->>5 AS BIGINT), 0, 0, CAST(j.value->>6 AS BIGINT), ?, ?, 0, 0, 0,"
        " j.value->>7 FROM {each} WHERE true ON CONFLICT (notice, recipient, channel) DO NOTHING"
        " RETURNING channel, state",
        notice, rank * 2, now, pack(list(rows)),
    )  # fmt: skip
    tally.planned(session, notice, Counter(channel for channel, _ in made))
    tally.moved(session, Counter((notice, channel, 0, state) for channel, state in made if state))


_SLICE = (
    "INSERT INTO delivery (notice, recipient, channel, lane, responsible, address, text, parts, accepted,"
    " delivered, state, rank, run_at, lease, attempts, doubtful, code)"
    " SELECT ?, 'm' || {hex}, m.channel, ?, 0, m.id, t.id, CASE WHEN m.channel = 'sms' THEN {parts} ELSE 1 END,"
    " 0, 0, CASE WHEN ? = '' THEN 4 ELSE 0 END, ?, ?, 0, 0, 0, CASE WHEN ? = '' THEN 'no-lane' ELSE '' END"
    " FROM member m, text t WHERE m.lookup >= ? AND m.lookup < ? AND m.list = ? AND m.channel = ? AND m.state = 'ok'"
    " AND t.id = ? AND EXISTS (SELECT 1 FROM {each_text}"
    " WHERE substr(m.area, 1, length(j.value)) = j.value OR substr(j.value, 1, length(m.area)) = m.area)"
    " ORDER BY m.lookup ON CONFLICT (notice, recipient, channel) DO NOTHING"
)
_DIALECT = {
    "sqlite": _SLICE.replace("{hex}", "lower(hex(m.lookup))").replace(
        "{parts}", "json_array_length(t.parts)"
    ),
    "postgresql": _SLICE.replace("{hex}", "encode(m.lookup, 'hex')").replace(
        "{parts}", "jsonb_array_length(CAST(t.parts AS jsonb))"
    ),
}


def fan_out_slice(session: Session, now: int, limit: int = SLICE) -> tuple[int, int]:
    """The next slice of the oldest unfinished notice: (notice, rows made); (0, 0) when every list is fanned out.

    Looks at ``limit`` members; the cursor moves in the same transaction, so a crash repeats or loses none. In the order
    of lookups, so that rows come to the end of the index that keeps a recipient from being told twice: in the order of
    ids every row dirties a page of it (measured: a million recipients wrote gigabytes).
    """
    found = session.run(
        "SELECT id, rank, zones, plan, text, part, cursor FROM notice WHERE done = 0 AND stopped = 0"
        " ORDER BY rank, id LIMIT 1"
    )
    if not found:
        return 0, 0
    notice, rank, zones, plan, text, part, cursor = found[0]
    steps = msgspec.json.decode(plan, type=list[tuple[str, str, str]])
    if part >= len(steps):
        session.run("UPDATE notice SET done = 1 WHERE id = ?", notice)
        return notice, 0
    name, channel, lane = steps[part]
    begin = cursor.to_bytes(CURSOR)
    window = session.run(
        "SELECT lookup FROM member WHERE list = ? AND channel = ? AND lookup >= ? ORDER BY lookup LIMIT 1 OFFSET ?",
        name, channel, begin, limit - 1,
    )  # fmt: skip
    next_ = int.from_bytes(bytes(window[0][0])[:CURSOR]) + 1 if window else ENDED
    last = next_ >= ENDED
    made = session.count(
        _DIALECT[session.vendor],
        notice, lane, lane, rank * 2 + 1, now, lane, begin, b"\xff" * 32 if last else next_.to_bytes(CURSOR),
        name, channel, text, zones,
    )  # fmt: skip
    if made:
        tally.planned(session, notice, Counter({channel: made}))
        if not lane:
            tally.moved(session, Counter({(notice, channel, 0, int(State.REFUSED)): made}))
    session.run(
        "UPDATE notice SET part = ?, cursor = ?, done = ? WHERE id = ?",
        part + last, 0 if last else next_, int(last and part + 1 >= len(steps)), notice,
    )  # fmt: skip
    return notice, made


# ── leasing ──────────────────────────────────────────────────────────────────


def lease(
    session: Session, lane: str, *, now: int, until: int, token: int, limit: int = BATCH
) -> list[Leased]:
    """Take rows of a lane that are due, red before blue and persons named by a clause before lists, until a moment.

    The token fences them: only its holder's result counts. Rows of a stopped notice stay.
    """
    ids: list[int] = []
    for rank in range(8):
        if len(ids) >= min(limit, BATCH):
            break
        ids += [
            row[0]
            for row in session.run(
                "UPDATE delivery SET lease = ?, run_at = ?, attempts = attempts + 1 WHERE id IN ("
                " SELECT id FROM delivery WHERE lane = ? AND rank = ? AND state = 0 AND lease = 0 AND run_at <= ?"
                " AND notice NOT IN (SELECT id FROM notice WHERE stopped = 1 AND drained = 0)"
                " ORDER BY run_at LIMIT ? {skip}) RETURNING id",
                token, until, lane, rank, now, min(limit, BATCH) - len(ids),
            )
        ]  # fmt: skip
    if not ids:
        return []
    rows = session.run(
        "SELECT d.id, d.notice, d.recipient, CASE WHEN d.responsible = 1 THEN a.cipher ELSE m.cipher END, t.body,"
        " t.parts, d.parts, d.accepted, n.level, n.expires, n.suffix, n.series, d.attempts, d.doubtful"
        " FROM {each_text} {join} delivery d ON d.id = CAST(j.value AS BIGINT)"
        " JOIN notice n ON n.id = d.notice JOIN text t ON t.id = d.text"
        " LEFT JOIN address a ON a.id = d.address LEFT JOIN member m ON m.id = d.address ORDER BY d.rank, d.id",
        pack(ids),
    )
    return [Leased._make(row) for row in rows]


_FINISH = (
    "UPDATE delivery SET accepted = accepted | r.mask, lease = 0, run_at = r.run_at,"
    " code = CASE WHEN r.code = '' THEN delivery.code ELSE r.code END,"
    " doubtful = CASE WHEN r.verdict = 1 THEN 1 ELSE doubtful END,"
    " state = CASE WHEN (accepted | r.mask) = (CAST(1 AS BIGINT) << parts) - 1 THEN 2"
    " WHEN r.verdict IN (3, 4) THEN r.verdict"
    " WHEN r.verdict = 1 AND responsible = 0 AND rank > 3 THEN 1 ELSE 0 END"
    " FROM (SELECT CAST(? AS BIGINT) AS token, CAST(? AS BIGINT) AS mask, CAST(? AS BIGINT) AS verdict,"
    " CAST(? AS BIGINT) AS run_at, CAST(? AS TEXT) AS code) AS r"
    " WHERE delivery.id IN (SELECT CAST(j.value AS BIGINT) FROM {each_text})"
    " AND delivery.lease = r.token AND delivery.state = 0 AND r.token <> 0"
    " RETURNING delivery.id, notice, recipient, channel, responsible, address, state, delivery.code"
)


def finish(session: Session, gateway: str, verdicts: Sequence[Verdict], now: int) -> list[Moved]:
    """Write what became of leased rows; a result whose lease is lost changes no state. Rows that moved are returned.

    A peer's ids are kept in any case: the message did go out. Receipts that came before are applied. A row that is
    unknown: responsible or orange and red again, marked as possible duplicate, else closed as unknown.
    """
    if not verdicts:
        return []
    alike: dict[tuple[int, int, int, int, str], list[int]] = defaultdict(
        list
    )  # most rows of a batch fared alike
    for v in verdicts:
        alike[v.lease, v.accepted, v.end, v.run_at, v.code].append(v.id)
    rows = [row for what, ids in alike.items() for row in session.run(_FINISH, *what, pack(ids))]
    moved = [Moved._make(row) for row in rows if row[6]]
    tally.moved(session, Counter((m.notice, m.channel, 0, m.state) for m in moved))
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
    and for orange and red; else closed as unknown and counted.
    """
    rows = session.run(
        "UPDATE delivery SET lease = 0, run_at = ?, doubtful = 1, code = 'in-doubt',"
        " state = CASE WHEN responsible = 1 OR rank <= 3 THEN 0 ELSE 1 END"
        " WHERE state = 0 AND NOT (lease = 0) AND run_at <= ?"
        " RETURNING id, notice, recipient, channel, responsible, address, state, code",
        now, now,
    )  # fmt: skip
    moved = [Moved._make(row) for row in rows if row[6]]
    tally.moved(session, Counter((m.notice, m.channel, 0, m.state) for m in moved))
    return moved


def expire(session: Session, now: int, limit: int = SLICE) -> list[Moved]:
    """Rows that nobody holds of tellings whose time is over: never sent any more, whatever their lane does. What may
    have gone out is closed as unknown, the rest as expired.
    """
    rows = session.run(
        "UPDATE delivery SET state = CASE WHEN doubtful = 1 THEN 1 ELSE 3 END,"
        " code = CASE WHEN code = '' THEN 'expired' ELSE code END WHERE id IN (SELECT d.id FROM delivery d"
        " WHERE d.state = 0 AND d.lease = 0 AND d.notice IN (SELECT n.id FROM notice n WHERE n.expires <= ?"
        " AND EXISTS (SELECT 1 FROM notice_channel c WHERE c.notice = n.id AND c.open > 0)) LIMIT ?)"
        " RETURNING id, notice, recipient, channel, responsible, address, state, code",
        now, limit,
    )  # fmt: skip
    moved = [Moved._make(row) for row in rows]
    tally.moved(session, Counter((m.notice, m.channel, 0, m.state) for m in moved))
    return moved


def reroute(session: Session, lane: str, other: str, channel: str) -> int:
    """Move what no peer has accepted and nobody holds from a lane to another of the same channel."""
    return session.count(
        "UPDATE delivery SET lane = ? WHERE lane = ? AND channel = ? AND state = 0 AND lease = 0 AND accepted = 0",
        other, lane, channel,
    )  # fmt: skip


# ── withdrawing ──────────────────────────────────────────────────────────────


def withdraw(session: Session, stream: str) -> tuple[str, ...]:
    """Stop everything of a stream that nobody holds: cursors at once, responsible persons' rows here, the rest by
    ``drain``. Returns the persons whose every row was withdrawn before anybody had tried to send it.
    """
    session.run("UPDATE notice SET stopped = 1, done = 1 WHERE stream = ? AND stopped = 0", stream)
    rows = session.run(
        "UPDATE delivery SET state = 6 WHERE state = 0 AND lease = 0 AND responsible = 1"
        " AND notice IN (SELECT id FROM notice WHERE stream = ? AND stopped = 1 AND drained = 0)"
        " RETURNING notice, channel",
        stream,
    )
    tally.moved(session, Counter((notice, channel, 0, int(State.WITHDRAWN)) for notice, channel in rows))
    found = session.run(
        "SELECT recipient FROM delivery WHERE responsible = 1 AND notice IN (SELECT id FROM notice WHERE stream = ?)"
        " GROUP BY recipient HAVING min(state) = 6 AND max(state) = 6 AND max(attempts) = 0 AND max(doubtful) = 0",
        stream,
    )
    return tuple(sorted(row[0] for row in found))


def drain(session: Session, limit: int = SLICE) -> int:
    """Withdraw the next rows of stopped notices; 0 when none is left."""
    for (notice,) in session.run("SELECT id FROM notice WHERE stopped = 1 AND drained = 0 ORDER BY id"):
        if done := _drain(session, notice, limit):
            return done
    return 0


def _drain(session: Session, notice: int, limit: int) -> int:
    rows = session.run(
        "UPDATE delivery SET state = 6 WHERE id IN (SELECT id FROM delivery WHERE notice = ? AND state = 0"
        " AND lease = 0 ORDER BY id LIMIT ?) RETURNING channel",
        notice, limit,
    )  # fmt: skip
    tally.moved(session, Counter((notice, row[0], 0, int(State.WITHDRAWN)) for row in rows))
    held = session.run("SELECT 1 FROM delivery WHERE notice = ? AND state = 0 LIMIT 1", notice)
    if len(rows) < limit and not held:
        session.run("UPDATE notice SET drained = 1 WHERE id = ?", notice)
        return max(1, len(rows))
    return len(rows)


# ── asking ───────────────────────────────────────────────────────────────────


def exhausted(session: Session, pairs: Iterable[tuple[int, str]]) -> list[tuple[int, str, bool]]:
    """Of these (notice, person) pairs those whose every way has led nowhere, and whether a number of theirs is dead."""
    rows = session.run(
        "SELECT d.notice, d.recipient, max(CASE WHEN a.state = 'dead' THEN 1 ELSE 0 END)"
        " FROM (SELECT DISTINCT CAST(j.value->>0 AS BIGINT) AS notice, j.value->>1 AS person FROM {each}) AS q"
        " {join} delivery d ON d.notice = q.notice AND d.recipient = q.person"
        " LEFT JOIN address a ON a.id = d.address GROUP BY d.notice, d.recipient"
        " HAVING min(CASE WHEN d.state IN (3, 4, 5) THEN 1 ELSE 0 END) = 1",
        pack(list(pairs)),
    )
    return [(notice, person, bool(dead)) for notice, person, dead in rows]
