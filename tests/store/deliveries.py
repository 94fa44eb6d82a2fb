"""Notices and deliveries made by hand, for tests of the outbox."""

from __future__ import annotations

from fengsui.core.facts import Notified
from fengsui.store import notice, outbox, people
from fengsui.store.outbox import Planned
from fengsui.store.sql import Session
from fengsui.store.vault import Vault

NOW = 1_772_000_000_000_000
SECOND = 1_000_000


def a_notice(
    session: Session,
    *,
    level: str = "red",
    lists: tuple[str, ...] = (),
    stream: str = "s",
    key: str = "k",
    zones: tuple[str, ...] = ("140215",),
    lane: str = "sms_1",
    series: str = "test",
) -> int:
    text = notice.texts(session, {"暴雨红色预警": ("暴雨红色预警",)})["暴雨红色预警"]
    fact = Notified(stream, NOW, key, "alert", (), 1, level, zones=zones)
    made = session.run("SELECT count(*) FROM notice")[0][0]
    return notice.create(
        session, f"fact-{made}", fact, series=series, expires=NOW + 3600 * SECOND,
        plan=[(name, "sms", lane) for name in lists], text=text,
    )  # fmt: skip


def rows_for(
    session: Session, vault: Vault, *persons: str, lane: str = "sms_1", channel: str = "sms", parts: int = 1
) -> list[Planned]:
    humans = tuple(
        people.Human(p, "u", p, (people.Contact(channel, f"100{n:08d}"),)) for n, p in enumerate(persons)
    )
    people.apply(session, vault, people.Edit(people=humans))
    found = notice.addresses(session, persons)
    text = session.run("SELECT max(id) FROM text")[0][0]
    return [Planned(p, channel, lane, found[p, channel], text, parts) for p in persons]


def told(
    session: Session, vault: Vault, *persons: str, level: str = "red", parts: int = 1, **more: str
) -> int:
    """A notice with a responsible row for each person; its id."""
    with session.transaction():
        id_ = a_notice(session, level=level, **more)  # type: ignore[arg-type]
        rank = notice.urgency(level)
        lane = more.get("lane", "sms_1")
        rows = rows_for(session, vault, *persons, parts=parts, lane=lane)
        outbox.fan_out_responsible(session, id_, rows, rank=rank, now=NOW)
    return id_


def members(
    session: Session, vault: Vault, count: int, area: str = "140215209", name: str = "public"
) -> None:
    edit = people.Edit(members=tuple(people.Member(name, area, f"1001{n:07d}") for n in range(count)))
    with session.transaction():
        people.apply(session, vault, edit)


def states(session: Session) -> dict[str, int]:
    return dict(session.run("SELECT recipient, state FROM delivery ORDER BY id"))


def tally(session: Session, id_: int) -> dict[str, int]:
    names = ("planned", "open", "handed", "delivered", "failed", "refused", "unknown", "expired", "withdrawn")
    row = session.run(f"SELECT {', '.join(names)} FROM notice_channel WHERE notice = ?", id_)[0]
    return {n: v for n, v in zip(names, row, strict=True) if v}
