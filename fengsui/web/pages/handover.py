"""交接班 Handover: who gives the desk to whom, and what he must know — a paper, and a line that stands on the desk."""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from fengsui.store.accounts import Account, Draft
from fengsui.store.archive import Paper
from fengsui.web import here, numbers, rights, tasks
from fengsui.web.pages.login import account_of

KIND = "handover"
LONGEST = 2000
"""Characters of remarks."""
SHIFT = ("forecaster", "signer", "clerk")
"""Roles that keep the desk."""


class Shift(NamedTuple):
    """The last change of shift."""

    at: int
    gives: str
    takes: str
    remarks: str


class _Note(msgspec.Struct):
    """What the paper and the desk's line hold: names of accounts, remarks, the form's own token."""

    at: int
    gives: str
    takes: str
    remarks: str
    open: int
    form: str
    paper: str = ""


@require_http_methods(["GET", "POST"])
def handover(request: HttpRequest) -> HttpResponse:
    """Give the desk to somebody."""
    account = account_of(request)
    if request.method == "POST":
        wrong = _wrong(request, account)
        if not wrong:
            _give(request, account)
            answer = redirect(f"{reverse('desk')}?said=handover")
            answer.status_code = 303
            return answer
        return render(request, "handover.html", {"wrong": wrong} | _form(request, account), status=409)
    return render(request, "handover.html", _form(request, account))


def latest() -> Shift | None:
    """The last handover, None if there never was one."""
    return next(iter(_past(1)), None)


def _past(count: int) -> list[Shift]:
    found = Draft.objects.filter(kind=KIND).order_by("-id").values_list("body", flat=True)[:count]
    notes = [msgspec.json.decode(body, type=_Note) for body in found]
    return [Shift(n.at, n.gives, n.takes, n.remarks) for n in notes]


def _form(request: HttpRequest, account: Account) -> dict[str, Any]:
    world, now = here.live(), here.now()
    waiting = [t for t in tasks.tasks(account, world, now) if t.rank != "open"]
    return {
        "form": request.POST.get("form") or secrets.token_hex(8),
        "others": Account.objects.filter(active=True, role__in=SHIFT)
        .exclude(pk=account.pk)
        .order_by("username"),
        "takes": request.POST.get("takes", ""),
        "remarks": request.POST.get("remarks", ""),
        "waiting": waiting[:12],
        "total": len(waiting),
        "past": _past(5),
        "roles": rights.ROLES,
    }


def _wrong(request: HttpRequest, account: Account) -> str:
    takes = request.POST.get("takes", "")
    if not Account.objects.filter(username=takes, active=True, role__in=SHIFT).exists():
        return "请选择接班人。[W101]"
    if takes == account.username:
        return "接班人不能是交班人自己，请另选一人。[W102]"
    if len(request.POST.get("remarks", "")) > LONGEST:
        return f"交班事项不超过 {LONGEST} 字，请删减。[W103]"
    return ""


def _give(request: HttpRequest, account: Account) -> None:
    """Keep the paper, then the desk's line that names it; the same form twice is one."""
    form = request.POST.get("form", "")
    taker = Account.objects.get(username=request.POST["takes"])
    if form and Draft.objects.filter(kind=KIND, stream=form).exists():
        return
    now = here.now()
    waiting = sum(g.rank != "open" for g in tasks.groups(account, here.live(), now))
    names = [a.name or a.username for a in (account, taker)]
    note = _Note(now, names[0], names[1], request.POST.get("remarks", "").strip(), waiting, form)
    note.paper = numbers.keep(Paper(KIND, msgspec.json.encode(note, order="deterministic")))
    Draft.objects.create(
        kind=KIND,
        account=account.pk,
        stream=form,
        body=msgspec.json.encode(note).decode(),
        at=now,
        state="done",
    )
