"""通知 Notices as stored: a telling with its texts, to whose recipients deliveries are made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from fengsui.core.facts import Notified
from fengsui.store.sql import Session, pack
from fengsui.store.states import urgency

SUFFIX = 3
"""Digits after our own number by which a reply names what it answers."""


class Known(NamedTuple):
    """What a fact about a delivery must say of its notice."""

    id: int
    stream: str
    key: str
    version: int


def texts(session: Session, bodies: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Store texts, each once, with what each is split into; their ids."""
    rows = [
        (hashlib.sha256(body.encode()).hexdigest(), body, msgspec.json.encode(parts).decode())
        for body, parts in bodies.items()
    ]
    session.run(
        "INSERT INTO text (digest, body, parts) SELECT j.value->>0, j.value->>1, j.value->>2 FROM {each}"
        " WHERE true ON CONFLICT (digest) DO NOTHING",
        pack(rows),
    )
    found = session.run(
        "SELECT t.body, t.id FROM {each_text} {join} text t ON t.digest = j.value",
        pack([row[0] for row in rows]),
    )
    return dict(found)


def create(
    session: Session,
    ledger: str,
    fact: Notified,
    *,
    series: str,
    expires: int,
    plan: list[tuple[str, str, str]],
    text: int,
) -> int:
    """The row of a Notified fact; its id. plan: (list, channel, lane) to be fanned out, one after the other."""
    id_ = session.run(
        "INSERT INTO notice (ledger, stream, key, template, series, level, rank, version, expires, at, suffix, zones,"
        " plan, text, part, cursor, done, stopped, drained)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?, 0, 0, ?, 0, 0) RETURNING id",
        ledger, fact.stream, fact.key, fact.template, series, fact.level, urgency(fact.level), fact.version,
        expires, fact.at, pack(list(fact.zones)), pack(plan), text, int(not plan),
    )[0][0]  # fmt: skip
    session.run("UPDATE notice SET suffix = ? WHERE id = ?", f"{id_ % 10**SUFFIX:0{SUFFIX}d}", id_)
    return int(id_)


def addresses(session: Session, persons: Iterable[str]) -> dict[tuple[str, str], int]:
    """The best address of each person on each channel: (person, channel) → id."""
    rows = session.run(
        "SELECT a.person, a.channel, a.id FROM {each_text} {join} address a ON a.person = j.value"
        " WHERE a.state = 'ok' ORDER BY a.rank DESC, a.id DESC",
        pack(list(persons)),
    )
    return {(person, channel): id_ for person, channel, id_ in rows}


def known(session: Session, ids: Iterable[int]) -> dict[int, Known]:
    """Stream, key and version of notices."""
    rows = session.run(
        "SELECT n.id, n.stream, n.key, n.version FROM {each_text} {join} notice n ON n.id = CAST(j.value AS BIGINT)",
        pack(list(ids)),
    )
    return {row[0]: Known._make(row) for row in rows}


def meant(session: Session, person: str, suffix: str) -> Known | None:
    """The newest notice with this suffix that a person was told ("" = the newest of all), or None."""
    rows = session.run(
        "SELECT n.id, n.stream, n.key, n.version FROM delivery d JOIN notice n ON n.id = d.notice"
        " WHERE d.recipient = ? AND d.responsible = 1 AND (? = '' OR n.suffix = ?) ORDER BY n.id DESC LIMIT 1",
        person, suffix, suffix,
    )  # fmt: skip
    return Known._make(rows[0]) if rows else None


def pending(session: Session) -> bool:
    """Whether a list is still to be fanned out or rows of a stopped notice to be withdrawn."""
    return bool(
        session.run("SELECT 1 FROM notice WHERE done = 0 LIMIT 1")
        or session.run(
            "SELECT 1 FROM notice n WHERE stopped = 1 AND drained = 0 AND EXISTS"
            " (SELECT 1 FROM delivery d WHERE d.notice = n.id AND d.state = 0 AND d.lease = 0) LIMIT 1"
        )
    )
