"""入口 Entry: one ASGI application — hot routes and event streams raw, every other page by Django in a few threads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs

from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core.wsgi import get_wsgi_application
from django.db import connections

from fengsui.config.settings import transport
from fengsui.flow.links import Links
from fengsui.flow.serve import House
from fengsui.store.accounts import Account
from fengsui.store.sql import Errors
from fengsui.web import here, rights, shared
from fengsui.web.bodies import LARGE, Whole
from fengsui.web.door import LinkDoor
from fengsui.web.hot import Hot, Message, Receive, Send
from fengsui.web.live import Hub, Part
from fengsui.web.middleware import signed_in
from fengsui.web.pages import desk, phone
from fengsui.web.tv import Tv

THREADS = 8
"""Pages made at once; the rest wait their turn."""
Answer = Callable[[Message, Receive, Send], Awaitable[None]]
Make = Callable[[Account, str, shared.Moment], str]
PARTS: tuple[tuple[str, str, Make], ...] = (
    ("/desk/live", "desk_live", desk.fragment),
    ("/desk/channels", "desk_channels", lambda account, *_: desk.strip(account.role)),
)
"""What every open desk fetches: address, the page's name, and what makes it."""
STRICT = (b"strict-transport-security", b"max-age=15768000")


class Application:
    """Every request finds its room here. ``close`` when the process ends."""

    def __init__(self, house: House, telephone: str = "", address: str = "") -> None:
        """telephone: of the weather office, for the pages behind links; address: the public one; "" = none."""
        here.bind(house, telephone)
        for name, value in transport(address).items():
            setattr(settings, name, value)
        self._links = Links(house.writer)
        self._hot = Hot(LinkDoor(self._links, lambda: house.ready, telephone), time.monotonic)
        self._hub = Hub(logged_in, settings.SESSION_COOKIE_NAME)
        wsgi: Any = get_wsgi_application()
        self._pages = Whole(WSGIMiddleware(wsgi, workers=THREADS), _most)
        self._parts = {
            path: Part(partial(glance, page, make), settings.SESSION_COOKIE_NAME, self._pages)
            for path, page, make in PARTS
        }
        self._tv = Tv(lambda: house.writer.world, house.clock.now)
        house.writer.wake += [self._hub.changed, self._tv.changed]
        self._leaving = asyncio.Event()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        path = scope.get("path", "")
        if settings.SESSION_COOKIE_SECURE and scope.get("scheme") == "https":
            send = _strict(send)
        if scope["type"] != "http" or path == "/health" or _link(path):
            await self._hot(scope, receive, send)
        elif path == "/events":
            await self._stream(self._hub, scope, receive, send)
        elif path in self._parts:
            await self._parts[path](scope, receive, send)
        elif self._tv.serves(path):
            await self._stream(self._tv, scope, receive, send)
        else:
            await self._pages(scope, receive, send)

    async def _stream(self, answer: Answer, scope: Message, receive: Receive, send: Send) -> None:
        """What may be a stream without an end: to it a process that leaves is a browser that goes."""
        ended = False

        async def asked() -> Message:
            return await _sooner(receive, self._leaving)

        async def said(message: Message) -> None:
            nonlocal ended
            ended = message["type"] == "http.response.body" and not message.get("more_body")
            await send(message)

        await answer(scope, asked, said)
        if self._leaving.is_set() and not ended:
            await send({"type": "http.response.body", "body": b""})

    def leave(self) -> None:
        """End the streams: whoever stops the process would wait for every open page."""
        self._leaving.set()

    def close(self) -> None:
        """Let go of the house."""
        self._links.close()
        for part in self._parts.values():
            part.close(connections.close_all)
        shared.told(None)
        here.bind(None)


def _most(path: str) -> int:
    """Bytes of a form: photos come by links, for the rest a table of persons is the largest."""
    return phone.BODY if path.startswith("/a/") else LARGE


def _link(path: str) -> bool:
    """Whether it is the bare link of a message; what lies behind it is a page like others."""
    return path.startswith("/a/") and "/" not in path[3:]


async def _sooner(receive: Receive, leaving: asyncio.Event) -> Message:
    """What the browser does next, or that it is gone because we are."""
    heard, left = asyncio.ensure_future(receive()), asyncio.create_task(leaving.wait())
    try:
        await asyncio.wait({heard, left}, return_when=asyncio.FIRST_COMPLETED)
        return heard.result() if heard.done() else {"type": "http.disconnect"}
    finally:
        heard.cancel()
        left.cancel()


def _strict(send: Send) -> Send:
    """Whoever came by https is told to come so for half a year; without this header the first http request is open."""

    async def said(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), STRICT]}
        await send(message)

    return said


def logged_in(key: str) -> bool:
    """Whether a session key belongs to an open login; asked in a thread of its own, whose connection is closed."""
    try:
        return bool(key) and signed_in(_session(key)) is not None
    finally:
        connections.close_all()


def _session(key: str) -> SessionBase:
    found: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore(key)
    return found


def glance(page: str, make: Make, key: str, query: bytes) -> str | None:
    """A part of the desk for whoever may open it; None if the ordinary page has something else to say. The session is
    read each time, accounts once for a moment: one that is closed sees the part for a second more.

    Always asked in the same thread, which keeps its connections until one of them fails.
    """
    try:
        now = shared.moment()
        account = signed_in(_session(key), now.once("accounts", _accounts).get) if key else None
        if account is None or account.must_change or not rights.may(account.role, page):
            return None
        return make(account, parse_qs(query.decode("latin-1")).get("of", [""])[-1], now)
    except (here.Absent, *Errors):
        connections.close_all()
        return None


def _accounts() -> dict[int, Account]:
    return {account.pk: account for account in Account.objects.filter(active=True)}
