"""台账 Ledger: what happened, by stream — for each clause who owed what by when, what proves it, how early or late; and
every fact as a sentence. The night can be played again from its facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from fengsui.core import board, calendar
from fengsui.core.board import Row
from fengsui.core.clauses import Clause, Pack
from fengsui.core.facts import Alerted, kind
from fengsui.core.series import NAMES
from fengsui.core.state import World
from fengsui.store import caps, streams
from fengsui.store.history import Line
from fengsui.store.streams import Stream
from fengsui.web import atlas, here, lists, outlook, past, places, sentences
from fengsui.web.lists import Cell, Listing

COLUMNS = ("过程", "类别", "起", "止", "状态", "职责", "台账")
EMPTY = "台账还是空的。签发第一条预警后，这里列出它的全部经过。"
LINES = 200
"""Sentences on a page."""
PROOFS = {
    "acknowledged": "签收", "suspension_decided": "停工停业停课决定", "suspension_lifted": "恢复决定",
    "aired_crawl": "字幕已播", "aired_badge": "角标已挂", "aired_anchor": "口播已播",
    "off_air_crawl": "字幕已撤", "off_air_badge": "角标已撤", "off_air_anchor": "口播已停",
    "held": "会商已召开", "concluded": "会商结论", "response_set": "应急响应令", "tallied": "发布清单", "alert": "预警变更",
}  # fmt: skip
"""What proves a duty, by the word a clause uses; reports are named by the pack."""
STATUS = {
    "done": ("按时办结", "ok"), "late": ("逾期办结", "late"), "open": ("在办", "wait"), "desk": ("待人工", "late"),
    "supervised": ("督办中", "late"), "cancelled": ("随解除终止", ""), "overdue": ("已超时", "late"),
}  # fmt: skip
GRAVITY = ("supervised", "desk", "overdue", "late", "open", "done", "cancelled")


# ── the list ─────────────────────────────────────────────────────────────────


@require_GET
def ledger(request: HttpRequest) -> HttpResponse:
    """Every stream; the one touched last first."""
    world, session = here.world(), here.session()
    standing = streams.standing(session)
    rows = [_cells(s, standing.get(s.name, {}), world) for s in streams.streams(session)]
    head = streams.head(session)
    note = f"{len(rows)} 个过程，共 {head.seq} 条，只增不改"
    return lists.show(request, Listing("台账", COLUMNS, rows, EMPTY, note), "ledger.html", head=head)


def _cells(s: Stream, standing: dict[str, int], world: World) -> tuple[Cell, ...]:
    done, late = standing.get("done", 0), standing.get("late", 0)
    waiting = sum(standing.get(word, 0) for word in ("open", "desk", "supervised"))
    state = world.streams.get(s.name)
    if state is None:
        stands = Cell("已归档")
    elif state.warning.holds:
        stands = Cell("生效中", "late" if past.level(s) == "red" else "wait")
    else:
        stands = Cell("已解除，待归档" if s.alerts else "持续", "")
    return (
        Cell(past.title(s, world), "", reverse("stream", args=[s.name])),
        Cell(NAMES.get(s.series, s.series)),
        Cell(moment(s.began, world.pack)),
        Cell(moment(s.ended, world.pack)),
        stands,
        Cell(f"按时 {done}　逾期 {late}　未了 {waiting}" if done + late + waiting else ""),
        Cell(f"{s.facts} 条"),
    )


def moment(at: int, pack: Pack) -> str:
    """A moment with its year: 2027-07-21 02:13."""
    return f"{calendar.local(at, pack.zone):%Y-%m-%d %H:%M}"


# ── one stream ───────────────────────────────────────────────────────────────


class Entry(NamedTuple):
    """A row of a clause's table."""

    title: str
    holder: str
    opened: int
    deadline: int
    ended: int | None
    gap: str
    proof: str
    word: str
    tint: str
    gravity: int


class Group(NamedTuple):
    """A clause with what was owed for it in this stream."""

    clause: Clause
    rows: list[Entry]
    counts: list[tuple[str, str, int]]
    trouble: bool


@require_GET
def stream(request: HttpRequest, stream: str) -> HttpResponse:
    """A stream's duties by clause, and its facts as sentences."""
    world, found = here.world(), _found(stream)
    now = here.now()
    groups = _groups(streams.board(here.session(), stream), world, now)
    if request.GET.get("csv"):
        return lists.show(request, _table(groups, past.title(found, world), world.pack))
    context = {
        "it": found,
        "title": past.title(found, world),
        "level": past.level(found),
        "kind_of": NAMES.get(found.series, found.series),
        "groups": groups,
        "head": streams.head(here.session()),
        "plays": any(isinstance(a, Alerted) for a in found.alerts),
        "ours": [a for a in found.alerts if isinstance(a, Alerted)],
        "caps": caps.thread(here.session(), stream),
    }
    return render(request, "stream.html", context | _timeline(request, found, world))


def _found(name: str) -> Stream:
    found = next((s for s in streams.streams(here.session()) if s.name == name), None)
    if found is None:
        raise Http404
    return found


def _groups(rows: Sequence[Row], world: World, now: int) -> list[Group]:
    by_clause: dict[str, list[Entry]] = {}
    for row in rows:
        by_clause.setdefault(row.clause, []).append(_entry(row, world, now))
    groups = []
    for id_, entries in sorted(by_clause.items()):
        clause = world.pack.clauses.get(id_)
        if clause is None:
            continue
        entries.sort(key=lambda e: (e.gravity, e.deadline, e.holder))
        words = [e.word for e in entries]
        counts = [(word, tint, words.count(word)) for word, tint in STATUS.values() if word in words]
        groups.append(Group(clause, entries, counts, any(e.tint in ("late", "wait") for e in entries)))
    return groups


def _entry(row: Row, world: World, now: int) -> Entry:
    status = "overdue" if row.status == "open" and row.deadline < now else row.status
    word, tint = STATUS[status]
    if row.ended is None:
        far = gap(row.deadline, now, ("尚余", "已超"))
    else:
        far = gap(row.deadline, row.ended) if status != "cancelled" else ""
    return Entry(
        sentences.title(row.duty, world),
        sentences.holder(row.holder, world),
        row.opened,
        row.deadline,
        row.ended,
        far,
        proved(row.evidence, world.pack) if row.ended else "",
        word,
        tint,
        GRAVITY.index(status),
    )


def proved(word: str, pack: Pack) -> str:
    """What an evidence word means."""
    report = pack.reports.get(word)
    return report.title if report else PROOFS.get(word, word)


def gap(deadline: int, at: int, words: tuple[str, str] = ("早", "晚")) -> str:
    """How early or late a moment is, in minutes or days.

    >>> gap(600_000_000, 0), gap(0, 90_000_000)
    ('早 10 分', '晚 1.5 分')
    """
    minutes = (deadline - at) / calendar.MINUTE
    word, size = words[minutes < 0], abs(minutes)
    if size >= 24 * 60:
        return f"{word} {size / 60 / 24:.1f} 天"
    return f"{word} {f'{size:.1f}'.removesuffix('.0') if size < 10 else f'{size:.0f}'} 分"


DUTIES = ("条款", "职责", "责任", "触发", "时限", "办结", "早晚", "佐证", "状态")


def _table(groups: Sequence[Group], title: str, pack: Pack) -> Listing:
    """The duties of a stream as a list, for the spreadsheet."""
    rows = [
        tuple(
            Cell(text)
            for text in (
                g.clause.cite, e.title, e.holder, moment(e.opened, pack), moment(e.deadline, pack),
                moment(e.ended, pack) if e.ended else "", e.gap, e.proof, e.word,
            )
        )
        for g in groups
        for e in g.rows
    ]  # fmt: skip
    return Listing(title, DUTIES, rows, "")


def _timeline(request: HttpRequest, found: Stream, world: World) -> dict[str, Any]:
    told = past.told(found.name, found.last)
    wanted = {name: request.GET.get(name, "") for name in ("clause", "unit", "kind")}
    lines = [x for x in told.lines if _asked(x, wanted, world)]
    page = Paginator(lines, LINES).get_page(request.GET.get("page"))
    said = [(x.seq, x.fact.at, past.named(x.fact), sentences.sentence(x.fact, world)) for x in page]
    kinds = {kind(x.fact) for x in told.lines}
    clauses = {past.clause(x.fact) for x in told.lines} & world.pack.clauses.keys()
    units = {u for x in told.lines for u in past.units(x.fact, world)}
    return {
        "page": page,
        "said": said,
        "wanted": wanted,
        "filtered": any(wanted.values()),
        "query": "".join(f"&{k}={v}" for k, v in wanted.items() if v),
        "kinds": sorted((k, past.KINDS[k]) for k in kinds),
        "clauses": sorted(
            (c, f"{world.pack.clauses[c].cite} {world.pack.clauses[c].title}") for c in clauses
        ),
        "units": [(u.id, u.name) for u in world.pack.units.values() if u.id in units],
    }


def _asked(line: Line, wanted: dict[str, str], world: World) -> bool:
    fact = line.fact
    return (
        wanted["kind"] in ("", kind(fact))
        and (not wanted["clause"] or past.clause(fact) == wanted["clause"])
        and (not wanted["unit"] or wanted["unit"] in past.units(fact, world))
    )


# ── again ────────────────────────────────────────────────────────────────────


@require_GET
def replay(request: HttpRequest, stream: str) -> HttpResponse:
    """The night again: how everything stood after any of its facts. ``?n=`` is the number of the fact."""
    world, found = here.world(), _found(stream)
    told = past.told(stream, found.last)
    total = len(told.lines)
    given = request.GET.get("n", "")
    n = min(max(int(given), 1), total) if given.isdecimal() else total
    state, line = told.at(n), told.lines[n - 1]
    then = World(world.pack, world.directory, {stream: state}, {})
    day = f"{calendar.local(line.fact.at, world.pack.zone):%Y-%m-%d}"
    towns = outlook.towns(state, then, line.fact.at, day)
    rows = list(board.rows(state).values())
    context = {
        "it": found,
        "title": past.title(found, world),
        "n": n,
        "total": total,
        "at": line.fact.at,
        "since": _since(line.fact.at - told.lines[0].fact.at),
        "counts": _counts(rows, line.fact.at),
        "levels": sorted(state.warning.now.zones.items()),
        "towns": [t for t in towns if t.state != "none"],
        "sketch": atlas.sketch(places.alone(towns), world.pack),
        "near": [
            (i, x.fact.at, sentences.sentence(x.fact, world), i == n)
            for i, x in enumerate(told.lines[max(0, n - 9) : n + 3], start=max(0, n - 9) + 1)
        ],
        "turns": _turns(told.lines, world),
        "back": max(1, n - 1),
        "on": min(total, n + 1),
    }
    name = "replay_state.html" if request.headers.get("HX-Request") else "replay.html"
    return render(request, name, context)


def _since(span: int) -> str:
    minutes = span // calendar.MINUTE
    return f"第 {minutes // 60} 时 {minutes % 60:02d} 分" if minutes >= 60 else f"第 {minutes} 分"


def _counts(rows: Sequence[Row], at: int) -> list[tuple[str, str, int]]:
    """How many duties stood how at that moment."""
    words = [STATUS["overdue" if r.status == "open" and r.deadline < at else r.status] for r in rows]
    return [
        (word, tint, words.count((word, tint))) for word, tint in STATUS.values() if (word, tint) in words
    ]


def _turns(lines: Sequence[Line], world: World) -> list[tuple[int, int, str]]:
    """Facts that somebody would jump to: number, moment, sentence; of several at one moment the first."""
    found: list[tuple[int, int, str]] = []
    for number, line in enumerate(lines, start=1):
        if past.weighty(line.fact) and not (found and found[-1][1] == line.fact.at):
            found.append((number, line.fact.at, sentences.sentence(line.fact, world)))
    return found
