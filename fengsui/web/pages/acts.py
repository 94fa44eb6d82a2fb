"""登记 Acts: what a unit records of itself — consultations and response, 停工停业停课, and the reports it owes.

The forms are the same for every kind of report that the pack's table names; free text becomes a paper.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from fengsui.core.facts import Consulted, Fact, Reported, ResponseSet, SuspensionDecided
from fengsui.core.state import DISTRICT, Share, State
from fengsui.store.accounts import Account
from fengsui.store.archive import Paper
from fengsui.web import airing, here
from fengsui.web.pages.login import account_of

STOPS = {"work": "停工", "business": "停业", "classes": "停课"}
GRADES = ("IV", "III", "II", "I")
STAGES = {"called": "已召集", "held": "已召开", "concluded": "已有结论"}
OUTCOMES = {"activate": "建议启动响应", "none": "不启动响应"}
HEADQUARTERS = "headquarters"
LARGEST = 2_000_000
"""Bytes of an attached document."""


def _state(stream: str) -> State:
    state = here.world().streams.get(stream)
    if state is None:
        raise Http404
    return state


def _about(state: State) -> dict[str, Any]:
    """What stands above every page of a stream."""
    if not state.warning.version:
        return {"state": state, "title": "责任人名单" if state.stream == DISTRICT else state.stream}
    return {
        "state": state,
        "title": airing.title(state, here.world()),
        "level": airing.strongest(state),
        "holds": state.warning.holds,
    }


def _done(request: HttpRequest, fact: Fact, *papers: Paper) -> str:
    """Record what a form says; "" or why not."""
    answer = here.record(fact, form=request.POST.get("form", ""), papers=papers)
    if answer.ok:
        return ""
    text = answer.text.rstrip("。")
    return text if answer.code in text else f"{text}。[{answer.code}]"


def _again(request: HttpRequest, said: str) -> HttpResponse:
    request.session["said"] = said
    answer = HttpResponseRedirect(request.path)
    answer.status_code = 303
    return answer


def _paper(request: HttpRequest, kind: str) -> Paper | None:
    """An attached document, or else what was typed."""
    file = request.FILES.get("file")
    if file is not None and 0 < (file.size or 0) <= LARGEST:
        return Paper(kind, file.read())
    text = request.POST.get("text", "").strip()
    return Paper(kind, text.encode()) if text else None


def _show(request: HttpRequest, template: str, state: State, wrong: str, **more: Any) -> HttpResponse:
    said = request.session.pop("said", "") if request.method == "GET" else ""
    status = 422 if wrong else 200
    tokens = [secrets.token_hex(12) for _ in range(3)]
    typed = {"wrong": wrong, "said": said, "token": tokens[0], "tokens": tokens, "typed": request.POST}
    return render(request, template, _about(state) | typed | more, status=status)


# ── 会商与响应 ────────────────────────────────────────────────────────────────


@require_http_methods(["GET", "POST"])
def consult(request: HttpRequest, stream: str) -> HttpResponse:
    """Hold and conclude the consultations of a stream; the headquarters set the response."""
    state, account, wrong = _state(stream), account_of(request), ""
    if request.method == "POST":
        act = _respond if request.POST.get("do") == "respond" else _consult
        said, wrong = act(request, state, account)
        if said:
            return _again(request, said)
    rows = [
        {
            "name": name, "fact": c, "stage": STAGES[c.stage], "token": secrets.token_hex(12),
            "invited": "、".join(here.pack().units[u].name for u in c.invited if u in here.pack().units),
            "outcome": OUTCOMES.get(c.outcome, c.outcome),
            "mine": account.unit == c.unit,
        }
        for name, c in state.consultations.items()
    ]  # fmt: skip
    commands = account.role == "leader" and account.unit == HEADQUARTERS
    return _show(
        request, "consult.html", state, wrong, rows=rows, commands=commands, grades=GRADES, outcomes=OUTCOMES
    )


def _consult(request: HttpRequest, state: State, account: Account) -> tuple[str, str]:
    known = state.consultations.get(request.POST.get("consultation", ""))
    if known is None:
        return "", "没有这次会商，请刷新。[W138]"
    if account.unit != known.unit:
        return "", "会商由组织单位登记，您的账号不属于该单位。[W121]"
    if request.POST.get("do") == "held":
        stage, outcome, papers = "held", "", ()
    else:
        stage, outcome = "concluded", request.POST.get("outcome", "")
        minutes = _paper(request, "minutes")
        if outcome not in OUTCOMES:
            return "", "请选择结论。[W134]"
        papers = (minutes,) if minutes else ()  # type: ignore[assignment]
    fact = Consulted(
        state.stream, here.now(), known.consultation, known.type, stage, known.unit, account.person,  # type: ignore[arg-type]
        outcome=outcome, paper=papers[0].digest if papers else "",
    )  # fmt: skip
    wrong = _done(request, fact, *papers)
    return ("" if wrong else f"已登记：{STAGES[stage]}", wrong)


def _respond(request: HttpRequest, state: State, account: Account) -> tuple[str, str]:
    grade = request.POST.get("grade", "?")
    if account.role != "leader" or account.unit != HEADQUARTERS:
        return "", "启动或终止响应由指挥部领导决定。[W121]"
    if grade not in (*GRADES, ""):
        return "", "请选择响应级别。[W134]"
    wrong = _done(request, ResponseSet(state.stream, here.now(), grade, account.unit, account.person))
    done = f"已启动 {grade} 级应急响应" if grade else "已终止应急响应"
    return ("" if wrong else done, wrong)


# ── 停工停业停课 ──────────────────────────────────────────────────────────────


@require_http_methods(["GET", "POST"])
def suspend(request: HttpRequest, stream: str) -> HttpResponse:
    """Decide what my unit stops, or that it goes on and why; lift it after the safety check."""
    state, account, wrong = _state(stream), account_of(request), ""
    if request.method == "POST":
        said, wrong = _decide(request, state, account)
        if said:
            return _again(request, said)
    before = state.suspension.get(account.unit)
    words = "、".join(name for s, name in STOPS.items() if before and s in before.stops)
    stopped = bool(before and before.stops and not before.lifted)
    owed = _owed(state, account, words=("suspension_decided", "suspension_lifted"))
    return _show(
        request, "suspend.html", state, wrong, before=before, before_words=words, stopped=stopped, owed=owed, stops=STOPS,
        chosen=request.POST.getlist("stops"), reports=_reports(state, account, words=("suspension_notice", "suspension_report")),
        standing=[STOPS.get(s, s) for s in here.world().directory.standing.get(account.unit, ())],
    )  # fmt: skip


def _decide(request: HttpRequest, state: State, account: Account) -> tuple[str, str]:
    stops = tuple(s for s in STOPS if s in request.POST.getlist("stops"))
    reason = _paper(request, "reason")
    do, seen = request.POST.get("do"), request.POST.get("seen", "0")
    if do == "stop" and not stops:
        return "", "请勾选停什么；若不停，请在右侧写明理由。[W134]"
    if do == "go" and reason is None:
        return "", "不停须写明理由。[W134]"
    papers = (reason,) if reason else ()
    fact = SuspensionDecided(
        state.stream, here.now(), account.unit, account.person, stops if do == "stop" else (),
        papers[0].digest if papers else "", lifted=do == "lift", replaces=int(seen) if seen.isdecimal() else 0,
    )  # fmt: skip
    wrong = _done(request, fact, *papers)
    words = "、".join(STOPS[s] for s in stops)
    said = {"stop": f"已决定：{words}。请在时限内发布通告、反馈执行情况", "go": "已记录：不停，理由存档"}
    return ("" if wrong else said.get(str(do), "已恢复"), wrong)


# ── 报告 ──────────────────────────────────────────────────────────────────────


@require_http_methods(["GET", "POST"])
def report(request: HttpRequest, stream: str) -> HttpResponse:
    """Every report that my unit owes, one form each; what is proved otherwise shows where."""
    state, account, wrong = _state(stream), account_of(request), ""
    if request.method == "POST":
        said, wrong = _reported(request, state, account)
        if said:
            return _again(request, said)
    others = [row for row in _owed(state, account) if not row["reports"]]
    return _show(request, "report.html", state, wrong, reports=_reports(state, account), others=others)


def _reported(request: HttpRequest, state: State, account: Account) -> tuple[str, str]:
    what, key = request.POST.get("what", ""), request.POST.get("duty", "")
    kind = here.pack().reports.get(what)
    duty = state.duties.get(key)
    if kind is None or duty is None or account.unit not in duty.shares:
        return "", "没有这项待办，可能已办结。请刷新。[W138]"
    paper = _paper(request, "report")
    if kind.paper and paper is None:
        return "", f"《{kind.title}》须附文书：请填写正文或选择文件（不超过 2 MB）。[W134]"
    papers = (paper,) if paper else ()
    version = duty.shares[account.unit].plan.version
    fact = Reported(
        state.stream,
        here.now(),
        what,
        account.unit,
        account.person,
        version,
        key,
        papers[0].digest if papers else "",
    )
    wrong = _done(request, fact, *papers)
    return ("" if wrong else f"已登记：{kind.title}", wrong)


def _owed(state: State, account: Account, words: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Open duties of my unit, the soonest first. words: only those that one of these proves."""
    pack = here.pack()
    found = []
    for key, duty in state.duties.items():
        for holder, share in duty.shares.items():
            if not share.open or holder.split("/", 1)[0] != account.unit:
                continue
            if words and not set(words) & set(share.plan.evidence):
                continue
            reports = [
                (w, pack.reports[w]) for w in share.plan.evidence if w in pack.reports and "/" not in holder
            ]
            found.append(_row(key, holder, share, reports, state.stream))
    return sorted(found, key=lambda row: row["deadline"])


def _row(key: str, holder: str, share: Share, reports: list[Any], stream: str) -> dict[str, Any]:
    return {
        "key": key, "holder": holder, "clause": key.split("/", 1)[0], "deadline": share.deadline, "reports": reports,
        "late": share.deadline < here.now(), "where": _where(share, stream), "token": secrets.token_hex(12),
        "supervised": share.supervised,
    }  # fmt: skip


def _reports(state: State, account: Account, words: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    return [row for row in _owed(state, account, words) if row["reports"]]


def _where(share: Share, stream: str) -> tuple[str, str]:
    """Where a duty is proved that is not a report: what to do, and the page."""
    words = set(share.plan.evidence)
    if words & {"suspension_decided", "suspension_lifted"}:
        return "去作决定", f"/suspend/{stream}"
    if words & {"held", "concluded", "response_set"}:
        return "去登记会商", f"/consult/{stream}"
    if any(w.startswith(("aired_", "off_air_")) for w in words):
        return "去登记插播", "/media"
    if "acknowledged" in words:
        return "请本人回短信 1，或点短信中的链接", ""
    return "系统自动核对", ""
