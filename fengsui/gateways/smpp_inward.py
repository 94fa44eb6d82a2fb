"""短信上行 What a short message centre tells us: receipts and replies, gathered, stored, and only then answered.

Many messages make one ``deliver``: while one call stores, the next ones gather. The centre is answered OK after the
call returned, and 0x64 (temporary error, it sends again) if it raised or if too much is waiting. What cannot be a
receipt or reply at all is answered OK with one line in the log, else the centre would send it for ever.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from typing import Literal

from fengsui.formats import smpp, smpp_content, smpp_quick, sms
from fengsui.gateways.contract import Deliver, Inward, Receipt, Reply
from fengsui.gateways.inward import Gathering
from fengsui.gateways.smpp_link import Link

log = logging.getLogger(__name__)

AGAIN = 0x64
"""ESME_RX_T_APPN: not now, send it again."""
MOST = 5_000
"""Messages that may wait for storing; the centre keeps what is beyond."""
SHORT, LONG = 0.1, 5.0
"""Seconds between a failure to store and the answer "send again": first and longest."""
TOGETHER = 1_000
"""Messages stored by one call."""

State = Literal["delivered", "failed", "expired", "pending"]
STATES: dict[str, State] = {
    "DELIVRD": "delivered",
    "EXPIRED": "expired",
    "ACCEPTD": "pending",
    "ENROUTE": "pending",
    "SCHEDULED": "pending",
}
"""A receipt's word → ours. Every other final word (UNDELIV, REJECTD, DELETED, UNKNOWN …) is failed: the centre will
not try again, and the safe side is another way to the same person."""

Waiting = tuple[Link, int, Receipt | smpp.Message]
"""Where it came from, its sequence number there, and what it is as far as one look told."""


class Inbox:
    """Gathers what centres send until someone stores it."""

    def __init__(self, *, dead_codes: frozenset[str], zone_hours: float) -> None:
        """dead_codes: receipt errors, without leading zeros, that say the number is out of service."""
        self._dead_codes = dead_codes
        self._zone = zone_hours
        self._waiting: deque[Waiting] = deque()
        self._storing: list[Waiting] = []
        self._news = asyncio.Event()

    def add(self, link: Link, sequence: int, frame: bytes) -> None:
        """Take a deliver_sm in, or send it back if too many wait. Raises PduError if it is malformed."""
        report = smpp_quick.receipt(frame, zone_hours=self._zone)
        if report is not None:
            one: Receipt | smpp.Message = self._receipt(report)
        else:
            message = smpp.decode(frame)
            assert isinstance(message, smpp.Message)
            one = message
        if len(self._waiting) + len(self._storing) >= MOST:
            link.reply((sequence,), AGAIN)
            return
        self._waiting.append((link, sequence, one))
        self._news.set()

    def forget(self, link: Link) -> None:
        """The connection is gone, the centre will send again what it was not answered for."""
        self._waiting = deque(entry for entry in self._waiting if entry[0] is not link)

    async def run(self, deliver: Deliver) -> None:
        """Store what comes in until cancelled; answers wait as long as a failure makes it pause."""
        gathering = Gathering(
            TOGETHER,
            short=SHORT,
            long=LONG,
            failed="%d 条回执或上行未能存下，已请短信中心重发：%r [G037]",
        )
        while True:
            await self._news.wait()
            self._storing = [self._waiting.popleft() for _ in range(min(gathering.size, len(self._waiting)))]
            try:
                stored = await gathering.store(deliver, list(self._items()), len(self._storing))
            except asyncio.CancelledError:
                self._waiting.extendleft(reversed(self._storing))
                self._storing = []
                raise
            self._reply(smpp.OK if stored else AGAIN)
            self._storing = []
            if not self._waiting:
                self._news.clear()

    def _reply(self, status: int) -> None:
        """Answer the gathering, each message where it came from."""
        answers: dict[Link, list[int]] = {}
        for link, sequence, _ in self._storing:
            answers.setdefault(link, []).append(sequence)
        for link, sequences in answers.items():
            link.reply(sequences, status)

    def _items(self) -> Iterable[Inward]:
        """The gathering in our words."""
        texts: list[tuple[smpp.Message, smpp_content.Segment | None, str]] = []
        for _, _, message in self._storing:
            if isinstance(message, Receipt):
                yield message
                continue
            try:
                report = smpp_content.report(message, zone_hours=self._zone)
                if report is not None:
                    yield self._receipt(report)
                    continue
                part, data = smpp_content.segment(message)
            except smpp.PduError as error:
                log.warning(
                    "短信中心发来一条无法识别的回执或上行（%s），已略过：%s [G038]",
                    sms.mask(message.source),
                    error,
                )
                continue
            texts.append((message, part, smpp_content.words(data, message.data_coding)))
        yield from _replies(texts)

    def _receipt(self, report: smpp_content.Report) -> Receipt:
        state: State = STATES.get(report.stat, "failed") if report.final else "pending"
        dead = state == "failed" and smpp_content.normal(report.err) in self._dead_codes
        return Receipt(smpp_content.normal(report.id), state, _code(report), report.done, dead)


def _code(report: smpp_content.Report) -> str:
    """The peer's raw word and error, "" when delivered."""
    return "" if report.stat == "DELIVRD" else f"{report.stat} {report.err}".strip()


def _replies(texts: list[tuple[smpp.Message, smpp_content.Segment | None, str]]) -> Iterable[Reply]:
    """Replies in order; the parts of a long one are joined if they came together, else each stands alone.

    Waiting for a missing part would hold the centre's window with an answer we owe; the words that count are short.
    """
    joined: dict[tuple[str, str, int, int], dict[int, str]] = {}
    for message, part, text in texts:
        if part is not None:
            key = (message.source, message.destination, part.reference, part.total)
            joined.setdefault(key, {}).setdefault(part.number, text)
    for message, part, text in texts:
        sender, recipient = sms.national(message.source), message.destination
        parts = joined.get((message.source, recipient, part.reference, part.total), {}) if part else {}
        if part is None or len(parts) < part.total:
            yield Reply(sender, recipient, text)
        elif part.number == 1:
            yield Reply(sender, recipient, "".join(parts[number] for number in sorted(parts)))
