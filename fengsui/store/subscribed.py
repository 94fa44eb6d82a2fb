"""订阅 Subscribed: a message for other systems becomes one delivery for each subscriber, in that subscriber's own lane.

A subscriber is a gateway of the channel ``cap``: it is the address, so no row names a person or a number. Nothing of it is
a fact: whether a subscriber has a message says nothing about who was warned.
"""

from __future__ import annotations

from collections.abc import Sequence

from fengsui.store.caps import Cap
from fengsui.store.lanes import SUBSCRIBED, Lane
from fengsui.store.notice import texts
from fengsui.store.sql import Session, pack
from fengsui.store.states import urgency

ENDPOINT = "@"
"""Begins the recipient of a delivery that goes to the gateway itself."""


def fan_out(session: Session, cap: Cap, body: str, *, level: str, lanes: Sequence[Lane], now: int) -> int:
    """Make the deliveries of a message, one for each subscriber that takes its series, each once; how many were made.

    ``outbox.supersede`` comes before it.
    """
    to = [lane.name for lane in lanes if lane.channel == SUBSCRIBED and cap.series in lane.accepts]
    if not to:
        return 0
    text = texts(session, {body: ()})[body]
    found = session.run(
        "INSERT INTO notice (ledger, stream, key, template, series, level, rank, version, expires, at, suffix, zones,"
        " plan, text, part, cursor, done, stopped, drained)"
        " VALUES (?, ?, ?, 'cap', ?, ?, ?, ?, ?, ?, '', '[]', '[]', ?, 0, 0, 1, 0, 0)"
        " ON CONFLICT (ledger) DO NOTHING RETURNING id",
        f"cap/{cap.identifier}", cap.stream, f"cap/{cap.version}", cap.series, level, urgency(level), cap.version,
        cap.expires, now, text,
    )  # fmt: skip
    if not found:
        return 0
    notice = found[0][0]
    session.run(
        "INSERT INTO delivery (notice, recipient, channel, lane, responsible, address, text, parts, accepted,"
        " delivered, state, rank, run_at, lease, attempts, doubtful, code)"
        " SELECT ?, ? || j.value, ?, j.value, 0, 0, ?, 1, 0, 0, 0, ?, ?, 0, 0, 0, '' FROM {each_text}",
        notice, ENDPOINT, SUBSCRIBED, text, urgency(level) * 2, now, pack(to),
    )  # fmt: skip
    session.run(
        "INSERT INTO notice_channel (notice, channel, planned, open, handed, delivered, failed, refused, unknown,"
        " expired, withdrawn, tallied) VALUES (?, ?, ?, ?, 0, 0, 0, 0, 0, 0, 0, 1)",
        notice, SUBSCRIBED, len(to), len(to),
    )  # fmt: skip
    return len(to)
