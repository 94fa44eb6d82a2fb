"""实时 Live: server-sent events — each commit says only that something changed; pages fetch what they may see.

Two raw ASGI routes: a stream, which costs no thread and reads the login cookie once, before it begins; and the part
that every open desk fetches when the stream says so, which reads it every time.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from urllib.parse import parse_qs

from fengsui.flow.inputs import Change
from fengsui.web import shared, sse
from fengsui.web.hot import Message, Receive, Send
from fengsui.web.middleware import POLICY

BEAT = 15.0
"""Seconds between heartbeats; a page that hears none for 30 s says so."""
SOON, APART = 0.05, 0.5
"""Seconds from a commit until it is told, so that commits of one moment are told once; and least between two tellings:
in a storm of answers every desk is told twice a second, and has time to fetch.
"""
WAITING = 100
"""Changes a stream may fall behind before it is closed to fetch anew."""


class Hub:
    """Everybody who listens. ``changed`` may be called from any thread."""

    def __init__(self, known: Callable[[str], bool], cookie: str) -> None:
        """known: whether a session key belongs to an open login (asked in a thread); cookie: its name."""
        self._known, self._cookie = known, cookie
        self._streams: set[asyncio.Queue[int]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._latest, self._waiting, self._last = 0, False, 0.0

    @property
    def open(self) -> int:
        """How many listen."""
        return len(self._streams)

    def changed(self, change: Change) -> None:
        """Something was committed."""
        if change.streams:
            self._latest = change.seq
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._note)

    def _note(self) -> None:
        """The first commit is told soon, those that follow it together."""
        if not self._waiting and self._loop is not None:
            self._waiting, now = True, self._loop.time()
            self._loop.call_at(max(now + SOON, self._last + APART), self._tell)

    def _tell(self) -> None:
        self._waiting = False
        if self._loop is not None:
            self._last = self._loop.time()
        shared.told(self._latest)
        for stream in self._streams:
            with contextlib.suppress(asyncio.QueueFull):
                stream.put_nowait(self._latest)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One stream, until the browser goes."""
        self._loop = asyncio.get_running_loop()
        if not await asyncio.to_thread(self._known, _session(scope, self._cookie)):
            await _refuse(send)
            return
        stream: asyncio.Queue[int] = asyncio.Queue(WAITING)
        self._streams.add(stream)
        gone = asyncio.create_task(sse.gone(receive))
        try:
            await sse.begin(send, retry=1000)
            await send(_event(self._latest if self._latest > _since(scope) else None))
            while not gone.done() and not stream.full():
                await send(_event(await _next(stream, gone)))
        finally:
            self._streams.discard(stream)
            gone.cancel()


class Part:
    """What every open desk fetches at one moment, made by one thread, one after the other: as an ordinary page each would
    pass through several queues and threads, which for two hundred of them takes most of a second.
    """

    def __init__(
        self,
        make: Callable[[str, bytes], str | None],
        cookie: str,
        pages: Callable[..., Awaitable[None]],
    ) -> None:
        """make: from session key and query to HTML, in a thread; None where there is anything unusual about it, which
        is then left to the ordinary page. cookie: the name of the session's.
        """
        self._make, self._cookie, self._pages = make, cookie, pages
        self._thread = ThreadPoolExecutor(1, "part")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        made = None
        if scope["method"] == "GET":
            asked = _session(scope, self._cookie), scope["query_string"], _unpacks(scope)
            made = await asyncio.get_running_loop().run_in_executor(self._thread, self._body, *asked)
        if made is None:
            await self._pages(scope, receive, send)
            return
        headers = [*PART, (b"content-length", str(len(made)).encode())]
        if asked[2]:
            headers.append((b"content-encoding", b"gzip"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": made})

    def _body(self, key: str, query: bytes, packed: bool) -> bytes | None:
        """Packed once for all who get the same: a tenth of the bytes. It holds no secret that its length could tell."""
        text = self._make(key, query)
        if text is None or not packed:
            return text.encode() if text is not None else None
        return shared.moment().once(("gzip", text), lambda: gzip.compress(text.encode(), 1, mtime=0))

    def close(self, let_go: Callable[[], None]) -> None:
        """End the thread, which first lets go of what it holds."""
        self._thread.submit(let_go).result()
        self._thread.shutdown()


PART = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"vary", b"Cookie, Accept-Encoding"),
)
"""As the ordinary page has them."""


async def _next(stream: asyncio.Queue[int], gone: asyncio.Task[None]) -> int | None:
    """The next change, None for a heartbeat."""
    waiting = asyncio.create_task(stream.get())
    await asyncio.wait({waiting, gone}, timeout=BEAT, return_when=asyncio.FIRST_COMPLETED)
    if waiting.done():
        return waiting.result()
    waiting.cancel()
    return None


def _event(seq: int | None) -> Message:
    return sse.event("beat", b"-") if seq is None else sse.event("change", b"%d" % seq, seq)


def _unpacks(scope: Message) -> bool:
    return any(key == b"accept-encoding" and b"gzip" in value for key, value in scope["headers"])


async def _refuse(send: Send) -> None:
    await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b""})


def _since(scope: Message) -> int:
    """The last fact that the page had when it was made: what was committed while it came is told at once."""
    said = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("since", [""])[0]
    return int(said) if said.isascii() and said.isdigit() and len(said) < 19 else 2**63


def _session(scope: Message, name: str) -> str:
    for key, value in scope["headers"]:
        if key == b"cookie":
            jar: SimpleCookie = SimpleCookie()
            jar.load(value.decode("latin-1"))
            return jar[name].value if name in jar else ""
    return ""
