"""督办 Supervision: what is under supervision, by unit — since when, by when the reply is due, how long it is overdue.

A department or township sees its own. The page prints as a list that can be handed on.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from fengsui.core.board import Row
from fengsui.core.state import World
from fengsui.store import streams
from fengsui.store.streams import Stream
from fengsui.web import here, lists, past, paths, sentences, written
from fengsui.web.lists import Cell, Listing
from fengsui.web.pages.ledger import gap, moment
from fengsui.web.pages.login import account_of
from fengsui.web.pages.people import scope

CLAUSE = "4.2.b"
COLUMNS = ("单位", "事项", "责任", "过程", "起", "时限", "早晚", "状态")
EMPTY = "没有在督事项。职责逾期并经催办仍未办结的，会自动列到这里，并要求书面回复。"
NOTE = "依据四（二）“强化督办落实和目标管理，动态掌握进展情况”"


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
    account, world, session = account_of(request), here.live(), here.session()
    own, now = scope(account), here.now()
    known = {s.name: s for s in streams.streams(session) if s.series != written.apart()}
    rows = [r for r in streams.board(session) if own in ("", r.unit) and r.stream in known]
    open_ = [r for r in rows if r.ended is None and (r.clause == CLAUSE or r.status == "supervised")]
    mine = account.unit if paths.to(account.role, "report", "x") else ""
    listing = _listing(open_, known, world, now, mine)
    late = sum(r.deadline < now for r in open_)
    more = {"open": len(open_), "late": late, "scores": _scores(rows, world, now), "at": now}
    name = "supervision_live.html" if request.headers.get("HX-Request") else "supervision.html"
    return lists.show(request, listing, name, **more)


def _listing(rows: list[Row], known: dict[str, Stream], world: World, now: int, mine: str) -> Listing:
    """By unit, whoever is latest first; ``mine`` may reply to what it owes."""
    late, all_ = Counter(r.unit for r in rows if r.deadline < now), Counter(r.unit for r in rows)
    rows = sorted(rows, key=lambda r: (-late[r.unit], -all_[r.unit], _name(r.unit, world), r.deadline, r.id))
    columns = (*COLUMNS, "办理") if mine in all_ else COLUMNS
    cells = [_cells(r, known[r.stream], world, now) for r in rows]
    if mine in all_:
        cells = [(*c, _reply(r, mine)) for c, r in zip(cells, rows, strict=True)]
    return Listing("督办", columns, cells, EMPTY, NOTE, grouped=True)


def _cells(row: Row, stream: Stream, world: World, now: int) -> tuple[Cell, ...]:
    return (
        Cell(_name(row.unit, world)),
        Cell("：".join(filter(None, (sentences.title(row.duty, world), _about(row.duty, world))))),
        Cell(sentences.holder(row.holder, world) if "/" in row.holder else ""),
        Cell(past.title(stream, world)),
        Cell(moment(row.opened, world.pack)),
        Cell(moment(row.deadline, world.pack)),
        Cell(gap(row.deadline, now, ("尚余", "已超"))),
        Cell("超期", "late") if row.deadline < now else Cell("在办", "wait"),
    )


def _reply(row: Row, mine: str) -> Cell:
    return Cell("登记回复", "", paths.to("township", "report", row.stream)) if row.unit == mine else Cell("")


def _name(unit: str, world: World) -> str:
    return sentences.unit(unit, world)


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
