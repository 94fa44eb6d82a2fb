"""乡镇 Places: every township under all the warnings that are looked at — the highest level, each hazard's sign, the worst state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.utils.safestring import SafeString, mark_safe

from fengsui.core.clauses import LEVELS
from fengsui.formats import badges
from fengsui.web.outlook import ORDER, STATES, Town, Warned


class Sign(NamedTuple):
    """A warning's small drawing and its name: 暴雨红色."""

    drawing: SafeString
    name: str


class Place(NamedTuple):
    """A township. towns: how far it is with each warning looked at, in their order; signs: of those that touch it,
    strongest first; said: both in one sentence.
    """

    unit: str
    name: str
    area: str
    person: str
    towns: tuple[Town, ...]
    signs: tuple[Sign, ...]
    said: str

    @property
    def worst(self) -> Town:
        """Where it is furthest behind; of equals under the higher level."""
        return min(self.towns, key=lambda t: (ORDER.index(t.state), -_height(t.level)))

    @property
    def state(self) -> str:
        """The worst of its states."""
        return self.worst.state

    @property
    def shape(self) -> str:
        """The worst state's shape."""
        return STATES[self.state][0]

    @property
    def word(self) -> str:
        """The worst state's word."""
        return STATES[self.state][1]

    @property
    def level(self) -> str:
        """The highest level over it, "" = none."""
        return max((t.level for t in self.towns), key=_height)

    @property
    def call(self) -> str:
        """The row to call for: where it is furthest behind and something is owed, "" = nowhere."""
        return self.worst.call or next((t.call for t in self.towns if t.call), "")


Looked = Sequence[tuple[Warned, list[Town]]]
"""Warnings that are looked at, each with every township."""


def places(looked: Looked, home: str) -> list[Place]:
    """Every township once: one's own (home, "" = none) first, then those with trouble."""
    by_unit = [{town.unit: town for town in towns} for _, towns in looked]
    found = [_place(unit, [known[unit] for known in by_unit], looked) for unit in by_unit[0]]
    return sorted(found, key=lambda p: (p.unit != home, ORDER.index(p.state), -_height(p.level), p.area))


def _place(unit: str, towns: list[Town], looked: Looked) -> Place:
    one = towns[0]
    with_ = [(warned, town) for (warned, _), town in zip(looked, towns, strict=True) if town.state != "none"]
    with_.sort(key=lambda pair: -_height(pair[1].level))
    signs = tuple(sign(w, t.level) for w, t in with_ if t.level)
    said = "；".join((f"{w.hazard}：" if len(with_) > 1 else "") + _said(t) for w, t in with_)
    return Place(unit, one.name, one.area, one.person, tuple(towns), signs, said or STATES["none"][1])


def _said(town: Town) -> str:
    return f"{town.word}，签收 {town.answered.text}，再传播 {town.relay.text}"


def aside(towns: Sequence[Town]) -> list[Place]:
    """Every township while nothing is in force."""
    return [Place(t.unit, t.name, t.area, t.person, (t,), (), t.word) for t in towns]


def sign(one: Warned, level: str) -> Sign:
    """The small sign of a warning at a level."""
    drawing = badges.sign(one.hazard_id, level, one.hazard)
    return Sign(mark_safe(drawing), f"{one.hazard}{badges.WORD[level]}色")  # noqa: S308 - drawn by us


def _height(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else -1
