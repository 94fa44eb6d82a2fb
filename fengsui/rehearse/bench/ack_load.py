"""The load of the ack bench in a process of its own: reads ``{"port", "tokens": [[…] per client]}``, prints figures.

Every client keeps one connection to 127.0.0.1 and posts its answers one after the other, all clients at once.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import uvloop

TIMEOUT = 60.0
"""Seconds for one answer; longer is an error."""
DONE = "已签收".encode()


class Tally:
    """What came back."""

    def __init__(self) -> None:
        self.spans: list[float] = []
        self.errors = 0


async def client(port: int, tokens: list[str], ready: asyncio.Barrier, tally: Tally) -> None:
    """One phone."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await ready.wait()
    for token in tokens:
        began = time.perf_counter()
        try:
            writer.write(f"POST /a/{token} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 0\r\n\r\n".encode())
            good = await asyncio.wait_for(_good(reader), TIMEOUT)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            good = False
        tally.spans.append(time.perf_counter() - began)
        tally.errors += not good
    writer.close()


async def _good(reader: asyncio.StreamReader) -> bool:
    """Read one response; whether it says that the answer is recorded."""
    head = await reader.readuntil(b"\r\n\r\n")
    size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    body = await reader.readexactly(size)
    return head.startswith(b"HTTP/1.1 200") and DONE in body


async def main(order: dict[str, Any]) -> dict[str, Any]:
    """Connect everyone, then let them all answer."""
    tally, tokens = Tally(), order["tokens"]
    ready = asyncio.Barrier(len(tokens) + 1)
    clients = [asyncio.create_task(client(order["port"], mine, ready, tally)) for mine in tokens]
    await ready.wait()
    began = time.perf_counter()
    await asyncio.gather(*clients)
    seconds = time.perf_counter() - began
    spans = sorted(tally.spans)
    return {
        "answers": len(spans),
        "answers_per_s": round(len(spans) / seconds),
        "p50_ms": round(spans[len(spans) // 2] * 1000, 1),
        "p99_ms": round(spans[len(spans) * 99 // 100] * 1000, 1),
        "errors": tally.errors,
    }


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.stdout.write(json.dumps(runner.run(main(json.load(sys.stdin)))) + "\n")
