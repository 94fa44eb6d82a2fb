"""上屏 Airing: what stands on the air, by the state alone — the words of an insertion, and the whole state of the overlay."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from fengsui.core import insertion
from fengsui.core.levels import LEVELS, Level
from fengsui.core.series import Series, word
from fengsui.core.state import State, World
from fengsui.formats import badges
from fengsui.web import written

SHOWN = ("crawl", "badge")
"""Forms that the overlay puts on the air; the anchor is a person."""


class Shown(msgspec.Struct, frozen=True):
    """A warning on the air. left: ms until it expires by itself; every: ms between crawls (0 = throughout).

    crawl, badge: "" = not ordered. series says whether it is in earnest.
    """

    key: str
    title: str
    level: str
    series: Series
    crawl: str
    badge: str
    every: int
    left: int


class Screen(msgspec.Struct, frozen=True):
    """The whole state of the overlay. A page takes it if (epoch, rev) is not older than what it has."""

    epoch: int
    rev: int
    items: tuple[Shown, ...]


def strongest(state: State) -> Level | Literal[""]:
    """The strongest level in force."""
    return next(iter(insertion.levels(state)), "")


def title(state: State, world: World) -> str:
    """The warning in two words: 暴雨红色预警."""
    name = world.pack.hazards[state.warning.hazard].name
    return f"{state.foreign.sender}{name}{world.pack.texts.levels[strongest(state)]}预警"


def text(state: State, form: str, world: World, paper: bytes | None = None) -> str:
    """The words of a form for the newest version."""
    found = written.paper(state.alert.paper) if paper is None else paper
    return insertion.words(state, form, world, found)


def screen(world: World, now: int, epoch: int, rev: int, *, drill: bool = False) -> Screen:
    """Every ordered insertion of a warning that holds. Only a signed version or the expiry takes one off.

    In a district in earnest a drill is shown only where ``drill`` is asked for, and nothing else is then.
    """
    earnest = world.at("district").series == "actual"
    found = [
        shown
        for state in world.streams.values()
        if state.alert.holds
        and state.alert.expires > now
        and (not earnest or (state.series != "actual") == drill)
        and (shown := _item(state, world, now))
    ]
    found.sort(key=lambda s: (-LEVELS.index(s.level), s.key))
    return Screen(epoch, rev, tuple(found))


def _item(state: State, world: World, now: int) -> Shown | None:
    orders = {o.form: o for o in state.orders.values() if o.form in SHOWN}
    if not orders:
        return None
    hazard, level = world.pack.hazards[state.alert.hazard], strongest(state)
    picture = badges.badge(hazard.id, level, hazard.name, hazard.name_en) if "badge" in orders else ""
    return Shown(
        f"{state.stream}/{state.alert.version}",
        title(state, world),
        level,
        state.series,
        text(state, "crawl", world) if "crawl" in orders else "",
        picture,
        orders["crawl"].every // 1000 if "crawl" in orders else 0,
        (state.alert.expires - now) // 1000,
    )


def plain(screen_: Screen) -> dict[str, Any]:
    """As the page reads it, with the mark of what is not in earnest."""
    body: dict[str, Any] = msgspec.to_builtins(screen_)
    for item in body["items"]:
        item["mark"] = word(item["series"])
    return body
