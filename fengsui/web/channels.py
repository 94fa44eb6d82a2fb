"""通道 Channels: whether every way out is open, as the gateways say themselves; asked at most once in a few seconds."""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

from fengsui.flow.feeds import Standing
from fengsui.flow.serve import House
from fengsui.gateways.contract import Health
from fengsui.store import caps
from fengsui.web import here, sentences

KEPT = 4.0
"""Seconds for which an answer stands: many desks ask, gateways are asked once."""


class Way(NamedTuple):
    """A gateway: its name, its channel in Chinese, whether it is up, and what it says of itself."""

    name: str
    channel: str
    up: bool
    text: str


class _Kept:
    """The last answers, and for which house and until when (monotonic seconds) they stand."""

    house: House | None = None
    until = 0.0
    ways: tuple[Way, ...] = ()


_lock = threading.Lock()


def ways() -> tuple[Way, ...]:
    """Every gateway's health, those that are down first."""
    with _lock:
        house, now = here.house(), time.monotonic()
        if _Kept.house is not house or now >= _Kept.until:
            _Kept.ways = _ask(house)
            _Kept.house, _Kept.until = house, time.monotonic() + KEPT
        return _Kept.ways


def _ask(house: House) -> tuple[Way, ...]:
    said = house.health()
    found = [_way(g.name, g.channel, said[g.name]) for g in house.gateways]
    return tuple(sorted(found, key=lambda w: (w.up, w.name)))


def _way(name: str, channel: str, health: Health) -> Way:
    return Way(name, sentences.CHANNELS.get(channel, channel), health.up, health.text)


def warnings() -> list[str]:
    """What else must be said loudly: what the clock has to say, and messages for other systems that did not leave
    or not whole.
    """
    alarm = here.house().clock.alarm
    said = [alarm.text] if alarm is not None else []
    stuck = caps.faults(here.session(), here.now())
    said += here.house().publisher.troubles
    return said + [f"对外报文 {cap.identifier} 没有发出：{cap.fault} [R061]" for cap in stuck]


def deaf() -> list[Standing]:
    """Feeds by which nothing comes, or nothing new for too long."""
    return [told for told in here.house().told() if not told.health.up]
