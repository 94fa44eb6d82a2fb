"""发送量测 Dispatch bench: a signed warning to N people over SMPP, until the last receipt is stored.

All of the product takes part: signature and paper, the rules, encrypted addresses, fan-out, leases, SMPP, receipts
acknowledged after the commit, facts for the responsible. The people are loaded before the clock starts.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fengsui.core.clauses import Pack
from fengsui.flow import serve
from fengsui.flow.clock import Clock
from fengsui.gateways.contract import Deliver, Inward
from fengsui.gateways.sms_smpp import SmsSmpp
from fengsui.rehearse.bench import place
from fengsui.store.sql import Session
from fengsui.store.vault import Vault

WINDOW = "500"
"""Parts unanswered at a time."""
CALM = 60.0
"""Seconds without any receipt after which the rest counts as lost."""
LEAN = (sys.executable, "-m", "fengsui.rehearse.bench.centre")


class Counting(SmsSmpp):
    """The gateway, noting when receipts are stored."""

    stored = 0
    last = cpu = 0.0

    async def run(self, deliver: Deliver) -> None:
        """Receipts and replies; counted after the commit."""

        async def counted(items: Sequence[Inward]) -> None:
            await deliver(items)
            self.stored += len(items)
            self.last = time.monotonic()

        await super().run(counted)


class Centre:
    """A short message centre in another process: asked by a line, answers by a line of JSON."""

    def __init__(self, command: Sequence[str], folder: Path | None = None) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own programs
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder
        )
        self.port = int(self._line()["port"])

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def stats(self) -> dict[str, Any]:
        """What it counted so far."""
        assert self._process.stdin is not None
        self._process.stdin.write("stats\n")
        self._process.stdin.flush()
        return self._line()

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextlib.contextmanager
def centre(command: Sequence[str] = LEAN, folder: Path | None = None) -> Iterator[Centre]:
    """A centre for as long as it is needed."""
    running = Centre(command, folder)
    try:
        yield running
    finally:
        running.stop()


def way(port: int) -> dict[str, str]:
    """Settings of the gateway to a centre of this bench."""
    return {
        "host": "127.0.0.1", "port": str(port), "system_id": "fengsui", "password": "rehearse",
        "source": "1009900", "window": WINDOW,
    }  # fmt: skip


def bench(data: Path | None, database: str, *, recipients: int, responsible: int) -> dict[str, Any]:
    """One run; its figures. Raises ValueError for a place that is not empty or numbers that make no sense."""
    if not 0 <= responsible <= recipients or recipients < 1:
        raise ValueError("须有 1 人以上，且 0 ≤ responsible ≤ recipients。[B002]")
    with place.empty(data, database) as keys, centre() as peer:
        return measured(keys, peer, recipients=recipients, responsible=responsible)


def measured(keys: Vault, peer: Centre, *, recipients: int, responsible: int) -> dict[str, Any]:
    """Load the people, then run against a centre; the figures."""
    rules = place.pack()
    place.populate(keys, rules, responsible=responsible, members=recipients - responsible)
    gateway, began = serve.run(_sent(keys, rules, peer.port, recipients))
    return _figures(gateway, peer.stats(), began, recipients, responsible)


async def _sent(keys: Vault, rules: Pack, port: int, recipients: int) -> tuple[Counting, float]:
    """Sign, and wait for the last receipt; the gateway and when it was signed."""
    clock = Clock()
    gateway = Counting("sms", way(port), accepts=frozenset({"test"}), clock=clock.now)
    house = serve.House(rules, clock, keys, [gateway])
    await house.start()
    try:
        await house.install("test")
        while not (await gateway.check()).up:  # noqa: ASYNC110 - before the clock starts
            await asyncio.sleep(0.01)
        began, gateway.cpu = time.monotonic(), -time.process_time()
        answer = await house.writer.post(place.signed(rules, clock.now()))
        if not answer.ok:
            raise ValueError(f"预警未被接受：{answer.text}")
        await _over(gateway, recipients)
        gateway.cpu += time.process_time()
    finally:
        await house.stop()
    return gateway, began


async def _over(gateway: Counting, recipients: int) -> None:
    """Until every receipt is stored, or none has come for a while."""
    shown = moved = time.monotonic()
    before = 0
    while gateway.stored < recipients:
        await asyncio.sleep(0.005)
        now = time.monotonic()
        if gateway.stored != before:
            before, moved = gateway.stored, now
        elif now - moved > CALM:
            return
        if now - shown > 5:
            shown = now
            place.progress(f"回执 {gateway.stored}/{recipients}")


def _figures(
    gateway: Counting, heard: dict[str, Any], began: float, recipients: int, responsible: int
) -> dict[str, Any]:
    session = Session()
    delivered = session.run("SELECT count(*) FROM delivery WHERE state = 7")[0][0]
    facts = session.run("SELECT count(*) FROM ledger WHERE kind = 'reached'")[0][0]
    parts = session.run("SELECT max(parts) FROM delivery")[0][0]
    vendor = session.vendor
    session.close()
    return {
        "recipients": recipients,
        "responsible": responsible,
        "delivered": delivered,
        "messages_per_s": round(delivered / (gateway.last - began)) if gateway.last > began else 0,
        "first_ms": round((heard["first"] - began) * 1000, 1),
        "lost": recipients - min(delivered, heard["unique"]),
        "duplicates": heard["submits"] - heard["unique"],
        "rss_mb": place.rss_mb(),
        "cpu_us": round(gateway.cpu / max(delivered, 1) * 1e6, 1),
        "parts": parts,
        "characters": heard["characters"],
        "reached_facts": facts,
        "database": vendor,
    }
