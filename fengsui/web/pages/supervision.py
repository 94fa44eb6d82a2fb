"""督办 Supervision: what is under supervision, by unit — since when, by when the reply is due, how long it is overdue.

A department or township sees its own. The page prints as a list that can be handed on.
"""

from __future__ import annotations

from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from fengsui.core.board import Row
from fengsui.core.state import World
from fengsui.store import streams
from fengsui.store.streams import Stream
from fengsui.web import here, lists, past, paths, sentences
from fengsui.web.lists import Cell, Listing
from fengsui.web.pages.ledger import gap, moment
from fengsui.web.pages.login import account_of
from fengsui.web.pages.people import scope

CLAUSE = "4.2.b"
COLUMNS = ("单位", "事项", "责任", "过程", "起", "时限", "早晚", "状态")


class Item(NamedTuple):
    """One thing a unit must answer for."""

    title: str
    about: str
    holder: str
    stream: str
    process: str
    opened: int
    deadline: int
    age: str
    late: bool
    reply: str


class Unit(NamedTuple):
    """A unit with what it must answer for, and what of that it must have answered already."""

    name: str
    items: list[Item]
    late: int


class Score(NamedTuple):
    """How a unit's replies to supervision have come so far."""

    name: str
    open: int
    late: int
    done: int
    tardy: int


@require_GET
def supervision(request: HttpRequest) -> HttpResponse:
    """Everything under supervision."""
    account, world, session = account_of(request), here.world(), here.session()
    own, now = scope(account), here.now()
    known = {s.name: s for s in streams.streams(session)}
    rows = [r for r in streams.board(session) if own in ("", r.unit) and r.stream in known]
    open_ = [r for r in rows if r.ended is None and (r.clause == CLAUSE or r.status == "supervised")]
    if request.GET.get("csv"):
        return lists.show(request, _table(open_, known, world, now))
    units = _units(open_, known, world, now, account.unit if paths.to(account.role, "report", "x") else "")
    context = {
        "units": units,
        "open": len(open_),
        "late": sum(u.late for u in units),
        "scores": _scores(rows, world, now),
        "at": now,
    }
    name = "supervision_live.html" if request.headers.get("HX-Request") else "supervision.html"
    return render(request, name, context)


def _units(rows: list[Row], known: dict[str, Stream], world: World, now: int, mine: str) -> list[Unit]:
    by_unit: dict[str, list[Item]] = {}
    for row in sorted(rows, key=lambda r: (r.deadline, r.id)):
        by_unit.setdefault(row.unit, []).append(_item(row, known[row.stream], world, now, row.unit == mine))
    units = [Unit(_name(u, world), items, sum(i.late for i in items)) for u, items in by_unit.items()]
    return sorted(units, key=lambda u: (-u.late, -len(u.items), u.name))


def _name(unit: str, world: World) -> str:
    return sentences.unit(unit, world)


def _item(row: Row, stream: Stream, world: World, now: int, mine: bool) -> Item:
    url = paths.to("township", "report", row.stream) if mine else ""
    return Item(
        sentences.title(row.duty, world),
        _about(row.duty, world),
        sentences.holder(row.holder, world) if "/" in row.holder else "",
        row.stream,
        past.title(stream, world),
        row.opened,
        row.deadline,
        gap(row.deadline, now, ("尚余", "已超")),
        row.deadline < now,
        url,
    )


def _about(key: str, world: World) -> str:
    """What a demand for a reply is about: the duty that was not done."""
    thread = key.split("/", 2)[2:]
    known = thread and thread[0].split("/")[0] in world.pack.clauses
    return sentences.title(thread[0], world) if known else ""


def _scores(rows: list[Row], world: World, now: int) -> list[Score]:
    """How replies came, by unit; whoever never had to reply is not there."""
    found: dict[str, list[int]] = {}
    for row in rows:
        if row.clause != CLAUSE or row.duty.split("/")[1].startswith("bulletin"):
            continue
        counts = found.setdefault(row.unit, [0, 0, 0, 0])
        if row.ended is None:
            counts[0] += 1
            counts[1] += row.deadline < now
        elif row.status != "cancelled":
            counts[2 if row.status == "done" else 3] += 1
    scores = [Score(_name(unit, world), *counts) for unit, counts in found.items()]
    return sorted(scores, key=lambda s: (-s.late, -s.tardy, -s.open, s.name))


def _table(rows: list[Row], known: dict[str, Stream], world: World, now: int) -> Listing:
    table = [
        (
            Cell(_name(r.unit, world)),
            Cell("：".join(filter(None, (sentences.title(r.duty, world), _about(r.duty, world))))),
            Cell(sentences.holder(r.holder, world)),
            Cell(past.title(known[r.stream], world)),
            Cell(moment(r.opened, world.pack)),
            Cell(moment(r.deadline, world.pack)),
            Cell(gap(r.deadline, now, ("尚余", "已超"))),
            Cell("超期" if r.deadline < now else "在办"),
        )
        for r in sorted(rows, key=lambda r: (r.unit, r.deadline))
    ]
    return Listing("督办", COLUMNS, table, "")
