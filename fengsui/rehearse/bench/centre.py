"""量具中心 A lean short message centre in a process of its own: answers, sends a receipt for each part, counts.

``python -m fengsui.rehearse.bench.centre`` prints ``{"port": N}`` and, for each line it reads, its counts; it stops
when its input ends. On 127.0.0.1 only. It reads octets where they stand instead of decoding them, so that the bench
measures the product and not its counterpart; the rehearsals' ``smsc`` does all of this with care.
"""

from __future__ import annotations

import asyncio
import json
import struct
import sys
import threading
from typing import cast

import uvloop

from fengsui.formats import smpp

WINDOW = 1_000
"""Receipts unanswered at a time; more are kept until there is room."""
HEAD = struct.Struct(">IIII")


class Counts:
    """What happened, over all connections. first, last: CLOCK_MONOTONIC seconds of the first and last submission."""

    def __init__(self) -> None:
        self.submits = self.heard = self.sent_back = 0
        self.first = self.last = 0.0
        self.seen: set[bytes] = set()
        self.texts: set[bytes] = set()

    def stats(self) -> dict[str, float]:
        """As printed. unique: different numbers; characters: of the longest text (UCS-2)."""
        return {
            "submits": self.submits,
            "unique": len(self.seen),
            "heard": self.heard,
            "sent_back": self.sent_back,
            "texts": len(self.texts),
            "characters": max(map(len, self.texts), default=0) // 2,
            "first": self.first,
            "last": self.last,
        }


class Session(asyncio.Protocol):
    """One login."""

    def __init__(self, counts: Counts) -> None:
        self.counts = counts
        self.transport: asyncio.Transport | None = None
        self._rest = b""
        self._owed: list[bytes] = []
        self._out: list[bytes] = []
        self._open = 0
        self._sequence = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client calls."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer everything that came with one read by one write."""
        data = self._rest + data
        at, size = 0, len(data)
        while size - at >= 16:
            length, command, status, sequence = HEAD.unpack_from(data, at)
            if size - at < length:
                break
            if command == smpp.SUBMIT_SM:
                self._submit(data[at : at + length], sequence)
            elif command == smpp.DELIVER_SM_RESP:
                self._heard(status)
            else:
                self._other(command, sequence)
            at += length
        self._rest = data[at:]
        self._pay()
        if self._out and self.transport is not None:
            self.transport.write(b"".join(self._out))
            self._out.clear()

    def _submit(self, frame: bytes, sequence: int) -> None:
        counts = self.counts
        source_end = frame.index(0, 19)  # no service type: octet 16 is its end, 17 and 18 ton and npi
        end = frame.index(0, source_end + 3)
        number = frame[source_end + 3 : end]
        counts.submits += 1
        if number in counts.seen or not counts.texts:
            body = frame.index(0, frame.index(0, end + 4) + 1) + 6
            counts.texts.add(frame[body:])
        counts.seen.add(number)
        counts.last = asyncio.get_running_loop().time()
        counts.first = counts.first or counts.last
        name = b"%x" % counts.submits
        self._out.append(HEAD.pack(17 + len(name), smpp.SUBMIT_SM_RESP, 0, sequence) + name + b"\0")
        self._owed.append(_receipt(number, frame[19:source_end], name))

    def _heard(self, status: int) -> None:
        self._open -= 1
        if status:
            self.counts.sent_back += 1
        else:
            self.counts.heard += 1

    def _other(self, command: int, sequence: int) -> None:
        if command in smpp.BINDS:
            name = b"bench\0"
            self._out.append(HEAD.pack(16 + len(name), command | smpp.RESPONSE, 0, sequence) + name)
        elif command in (smpp.ENQUIRE_LINK, smpp.UNBIND):
            self._out.append(HEAD.pack(16, command | smpp.RESPONSE, 0, sequence))

    def _pay(self) -> None:
        room = min(WINDOW - self._open, len(self._owed))
        if room <= 0:
            return
        paid, self._owed = self._owed[:room], self._owed[room:]
        for body in paid:
            self._sequence += 1
            self._out.append(HEAD.pack(16 + len(body), smpp.DELIVER_SM, 0, self._sequence) + body)
        self._open += room


def _receipt(number: bytes, source: bytes, name: bytes) -> bytes:
    text = (
        b"id:%b sub:001 dlvrd:001 submit date:2608011200 done date:2608011200 stat:DELIVRD err:000 text:"
        % name
    )
    head = b"\0\0\1" + number + b"\0\0\1" + source + b"\0\x04\0\0\0\0\0\0\0\0"
    return head + bytes((len(text),)) + text


async def serve() -> None:
    """Run until standard input ends."""
    loop = asyncio.get_running_loop()
    counts, over = Counts(), asyncio.Event()
    server = await loop.create_server(lambda: Session(counts), "127.0.0.1", 0)
    _say({"port": server.sockets[0].getsockname()[1]})

    def listen() -> None:
        for _ in sys.stdin:
            loop.call_soon_threadsafe(lambda: _say(counts.stats()))
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=listen, daemon=True).start()
    await over.wait()
    server.close()


def _say(what: dict[str, float]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
