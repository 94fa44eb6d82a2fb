"""发出 Sent: what was sent of a version — texts byte for byte, how far each channel got. The number of queries is fixed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from fengsui.formats import sms
from fengsui.store import notice
from fengsui.store.sql import Session, pack

_plan = msgspec.json.Decoder(tuple[tuple[str, str, str], ...])


class Telling(NamedTuple):
    """A telling as it is stored: id, key, template, level, moment; the text for its lists (0 = none) and their channels."""

    id: int
    key: str
    template: str
    level: str
    at: int
    text: int
    plan: tuple[tuple[str, str, str], ...]


class Used(NamedTuple):
    """How many recipients of a telling got a text on a channel."""

    notice: int
    channel: str
    text: int
    people: int


class Text(NamedTuple):
    """A text as it was stored on the day: digest (sha-256, hexadecimal), words, and what they were split into."""

    digest: str
    body: str
    parts: tuple[str, ...]


class Count(NamedTuple):
    """How far a telling got on a channel."""

    notice: int
    channel: str
    planned: int
    handed: int
    delivered: int
    failed: int
    unknown: int
    withdrawn: int


def speak(session: Session, spoken: Sequence[tuple[str, Mapping[str, str]]]) -> None:
    """Keep what is aired of versions, by the ids of their facts: form → words. In the caller's transaction."""
    bodies = {text: sms.split(text) for _, words in spoken for text in words.values()}
    if not bodies:
        return
    ids = notice.texts(session, bodies)
    session.run(
        "INSERT INTO spoken (ledger, form, text) SELECT j.value->>0, j.value->>1, CAST(j.value->>2 AS BIGINT)"
        " FROM {each} WHERE true ON CONFLICT (ledger, form) DO NOTHING",
        pack([(id_, form, ids[text]) for id_, words in spoken for form, text in words.items()]),
    )


def aired(session: Session, id: str) -> list[tuple[str, int]]:  # noqa: A002 - the ledger's own word
    """Form and text of what was to be aired of a version."""
    rows = session.run("SELECT form, text FROM spoken WHERE ledger = ? ORDER BY form", id)
    return [(str(form), int(text)) for form, text in rows]


def tellings(session: Session, stream: str, version: int) -> list[Telling]:
    """Every telling about a version, oldest first."""
    rows = session.run(
        "SELECT id, key, template, level, at, text, plan FROM notice WHERE stream = ? AND version = ? ORDER BY id",
        stream,
        version,
    )
    return [Telling._make((*row[:-1], _plan.decode(row[-1]))) for row in rows]


def used(session: Session, pairs: Iterable[tuple[int, str]]) -> list[Used]:
    """Which texts these (notice, person) got on which channels. Lists are not counted here: they may be a million."""
    rows = session.run(
        "SELECT d.notice, d.channel, d.text, count(*) FROM {each} {join} delivery d"
        " ON d.notice = CAST(j.value->>0 AS BIGINT) AND d.recipient = j.value->>1"
        " GROUP BY d.notice, d.channel, d.text ORDER BY d.notice, d.channel, d.text",
        pack(list(pairs)),
    )
    return [Used(*row) for row in rows]


def texts(session: Session, ids: Iterable[int]) -> dict[int, Text]:
    """Texts by their ids."""
    rows = session.run(
        "SELECT t.id, t.digest, t.body, t.parts FROM {each_text} {join} text t ON t.id = CAST(j.value AS BIGINT)",
        pack(sorted({i for i in ids if i})),
    )
    return {int(r[0]): Text(r[1], r[2], msgspec.json.decode(r[3], type=tuple[str, ...])) for r in rows}


def counts(session: Session, notices: Iterable[int]) -> list[Count]:
    """How far tellings got, by channel."""
    rows = session.run(
        "SELECT c.notice, c.channel, c.planned, c.handed, c.delivered, c.failed + c.refused + c.expired, c.unknown,"
        " c.withdrawn FROM {each_text} {join} notice_channel c ON c.notice = CAST(j.value AS BIGINT)",
        pack(list(notices)),
    )
    return [Count(*row) for row in rows]
