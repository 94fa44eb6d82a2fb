"""预警档案 Signals: every version of every warning that was ever issued — the list of a series, and the page of one version.

A drill never stands among what was in earnest: each series has a list and a frame of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from fengsui.core import alerts
from fengsui.core.clauses import Pack
from fengsui.core.facts import Alerted, Fact
from fengsui.core.levels import LEVELS
from fengsui.core.series import NAMES
from fengsui.core.state import AlertPart
from fengsui.formats.pdf import IssueForm
from fengsui.store import caps, history, people, signals
from fengsui.store.caps import Cap
from fengsui.store.history import Line
from fengsui.store.signals import Signal, Wanted
from fengsui.web import begun, here, lists, past, sent, sentences, sheets, written
from fengsui.web.lists import Cell, Listing
from fengsui.web.pages.ledger import moment

COLUMNS = ("编号", "发布时间", "级别", "信号", "动作", "区域", "失效", "过程")
EMPTY = "还没有签发过预警。每签发一版，这里就多一行，连同当时发出的原文。"
DRILLS = "还没有演练过。演练签发的预警单独编号，只列在这里。"
ALONE = {"emergency": "紧急单人", "retraction": "一人撤回"}


class Choice(NamedTuple):
    """A filter: its field, its name, its choices (value, words), and what is chosen."""

    field: str
    name: str
    choices: list[tuple[str, str]]
    chosen: str


class Tab(NamedTuple):
    """Another series that has signals."""

    name: str
    url: str
    current: bool


def framed(series: str) -> dict[str, str]:
    """The frame of a page about a series, whatever the district's own is."""
    return {"series": series, "series_name": NAMES[series]}


@require_GET
def archive(request: HttpRequest, series: str = "") -> HttpResponse:
    """All versions of a series (the district's own where none is named), newest first; ``?csv=1``, ``?xlsx=1``."""
    pack, known = here.pack(), signals.kinds(here.session())
    series = series or here.world().at("district").series
    if series not in NAMES:
        raise Http404
    asked = {name: request.GET.get(name, "") for name in ("year", "hazard", "level", "action", "area")}
    year = int(asked["year"]) if asked["year"].isdecimal() and len(asked["year"]) == 4 else 0
    found = signals.wanted(here.session(), Wanted(series, **asked | {"year": year}))
    listing = Listing(
        "预警档案" if series == "actual" else f"预警档案（{NAMES[series]}）",
        COLUMNS,
        [_cells(one, pack) for one in found],
        DRILLS if series == "exercise" else EMPTY,
        f"{len(found)} 版；编号每年从 1 起",
    )
    kept = {name: value for name, value in asked.items() if value}
    more = framed(series) | {
        "choices": _choices([k for k in known if k[0] == series], asked, pack),
        "kept": urlencode(kept),
        "figures": reverse("signal_figures", args=[series]),
        "tabs": _tabs(series, {k[0] for k in known}),
    }
    return lists.show(request, listing, "signals.html", **more)


def _cells(one: Signal, pack: Pack) -> tuple[Cell, ...]:
    action = pack.texts.verbs.get(one.action, one.action)
    alone = f"（{ALONE[one.mode]}）" if one.mode in ALONE else ""
    return (
        Cell(sheets.number(one, pack), "", reverse("signal", args=[one.stream, one.version])),
        Cell(moment(one.at, pack)),
        Cell(pack.texts.levels.get(one.level, ""), f"level {one.level}"),
        Cell(named(one, pack)),
        Cell(action + alone, "late" if one.action == "correct" or alone else ""),
        Cell(places(one.areas, pack)),
        Cell("—" if one.action == "cancel" else moment(one.expires, pack)),
        Cell(f"第 {one.version} 版", "", reverse("incident", args=[one.stream])),
    )


def named(one: Signal, pack: Pack) -> str:
    """What a signal is called without its level: 暴雨."""
    return pack.hazards[one.hazard].name if one.hazard in pack.hazards else one.hazard


def places(areas: Sequence[str], pack: Pack) -> str:
    """Zones by name."""
    return "、".join(pack.areas[a].name if a in pack.areas else a for a in areas)


def _choices(known: list[tuple[str, int, str]], asked: dict[str, str], pack: Pack) -> list[Choice]:
    years = sorted({str(year) for _, year, _ in known}, reverse=True)
    hazards = sorted({hazard for _, _, hazard in known})
    zones = [(a.id, a.name) for a in pack.areas.values() if a.kind == "township" or a.id == pack.district]
    return [
        Choice("year", "年", [(y, f"{y}年") for y in years], asked["year"]),
        Choice(
            "hazard", "灾种", [(h, pack.hazards[h].name if h in pack.hazards else h) for h in hazards], asked["hazard"]
        ),
        Choice("level", "级别", [(a, pack.texts.levels[a]) for a in reversed(LEVELS)], asked["level"]),
        Choice("action", "动作", list(pack.texts.verbs.items()), asked["action"]),
        Choice("area", "区域", zones, asked["area"]),
    ]  # fmt: skip


def _tabs(series: str, known: set[str]) -> list[Tab]:
    own = here.world().at("district").series
    shown = [name for name in NAMES if name in known | {own, "exercise", series}]
    return [Tab(NAMES[n], reverse("signals_of", args=[n]), n == series) for n in shown]


# ── one version ──────────────────────────────────────────────────────────────


class Hand(NamedTuple):
    """Who signed, for which unit ("" = the office), and as what."""

    part: str
    name: str
    unit: str = ""


@require_GET
def signal(request: HttpRequest, stream: str, version: int) -> HttpResponse:
    """Everything of one version: the form of issue, the texts as they were sent, how far they got, who signed."""
    sheet = sheets.issue(stream, version, "colour")
    lines = history.stream(here.session(), stream)
    thread = signals.thread(here.session(), stream)
    if sheet is None or not isinstance(form := sheet.order.sheet, IssueForm):
        raise Http404
    line = next(x for x in lines if isinstance(x.fact, Alerted) and x.fact.version == version)
    one = next(s for s in thread if s.version == version)
    numbered = {s.version: sheets.number(s, here.pack()) for s in thread}
    context: dict[str, Any] = framed(one.series) | {
        "it": one,
        "form": form,
        "mode": ALONE.get(one.mode, ""),
        "reason": _reason(line.fact) if one.mode else "",
        "hands": _hands(line.fact),
        "sent": sent.of(line, version, lines),
        "before": numbered.get(version - 1, ""),
        "after": numbered.get(version + 1, ""),
        "back": version - 1,
        "on": version + 1,
        "seq": one.seq,
        "cap": _message(stream, version),
    }
    return render(request, "signal.html", context)


class Message(NamedTuple):
    """A version as it left for other systems: the bytes as text, "" = it did not leave (or not yet)."""

    it: Cap
    body: str


def _message(stream: str, version: int) -> Message | None:
    found = next((c for c in caps.thread(here.session(), stream) if c.version == version), None)
    if found is None:
        return None
    body = written.paper(found.digest) if found.digest else b""
    return Message(found, body.decode("utf-8", "replace"))


def _reason(fact: Fact) -> str:
    """The words of whoever signed alone, "" where they are gone."""
    if not isinstance(fact, Alerted):
        return ""
    found = here.session().run(
        "SELECT reason FROM signature WHERE paper = ? AND signer_person = ?", fact.paper, fact.signer
    )
    return written.paper(str(found[0][0])).decode() if found else ""


def _hands(fact: Fact) -> list[Hand]:
    if not isinstance(fact, Alerted):
        return []
    names = people.names(
        here.session(), here.house().vault, (fact.author, fact.signer, *fact.cosigners.values())
    )
    units = here.pack().units
    found = [Hand("制作人", names.get(fact.author, "")), Hand("签发人", names.get(fact.signer, ""))]
    return found + [
        Hand("会签人", names.get(person, ""), units[unit].name if unit in units else unit)
        for unit, person in fact.cosigners.items()
    ]


# ── one incident ─────────────────────────────────────────────────────────────


class Turn(NamedTuple):
    """A line of the thread: a version with what it changed, or (signal None) a fact in words."""

    seq: int
    at: int
    signal: Signal | None
    number: str
    said: str
    action: str
    level: str
    hands: str
    mode: str
    meanings: list[begun.Meaning]


@require_GET
def incident(request: HttpRequest, stream: str) -> HttpResponse:
    """All versions of a warning in order, what each changed for every township, who signed; between them what weighed."""
    world, pack = here.world(), here.pack()
    thread = {s.version: s for s in signals.thread(here.session(), stream)}
    if not thread:
        raise Http404
    lines = history.stream(here.session(), stream)
    alerted = [x.fact for x in lines if isinstance(x.fact, Alerted)]
    names = people.names(
        here.session(), here.house().vault, [p for f in alerted for p in (f.author, f.signer)]
    )
    part, turns = AlertPart(), list[Turn]()
    for line in lines:
        fact = line.fact
        if isinstance(fact, Alerted):
            part = alerts.fold(part, fact)
            turns.append(_turn(line, thread[fact.version], part, names))
        elif past.weighty(fact):
            turns.append(
                Turn(line.seq, fact.at, None, "", sentences.sentence(fact, world), "", "", "", "", [])
            )
    last = thread[max(thread)]
    levels = [s.level for s in thread.values() if s.level]
    context = framed(last.series) | {
        "stream": stream,
        "title": f"{named(last, pack)}{pack.texts.levels.get(max(levels, key=LEVELS.index), '')}预警",
        "turns": turns,
        "versions": len(thread),
        "began": turns[0].at,
        "ended": last.at if last.action == "cancel" else 0,
    }
    return render(request, "signal_thread.html", context)


def _turn(line: Line, one: Signal, part: AlertPart, names: dict[str, str]) -> Turn:
    pack = here.pack()
    hands = "、".join(dict.fromkeys(names.get(p, "（已离任）") for p in (one.author, one.signer)))
    return Turn(
        line.seq,
        one.at,
        one,
        sheets.number(one, pack),
        "",
        pack.texts.verbs.get(one.action, one.action),
        one.level,
        hands,
        ALONE.get(one.mode, ""),
        begun.meanings(part),
    )
