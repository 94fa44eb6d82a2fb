"""租约 Leases: rows a lane takes to hand over, and what became of them. A token fences them: only its holder's word counts.

The one way out: a row reaches a gateway only by ``lease``, and ``lease`` gives nothing whose series that gateway does
not take — whatever was planned, moved, held, restored or configured meanwhile. What may not leave here goes to a lane that
takes it, or is refused, which is told.

All functions work inside the caller's transaction. These are the statements every message passes through: they read
many rows in one step and compute here, for a round holds the lock and nothing changes between reading and writing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec

from fengsui.store import receipts, tally
from fengsui.store.lanes import SUBSCRIBED, Lane, Step, route
from fengsui.store.receipts import Moved, Risen
from fengsui.store.sql import Session, pack
from fengsui.store.states import State

BATCH = 500
"""Most rows of a lease: in doubt after a crash = leased. A lane takes fewer from a gateway that is slower than that."""
SLICE = 4_000
"""Most rows moved to another lane at a time."""
RANKS = 8
"""Red to blue, each for persons named by a clause and then for lists. What was stopped while somebody held it stands that
much lower: it is not leased again.
"""
AGAIN = 3
"""Highest rank of orange and red: what is in doubt there is sent again, also to lists."""


class Leased(NamedTuple):
    """A row to hand over. recipient: "" for a member of a list, who has no name. cipher None: the address was erased. texts: what the body is split into as short messages.
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
    end: int = 0
    run_at: int = 0
    code: str = ""
    provider_ids: tuple[tuple[int, str], ...] = ()
    dead: bool = False


# ── taking ──


_Due = tuple[int, int, int, str, int, int, int, int, int, str | None]
"""A row as it waits: rank, id, notice, recipient, text, parts, accepted, attempts, doubtful, and its address's cipher in
hexadecimal ("" or None if it was erased). A plain tuple: it is made by the thousand.
"""


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
        "SELECT CAST({all}({row}(d.rank, d.id, d.notice, CASE WHEN d.responsible = 1"  # noqa: S608 - texts of ours
        " OR d.recipient LIKE '@%' THEN d.recipient ELSE '' END, d.text, d.parts, d.accepted, d.attempts + 1,"
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
_plan = msgspec.json.Decoder(list[Step])


def lease(
    session: Session,
    lane: Lane,
    lanes: Collection[Lane],
    *,
    now: int,
    until: int,
    token: int,
    limit: int = BATCH,
) -> tuple[list[Leased], list[Moved]]:
    """Take rows of a lane that are due, red before blue and persons named by a clause before lists, until a moment; and
    the rows that no lane takes, which are closed. lanes: where a row that may not leave here may leave instead.

    The token fences them: only its holder's result counts. Rows of a stopped notice stay.
    """
    most = min(limit, BATCH)
    waiting = session.gather(_due, _DUE[session.vendor], *(lane.name, now, most) * RANKS, most)
    tellings = _told(session, waiting) if waiting else {}
    due = sorted(row for row in waiting if tellings[row[2], row[4]][0].series in lane.accepts)
    stray = [row[1] for row in waiting if tellings[row[2], row[4]][0].series not in lane.accepts]
    closed = _astray(session, stray, lanes) if stray else []
    if not due:
        return [], closed
    session.run(
        "UPDATE delivery SET lease = ?, run_at = ?, attempts = attempts + 1"
        " WHERE id IN (SELECT CAST(j.value AS BIGINT) FROM {each_text})",
        token, until, pack([row[1] for row in due]),
    )  # fmt: skip
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
    return rows, closed


def _told(session: Session, due: Sequence[_Due]) -> dict[tuple[int, int], tuple[_Telling, tuple[str, ...]]]:
    """What these rows tell, by notice and text."""
    found = session.gather(
        _tellings,
        "SELECT CAST({all}({row}(n.id, t.id, t.body, t.parts, n.level, n.expires, n.suffix, n.series)) AS TEXT)"
        " FROM {each} {join} notice n ON n.id = CAST(j.value->>0 AS BIGINT)"
        " JOIN text t ON t.id = CAST(j.value->>1 AS BIGINT)",
        pack({(row[2], row[4]) for row in due}),
    )
    return {(each.notice, each.text): (each, _pieces.decode(each.texts)) for each in found}


def orphaned(session: Session, lanes: Collection[Lane]) -> list[Moved]:
    """What waits in lanes that are configured no more: moved to one that takes it, else closed and told. For every start;
    lists that are not fanned out yet are planned anew.
    """
    for id_, series, plan in session.run("SELECT id, series, plan FROM notice WHERE done = 0"):
        steps = _plan.decode(plan)
        planned = [msgspec.structs.replace(s, lane=route(lanes, s.channel, series)) for s in steps]
        if planned != steps:
            session.run("UPDATE notice SET plan = ? WHERE id = ?", pack(planned), id_)
    rows = session.run(
        "SELECT id FROM delivery WHERE state = 0 AND lease = 0 AND lane NOT IN"
        " (SELECT j.value FROM {each_text}) AND notice NOT IN (SELECT id FROM notice WHERE stopped = 1 AND drained = 0)",
        pack(sorted(lane.name for lane in lanes)),
    )  # fmt: skip
    return _astray(session, [row[0] for row in rows], lanes)


def _astray(session: Session, ids: Sequence[int], lanes: Collection[Lane]) -> list[Moved]:
    """Rows that may not leave where they wait: to a lane that takes them, else refused; those that are closed.

    What a peer has in part stays with no other: its rest is refused. What may have gone out is closed as unknown.
    """
    asked = session.run(
        "SELECT d.id, d.channel, n.series, d.accepted FROM {each_text} {join} delivery d"
        " ON d.id = CAST(j.value AS BIGINT) JOIN notice n ON n.id = d.notice", pack(list(ids)),
    )  # fmt: skip
    there: dict[str, list[int]] = defaultdict(list)
    for id_, channel, series, accepted in asked:
        there["" if accepted or channel == SUBSCRIBED else route(lanes, channel, series)].append(id_)
    for name, some in there.items():
        if name:
            session.run(
                "UPDATE delivery SET lane = ? WHERE id IN (SELECT CAST(j.value AS BIGINT) FROM {each_text})",
                name, pack(some),
            )  # fmt: skip
    rows = session.run(
        "UPDATE delivery SET state = CASE WHEN doubtful > 0 THEN 1 ELSE ? END, code = 'no-lane'"
        " WHERE id IN (SELECT CAST(j.value AS BIGINT) FROM {each_text})"
        " RETURNING id, notice, recipient, channel, responsible, state",
        int(State.REFUSED), pack(there.get("", [])),
    )  # fmt: skip
    moved = [Moved._make(row) for row in rows]
    tally.moved(session, Counter((m.notice, m.channel, 0, m.state) for m in moved))
    return moved


_OUTCOME = (
    "SELECT d.notice, d.channel, d.responsible, CASE"
    " WHEN (d.accepted | ?) = (CAST(1 AS BIGINT) << d.parts) - 1 THEN 2"
    " WHEN CAST(? AS BIGINT) IN (3, 4) THEN CAST(? AS BIGINT)"
    " WHEN CAST(? AS BIGINT) = 1 AND d.responsible = 0 AND d.rank > ?"
    " AND d.recipient NOT LIKE '@%' THEN 1"
    " WHEN d.rank >= ? THEN CASE WHEN CAST(? AS BIGINT) = 1 OR d.doubtful > 0 THEN 1 ELSE 6 END ELSE 0 END AS became,"
    " count(*), CAST({all}(d.id) AS TEXT), CAST({all}(d.recipient) FILTER (WHERE d.responsible = 1) AS TEXT)"
    " FROM {each_text} {join} delivery d ON d.id = CAST(j.value AS BIGINT) AND d.state = 0 AND d.lease = ?"
    " AND d.lease <> 0 GROUP BY d.notice, d.channel, d.responsible, became"
)
_FINISH = (
    "UPDATE delivery SET accepted = accepted | ?, lease = 0, run_at = ?, state = ?,"
    " doubtful = doubtful + CASE WHEN CAST(? AS BIGINT) = 1 THEN 1 ELSE 0 END,"
    " code = CASE WHEN CAST(? AS TEXT) = '' THEN code ELSE ? END"
    " WHERE id IN (SELECT CAST(j.value AS BIGINT) FROM {each_text})"
)


def finish(session: Session, gateway: str, verdicts: Sequence[Verdict], now: int) -> Risen:
    """Write what became of leased rows; a result whose lease is lost changes no state. What was stopped meanwhile and did not
    go out is withdrawn.

    A peer's ids are kept in any case: the message did go out. Receipts that came before are applied. A row that is
    unknown: responsible, orange and red, and subscribers again, marked as possible duplicate, else closed as unknown.
    """
    alike: dict[tuple[int, int, int, int, str], list[int]] = defaultdict(list)  # most of a batch fare alike
    for v in verdicts:
        alike[v.lease, v.accepted, v.end, v.run_at, v.code].append(v.id)
    moves: Counter[tally.Move] = Counter()
    persons: list[Moved] = []
    for (token, mask, end, run_at, code), ids in alike.items():
        for notice, channel, responsible, state, count, some, recipients in session.run(
            _OUTCOME, mask, end, end, end, AGAIN, RANKS, end, pack(ids), token
        ):
            session.run(_FINISH, mask, run_at, state, end, code, code, some)
            if state:
                moves[notice, channel, 0, state] += count
            if state and responsible:
                persons += receipts.moved(notice, channel, state, some, recipients)
    tally.moved(session, moves)
    risen = Risen(moves.total(), persons)
    if parts := [(v.id, index, provider) for v in verdicts for index, provider in v.provider_ids]:
        session.run(
            "INSERT INTO part (delivery, idx, gateway, provider_id) SELECT CAST(j.value->>0 AS BIGINT),"
            " CAST(j.value->>1 AS BIGINT), ?, j.value->>2 FROM {each}",
            gateway, pack(parts),
        )  # fmt: skip
        early = receipts.early(session, gateway, [p[2] for p in parts], now)
        risen = Risen(risen.rows + early.rows, persons + early.persons)
    if dead := [v.id for v in verdicts if v.dead]:
        receipts.bury(session, dead)
    return risen


def outlook(session: Session) -> tuple[int, int | None]:
    """How many rows are leased, and when the next row that nobody holds is due (None: none waits)."""
    leased = session.run("SELECT count(*) FROM delivery WHERE state = 0 AND NOT (lease = 0)")[0][0]
    soonest = session.run("SELECT min(run_at) FROM delivery WHERE state = 0 AND lease = 0")[0][0]
    return int(leased), None if soonest is None else int(soonest)


def release(session: Session, token: int, ids: Sequence[int], run_at: int, code: str = "") -> int:
    """Give back rows of a lease that were provably not handed to the peer, due again at run_at; code: why."""
    rows = session.run(
        "UPDATE delivery SET lease = 0, run_at = ?, attempts = attempts - 1,"
        " state = CASE WHEN rank < ? THEN 0 WHEN doubtful > 0 THEN 1 ELSE 6 END,"
        " code = CASE WHEN CAST(? AS TEXT) = '' THEN code ELSE ? END"
        " WHERE id IN (SELECT CAST(j.value AS BIGINT) FROM {each_text}) AND state = 0 AND lease = ? AND lease <> 0"
        " RETURNING notice, channel, state",
        run_at, RANKS, code, code, pack(ids), token,
    )  # fmt: skip
    tally.moved(session, Counter((notice, channel, 0, state) for notice, channel, state in rows if state))
    return len(rows)


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
        " state = CASE WHEN (responsible = 1 AND rank < ?) OR rank <= ? OR recipient LIKE '@%' THEN 0 ELSE 1 END"
        " WHERE state = 0 AND NOT (lease = 0) AND run_at <= ?"
        " RETURNING id, notice, recipient, channel, responsible, state",
        now, RANKS, AGAIN, now,
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


def reroute(session: Session, lane: str, other: Lane, now: int) -> int:
    """Move rows of which nothing is accepted and which nobody holds from a lane to another of the same channel, as far as
    they may leave there, due at once, the most urgent first; how many, at most ``SLICE``.
    """
    return session.count(
        "UPDATE delivery SET lane = ?, run_at = CASE WHEN run_at > ? THEN ? ELSE run_at END WHERE id IN ("
        "SELECT id FROM delivery WHERE lane = ? AND state = 0 AND lease = 0 AND accepted = 0 AND notice IN"
        " (SELECT n.id FROM notice n WHERE n.series IN (SELECT j.value FROM {each_text})"
        " AND NOT (n.stopped = 1 AND n.drained = 0)) ORDER BY rank, run_at LIMIT ?)",
        other.name, now, now, lane, pack(sorted(other.accepts)), SLICE,
    )  # fmt: skip
