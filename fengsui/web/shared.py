"""同看 Shared: what many desks ask for at one moment is made once, by whoever asks first; the others wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from fengsui.core import drill
from fengsui.core.state import World
from fengsui.web import here

T = TypeVar("T")
KEPT = 1.0
"""Seconds for which a moment lasts at most: the times on a page run on in the browser."""


class Moment:
    """The world in earnest and the house's time (UTC µs), and what has been made of them. Any thread may ask."""

    def __init__(self) -> None:
        self.world: World
        world, self._seq = here.house().writer.position
        self.world = drill.live(world)
        self.now, self._began = here.now(), time.monotonic()
        self._lock = threading.RLock()
        self._made: dict[Hashable, Any] = {}

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is made of this moment under a key, which names all else it is made of.

        One thing is made at a time: threads of one process take turns anyway.
        """
        with self._lock:
            if key not in self._made:
                self._made[key] = make()
            found: T = self._made[key]
            return found

    def lasts(self) -> bool:
        """Whether it is still this moment: no second has passed, nothing newer has been told."""
        world, seq = here.house().writer.position  # rounds without a fact make another world of the same
        young = 0 <= here.now() - self.now < KEPT * 1_000_000 and time.monotonic() - self._began < KEPT
        newest = seq if _Kept.told is None else _Kept.told
        return young and self._seq >= newest and world.directory is self.world.directory


class _Kept:
    """The moment that desks share; and the newest seq that they have been told of, None where nobody tells."""

    moment: Moment | None = None
    told: int | None = None


_lock = threading.Lock()


def moment() -> Moment:
    """This moment, the same for all who ask."""
    with _lock:
        if _Kept.moment is None or not _Kept.moment.lasts():
            _Kept.moment = Moment()
        return _Kept.moment


def over() -> None:
    """Something changed that is no fact, a draft for example: whoever asks from now on sees it."""
    with _lock:
        _Kept.moment = None


def told(seq: int | None) -> None:
    """Desks have been told that something was committed, as of a seq: what they fetch now must hold it. In a storm of
    commits all of them thus fetch the same. None: nobody tells any more, every commit ends a moment.
    """
    _Kept.told = seq
