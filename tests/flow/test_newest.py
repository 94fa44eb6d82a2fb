"""Random histories on a slow lane, with crashes: the last warning message of every phone is of the newest version that
concerns it.
"""

from __future__ import annotations

import random

import pytest

from fengsui.core.facts import Alerted, Notified
from fengsui.core.levels import LEVELS
from fengsui.flow.clock import Jumping
from fengsui.store import history, rebuild
from fengsui.store.leases import Leased, Verdict
from fengsui.store.sql import Session
from tests.flow import district
from tests.flow.district import MINUTE, NIGHT, ZONES, issue, send_all, take, writing


class Town:
    """Phones: what each got, by person or list member, in order."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.got: dict[str, list[int]] = {}

    def get(self, rows: list[Leased]) -> None:
        known = dict(
            self.session.run("SELECT id, version FROM notice WHERE template NOT IN ('call', 'summons')")
        )
        who = dict(self.session.run("SELECT id, recipient FROM delivery"))
        for row in rows:
            if row.notice in known:
                self.got.setdefault(who[row.id], []).append(known[row.notice])


def newer(dice: random.Random, zones: dict[str, str], version: int) -> dict[str, object]:
    """The zones of the next version, and which of them are kept."""
    while True:
        now = {z: dice.choice(LEVELS) if dice.random() < 0.6 else zones.get(z, "") for z in ZONES}
        now = {z: level for z, level in now.items() if level and dice.random() < 0.85}
        if now or (zones and version > 2):
            kept = [z for z in now if zones.get(z) == now[z] and dice.random() < 0.7]
            return {"zones": now, "kept": kept, "action": "change" if now and zones else ""}


def slowly(dice: random.Random, writer, town: Town) -> bool:
    """A batch goes out, is put off, is given back, or its process dies with it; whether it does."""
    token, rows = take(writer, dice.randint(5, 60))
    match dice.choice(("out", "out", "busy", "back", "dies")):
        case "out":
            town.get(rows)
            done = [Verdict(r.id, token, (1 << r.parts) - 1) for r in rows]
            writer.post_results("sms_1", done).result(10)
        case "busy":
            later = writer.clock.now() + dice.randint(1, 3) * MINUTE
            put_off = [Verdict(r.id, token, run_at=later, code="busy") for r in rows]
            writer.post_results("sms_1", put_off).result(10)
        case "back":
            writer.release(token, [r.id for r in rows]).result(10)
        case _:
            town.get(rows)  # it did go out, and nobody here knows
            return True
    return False


@pytest.mark.parametrize("seed", range(6))
def test_the_last_message_of_a_phone_is_of_the_newest_version_that_concerns_it(seed, database, session):
    district.populate(database)
    dice, town, clock = random.Random(seed), Town(session), Jumping(NIGHT)
    zones, version = dict.fromkeys(ZONES, "orange"), 1
    more: dict[str, object] = {"zones": zones}
    while version < 7:
        with writing(database, clock) as writer:
            died = False
            while not died and version < 7:
                assert issue(writer, version, **more).ok
                if dice.random() < 0.7:
                    writer.settle().result(10)
                died = any(slowly(dice, writer, town) for _ in range(dice.randint(0, 3)))
                clock.jump(clock.now() + MINUTE)
                version += 1
                zones = more["zones"]
                more = newer(dice, zones, version)
    with writing(database, clock) as writer:
        for _ in range(6):
            clock.jump(clock.now() + MINUTE)
            writer.settle().result(10)
            town.get(send_all(writer))

    newest, spared = _newest(session, database)
    assert town.got.keys() <= newest.keys()
    for phone, expected in newest.items():
        got = town.got.get(phone, [])
        assert got[-1:] == [expected] or (not got and spared.get(phone, 0) > expected), (phone, got, expected)
    assert rebuild.rebuild(session, "Asia/Shanghai") == 0


def _newest(session: Session, database) -> tuple[dict[str, int], dict[str, int]]:
    """By phone, the newest version that told it; by person, the newest that says he was told nothing."""
    code = "encode(lookup, 'hex')" if database.url else "lower(hex(lookup))"
    members = session.run(f"SELECT 'm' || {code}, list, area FROM member")
    newest: dict[str, int] = {}
    spared: dict[str, int] = {}
    for line in history.since(session, 0):
        match line.fact:
            case Alerted(version=version, withdrawn=withdrawn):
                spared.update(dict.fromkeys(withdrawn, version))
            case Notified(change=str(change), version=version) as told if change:
                newest.update({r.person: version for r in told.recipients})
                newest.update(
                    {
                        m: version
                        for m, name, area in members
                        if name in told.lists and area.startswith(told.zones)
                    }
                )
    return newest, spared
