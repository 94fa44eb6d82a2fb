"""复核 Review: what one person signed alone is read by somebody else, with the reason, and his opinion is kept."""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from fengsui.core import wording
from fengsui.core.facts import Alerted, Reported
from fengsui.core.state import Share, State
from fengsui.store import history
from fengsui.store.archive import Paper
from fengsui.web import airing, here, paths, signing, written
from fengsui.web.pages.login import account_of
from fengsui.web.pages.sign import name

REPORT = "signature_review"
"""What ends the duty to review."""
MODES = {"retraction": "一人更正", "emergency": "紧急单人签发"}
OPINIONS = {"agree": "同意", "differ": "不同意"}


class Alone(NamedTuple):
    """A version signed by one person: what it says, why alone, and what it was before."""

    fact: Alerted
    mode: str
    who: str
    reason: str
    said: wording.Draft
    zones: tuple[tuple[str, str], ...]


class Opinion(NamedTuple):
    """A review that was made."""

    at: int
    who: str
    words: str


@require_http_methods(["GET", "POST"])
def review(request: HttpRequest, stream: str) -> HttpResponse:
    """What was signed alone in a stream, newest first, and the form for somebody else's opinion."""
    state = here.world().streams.get(stream)
    if state is None or not state.alert.version:
        raise Http404
    wrong = _reviewed(request, state) if request.method == "POST" else ""
    if request.method == "POST" and not wrong:
        answer = HttpResponseRedirect(request.path)
        answer.status_code = 303
        return answer
    return _shown(request, state, wrong)


def _open(state: State, unit: str) -> tuple[str, Share] | None:
    """The duty of a unit to review, while it is open."""
    found = ((key, duty.shares[unit]) for key, duty in state.duties.items() if unit in duty.shares)
    return next(((k, s) for k, s in found if s.open and REPORT in s.plan.evidence), None)


def _reviewed(request: HttpRequest, state: State) -> str:
    """Keep an opinion; "" or why not."""
    account = account_of(request)
    due, opinion = _open(state, account.unit), OPINIONS.get(request.POST.get("opinion", ""))
    words = request.POST.get("words", "").strip()
    if due is None:
        return "没有待您单位复核的签发，可能已由他人复核。[W138]"
    if not account.person:
        return "您的账号未对应责任人，不能复核。请管理员在“账号”中指定。[W125]"
    if opinion is None or (opinion == OPINIONS["differ"] and not words):
        return "请选择同意或不同意；不同意须写明意见。[W214]"
    paper = Paper("review", f"{opinion}。{words}".encode())
    key, share = due
    fact = Reported(
        state.stream, here.now(), REPORT, account.unit, account.person, share.plan.version, key, paper.digest
    )
    answer = here.record(fact, form=request.POST.get("form", ""), papers=[paper])
    return "" if answer.ok else signing.refused(answer)


def _shown(request: HttpRequest, state: State, wrong: str) -> HttpResponse:
    account = account_of(request)
    facts = [line.fact for line in history.stream(here.session(), state.stream)]
    due = _open(state, account.unit)
    more: dict[str, Any] = {
        "state": state, "title": airing.title(state, here.world()), "wrong": wrong, "token": secrets.token_hex(12),
        "due": due[1] if due else None, "self": account.person in state.alert.alone, "opinions": OPINIONS.items(),
        "alone": [_alone(f) for f in reversed(facts) if isinstance(f, Alerted) and f.mode],
        "made": [_opinion(f) for f in reversed(facts) if isinstance(f, Reported) and f.what == REPORT],
        "typed": request.POST, "correct": paths.to(account.role, "issue_correct", state.stream),
    }  # fmt: skip
    return render(request, "review.html", more, status=422 if wrong else 200)


def _alone(fact: Alerted) -> Alone:
    pack = here.pack()
    found = here.session().run(
        "SELECT reason FROM signature WHERE paper = ? AND signer_person = ?", fact.paper, fact.signer
    )
    reason = written.paper(str(found[0][0])).decode() if found else ""
    zones = tuple((pack.areas[z].name, level) for z, level in fact.zones.items() if z in pack.areas)
    said = wording.draft(written.paper(fact.paper))
    return Alone(fact, MODES[fact.mode], name(fact.signer), reason, said, zones)


def _opinion(fact: Reported) -> Opinion:
    return Opinion(fact.at, name(fact.by), written.paper(fact.paper).decode())
