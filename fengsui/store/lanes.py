"""车道 Lanes: the ways out as the store knows them — which channel, and what may leave there: in earnest, drill, simulation.

A row waits in a lane by its name; only ``leases.lease`` lets rows out of one, and only those that the lane's gateway takes.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fengsui.core.series import Series

SUBSCRIBED = "cap"
"""The channel whose lanes are themselves addresses: a subscriber is no way to another."""


class Lane(msgspec.Struct, frozen=True):
    """A configured gateway: where rows may wait, and which series may leave there."""

    name: str
    channel: str
    accepts: frozenset[Series]


class Step(msgspec.Struct, frozen=True, array_like=True):
    """A list to fan out on a channel in a lane. zones: where its members are told, () = in the notice's zones; but: not
    who is wholly within those.
    """

    list: str
    channel: str
    lane: str
    zones: tuple[str, ...] = ()
    but: tuple[str, ...] = ()


def route(lanes: Iterable[Lane], channel: str, series: str) -> str:
    """The first lane of a channel that takes a series; "" = none, and a row for it is refused at once."""
    return next((lane.name for lane in lanes if lane.channel == channel and series in lane.accepts), "")
