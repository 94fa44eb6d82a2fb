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

from fengsui.core.levels import LEVELS
from fengsui.core.state import Refusal, State, Zoned
from fengsui.store.accounts import Account, Draft
from fengsui.web import begun, compared, foreseen, here, numbers, proposing, signing, takeover, verbs, written
from fengsui.web.pages.login import account_of
from fengsui.web.written import KIND, Written

_handing_in = threading.Lock()
"""A double click is one draft."""


@require_http_methods(["GET", "POST"])
def issue(request: HttpRequest) -> HttpResponse:
    """A new warning; above it what waits for somebody's signature."""
    return _page(request, State.blank(""))


@require_http_methods(["GET", "POST"])
def act(request: HttpRequest, stream: str, verb: str) -> HttpResponse:
    """Renew, upgrade, downgrade, change or cancel the warning in force; a split is any of them at several levels."""
    state = here.world().streams.get(stream)
    if state is None or not state.alert.version:
        raise Http404
    may = verbs.acts(state, account_of(request).role)
    if verb not in {one.verb for one in may}:
        return render(request, "issue_refused.html", _refused(verb, state, may), status=409)
    return _page(request, state, verb)


def _refused(verb: str, state: State, may: list[verbs.Act]) -> dict[str, Any]:
    """Why a verb is not offered, and what is."""
    names = here.pack().texts.verbs
    if not state.alert.holds:
        why = "这一过程没有生效中的预警（已解除或已撤回）"
    elif verb == "upgrade":
        why = "已是这一灾种的最高级别"
    else:
        why = "已是这一灾种的最低级别，可以解除"
    return {"verb": names[verb], "why": why, "subject": subject(written.standing(state)), "acts": may}


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
    answer = render(request, "issue_words.html", _words(draft, request.POST) | {"draft": draft})
    answer.headers["HX-Trigger-After-Settle"] = "written"
    return answer


def _posted(request: HttpRequest, account: Account) -> Written:
    draft = written.read(
        request.POST, account, request.POST.get("stream", ""), cancel=bool(request.POST.get("cancel"))
    )
    return begun.spoken(draft, here.world().at(draft.stream)) if draft.stream else draft


def _page(request: HttpRequest, state: State, verb: str = "") -> HttpResponse:
    account = account_of(request)
    if request.method == "POST":
        return _submitted(request, account, state, cancel=verb == "cancel")
    drill = request.GET.get("drill", "")
    kept = None if request.GET.get("new") else _open(account, state.stream, verb, drill)
    if kept and kept.replaces == state.alert.version:
        return _form(request, account, state, kept, kept=True)
    draft = begun.begun(verb, state, account.person) if verb else begun.fresh(request.GET, account.person)
    return _form(request, account, state, proposing.filled(draft, state, request.GET))


def _refilled(draft: Written, data: Mapping[str, Any]) -> Written:
    """A new warning with the words of another hazard or level; what somebody typed himself stays."""
    level = str(data.get("pair", "")).partition("/")[2]
    hazard = here.pack().hazards.get(draft.hazard)
    if draft.stream or hazard is None or level not in hazard.levels:
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


def _open(account: Account, stream: str, verb: str, drill: str) -> Written | None:
    """What this person was writing about a stream with a verb, on whatever machine; of a new one, in which drill."""
    found = [written.load(d) for d in _mine(account, "open") if d.stream == stream]
    return next((w for w in found if (w.page, w.drill) == (verb, "" if stream else drill)), None)


def _keep(account: Account, draft: Written) -> Draft:
    """Store what is being written: in the open draft of this person, stream and verb that was last written, or a new one."""
    for row in _mine(account, "open"):
        other = written.load(row)
        if (row.stream, other.page, other.drill) == (draft.stream, draft.page, draft.drill):
            kept = msgspec.structs.replace(draft, held=other.held)
            row.body, row.at = written.dump(kept), here.now()
            row.save()
            return row
    return Draft.objects.create(
        kind=KIND, account=account.pk, stream=draft.stream, body=written.dump(draft), at=here.now()
    )


def _handed_in(account: Account, draft: Written) -> Draft | None:
    """What has been handed in already: by the same form (a second click, a look ahead that comes late), or in the same
    words and still waiting (a way back to a form that was sent).
    """
    for row in _mine(account, "submitted", "leaving", "going", "signed", "returned"):
        other = written.load(row)
        if draft.form and other.form == draft.form:
            return row
        if row.state == "submitted" and _bare(other) == _bare(draft):
            return row
    return None


def _bare(draft: Written) -> Written:
    """What a draft says, without where it came from."""
    return msgspec.structs.replace(draft, form="", remark="", number=0, verb="", held=())


def _submitted(request: HttpRequest, account: Account, state: State, *, cancel: bool) -> HttpResponse:
    draft = begun.spoken(written.read(request.POST, account, state.stream, cancel=cancel), state)
    if request.POST.get("do") == "fill":
        return _form(request, account, state, _refilled(draft, request.POST))
    if wrong := written.barred(account):
        return _form(request, account, state, draft, [wrong], status=403)
    shown = _shown(draft)
    if shown["faults"]:
        return _form(request, account, state, draft, shown["faults"], status=422)
    with _handing_in:
        if done := _handed_in(account, draft):
            return _to(done)
        row = _keep(account, draft)
        row.state, row.at = "submitted", here.now()
        row.save()
    signing.stir()
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
        "others": takeover.others(account, state),
        "holders": takeover.holders(draft),
        "running": [] if state.alert.version else _running(account.role),
        "verb": draft.page,
        "verb_name": verbs.SHORT.get(draft.page, ""),
        "about": subject(written.standing(state)) if state.alert.version else "",
        "acts": verbs.acts(state, account.role) if state.alert.version else [],
        "writes": written.may_write(account),
        "state": state,
        "token": secrets.token_hex(12),
        "hazards": _hazards(draft),
        "towns": _towns(draft, state),
        "levels": [(level, here.pack().texts.levels[level]) for level in reversed(LEVELS)],
        "whole": here.pack().district,
    }
    return render(request, "issue.html", _shown(draft) | _words(draft, request.POST) | more, status=status)


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
            found += _unheard(draft, outcome)
    state = here.world().at(draft.stream) if draft.stream else State.blank("")
    silent = [one.person for one in ahead.audience.silent] if ahead else []
    names = numbers.cards(here.session(), silent) if silent else {}
    said = {
        "names": names,
        "changed": compared.changes(draft),
        "meaning": begun.meaning(draft, state),
        "named": here.pack().texts.verbs[draft.action],
    }
    return {"draft": draft, "faults": found, "ahead": ahead} | said


def _unheard(draft: Written, ahead: foreseen.Foreseen) -> list[str]:
    """A warning that nobody would hear is none; what lifts one may find nobody left to tell."""
    if draft.ended or ahead.persons or ahead.phones:
        return []
    if draft.kept:
        return ["与现行相比没有变化，没有人会收到。要再次通知，请用“继续发布”或勾选“不变的也通知”。[W225]"]
    return ["所选区域内没有可通知的人，请先在“责任人”中补录，或改选区域。[W225]"]


def _words(draft: Written, data: Mapping[str, Any]) -> dict[str, Any]:
    """Criterion and guide of the level chosen, a forecast for each level, and the template as it was filled in."""
    level = draft.level or draft.remark
    hazard = here.pack().hazards.get(draft.hazard)
    signal = hazard.levels.get(level) if hazard else None
    found: dict[str, Any] = {
        "signal": signal,
        "level": level,
        "hazard": hazard,
        "expires": written.local(draft.expires),
        "phrases": begun.ends(draft.hazard) if draft.cancel else begun.causes(draft.hazard),
        "forecasts": _forecasts(draft),
        "aside": _aside(draft, data),
    }
    if signal and not draft.stream:
        cause, forecast, until = written.filled(draft.hazard, level, here.now())
        found |= {"was_cause": cause, "was_forecast": forecast, "was_expires": written.local(until)}
    return found


def _forecasts(draft: Written) -> list[tuple[str, str]]:
    """Of a warning in force, the forecast for each level that is written, the strongest first."""
    if not draft.stream or draft.ended:
        return []
    others = [(a, draft.others[a]) for a in reversed(LEVELS) if a in draft.others]
    return [(draft.level, draft.forecast), *others] if draft.zones else []


def _aside(draft: Written, data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Forecasts of levels that nothing is at just now: a level that comes back finds what was typed."""
    used = set(draft.zones.values())
    sent = {a: str(data.get(f"forecast-{a}", "")).strip() for a in LEVELS if a not in used}
    return [(a, text) for a, text in sent.items() if text and draft.stream]


def _hazards(draft: Written) -> list[dict[str, Any]]:
    """Every hazard with its four levels, red first; None where there is no such signal."""
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
                for name in reversed(LEVELS)
            ],
        }
        for hazard in here.pack().hazards.values()
    ]


def _towns(draft: Written, state: State) -> list[dict[str, Any]]:
    """Places with the level in force and the one that is written: for a new warning the district and its townships, else
    each township, and what a warning names inside one.
    """
    hazard, pack = here.pack().hazards.get(draft.hazard), here.pack()
    known = dict(written.towns())
    if state.alert.version:
        known.pop(pack.district)
        inner = [z for z in {**state.alert.now.zones, **draft.zones} if z != pack.district]
        known |= {z: pack.areas[z].name for z in inner if z in pack.areas and z not in known}
    now, new = state.alert.now, Zoned(draft.zones)
    return [
        {
            "id": area,
            "name": name,
            "on": area in draft.zones or (area == pack.district and not (draft.form or draft.hazard)),
            "was": now.over(area).get(area, ""),
            "level": new.over(area).get(area, "") if state.alert.version else draft.zones.get(area, ""),
            "legal": [level for level in reversed(LEVELS) if hazard and level in hazard.levels],
        }
        for area, name in known.items()
    ]


def _running(role: str) -> list[dict[str, Any]]:
    """Warnings in force with what may be done about each, the strongest first."""
    held = [s for s in here.live().streams.values() if s.alert.holds]
    held.sort(key=lambda s: (-LEVELS.index(s.alert.now.strongest or "blue"), -s.alert.at))
    return [
        {"title": subject(written.standing(s)), "expires": s.alert.expires, "acts": verbs.acts(s, role)}
        for s in held
    ]


def _waiting() -> list[dict[str, Any]]:
    """Drafts that wait for a signature or for their author."""
    rows = Draft.objects.filter(kind=KIND, state__in=("submitted", "returned")).order_by("-at")[:20]
    found = [(row, written.load(row)) for row in rows]
    return [
        {"row": row, "draft": draft, "title": title(draft)}
        for row, draft in found
        if draft.series != written.apart()
    ]


def title(draft: Written) -> str:
    """A draft in a line: 解除暴雨红色预警　聚乐乡、峰峪乡."""
    verb = here.pack().texts.verbs[draft.action]
    return f"{'撤回' if draft.corrects and draft.ended else verb}{subject(draft)}"


def subject(draft: Written) -> str:
    """What a draft is about: 暴雨红色预警　聚乐乡、峰峪乡."""
    pack = here.pack()
    state = here.world().at(draft.stream) if draft.stream else State.blank("")
    hazard = pack.hazards[draft.hazard].name if draft.hazard in pack.hazards else "未定灾种"
    zones = draft.zones or (state.alert.now.zones if draft.ended else {})
    names = "、".join(pack.areas[z].name for z in zones if z in pack.areas)
    return f"{hazard}{pack.texts.levels.get(draft.level, '')}预警　{names}"
