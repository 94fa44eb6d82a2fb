"""真人演练 Drill: one with real people and in real time — announced, begun, played from proposals, ended, and what it came to.

Its pages alone speak of it, in the frame of a drill; pages in earnest show one line.
"""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fengsui.core import calendar, drill, drill_report, mind, wording
from fengsui.core.facts import Alerted, DrillSet, Fact, Notified
from fengsui.core.series import NAMES
from fengsui.core.state import DrillPart, Refusal, State, World
from fengsui.flow.waiting import storable
from fengsui.formats import sms
from fengsui.store import history
from fengsui.store.accounts import Account, Draft
from fengsui.web import here, paths, proposing, rights, sentences, tasks, verbs, written
from fengsui.web.lists import Cell
from fengsui.web.pages import issue
from fengsui.web.pages.login import account_of

STAGES = {
    "": ("", ""),
    "announced": ("已宣布，待开始", "wait"),
    "started": ("进行中", "wait"),
    "stopped": ("已结束", "ok"),
}
SOON = 30 * calendar.MINUTE
"""µs from now at which a drill is proposed to begin."""
FAR = 366 * calendar.DAY
"""µs beyond which a moment is not taken for one that is meant."""
CONFIRM = NAMES["exercise"]
"""What is typed before anybody is told."""
SHOWN = 40
"""Tasks that a drill's page shows."""


class Wish(NamedTuple):
    """What a form asks for, and the announcement it would be."""

    fact: DrillSet
    faults: list[str]
    text: str = ""
    persons: int = 0
    messages: int = 0


# ── the list 列表 ─────────────────────────────────────────────────────────────


def rows() -> list[tuple[int, tuple[Cell, ...]]]:
    """Every drill of real people for the list of all drills: when it began or is to, and its cells."""
    parts: dict[str, DrillPart] = {}
    for line in history.of_kind(here.session(), "drill_set"):
        if isinstance(line.fact, DrillSet):
            before = State(line.fact.stream, drill=parts.get(line.fact.stream, DrillPart()))
            parts[line.fact.stream] = drill.folded(before, line.fact).drill
    return [(part.started or part.begins, _row(name, part)) for name, part in parts.items()]


def _row(name: str, part: DrillPart) -> tuple[Cell, ...]:
    words, look = STAGES[part.stage]
    at = calendar.local(part.started or part.begins, here.pack().zone)
    report = Cell("见报告", url=reverse("drill_report", args=[name])) if part.started else Cell("")
    return (
        Cell(name, url=reverse("drill", args=[name])), Cell("真人"), Cell(title(part)), Cell(f"{at:%Y-%m-%d %H:%M}"),
        Cell(words, f"mark {look}"), Cell(f"{len(part.units)} 个单位"), report, Cell(""), Cell(""), Cell(""),
    )  # fmt: skip


# ── a new one 发起 ────────────────────────────────────────────────────────────


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Choose scenario, places, units and time; see the very words; announce."""
    account = account_of(request)
    form = request.POST.get("form", "") or secrets.token_hex(12)
    if request.method == "GET":
        return _form(request, _begun(request, account), form, looked=False)
    wish = _wished(request, account)
    if done := _recorded(form):  # a second click, or a way back
        return _to(done)
    if request.POST.get("do") != "announce" or wish.faults:
        return _form(request, wish, form, looked=not wish.faults, status=422 if wish.faults else 200)
    if request.POST.get("typed", "").strip() != CONFIRM:
        wrong = f"请键入“{CONFIRM}”二字，确认要通知这些真人参加演练，尚未宣布。[W260]"
        return _form(request, wish._replace(faults=[wrong]), form, looked=True, status=422)
    answer = here.record(wish.fact, form=form)
    if not answer.ok:
        wrong = f"{answer.text}。[{answer.code}]"
        return _form(request, wish._replace(faults=[wrong]), form, looked=False, status=409)
    return _to(_recorded(form) or wish.fact.stream)


def _recorded(form: str) -> str:
    """The stream a form became, also when it came twice."""
    lines = history.consequences(here.session(), f"form/{form}") if storable(form) else []
    return lines[0].fact.stream if lines else ""


def _begun(request: HttpRequest, account: Account) -> Wish:
    """A form as it is first shown: the scenario's own places, and whoever is responsible there."""
    pack, now = here.pack(), here.now()
    asked = request.GET.get("scenario", "")
    scenario = pack.drills.get(asked) or next(iter(pack.drills.values()), None)
    areas = tuple(a for a in scenario.areas if a in pack.areas) if scenario else ()
    begins = (now + SOON) // calendar.MINUTE * calendar.MINUTE
    units = tuple(u.id for u in pack.units.values() if "townships" not in u.groups or u.area in areas)
    told = DrillSet(
        "", now, "announced", account.person, scenario.id if scenario else "", units, areas, begins
    )
    return Wish(told, _unready())


def _wished(request: HttpRequest, account: Account) -> Wish:
    post = request.POST
    now, begins = here.now(), written.moment(post.get("begins", ""))
    if abs(begins - now) > FAR:  # a slip of the pen
        begins = 0
    if begins and begins <= now < begins + calendar.MINUTE:  # the minute that is running is now
        begins = now
    fact = DrillSet(
        _fresh(), now, "announced", account.person, post.get("scenario", ""),
        tuple(dict.fromkeys(post.getlist("unit"))), tuple(dict.fromkeys(post.getlist("area"))), begins,
    )  # fmt: skip
    faults = _unready()
    outcome = mind.consider(fact, "look", here.world())
    if isinstance(outcome, Refusal):
        return Wish(fact, [*faults, f"{outcome.text}。[{outcome.code}]"])
    text, persons = _announcement(
        [e.fact for e in outcome.entries], here.world().seen(outcome.streams[fact.stream])
    )
    return Wish(fact, faults, text, persons, persons * len(sms.split(text)))


def _announcement(facts: list[Fact], world: World) -> tuple[str, int]:
    """The words that go out, and to how many."""
    told = next(f for f in facts if isinstance(f, Notified))
    return wording.render(told, (), world, b""), len(told.recipients)


def _unready() -> list[str]:
    """Why no drill can be held here now."""
    if not here.pack().drills:
        return ["数据包中没有演练情景，请在数据包的 drills/ 下写一个。[W261]"]
    lanes = [lane.gateway for lane in here.house().lanes]
    if not any("exercise" in g.accepts and g.channel != "cap" for g in lanes):
        return ["没有一个网关接受演练，谁也通知不到。请管理员在“网关”中为一个网关勾选演练。[W262]"]
    return []


def _fresh() -> str:
    """The name of a new drill: its day, and how many there were."""
    stem = f"drill-{calendar.local(here.now(), here.pack().zone):%Y%m%d}-"
    rows = here.session().run(
        "SELECT DISTINCT stream FROM ledger WHERE stream >= ? AND stream < ?", stem, stem + "~"
    )
    known = {str(row[0]) for row in rows}
    return next(name for n in range(1, len(known) + 2) if (name := f"{stem}{n}") not in known)


def _form(request: HttpRequest, wish: Wish, form: str, *, looked: bool, status: int = 200) -> HttpResponse:
    pack = here.pack()
    units = [(u.id, u.name, u.id in wish.fact.units, "townships" in u.groups) for u in pack.units.values()]
    more = framed() | {
        "wish": wish, "form": form, "looked": looked, "confirm": CONFIRM,
        "scenarios": list(pack.drills.values()),
        "towns": [(a, name, a in wish.fact.areas) for a, name in written.towns() if a != pack.district],
        "townships": [u for u in units if u[3]], "offices": [u for u in units if not u[3]],
        "begins": written.local(wish.fact.begins),
    }  # fmt: skip
    return render(request, "drill_new.html", more, status=status)


def framed() -> dict[str, str]:
    """The frame of a drill's page."""
    return {"series": "exercise", "series_name": NAMES["exercise"]}


# ── one 一场 ─────────────────────────────────────────────────────────────────


def found(stream: str) -> State:
    """A drill's own stream. Raises Http404 for anything else."""
    state = here.world().at(stream)
    if not state.drill.stage or state.drill.of:
        raise Http404
    return state


@require_GET
def one(request: HttpRequest, stream: str) -> HttpResponse:
    """Where it stands: what the scenario proposes, what waits, who has answered."""
    return _shown(request, found(stream))


@require_POST
def turn(request: HttpRequest, stream: str) -> HttpResponse:
    """Begin it, or end it."""
    state, account = found(stream), account_of(request)
    wanted = request.POST.get("do", "")
    if wanted not in ("started", "stopped"):
        raise Http404
    stage = "started" if wanted == "started" else "stopped"
    answer = here.record(
        DrillSet(stream, here.now(), stage, account.person), form=request.POST.get("form", "")
    )
    if not answer.ok:
        return _shown(request, state, f"{answer.text}。[{answer.code}]", 409)
    return _to(stream)


def _to(stream: str) -> HttpResponse:
    return HttpResponseRedirect(reverse("drill", args=[stream]), status=303)


def title(part: DrillPart) -> str:
    """What a drill is called."""
    known = here.pack().drills.get(part.scenario)
    return known.title if known else part.scenario


def facts(stream: str) -> list[Fact]:
    """All of a drill, in order: its own stream and the incidents played in it."""
    session = here.session()
    names = [stream, *_played(stream)]
    lines = sorted((line for name in names for line in history.stream(session, name)), key=lambda x: x.seq)
    return [line.fact for line in lines]


def _played(stream: str) -> list[str]:
    """Incidents of a drill, also closed ones."""
    lines = history.of_kind(here.session(), "alerted", "exercise")
    return sorted({x.fact.stream for x in lines if isinstance(x.fact, Alerted) and x.fact.drill == stream})


def _shown(request: HttpRequest, state: State, wrong: str = "", status: int = 200) -> HttpResponse:
    account, world, now = account_of(request), here.world(), here.now()
    part, stream = state.drill, state.stream
    streams = drill.incidents(stream, world)
    incidents = [world.at(name) for name in streams]
    report = drill_report.report(facts(stream))
    owed = tasks.tasks(account, drill.played(stream, world), now)
    turns = rights.may(account.role, "drill_turn")
    more: dict[str, Any] = framed() | {
        "it": state, "part": part, "title": title(part), "stage": STAGES[part.stage], "wrong": wrong,
        "form": secrets.token_hex(12), "turns": turns, "now": now, "report": report,
        "told": len(drill.told(stream, world)), "open": sum(len(t.rows) for t in owed),
        "units": [sentences.unit(u, world) for u in part.units],
        "areas": "、".join(world.pack.areas[a].name for a in part.areas if a in world.pack.areas),
        "proposals": proposing.proposals(stream, incidents[0] if incidents else None, world, now)
        if part.stage == "started" and rights.may(account.role, "issue_preview") else [],
        "drafts": _drafts(stream, streams), "incidents": [_incident(s, account) for s in incidents],
        "tasks": owed[:SHOWN], "more": max(0, len(owed) - SHOWN),
        "media": paths.to(account.role, "media"),
    }  # fmt: skip
    return render(request, "drill_one.html", more, status=status)


def _incident(state: State, account: Account) -> dict[str, Any]:
    return {
        "stream": state.stream,
        "title": issue.subject(written.standing(state)) if state.alert.holds else "预警已解除",
        "version": state.alert.version,
        "acts": verbs.acts(state, account.role) if state.alert.holds else [],
    }


def _drafts(stream: str, streams: tuple[str, ...]) -> list[tuple[Draft, str]]:
    """Drafts of this drill that wait for a signature or for their author."""
    rows = Draft.objects.filter(kind=written.KIND, state__in=("submitted", "returned", "leaving", "going"))
    drafts = [(row, written.load(row)) for row in rows.order_by("at")[:50]]
    return [(row, issue.title(d)) for row, d in drafts if d.drill == stream or d.stream in streams]
