"""接收 Receive: receipts and replies from outside — stored before the peer is answered, then read for their meaning.

A reply is first a row of the inbox, then inputs to the mind under ids that the row gives, so that a crash between the
two repeats nothing and loses nothing. What nobody can read goes to a person at the desk.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from fengsui.core import replies
from fengsui.flow.inputs import Input, Letter, Parked, Unwritten
from fengsui.flow.record import Writer
from fengsui.gateways.contract import Inbound, Inward, Receipt, Reply

log = logging.getLogger(__name__)

SCAN = 0.5
"""Seconds after which the inbox is looked at again although nothing was heard."""


class Mailroom:
    """Everything that comes in, by whatever gateway."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self._wake = asyncio.Event()
        self._reading = False

    @property
    def busy(self) -> bool:
        """Whether letters are being read or wait to be."""
        return self._reading or self._wake.is_set()

    def wake(self) -> None:
        """There may be letters to read; from any thread, only a hint."""
        self._wake.set()

    async def listen(self, gateway: Inbound, lane: str) -> None:
        """Store what a gateway hears until cancelled."""

        async def deliver(items: Sequence[Inward]) -> None:
            receipts = [i for i in items if isinstance(i, Receipt) and i.state != "pending"]
            letters = [i for i in items if isinstance(i, Reply)]
            waiting = [self.writer.post_receipts(lane, receipts)] if receipts else []
            stored = self.writer.post_inbound(lane, letters) if letters else None
            for pending in waiting:
                await pending
            if stored is not None:
                await stored
                self._wake.set()

        await gateway.run(deliver)

    async def run(self) -> None:
        """Read letters until cancelled; also those that an earlier process stored and did not read."""
        while True:
            self._reading = True
            self._wake.clear()
            try:
                while await self._read():
                    pass
            except (Unwritten, Parked) as error:
                log.warning("收件暂时无法处理，稍后再试：%s", error)
            self._reading = False
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SCAN):  # wait_for may swallow being cancelled (Python 3.11)
                    await self._wake.wait()

    async def _read(self) -> bool:
        letters = await self.writer.letters()
        for letter, state in zip(letters, await asyncio.gather(*map(self._one, letters)), strict=True):
            await self.writer.settle_letter(letter.id, state)
        return bool(letters)

    async def _one(self, letter: Letter) -> str:
        """Post what a letter means; what became of it: read, unclear (words) or unknown (number)."""
        if not letter.persons:
            return "unknown"
        answer = replies.read(letter.text)
        if answer == "unclear":
            return "unclear"
        at = self.writer.clock.now()
        facts = [
            fact
            for person in letter.persons
            for fact in replies.meaning(
                answer, person, self.writer.world, at=at, named=letter.named, channel=letter.channel
            )
        ]
        inputs = [Input(f"inbox/{letter.id}/{n}", fact) for n, fact in enumerate(facts)]
        try:
            answers = await asyncio.gather(*(self.writer.post(one) for one in inputs))
        except Parked:
            return "unclear"
        refused = [a for a in answers if not a.ok]
        if refused:
            log.info("收件 %s 的 %d 项未被接受：%s", letter.id, len(refused), refused[0].code)
        return "read" if facts else "unknown"
