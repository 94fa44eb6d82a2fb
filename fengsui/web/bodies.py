"""来文 Bodies: a page begins when its form has arrived whole, so a slow or broken line holds up nobody.

Raw ASGI in front of the pages: what is too large, too slow or cut off never reaches them, and while it comes it costs
no thread and little memory.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from typing import IO, Any
from urllib.parse import quote

from fengsui.web.hot import Message, Receive, Send, notice

IDLE, LONGEST = 20.0, 600.0
"""Seconds without a byte, and in all, after which a form is given up."""
KEPT = 256_000
"""Bytes of a form in memory; the rest waits in a nameless file."""
PIECE = 65_536
LARGE = 6_000_000
"""Most bytes of a form; a table of responsible persons may have 5 MB."""
TOO_LARGE = ("内容过大", "所传内容过大，没有记录。请减少附件后重新提交。[W038]")
TOO_SLOW = ("没有收全", "网络太慢，内容没有收全，也没有记录。请在信号好的地方重新提交。[W039]")


class Cut(Exception):  # noqa: N818 - the condition is the name
    """The line broke before the form was there; nobody waits for an answer."""


class Whole:
    """An application that hears of a form only when it is there. limit: by path, most bytes."""

    def __init__(self, pages: Any, limit: Callable[[str], int] = lambda _: LARGE) -> None:
        self._pages, self._limit = pages, limit

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        # a query is ASCII; what a hand has typed otherwise is written as a browser would
        scope = {**scope, "query_string": quote(scope["query_string"], safe=ASCII).encode()}
        if scope["method"] in ("GET", "HEAD"):
            await self._pages(scope, receive, send)
            return
        with tempfile.SpooledTemporaryFile(KEPT) as form:
            try:
                async with asyncio.timeout(LONGEST):
                    fits = await _gather(receive, form, self._limit(scope["path"]))
            except TimeoutError:
                await notice(send, 408, *TOO_SLOW)
                return
            except Cut:
                return
            if not fits:
                await notice(send, 413, *TOO_LARGE)
                return
            form.seek(0)
            await self._pages(scope, _again(form, receive), send)


ASCII = "".join(map(chr, range(0x21, 0x7F)))


async def _gather(receive: Receive, form: IO[bytes], limit: int) -> bool:
    """Read a form to its end; False if it is longer than the limit. Raises Cut, or TimeoutError where nothing comes."""
    size = 0
    while True:
        async with asyncio.timeout(IDLE):
            message = await receive()
        if message["type"] == "http.disconnect":
            raise Cut
        size += len(message.get("body", b""))
        if size > limit:
            return False
        form.write(message.get("body", b""))
        if not message.get("more_body"):
            return True


def _again(form: IO[bytes], receive: Receive) -> Receive:
    """The form from where it is kept, piece by piece; afterwards whatever comes."""
    done = False

    async def piece() -> Message:
        nonlocal done
        if done:
            return await receive()
        body = form.read(PIECE)
        done = len(body) < PIECE
        return {"type": "http.request", "body": body, "more_body": not done}

    return piece
