"""时钟 Clock: the only ``now()``. Anchored to the wall clock, running on the monotonic one, never going back by itself.

It follows small corrections of the wall clock. A step of more than 60 s, or a start earlier than the last fact, is
an alarm and is not followed until a person confirms it. ``Jumping`` is the rehearsals' clock: it moves when asked.
"""

from __future__ import annotations

import asyncio
import heapq
import threading
import time
from collections.abc import Callable
from itertools import count

import msgspec

from fengsui.store.sql import Session

SECOND = 1_000_000
STEP = 60 * SECOND
"""µs by which the wall clock may be corrected without asking anybody."""


class Alarm(msgspec.Struct, frozen=True):
    """Something a person must see to: a stable code and what to do, in Chinese; when it was raised (UTC µs)."""

    code: str
    text: str
    at: int


def _wall() -> int:
    return time.time_ns() // 1000


def _steady() -> int:
    return time.monotonic_ns() // 1000


class Clock:
    """The clock of a running system; may be asked from any thread.

    last: moment of the last fact, before which it never starts. wall, steady: µs, replaced in tests and by
    ``database_wall``.
    """

    def __init__(
        self, last: int = 0, *, wall: Callable[[], int] = _wall, steady: Callable[[], int] = _steady
    ) -> None:
        self._wall, self._steady = wall, steady
        self._lock = threading.Lock()
        self.alarm: Alarm | None = None
        now = wall()
        if now < last:
            self._raise(now - last, last)
        self._anchor(max(now, last))

    def _anchor(self, at: int) -> None:
        self._base, self._from, self._latest = at, self._steady(), at

    def _raise(self, off: int, at: int) -> None:
        if self.alarm is None:
            side = "早" if off < 0 else "晚"
            text = f"系统时间与台账相差 {abs(off) // SECOND} 秒（偏{side}），未跟随。请核对校时后确认。[R001]"
            self.alarm = Alarm("R001", text, at)

    def now(self) -> int:
        """UTC in µs; never less than it said before."""
        with self._lock:
            running = self._base + self._steady() - self._from
            off = self._wall() - running
            if abs(off) > STEP:
                self._raise(off, running)
            elif self.alarm is None or running + off >= self._latest:
                self.alarm = None  # or the wall clock has come back to us
                running += off
                self._base, self._from = running, self._steady()
            self._latest = max(self._latest, running)
            return self._latest

    def confirm(self) -> None:
        """A person has checked the wall clock: follow it from now on, even back."""
        with self._lock:
            self.alarm = None
            self._anchor(self._wall())

    async def sleep_until(self, at: int) -> None:
        """Sleep until a moment, however the wall clock is corrected meanwhile."""
        while (left := at - self.now()) > 0:  # noqa: ASYNC110 - nobody can signal that time has passed
            await asyncio.sleep(min(left / SECOND, 0.5))


class Jumping:
    """A clock that stands still until ``jump``; whoever sleeps wakes when his moment is passed."""

    alarm: Alarm | None = None

    def __init__(self, at: int) -> None:
        self._now = at
        self._order = count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def now(self) -> int:
        """UTC in µs."""
        return self._now

    def confirm(self) -> None:
        """Nothing to confirm."""

    def jump(self, to: int) -> None:
        """Go on to a moment and wake whoever waited for it, in order. Raises ValueError for a moment that is past."""
        if to < self._now:
            raise ValueError(f"时钟不能倒拨：现在 {self._now}，要求 {to} [R002]")
        self._now = to
        while self._sleepers and self._sleepers[0][0] <= to:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.get_loop().call_soon_threadsafe(_wake, future)

    @property
    def next(self) -> int | None:
        """The earliest moment that somebody sleeps until, or None."""
        return self._sleepers[0][0] if self._sleepers else None

    async def sleep_until(self, at: int) -> None:
        """Return once the clock has been moved to this moment."""
        if at <= self._now:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (at, next(self._order), future))
        await future


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


Time = Clock | Jumping
"""Either clock."""


def database_wall(session: Session) -> Callable[[], int]:
    """A wall clock that is the database's on PostgreSQL (several hosts, one time), the host's on SQLite."""
    if session.vendor == "sqlite":
        return _wall
    before = _wall()
    there = int(session.run("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)")[0][0])
    offset = there - (before + _wall()) // 2
    return lambda: _wall() + offset
