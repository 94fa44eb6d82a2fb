"""A district with a writer: invented people in the store, a real pack, a clock that jumps."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from functools import cache

import msgspec

from fengsui.core import calendar
from fengsui.core.clauses import Pack
from fengsui.core.facts import Alerted, DrillSet
from fengsui.flow.clock import Jumping
from fengsui.flow.inputs import Answer, Input
from fengsui.flow.record import Writer
from fengsui.formats import packs
from fengsui.rehearse import people as invented
from fengsui.store import people
from fengsui.store.lanes import Lane
from fengsui.store.leases import Leased, Verdict
from fengsui.store.sql import Session
from tests.conftest import Database

ZONES = ("140215209", "140215202")
NIGHT = calendar.utc(dt.datetime.fromisoformat("2027-07-21T02:13:00+08:00"))
MINUTE = 60_000_000
SMS = Lane("sms_1", "sms", frozenset({"actual", "exercise", "test"}))


@cache
def yunzhou() -> Pack:
    return packs.load("yunzhou")


@cache
def everyone(size: int = 200) -> people.Edit:
    found = invented.invent(yunzhou(), size, 1, ZONES)
    humans = tuple(
        people.Human(p.id, p.unit, p.name, (people.Contact("sms", p.number),))
        for p in found.people
        if not p.list
    )
    humans += tuple(
        people.Human(id_, "meteorology", name, (people.Contact("email", f"{id_}@warn.invalid"),))
        for id_, name in (("forecaster", "拟稿员"), ("signer", "签发员"))
    )
    members = tuple(people.Member(p.list, p.area, p.number) for p in found.people if p.list)
    return people.Edit(people=humans, posts=found.posts, members=members)


def populate(database: Database) -> None:
    session = Session()
    with session.transaction():
        people.apply(session, database.vault, everyone())
    session.close()


@contextlib.contextmanager
def writing(
    database: Database,
    clock: Jumping | None = None,
    *,
    pack: Pack | None = None,
    lanes: tuple[Lane, ...] = (SMS,),
) -> Iterator[Writer]:
    writer = Writer(pack or yunzhou(), clock or Jumping(NIGHT), database.vault, lanes=lanes)
    writer.start()
    try:
        yield writer
    finally:
        writer.stop()


def alert(version: int = 1, level: str = "red", *, at: int = NIGHT, **more: object) -> Alerted:
    fields = {
        "kind": "alerted", "stream": "incident-1", "at": at, "version": version, "hazard": "rainstorm",
        "zones": dict.fromkeys(ZONES, level) if level else {}, "expires": NIGHT + 360 * MINUTE,
        "author": "forecaster", "signer": "signer", "paper": f"paper-{version}", "replaces": version - 1, "series": "test",
    }  # fmt: skip
    return msgspec.convert(fields | more, Alerted)


DRILL = "drill-20270721-1"


def drilled(writer: Writer, *units: str) -> None:
    """A drill of these units (none: all) that has begun, run by the weather office."""
    now, directory = writer.clock.now(), writer.world.directory
    by = next(p for post in directory.unit_posts["meteorology"] if (p := post.holder))
    told = {"scenario": "rainstorm", "units": units or tuple(yunzhou().units), "begins": now}
    for fact in (DrillSet(DRILL, now, "announced", by, **told), DrillSet(DRILL, now, "started", by)):
        assert writer.post(Input(f"{DRILL}/{fact.state}", fact)).result(10).ok


def issue(writer: Writer, version: int = 1, level: str = "red", **more: object) -> Answer:
    fact = alert(version, level, at=writer.clock.now(), **more)
    return writer.post(Input(f"form-{version}-{level}", fact)).result(10)


def take(writer: Writer, limit: int = 250, lane: Lane = SMS) -> tuple[int, list[Leased]]:
    now = writer.clock.now()
    return writer.lease(lane, now=now, until=now + 2 * MINUTE, limit=limit).result(10)


def send_all(writer: Writer, lane: Lane = SMS) -> list[Leased]:
    """Hand over everything that is due; the peer takes it all, under the row's id."""
    sent: list[Leased] = []
    while (batch := take(writer, lane=lane))[1]:
        token, rows = batch
        verdicts = [
            Verdict(
                r.id,
                token,
                (1 << r.parts) - 1,
                provider_ids=tuple((i, f"{r.id}-{i}") for i in range(r.parts)),
            )
            for r in rows
        ]
        writer.post_results(lane.name, verdicts).result(10)
        sent += rows
    return sent


def facts(session: Session, *kinds: str) -> list[str]:
    rows = session.run("SELECT kind, body FROM ledger ORDER BY seq")
    return [body for kind, body in rows if not kinds or kind in kinds]
