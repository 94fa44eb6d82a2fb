"""电视 TV: the transparent overlay page, and the stream of its whole state — raw ASGI, without login, for the house network.

The state is read from the database before the port opens, so a server that starts again says at once what was on the
air. Every message is the whole state with (epoch, rev): the page is idempotent, ignores what is older, and keeps its
graphics while nobody answers. No message of this stream carries a person or a number.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from urllib.parse import parse_qs

import msgspec

from fengsui.core.state import World
from fengsui.flow.inputs import Change
from fengsui.store import history
from fengsui.store.sql import Session
from fengsui.web import airing, sse
from fengsui.web.airing import Screen
from fengsui.web.hot import Message, Receive, Send

BEAT = 5.0
"""Seconds after which the state is said again, changed or not; a page that hears nothing for 15 s connects anew."""
LOOK = 1.0
"""Seconds between looks at what has expired."""
WATCHERS = 200
"""Streams at once; the house has a handful of players, the rest is somebody's mistake."""

PAGE = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>烽燧插播</title>
<link rel="stylesheet" href="/static/overlay.css"><script src="/static/overlay.js" defer></script></head>
<body><div id="badges"></div><div id="mark" hidden></div>
<div id="bar" hidden><b id="label"></b><div id="lane"><span id="crawl"></span></div></div></body></html>
"""
POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none';"
    b" frame-ancestors 'self'"
)


class Tv:
    """The two routes. read: the world as of the last commit; clock: the house's time, UTC µs."""

    def __init__(self, read: Callable[[], World], clock: Callable[[], int]) -> None:
        self._read, self._clock = read, clock
        self._made: dict[bool, tuple[World, int, Screen]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rang = asyncio.Event()
        self._watchers = 0

    def serves(self, path: str) -> bool:
        """Whether a path is one of ours."""
        return path.startswith("/tv/")

    def changed(self, change: Change) -> None:
        """Something was committed; called from the writer's thread."""
        if self._loop is not None and change.streams:
            self._loop.call_soon_threadsafe(self._ring)

    def _ring(self) -> None:
        """Wake whoever watches; the next bell is another one."""
        self._rang.set()
        self._rang = asyncio.Event()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        self._loop = asyncio.get_running_loop()
        drill = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("drill") == ["1"]
        if scope["method"] not in ("GET", "HEAD"):
            await _answer(send, 405, b"text/plain", b"")
        elif scope["path"] == "/tv/overlay":
            await _answer(send, 200, b"text/html; charset=utf-8", PAGE.encode())
        elif scope["path"] != "/tv/state":
            await _answer(send, 404, b"text/plain", b"")
        elif self._watchers >= WATCHERS:
            await _answer(send, 503, b"text/plain", b"")
        else:
            await self._stream(receive, send, drill=drill)

    async def _stream(self, receive: Receive, send: Send, *, drill: bool) -> None:
        gone = asyncio.create_task(sse.gone(receive))
        self._watchers += 1
        try:
            await sse.begin(send, retry=500)
            loop, said, last = asyncio.get_running_loop(), None, 0.0
            while not gone.done():
                bell = self._rang
                now = await asyncio.to_thread(self._screen, drill)
                key = [(item.key, item.crawl) for item in now.items]
                if key != said or loop.time() - last >= BEAT:
                    await send(sse.event("state", msgspec.json.encode(airing.plain(now))))
                    said, last = key, loop.time()
                await _either(bell, gone)
        finally:
            self._watchers -= 1
            gone.cancel()

    def _screen(self, drill: bool) -> Screen:
        """The state with its place in the ledger, made once for all who watch."""
        world, now = self._read(), self._clock()
        kept = self._made.get(drill)
        if kept and kept[0] is world and now - kept[1] < LOOK * 1_000_000:
            return kept[2]
        session = Session()
        try:
            epoch = session.run("SELECT coalesce(max(epoch), 0) FROM chain")[0][0]
            rev = history.last_seq(session)
        finally:
            session.close()
        made = airing.screen(world, now, int(epoch), rev, drill=drill)
        self._made[drill] = (world, now, made)
        return made


async def _either(bell: asyncio.Event, gone: asyncio.Task[None]) -> None:
    """Until something changed, the page has gone, or it is time to look."""
    waiting = asyncio.create_task(bell.wait())
    await asyncio.wait({waiting, gone}, timeout=LOOK, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await waiting


async def _answer(send: Send, status: int, kind: bytes, body: bytes) -> None:
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"content-security-policy", POLICY),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
