"""更正 Correct: the correction of the version in force, ready since it was issued — take it back, or put it right.

Who only lowers, narrows or takes back signs alone, at once, and is reviewed afterwards; all else goes to another person.
"""

from __future__ import annotations

import secrets
import threading
from typing import Any

import msgspec
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from fengsui.core import alerts, wording
from fengsui.core.facts import Alerted
from fengsui.core.levels import LEVELS
from fengsui.core.series import mark
from fengsui.core.state import Refusal, State, Zoned
from fengsui.flow.inputs import Signature
from fengsui.store import history
from fengsui.store.accounts import Account, Draft
from fengsui.store.archive import Paper
from fengsui.web import foreseen, here, signing, written
from fengsui.web.pages.issue import title
from fengsui.web.pages.login import account_of
from fengsui.web.written import KIND, Written

OPEN = "correction"
"""Kind of a correction that was taken back to be changed; until then it is a draft like any other."""
CAUSES = ("预警区域有误，", "预警级别有误，", "预报内容有误，", "有效时间有误，")
"""What is offered for why a version is put right; the first stands there."""
MISTAKEN = "系误发，"
"""Why a version is taken back."""

_handing_in = threading.Lock()
"""A double click is one correction."""


@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, stream: str) -> HttpResponse:
    """The two corrections of a warning; ``choice`` withdraw or right, ``do`` check, alone or submit."""
    state = here.world().streams.get(stream)
    if state is None or not state.alert.version:
        raise Http404
    account = account_of(request)
    choices = {"withdraw": withdrawn(state, account), "right": _righted(state, account)}
    choice = request.POST.get("choice", "")
    if request.method == "GET" or choice not in choices:
        return _shown(request, state, choices)
    if known := _known(account, stream, request.POST.get("form", "")):
        return _to(known)
    choices[choice] = _read(request, account, state, choices[choice])
    acts = {"alone": _alone, "submit": _submit}
    wrong = written.barred(account)
    act = None if wrong else acts.get(request.POST.get("do", ""))
    draft = choices[choice]
    if act and (choice == "withdraw" or request.POST.get("checked") == _mark(draft)):
        made = act(request, account, draft)
        if not isinstance(made, str):
            return made
        wrong = made
    elif act:
        wrong = "内容在核对后有改动，请再核对一次后果。[W212]"
    return _shown(request, state, choices, choice, wrong)


# ── the two corrections ──────────────────────────────────────────────────────


def withdrawn(state: State, account: Account) -> Written:
    """The version taken back: what held before it holds again, or nothing if it was the first."""
    part = state.alert
    draft = msgspec.structs.replace(_righted(state, account), zones=part.before.zones, cause=MISTAKEN)
    old = _version(state.stream, part.version - 1) if part.before.zones else None
    if old is None:
        return msgspec.structs.replace(draft, forecast="", others={})
    said = wording.draft(written.paper(old.paper))
    return msgspec.structs.replace(draft, forecast=said.forecast, others=said.others, expires=old.expires)


def _righted(state: State, account: Account) -> Written:
    """The version as it stands, to be put right; or what was taken back from a signer."""
    found = Draft.objects.filter(kind=OPEN, account=account.pk, stream=state.stream).order_by("-at").first()
    kept = written.load(found) if found else None
    if kept and kept.replaces == state.alert.version and kept.zones:
        return kept
    return msgspec.structs.replace(
        written.before(state), author=account.person, corrects=True, cause=CAUSES[0]
    )


def _version(stream: str, version: int) -> Alerted | None:
    found = (line.fact for line in history.of_kind(here.session(), "alerted"))
    return next(
        (f for f in found if isinstance(f, Alerted) and (f.stream, f.version) == (stream, version)), None
    )


def _read(request: HttpRequest, account: Account, state: State, ready: Written) -> Written:
    """A choice as its form says it; only the cause of taking back can be put otherwise."""
    said = written.read(request.POST, account, state.stream)
    if request.POST["choice"] == "withdraw":
        return msgspec.structs.replace(ready, cause=said.cause, replaces=said.replaces, form=said.form)
    level = max(said.zones.values(), key=LEVELS.index, default="")
    others = {a: text for a, text in ready.others.items() if a in said.zones.values() and a != level}
    return msgspec.structs.replace(said, corrects=True, others=said.others or others)


def _mark(draft: Written) -> str:
    """What was looked at: nothing else is issued."""
    bare = msgspec.structs.replace(draft, form="", number=0)
    return Paper("draft", written.dump(bare).encode()).digest[:16]


# ── handed on ────────────────────────────────────────────────────────────────


def _alone(request: HttpRequest, account: Account, draft: Written) -> HttpResponse | str:
    """Sign what only takes back, with a reason that is kept; or why not."""
    reason = request.POST.get("reason", "").strip()
    if not _may_alone(account, draft, request.POST["choice"]):
        return "一人只可撤回、降低或缩小；提高级别、扩大区域、延长时效或只改文字，请送另一人签发。[A13]"
    if not reason:
        return "一人更正须写明理由，事后由他人复核。[W213]"
    if found := written.faults(draft, here.now()):
        return " ".join(found)
    if wrong := signing.unproved(request, account, draft, "retraction"):
        return wrong
    row, fresh = _handed_in(account, draft)
    if fresh:
        draft, why = written.load(row), Paper("retraction", reason.encode())
        signature = Signature(draft.paper.digest, account.person, account.person, "retraction", why.digest)
        answer = signing.record(row, draft, signature, why)
        if not answer.ok and answer.code != signing.UNSETTLED:
            Draft.objects.filter(pk=row.pk, state="submitted").delete()
            return signing.refused(answer)
    return _to(row)


def _may_alone(account: Account, draft: Written, choice: str) -> bool:
    """Whether one person may sign a choice: what is put right in his own words must take something away."""
    now = here.world().at(draft.stream).alert.now
    own = choice == "right"
    if own and not alerts.weakens(now, Zoned(draft.zones), here.pack()):
        return False
    return "retraction" in signing.modes(account, draft)


def _submit(request: HttpRequest, account: Account, draft: Written) -> HttpResponse | str:
    """Hand it to another person, who signs it as any other draft."""
    del request
    if found := _faults(draft)[0]:
        return " ".join(found)
    return _to(_handed_in(account, draft)[0])


def _handed_in(account: Account, draft: Written) -> tuple[Draft, bool]:
    """The stored draft of a form, and whether this was the first time that it came."""
    with _handing_in:
        if known := _known(account, draft.stream, draft.form):
            return known, False
        Draft.objects.filter(kind=OPEN, account=account.pk, stream=draft.stream).delete()
        row = Draft.objects.create(
            kind=KIND,
            account=account.pk,
            stream=draft.stream,
            body=written.dump(draft),
            at=here.now(),
            state="submitted",
        )
    signing.stir()
    return row, True


def _known(account: Account, stream: str, form: str) -> Draft | None:
    """What a form has become already: it was pressed twice, or somebody went back to it."""
    mine = Draft.objects.filter(kind=KIND, account=account.pk, stream=stream).exclude(state="open")
    return next((row for row in mine if form and written.load(row).form == form), None)


def _to(row: Draft) -> HttpResponse:
    answer = HttpResponseRedirect(reverse("issue_sign", args=[row.pk]))
    answer.status_code = 303
    return answer


# ── shown ────────────────────────────────────────────────────────────────────


def _faults(draft: Written) -> tuple[list[str], foreseen.Foreseen | None]:
    """What must be mended, else what would follow."""
    if found := written.faults(draft, here.now()):
        return found, None
    outcome = foreseen.foresee(draft, here.now())
    if isinstance(outcome, Refusal):
        return [f"{outcome.text}。[{outcome.code}]"], None
    return [], outcome


def _shown(
    request: HttpRequest, state: State, choices: dict[str, Written], choice: str = "", wrong: str = ""
) -> HttpResponse:
    account = account_of(request)
    more: dict[str, Any] = {
        "state": state, "choice": choice, "wrong": wrong, "token": secrets.token_hex(12), "causes": CAUSES,
        "writes": written.may_write(account), "code": bool(account.totp), "series_word": mark(state.series),
        "title": title(choices["withdraw"]), "subject": title(written.before(state)), "towns": _towns(choices["right"], state),
        "expires": written.local(choices["right"].expires), "reason": request.POST.get("reason", ""),
        "withdraw": _of(account, choices["withdraw"], "withdraw"),
        "right": _of(account, choices["right"], "right", looked=choice == "right"),
    }  # fmt: skip
    return render(request, "issue_correct.html", more, status=422 if wrong else 200)


def _of(account: Account, draft: Written, choice: str, *, looked: bool = True) -> dict[str, Any]:
    """A choice with what follows; looked: what follows is worked out, not only what it says."""
    found, ahead = _faults(draft) if looked else ([], None)
    zones = sorted(draft.zones, key=lambda z: (-LEVELS.index(draft.zones[z]), z))
    return {
        "draft": draft, "faults": found, "ahead": ahead, "mark": _mark(draft),
        "alone": _may_alone(account, draft, choice),
        "zones": [(here.pack().areas[z].name, draft.zones[z]) for z in zones if z in here.pack().areas],
    }  # fmt: skip


def _towns(draft: Written, state: State) -> list[dict[str, Any]]:
    """Every area with its level in force and as corrected."""
    hazard = here.pack().hazards[state.alert.hazard]
    known = dict(written.towns())
    known |= {
        z: here.pack().areas[z].name
        for z in state.alert.now.zones
        if z not in known and z in here.pack().areas
    }
    return [
        {
            "id": area,
            "name": name,
            "was": state.alert.now.zones.get(area, ""),
            "level": draft.zones.get(area, ""),
            "legal": [(a, here.pack().texts.levels[a]) for a in reversed(LEVELS) if a in hazard.levels],
        }
        for area, name in known.items()
    ]
