"""Gateways that do what a test says, and a house that runs with them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from fengsui.flow.clock import Clock, Jumping
from fengsui.flow.serve import House
from fengsui.gateways.contract import Handover, Health, Outcome, PartResult, Result
from fengsui.store.sql import Session
from tests.flow.district import NIGHT, yunzhou

Say = Callable[[Handover, int], "Outcome | tuple[Outcome, str]"]


def takes(handover: Handover, index: int) -> Outcome:
    return Outcome.ACCEPTED


class Way:
    """A gateway: says of each part what ``say`` says, at ``rate`` parts a second (0: at once), or nothing at all."""

    channel, fields = "sms", ()

    def __init__(self, name: str = "sms_1", *, accepts: Sequence[str] = ("test",), say: Say = takes) -> None:
        self.name, self.accepts, self.say = name, frozenset(accepts), say
        self.rate, self.dead, self.batches = 0.0, False, 0
        self._line = asyncio.Lock()
        self.sent: list[tuple[float, Handover]] = []

    async def start(self) -> None:
        """Nothing to connect."""

    async def stop(self) -> None:
        """Nothing to close."""

    async def check(self) -> Health:
        return Health(up=not self.dead and self.say is not offline, text="")

    async def send(self, batch: Sequence[Handover]) -> list[Result]:
        self.batches += 1
        if self.dead:
            await asyncio.Event().wait()
        results = []
        for handover in batch:
            async with self._line:
                if self.rate:
                    await asyncio.sleep(len(handover.parts) / self.rate)
                self.sent.append((time.monotonic(), handover))
            results.append(Result(handover.id, tuple(self._part(handover, i) for i, _, _ in handover.parts)))
        return results

    def _part(self, handover: Handover, index: int) -> PartResult:
        said = self.say(handover, index)
        outcome, code = said if isinstance(said, tuple) else (said, "")
        id_ = f"{handover.id}-{index}" if outcome is Outcome.ACCEPTED else ""
        return PartResult(index, outcome, id_, code)

    def ids(self) -> list[int]:
        return [handover.id for _, handover in self.sent]


def offline(handover: Handover, index: int) -> tuple[Outcome, str]:
    return Outcome.RETRY, "not connected"


@contextlib.asynccontextmanager
async def running(database, *ways, clock: Clock | Jumping | None = None, **more) -> AsyncIterator[House]:
    house = House(yunzhou(), clock or Jumping(NIGHT), database.vault, ways, **more)
    await house.start()
    try:
        yield house
    finally:
        await house.stop()


async def until(holds: Callable[[], object], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.01)


_asking = ThreadPoolExecutor(1)  # Django opens no connection where an event loop runs


def ask(text: str, *values: object) -> list[tuple]:
    return _asking.submit(_ask, text, *values).result()


def _ask(text: str, *values: object) -> list[tuple]:
    session = Session()
    try:
        return session.run(text, *values)
    finally:
        session.close()


def count(where: str = "1 = 1") -> int:
    return int(ask(f"SELECT count(*) FROM delivery WHERE {where}")[0][0])
