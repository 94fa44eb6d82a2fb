"""值班台 Desk: what waits, what is in force, how far each township is, what has happened — in one view that stays live.

Everything is read from the world of the last commit once a request; three queries bring counts, names and the log.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import zip_longest
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET

from fengsui.core import calendar
from fengsui.core.state import World
from fengsui.formats import badges
from fengsui.store import history, inbox, progress
from fengsui.store.accounts import Account
from fengsui.web import (
    alarms,
    arrived,
    atlas,
    channels,
    drafts,
    here,
    lists,
    numbers,
    outlook,
    paths,
    places,
    rights,
    sentences,
    tasks,
    verbs,
    waiting,
    written,
)
from fengsui.web.outlook import Town, Warned
from fengsui.web.pages import handover
from fengsui.web.pages.login import account_of
from fengsui.web.places import Place, Sign
from fengsui.web.shared import Moment, moment

LOOKED, PAGES, LINES = 300, 4, 12
"""Facts read at a time, times at most, and lines of the log that are shown."""
LEFT = 20
"""Lines of leftovers that are shown."""
SAID = {
    "answered": "已登记签收，此项已了结。",
    "done": "已代为登记，此项已了结。",
    "promised": "通话已记录。对方尚未办结，此项仍在待办中。",
    "handover": "交接班已记录。",
}
"""What a page that led here has done."""
SEEN = frozenset({"forecaster", "signer", "clerk", "leader", "administrator"})
"""Roles that see names of responsible persons on the desk."""


ALL = "all"
"""Asks for all warnings at once."""
KEYS = "abcdefghi"
"""Keys that choose what to look at."""


class InForce(NamedTuple):
    """A warning in force with its drawing and what may be done about it. pressing: its end is near or past and nobody has
    decided; over: it has run out, neither renewed nor lifted.
    """

    it: Warned
    badge: str
    acts: list[verbs.Act]
    pressing: bool
    over: bool


class Choice(NamedTuple):
    """A way to look at warnings: one or all of them, by which key, with which sign; chosen: it is the one that is shown."""

    of: str
    name: str
    key: str
    chosen: bool
    sign: Sign | None = None


class Line(NamedTuple):
    """A township's row: its person and the page to call."""

    town: Place
    name: str
    mask: str
    url: str


@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """The desk, made anew for whoever opens it."""
    fresh = Moment()
    view = _view(account_of(request), request.GET.get("of", ""), fresh)
    context: dict[str, Any] = {
        "said": SAID.get(request.GET.get("said", ""), ""),
        "shift": handover.latest(),
        "handover": paths.to(view.role, "desk_handover"),
        "sheet": _sheet(view.role),
        "of": view.of,
    }
    return render(
        request,
        "desk.html",
        context | _waiting(view, fresh) | _picture(view.role, view.home, view.of, fresh) | _channels(),
    )


@require_GET
def live(request: HttpRequest) -> HttpResponse:
    """The part of the desk that changes with every commit."""
    return HttpResponse(fragment(account_of(request), request.GET.get("of", ""), moment()))


def fragment(account: Account, of: str, now: Moment) -> str:
    """That part as HTML: every open desk asks for it at once, so it is made once for all who would read the same.

    It is made without the request, so that nothing of one account can stand in it for another.
    """
    view = _view(account, of, now)

    def columns() -> str:
        return render_to_string("desk_columns.html", _picture(view.role, view.home, view.of, now))

    def cards() -> str:
        return render_to_string("desk_tasks.html", _waiting(view, now))

    parts = (
        now.once(("cards", view._replace(of="")), cards),
        now.once(("columns", view.role, view.home, view.of), columns),
    )
    return "".join(parts)


@require_GET
def ways(request: HttpRequest) -> HttpResponse:
    """The strip of the channels, asked for every ten seconds."""
    return HttpResponse(strip(account_of(request).role))


def strip(role: str) -> str:
    """That strip as HTML."""
    return render_to_string("desk_channels.html", _channels() | {"sheet": _sheet(role)})


@require_GET
def all_tasks(request: HttpRequest) -> HttpResponse:
    """Every task of the account as a list."""
    world, now, account = here.live(), here.now(), account_of(request)
    current, left = waiting.sort(tasks.groups(account, world, now), world, now)
    found = [(t, r) for g in (*current, *left) for t in (tasks.task(g, account, world),) for r in t.rows]
    over = {g.id for g in left}
    kinds = {"desk": "late", "supervised": "late", "overdue": "late", "open": "wait"}
    rows = [
        [
            lists.Cell(sentences.unit(r.unit, world)),
            lists.Cell(sentences.holder(r.holder, world) if "/" in r.holder else ""),
            lists.Cell(sentences.title(r.duty, world)),
            lists.Cell(waiting.label(r.stream, world) + ("（已解除）" if t.id in over else "")),
            lists.Cell(t.word, kinds[t.rank]),
            lists.Cell(f"{calendar.local(r.deadline, world.pack.zone):%m-%d %H:%M}"),
            lists.Cell(world.pack.clauses[r.clause].cite if r.clause in world.pack.clauses else r.clause),
            lists.Cell(t.action, url=_row_url(account, t.url, t.rows[0].id, r.id)),
        ]
        for t, r in found
    ]
    columns = ("单位", "岗位", "办什么", "过程", "状态", "时限", "条款", "去办")
    note = "最急的在前：待人工处理、督办中、已超时、在办；已解除过程的遗留在后"
    return lists.show(request, lists.Listing("全部待办", columns, rows, "没有待办事项。", note))


def _row_url(account: Account, url: str, first: str, row: str) -> str:
    """The task's action for another of its rows."""
    for page in ("call", "desk_do"):
        if url and url == paths.to(account.role, page, first):
            return paths.to(account.role, page, row)
    return url


# ── the picture ──────────────────────────────────────────────────────────────


class _View(NamedTuple):
    """What a desk depends on beside the world: who looks, his township ("" = none), at which warning, drafts, letters."""

    role: str
    unit: str
    home: str
    of: str
    drafts: tuple[tasks.Task, ...]
    letters: int


def _view(account: Account, of: str, at: Moment) -> _View:
    world = at.world
    unit = world.pack.units.get(account.unit)
    return _View(
        account.role,
        account.unit,
        account.unit if unit and "townships" in unit.groups else "",
        of if of == ALL or of in world.streams else "",
        (*drafts.tasks_of(account, at.once("drafts", drafts.waiting)), *arrived.tasks_of(account.role, at)),
        at.once("letters", lambda: inbox.waits(here.session())) if rights.may(account.role, "letters") else 0,
    )


def _waiting(view: _View, at: Moment) -> dict[str, Any]:
    """What waits for whoever looks."""
    world = at.world
    who = "desk" if view.role in tasks.DESK else (view.role, view.unit)
    found = at.once(("groups", who), lambda: waiting.sort(tasks.groups(view, world, at.now), world, at.now))
    named = sum(s.alert.holds for s in world.streams.values()) > 1
    piles = waiting.piles(found.current, view.unit)
    cards = [waiting.Card(d) for d in view.drafts][: tasks.SHOWN]
    cards += [waiting.card(p, view, world, named=named) for p in piles[: tasks.SHOWN - len(cards)]]
    left = waiting.piles(found.left, "")
    total = len(view.drafts) + len(found.current)
    return {
        "cards": list(enumerate(cards, start=1)),
        "total": total,
        "more": total - sum(c.count for c in cards),
        "left": [waiting.card(p, view, world, named=True) for p in left[:LEFT]],
        "left_total": len(found.left),
        "left_more": len(left) > LEFT,
        "all_tasks": paths.to(view.role, "desk_tasks"),
        "letters": view.letters,
        "alone": waiting.alone(found.current, view.role, world),
        "sounds": view.role in tasks.DESK,
        "alarms": json.dumps(_alarms(view, found.current, at), ensure_ascii=False),
        "at": at.now,
    }


def _picture(role: str, home: str, of: str, at: Moment) -> dict[str, Any]:
    """What is in force and how far it has got, as a role sees it: a township its own warnings first."""
    world = at.world
    warned = at.once("warned", lambda: _warned(at))
    own = [w for w in warned if home and _touches(w, home, world)]
    looked = _looked(of, warned, own)
    towns = [(w, at.once(("towns", w.stream), lambda w=w: _towns(w.stream, at))) for w in looked]
    seen = places.places(towns, home) if towns else places.alone(_towns("", at))
    return {
        "warned": [
            _in_force(w, role, world, at.now)
            for w in sorted(warned, key=lambda w: bool(own) and w not in own)
        ],
        "beside": arrived.beside(world, at.now, role),
        "looked": [(w, places.sign(w, w.level)) for w in looked],
        "signs": {s.id: s for p in seen for s in p.signs}
        | {s.id: s for s in (places.sign(w, w.level) for w in warned)},
        "choices": _choices(warned, own, looked),
        "issue": paths.to(role, "issue") if role in drafts.WRITING else "",
        "sees": role in SEEN,
        "lines": _lines([p for p in seen if p.state != "none"], role),
        "aside": [p.name for p in seen if p.state == "none"],
        "map": at.once(("map", tuple(w.stream for w in looked)), lambda: _map(towns, at)),
        "legend": [(s, *outlook.STATES[s]) for s in ("relayed", "received", "delivered", "late", "planned")],
        "log": at.once("log", lambda: _log(world)),
        "ledger": paths.first(role, ("ledger",), ("history",)),
    }


def _map(towns: list[tuple[Warned, list[Town]]], at: Moment) -> str:
    """The sketch as HTML, the same for whoever looks at these warnings."""
    seen = places.places(towns, "") if towns else places.alone(_towns("", at))
    return render_to_string("desk_map.html", {"sketch": atlas.sketch(seen, at.world.pack)})


def _warned(at: Moment) -> list[Warned]:
    world = at.world
    holding = [(s.stream, s.alert.version) for s in world.streams.values() if s.alert.holds]
    counts = progress.channels(here.session(), holding) if holding else {}
    return outlook.warned(world, at.now, counts)


def _towns(stream: str, at: Moment) -> list[Town]:
    """Every township with a warning, with none if there is no stream."""
    day = f"{calendar.local(at.now, at.world.pack.zone):%Y-%m-%d}"
    return outlook.towns(at.world.at(stream) if stream else None, at.world, at.now, day)


def _touches(one: Warned, home: str, world: World) -> bool:
    area = world.pack.units[home].area
    return world.at(one.stream).alert.now.level(area) is not None


def _looked(of: str, warned: list[Warned], own: list[Warned]) -> list[Warned]:
    """What table and sketch speak of: the warning that was asked for, or all; at first one's own township's, if any."""
    if of == ALL:
        return warned
    return [w for w in warned if w.stream == of] or own or warned


def _choices(warned: list[Warned], own: list[Warned], looked: list[Warned]) -> list[Choice]:
    """One's own township, all, and each warning alone, where there is a choice."""
    if len(warned) < 2:
        return []
    made = [(ALL, f"全部 {len(warned)} 条", warned, None)]
    if 1 < len(own) < len(warned):
        made.insert(0, ("", f"本乡镇 {len(own)} 条", own, None))
    made += [(w.stream, f"{w.hazard}{w.level_name}", [w], places.sign(w, w.level)) for w in warned]
    return [
        Choice(of, name, key, looked == shown, sign)
        for (of, name, shown, sign), key in zip_longest(made, KEYS[: len(made)], fillvalue="")
    ]


def _channels() -> dict[str, Any]:
    found = channels.ways()
    return {
        "ways": found,
        "down": [w for w in found if not w.up],
        "trouble": channels.warnings(),
        "deaf": channels.deaf(),
    }


def _sheet(role: str) -> str:
    return paths.to(role, "call_sheet")


def _in_force(one: Warned, role: str, world: World, now: int) -> InForce:
    drawing = badges.badge(one.hazard_id, one.level, one.hazard, one.hazard_en)
    return InForce(
        one,
        mark_safe(drawing),  # noqa: S308 - drawn by us from the pack's words, which it escapes
        verbs.acts(world.at(one.stream), role),
        one.expires - verbs.AHEAD <= now,
        one.expires <= now,
    )


def _lines(towns: list[Place], role: str) -> list[Line]:
    sees = role in SEEN
    cards = numbers.cards(here.session(), [t.person for t in towns]) if sees else {}
    lines = []
    for town in towns:
        card = cards.get(town.person)
        url = paths.to(role, "call", town.call) if town.call else ""
        lines.append(Line(town, card.name if card else "", card.mask if card else "", url))
    return lines


def _alarms(view: _View, found: Iterable[tasks.Group], at: Moment) -> dict[str, int]:
    if view.role not in tasks.DESK:
        return {}
    return alarms.of(view.drafts, found) | alarms.undecided(at.world, at.now)


def _log(world: World) -> list[sentences.Said]:
    """The newest lines worth reading, looking back only so far."""
    session, before, read = here.session(), 1 << 62, []
    for _ in range(PAGES):
        page = history.page(session, before=before, limit=LOOKED, but=written.apart())
        read += page
        said = list(sentences.log(read, world))
        if len(page) < LOOKED or len(said) > LINES:
            break
        before = page[-1].seq
    return said[:LINES]
