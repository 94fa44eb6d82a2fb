"""统计 Figures: how many signals of a series a year had, by hazard, level and action, how long they held, who answered."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from fengsui.core import calendar
from fengsui.core.clauses import Pack
from fengsui.core.facts import DutyEnded, DutyOpened, decode
from fengsui.core.levels import LEVELS
from fengsui.core.series import NAMES
from fengsui.store import signals, streams
from fengsui.store.signals import Signal, Wanted
from fengsui.web import here, lists
from fengsui.web.lists import Cell, Listing
from fengsui.web.outlook import ACKNOWLEDGE
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
    columns = (
        "年",
        "灾种",
        "级别",
        *pack.texts.verbs.values(),
        "合计",
        "过程",
        "平均生效",
        "签收率",
        "签收用时",
    )
    title = f"预警统计（{NAMES[series]}）" if series != "actual" else "预警统计"
    note = (
        "过程按首版之年、最高级别计；平均生效自首版至解除（或失效），未了的算到现在；"
        "签收率为签收的占应签收的责任岗位（含逾期签收，不含随解除终止的），用时取中位数"
    )
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
    spans, asked = _spans(found), _answers(found)
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
                *_answered(asked.get(key, Answers([], 0))),
            )
        )
    return rows


class Answers(NamedTuple):
    """How long each answer took (µs), and how many were asked for."""

    took: list[int]
    asked: int


def _answered(one: Answers) -> tuple[Cell, Cell]:
    if not one.asked:
        return Cell(""), Cell("")
    middle = f"{median(one.took) / calendar.MINUTE:.1f} 分钟" if one.took else ""
    return Cell(f"{len(one.took) / one.asked:.0%}"), Cell(middle)


def _answers(found: Sequence[Signal]) -> dict[Key, Answers]:
    """What posts answered of what they were asked, under the year of a warning's first version and its strongest level."""
    sums: dict[Key, Answers] = {}
    bodies = streams.duties(here.session(), sorted({one.stream for one in found}))
    for some in _threads(found):
        key = (some[0].year, some[0].hazard, _strongest(some))
        before = sums.get(key, Answers([], 0))
        took, asked = _taken(bodies.get(some[0].stream, []))
        sums[key] = Answers([*before.took, *took], before.asked + asked)
    return sums


def _taken(bodies: Sequence[str]) -> Answers:
    """Of one stream: each asking of each post is answered, still open, or over with the warning."""
    open_: dict[str, int] = {}
    took: list[int] = []
    asked = 0
    for fact in map(decode, bodies):
        if isinstance(fact, DutyOpened) and fact.key == ACKNOWLEDGE:
            asked += sum(holder not in open_ for holder in fact.holders)
            open_ |= {holder: open_.get(holder, fact.at) for holder in fact.holders}
        elif isinstance(fact, DutyEnded) and fact.key == ACKNOWLEDGE:
            began = [open_.pop(holder) for holder in fact.holders if holder in open_]
            took += [fact.at - at for at in began] if fact.how == "done" else []
            asked -= len(began) if fact.how != "done" else 0
    return Answers(took, asked)


def _threads(found: Sequence[Signal]) -> list[list[Signal]]:
    """The versions of each warning, in their order."""
    threads: dict[str, list[Signal]] = defaultdict(list)
    for one in sorted(found, key=lambda s: s.seq):
        threads[one.stream].append(one)
    return list(threads.values())


def _strongest(some: Sequence[Signal]) -> str:
    return max((s.level for s in some if s.level), key=LEVELS.index, default="")  # type: ignore[arg-type]


def _spans(found: Sequence[Signal]) -> dict[Key, list[int]]:
    """How long each warning was in force (µs), under the year of its first version and its strongest level."""
    spans: dict[Key, list[int]] = defaultdict(list)
    for some in _threads(found):
        first, last, level = some[0], some[-1], _strongest(some)
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
