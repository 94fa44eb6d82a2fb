"""Storm: the server is killed again and again while it warns; nothing is lost, every repetition is marked."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from fengsui.core import mind
from fengsui.core.facts import DutyOpened, Reached, StepTaken
from fengsui.core.state import World
from fengsui.rehearse.smsc import Centre
from fengsui.rehearse.smsc_plan import Plan
from fengsui.store import board, history, people, rebuild
from fengsui.store.sql import Session
from fengsui.store.states import State
from fengsui.store.verify import verify
from tests.flow import district
from tests.storm.child import PHASES, Order
from tests.storm.conftest import KILLS, TALLY

ROOT = Path(__file__).parents[2]
OUTAGE = 4 * 60 * 1_000_000
"""µs that pass while nobody is up: leases run out, deadlines come."""
MOST = {"before commit": 12, "after commit": 12, "after submit": 60, "before result": 6}
"""Highest seeded count of a phase; the rest: 5."""


class Town:
    """The centre and its phones, which outlive every process; every second phone answers."""

    def __init__(self) -> None:
        self.centre = Centre(
            Plan(latency=0.02, receipt_delay=0.05, duplicate_every=7, unknown_every=11), self.phone
        )
        self.centre.submitted = []
        self.answered: set[str] = set()

    def phone(self, number: str, source: str, text: str, _parts: int) -> None:
        if int(number) % 2 and ("回1" in text or "回复1" in text):
            self.answered.add(number)
            self.centre.reply(number, source, "1")


async def lived(order: Order, town: Town) -> int:
    """Run one process until it is killed or at rest; its exit code."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.storm.child", msgspec.json.encode(order).decode(), cwd=ROOT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said = asyncio.create_task(child.stderr.read())
    try:
        async with asyncio.timeout(60):
            calm = 0
            while line := await child.stdout.readline():
                calm = calm + 1 if line == b"quiet\n" and not town.centre.stats()["owed"] else 0
                if calm == 5:
                    child.stdin.close()
            code = await child.wait()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
        errors = (await said).decode()
    assert "Traceback" not in errors, errors
    assert code in (0, -9), errors
    return code


async def storm(database, town: Town, dice: random.Random) -> tuple[Counter[str], int]:
    """Kill ``KILLS`` times at seeded moments, then let it come to rest; how often in which phase, and the last hour."""
    port = await town.centre.start()
    kills: Counter[str] = Counter()
    late = 0
    phases = [*PHASES, *PHASES]
    dice.shuffle(phases)
    try:
        for phase in phases:
            count = dice.randint(1, MOST.get(phase, 5))
            order = Order(str(database.data), database.url, port, late, phase, count)
            code = await lived(order, town)
            kills[phase] += code == -9
            late += OUTAGE
            if kills.total() == KILLS:
                break
        assert await lived(Order(str(database.data), database.url, port, late), town) == 0
    finally:
        await town.centre.stop()
    return kills, late


@pytest.mark.storm
def test_a_killed_server_loses_nothing_and_marks_every_repetition(database, storm_seed):
    district.populate(database)
    town = Town()
    kills, _ = asyncio.run(storm(database, town, random.Random(f"{database.vendor} {storm_seed}")))
    session = Session()
    try:
        TALLY.update({f"[{phase}]": n for phase, n in kills.items()})
        TALLY["kills"] += kills.total()
        assert kills.total() == KILLS
        _nothing_lost(session)
        _repetitions_marked(session, database, town)
        _facts_once(session, database, town)
        _no_duty_missed(session)
        assert list(verify(session, database.vault)) == []
        assert rebuild.rebuild(session, "Asia/Shanghai") == 0
    finally:
        session.close()


def _nothing_lost(session: Session) -> None:
    states = Counter(s for (s,) in session.run("SELECT state FROM delivery"))
    TALLY["deliveries"] += states.total()
    assert states == {State.DELIVERED: states.total()}
    assert states.total() > 50
    made = {(key, p) for key, p in session.run(
        "SELECT n.key, d.recipient FROM delivery d JOIN notice n ON n.id = d.notice WHERE d.responsible = 1"
    )}  # fmt: skip
    told = {
        (x.fact.key, r.person)
        for x in history.facts(session)
        if type(x.fact).__name__ == "Notified"
        for r in x.fact.recipients
    }
    assert made == told


def _repetitions_marked(session: Session, database, town: Town) -> None:
    """A message is known by phone, our number with its suffix, and part."""
    got = Counter((m.destination, m.source, m.body) for m in town.centre.submitted)
    rows = session.run(
        "SELECT CASE WHEN d.responsible = 1 THEN a.cipher ELSE m.cipher END, n.suffix, d.doubtful FROM delivery d"
        " JOIN notice n ON n.id = d.notice LEFT JOIN address a ON a.id = d.address"
        " LEFT JOIN member m ON m.id = d.address"
    )
    doubtful = {
        (database.vault.decrypt(bytes(cipher), "address"), "1009900" + suffix): flag
        for cipher, suffix, flag in rows
    }
    assert len(doubtful) == len(rows)
    repeated = {(number, source) for (number, source, _), times in got.items() if times > 1}
    TALLY["messages"] += got.total()
    TALLY["repeated"] += len(repeated)
    assert {(number, source) for number, source, _ in got} == set(doubtful)
    assert [key for key in repeated if not doubtful[key]] == []


def _facts_once(session: Session, database, town: Town) -> None:
    reached = [x.fact for x in history.facts(session) if isinstance(x.fact, Reached)]
    steps = Counter((f.person, f.notice, f.state) for f in reached if f.state != "acknowledged")
    assert set(steps.values()) == {1}
    rows = session.run(
        "SELECT d.recipient, n.key FROM delivery d JOIN notice n ON n.id = d.notice WHERE d.responsible = 1"
    )
    assert {(p, key) for p, key, state in steps if state == "delivered"} == set(rows)
    answered = {p for n in town.answered for p in people.find(session, database.vault, "sms", n)}
    acknowledged = Counter(f.person for f in reached if f.state == "acknowledged")
    assert set(acknowledged) == answered
    assert session.run("SELECT count(*) FROM inbox WHERE state = 'new'") == [(0,)]


def _no_duty_missed(session: Session) -> None:
    """What the mind says must be opened by this warning is there, once; every moment that has come was taken."""
    lines = list(history.facts(session))
    (alert,) = [x for x in lines if x.id == "storm/alert"]
    directory = people.snapshot(session, frozenset({"sms"}))
    outcome = mind.consider(alert.fact, alert.id, World(district.yunzhou(), directory, {}, {}))
    expected = {(e.fact.key, e.fact.holders) for e in outcome.entries if isinstance(e.fact, DutyOpened)}
    opened = Counter((x.fact.key, x.fact.holders) for x in lines if isinstance(x.fact, DutyOpened))
    assert expected
    assert {key: opened[key] for key in expected} == dict.fromkeys(expected, 1)
    last = max(x.fact.at for x in lines)
    assert board.due(session, last) == []
    taken = Counter(
        (x.fact.key, h, x.fact.step) for x in lines if isinstance(x.fact, StepTaken) for h in x.fact.holders
    )
    TALLY["steps"] += len(taken)
    assert set(taken.values()) == {1}
