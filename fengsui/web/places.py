"""乡镇 Places: every township under all the warnings that are looked at — the highest level, each hazard's sign, the worst state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.utils.safestring import SafeString, mark_safe

from fengsui.core.levels import LEVELS
from fengsui.formats import badges
from fengsui.web.outlook import ORDER, STATES, Town, Warned


class Sign(NamedTuple):
    """A warning's small sign: the id of its drawing, and its name (暴雨红色)."""

    id: str
    name: str
    hazard: str
    level: str

    @property
    def drawing(self) -> SafeString:
        """The symbol, to stand once on a page."""
        return mark_safe(badges.sign(self.hazard, self.level, self.id))  # noqa: S308 - drawn by us


class Place(NamedTuple):
    """A township. towns: how far it is with each warning looked at, in their order; worst: with the one it is furthest
    behind with, of equals the higher level; level: the highest over it, "" = none; signs: of the warnings that touch it,
    strongest first; said: how far it is with each, in one sentence.
    """

    worst: Town
    level: str
    towns: tuple[Town, ...]
    signs: tuple[Sign, ...]
    said: str

    @property
    def unit(self) -> str:
        """The unit's id."""
        return self.worst.unit

    @property
    def name(self) -> str:
        """As people call it."""
        return self.worst.name

    @property
    def area(self) -> str:
        """Its area's id."""
        return self.worst.area

    @property
    def person(self) -> str:
        """Who is on duty there, "" = nobody."""
        return self.worst.person

    @property
    def state(self) -> str:
        """The worst of its states."""
        return self.worst.state

    @property
    def shape(self) -> str:
        """The worst state's shape."""
        return self.worst.shape

    @property
    def word(self) -> str:
        """The worst state's word."""
        return self.worst.word

    @property
    def call(self) -> str:
        """The row to call for: where it is furthest behind and something is owed, "" = nowhere."""
        return self.worst.call or next((t.call for t in self.towns if t.call), "")


Looked = Sequence[tuple[Warned, list[Town]]]
"""Warnings that are looked at, each with every township."""


def places(looked: Looked, home: str) -> list[Place]:
    """Every township once: one's own (home, "" = none) first, then those with trouble."""
    by_unit = [{town.unit: town for town in towns} for _, towns in looked]
    found = [_place([known[unit] for known in by_unit], looked) for unit in by_unit[0]]
    return sorted(found, key=lambda p: (p.unit != home, ORDER.index(p.state), -_height(p.level), p.area))


def _place(towns: list[Town], looked: Looked) -> Place:
    with_ = [(warned, town) for (warned, _), town in zip(looked, towns, strict=True) if town.state != "none"]
    with_.sort(key=lambda pair: -_height(pair[1].level))
    return Place(
        worst=min(towns, key=lambda t: (ORDER.index(t.state), -_height(t.level))),
        level=max((t.level for t in towns), key=_height),
        towns=tuple(towns),
        signs=tuple(sign(w, t.level) for w, t in with_ if t.level),
        said="；".join((f"{w.hazard}：" if len(with_) > 1 else "") + _said(t) for w, t in with_)
        or STATES["none"][1],
    )


def _said(town: Town) -> str:
    return f"{town.word}，签收 {town.answered.text}，再传播 {town.relay.text}"


def alone(towns: Sequence[Town]) -> list[Place]:
    """Every township under one warning that needs no sign, or while nothing is in force."""
    return [Place(t, t.level, (t,), (), _said(t) if t.state != "none" else t.word) for t in towns]


def sign(one: Warned, level: str) -> Sign:
    """The small sign of a warning at a level."""
    name = f"{one.hazard}{badges.WORD[level]}色"
    return Sign(f"sign-{one.hazard_id}-{level}", name, one.hazard_id, level)


def _height(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else -1
