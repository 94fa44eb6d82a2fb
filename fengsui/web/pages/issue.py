"""拟稿 Issue: draft a warning, change or lift one in force; what would follow is shown while it is written.

Nothing here issues: a draft is submitted, and another person signs it (``pages.sign``).
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from typing import Any

import msgspec
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from fengsui.core.clauses import LEVELS
from fengsui.core.state import Refusal, State
from fengsui.store.accounts import Account, Draft
from fengsui.web import foreseen, here, written
from fengsui.web.pages.login import account_of
from fengsui.web.written import KIND, Written

_handing_in = threading.Lock()
"""A double click is one draft."""


@require_http_methods(["GET", "POST"])
def issue(request: HttpRequest) -> HttpResponse:
    """A new warning; above it what waits for somebody's signature."""
    return _page(request, State.blank(""))


@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, stream: str) -> HttpResponse:
    """Update, upgrade, downgrade or split the warning in force."""
    return _page(request, _held(stream))


@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest, stream: str) -> HttpResponse:
    """Lift the warning in force."""
    return _page(request, _held(stream), cancel=True)


@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """The consequences of what the form says now; what was typed so far is kept as a draft."""
    account = account_of(request)
    draft = _posted(request, account)
    with _handing_in:
        if draft.hazard and written.may_write(account) and not _handed_in(account, draft):
            _keep(account, draft)
    return render(request, "issue_preview.html", _shown(draft))


@require_POST
def words(request: HttpRequest) -> HttpResponse:
    """The sentences, expiry and guide of another hazard or level; what somebody typed himself stays."""
    draft = _refilled(_posted(request, account_of(request)), request.POST)
    answer = render(request, "issue_words.html", _words(draft) | {"draft": draft})
    answer.headers["HX-Trigger-After-Settle"] = "written"
    return answer


def _posted(request: HttpRequest, account: Account) -> Written:
    return written.read(
        request.POST, account, request.POST.get("stream", ""), cancel=bool(request.POST.get("cancel"))
    )


def _held(stream: str) -> State:
    state = here.world().streams.get(stream)
    if state is None or not state.alert.holds:
        raise Http404
    return state


def _page(request: HttpRequest, state: State, *, cancel: bool = False) -> HttpResponse:
    account = account_of(request)
    if request.method == "POST":
        return _submitted(request, account, state, cancel=cancel)
    kept = None if request.GET.get("new") else _open(account, state.stream, cancel=cancel)
    if kept and kept.replaces == state.alert.version:
        draft = kept
    else:
        draft, kept = _begun(request.GET, account, state, cancel=cancel), None
    return _form(request, account, state, draft, kept=bool(kept))


def _begun(asked: Any, account: Account, state: State, *, cancel: bool) -> Written:
    """A draft to begin with: of the warning in force, or of what another page proposes (hazard, level, zone, cause)."""
    now = here.now()
    if cancel:
        return msgspec.structs.replace(
            written.before(state),
            zones={},
            cause=written.LIFTED,
            forecast="",
            cancel=True,
            author=account.person,
        )
    if state.alert.version:
        return msgspec.structs.replace(written.before(state), author=account.person)
    hazard, level = asked.get("hazard", ""), asked.get("level", "")
    draft = Written(series=here.world().at("district").series, author=account.person)
    if hazard in here.pack().hazards and level in here.pack().hazards[hazard].levels:
        known = {area for area, _ in written.towns()}
        cause, forecast, expires = written.filled(hazard, level, now)
        zones = dict.fromkeys([z for z in asked.getlist("zone") if z in known], level)
        draft = msgspec.structs.replace(
            draft,
            hazard=hazard,
            zones=zones,
            cause=asked.get("cause") or cause,
            forecast=forecast,
            expires=expires,
        )
        # the chosen pair is shown even before a zone is
        return draft if zones else msgspec.structs.replace(draft, remark=level)
    return draft


def _refilled(draft: Written, data: Mapping[str, Any]) -> Written:
    level = str(data.get("pair", "")).partition("/")[2]
    hazard = here.pack().hazards.get(draft.hazard)
    if hazard is None or level not in hazard.levels:
        return draft
    cause, forecast, expires = written.filled(draft.hazard, level, here.now())
    return msgspec.structs.replace(
        draft,
        cause=cause if draft.cause in ("", data.get("was_cause", "")) else draft.cause,
        forecast=forecast if draft.forecast in ("", data.get("was_forecast", "")) else draft.forecast,
        expires=expires
        if not draft.expires or data.get("was_expires") == data.get("expires")
        else draft.expires,
        remark=level,
    )


# ── kept while it is written ─────────────────────────────────────────────────


def _mine(account: Account, *states: str) -> list[Draft]:
    return list(Draft.objects.filter(kind=KIND, account=account.pk, state__in=states).order_by("-at"))


def _open(account: Account, stream: str, *, cancel: bool) -> Written | None:
    """What this person was writing about a stream, on whatever machine."""
    found = [written.load(d) for d in _mine(account, "open") if d.stream == stream]
    return next((w for w in found if w.cancel == cancel), None)


def _keep(account: Account, draft: Written) -> Draft:
    """Store what is being written; one open draft for each person, stream and purpose."""
    for row in _mine(account, "open"):
        if row.stream == draft.stream and written.load(row).cancel == draft.cancel:
            row.body, row.at = written.dump(draft), here.now()
            row.save()
            return row
    return Draft.objects.create(
        kind=KIND, account=account.pk, stream=draft.stream, body=written.dump(draft), at=here.now()
    )


def _handed_in(account: Account, draft: Written) -> Draft | None:
    """What has been handed in already: by the same form (a second click, a look ahead that comes late), or in the same
    words and still waiting (a way back to a form that was sent).
    """
    for row in _mine(account, "submitted", "signed", "returned"):
        other = written.load(row)
        if draft.form and other.form == draft.form:
            return row
        if row.state == "submitted" and _bare(other) == _bare(draft):
            return row
    return None


def _bare(draft: Written) -> Written:
    """What a draft says, without where it came from."""
    return msgspec.structs.replace(draft, form="", remark="", number=0)


def _submitted(request: HttpRequest, account: Account, state: State, *, cancel: bool) -> HttpResponse:
    draft = written.read(request.POST, account, state.stream, cancel=cancel)
    if request.POST.get("do") == "fill":
        return _form(request, account, state, _refilled(draft, request.POST))
    if not written.may_write(account):
        wrong = ["您的单位或角色没有制作预警的权限，见数据包“签发权”。[W127]"]
        return _form(request, account, state, draft, wrong, status=403)
    shown = _shown(draft)
    if shown["faults"]:
        return _form(request, account, state, draft, shown["faults"], status=422)
    with _handing_in:
        if done := _handed_in(account, draft):
            return _to(done)
        row = _keep(account, draft)
        row.state, row.at = "submitted", here.now()
        row.save()
    return _to(row)


def _to(row: Draft) -> HttpResponse:
    answer = HttpResponseRedirect(reverse("issue_sign", args=[row.pk]))
    answer.status_code = 303
    return answer


# ── shown ────────────────────────────────────────────────────────────────────


def _form(
    request: HttpRequest,
    account: Account,
    state: State,
    draft: Written,
    wrong: list[str] | None = None,
    *,
    kept: bool = False,
    status: int = 200,
) -> HttpResponse:
    waiting = [] if state.alert.version else _waiting()
    more = {
        "wrong": wrong or [],
        "kept": kept,
        "waiting": waiting,
        "writes": written.may_write(account),
        "state": state,
        "token": secrets.token_hex(12),
        "own_series": here.world().at("district").series,
        "hazards": _hazards(draft),
        "towns": _towns(draft, state),
        "levels": [(level, here.pack().texts.levels[level]) for level in reversed(LEVELS)],
        "whole": here.pack().district,
    }
    return render(request, "issue.html", _shown(draft) | _words(draft) | more, status=status)


def _shown(draft: Written) -> dict[str, Any]:
    """Faults and, where the core admits it, what would follow."""
    found = written.faults(draft, here.now())
    ahead = None
    if draft.hazard and (draft.zones or draft.cancel) and (draft.expires > here.now() or draft.cancel):
        outcome = foreseen.foresee(draft, here.now())
        if isinstance(outcome, Refusal):
            found.append(f"{outcome.text}。[{outcome.code}]")
        else:
            ahead = outcome
    return {"draft": draft, "faults": found, "ahead": ahead}


def _words(draft: Written) -> dict[str, Any]:
    """Criterion and guide of the level chosen, and the template as it was filled in."""
    level = draft.level or draft.remark
    hazard = here.pack().hazards.get(draft.hazard)
    signal = hazard.levels.get(level) if hazard else None
    found: dict[str, Any] = {
        "signal": signal,
        "level": level,
        "hazard": hazard,
        "expires": written.local(draft.expires),
    }
    if signal and not draft.stream:
        cause, forecast, until = written.filled(draft.hazard, level, here.now())
        found |= {"was_cause": cause, "was_forecast": forecast, "was_expires": written.local(until)}
    return found


def _hazards(draft: Written) -> list[dict[str, Any]]:
    """Every hazard with its four levels; None where there is no such signal."""
    level = draft.level or draft.remark
    return [
        {
            "hazard": hazard,
            "cells": [
                {
                    "level": name,
                    "signal": hazard.levels.get(name),
                    "chosen": (hazard.id, name) == (draft.hazard, level),
                }
                for name in LEVELS
            ],
        }
        for hazard in here.pack().hazards.values()
    ]


def _towns(draft: Written, state: State) -> list[dict[str, Any]]:
    """Areas with the level in force and the one that is written."""
    hazard = here.pack().hazards.get(draft.hazard)
    return [
        {
            "id": area,
            "name": name,
            "was": state.alert.now.zones.get(area, ""),
            "level": draft.zones.get(area, ""),
            "legal": [level for level in reversed(LEVELS) if hazard and level in hazard.levels],
        }
        for area, name in written.towns()
    ]


def _waiting() -> list[dict[str, Any]]:
    """Drafts that wait for a signature or for their author."""
    rows = Draft.objects.filter(kind=KIND, state__in=("submitted", "returned")).order_by("-at")[:20]
    return [{"row": row, "draft": written.load(row), "title": title(written.load(row))} for row in rows]


def title(draft: Written) -> str:
    """A draft in a line: 解除 暴雨红色预警 聚乐乡、峰峪乡."""
    pack = here.pack()
    state = here.world().at(draft.stream) if draft.stream else State.blank("")
    hazard = pack.hazards[draft.hazard].name if draft.hazard in pack.hazards else "未定灾种"
    zones = draft.zones or (state.alert.now.zones if draft.ended else {})
    names = "、".join(pack.areas[z].name for z in zones if z in pack.areas)
    verb = "解除" if draft.cancel else "变更" if draft.stream else "发布"
    if draft.corrects:
        verb = "更正" if draft.zones else "撤回"
    return f"{verb}{hazard}{pack.texts.levels.get(draft.level, '')}预警　{names}"
