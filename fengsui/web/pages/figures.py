"""统计 Figures: how many signals of a series a year had, by hazard, level and action, and how long warnings were in force."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from fengsui.core import calendar
from fengsui.core.clauses import Pack
from fengsui.core.levels import LEVELS
from fengsui.core.series import NAMES
from fengsui.store import signals
from fengsui.store.signals import Signal, Wanted
from fengsui.web import here, lists
from fengsui.web.lists import Cell, Listing
from fengsui.web.pages.signals import framed, named

EMPTY = "还没有签发过预警，没有可统计的。"
LONG = 640
"""Width of the longest bar, in units of the drawing."""

Key = tuple[int, str, str]
"""Year, hazard, level."""


class Piece(NamedTuple):
    """A part of a bar: its level, where it begins and how long it is, how many it stands for."""

    level: str
    x: float
    width: float
    count: int


class Bar(NamedTuple):
    """The signals of a hazard in a year: its words, its height in the drawing, its parts from strong to weak."""

    words: str
    y: int
    total: int
    pieces: tuple[Piece, ...]
    end: float


@require_GET
def figures(request: HttpRequest, series: str) -> HttpResponse:
    """The figures of a series, of one year with ``?year=``; ``?csv=1``, ``?xlsx=1``."""
    if series not in NAMES:
        raise Http404
    pack, asked = here.pack(), request.GET.get("year", "")
    year = int(asked) if asked.isdecimal() and len(asked) == 4 else 0
    found = signals.wanted(here.session(), Wanted(series))
    mine = [one for one in found if year in (0, one.year)]
    columns = ("年", "灾种", "级别", *pack.texts.verbs.values(), "合计", "过程", "平均生效")
    title = f"预警统计（{NAMES[series]}）" if series != "actual" else "预警统计"
    note = "过程按首版之年、最高级别计；平均生效自首版至解除（或失效），未了的算到现在"
    listing = Listing(title, columns, _rows(mine, pack), EMPTY, note)
    more = framed(series) | {
        "bars": (bars := _bars(mine, pack)),
        "height": 30 * len(bars) + 6,
        "years": sorted({one.year for one in found}, reverse=True),
        "year": year,
        "back": reverse("signals_of", args=[series]),
    }
    return lists.show(request, listing, "signal_figures.html", **more)


def _rows(found: Sequence[Signal], pack: Pack) -> list[tuple[Cell, ...]]:
    counts: dict[Key, Counter[str]] = defaultdict(Counter)
    for one in found:
        counts[one.year, one.hazard, one.level][one.action] += 1
    spans = _spans(found)
    rows = []
    for key in sorted(counts.keys() | spans.keys(), key=lambda k: (-k[0], k[1], -LEVELS.index(k[2]))):  # type: ignore[arg-type]
        year, hazard, level = key
        lasted = spans.get(key, [])
        hours = f"{sum(lasted) / len(lasted) / calendar.HOUR:.1f} 小时" if lasted else ""
        rows.append(
            (
                Cell(str(year)),
                Cell(pack.hazards[hazard].name if hazard in pack.hazards else hazard),
                Cell(pack.texts.levels.get(level, level), f"level {level}"),
                *(Cell(str(counts[key][verb] or "")) for verb in pack.texts.verbs),
                Cell(str(counts[key].total())),
                Cell(str(len(lasted) or "")),
                Cell(hours),
            )
        )
    return rows


def _spans(found: Sequence[Signal]) -> dict[Key, list[int]]:
    """How long each warning was in force (µs), under the year of its first version and its strongest level."""
    streams: dict[str, list[Signal]] = defaultdict(list)
    for one in sorted(found, key=lambda s: s.seq):
        streams[one.stream].append(one)
    spans: dict[Key, list[int]] = defaultdict(list)
    for some in streams.values():
        first, last = some[0], some[-1]
        level = max((s.level for s in some if s.level), key=LEVELS.index, default="")  # type: ignore[arg-type]
        end = last.at if last.action == "cancel" else min(last.expires, here.now())
        if level:
            spans[first.year, first.hazard, level].append(max(0, end - first.at))
    return spans


def _bars(found: Sequence[Signal], pack: Pack) -> list[Bar]:
    sums: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    names = {one.hazard: named(one, pack) for one in found}
    for one in found:
        sums[one.year, one.hazard][one.level] += 1
    most = max((c.total() for c in sums.values()), default=1)
    bars = []
    for n, ((year, hazard), levels) in enumerate(
        sorted(sums.items(), key=lambda i: (-i[0][0], -i[1].total()))
    ):
        x, pieces = 0.0, []
        for level in reversed(LEVELS):
            if count := levels[level]:
                width = round(LONG * count / most, 1)
                pieces.append(Piece(level, x, width, count))
                x = round(x + width, 1)
        bars.append(Bar(f"{year} {names[hazard]}", 30 * n + 4, levels.total(), tuple(pieces), x))
    return bars
