"""账号 Accounts: who may log in as what. Created with a one-time password that is shown once and must be changed.

For administrators. What they do here, and who looked at whole numbers, is kept and listed.
"""

from __future__ import annotations

import secrets
from collections import Counter
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fengsui.store.accounts import Account, Attempt
from fengsui.web import audit, guard, here, lists, numbers, rights, sentences, written
from fengsui.web.lists import Cell, Listing
from fengsui.web.pages.login import account_of
from fengsui.web.templatetags import words

COLUMNS = ("登录名", "姓名", "角色", "单位", "动态码", "状态")
EMPTY = "还没有账号。请从“新建账号”开始。"
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters of a one-time password: none that is mistaken for another when read out."""
FAILURES = 100
"""Failed logins shown."""
LAST = "这是最后一个在用的管理员账号，须至少保留一个。请先另设管理员。[W160]"
SELF = "不能关闭自己的账号，也不能改自己的角色。请由另一位管理员办理。[W161]"


@require_GET
def accounts(request: HttpRequest) -> HttpResponse:
    """Every account."""
    world = here.world()
    rows = [
        (
            Cell(a.username, "", reverse("account", args=[a.pk])),
            Cell(a.name),
            Cell(rights.ROLES.get(str(a.role), "")),
            Cell(sentences.unit(a.unit, world) if a.unit else ""),
            Cell("已启用", "ok") if a.totp else Cell("未启用"),
            _state(a),
        )
        for a in Account.objects.order_by("-active", "username")
    ]
    actions = (
        Cell("新建账号", "primary", reverse("account_new")),
        Cell("登录失败", "", reverse("failures")),
        Cell("号码查看记录", "", reverse("looks")),
        Cell("账号变动记录", "", reverse("account_deeds")),
    )
    return lists.show(request, Listing("账号", COLUMNS, rows, EMPTY, f"{len(rows)} 个", actions))


def _state(account: Account) -> Cell:
    if not account.active:
        return Cell("已关闭")
    if account.person and not written.listed(account):
        return Cell("所代表的人已离任，请关闭", "late")
    return Cell("待首次改口令", "wait") if account.must_change else Cell("在用", "ok")


# ── new ──────────────────────────────────────────────────────────────────────


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Create an account."""
    person = request.GET.get("person", "")
    known = here.world().directory.persons.get(person)
    card = numbers.cards(here.session(), [person]).get(person) if known else None
    begun = {"person": person, "unit": known.unit if known else "", "name": card.name if card else ""}
    if request.method == "GET":
        return _form(request, begun, {})
    data = {
        field: request.POST.get(field, "").strip() for field in ("username", "name", "role", "unit", "person")
    }
    if wrong := _wrong(data):
        return _form(request, data, wrong)
    audit.note("account", account_of(request), f"新建（{rights.ROLES[data['role']]}）", data["username"])
    account = Account(**data)
    return _handed(request, account, "账号已建立")


def _wrong(data: dict[str, str]) -> dict[str, str]:
    wrong = {}
    name = data["username"]
    if not (2 <= len(name) <= 32 and name.isascii() and name.replace("-", "").replace(".", "").isalnum()):
        wrong["username"] = "登录名为 2 至 32 个字母、数字、点或连字符。[W162]"
    elif Account.objects.filter(username=name).exists():
        wrong["username"] = (
            "已有这个登录名，请换一个。若是刚刚建立而没有看到口令，请在该账号的页面重设；若已关闭，可重新启用。[W163]"
        )
    return wrong | _misplaced(data)


def _misplaced(data: dict[str, str]) -> dict[str, str]:
    wrong, world = {}, here.world()
    if data["role"] not in rights.ROLES:
        wrong["role"] = "请选择角色。[W164]"
    if data["unit"] and data["unit"] not in world.pack.units:
        wrong["unit"] = "请从列表选择单位。[W165]"
    elif data["role"] in UNITED and not data["unit"]:
        wrong["unit"] = "这个角色只办本单位的事，须选择单位。[W166]"
    known = world.directory.persons.get(data["person"]) if data["person"] else None
    if data["person"] and known is None:
        wrong["person"] = "名册中没有这个编号。请从责任人页面“开账号”，或留空。[W167]"
    elif known and data["unit"] and known.unit != data["unit"]:
        wrong["person"] = f"此人属于{sentences.unit(known.unit, world)}，与所选单位不同。[W168]"
    return wrong


UNITED = frozenset({"liaison", "township", "media"})
"""Roles that mean nothing without a unit."""


def _form(request: HttpRequest, data: dict[str, str], wrong: dict[str, str]) -> HttpResponse:
    context = {"data": data, "wrong": wrong, "roles": rights.ROLES.items(), "units": _units()}
    return render(request, "account_new.html", context, status=400 if wrong else 200)


def _units() -> list[tuple[str, str]]:
    return [(u.id, u.name) for u in here.pack().units.values() if not u.valid_to]


def _handed(request: HttpRequest, account: Account, what: str) -> HttpResponse:
    """A fresh one-time password, shown on this answer and nowhere else."""
    password = "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))
    guard.set_password(account, password, must_change=True)
    Attempt.objects.filter(username=account.username).delete()
    return render(request, "account_password.html", {"one": account, "password": password, "what": what})


# ── one ──────────────────────────────────────────────────────────────────────


@require_http_methods(["GET", "POST"])
def account(request: HttpRequest, number: int) -> HttpResponse:
    """One account: its role, unit and person."""
    found = _found(number)
    if request.method == "GET":
        return _shown(request, found)
    data = {field: request.POST.get(field, "").strip() for field in ("name", "role", "unit", "person")}
    wrong = _misplaced(data)
    if not wrong and data["role"] != found.role:
        wrong = {"role": said} if (said := _objection(account_of(request), found, closing=False)) else {}
    if wrong:
        return _shown(request, found, data=data, wrong=wrong)
    if before := _words(found, data):
        audit.note("account", account_of(request), before, found.username)
        for field, value in data.items():
            setattr(found, field, value)
        found.save()
    return redirect(f"{reverse('account', args=[number])}?done=saved")


def _words(found: Account, data: dict[str, str]) -> str:
    changed = [f for f, value in data.items() if getattr(found, f) != value]
    names = {"name": "姓名", "role": "角色", "unit": "单位", "person": "所代表的人"}
    said = "、".join(names[f] for f in changed)
    role = (
        f"（{rights.ROLES.get(found.role, found.role)}→{rights.ROLES[data['role']]}）"
        if "role" in changed
        else ""
    )
    return f"改{said}{role}" if changed else ""


def _objection(by: Account, found: Account, *, closing: bool) -> str:
    """Why an account may not be closed or lose its role; "" if it may."""
    if by.pk == found.pk:
        return SELF
    others = Account.objects.filter(role="administrator", active=True).exclude(pk=found.pk)
    if found.role == "administrator" and (found.active or not closing) and not others.exists():
        return LAST
    return ""


@require_POST
def act(request: HttpRequest, number: int, what: str) -> HttpResponse:
    """Reset the password, close, reopen, remove one-time codes."""
    found, by = _found(number), account_of(request)
    if what not in ACTS:
        raise Http404
    if what == "close" and (said := _objection(by, found, closing=True)):
        return _shown(request, found, wrong={"": said})
    done = redirect(f"{reverse('account', args=[number])}?done={what}")
    if _is_so(found, what):
        return done
    audit.note("account", by, ACTS[what], found.username)
    if what == "reset":
        return _handed(request, found, "口令已重设，此账号的所有登录已失效")
    if what == "close":
        guard.close(found)
        return done
    if what == "open":
        found.active, found.stamp = True, secrets.token_hex(8)
    else:
        found.totp = b""
    found.save()
    return done


def _is_so(found: Account, what: str) -> bool:
    """Whether an act would change nothing: a second click on the same button is no second deed."""
    return {"close": not found.active, "open": found.active, "totp": not found.totp}.get(what, False)


ACTS = {"reset": "重设口令", "close": "关闭", "open": "重新启用", "totp": "取消动态码"}
DONE = {
    "saved": "已保存",
    "close": "账号已关闭，所有登录已失效",
    "open": "账号已重新启用",
    "totp": "动态码已取消，请其重新启用",
}


def _found(number: int) -> Account:
    found = Account.objects.filter(pk=number).first()
    if found is None:
        raise Http404
    return found


def _shown(
    request: HttpRequest,
    found: Account,
    *,
    data: dict[str, str] | None = None,
    wrong: dict[str, str] | None = None,
) -> HttpResponse:
    now = {field: getattr(found, field) for field in ("name", "role", "unit", "person")}
    context: dict[str, Any] = {
        "one": found,
        "data": data or now,
        "wrong": wrong or {},
        "top": (wrong or {}).get(""),
        "done": DONE.get(request.GET.get("done", "")),
        "roles": rights.ROLES.items(),
        "units": _units(),
        "self": found.pk == account_of(request).pk,
        "person": numbers.cards(here.session(), [found.person]).get(found.person),
    }
    return render(request, "account.html", context, status=400 if wrong else 200)


# ── what happened ────────────────────────────────────────────────────────────


@require_GET
def failures(request: HttpRequest) -> HttpResponse:
    """The last failed logins; a name that fails often at one client is locked there for a quarter of an hour."""
    found = list(Attempt.objects.order_by("-at")[:FAILURES])
    recent = Counter((a.username, a.client) for a in found if a.at > here.now() - guard.WINDOW)
    rows = [
        (
            Cell(words.moment(a.at)),
            Cell(a.username),
            Cell(a.client),
            Cell("锁定中", "late") if recent[a.username, a.client] >= guard.TRIES else Cell(""),
        )
        for a in found
    ]
    note = (
        f"最近 {FAILURES} 次；同一登录名在同一来源 {guard.TRIES} 次失败，该来源锁定 15 分钟，"
        "登录成功或重设口令即清除；签发时输错的也列在这里"
    )
    columns = ("时间", "登录名", "来自", "")
    return lists.show(request, Listing("登录失败", columns, rows, "近来没有失败的登录。", note))


@require_GET
def looks(request: HttpRequest) -> HttpResponse:
    """Who looked at whole numbers."""
    found, world = audit.looks(), here.world()
    rows = [
        (
            Cell(words.moment(n.at)),
            Cell(n.account),
            Cell(f"{len(n.of)} 人" if len(n.of) > 1 else sentences.person(n.of[0], world) if n.of else ""),
            Cell(n.reason),
        )
        for n in found
    ]
    note = "每次查看完整号码都记在档案里，这里列最近 1000 次"
    columns = ("时间", "登录名", "谁的号码", "事由")
    return lists.show(request, Listing("号码查看记录", columns, rows, "还没有人查看过完整号码。", note))


@require_GET
def deeds(request: HttpRequest) -> HttpResponse:
    """What was done to accounts."""
    rows = [
        (Cell(words.moment(n.at)), Cell(n.account), Cell(n.about), Cell(n.what))
        for n in audit.notes("account")
    ]
    columns = ("时间", "办理人", "账号", "事项")
    return lists.show(request, Listing("账号变动记录", columns, rows, "账号还没有变动。"))
