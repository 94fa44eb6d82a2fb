"""对外发布 Publish: every version that was registered becomes a signed message — archived, then given to feed and subscribers.

After the commit, beside the writer: no warning waits for it. What the gate refuses, or what cannot be signed, does not
leave: it is told as an alarm and stands at the desk until it is over. Tried again when there is a key, and at every
start, unless something newer of the same warning has left. Nothing that goes wrong here ever ends the house.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from fengsui.core import alerts, cap_out, wording
from fengsui.core.calendar import DAY, SECOND
from fengsui.core.cap_out import Issued
from fengsui.core.clauses import Pack
from fengsui.core.facts import Alerted
from fengsui.core.levels import Action
from fengsui.core.series import Series
from fengsui.core.state import AlertPart
from fengsui.flow.clock import Alarm
from fengsui.flow.inputs import Change, Parked, Unwritten
from fengsui.flow.round import POISON
from fengsui.formats import geo, packs
from fengsui.formats.cap import write
from fengsui.store import archive, caps, history, signals, signet
from fengsui.store.archive import Paper
from fengsui.store.caps import Cap
from fengsui.store.signals import Signal
from fengsui.store.sql import Errors, Session
from fengsui.store.sql import archive as open_archive

if TYPE_CHECKING:
    from fengsui.flow.record import Writer

log = logging.getLogger(__name__)

KIND = "cap"
"""Of messages in the archive."""
LOOK = 5.0
"""Seconds after which it looks again, woken or not."""
PATIENCE = 30.0
"""Seconds that the writer gets to keep a message; for which nobody need know that it is tried again and again."""
LATEST = DAY
"""µs after which a version is not published any more: whoever starts a new release does not send last year's warnings."""
OWN = "districts.geojson"
"""Outlines that a site brings itself, in its data directory."""
FAULTS = (*POISON, signet.NoSignet)
"""What may be wrong with one version and must not stop the next."""
PASSING = (*Errors, OSError, Unwritten, Parked)
"""What may be over the next time."""
BARE = "对外报文不带边界发出，请尽快处理：{} [R062]"


class Publisher:
    """Makes messages of what the writer registers. directory: of the place, for its signets and outlines.

    troubles: what a person at the desk must see to at present, besides the versions that did not leave.
    """

    def __init__(self, writer: Writer, directory: Path, now: Callable[[], int]) -> None:
        self._writer, self._directory, self._now = writer, directory, now
        self._wake = asyncio.Event()
        self._versions: dict[str, int] = {}
        self._again = True
        self._turn = threading.Lock()
        self._told: set[tuple[str, str]] = set()
        self._hand: Signal | None = None
        self._poison: dict[tuple[str, int], str] = {}
        self._failing: float | None = None
        self._troubles: dict[str, str] = {}

    @property
    def troubles(self) -> tuple[str, ...]:
        """In sentences."""
        return tuple(self._troubles.values())

    def woken(self, change: Change, loop: asyncio.AbstractEventLoop) -> None:
        """After a commit, in the writer's thread: look if a warning has a new version."""
        world = self._writer.world
        new = {name: world.at(name).alert.version for name in change.streams}
        if any(version > self._versions.get(name, 0) for name, version in new.items()):
            self._versions |= new
            loop.call_soon_threadsafe(self._wake.set)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._wake.clear()
            await self.look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._wake.wait()

    async def look(self) -> None:
        """Make and hand on what waits. What fails in passing is tried again the next time, a person is told if it goes on;
        a version that ends this in any other way is put aside as the writer parks an input.
        """
        work = asyncio.ensure_future(asyncio.to_thread(self._publish))
        try:
            await asyncio.wait([work])
        finally:
            work.cancel()
        error = work.exception()
        if error is None:
            self._failing = None
            self._troubles.pop("late", None)
            return
        self._again = True
        if isinstance(error, PASSING) or self._hand is None:
            self._late(error)
        else:
            self._poison[self._hand.stream, self._hand.version] = _said(error)
            self._wake.set()

    def _late(self, error: BaseException) -> None:
        log.warning("对外报文暂时发不出，稍后再试：%s [R060]", error)
        now = time.monotonic()
        self._failing = self._failing or now
        if now - self._failing >= PATIENCE and "late" not in self._troubles:
            self._trouble("late", "R061", f"对外报文一直发不出，仍在重试：{_said(error)} [R061]")

    def _trouble(self, key: str, code: str, text: str) -> None:
        """Tell what a person must see to, once; it stands at the desk until it is taken from there."""
        if self._troubles.get(key) != text:
            self._troubles[key] = text
            self._tell(code, text)

    def _tell(self, code: str, text: str) -> None:
        for call in self._writer.alarm:
            call(Alarm(code, text, self._now()))

    def _publish(self) -> None:
        """In a thread: one at a time, also while the house is stopping."""
        with self._turn:
            self._all()

    def _all(self) -> None:
        self._hand = None
        session, again = Session(), self._again
        self._again = False
        try:
            since = max(0, self._now() - LATEST) // SECOND
            found = caps.waiting(session, since, again=again)
            for signal in found:
                self._hand = signal
                self._one(session, signal)
        finally:
            session.close()

    def _one(self, session: Session, signal: Signal) -> None:
        """Make the message of a version, or keep why there is none."""
        pack = self._writer.world.pack
        cap = Cap(
            cap_out.identifier(signal.second, pack), signal.stream, signal.version, _series(signal), signal.second,
            max(signal.expires, signal.second * SECOND + cap_out.AFTERWARDS),
        )  # fmt: skip
        if poison := self._poison.get((signal.stream, signal.version)):
            self._failed(msgspec.structs.replace(cap, fault=poison), signal.level)
            return
        try:
            content = self._made(session, signal, pack)
        except FAULTS as error:
            self._again = self._again or isinstance(error, signet.NoSignet)
            self._failed(msgspec.structs.replace(cap, fault=_said(error)), signal.level)
            return
        paper = Paper(KIND, content)
        _keep(paper, self._now())
        told = msgspec.structs.replace(cap, digest=paper.digest)
        self._writer.publish(told, content.decode(), signal.level).result(PATIENCE)

    def _made(self, session: Session, signal: Signal, pack: Pack) -> bytes:
        """The signed bytes of a version. Raises what keeps it from leaving."""
        seal = signet.signing(signet.load(self._directory), self._now())
        rings, fault = outlines(pack.id, self._directory)
        if fault:
            self._trouble("bare", "R062", BARE.format(fault))
        else:
            self._troubles.pop("bare", None)
        message = cap_out.message(issued(session, signal), pack, rings)
        return write.leaving(message, seal.key, seal.certificate)

    def _failed(self, cap: Cap, level: str) -> None:
        """Keep why a version did not leave, and raise an alarm, once for each reason."""
        if (cap.identifier, cap.fault) in self._told:
            return
        self._writer.publish(cap, "", level).result(PATIENCE)
        self._told.add((cap.identifier, cap.fault))
        self._tell("R061", f"对外报文 {cap.identifier} 没有发出：{cap.fault} [R061]")


def issued(session: Session, signal: Signal) -> Issued:
    """A registered version with the warning as it was after it, its words, and the seconds of those it refers to."""
    part = AlertPart()
    for line in history.stream(session, signal.stream):
        if isinstance(line.fact, Alerted) and line.fact.version <= signal.version:
            part = alerts.fold(part, line.fact)
    before = [s for s in signals.thread(session, signal.stream) if s.version < signal.version]
    action: Action = msgspec.convert(signal.action, Action)
    draft = _draft(signal.paper)
    return Issued(
        signal.stream, _series(signal), part, action, signal.second, draft, referred(before, action)
    )


def referred(before: Sequence[Signal], action: Action) -> tuple[int, ...]:
    """The seconds of the versions that a new one refers to: those since the last issue. before: in their order."""
    first = max((i for i, s in enumerate(before) if s.action == "issue"), default=0)
    return () if action == "issue" else tuple(s.second for s in before[first:])


def _series(signal: Signal) -> Series:
    series: Series = msgspec.convert(signal.series, Series)
    return series


def _draft(digest: str) -> wording.Draft:
    """What the forecaster wrote; nothing where the archive has it no more."""
    papers = open_archive()
    try:
        return wording.draft(archive.get(papers, digest))
    except (archive.Missing, archive.Erased):
        return wording.Draft()
    finally:
        papers.close()


def _keep(paper: Paper, now: int) -> None:
    papers = open_archive()
    try:
        archive.put(papers, [paper], now)
    finally:
        papers.close()


def _said(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return f"缺少 {error}。"
    known = isinstance(error, (ValueError, signet.NoSignet, *PASSING))
    return str(error) if known and str(error) else f"程序出错：{type(error).__name__}: {error}"


def outlines(pack: str, directory: Path) -> tuple[cap_out.Rings, str]:
    """The outlines that a pack we ship and the site itself bring, by area, as CAP writes them; none, and why, where a file
    is of no use: a warning leaves without them.
    """
    try:
        return _outlines(pack, directory), ""
    except (geo.GeoFault, OSError) as error:
        return {}, f"{OWN}：{error}"


@lru_cache(maxsize=4)
def _outlines(pack: str, directory: Path) -> cap_out.Rings:
    files = (packs.SHIPPED / pack / "boundary.geojson", directory / OWN)
    shapes = [shape for file in files if file.is_file() for shape in geo.read(file)]
    return {shape.code: cap_out.outlines(iter(shape.rings)) for shape in shapes}
