"""热路 Hot routes: the acknowledgement link and the health page as one small raw ASGI application.

GET shows what is asked and changes nothing (link scanners fetch it); only POST confirms. The token names one person
and one warning and dies with it. No cookie, no script, no name on the page. Bodies and guesses are limited here,
because nothing else stands in front of these routes. The other steps of the page are ordinary pages (``pages.phone``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from fengsui.web import phone_html

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY = 1024
"""Most bytes of a request body; the form has none to send."""
PATIENCE = 15.0
"""Seconds that a press of the button may take to arrive."""
GUESSES = 20
"""Unknown tokens a client may ask for within a minute; for more it is asked to wait. What a living link opens is its
holder's: behind one carrier address stand thousands of telephones, many of which hold links that have died.
"""
MINUTE = 60.0
CLIENTS = 10_000
"""Clients remembered; when there are more, the count starts anew."""


DEAD = ("链接已失效", "预警已解除，或链接不完整。需要签收请直接回复短信 1。[W004]")
"""What a link says that never lived or has died."""


class Door(Protocol):
    """What these routes need of the rest of the house."""

    async def look(self, token: str) -> str | None:
        """The page that a token opens, as HTML; None if it never lived or has died. Raises Busy if that cannot be told."""

    async def answer(self, token: str, version: int) -> str | None:
        """Confirm the version that was seen (0 = the newest), as a committed fact; the same answer again for a
        repetition. Raises Busy if it cannot be stored.
        """

    def ready(self) -> bool:
        """Whether the state is loaded, and what is posted is written."""


class Busy(Exception):  # noqa: N818 - the condition is the name
    """系统繁忙，请过一会儿再点一次；也可以直接回复短信 1。[W010]"""


class Hot:
    """The application. clock: monotonic seconds, for counting guesses."""

    def __init__(self, door: Door, clock: Callable[[], float]) -> None:
        self.door, self.clock = door, clock
        self._misses: dict[str, tuple[float, int]] = {}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        path, method = scope["path"], scope["method"]
        if path == "/health":
            ready = self.door.ready()
            await _send(
                send, 200 if ready else 503, "正常" if ready else "尚未就绪或暂时写不进，请稍候", plain=True
            )
        elif path.startswith("/a/") and method in ("GET", "HEAD", "POST"):
            await self._link(scope, receive, send)
        else:
            await notice(send, 404, "没有这个页面", "请核对短信中的链接。也可以直接回复短信 1 签收。[W001]")

    async def _link(self, scope: Message, receive: Receive, send: Send) -> None:
        client = (scope.get("client") or ("?",))[0]
        token = scope["path"][3:]
        if scope["method"] == "POST":
            try:
                async with asyncio.timeout(PATIENCE):
                    short = await _drained(receive)
            except TimeoutError:
                await notice(
                    send, 408, "没有收全", "网络太慢，还没有签收。请再点一次，或直接回复短信 1。[W005]"
                )
                return
            if not short:
                await notice(send, 413, "内容过长", "请只点按钮，不要附带内容。[W003]")
                return
            asked = self.door.answer(token, _seen(scope["query_string"]))
        else:
            asked = self.door.look(token)
        try:
            page = await asked
        except Busy as busy:
            await notice(send, 503, "尚未记下", str(busy) or str(Busy.__doc__))
            return
        if page is not None:
            await _send(send, 200, page)
        elif self._guessing(client):
            await notice(
                send, 429, "请稍候", "访问过于频繁，请一分钟后再试。也可以直接回复短信 1 签收。[W002]"
            )
        else:
            self._missed(client)
            await notice(send, 404, *DEAD)

    def _guessing(self, client: str) -> bool:
        since, count = self._misses.get(client, (0.0, 0))
        return count >= GUESSES and self.clock() - since < MINUTE

    def _missed(self, client: str) -> None:
        if len(self._misses) >= CLIENTS:
            self._misses.clear()
        since, count = self._misses.get(client, (0.0, 0))
        now = self.clock()
        self._misses[client] = (since, count + 1) if now - since < MINUTE else (now, 1)


_HEADERS = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-robots-tag", b"noindex"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", phone_html.POLICY.encode()),
]  # fmt: skip


def _seen(query: bytes) -> int:
    """The version that the pressed page showed: ``v=2``."""
    value = query.removeprefix(b"v=")
    return int(value) if value.isdigit() and len(value) < 6 else 0


async def notice(send: Send, status: int, title: str, text: str) -> None:
    """A page of a few words, with their code."""
    await _send(send, status, phone_html.plain(title, text))


async def _send(send: Send, status: int, text: str, *, plain: bool = False) -> None:
    body = text.encode()
    headers = [*_HEADERS, (b"content-length", str(len(body)).encode())]
    if plain:
        headers[0] = (b"content-type", b"text/plain; charset=utf-8")
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _drained(receive: Receive) -> bool:
    """Read the body to its end; False if it is longer than any form of ours."""
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if size > BODY:
            return False
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return True


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
