"""Bad luck: gateways that misbehave, full disks, clocks that step, poison, two processes — nothing lost, nothing half done."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from fengsui.core.facts import DirectoryChanged, Exhausted, Reached, TimeReached
from fengsui.flow import failover, pulse, send
from fengsui.flow.clock import STEP, Clock, Jumping
from fengsui.flow.inputs import Input, Parked
from fengsui.gateways.sms_smpp import SmsSmpp
from fengsui.rehearse.smsc import Centre, Plan
from fengsui.store.archive import Paper
from fengsui.store.states import State
from tests.flow import district
from tests.flow.district import MINUTE, NIGHT, alert
from tests.flow.town import SOURCE, facts, still, town, whole
from tests.flow.ways import Way, ask, count, running, until

SECOND = 1_000_000


@pytest.fixture(autouse=True)
def populated(database):
    district.populate(database)


async def carried(house, centre=None, *, seconds=60.0):
    """Let time pass from one pause to the next until every delivery has its result."""
    end = time.monotonic() + seconds
    while count("state = 0"):
        assert time.monotonic() < end, ask(
            "SELECT state, code, lease, count(*) FROM delivery GROUP BY 1, 2, 3"
        )
        if not any(lane.busy for lane in house.lanes):
            leased, soonest = await house.writer.outlook()
            if not leased and soonest is not None and soonest > house.clock.now():
                house.clock.jump(soonest)
                house.writer.due()
        for lane in house.lanes:
            lane.wake()
        await asyncio.sleep(0.01)
    if centre:
        await still(house, centre)


# ── gateways ─────────────────────────────────────────────────────────────────

LYING = {
    "slow": Plan(latency=0.1, receipt_delay=0.2),
    "throttling": Plan(throttle_every=50),
    "hanging up": Plan(close_every=97),
    "receipts twice": Plan(duplicate_every=2),
    "receipts of nobody": Plan(unknown_every=2),
    "receipts before the answer": Plan(early=True, latency=0.05),
    "receipts late": Plan(receipt_delay=0.6),
    "everything at once": Plan(
        latency=0.02, receipt_delay=0.1, early=True, duplicate_every=3, unknown_every=5, throttle_every=71,
        close_every=97,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", LYING)
def test_a_centre_that_misbehaves_loses_nothing(database, kind):
    async def night():
        async with town(database, LYING[kind], wait=False, settings={"timeout": "3", "window": "10"}) as (
            house,
            centre,
            _,
        ):
            await carried(house, centre)
            await until(lambda: count("state = 7") == count())
            return centre.stats()

    stats = asyncio.run(night())
    assert count("state = 7") == count() > 50
    expected = ask("SELECT sum(parts) FROM delivery")[0][0]
    again = ask("SELECT sum(parts) FROM delivery WHERE doubtful = 1")[0][0] or 0
    assert stats["unique"] == expected
    assert stats["repeated"] <= again
    whole(database)


def test_a_centre_that_does_not_answer_leaves_doubt_and_is_asked_again(database):
    async def night():
        async with town(database, Plan(hang=True), wait=False, settings={"timeout": "1"}) as (
            house,
            centre,
            _,
        ):
            await asyncio.sleep(1.5)
            assert count("state = 2") == 0
            centre.plan.hang = False
            centre.hang_up()
            await carried(house, centre)
            await until(lambda: count("state = 7") == count())

    asyncio.run(night())
    whole(database)


@pytest.mark.parametrize("fault", ["silent", "gone"])
def test_another_gateway_of_the_channel_takes_over_from_one_that_dies(database, fault, monkeypatch):
    """Two accounts at two centres; the first dies while it sends. Everybody is reached, and whoever may have it twice
    is marked.
    """
    monkeypatch.setattr(failover, "LOOK", 0.1)
    monkeypatch.setattr(pulse, "PATIENCE", 0.3)
    monkeypatch.setattr(send, "PROBE", 0.05)

    async def night():
        clock, centres, gateways = Jumping(NIGHT), [Centre(Plan(latency=0.05)), Centre(Plan())], []
        for n, centre in enumerate(centres, 1):
            centre.submitted = []
            given = {
                "host": "127.0.0.1", "port": str(await centre.start()), "system_id": "t", "password": "rehearse",
                "source": SOURCE, "timeout": "1", "window": "10",
            }  # fmt: skip
            gateways.append(SmsSmpp(f"sms_{n}", given, accepts=frozenset({"test"}), clock=clock.now))
        async with running(database, *gateways, clock=clock) as house:
            await house.writer.post(Input("form-1", alert()))
            await until(lambda: len(centres[0].submitted) > 30)
            if fault == "silent":
                centres[0].plan.hang = True
            else:
                await centres[0].stop()
            await until(lambda: house.lanes[0].relief == "sms_2")
            said = await asyncio.to_thread(house.health)
            assert not said["sms_1"].up
            assert "sms_2" in said["sms_1"].text
            await until(lambda: not count("state = 0"), 30)
        for centre in centres:
            await centre.stop()
        return [{(m.destination, m.body) for m in c.submitted} for c in centres]

    first, second = asyncio.run(night())
    assert count("lane = 'sms_1' AND state >= 2") > 0
    assert count("lane = 'sms_2' AND state = 7") > 50
    both = len(first & second)
    assert both <= (ask("SELECT sum(parts) FROM delivery WHERE lane = 'sms_2' AND doubtful > 0")[0][0] or 0)
    assert len(first | second) == ask("SELECT sum(parts) FROM delivery")[0][0]
    whole(database)


def test_numbers_that_are_refused_become_somebodys_task(database):
    """0x0B: the number is wrong; the person is unreachable, his unit is asked to correct the number."""
    some = [h for h in district.everyone().people if h.unit.startswith("town")] or list(
        district.everyone().people
    )
    numbers = {h.contacts[0].value for h in some[:5]}

    async def night():
        plan = Plan(refuse=dict.fromkeys(numbers, 0x0B))
        async with town(database, plan, wait=False) as (house, centre, _):
            await carried(house, centre)

    asyncio.run(night())
    refused = {p for (p,) in ask(f"SELECT DISTINCT recipient FROM delivery WHERE state = {State.REFUSED}")}
    assert refused
    assert {f.person for f in facts(Exhausted) if f.why == "address"} == refused
    assert {f.person for f in facts(DirectoryChanged) if f.change == "bounced"} == refused
    whole(database)


def test_a_peer_that_talks_nonsense_is_hung_up_on(database, caplog):
    """Not SMPP at all: the lane waits and says so; no traceback, nothing lost."""

    async def babble(reader, writer):
        writer.write(b"\x00\x00\x00\x05HTTP/1.1 200 OK\r\n\r\n" * 20)
        await writer.drain()
        await reader.read(100)
        writer.close()

    async def night():
        server = await asyncio.start_server(babble, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        given = {"host": "127.0.0.1", "port": str(port), "system_id": "t", "password": "p", "source": SOURCE}
        clock = Jumping(NIGHT)
        gateway = SmsSmpp("sms_1", given, accepts=frozenset({"test"}), clock=clock.now)
        async with running(database, gateway, clock=clock) as house:
            await house.writer.post(Input("form-1", alert()))
            await asyncio.sleep(1.5)
            assert house.ready
            assert not (await gateway.check()).up
        server.close()
        await server.wait_closed()

    asyncio.run(night())
    assert count("state = 0 AND attempts = 0") == count() > 0
    assert not any(r.exc_info for r in caplog.records)


# ── clocks ───────────────────────────────────────────────────────────────────


class Watches:
    """A wall clock and a steady one, moved by hand."""

    def __init__(self, at):
        self.wall, self.steady = at, 0

    def clock(self, last=0):
        return Clock(last, wall=lambda: self.wall, steady=lambda: self.steady)

    def run(self, span):
        self.wall, self.steady = self.wall + span, self.steady + span


@pytest.mark.parametrize("step", [3600 * SECOND, -3600 * SECOND, 30 * 365 * 24 * 3600 * SECOND])
def test_a_step_of_the_clock_is_an_alarm_and_deadlines_keep_their_time(database, step):
    watches, alarms = Watches(NIGHT), []

    async def night():
        way = Way()
        async with running(database, way, clock=watches.clock()) as house:
            house.writer.alarm.append(alarms.append)
            await house.writer.post(Input("form-1", alert()))
            await house.writer.settle()
            await until(lambda: not count("state = 0"))
            due = house.writer.soonest()
            watches.wall += step
            await until(lambda: alarms)
            house.writer.due()
            await house.writer.settle()
            early = facts(TimeReached)
            watches.run(due - NIGHT)
            house.writer.due()
            await until(lambda: facts(TimeReached))
            return due, early

    due, early = asyncio.run(night())
    assert [a.code for a in alarms] == ["R001"]
    assert "请核对校时后确认" in alarms[0].text
    assert early == []
    assert facts(TimeReached)[0].due == due
    assert all(abs(f.at - NIGHT) < abs(step) - STEP for f in facts(Reached, TimeReached))
    whole(database)


def test_a_start_in_the_wrong_year_is_an_alarm_and_time_goes_on_from_the_last_fact(database):
    wrong, alarms = Watches(NIGHT - 30 * 365 * 24 * 3600 * SECOND), []

    async def night():
        async with running(database, Way()) as house:
            await house.writer.post(Input("form-1", alert()))
            await until(lambda: not count("state = 0"))
        async with running(database, Way(), clock=wrong.clock(NIGHT)) as house:
            house.writer.alarm.append(alarms.append)
            await until(lambda: house.clock.alarm)
            due = house.writer.soonest()
            wrong.run(due - NIGHT)
            house.writer.due()
            await until(lambda: facts(TimeReached))
            wrong.wall = due + MINUTE // 2  # somebody sets it right
            await until(lambda: house.clock.alarm is None)

    asyncio.run(night())
    moments = [at for (at,) in ask("SELECT at FROM ledger ORDER BY seq")]
    assert moments == sorted(moments)
    assert min(moments) >= NIGHT
    whole(database)


def test_the_alarm_of_a_wrong_start_is_told(database, caplog):
    async def night():
        async with running(database, Way(), clock=Watches(0).clock(NIGHT)):
            await until(lambda: "[R001]" in caplog.text)

    asyncio.run(night())


# ── inputs and processes ─────────────────────────────────────────────────────


def test_an_input_that_always_fails_stops_nobody(database):
    """Its paper cannot be read; it is parked each time, everything else goes on: inputs, lanes, deadlines."""
    alarms = []

    async def night():
        clock = Jumping(NIGHT)
        async with running(database, Way(), clock=clock) as house:
            house.writer.alarm.append(alarms.append)
            paper = Paper("alert", b"\xff not a paper")
            poison = alert(stream="incident-9", hazard="gale", paper=paper.digest)
            for _ in range(3):
                with pytest.raises(Parked, match="R020"):
                    await house.writer.post(Input("poison", poison, (paper,)))
            assert (await house.writer.post(Input("form-1", alert()))).ok
            await house.writer.settle()
            await until(lambda: not count("state = 0"))
            clock.jump(house.writer.soonest())
            house.writer.due()
            await until(lambda: facts(TimeReached))

    asyncio.run(night())
    assert [(a.code, "poison" in a.text) for a in alarms] == [("R020", True)] * 3
    assert [i for (i,) in ask("SELECT id FROM parked")] == ["poison"]
    assert ask("SELECT count(*) FROM ledger WHERE stream = 'incident-9'") == [(0,)]
    whole(database)


def test_two_houses_share_the_work_without_doubling_it(database):
    """On one database; on SQLite a second ``serve`` is refused, but short commands do write beside it."""

    async def night():
        one, two = Way(), Way()
        one.rate = two.rate = 200.0
        async with running(database, one) as first, running(database, two) as second:
            await first.writer.post(Input("form-1", alert()))
            for _ in range(400):
                second.writer.due()
                second.lanes[0].wake()
                await asyncio.sleep(0.02)
                if count() and not count("state = 0"):
                    break
            answers = [await h.writer.post(Input("form-1", alert())) for h in (first, second)]
            assert answers[0] == answers[1]
        return one.ids(), two.ids()

    one, two = asyncio.run(night())
    assert set(one) & set(two) == set()
    assert len(one) + len(two) == len({*one, *two}) == count("state = 2") == count()
    assert min(len(one), len(two)) > 0
    assert count("attempts > 1") == count("doubtful = 1") == 0
    whole(database)


def test_a_second_serve_on_one_data_directory_is_refused(database):
    if database.url:
        return  # there several may serve
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (database.data / "fengsui.toml").write_text(f"port = {port}\n", encoding="utf-8")
    clean = {k: v for k, v in os.environ.items() if not k.startswith("FENGSUI_")}
    environment = clean | {"FENGSUI_DATA": str(database.data)}
    words = [sys.executable, "-m", "fengsui", "serve"]
    first = subprocess.Popen(
        words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        _answering(port, first)
        second = subprocess.run(
            words, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert second.returncode == 2
        assert f"[S030] 进程号 {first.pid}" in second.stderr
        assert "Traceback" not in second.stderr
        _answering(port, first)
        first.send_signal(signal.SIGTERM)
        _, errors = first.communicate(timeout=20)
        assert first.returncode == 0, errors
        assert "Traceback" not in errors
    finally:
        if first.poll() is None:
            first.kill()
            first.communicate()


def _answering(port, process):
    end = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                assert answer.status == 200
                return
        except OSError:
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < end, json.dumps({"port": port})
            time.sleep(0.1)
