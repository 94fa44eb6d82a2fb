"""改道 Failover: what waits in a lane in trouble leaves by another gateway of its channel, if one works.

A person must be reached, whichever way. Only rows of which nothing is accepted and which nobody holds move, the most
urgent first; what may have gone out stays marked as possible duplicate. Nothing moves out of a held lane, nor into one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from fengsui.flow.inputs import Unwritten
from fengsui.flow.record import Writer
from fengsui.flow.send import Lane
from fengsui.store.lanes import SUBSCRIBED

log = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between looks."""


class Failover:
    """Looks again and again: warnings that are issued while a lane is in trouble are planned for it all the same."""

    def __init__(self, lanes: Sequence[Lane], writer: Writer) -> None:
        self._lanes, self._writer = tuple(lanes), writer

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            for lane in self._lanes:
                await self._relieve(lane)

    async def _relieve(self, lane: Lane) -> None:
        """Move what waits in a lane, if it is in trouble and another one is not."""
        others = [other for other in self._lanes if _may(lane, other)] if lane.dead and not lane.held else []
        if lane.relief and lane.relief not in {other.name for other in others}:
            lane.relief = ""
        for other in others:
            moved = 0
            try:
                while some := await self._writer.reroute(lane.name, other.known):
                    moved += some
            except Unwritten as error:
                log.warning("车道 %s 的待发暂时改不了道：%s", lane.name, error)
            if moved:
                lane.relief = other.name
                log.warning("车道 %s 的 %d 条待发已改由 %s 发出。[R035]", lane.name, moved, other.name)


def _may(lane: Lane, other: Lane) -> bool:
    """Whether another lane can take over."""
    return (
        other is not lane
        and lane.gateway.channel != SUBSCRIBED  # a subscriber is no way to another
        and other.gateway.channel == lane.gateway.channel
        and not other.held
        and not other.pulse.ill
    )
