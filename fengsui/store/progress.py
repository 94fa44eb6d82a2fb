"""进度 Progress: how far the tellings of warnings have got on each channel, counted by row. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from fengsui.store.sql import Session, pack


class Channel(NamedTuple):
    """Rows of one version on one channel: all, still open, taken by a peer, delivered, ended badly."""

    channel: str
    planned: int
    open: int
    handed: int
    delivered: int
    failed: int


def channels(session: Session, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], list[Channel]]:
    """For each (stream, version) its warnings' tellings by channel, with one query; calls are not counted."""
    found: dict[tuple[str, int], list[Channel]] = {}
    rows = session.run(
        "SELECT n.stream, n.version, c.channel, sum(c.planned), sum(c.open), sum(c.handed), sum(c.delivered),"
        " sum(c.failed + c.refused + c.expired) FROM {each} {join} notice n ON n.stream = j.value->>0"
        " AND n.version = CAST(j.value->>1 AS BIGINT) JOIN notice_channel c ON c.notice = n.id"
        " WHERE n.template <> 'call' GROUP BY n.stream, n.version, c.channel ORDER BY n.stream, c.channel",
        pack([list(w) for w in wanted]),
    )
    for stream, version, channel, *counts in rows:
        one = Channel(channel, *(int(c) for c in counts))
        found.setdefault((stream, int(version)), []).append(one)
    return found
