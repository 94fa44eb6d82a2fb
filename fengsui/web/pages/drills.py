"""演练 Drills: the list of drills; those with invented people — chosen, watched while they run, stopped, and their end."""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fengsui.core import alerts, calendar
from fengsui.core.clauses import Pack
from fengsui.core.directory import Directory
from fengsui.core.levels import LEVELS, Level
from fengsui.core.scenario import Scenario
from fengsui.core.state import World, Zoned
from fengsui.flow.simulations import Progress, Refused, Simulation, Wish
from fengsui.web import here, lists, rights
from fengsui.web.lists import Cell, Listing
from fengsui.web.pages import drill, drill_reports
from fengsui.web.pages.login import account_of
from fengsui.web.pages.signals import framed

EMPTY = "还没有演练过。点“新的模拟演练”选一个情景，不会惊动任何真人。"
COLUMNS = ("编号", "种类", "情景", "开始", "状态", "人数", "5 分钟应答", "15 分钟应答", "逾期办结", "督办")
STATES = {
    "running": ("进行中", "wait"),
    "done": ("已演完", "ok"),
    "stopped": ("人工停止", ""),
    "failed": ("没有演成", "late"),
    "aborted": ("随系统停止而中断", "late"),
}
FEWEST, MOST, USUAL = 60, 3000, 240
"""Invented people of a simulation: every unit must have somebody, and the machine has other work."""
PACES = {0: "尽快演完（约十秒，人越多越久）", 60: "一秒当一分钟", 20: "一秒当二十秒"}
"""Seconds that pass in one → what it is called."""


class Step(NamedTuple):
    """A version of the scenario: when, what it does, how many townships are at which level, strong first."""

    at: str
    name: str
    levels: tuple[tuple[Level, int], ...]
    over: bool


class Choice(NamedTuple):
    """A scenario as it is offered. level: the strongest it reaches; fault: why it can not be played now."""

    scenario: Scenario
    hazard: str
    level: Level | str
    steps: list[Step]
    fault: str


# ── the list 列表 ─────────────────────────────────────────────────────────────


@require_GET
def drills(request: HttpRequest) -> HttpResponse:
    """Every drill that is remembered, newest first; ``?csv=1``, ``?xlsx=1``."""
    simulations = here.house().simulations
    rows = [(one.began, _row(one, simulations.result(one.id))) for one in simulations.all()]
    rows = sorted((*drill.rows(), *rows), key=lambda row: row[0], reverse=True)
    account = account_of(request)
    begins = Cell("新的模拟演练", "primary", reverse("drills_new"))
    actions = (begins,) if rights.may(account.role, "drills_new") else ()
    if rights.may(account.role, "drill_new"):
        actions = (*actions, Cell("发起真人演练", "", reverse("drill_new")))
    return lists.show(request, Listing("演练", COLUMNS, [row for _, row in rows], EMPTY, actions=actions))


def _row(one: Simulation, result: dict[str, Any] | None) -> tuple[Cell, ...]:
    words, look = STATES[one.state]
    shares = result["answered_share"] if result else {}
    sums = [sum(c[name] for c in result["clauses"]) if result else "" for name in ("late", "supervised")]
    return (
        Cell(one.id, url=reverse("simulation", args=[one.id])),
        Cell("模拟"),
        Cell(one.title),
        Cell(_moment(one.began)),
        Cell(words, f"mark {look}"),
        Cell(str(one.wish.people)),
        *(Cell(f"{shares[mark]:.0%}" if mark in shares else "") for mark in ("5", "15")),
        *(Cell(str(total)) for total in sums),
    )


def _moment(at: int) -> str:
    return f"{calendar.local(at, here.pack().zone):%Y-%m-%d %H:%M}"


# ── a new one 新的 ────────────────────────────────────────────────────────────


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Choose what is to be played, and begin."""
    given = request.POST if request.method == "POST" else request.GET
    choices = [_choice(scenario, here.pack()) for scenario in here.pack().drills.values()]
    wrong = ""
    if request.method == "POST":
        wish, wrong = _wish(request, choices)
        if wish:
            try:
                one = here.house().simulations.start(wish)
            except Refused as refused:
                wrong = str(refused)
            else:
                answer = redirect("simulation", one.id)
                answer.status_code = 303
                return answer
    shown = {
        "choices": choices,
        "chosen": given.get("scenario", ""),
        "people": given.get("people", USUAL),
        "seed": given.get("seed", 1),
        "pace": given.get("pace", "0"),
        "paces": PACES.items(),
        "fewest": FEWEST,
        "most": MOST,
        "form": given.get("form") or secrets.token_hex(12),
        "wrong": wrong,
    }
    return render(request, "drills_new.html", shown | framed("test"), status=409 if wrong else 200)


def _wish(request: HttpRequest, choices: list[Choice]) -> tuple[Wish | None, str]:
    """What a form asks for, or what is wrong with it."""
    given = request.POST
    choice = next((c for c in choices if c.scenario.id == given.get("scenario")), None)
    if choice is None or choice.fault:
        return None, choice.fault if choice else "请选择一个情景。[W250]"
    people, seed, pace = (_number(given.get(name, "")) for name in ("people", "seed", "pace"))
    if people is None or not FEWEST <= people <= MOST:
        return None, f"人数须为 {FEWEST} 到 {MOST} 的整数。[W251]"
    if seed is None:
        return None, "种子须为不超过九位的整数。[W252]"
    if pace not in PACES:
        return None, "请选择快慢。[W253]"
    return Wish(
        choice.scenario.id, people, seed, pace, given.get("form", "")[:64], account_of(request).role
    ), ""


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


def _choice(scenario: Scenario, pack: Pack) -> Choice:
    hazard = pack.hazards[scenario.hazard]
    steps = _steps(scenario, pack)
    levels = [level for step in steps for level, _ in step.levels]
    fault = scenario.fault(hazard)
    return Choice(scenario, hazard.name, max(levels, key=LEVELS.index, default=""), steps, fault)


def _steps(scenario: Scenario, pack: Pack, at: int = 0) -> list[Step]:
    """The versions of a scenario. at: how far it has been played, UTC µs of its own time."""
    hazard, found, before = pack.hazards[scenario.hazard], [], Zoned()
    for move in (*scenario.version, scenario.cleared):
        now = Zoned(scenario.zones(hazard, move.drafted))
        held = list(now.zones.values())
        levels = tuple((level, held.count(level)) for level in reversed(LEVELS) if level in held)
        name = pack.texts.verbs[alerts.fitting(before, now, pack)]
        before = now
        found.append(Step(move.signed, name, levels, scenario.moment(move.signed, pack.zone) <= at))
    return found


# ── one 一场 ──────────────────────────────────────────────────────────────────


@require_GET
def simulation(request: HttpRequest, name: str) -> HttpResponse:
    """One simulation: live while it runs, afterwards what it came to."""
    return render(request, "drills_one.html", _shown(request, name))


@require_GET
def live(request: HttpRequest, name: str) -> HttpResponse:
    """The part of its page that changes while it runs."""
    return render(request, "drills_live.html", _shown(request, name))


@require_GET
def report(request: HttpRequest, name: str) -> HttpResponse:
    """Who answered when and what was missed, by unit and post; ``?csv=1``, ``?xlsx=1``."""
    one, made = _found(name), here.house().simulations.report(name)
    if made is None:
        raise Http404
    invented = World(here.pack(), Directory({}, {}), {}, {})  # whose posts are not those of our own directory
    listing = Listing(
        f"模拟演练报告　{one.title}",
        drill_reports.COLUMNS,
        drill_reports.rows(made, invented),
        drill_reports.EMPTY,
        f"模拟演练 {one.id}，时刻为模拟时刻；只列单位和岗位，不列姓名",
        (Cell("回这场演练", "", reverse("simulation", args=[one.id])),),
    )
    return lists.show(request, listing, **framed("test"))


@require_POST
def stop(request: HttpRequest, name: str) -> HttpResponse:
    """End it; what it had come to stays."""
    del request
    one = _found(name)
    here.house().simulations.stop(one.id)
    answer = redirect("simulation", one.id)
    answer.status_code = 303
    return answer


def _found(name: str) -> Simulation:
    one = here.house().simulations.one(name)
    if one is None:
        raise Http404
    return one


def _shown(request: HttpRequest, name: str) -> dict[str, Any]:
    simulations, pack = here.house().simulations, here.pack()
    one = _found(name)
    progress, result = simulations.progress(name), simulations.result(name)
    before = _before(one)
    words, look = STATES[one.state]
    scenario = pack.drills.get(one.wish.scenario)
    clauses = (result or {}).get("clauses") or (progress.clauses if progress else [])
    return framed("test") | {
        "one": one,
        "state": words,
        "look": look,
        "scenario": scenario,
        "pace": PACES.get(one.wish.pace, ""),
        "steps": _steps(scenario, pack, progress.at if progress else 0) if scenario else [],
        "progress": progress,
        "done": _share(progress, one),
        "result": result,
        "reported": simulations.report(name) is not None,
        "answers": _answers(progress, result, before),
        "before": before,
        "clauses": [c | {"cite": _cite(pack, c["id"])} for c in clauses if c["triggered"]],
        "stops": one.state == "running" and rights.may(account_of(request).role, "simulation_stop"),
    }


def _cite(pack: Pack, id_: str) -> str:
    return f"{pack.clauses[id_].cite} {pack.clauses[id_].title}" if id_ in pack.clauses else id_


def _share(progress: Progress | None, one: Simulation) -> int:
    """How far it is, in percent."""
    if one.state == "done":
        return 100
    if progress is None:
        return 0
    return round(
        100 * max(0, progress.at - progress.begin) / max(calendar.MINUTE, progress.end - progress.begin)
    )


def _before(one: Simulation) -> Simulation | None:
    """The last one of the same scenario that was played to its end before this one."""
    older = (o for o in here.house().simulations.all() if o.began < one.began and o.state == "done")
    return next((o for o in older if o.wish.scenario == one.wish.scenario), None)


def _answers(
    progress: Progress | None, result: dict[str, Any] | None, before: Simulation | None
) -> list[tuple[str, str, str]]:
    """Minutes after issue, share of answers by then, the same of the time before; "" where it is not known yet."""
    now = (result or {}).get("answered_share") or (progress.answered if progress else {})
    last = (here.house().simulations.result(before.id) or {}).get("answered_share", {}) if before else {}
    return [
        (mark, f"{now[mark]:.0%}" if mark in now else "", f"{last[mark]:.0%}" if mark in last else "")
        for mark in ("1", "3", "5", "10", "15")
    ]
