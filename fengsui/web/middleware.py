"""中间件 Middleware: the strict content policy, turns for one browser's forms, and the gate that knows who may open what."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from fengsui.store.accounts import Account
from fengsui.web import here, resume, rights
from fengsui.web.pages import trouble

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


class Turns:
    """What one browser sends to one address goes in turn: the second click finds done what the first has done."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond
        self._guard = threading.Lock()
        self._turns: dict[tuple[str, str], tuple[threading.Lock, int]] = {}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Wait for those before; nobody waits for another browser. A link is its holder's, whatever browser he has."""
        browser = request.session.session_key or ("link" if request.path.startswith("/a/") else "")
        if request.method != "POST" or not browser:
            return self.respond(request)
        with self._turn((browser, request.path)):
            return self.respond(request)

    @contextlib.contextmanager
    def _turn(self, key: tuple[str, str]) -> Iterator[None]:
        with self._guard:
            lock, count = self._turns.get(key, (threading.Lock(), 0))
            self._turns[key] = (lock, count + 1)
        try:
            with lock:
                yield
        finally:
            with self._guard:
                lock, count = self._turns.pop(key)
                if count > 1:
                    self._turns[key] = (lock, count - 1)


class Gate:
    """Every page asks here first: who is it, and may he."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Find the account of the session; a changed password ends every session that was opened with the old one."""
        known: Any = request
        known.account = signed_in(request.session)
        known.seq = (
            here.seq()
        )  # before anything is read: what comes after it is told to the page once it listens
        answer = self.respond(request)
        if answer.status_code != 405:
            return answer
        said = trouble.button_only(request)
        said.headers["Allow"] = answer.headers["Allow"]
        return said

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        """Open the page, ask for a login, or refuse."""
        del view, args, kwargs
        page = resolve(request.path).url_name or ""
        if _unstorable(request, page):
            raise BadRequest
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


def _unstorable(request: HttpRequest, page: str) -> bool:
    """Whether there is a NUL in it, which no database takes; forms behind a link are not read before their size is known."""
    said = [request.path, *request.GET, *(v for vs in request.GET.lists() for v in vs[1])]
    if page not in rights.PUBLIC or page == "login":
        said += [*request.POST, *(v for vs in request.POST.lists() for v in vs[1])]
    return any("\0" in text for text in said)


NO_RIGHT = "您的角色不能打开这一页。需要时请管理员调整角色。[W030]"


def _open(number: int) -> Account | None:
    return Account.objects.filter(id=number, active=True).first()


def signed_in(session: SessionBase, find: Callable[[int], Account | None] = _open) -> Account | None:
    """The account of a session, None if there is none, it was closed, or its password has changed since.

    find: an open account by its number.
    """
    number = session.get("account")
    if number is None:
        return None
    account = find(number)
    return account if account and session.get("stamp") == account.stamp else None


def _to_login(request: HttpRequest) -> HttpResponse:
    """To the login and back to where he was; what a form said is not lost (``web.resume``)."""
    back = _came_from(request)
    target = f"{reverse('login')}?{urlencode({'next': back})}"
    if request.headers.get("HX-Request"):
        if request.method == "POST":  # he is writing: the page stays and says so
            return HttpResponse(status=401)
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    kept = resume.kept(request)
    if kept is None:
        return redirect(target)
    context = {"next": back, "kept": resume.dump(kept), "wrong": resume.EXPIRED}
    return render(request, "login.html", context, status=403)


def _came_from(request: HttpRequest) -> str:
    """The page he was on: of a form and of a part of a page it is the page they stand on."""
    part = request.headers.get("HX-Current-URL", "")
    page = part or (request.headers.get("Referer", "") if request.method == "POST" else "")
    if not url_has_allowed_host_and_scheme(page, allowed_hosts={request.get_host()}):
        return request.get_full_path()
    url = urlsplit(page)
    return f"{url.path}?{url.query}" if url.query else url.path
