"""中间件 Middleware: the strict content policy on every answer, and the gate that knows who may open what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import resolve, reverse
from django.utils.http import urlencode

from fengsui.store.accounts import Account
from fengsui.web import rights

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)

Respond = Callable[[HttpRequest], HttpResponse]


def policy(respond: Respond) -> Respond:
    """Nothing inline, nothing from elsewhere, nothing kept by anybody between."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = respond(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer


class Gate:
    """Every page asks here first: who is it, and may he."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Find the account of the session; a changed password ends every session that was opened with the old one."""
        known: Any = request
        known.account = signed_in(request)
        return self.respond(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        """Open the page, ask for a login, or refuse."""
        del view, args, kwargs
        page = resolve(request.path).url_name or ""
        account: Account | None = getattr(request, "account", None)
        if page in rights.PUBLIC:
            return None
        if account is None:
            return _to_login(request)
        if account.must_change and page not in ("own", "logout"):
            return redirect("own")
        if not rights.may(account.role, page):
            return render(request, "trouble.html", {"title": "无权打开", "text": NO_RIGHT}, status=403)
        return None


NO_RIGHT = "您的角色不能打开这一页。需要时请管理员调整角色。[W030]"


def signed_in(request: HttpRequest) -> Account | None:
    """The account of a session, None if there is none, it was closed, or its password has changed since."""
    number = request.session.get("account")
    if number is None:
        return None
    account = Account.objects.filter(id=number, active=True).first()
    return account if account and request.session.get("stamp") == account.stamp else None


def _to_login(request: HttpRequest) -> HttpResponse:
    target = f"{reverse('login')}?{urlencode({'next': request.get_full_path()})}"
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": reverse("login")})
    return redirect(target)
