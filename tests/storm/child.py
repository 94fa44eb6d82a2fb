"""A district's process that is killed: the product's own house, which ends itself at a seeded moment.

``python -m tests.storm.child ORDER``; ORDER is JSON, see ``Order``. It posts one red warning under a fixed id, prints
``quiet`` whenever nothing is on its way, and stops when its input ends. Nothing in the product knows of it: the
moments are found by wrapping methods of this process's own instances.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from fengsui.config import configure


class Order(msgspec.Struct):
    """Where, what centre, how late it is (µs after the wall clock: outages), when to die ("" = never)."""

    data: str
    url: str
    port: int
    late: int
    phase: str = ""
    count: int = 0
    people: int = 60


PHASES = (
    "before commit",
    "after commit",
    "after submit",
    "before result",
    "during receipts",
    "receipts stored",
)


def main() -> None:
    order = msgspec.json.decode(sys.argv[1], type=Order)
    configure(Path(order.data), order.url)
    asyncio.run(run(order))


async def run(order: Order) -> None:
    from fengsui.flow.clock import Clock, database_wall
    from fengsui.flow.inputs import Input
    from fengsui.flow.serve import House
    from fengsui.gateways.sms_smpp import SmsSmpp
    from fengsui.store import history, vault
    from fengsui.store.lock import Lock
    from fengsui.store.sql import Session
    from tests.flow import district

    def moments() -> tuple[int, Callable[[], int]]:
        session = Session()
        found = history.last_at(session), database_wall(session)
        session.close()
        return found

    lock = Lock(Path(order.data)) if not order.url else None
    last, wall = await asyncio.to_thread(moments)
    clock = Clock(last, wall=lambda: wall() + order.late)
    given = {
        "host": "127.0.0.1", "port": str(order.port), "system_id": "storm", "password": "rehearse",
        "source": "1009900", "window": "20", "timeout": "5",
    }  # fmt: skip
    gateway = SmsSmpp("sms_1", given, accepts=frozenset({"test"}), clock=clock.now)
    house = House(
        district.yunzhou(),
        clock,
        vault.load(Path(order.data), clock.now()),
        [gateway],
        address="https://warn.invalid",
    )
    arm(order, house, gateway)
    await house.start()
    watch(order, house)
    await house.install("test")
    now = clock.now()
    fact = district.alert(at=now, expires=now + 6 * 3600 * 1_000_000)
    await house.writer.post(Input("storm/alert", fact))
    over = asyncio.Event()
    listen(over)
    while not over.is_set():
        if await quiet(house):
            sys.stdout.write("quiet\n")
            sys.stdout.flush()
        await asyncio.sleep(0.05)
    await house.stop()
    if lock:
        lock.release()


def listen(over: asyncio.Event) -> None:
    """Set ``over`` when the input ends."""
    loop = asyncio.get_running_loop()

    def wait() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=wait, daemon=True).start()


async def quiet(house: Any) -> bool:
    if any(lane.busy for lane in house.lanes) or house.mailroom.busy:
        return False
    await house.writer.settle()
    leased, soonest = await house.writer.outlook()
    return not leased and soonest is None and not any(lane.busy for lane in house.lanes)


# ── dying ────────────────────────────────────────────────────────────────────


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(10)


class Fuse:
    """Dies at the seeded count."""

    def __init__(self, count: int) -> None:
        self.left = count

    def burn(self) -> bool:
        self.left -= 1
        return self.left <= 0


def arm(order: Order, house: Any, gateway: Any) -> None:
    """Phases that concern gateway and receipts."""
    fuse = Fuse(order.count)
    match order.phase:
        case "after submit":  # parts are on the wire, nobody has answered
            submit = gateway._submit

            def submitted(*args: Any) -> None:
                submit(*args)
                if fuse.burn():
                    asyncio.get_running_loop().call_later(0.01, die)

            gateway._submit = submitted
        case "before result":  # the centre has answered, nothing is written
            send = gateway.send

            async def sent(batch: Any) -> Any:
                results = await send(batch)
                if fuse.burn():
                    die()
                return results

            gateway.send = sent
        case "during receipts" | "receipts stored":
            post = house.writer.post_receipts

            def received(*args: Any) -> Any:
                burnt = fuse.burn()
                pending = post(*args)
                if burnt and order.phase == "during receipts":
                    die()
                elif burnt:  # committed, the centre does not know yet
                    pending.add_done_callback(lambda _: die())
                return pending

            house.writer.post_receipts = received


def watch(order: Order, house: Any) -> None:
    """Phases that concern the commit."""
    if order.phase not in ("before commit", "after commit"):
        return
    fuse, session = Fuse(order.count), house.writer._session
    commit = session.commit

    def committed() -> None:
        burnt = fuse.burn()
        if burnt and order.phase == "before commit":
            die()
        commit()
        if burnt:
            die()

    session.commit = committed


if __name__ == "__main__":
    main()
