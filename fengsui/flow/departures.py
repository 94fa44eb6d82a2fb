"""待发 Departures: posts signed drafts at their moment, also those of before a crash; nothing goes twice, nothing is lost.

What was posted at once, and of which a page does not know what became of it, is settled here, too.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late

import msgspec

from fengsui.core import calendar
from fengsui.core.facts import Alerted
from fengsui.flow.clock import Alarm, Time
from fengsui.flow.inputs import Answer, Change, Input, Malformed, Parked, Signature, Unwritten
from fengsui.flow.record import Writer
from fengsui.store import departures, ledger
from fengsui.store.archive import Paper
from fengsui.store.departures import Departure
from fengsui.store.sql import Errors, Session

log = logging.getLogger(__name__)

PAUSE = 0.25
"""Seconds between looks."""
WAIT = 30.0
"""Seconds the ledger may take."""
OLD = 10 * calendar.MINUTE
"""µs after its moment when a draft no longer goes by itself: the house was down, or a backup was restored."""

STRAY = "待发的内容不在了（数据库恢复或改动过），已退回待签。请先看台账里有没有，没有再签。[R083]"
"""What is said of a draft that would wait for ever."""


class Departing(msgspec.Struct, frozen=True):
    """What is posted at its moment: the input's id, the fact (its moment is set then), its papers and signatures."""

    id: str
    fact: Alerted
    papers: tuple[Paper, ...]
    signatures: tuple[Signature, ...]


class Departures:
    """Looks now and then, on a thread of its own. Several processes may look: an input's id counts once.

    The desk's connection and one that asks the ledger are opened when they are needed.
    """

    def __init__(self, writer: Writer, clock: Time) -> None:
        self._writer, self._clock = writer, clock
        self._thread = ThreadPoolExecutor(1, "departures")
        self._desk: Session | None = None
        self._ledger: Session | None = None

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                await loop.run_in_executor(self._thread, self._look)
            except Errors as error:
                log.warning("待发稿件读不出，稍后再试：%s [R080]", type(error).__name__)
                await loop.run_in_executor(self._thread, self._close)
            await asyncio.sleep(PAUSE)

    def stop(self) -> None:
        """Let what is under way be finished; what waits is there at the next start."""
        self._thread.submit(self._close).result()
        self._thread.shutdown()

    def _close(self) -> None:
        for session in filter(None, (self._desk, self._ledger)):
            session.close()
        self._desk = self._ledger = None

    def _look(self) -> None:
        session = self._desk = self._desk or departures.desk()
        for one in departures.due(session, self._clock.now()):
            if departures.claim(session, one):
                self._go(session, one)
            self._stir()
        for draft in departures.strays(session):
            if departures.stray(session, draft, STRAY, self._clock.now()):
                self._warn(Alarm("R083", f"第 {draft} 号稿件已签发，{STRAY}", self._clock.now()))
                self._stir()

    def _stir(self) -> None:
        for told in self._writer.wake:
            told(Change(self._writer.position[1], ("draft",), deliveries=False))

    def _warn(self, alarm: Alarm) -> None:
        for call in self._writer.alarm:
            call(alarm)

    def _go(self, session: Session, one: Departure) -> None:
        """Post one; whether it went is known from the ledger alone, so that it is asked again where nobody can say."""
        now = self._clock.now()
        try:
            departing = msgspec.json.decode(one.body, type=Departing)
            if self._recorded(departing.id):
                departures.gone(session, one)
                return
            if now - one.at > OLD:
                self._back(session, one, "系统停机期间未能及时发出，请核对后重新签发。[R081]")
                return
            answer = self._posted(departing, now)
        except (Unwritten, Late):
            return
        except (Parked, Malformed, msgspec.MsgspecError) as error:
            self._back(session, one, str(error))
            return
        if answer.ok:
            departures.gone(session, one)
        else:
            self._back(session, one, f"{answer.text.rstrip('。')}。[{answer.code}]")

    def _recorded(self, id: str) -> bool:  # noqa: A002 - the ledger's own word
        """Whether it is in the ledger, whoever posted it."""
        session = self._ledger = self._ledger or Session()
        return bool(ledger.known(session, [id]))

    def _posted(self, one: Departing, now: int) -> Answer:
        fact = msgspec.structs.replace(one.fact, at=now)
        return self._writer.post(Input(one.id, fact, one.papers, one.signatures)).result(WAIT)

    def _back(self, session: Session, one: Departure, why: str) -> None:
        if not departures.back(session, one, why, self._clock.now()):
            return
        self._warn(Alarm("R082", f"已签发的稿件没有发出，已退回待签：{why} [R082]", self._clock.now()))
