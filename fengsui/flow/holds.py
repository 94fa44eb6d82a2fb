"""停发 Holds at run time: lanes follow the table of holds, whoever changes it — a page, a command, a restore."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from fengsui.flow.send import Lane
from fengsui.store import holds
from fengsui.store.sql import Errors, Session

log = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between looks."""


class Holds:
    """Compares now and then; acts only on what has changed, so that a lane held for another reason stays so."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._lanes = tuple(lanes)
        self._held: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            await self.look()

    async def look(self) -> None:
        """Hold and release lanes as the table says; when it cannot be read, they stay as they are."""
        try:
            named = await asyncio.to_thread(_read)
        except Errors as error:
            log.warning("停发表读不出，车道保持原状：%s [R064]", type(error).__name__)
            return
        held = frozenset(x.name for x in self._lanes if x.name in named or holds.EVERY in named)
        for lane in self._lanes:
            if (lane.name in held) != (lane.name in self._held):
                lane.held = lane.name in held
                lane.wake()
        self._held = held


def _read() -> frozenset[str]:
    session = Session()
    try:
        return frozenset(hold.lane for hold in holds.read(session))
    finally:
        session.close()
