"""登录 Login, logout, and one's own account: password and one-time codes."""

from __future__ import annotations

from typing import Any

import segno
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from fengsui.store import pins
from fengsui.store.accounts import Account
from fengsui.web import guard, resume, rights

FIRST = {"media": "media", "township": "desk", "supervisor": "supervision"}
"""Where a role begins its work; the others at the desk."""


def home(request: HttpRequest) -> HttpResponse:
    """The page where this role works."""
    role = account_of(request).role
    page = FIRST.get(role, "desk")
    return redirect(page if rights.may(role, page) else "own")


@require_http_methods(["GET", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """Name, password, and a one-time code where one is set up."""
    target = _target(request)
    kept = {"next": target, "kept": request.POST.get("kept", "")}
    if request.method == "GET":
        return render(request, "login.html", kept)
    username, address = request.POST.get("username", "").strip(), guard.client(request)
    if guard.locked(username, address):
        wrong = "失败次数过多，请 15 分钟后再试，或请管理员重设口令。[W040]"
        return render(request, "login.html", kept | {"wrong": wrong}, status=429)
    account = guard.check(username, request.POST.get("password", ""), request.POST.get("code", ""), address)
    if account is None:
        wrong = "登录名、口令或动态码不对。请重试；忘记口令请管理员重设。[W041]"
        return render(request, "login.html", kept | {"wrong": wrong, "username": username}, status=403)
    guard.enter(request, account)
    if form := resume.load(kept["kept"], str(account.role)):
        known: Any = request
        known.account = account
        return render(request, "resume.html", {"form": form, "next": target})
    return redirect(target or "home")


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """End the session."""
    guard.leave(request)
    return redirect("login")


@require_http_methods(["GET", "POST"])
def own(request: HttpRequest) -> HttpResponse:
    """Change one's password, set up one-time codes, set the PIN for deciding by phone."""
    account = account_of(request)
    said: dict[str, Any] = {}
    if request.method == "POST" and "code" in request.POST:
        secret = request.session.get("enrolling", "")
        done = guard.enrol(account, secret, request.POST["code"])
        said = {"done": "动态码已启用"} if done else {"wrong": "动态码不对，请核对手机时间后重试。[W042]"}
    elif request.method == "POST" and "pin" in request.POST:
        said = _pinned(request, account)
    elif request.method == "POST":
        said = _changed(request, account)
    has_pin = bool(account.person) and pins.known(account.person)
    return render(request, "own.html", said | _enrolling(request, account) | {"has_pin": has_pin})


def _pinned(request: HttpRequest, account: Account) -> dict[str, str]:
    """The PIN of the person that the account acts for; the password is asked, the desk may stand open."""
    digits = request.POST.get("pin", "")
    if not account.person:
        return {"wrong": "这个账号没有对应到名录中的人，不能设决定口令。请管理员在账号上补填。[W189]"}
    if not guard.knows(account, request.POST.get("password", "")):
        return {"wrong": "登录口令不对，决定口令没有更改。[W186]"}
    if digits != request.POST.get("pin_again", ""):
        return {"wrong": "两次输入的决定口令不一致。[W187]"}
    if reason := pins.weak(digits):
        return {"wrong": f"决定口令{reason}。[W188]"}
    pins.put(account.person, digits)
    return {"done": "决定口令已设置"}


def _changed(request: HttpRequest, account: Account) -> dict[str, str]:
    old, new = request.POST.get("old", ""), request.POST.get("new", "")
    if not guard.knows(account, old):
        return {"wrong": "原口令不对。[W043]"}
    if new != request.POST.get("again", ""):
        return {"wrong": "两次输入的新口令不一致。[W044]"}
    if reason := guard.weak(new, account):
        return {"wrong": f"新口令不合要求：{reason}。[W045]"}
    guard.set_password(account, new)
    guard.enter(request, account)
    return {"done": "口令已更改，其他设备上的登录已失效"}


def _enrolling(request: HttpRequest, account: Account) -> dict[str, str]:
    if account.totp:
        return {"enrolled": "yes"}
    secret, address = guard.enrolment(account)
    request.session["enrolling"] = secret
    return {"picture": segno.make(address).svg_data_uri(scale=4), "secret": secret}


def account_of(request: HttpRequest) -> Account:
    """The account of a request that has passed the gate."""
    known: Any = request
    found: Account = known.account
    return found


def _target(request: HttpRequest) -> str:
    target = request.POST.get("next") or request.GET.get("next", "")
    return target if url_has_allowed_host_and_scheme(target, allowed_hosts=None) else ""
