"""发送 Send: one lane for each configured gateway — takes what is due, hands it over, says what became of it.

A dead lane never delays another: each has its own leases, its own batches under way, its own waiting. What is in doubt
after a crash is what was leased, so batches are small.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from fengsui.core.calendar import MINUTE, SECOND
from fengsui.gateways.contract import Gateway, Handover, Outcome, PartResult, Result
from fengsui.store.outbox import BATCH, Leased, Verdict
from fengsui.store.states import State
from fengsui.store.vault import KeyFault, Vault

if TYPE_CHECKING:
    from fengsui.flow.clock import Time
    from fengsui.flow.record import Writer

log = logging.getLogger(__name__)

UNDER_WAY = 4
"""Batches a lane has with its gateway at once: while one is being answered the next is already there."""
LEASE = 2 * MINUTE
"""How long a batch may take before it counts as in doubt; longer than a gateway waits for an answer."""
SCAN = 0.5
"""Seconds after which a lane looks again although nobody woke it."""
PAUSES = (5 * SECOND, 15 * SECOND, 30 * SECOND, MINUTE)
"""How long a row waits after its first, second … refusal that may pass."""

ENDS = {
    Outcome.REFUSED_ADDRESS: State.REFUSED,
    Outcome.REFUSED_CONTENT: State.REFUSED,
    Outcome.UNKNOWN: State.UNKNOWN,
}
"""What ends a row; every other outcome is tried again."""


class Lane:
    """The lane of one gateway instance, named after it."""

    def __init__(self, gateway: Gateway, writer: Writer, vault: Vault, clock: Time) -> None:
        self.gateway, self.writer, self.vault, self.clock = gateway, writer, vault, clock
        self.name = gateway.name
        self.held = False
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

    async def run(self) -> None:
        """Send until cancelled; batches under way are then left to their leases."""
        try:
            while True:
                self._taking = True
                self._wake.clear()
                took = not self.held and await self._take()
                self._taking = False
                if not took:
                    await self._rest()
        finally:
            for batch in self._batches:
                batch.cancel()

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), SCAN)
        except TimeoutError:
            return

    async def _take(self) -> bool:
        """Lease one batch and pass it on; False if nothing was due."""
        if len(self._batches) >= UNDER_WAY:
            await asyncio.wait(self._batches, return_when=asyncio.FIRST_COMPLETED)
        now = self.clock.now()
        token, rows = await self.writer.lease(self.name, now=now, until=now + LEASE, limit=BATCH)
        if not rows:
            return False
        batch = asyncio.create_task(self._hand(token, rows), name=f"{self.name}-{token}")
        self._batches.add(batch)
        batch.add_done_callback(self._done)
        return True

    def _done(self, batch: asyncio.Task[None]) -> None:
        self._batches.discard(batch)
        if not batch.cancelled() and (error := batch.exception()):
            log.error("车道 %s 的一批未能记下，租约到期后重发：%s [R030]", self.name, type(error).__name__)
        self._wake.set()

    async def _hand(self, token: int, rows: Sequence[Leased]) -> None:
        verdicts, handovers = self._sort(token, rows)
        by_id = {row.id: row for row in rows}
        if handovers:
            for result in await self.gateway.send(handovers):
                verdicts.append(verdict(result, token, by_id[result.id].attempts, self.clock.now()))
        await self.writer.post_results(self.name, verdicts)

    def _sort(self, token: int, rows: Sequence[Leased]) -> tuple[list[Verdict], list[Handover]]:
        """What needs no gateway to be decided, and what does."""
        verdicts: list[Verdict] = []
        handovers: list[Handover] = []
        now = self.clock.now()
        for row in rows:
            if row.expires <= now:
                verdicts.append(Verdict(row.id, token, end=State.EXPIRED, code="expired"))
            elif row.series not in self.gateway.accepts:
                verdicts.append(Verdict(row.id, token, end=State.REFUSED, code=f"series-{row.series}"))
            elif (handover := self._handover(row)) is None:
                verdicts.append(Verdict(row.id, token, end=State.REFUSED, code="no-address"))
            else:
                handovers.append(handover)
        return verdicts, handovers

    def _handover(self, row: Leased) -> Handover | None:
        if row.cipher is None:
            return None
        try:
            to = self.vault.decrypt(bytes(row.cipher), "address")
        except KeyFault:
            return None
        return Handover(
            id=row.id,
            to=to,
            parts=_parts(row.body, row.texts, row.parts, row.accepted),
            reference=row.id & 0xFF,
            expires=row.expires,
            level=row.level,
            source_suffix=row.suffix,
        )


_decoder = msgspec.json.Decoder(list[str])


def _parts(body: str, texts: str, total: int, accepted: int) -> tuple[tuple[int, int, str], ...]:
    """The parts that the peer has not yet taken."""
    if total == 1:
        return ((0, 1, body),)
    return tuple((i, total, t) for i, t in enumerate(_decoder.decode(texts)) if not accepted >> i & 1)


def verdict(result: Result, token: int, attempts: int, now: int) -> Verdict:
    """What a gateway's answers for the parts of one row mean for the row."""
    mask, provider_ids = 0, []
    worst: PartResult | None = None
    for part in result.parts:
        if part.outcome is Outcome.ACCEPTED:
            mask |= 1 << part.index
            provider_ids.append((part.index, part.provider_id))
        elif worst is None or part.outcome in ENDS:
            worst = part
    if worst is None:
        return Verdict(result.id, token, mask, provider_ids=tuple(provider_ids))
    return Verdict(
        result.id,
        token,
        mask,
        end=ENDS.get(worst.outcome, State.PLANNED),
        run_at=now + PAUSES[min(max(attempts, 1), len(PAUSES)) - 1],
        code=worst.code or worst.outcome.value,
        provider_ids=tuple(provider_ids),
        dead=worst.outcome is Outcome.REFUSED_ADDRESS,
    )
