"""The desks of the live bench in a process of its own: reads an order, opens as many desks, changes things, prints figures.

A desk does what its page does in a browser: it opens the page, keeps an event stream and two more connections, fetches
the changed part when the stream says so (never two at a time; what came meanwhile is one more fetch), and asks for it
and for the channels every ten seconds. ``{"port", "cookie", "cookies": [session per desk], "tokens", "changes"}``.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import os
import random
import re
import sys
import time
from pathlib import Path
from typing import Any

import uvloop

OPENING = 8
"""Desks that open at a time."""
PAGES = 200
"""Desk pages opened one after the other while all desks are open."""
POLL = 10.0
"""Seconds between a desk's own askings, as its page says."""
PACE, STORM = 0.5, 0.05
"""Seconds from an answer to the next one: with time to look, and in a row."""
SHOWN = 20.0
"""Seconds within which every desk must show a change; longer is an error."""
LIMIT = 1 << 20
COUNT = re.compile(
    rb"\xe8\xb4\xa3\xe4\xbb\xbb\xe4\xba\xba\xe7\xad\xbe\xe6\x94\xb6 <b>(\d+)/"
)  # 责任人签收 <b>n/
DELAY = re.compile(rb'id="live"[^>]*hx-trigger="sse:change(?: delay:([0-9.]+)s)?')
DONE = "已签收".encode()


class Refused(Exception):  # noqa: N818 - the condition is the name
    """The server did not answer as a desk needs it."""


class Line:
    """One kept-alive connection."""

    def __init__(self, port: int, head: str) -> None:
        self.port, self._head = port, head
        self.reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def open(self) -> None:
        """Connect."""
        self.reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port, limit=LIMIT)

    async def ask(self, path: str, method: str = "GET") -> bytes:
        """Send a request and read its head."""
        length = "content-length: 0\r\n" if method == "POST" else ""
        self._writer.write(
            f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept-encoding: gzip\r\n{length}{self._head}\r\n".encode()
        )
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise Refused(f"{path}: {head[:40]!r}")
        return head

    async def get(self, path: str, method: str = "GET") -> bytes:
        """A whole answer's body."""
        try:
            head = await self.ask(path, method)
        except (OSError, RuntimeError, asyncio.IncompleteReadError):
            self.close()  # the server closes what was idle for some seconds; browsers open it anew
            await self.open()
            head = await self.ask(path, method)
        if b"content-length:" in head:
            size = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            body = await self.reader.readexactly(size)
            return gzip.decompress(body) if b"content-encoding: gzip" in head else body
        parts = []
        while size := int(await self.reader.readline(), 16):
            parts.append((await self.reader.readexactly(size + 2))[:-2])
        await self.reader.readline()
        return b"".join(parts)

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


class Desk:
    """One open desk. ``shown``: when it first showed how many answers, newest last."""

    def __init__(self, port: int, head: str) -> None:
        self._pages, self._strip, self._stream = Line(port, head), Line(port, head), Line(port, head)
        self._wanted, self._delay = asyncio.Event(), 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._busy = asyncio.Lock()
        self.shown: list[tuple[int, float]] = [(0, 0.0)]
        self.bytes = self.fetches = 0

    async def open(self) -> None:
        """The page, then its stream."""
        await self._pages.open()
        page = await self._pages.get("/desk")
        found = DELAY.search(page)
        if found is None or not COUNT.search(page):
            raise Refused("the desk page is not the one this bench knows: see COUNT and DELAY")
        self._delay = float(found[1] or 0)
        await self._strip.open()
        await self._stream.open()
        await self._stream.ask("/events")

    async def page(self) -> float:
        """Seconds that the desk page takes."""
        async with self._busy:
            began = time.perf_counter()
            await self._pages.get("/desk")
            return time.perf_counter() - began

    async def listen(self) -> None:
        """Every event of the stream; a change asks for the part that changes, after the delay the page names."""
        while line := await self._stream.reader.readline():
            if line.startswith(b"event: change"):
                if self._timer:
                    self._timer.cancel()
                self._timer = asyncio.get_running_loop().call_later(self._delay, self._wanted.set)

    async def fetch(self) -> None:
        """One fetch after the other, for as long as something is wanted."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            async with self._busy:
                body = await self._pages.get("/desk/live")
            self.fetches, self.bytes = self.fetches + 1, self.bytes + len(body)
            count, now = max(map(int, COUNT.findall(body))), time.perf_counter()
            if count > self.shown[-1][0]:
                self.shown.append((count, now))

    async def poll(self) -> None:
        """What the page asks for by itself; desks were not all opened at one moment."""
        await asyncio.sleep(random.random() * POLL)
        while True:
            self._wanted.set()
            await self._strip.get("/desk/channels")
            await asyncio.sleep(POLL)

    def when(self, count: int) -> float:
        """When it first showed at least so many answers, infinite if it never did."""
        return next((at for known, at in self.shown if known >= count), float("inf"))


class Changes:
    """Answers given through the links; ``sent``: when each was sent."""

    def __init__(self, port: int, tokens: list[str]) -> None:
        self._line, self._tokens = Line(port, ""), tokens
        self.sent: list[float] = []

    async def give(self, count: int, pause: float) -> None:
        """The next answers, one after the other."""
        if not self.sent:
            await self._line.open()
        for _ in range(count):
            token = self._tokens[len(self.sent)]
            self.sent.append(time.perf_counter())
            if DONE not in await self._line.get(f"/a/{token}", "POST"):
                raise Refused("an answer was not recorded")
            await asyncio.sleep(max(0.0, self.sent[-1] + pause - time.perf_counter()))


async def main(order: dict[str, Any]) -> dict[str, Any]:
    """Open the desks, open pages, make changes; what it came to."""
    desks = [Desk(order["port"], f"cookie: {order['cookie']}={key}\r\n") for key in order["cookies"]]
    await _opened(desks)
    running = [asyncio.create_task(work()) for d in desks for work in (d.listen, d.fetch, d.poll)]
    await asyncio.sleep(1)
    pages = [await desks[n % len(desks)].page() for n in range(PAGES)]
    given, changes = Changes(order["port"], order["tokens"]), order["changes"]
    spent = -_spent()
    await given.give(changes, PACE)
    await _all_show(desks, changes)
    spent += _spent()
    await given.give(len(order["tokens"]) - changes, STORM)
    await _all_show(desks, len(order["tokens"]))
    ended = [t.exception() for t in running if t.done() and not t.cancelled()]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    quiet = [d.when(n) - given.sent[n - 1] for d in desks for n in range(1, changes + 1)]
    storm = [d.when(n) - given.sent[n - 1] for d in desks for n in range(changes + 1, len(given.sent) + 1)]
    return {
        "changes": len(given.sent),
        **_spread("", quiet),
        **_spread("storm_", storm),
        **_spread("desk_page_", pages),
        "cpu_ms": round(spent * 1000 / changes, 1),
        "errors": len(ended) + sum(span == float("inf") for span in (*quiet, *storm)),
        "fetches": sum(d.fetches for d in desks),
        "fragment_kb": round(sum(d.bytes for d in desks) / max(1, sum(d.fetches for d in desks)) / 1000, 1),
    }


async def _opened(desks: list[Desk]) -> None:
    """Every desk open, a few at a time."""
    free = asyncio.Semaphore(OPENING)

    async def opened(desk: Desk) -> None:
        async with free:
            await desk.open()

    await asyncio.gather(*map(opened, desks))


async def _all_show(desks: list[Desk], count: int) -> None:
    """Until every desk shows so many answers, or it has taken too long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SHOWN):
            while any(d.shown[-1][0] < count for d in desks):  # noqa: ASYNC110 - desks are many
                await asyncio.sleep(0.05)


def _spent() -> float:
    """CPU seconds of the server, our parent, where the system tells (Linux)."""
    stat = Path(f"/proc/{os.getppid()}/stat")
    if not stat.exists():
        return 0.0
    user, system = stat.read_text(encoding="ascii").rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _spread(name: str, spans: list[float]) -> dict[str, float]:
    spans = sorted(spans)
    return {
        f"{name}p50_ms": round(min(spans[len(spans) // 2], 1e6) * 1000, 1),
        f"{name}p99_ms": round(min(spans[len(spans) * 99 // 100], 1e6) * 1000, 1),
    }


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.stdout.write(json.dumps(runner.run(main(json.load(sys.stdin)))) + "\n")
