"""笔误 Slips: words in a draft that contradict what it is — another level or hazard, a drill in earnest, earnest in a drill."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from fengsui.core.clauses import Pack

COLOURS = {"蓝色": "blue", "黄色": "yellow", "橙色": "orange", "红色": "red"}
COLOUR = re.compile("|".join(COLOURS))
PRETENDED = re.compile("演练|演习|测试|(?<!数值)模拟|试发")
"""Stricter than what others may write (``series.DRILL``): our own forecaster can be asked for another word."""
EARNEST = re.compile("非演练|(?:不|并非|不是)是?演练|实战")


class Meant(NamedTuple):
    """What a draft is: its hazard, the levels it may speak of (those it replaces as well), its series."""

    hazard: str
    levels: frozenset[str]
    series: str


def found(text: str, meant: Meant, pack: Pack) -> list[str]:
    """Each contradiction with its code and what to do."""
    return [*_levels(text, meant), *_hazards(text, meant, pack), *_series(text, meant)]


def _levels(text: str, meant: Meant) -> Iterator[str]:
    for word in dict.fromkeys(COLOUR.findall(text)):
        if meant.levels and COLOURS[word] not in meant.levels:
            yield f"文稿写的是“{word}”，所选级别中没有{word}，请改文稿或改级别。[W220]"


def _hazards(text: str, meant: Meant, pack: Pack) -> Iterator[str]:
    """A hazard is meant by its signal, not by its weather: 雷电 may come with any storm."""
    own = pack.hazards.get(meant.hazard)
    if own is None:
        return
    names = sorted((h.name for h in pack.hazards.values()), key=len, reverse=True)
    signal = re.compile(f"({'|'.join(map(re.escape, names))})(?:{COLOUR.pattern})?预警")
    for name in dict.fromkeys(signal.findall(text)):
        if name != own.name:
            yield f"文稿写的是“{name}预警”，所选灾种是{own.name}，请改文稿或改灾种。[W221]"


def _series(text: str, meant: Meant) -> Iterator[str]:
    if meant.series == "actual" and (word := PRETENDED.search(text)):
        yield f"这是实战预警，文稿中有“{word[0]}”，请删去；若是演练，请选“演练”。[W222]"
    if meant.series != "actual" and (word := EARNEST.search(text)):
        yield f"这不是实战预警，文稿中有“{word[0]}”，会被误认为实战，请删去。[W223]"
