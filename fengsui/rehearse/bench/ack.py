"""签收量测 Ack bench: everybody presses 收到 at once, through the real link route; each answer is a committed fact.

The house, its web server and its message centre are the product's; the phones are a second process with as many
kept-alive connections as there are clients, each of which answers one warning after the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import uvicorn

from fengsui.core.clauses import Pack
from fengsui.flow import serve
from fengsui.flow.clock import Clock
from fengsui.flow.links import Links
from fengsui.gateways.sms_smpp import SmsSmpp
from fengsui.rehearse.bench import place
from fengsui.rehearse.bench.dispatch import centre, way
from fengsui.store.sql import Session
from fengsui.store.tokens import LENGTH
from fengsui.store.vault import Vault
from fengsui.web.door import LinkDoor
from fengsui.web.hot import Hot

WARNINGS = 5
"""Warnings, of a hazard each, that every client answers."""
LOAD = (sys.executable, "-m", "fengsui.rehearse.bench.ack_load")
LONGEST = 300.0
"""Seconds after which the load is given up."""


def bench(data: Path | None, database: str, *, clients: int) -> dict[str, Any]:
    """One run; its figures."""
    if not 1 <= clients <= 10_000:
        raise ValueError("clients 应为 1–10000。[B003]")
    with place.empty(data, database) as keys, centre() as peer:
        rules = place.pack()
        place.populate(keys, rules, responsible=clients, members=0)
        found = serve.run(_answered(keys, rules, peer.port, clients))
        return {"clients": clients, **_checked(found, clients * WARNINGS)}


async def _answered(keys: Vault, rules: Pack, port: int, clients: int) -> dict[str, Any]:
    """Warn, wait until everybody has been told, open the door, let the load in; what it measured."""
    clock = Clock()
    gateway = SmsSmpp("sms", way(port), accepts=frozenset({"test"}), clock=clock.now)
    house = serve.House(rules, clock, keys, [gateway], address="http://127.0.0.1")
    await house.start()
    links = Links(house.writer)
    try:
        await house.install("test")
        streams = await warned(house, rules, WARNINGS)
        await told(clients * len(streams))
        tokens = [[keys.token(f"p{n:07d}\n{s}", LENGTH) for s in streams] for n in range(clients)]
        async with door(Hot(LinkDoor(links, lambda: house.ready), time.monotonic)) as opened:
            return await asyncio.to_thread(load, LOAD, {"port": opened, "tokens": tokens}, LONGEST)
    finally:
        links.close()
        await house.stop()


@contextlib.asynccontextmanager
async def door(application: Any) -> AsyncIterator[int]:
    """The application behind the product's web server on a free loopback port; the port."""
    config = uvicorn.Config(
        application,
        host="127.0.0.1",
        port=0,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - before the clock starts
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await running


async def warned(house: serve.House, rules: Pack, count: int) -> list[str]:
    """Red warnings for this many hazards; their streams."""
    hazards = [h.id for h in rules.hazards.values() if "red" in h.levels and not h.issuers][:count]
    streams = []
    for hazard in hazards:
        one = place.signed(rules, house.clock.now(), stream=f"bench-{hazard}-1", hazard=hazard)
        answer = await house.writer.post(one)
        if not answer.ok:
            raise ValueError(f"预警未被接受：{answer.text}")
        streams.append(one.fact.stream)
    return streams


async def told(rows: int) -> None:
    """Until every message has its receipt."""
    session = await asyncio.to_thread(Session)
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if session.run("SELECT count(*) FROM delivery WHERE state = 7")[0][0] >= rows:
            break
        await asyncio.sleep(0.1)
    session.close()


def load(program: Sequence[str], order: dict[str, Any], longest: float) -> dict[str, Any]:
    """Run a load in a process of its own, for so many seconds at most; what it printed."""
    done = subprocess.run(  # noqa: S603 - our own programs
        program, input=json.dumps(order), stdout=subprocess.PIPE, text=True, check=True, timeout=longest
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _checked(found: dict[str, Any], wanted: int) -> dict[str, Any]:
    """The load's figures, an answer without a fact counted as an error."""
    session = Session()
    facts = session.run("SELECT count(*) FROM ledger WHERE kind = 'reached' AND id LIKE 'link/%'")[0][0]
    vendor = session.vendor
    session.close()
    return {
        "answers_per_s": found["answers_per_s"],
        "p50_ms": found["p50_ms"],
        "p99_ms": found["p99_ms"],
        "errors": found["errors"] + abs(wanted - found["errors"] - facts),
        "answers": found["answers"],
        "facts": facts,
        "rss_mb": place.rss_mb(),
        "database": vendor,
    }
