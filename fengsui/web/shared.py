"""同看 Shared: what many desks ask for at one moment is made once, by whoever asks first; the others wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from fengsui.core.state import World
from fengsui.web import here

T = TypeVar("T")
KEPT = 1.0
"""Seconds for which a moment lasts while nothing is committed: the times on a page run on in the browser."""


class Moment:
    """The newest world and the house's time (UTC µs), and what has been made of them. Any thread may ask."""

    def __init__(self) -> None:
        self.world: World = here.world()
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
        """Whether it is still this moment: nothing has been committed, no second has passed."""
        young = 0 <= here.now() - self.now < KEPT * 1_000_000
        return young and self.world is here.world() and time.monotonic() - self._began < KEPT


class _Kept:
    """The moment that desks share."""

    moment: Moment | None = None


_lock = threading.Lock()


def moment() -> Moment:
    """This moment, the same for all who ask."""
    with _lock:
        if _Kept.moment is None or not _Kept.moment.lasts():
            _Kept.moment = Moment()
        return _Kept.moment
