"""A house over a real centre on loopback, and what its phones get."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter

from fengsui.core.facts import Reached
from fengsui.flow.clock import Jumping
from fengsui.flow.inputs import Input
from fengsui.gateways.sms_smpp import SmsSmpp
from fengsui.rehearse.smsc import Centre, Plan
from fengsui.store import history, rebuild
from fengsui.store.sql import Session
from fengsui.store.verify import verify
from tests.flow.district import NIGHT, alert
from tests.flow.ways import _asking, ask, count, running, until

SOURCE = "1009900"


@contextlib.asynccontextmanager
async def town(database, plan=None, *, wait=True, settings=None, **more):
    """A house over a centre, one red warning out (wait: and delivered): (house, centre, what each phone got)."""
    got: dict[str, list[tuple[str, str]]] = {}

    def phone(number, source, text, _parts):
        got.setdefault(number, []).append((source, text))

    centre = Centre(plan or Plan(), phone)
    clock = Jumping(NIGHT)
    given = {
        "host": "127.0.0.1", "port": str(await centre.start()), "system_id": "t", "password": "rehearse",
        "source": SOURCE, "timeout": "2",
    }  # fmt: skip
    gateway = SmsSmpp("sms_1", given | (settings or {}), accepts=frozenset({"test"}), clock=clock.now)
    try:
        async with running(database, gateway, clock=clock, **more) as house:
            await house.writer.post(Input("form-1", alert()))
            await house.writer.settle()
            if wait:
                await until(lambda: count("state = 7") == count() > 0)
                await still(house, centre)
            yield house, centre, got
    finally:
        await centre.stop()


async def still(house, centre):
    """Until nothing is on its way."""
    calm = 0
    while calm < 3:
        await asyncio.sleep(0.02)
        busy = centre.stats()["owed"] or house.mailroom.busy or any(lane.busy for lane in house.lanes)
        waiting = ask("SELECT count(*) FROM inbox WHERE state = 'new'")[0][0]
        calm = 0 if busy or waiting else calm + 1
        await house.writer.settle()


def facts(*kinds):
    def read():
        session = Session()
        try:
            return [x.fact for x in history.facts(session) if isinstance(x.fact, kinds)]
        finally:
            session.close()

    return _asking.submit(read).result()


def whole(database):
    """Chain, board, and every fact once."""

    def read():
        session = Session()
        try:
            return list(verify(session, database.vault)), rebuild.rebuild(session, "Asia/Shanghai")
        finally:
            session.close()

    assert _asking.submit(read).result() == ([], 0)
    reached = Counter((f.person, f.notice, f.state) for f in facts(Reached) if f.state != "acknowledged")
    assert set(reached.values()) <= {1}
