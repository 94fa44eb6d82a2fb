"""发件 Outbox: deliveries are made, run out, are withdrawn — in sets. The table of deliveries is the queue.

All functions work inside the caller's transaction. Tallies in ``notice_channel`` move with every state, so that
"everything of this notice on this channel is handed over or given up" is found without counting rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from fengsui.store import tally
from fengsui.store.lanes import Step
from fengsui.store.leases import RANKS
from fengsui.store.receipts import Moved
from fengsui.store.sql import Session, pack
from fengsui.store.states import State

SLICE = 10_000
"""Most rows of a fan-out slice."""
CURSOR = 7
"""Bytes of a member's lookup that say how far a list is fanned out: they fit a number of the database."""
ENDED = 1 << 8 * CURSOR


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
    " AND NOT EXISTS (SELECT 1 FROM {each_text} WHERE substr(m.area, 1, length(j.value)) = j.value)"
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
    steps = _steps(plan)
    if part >= len(steps):
        session.run("UPDATE notice SET done = 1 WHERE id = ?", notice)
        return notice, 0
    step = steps[part]
    name, channel, lane = step.list, step.channel, step.lane
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
        name, channel, text, pack(step.zones) if step.zones else zones, pack(step.but),
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


def expire(session: Session, now: int, limit: int = SLICE) -> list[Moved]:
    """Rows that nobody holds of tellings whose time is over: never sent any more, whatever their lane does. What may
    have gone out is closed as unknown, the rest as expired.
    """
    rows = session.run(
        "UPDATE delivery SET state = CASE WHEN doubtful > 0 THEN 1 ELSE 3 END,"
        " code = CASE WHEN code = '' THEN 'expired' ELSE code END WHERE id IN (SELECT d.id FROM delivery d"
        " WHERE d.state = 0 AND d.lease = 0 AND d.notice IN (SELECT n.id FROM notice n WHERE n.expires <= ?"
        " AND EXISTS (SELECT 1 FROM notice_channel c WHERE c.notice = n.id AND c.open > 0)) LIMIT ?)"
        " RETURNING id, notice, recipient, channel, responsible, state",
        now, limit,
    )  # fmt: skip
    moved = [Moved._make(row) for row in rows]
    tally.moved(session, Counter((m.notice, m.channel, 0, m.state) for m in moved))
    return moved


# ── withdrawing ──────────────────────────────────────────────────────────────


def withdraw(session: Session, stream: str) -> None:
    """Stop everything of a stream that nobody holds: cursors at once, responsible persons' rows here, the rest by
    ``drain``.
    """
    session.run(
        "UPDATE notice SET stopped = 1, done = 1 WHERE stream = ? AND (stopped = 0 OR done = 0)", stream
    )
    rows = session.run(
        "UPDATE delivery SET state = 6 WHERE state = 0 AND lease = 0 AND responsible = 1"
        " AND notice IN (SELECT id FROM notice WHERE stream = ? AND stopped = 1 AND drained = 0)"
        " RETURNING notice, channel",
        stream,
    )
    tally.moved(session, Counter((notice, channel, 0, int(State.WITHDRAWN)) for notice, channel in rows))


def stop(session: Session, stream: str, told: Iterable[tuple[str, str]]) -> None:
    """Stop the rows of (key of a notice, person): withdrawn; closed as unknown if one may have gone out; where somebody
    holds one, not leased again.
    """
    if not (pairs := _pairs(session, stream, told)):
        return
    rows = session.run(
        "UPDATE delivery SET state = CASE WHEN NOT (lease = 0) THEN 0 WHEN doubtful > 0 THEN 1 ELSE 6 END,"
        " rank = CASE WHEN lease = 0 THEN rank ELSE rank + ? END WHERE state = 0 AND rank < ? AND id IN"
        " (SELECT d.id FROM {each} {join} delivery d ON d.notice = CAST(j.value->>0 AS BIGINT)"
        " AND d.recipient = j.value->>1) RETURNING notice, channel, state",
        RANKS, RANKS, pack(pairs),
    )  # fmt: skip
    tally.moved(session, Counter((notice, channel, 0, state) for notice, channel, state in rows if state))


def unsent(session: Session, stream: str, told: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Of (key of a notice, person) the persons whose every row was withdrawn before anybody had tried to send it."""
    if not (pairs := _pairs(session, stream, told)):
        return ()
    found = session.run(
        "SELECT d.recipient FROM {each} {join} delivery d ON d.notice = CAST(j.value->>0 AS BIGINT)"
        " AND d.recipient = j.value->>1 GROUP BY d.recipient"
        " HAVING min(d.state) = 6 AND max(d.state) = 6 AND max(d.attempts) = 0 AND max(d.doubtful) = 0",
        pack(pairs),
    )
    return tuple(sorted(row[0] for row in found))


_EARLIER = "SELECT id FROM notice WHERE stream = ? AND version < ? AND template = 'cap'"


def supersede(session: Session, stream: str, version: int, now: int) -> None:
    """What waits for subscribers of earlier versions is withdrawn, or one might hear of the Alert after the Cancel. What
    is with a subscriber at this moment is out of date as soon as it comes back.
    """
    session.run(
        f"UPDATE notice SET expires = ? WHERE expires > ? AND id IN ({_EARLIER})",  # noqa: S608 - a text of ours
        now, now, stream, version,
    )  # fmt: skip
    rows = session.run(
        f"UPDATE delivery SET state = 6 WHERE state = 0 AND lease = 0 AND notice IN ({_EARLIER})"  # noqa: S608
        " RETURNING notice, channel",
        stream, version,
    )  # fmt: skip
    tally.moved(session, Counter((notice, channel, 0, int(State.WITHDRAWN)) for notice, channel in rows))


def _pairs(session: Session, stream: str, told: Iterable[tuple[str, str]]) -> list[tuple[int, str]]:
    """The same with the notices' ids."""
    if not (told := list(told)):
        return []
    ids: dict[str, int] = dict(session.run("SELECT key, id FROM notice WHERE stream = ?", stream))
    return [(ids[key], person) for key, person in told if key in ids]


def informing(session: Session, stream: str, keys: Sequence[str]) -> list[tuple[int, str, list[Step]]]:
    """Of notices that are not lifted: id, key, and which lists they tell where."""
    if not keys:
        return []
    rows = session.run(
        "SELECT id, key, plan, zones FROM notice WHERE stream = ? AND NOT (stopped = 1 AND done = 1)"
        " AND key IN (SELECT j.value FROM {each_text})",
        stream, pack(keys),
    )  # fmt: skip
    return [
        (id_, key, [_zoned(step, msgspec.json.decode(zones, type=tuple[str, ...])) for step in _steps(plan)])
        for id_, key, plan, zones in rows
    ]


def _steps(plan: str) -> list[Step]:
    return msgspec.json.decode(plan, type=list[Step])


def _zoned(step: Step, zones: tuple[str, ...]) -> Step:
    return step if step.zones else msgspec.structs.replace(step, zones=zones)


_OUTSIDE = (
    "SELECT d.id FROM delivery d LEFT JOIN member m ON m.id = d.address WHERE {these} AND d.state = 0"
    " AND d.responsible = 0 AND NOT (EXISTS (SELECT 1 FROM {each} WHERE j.value->>0 = m.list"
    " AND (substr(m.area, 1, length(j.value->>1)) = j.value->>1"
    " OR substr(j.value->>1, 1, length(m.area)) = m.area))"
    " AND NOT EXISTS (SELECT 1 FROM {each} WHERE j.value->>0 = m.list"
    " AND substr(m.area, 1, length(j.value->>1)) = j.value->>1))"
)
"""Rows of list members who are not told any more."""
_LOWER = "UPDATE delivery SET rank = rank + ? WHERE rank < ? AND id IN ({outside})".replace(
    "{outside}", _OUTSIDE.replace("{these}", "+d.notice = ? AND NOT (d.lease = 0) AND d.run_at >= 0")
)  # the sign has SQLite look at what is leased, not at the whole notice
_WITHDRAW = (
    "UPDATE delivery SET state = CASE WHEN doubtful > 0 THEN 1 ELSE 6 END WHERE id IN ({outside})"
    " RETURNING channel, state"
).replace("{outside}", _OUTSIDE.replace("{these}", "d.notice = ? AND d.id > ? AND d.id <= ? AND d.lease = 0"))


def _told_on(plan: Sequence[Step]) -> tuple[str, str]:
    """(list, zone) where members are told, and within which they are not."""
    return pack([(s.list, z) for s in plan for z in s.zones]), pack(
        [(s.list, z) for s in plan for z in s.but]
    )


def narrow(session: Session, notice: int, plan: Sequence[Step]) -> None:
    """From now on only these lists are told, there: nothing of the notice is leased until ``drain`` has withdrawn the
    others' rows, then the lists are fanned out anew, which makes what is missing.
    """
    session.run(_LOWER, RANKS, RANKS, notice, *_told_on(plan))
    session.run(
        "UPDATE notice SET plan = ?, stopped = 1, drained = 0, done = 0, part = 0, cursor = 0 WHERE id = ?",
        pack(plan), notice,
    )  # fmt: skip


def drain(session: Session, limit: int = SLICE) -> int:
    """Withdraw the next rows of stopped notices, and those of narrowed ones that are told no more; 0 when none is left."""
    for notice, done in session.run(
        "SELECT id, done FROM notice WHERE stopped = 1 AND drained = 0 ORDER BY done, id"
    ):
        if moved := _drain(session, notice, limit) if done else _sift(session, notice, limit):
            return moved
    return 0


def _sift(session: Session, notice: int, limit: int) -> int:
    ((plan, cursor),) = session.run("SELECT plan, cursor FROM notice WHERE id = ?", notice)
    window = session.run(
        "SELECT id FROM delivery WHERE notice = ? AND id > ? AND state = 0 AND lease = 0 ORDER BY id LIMIT 1 OFFSET ?",
        notice, cursor, limit - 1,
    )  # fmt: skip
    last = window[0][0] if window else ENDED
    rows = session.run(_WITHDRAW, notice, cursor, last, *_told_on(_steps(plan)))
    tally.moved(session, Counter((notice, channel, 0, state) for channel, state in rows))
    over = last == ENDED
    session.run(
        "UPDATE notice SET stopped = ?, cursor = ? WHERE id = ?",
        0 if over else 1,
        0 if over else last,
        notice,
    )
    return max(1, len(rows))


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
