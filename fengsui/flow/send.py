"""发送 Send: one lane for each configured gateway — takes what is due, hands it over, says what became of it.

A dead lane never delays another: each has its own leases, its own batches under way, its own waiting. What is in doubt
after a crash is what was leased, and what is with a gateway stands before anything more urgent: so batches are small,
and no larger than what the gateway takes in about a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fengsui.core.calendar import MINUTE, SECOND
from fengsui.flow.clock import Alarm
from fengsui.flow.inputs import Unwritten
from fengsui.flow.verdicts import DISCONNECTED, handover, never_sent, verdict
from fengsui.gateways.contract import Gateway, Handover, Outcome, Result
from fengsui.store.leases import BATCH, Leased, Verdict
from fengsui.store.states import State
from fengsui.store.vault import Vault

if TYPE_CHECKING:
    from fengsui.flow.clock import Time
    from fengsui.flow.record import Writer

log = logging.getLogger(__name__)

UNDER_WAY = 4
"""Batches a lane has with its gateway at once: while one is being answered the next is already there."""
FIRST = 20
"""Rows of the first batch, before it is known how fast a gateway takes them."""
SWIFT = 1.0
"""Seconds in which a gateway should answer a batch: what takes longer makes the next one smaller."""
LEASE = 2 * MINUTE
"""How long a batch may take before it counts as in doubt; a slow one is extended while its gateway is at it."""
WINDOW = 10 * MINUTE
"""How long a gateway may have a batch: longer than the window of answers and the pace together. Then it is in doubt."""
SCAN = 0.5
"""Seconds after which a lane looks again although nobody woke it."""
PROBE = 1.0
"""Seconds between tries of a gateway that is not connected: one row each, the others stay untouched."""
PATIENCE = 10.0
"""Seconds of being not connected after which a person is told."""


class Lane:
    """The lane of one gateway instance, named after it. held: it takes nothing more. down: not connected."""

    def __init__(self, gateway: Gateway, writer: Writer, vault: Vault, clock: Time) -> None:
        self.gateway, self.writer, self.vault, self.clock = gateway, writer, vault, clock
        self.name = gateway.name
        self.held = self.down = False
        self._since = 0.0
        self._told = ""
        self._limit = FIRST
        self._wake = asyncio.Event()
        self._taking = False
        self._batches: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> bool:
        """Whether a batch is with the gateway or being taken, or somebody has just said that there is work."""
        return bool(self._batches) or self._taking or self._wake.is_set()

    def wake(self) -> None:
        """There may be something to send."""
        self._wake.set()

    async def finish(self, seconds: float) -> None:
        """Take nothing more; wait until what is with the gateway is answered and written."""
        self.held = True
        if self._batches:
            await asyncio.wait(self._batches, timeout=seconds)

    async def run(self) -> None:
        """Send until cancelled; batches under way are then left to their leases."""
        try:
            while True:
                self._taking = True
                self._wake.clear()
                took = not self.held and await self._take()
                self._taking = False
                if self.down:
                    await asyncio.sleep(PROBE)
                elif not took:
                    await self._rest()
        finally:
            for batch in self._batches:
                batch.cancel()

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SCAN):  # wait_for may swallow being cancelled (Python 3.11)
                await self._wake.wait()

    async def _take(self) -> bool:
        """Lease one batch and pass it on; False if nothing was due or nothing could be written."""
        while len(self._batches) >= (1 if self.down else UNDER_WAY):
            await asyncio.wait(self._batches, return_when=asyncio.FIRST_COMPLETED)
        now = self.clock.now()
        limit = 1 if self.down else self._limit
        try:
            token, rows = await self.writer.lease(self.name, now=now, until=now + LEASE, limit=limit)
        except Unwritten as error:
            log.warning("车道 %s 暂时取不出待发：%s", self.name, error)
            return False
        if not rows:
            return False
        batch = asyncio.create_task(self._hand(token, rows), name=f"{self.name}-{token}")
        self._batches.add(batch)
        batch.add_done_callback(self._done)
        if self.down:
            await asyncio.wait([batch])
        return True

    def _done(self, batch: asyncio.Task[None]) -> None:
        self._batches.discard(batch)
        if not batch.cancelled() and (error := batch.exception()):
            log.error("车道 %s 的一批未能记下，租约到期后重发：%s [R030]", self.name, type(error).__name__)
        self._wake.set()

    async def _hand(self, token: int, rows: Sequence[Leased]) -> None:
        """Hand a batch over and write what became of each row."""
        verdicts, handovers, back = self._sort(token, rows)
        by_id = {row.id: row for row in rows}
        if handovers:
            results = await self._sent(token, handovers)
            unsent = {r.id for r in results if never_sent(r)}
            back += [(id_, token) for id_ in unsent]
            now = self.clock.now()
            verdicts += [verdict(r, token, by_id[r.id].attempts, now) for r in results if r.id not in unsent]
            self._judge(results, unsent)
        await self._written(verdicts, back)

    async def _sent(self, token: int, handovers: Sequence[Handover]) -> Sequence[Result]:
        """What the gateway says; a slow one is given time, one that says nothing at all leaves its batch in doubt."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        sending = asyncio.ensure_future(self.gateway.send(handovers))
        try:
            while loop.time() - began < WINDOW / SECOND:
                if (await asyncio.wait([sending], timeout=LEASE / SECOND / 3))[0]:
                    self._adapt(len(handovers), loop.time() - began)
                    return sending.result()
                try:
                    await self.writer.extend(token, LEASE)
                except Unwritten as error:
                    log.warning("车道 %s 未能延长租约：%s", self.name, error)
            log.error("车道 %s 的网关久无应答，一批 %d 条不知是否发出。[R033]", self.name, len(handovers))
            self._limit = 1
            return [Result(h.id, ()) for h in handovers]
        finally:
            sending.cancel()

    def _adapt(self, count: int, seconds: float) -> None:
        """As many as the gateway takes in ``SWIFT`` seconds, at most twice as many as before."""
        fits = int(count * SWIFT / max(seconds, 0.001))
        self._limit = max(1, min(BATCH, fits, max(self._limit, count) * 2))

    def _sort(
        self, token: int, rows: Sequence[Leased]
    ) -> tuple[list[Verdict], list[Handover], list[tuple[int, int]]]:
        """What needs no gateway to be decided, what does, and what the writer will close as out of date in doubt."""
        verdicts: list[Verdict] = []
        handovers: list[Handover] = []
        back: list[tuple[int, int]] = []
        now = self.clock.now()
        for row in rows:
            if row.expires <= now and row.doubtful:
                back.append((row.id, token))
            elif row.expires <= now:
                verdicts.append(Verdict(row.id, token, end=State.EXPIRED, code="expired"))
            elif row.series not in self.gateway.accepts:
                verdicts.append(Verdict(row.id, token, end=State.REFUSED, code=f"series-{row.series}"))
            elif (made := handover(row, self.vault)) is None:
                verdicts.append(Verdict(row.id, token, end=State.REFUSED, code="no-address"))
            else:
                handovers.append(made)
        return verdicts, handovers, back

    def _judge(self, results: Sequence[Result], unsent: set[int]) -> None:
        """Whether the gateway is of use at present; if not for long, or if it is set up wrongly, a person is told."""
        now = asyncio.get_running_loop().time()
        down = len(unsent) == len(results)
        if down and not self.down:
            self._since = now
        self.down = down
        parts = [p for r in results for p in r.parts]
        if wrong := next((p for p in parts if p.outcome is Outcome.REFUSED_CONFIG), None):
            self._tell("R032", f"网关不接受本账号或设置（{wrong.code}），待发保留。请改正网关设置")
        elif down and now - self._since >= PATIENCE:
            self._tell("R031", "网关未连接，待发保留，接通后自动发出，过了有效期的不再发出。请检查网络与网关")
        elif any(p.outcome is Outcome.ACCEPTED for p in parts):
            self._told = ""

    def _tell(self, code: str, text: str) -> None:
        """Raise an alarm, once until the gateway works again."""
        if self._told != code:
            self._told = code
            for call in self.writer.alarm:
                call(Alarm(code, f"车道 {self.name}：{text}。[{code}]", self.clock.now()))

    async def _written(self, verdicts: Sequence[Verdict], back: Sequence[tuple[int, int]]) -> None:
        """Have it written, however long the database cannot: what the peer said is known only here."""
        pause = SCAN
        while True:
            try:
                told = [self.writer.post_results(self.name, verdicts)]
                told += [self.writer.release(back, code=DISCONNECTED)] if back else []
                for each in told:
                    await each
            except Unwritten as error:
                log.warning("车道 %s 的一批结果暂时写不进，稍后再试：%s", self.name, error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
            else:
                return
