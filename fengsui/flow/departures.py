"""待发 Departures: posts signed drafts at their moment, also those of before a crash; nothing goes twice, nothing is lost."""

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
from fengsui.store import departures
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


class Departing(msgspec.Struct, frozen=True):
    """What is posted at its moment: the input's id, the fact (its moment is set then), its papers and signatures."""

    id: str
    fact: Alerted
    papers: tuple[Paper, ...]
    signatures: tuple[Signature, ...]


class Departures:
    """Looks now and then, on a thread of its own. Several processes may look: an input's id counts once."""

    def __init__(self, writer: Writer, clock: Time) -> None:
        self._writer, self._clock = writer, clock
        self._thread = ThreadPoolExecutor(1, "departures")
        self._session: Session | None = None

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
        if self._session is not None:
            self._session.close()
            self._session = None

    def _look(self) -> None:
        session = self._session = self._session or departures.desk()
        for one in departures.due(session, self._clock.now()):
            if departures.claim(session, one):
                self._go(session, one)
            for told in self._writer.wake:
                told(Change(self._writer.position[1], ("draft",), deliveries=False))

    def _go(self, session: Session, one: Departure) -> None:
        """Post one; whether it went is known from the ledger alone, so that it is asked again where nobody can say."""
        now = self._clock.now()
        if now - one.at > OLD:
            self._back(session, one, "系统停机期间未能及时发出，请核对后重新签发。[R081]")
            return
        try:
            answer = self._posted(one, now)
        except (Unwritten, Late):
            return
        except (Parked, Malformed, msgspec.MsgspecError) as error:
            self._back(session, one, str(error))
            return
        if answer.ok:
            departures.gone(session, one)
        else:
            self._back(session, one, f"{answer.text.rstrip('。')}。[{answer.code}]")

    def _posted(self, one: Departure, now: int) -> Answer:
        draft = msgspec.json.decode(one.body, type=Departing)
        fact = msgspec.structs.replace(draft.fact, at=now)
        return self._writer.post(Input(draft.id, fact, draft.papers, draft.signatures)).result(WAIT)

    def _back(self, session: Session, one: Departure, why: str) -> None:
        departures.back(session, one, why, self._clock.now())
        for call in self._writer.alarm:
            call(Alarm("R082", f"已签发的稿件没有发出，已退回待签：{why} [R082]", self._clock.now()))
