"""收进 Inward: what every way back has in common — a gathering is handed over whole; after a failure less is gathered, so that
one item that cannot be stored does not hold back the others, and a pause is made, so that nobody spins.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from fengsui.gateways.contract import Deliver, Inward

log = logging.getLogger(__name__)


class Gathering:
    """size: how much to gather now."""

    def __init__(self, most: int, *, short: float, long: float, failed: str) -> None:
        """short, long: seconds between failures, first and longest. failed: what the log says, of %d items and an error
        %r.
        """
        self.size = most
        self._most, self._short, self._long, self._failed = most, short, long, failed
        self._pause = short

    async def store(self, deliver: Deliver, items: Sequence[Inward], gathered: int) -> bool:
        """Hand items over, made from so many gathered; whether they are stored. Returns after the pause if not.

        Whatever ``deliver`` raises means "not stored": it runs as a task so that its error is looked at, not thrown.
        """
        if not items:
            return True
        task = asyncio.ensure_future(deliver(items))
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            raise
        error = None if task.cancelled() else task.exception()
        if not task.cancelled() and error is None:
            self.size, self._pause = min(self._most, self.size * 2), self._short
            return True
        log.error(self._failed, len(items), error)
        self.size = max(1, gathered // 2)
        await asyncio.sleep(self._pause)
        self._pause = min(self._pause * 2, self._long)
        return False
