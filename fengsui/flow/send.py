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

from fengsui.core.calendar import MINUTE, SECOND, span
from fengsui.flow.clock import Alarm
from fengsui.flow.inputs import Pending, Unwritten
from fengsui.flow.pulse import Pulse, Trouble
from fengsui.flow.verdicts import DISCONNECTED, UNANSWERING, handover, judged
from fengsui.gateways.contract import Gateway, Handover, Health, Result
from fengsui.store import lanes
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
"""Seconds between tries of a gateway in trouble: one row each, the others stay untouched."""
GLANCE = 5.0
"""Seconds between questions to a gateway in trouble whether it is connected, while nothing is due."""


class Lane:
    """The lane of one gateway instance, named after it. held: it takes nothing more. relief: the lane that what waits
    here leaves by meanwhile, "" = none.
    """

    def __init__(self, gateway: Gateway, writer: Writer, vault: Vault, clock: Time) -> None:
        self.gateway, self.writer, self.vault, self.clock = gateway, writer, vault, clock
        self.name = gateway.name
        self.held = False
        self.relief = ""
        self.pulse = Pulse()
        self._told = ""
        self._limit = FIRST
        self._wake = asyncio.Event()
        self._taking = False
        self._looked = 0.0
        self._batches: set[asyncio.Task[None]] = set()  # with the gateway
        self._answered: set[asyncio.Task[None]] = set()  # being written

    @property
    def known(self) -> lanes.Lane:
        """It as the store knows it, with what its gateway itself says it accepts."""
        return lanes.Lane(self.name, self.gateway.channel, self.gateway.accepts)

    @property
    def busy(self) -> bool:
        """Whether a batch is with the gateway or being taken, or somebody has just said that there is work."""
        return bool(self._batches or self._answered) or self._taking or self._wake.is_set()

    @property
    def dead(self) -> bool:
        """Whether what waits here had better leave by another way."""
        return self.pulse.ill and self.trouble is not None

    @property
    def trouble(self) -> Trouble | None:
        """What is wrong with the gateway as its answers show, once a person must know."""
        return self.pulse.trouble(asyncio.get_running_loop().time())

    def health(self, said: Health) -> Health:
        """What is shown of the gateway: what it says of itself, or what its answers show."""
        trouble = self.trouble
        text, code = said.text, said.code
        if said.up and trouble is not None:
            text, code = f"{trouble.text}。[{trouble.code}]", trouble.code
        relief = f"　待发已改由“{self.relief}”发出。" if self.relief else ""
        return Health(up=said.up and trouble is None, text=text + relief, code=code)

    def wake(self) -> None:
        """There may be something to send."""
        self._wake.set()

    async def finish(self, seconds: float) -> None:
        """Take nothing more; wait until what is with the gateway is answered and written."""
        self.held = True
        end = asyncio.get_running_loop().time() + seconds
        while (left := self._batches | self._answered) and asyncio.get_running_loop().time() < end:
            await asyncio.wait(left, timeout=seconds)

    async def run(self) -> None:
        """Send until cancelled; batches under way are then left to their leases."""
        try:
            while True:
                self._taking = True
                self._wake.clear()
                took = not self.held and await self._take()
                self._taking = False
                if self.pulse.ill and not took and not self.held:
                    await self._look()
                if self.pulse.ill:
                    await asyncio.sleep(PROBE)
                elif not took:
                    await self._rest()
        finally:
            for task in self._batches | self._answered:
                task.cancel()

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SCAN):  # wait_for may swallow being cancelled (Python 3.11)
                await self._wake.wait()

    async def _take(self) -> bool:
        """Lease one batch and pass it on; False if nothing was due or nothing could be written.

        A slot is free as soon as the gateway has answered: what became of a batch and the next lease are written in
        one round, in this order.
        """
        while len(self._batches) >= (1 if self.pulse.ill else UNDER_WAY) or len(self._answered) > UNDER_WAY:
            await asyncio.wait(self._batches | self._answered, return_when=asyncio.FIRST_COMPLETED)
        now = self.clock.now()
        limit = 1 if self.pulse.ill else self._limit
        try:
            token, rows = await self.writer.lease(self.known, now=now, until=now + LEASE, limit=limit)
        except Unwritten as error:
            log.warning("车道 %s 暂时取不出待发：%s", self.name, error)
            return False
        if not rows:
            return False
        batch = asyncio.create_task(self._hand(token, rows), name=f"{self.name}-{token}")
        self._keep(batch, self._batches)
        if self.pulse.ill:
            await asyncio.wait([batch])
            while self._answered:
                await asyncio.wait(self._answered)
        return True

    def _keep(self, task: asyncio.Task[None], among: set[asyncio.Task[None]]) -> None:
        """Keep a task until it is done."""

        def done(task: asyncio.Task[None]) -> None:
            among.discard(task)
            if not task.cancelled() and (error := task.exception()):
                log.error(
                    "车道 %s 的一批未能记下，租约到期后重发：%s [R030]", self.name, type(error).__name__
                )
            self._wake.set()

        among.add(task)
        task.add_done_callback(done)

    async def _hand(self, token: int, rows: Sequence[Leased]) -> None:
        """Hand a batch over and have written what became of each row."""
        verdicts, handovers, back = self._sort(token, rows)
        if handovers:
            results = await self._sent(token, handovers)
            by_id = {row.id: row for row in rows}
            more, unsent = judged(results, by_id, token, now=self.clock.now(), doubt=self._doubt)
            verdicts += more
            back += unsent
            self._judge(results, unsent)
        told = self._post(token, verdicts, back)
        self._keep(asyncio.create_task(self._written(told, token, verdicts, back)), self._answered)

    @property
    def _doubt(self) -> int:
        """µs after which what was not answered for is sent again, the first time."""
        return span(self.writer.world.pack.resends["doubt"].first)

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

    def _sort(self, token: int, rows: Sequence[Leased]) -> tuple[list[Verdict], list[Handover], list[int]]:
        """What needs no gateway to be decided, what does, and what the writer will close as out of date in doubt."""
        verdicts: list[Verdict] = []
        handovers: list[Handover] = []
        back: list[int] = []
        now = self.clock.now()
        for row in rows:
            if row.expires <= now and row.doubtful:
                back.append(row.id)
            elif row.expires <= now:
                verdicts.append(Verdict(row.id, token, end=State.EXPIRED, code="expired"))
            elif (made := handover(row, self.vault)) is None:
                verdicts.append(Verdict(row.id, token, end=State.REFUSED, code="no-address"))
            else:
                handovers.append(made)
        return verdicts, handovers, back

    def _judge(self, results: Sequence[Result], unsent: Sequence[int]) -> None:
        """Whether the gateway is of use at present; if not, a person is told."""
        before = self.pulse.state
        self.pulse.feel(results, frozenset(unsent), asyncio.get_running_loop().time())
        if before != "well" and self.pulse.state == "well":
            self._revive()
        if (trouble := self.trouble) is not None:
            self._tell(trouble)
        elif self.pulse.state == "well":
            self._told = ""

    async def _look(self) -> None:
        """Nothing is due that would show whether the gateway works again: ask it, now and then."""
        now = asyncio.get_running_loop().time()
        if now - self._looked < GLANCE:
            return
        self._looked = now
        up = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GLANCE):
                up = (await self.gateway.check()).up
        self.pulse.look(up=up, now=now)
        if self.pulse.state == "well":
            self._revive()

    def _revive(self) -> None:
        """It works again: what is in doubt need not wait out its pause."""
        self.writer.revive(self.name, self._doubt)

    def _tell(self, trouble: Trouble) -> None:
        """Raise an alarm, once until the gateway works again."""
        if self._told != trouble.code:
            self._told = trouble.code
            for call in self.writer.alarm:
                text = f"车道 {self.name}：{trouble.text}。[{trouble.code}]"
                call(Alarm(trouble.code, text, self.clock.now()))

    def _post(self, token: int, verdicts: Sequence[Verdict], back: Sequence[int]) -> list[Pending[int]]:
        told = [self.writer.post_results(self.name, verdicts)]
        code = UNANSWERING if self.pulse.state == "silent" else DISCONNECTED
        return [*told, self.writer.release(token, back, code=code)] if back else told

    async def _written(
        self, told: Sequence[Pending[int]], token: int, verdicts: Sequence[Verdict], back: Sequence[int]
    ) -> None:
        """Have it written, however long the database cannot: what the peer said is known only here."""
        pause = SCAN
        while True:
            try:
                for each in told:
                    await each
            except Unwritten as error:
                log.warning("车道 %s 的一批结果暂时写不进，稍后再试：%s", self.name, error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
                told = self._post(token, verdicts, back)
            else:
                return
