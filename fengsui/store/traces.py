"""投递痕迹 Traces: what became of deliveries, for pages that show a gateway or a person. Reads only; no list is counted."""

from __future__ import annotations

from typing import NamedTuple

from fengsui.formats import roster
from fengsui.store.sql import Session, Values
from fengsui.store.states import NAMES, State
from fengsui.store.vault import Vault

WINDOW = 5000
"""Newest deliveries among which a lane's own are looked for: a lane that is never used must not cost a walk of all."""


class Trace(NamedTuple):
    """One delivery: telling, to whom (masked), how it stands in words, the peer's code, attempts, parts."""

    at: int
    template: str
    level: str
    channel: str
    to: str
    state: str
    code: str
    attempts: int
    parts: int
    doubtful: bool


class Count(NamedTuple):
    """Deliveries on a channel: planned in all, open = not yet handed over, and what became of the others."""

    channel: str
    planned: int
    open: int
    handed: int
    delivered: int
    refused: int
    failed: int
    unknown: int
    expired: int
    withdrawn: int


_SELECT = (
    "SELECT n.at, n.template, n.level, d.channel, CASE WHEN d.responsible = 1 THEN a.cipher ELSE m.cipher END, d.state,"
    " d.code, d.attempts, d.parts, d.doubtful FROM delivery d JOIN notice n ON n.id = d.notice"
    " LEFT JOIN address a ON a.id = d.address LEFT JOIN member m ON m.id = d.address "
)

_OF_LANE = (
    _SELECT + "WHERE d.id > (SELECT coalesce(max(id), 0) - ? FROM delivery) AND d.lane = ?"  # noqa: S608 - columns of ours
    " ORDER BY d.id DESC LIMIT ?"
)
_OF_PERSON = _SELECT + "WHERE d.recipient = ? AND d.responsible = 1 ORDER BY d.id DESC LIMIT ?"


def lane(session: Session, vault: Vault, name: str, limit: int = 40) -> list[Trace]:
    """The newest deliveries of a lane."""
    rows = session.run(
        _OF_LANE,
        WINDOW, name, limit,
    )  # fmt: skip
    return [_trace(vault, row) for row in rows]


def person(session: Session, vault: Vault, id: str, limit: int = 20) -> list[Trace]:  # noqa: A002 - the table's word
    """The newest deliveries to a responsible person."""
    rows = session.run(_OF_PERSON, id, limit)
    return [_trace(vault, row) for row in rows]


def waiting(session: Session) -> dict[str, int]:
    """How many deliveries wait in each lane ("" = refused for want of one)."""
    rows = session.run("SELECT lane, count(*) FROM delivery WHERE state = 0 AND lease = 0 GROUP BY lane")
    return {name: int(count) for name, count in rows}


def counts(session: Session) -> dict[str, Count]:
    """What became of all deliveries of each channel."""
    rows = session.run(
        "SELECT channel, sum(planned), sum(open), sum(handed), sum(delivered), sum(refused), sum(failed), sum(unknown),"
        " sum(expired), sum(withdrawn) FROM notice_channel GROUP BY channel ORDER BY channel"
    )
    return {row[0]: Count(row[0], *(int(n) for n in row[1:])) for row in rows}


def _trace(vault: Vault, row: Values) -> Trace:
    at, template, level, channel, cipher, state, code, attempts, parts, doubtful = row
    to = roster.masked(channel, vault.decrypt(bytes(cipher), "address")) if cipher else "已删除"
    name = NAMES[State(state)]
    return Trace(at, template, level, channel, to, name, code, attempts, parts, bool(doubtful))
