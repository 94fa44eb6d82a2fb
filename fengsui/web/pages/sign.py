"""签发 Sign: a second person sees everything, with what it changes, and signs with his password — or gives it back.

A draft is signed once, whoever presses: its number and what it says are the id of the input, so that two signers at
once, a double click and a way back all come to the one fact, which says who signed.
"""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from fengsui.core import calendar
from fengsui.core.facts import Alerted
from fengsui.core.series import NAMES, mark
from fengsui.core.state import Refusal
from fengsui.flow.inputs import Signature
from fengsui.store import history, people
from fengsui.store.accounts import Draft
from fengsui.store.archive import Paper
from fengsui.web import compared, foreseen, here, paths, sentences, signing, written
from fengsui.web.pages.correct import OPEN
from fengsui.web.pages.issue import title
from fengsui.web.pages.login import account_of
from fengsui.web.written import KIND, Written

WRITERS = frozenset({"forecaster", "signer", "leader"})
"""Roles that see every draft."""
WROTE = "制作人与签发人不能是同一人，写过这份稿件的也不能签，请由另一人签发。[W129]"


@require_http_methods(["GET", "POST"])
def issue_sign(request: HttpRequest, draft: int) -> HttpResponse:
    """A submitted draft: sign it, give it back, take it back, or in an emergency issue it alone."""
    row = Draft.objects.filter(kind=KIND, pk=draft).first()
    if row is None or row.state == "open":
        raise Http404
    account = account_of(request)
    if account.role not in WRITERS and account.unit not in signing.joint(written.load(row)):
        raise Http404  # another unit sees what it is to sign, and nothing else
    if request.method == "GET":
        return _shown(request, row)
    acts = {
        "sign": _sign,
        "cosign": _cosign,
        "return": _give_back,
        "take": _take_back,
        "emergency": _alone,
        "undo": _undo,
    }
    act = acts.get(request.POST.get("do", ""))
    return act(request, row) if act else _shown(request, row)


# ── acts ─────────────────────────────────────────────────────────────────────


def _sign(request: HttpRequest, row: Draft) -> HttpResponse:
    account, draft = account_of(request), written.load(row)
    if not written.listed(account):
        return _shown(request, row, written.NOBODY, 403)
    if not written.may_sign(account, draft):
        return _shown(request, row, "您的单位或角色不能签发这一级别，见数据包“签发权”。[W128]", 403)
    if account.person in draft.writers:
        return _shown(request, row, WROTE, 403)
    if lacking := signing.missing(draft):
        return _shown(request, row, f"联合发布，尚缺{_units(lacking)}签发。[W216]", 409)
    if wrong := signing.unproved(request, account, draft):
        return _shown(request, row, wrong, 403)
    return _recorded(request, row, draft, Signature(draft.paper.digest, draft.author, account.person))


def _cosign(request: HttpRequest, row: Draft) -> HttpResponse:
    """Another unit's signature of a joint product: kept with the draft, and written beside the issuer's own."""
    account, draft = account_of(request), written.load(row)
    if account.person in draft.writers and account.unit in signing.joint(draft):
        return _shown(request, row, WROTE, 403)
    if not signing.may_cosign(account, draft):
        return _shown(request, row, "您的单位不是联合发布单位，或您的角色不能代表本单位签发。[W215]", 403)
    if row.state != "submitted" or request.POST.get("seen") != signing.seen(row):
        return _shown(request, row, "稿件在您查看后有改动，请重新核对后再签。[W132]", 409)
    if wrong := signing.unproved(request, account, draft):
        return _shown(request, row, wrong, 403)
    joined = {**draft.cosigners, account.unit: account.person}
    body = written.dump(msgspec.structs.replace(draft, cosigners=joined))
    if not Draft.objects.filter(pk=row.pk, state="submitted", body=row.body).update(body=body):
        return _shown(request, row, "另一单位刚刚签发，或稿件有改动，请再签一次。[W132]", 409)
    signing.stir()
    return _back(row)


def _units(units: tuple[str, ...]) -> str:
    known = here.pack().units
    return "、".join(known[u].name if u in known else u for u in units)


def _alone(request: HttpRequest, row: Draft) -> HttpResponse:
    """One person alone, red only, with a reason that is kept; it is reviewed afterwards."""
    account, draft = account_of(request), written.load(row)
    reason = request.POST.get("reason", "").strip()
    if "emergency" not in signing.modes(account, draft):
        return _shown(request, row, "紧急单人签发只限制作人本人，且只限红色预警的发布。[W130]", 403)
    if not reason:
        return _shown(request, row, "紧急单人签发须写明理由，例如签发人联系不上、何时联系过。[W131]", 422)
    if wrong := signing.unproved(request, account, draft, "emergency"):
        return _shown(request, row, wrong, 403)
    why = Paper("emergency", reason.encode())
    signature = Signature(draft.paper.digest, account.person, account.person, "emergency", why.digest)
    return _recorded(request, row, draft, signature, why)


def _recorded(
    request: HttpRequest, row: Draft, draft: Written, signature: Signature, *papers: Paper
) -> HttpResponse:
    if row.state in ("leaving", "going", "signed"):
        return _shown(request, row, _by_whom(row), 409)
    if row.state != "submitted" or request.POST.get("seen") != signing.seen(row):
        return _shown(request, row, "稿件在您查看后有改动，请重新核对后再签。[W132]", 409)
    if found := written.faults(draft, here.now()):
        return _shown(request, row, " ".join(found), 422)
    answer = signing.record(row, draft, signature, *papers)
    row.refresh_from_db()
    if answer.code == signing.TAKEN:
        return _shown(request, row, _by_whom(row), 409)
    if not answer.ok:
        return _shown(request, row, signing.refused(answer), 409)
    if (signed := _issued(row)) and signed.signer != signature.signer:
        return _shown(request, row, _by_whom(row), 409)
    return _back(row)


def _undo(request: HttpRequest, row: Draft) -> HttpResponse:
    """Call a signed draft back before it has left: the signer, another one, or whoever wrote it."""
    account, draft = account_of(request), written.load(row)
    if not written.may_sign(account, draft) and account.person != draft.author:
        return _shown(request, row, "您不能撤销这一签发。[W128]", 403)
    if signing.call_back(row):
        return _back(row)
    row.refresh_from_db()
    return _shown(request, row, "来不及撤销，已经发出。发错了请用“更正”。[W217]", 409)


def _give_back(request: HttpRequest, row: Draft) -> HttpResponse:
    account, draft = account_of(request), written.load(row)
    remark = request.POST.get("remark", "").strip()
    if not written.may_sign(account, draft):
        return _shown(request, row, "您不能退回这一稿件。[W128]", 403)
    if not remark:
        return _shown(request, row, "请写明退回的意见，制作人才知道改哪里。[W133]", 422)
    body = written.dump(msgspec.structs.replace(draft, remark=remark, cosigners={}))
    return _moved(request, row, "returned", body)


def _take_back(request: HttpRequest, row: Draft) -> HttpResponse:
    """The author goes on writing: the draft is open again, before any other that he has open."""
    account, draft = account_of(request), written.load(row)
    if row.account != account.pk:
        return _shown(request, row, "只有制作人可以取回修改。[W121]", 403)
    if _issued(row):
        return _shown(request, row, _by_whom(row), 409)
    kind = OPEN if draft.corrects else KIND
    body = written.dump(msgspec.structs.replace(draft, form="", remark="", cosigners={}))
    if not Draft.objects.filter(pk=row.pk, state__in=("submitted", "returned")).update(
        kind=kind, state="open", body=body, at=here.now()
    ):
        row.refresh_from_db()
        return _shown(request, row, _by_whom(row), 409)
    page = f"issue_{draft.page}"
    answer = HttpResponseRedirect(reverse(page, args=[draft.stream]) if draft.stream else reverse("issue"))
    answer.status_code = 303
    return answer


def _moved(request: HttpRequest, row: Draft, state: str, body: str) -> HttpResponse:
    """Move a draft on, unless somebody has signed it meanwhile."""
    still = Draft.objects.filter(pk=row.pk, state="submitted")
    if not _issued(row) and still.update(state=state, body=body, at=here.now()):
        signing.stir()
        return _back(row)
    row.refresh_from_db()
    return _shown(request, row, _by_whom(row), 409)


def _back(row: Draft) -> HttpResponse:
    answer = HttpResponseRedirect(reverse("issue_sign", args=[row.pk]))
    answer.status_code = 303
    return answer


# ── shown ────────────────────────────────────────────────────────────────────


def _issued(row: Draft) -> Alerted | None:
    """The fact that a signed draft became: the ledger alone says who signed."""
    lines = history.consequences(here.session(), f"form/{signing.form(row)}")
    fact = lines[0].fact if lines else None
    return fact if isinstance(fact, Alerted) else None


def name(person: str) -> str:
    """A person's name as the directory has it."""
    return people.name(here.session(), here.house().vault, person) or "（已离任）"


def _by_whom(row: Draft) -> str:
    signed = _issued(row)
    if (waits := signing.departing(row)) is not None:
        return f"这份稿件已由{name(waits[1].fact.signer)}签发，即将发出，不必重复签发。[W137]"
    if signed is None:
        return "稿件已被制作人取回或已退回，请刷新。[W136]"
    zone = here.pack().zone
    return f"这份稿件已由{name(signed.signer)}于 {calendar.local(signed.at, zone):%H:%M:%S} 签发，不必重复签发。[W137]"


def _shown(request: HttpRequest, row: Draft, wrong: str = "", status: int = 200) -> HttpResponse:
    account, draft = account_of(request), written.load(row)
    signed = _issued(row)
    if signed and row.state != "signed":
        row.state = "signed"
    ahead, found = None, []
    waits = signing.departing(row) if row.state in ("leaving", "going") else None
    if row.state == "submitted":
        found = written.faults(draft, here.now())
        outcome = foreseen.foresee(draft, here.now()) if not found else None
        if isinstance(outcome, Refusal):
            found.append(f"{outcome.text}。[{outcome.code}]")
        else:
            ahead = outcome
    mine = account.person == draft.author
    more: dict[str, Any] = {
        "row": row, "draft": draft, "title": sentences.alerted(signed, here.world()) if signed else title(draft), "wrong": wrong, "faults": found, "ahead": ahead,
        "signed": signed, "mine": mine, "wrote": account.person in draft.writers, "seen": signing.seen(row), "level": draft.level,
        "may_sign": written.may_sign(account, draft), "hazard": here.pack().hazards.get(draft.hazard),
        "changed": compared.changes(draft) if row.state in ("submitted", "returned") else [],
        "leaves": waits[0] if waits else 0, "left": max(0, waits[0] - here.now()) // calendar.SECOND if waits else 0,
        "held_up": signing.held_up(row) if row.state == "submitted" else "",
        "by": name(waits[1].fact.signer) if waits else "",
        "author": name(draft.author), "signer": name(signed.signer) if signed else "",
        "cosigns": signing.may_cosign(account, draft), "joined": account.unit in draft.cosigners,
        "joint": [(_units((u,)), name(draft.cosigners[u]) if u in draft.cosigners else "") for u in signing.joint(draft)],
        "lacking": _units(signing.missing(draft)),
        "alone": "emergency" in signing.modes(account, draft), "code": bool(account.totp),
        "enrol": not account.totp and signing.code_required(draft), "typed": signing.typed(draft),
        "correct": paths.to(account.role, "issue_correct", signed.stream) if signed else "",
        "series_word": mark(draft.series),
        "mode_word": NAMES.get(draft.series, ""),
    }  # fmt: skip
    return render(request, "issue_sign.html", more, status=status)
