"""收报 Reception: what comes from elsewhere is kept, then read, then registered — or put before a person with the reason.

Kept first: a crash at any moment loses nothing, and what comes again is known by its bytes. By itself it registers only what
is settled in every respect; the rest waits for somebody at the desk, and never disappears.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import TimeoutError as Late
from pathlib import Path

import msgspec

from fengsui.core import reception
from fengsui.core.clauses import Pack
from fengsui.core.facts import Arrival as Step
from fengsui.core.facts import Received
from fengsui.core.levels import LEVELS, Level
from fengsui.core.series import Series
from fengsui.core.state import DISTRICT
from fengsui.flow.clock import Alarm, Time
from fengsui.flow.inputs import Answer, Change, Input, Malformed, Parked, Unwritten
from fengsui.flow.record import Writer
from fengsui.flow.round import POISON
from fengsui.formats import arrivals as formats
from fengsui.formats.arrivals import Proposal, Threat
from fengsui.formats.cap import envelope, trust
from fengsui.formats.cap.incoming import Incoming
from fengsui.formats.cap.trust import Trust
from fengsui.store import archive, arrivals
from fengsui.store.arrivals import Arrival, State
from fengsui.store.sql import Errors, Session

log = logging.getLogger(__name__)

LOOK = 2.0
"""Seconds between looks, woken or not."""
WAIT = 30.0
"""Seconds the ledger may take."""
AGAIN = 3
"""Times that a message is tried whose stream moved meanwhile."""
BY_HAND = ("upload", "paste")
"""Sources of what a person brings: he also says what it is."""
PINNED = "trust"
"""Folder of the data directory with the certificates whose signatures count."""
SETTLED = {"Y00": "registered", "Y02": "refused", "Y04": "aside", "Y13": "aside", "Y15": "aside"}
"""What a refusal makes of an arrival; every other one makes it a person's."""


class Choice(msgspec.Struct, frozen=True):
    """What a person registers: what he read, and whether what the clauses attach to reception shall follow."""

    hazard: str
    zones: dict[str, Level]
    expires: int
    sender: str
    ending: bool = False
    binding: bool = True


class Reception:
    """The way in. Its methods may be called from any thread; one arrival is read at a time."""

    def __init__(self, writer: Writer, clock: Time, directory: Path) -> None:
        """directory: of the place, whose ``trust`` holds the pinned certificates."""
        self._writer, self._clock, self._directory = writer, clock, directory
        self._turn = threading.Lock()
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    # ── keeping ──────────────────────────────────────────────────────────────

    def keep(
        self, content: bytes, source: str, *, name: str = "", form: str = "cap", bound: bool = False
    ) -> list[str]:
        """Keep what came: each message of a file by itself. Gives their digests; reading is another step.

        bound: the channel is trusted, whoever signed. Raises what the database raises: then nothing may be acknowledged.
        """
        now = self._clock.now()
        bodies = [part.content for part in envelope.parts(content)] if form == "cap" else [content]
        digests = [hashlib.sha256(body).hexdigest() for body in bodies]
        rows = [Arrival(d, now, source, name, form, int(bound)) for d in digests]
        session = arrivals.desk()
        try:
            arrivals.keep(session, zip(rows, bodies, strict=True), now)
        finally:
            session.close()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake.set)
        return list(dict.fromkeys(digests))

    def count(self, source: str) -> int:
        """How many arrivals a source was the first to bring."""
        session = arrivals.desk()
        try:
            return arrivals.count(session, source)
        finally:
            session.close()

    # ── reading ──────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Until cancelled."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            try:
                await asyncio.to_thread(self.look)
            except (*Errors, OSError, Unwritten, Late) as error:
                log.warning("收到的报文暂时读不出，稍后再试：%s [R090]", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._wake.wait()

    def look(self) -> None:
        """Read everything that is new, and end what is over by its own word."""
        with self._turn:
            for state in reception.run_out(self._writer.world, self._clock.now()):
                fact = reception.expired(state, self._clock.now())
                id_ = f"received/{fact.stream}/{fact.version}/over"
                try:
                    self._writer.post(Input(id_, fact)).result(WAIT)
                except Parked as error:
                    log.warning("%s 到期未能登记：%s [R090]", fact.stream, error)
            session = arrivals.desk()
            try:
                found = arrivals.fresh(session)
                for one in found:
                    self._settle(session, self._read(one))
            finally:
                session.close()

    def proposal(self, one: Arrival) -> Proposal:
        """What an arrival would be, by today's certificates. Raises archive.Missing, archive.Erased."""
        return self.both(one, arrivals.content(one.digest))[1]

    def both(self, one: Arrival, content: bytes) -> tuple[Incoming | None, Proposal]:
        """Both answers to an arrival, where it is a message; and what it would be."""
        pack, now = self._writer.world.pack, self._clock.now()
        try:
            if one.form == "text":
                return None, formats.text(content, pack, one.at)[1]
            return formats.message(content, pack, now, self.pinned())
        except POISON as error:  # one message, whatever is in it, must never stop the others
            log.exception("来报 %s 读取时出错 [R106]", one.digest)
            return None, formats.unreadable(
                content, one.at, "R106", f"读取时程序出错（{type(error).__name__}），请看原文。"
            )

    def pinned(self) -> Trust:
        """The certificates whose signatures count; none where there is no folder. What is no certificate counts for nothing."""
        try:
            return trust.load(self._directory / PINNED)
        except (trust.TrustFault, OSError):
            return ()

    def _read(self, one: Arrival) -> Arrival:
        """An arrival with what became of it."""
        try:
            found = self.proposal(one)
        except (archive.Missing, archive.Erased) as error:
            return _said(one, "refused", "R091", f"原文读不出：{error}")
        one = described(one, found, self._writer.world.pack)
        if found.refused[0]:
            concerns = found.refused[0] in ("X525", "R106")
            return _said(one, "refused" if concerns else "aside", *found.refused)
        by_hand = one.source in BY_HAND
        if not by_hand and (ends := self._ends(found, one)):
            return self._registered(one, found, ends)
        if found.here == "elsewhere":
            return _said(one, "aside", "Y16", "不涉及本区。")
        if found.expires <= self._clock.now() and found.action != "cancel":
            return _said(one, "aside", "Y15", "到达时已过失效时间。")
        if found.action == "cancel" and not found.doubts and not by_hand:
            return _said(one, "aside", "Y13", "没有登记过它所解除的预警。")
        if found.doubts:
            return _said(one, "waiting", found.doubts[0].code, "".join(d.text for d in found.doubts)[:400])
        if by_hand:
            return _said(one, "waiting", "Y19", "由人收进，核对后登记。")
        if found.series != "actual":
            return _said(one, "waiting", "Y17", "演练或测试报文，由人决定是否登记。")
        return self._registered(one, found, _wanted(found, one, self._series(found.series)))

    def _ends(self, found: Proposal, one: Arrival) -> list[Received]:
        """The ends of warnings of ours to which a message refers: lifted, or moved away from the district."""
        away = found.here == "elsewhere" and found.action == "update"
        if not (found.action == "cancel" or away) or found.doubts:
            return []
        known = [
            s.foreign
            for s in self._writer.world.streams.values()
            if s.foreign.known.keys() & set(found.referred)
        ]
        over = msgspec.structs.replace(found, action="cancel")
        hazards = [Threat(f.part.hazard, "", {}) for f in known if f.part.holds]
        series = self._series(found.series)
        return [_fact(h, over, one.digest, series, binding=bool(found.signer or one.bound)) for h in hazards]

    def _series(self, series: Series) -> Series:
        """Nothing is in earnest in a district that is not."""
        own = self._writer.world.at(DISTRICT).series
        return own if series == "actual" else series

    def _settle(self, session: Session, one: Arrival) -> None:
        arrivals.settle(session, one)
        if one.state in arrivals.OPEN and not one.seen:
            text = f"收到的预警须人工处理：{one.sender}{one.title[:40]}。{one.why[:120]}[{one.code}]"
            for call in self._writer.alarm:
                call(Alarm("R092", text, self._clock.now()))
        for told in self._writer.wake:
            told(Change(self._writer.position[1], ("arrival",), deliveries=False))

    # ── registering ──────────────────────────────────────────────────────────

    def register(self, digest: str, choice: Choice, by: str, form: str) -> Answer:
        """A person registers what he has read; form: his form's own id, so that it counts once. by: his id."""
        with self._turn:
            session = arrivals.desk()
            try:
                one = arrivals.find(session, digest)
                if one is None:
                    return Answer(form, 0, "Y18", "没有这份来报，请刷新后重试")
                return self._by_hand(session, one, choice, by, form)
            finally:
                session.close()

    def _by_hand(self, session: Session, one: Arrival, choice: Choice, by: str, form: str) -> Answer:
        found = self.proposal(one)
        if found.refused[0]:
            return Answer(form, 0, *found.refused)
        action: Step = "cancel" if choice.ending else "update" if found.action == "update" else "issue"
        fact = Received(
            "", 0, 0, found.key, choice.sender, found.sent, choice.hazard, {} if choice.ending else choice.zones,
            choice.expires, one.digest, action, self._series(found.series), found.valid, choice.binding, by,
        )  # fmt: skip
        answer = self._post(fact, self._referred(found, fact), f"received/{one.digest}/{form}")
        if answer.ok:
            level = max(choice.zones.values(), key=LEVELS.index, default="")
            stream = " ".join(
                dict.fromkeys((*one.stream.split(), self._stream(fact, self._referred(found, fact))))
            )
            done = msgspec.structs.replace(
                one, stream=stream, hazard=choice.hazard, level=level, seen=by, sender=choice.sender
            )
            self._settle(session, _said(done, "registered", "", "由人核对后登记。"))
        return answer

    def seen(self, digest: str, by: str) -> None:
        """A person has looked at what cannot or need not be registered."""
        session = arrivals.desk()
        try:
            if one := arrivals.find(session, digest):
                self._settle(
                    session,
                    msgspec.structs.replace(
                        one, seen=by, state="aside" if one.state == "waiting" else one.state
                    ),
                )
        finally:
            session.close()

    def _registered(self, one: Arrival, found: Proposal, facts: Sequence[Received]) -> Arrival:
        """Post one fact for each hazard; what became of the arrival as a whole is the worst of their answers."""
        streams: list[str] = []
        for fact in facts:
            referred = self._referred(found, fact)
            try:
                answer = self._post(
                    fact, referred, f"received/{one.digest}{'/bound' if fact.binding else ''}"
                )
            except (Parked, Malformed) as error:
                return _said(one, "waiting", "R020", str(error))
            if not answer.ok:
                state: State = msgspec.convert(SETTLED.get(answer.code, "waiting"), State)
                return _said(one, state, answer.code, f"{answer.text}。")
            streams.append(self._stream(fact, referred))
        return msgspec.structs.replace(_said(one, "registered", "", ""), stream=" ".join(streams))

    def _post(self, fact: Received, referred: Sequence[str], id_: str) -> Answer:
        """Have a message considered as the next of its stream; again if the stream has moved meanwhile."""
        answer = Answer(id_)
        for _ in range(AGAIN):
            stream = self._stream(fact, referred)
            version = self._writer.world.at(stream).foreign.part.version + 1
            fact = msgspec.structs.replace(fact, stream=stream, version=version, at=self._clock.now())
            answer = self._writer.post(Input(f"{id_}/{fact.hazard}", fact)).result(WAIT)
            if answer.code != "Y03":
                break
        return answer

    def _stream(self, fact: Received, referred: Sequence[str]) -> str:
        return reception.stream(fact.key, referred, fact.hazard, self._writer.world)

    def _referred(self, found: Proposal, fact: Received) -> tuple[str, ...]:
        """What a message refers to; a text that renews, changes or ends means the one in force of its office and hazard."""
        if found.referred or found.action == "issue" or found.identifier:
            return found.referred
        for state in reception.in_force(self._writer.world, self._clock.now()):
            if state.foreign.sender == fact.sender and state.foreign.part.hazard == fact.hazard:
                return tuple(state.foreign.known)[:1]
        return ()


def _said(one: Arrival, state: State, code: str, why: str) -> Arrival:
    return msgspec.structs.replace(one, state=state, code=code, why=why)


def described(one: Arrival, found: Proposal, pack: Pack) -> Arrival:
    """An arrival with what its list shows of it."""
    levels = [d.level for d in found.dangers if d.level]
    names = "、".join(pack.hazards[d.hazard].name if d.hazard else d.name[:20] for d in found.dangers)
    return msgspec.structs.replace(
        one, series=found.series, sender=found.sender, identifier=found.identifier[:120], sent=found.sent,
        kind=found.kind[:20], hazard=names[:60], level=max(levels, key=LEVELS.index, default=""), title=found.title,
        expires=found.expires, valid=int(found.valid), signer=found.signer[:120],
    )  # fmt: skip


def _wanted(found: Proposal, one: Arrival, series: Series) -> list[Received]:
    """The facts of a message that is settled: one for each hazard that concerns the district."""
    binding = bool(found.signer or one.bound)
    return [
        _fact(threat, found, one.digest, series, binding=binding) for threat in found.dangers if threat.hazard
    ]


def _fact(threat: Threat, found: Proposal, digest: str, series: Series, *, binding: bool) -> Received:
    zones = {} if found.action == "cancel" else threat.zones
    return Received(
        "", 0, 0, found.key, found.sender, found.sent, threat.hazard, zones, found.expires, digest, found.action,
        series, found.valid, binding,
    )  # fmt: skip
