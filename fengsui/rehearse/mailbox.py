"""演练邮箱 Mailbox: a mail server for rehearsals — takes every letter over SMTP on loopback and keeps the last ones.

It speaks what RFC 5321 asks of the smallest server; nothing leaves it.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

KEPT = 500
"""Letters kept."""
GREETING = b"220 rehearsal ESMTP\r\n"
ANSWERS = {
    b"EHLO": b"250-rehearsal\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
    b"HELO": b"250 rehearsal\r\n",
    b"MAIL": b"250 ok\r\n",
    b"RCPT": b"250 ok\r\n",
    b"RSET": b"250 ok\r\n",
    b"NOOP": b"250 ok\r\n",
    b"DATA": b"354 go ahead\r\n",
    b"QUIT": b"221 bye\r\n",
}


class Letter(NamedTuple):
    """A letter as its reader sees it; at: when it came, UTC µs."""

    at: int
    to: str
    subject: str
    text: str


class Mailbox:
    """The server; ``letters``: what came, oldest first. clock: UTC µs, as the rehearsal has it."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.clock = clock
        self.letters: deque[Letter] = deque(maxlen=KEPT)
        self.count = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> int:
        """Listen on a free loopback port; the port."""
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Listen no more, hang up."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._open):
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            writer.write(GREETING)
            await self._session(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            self._open.discard(writer)
            writer.close()

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to: list[str] = []
        while line := await reader.readline():
            word = line[:4].upper()
            writer.write(ANSWERS.get(word, b"502 unknown\r\n"))
            if word == b"RCPT":
                to.append(line.decode("latin-1").partition("<")[2].partition(">")[0])
            elif word in (b"MAIL", b"RSET"):
                to.clear()
            elif word == b"DATA":
                self._keep(to, await reader.readuntil(b"\r\n.\r\n"))
                writer.write(b"250 kept\r\n")
            await writer.drain()
            if word == b"QUIT":
                return

    def _keep(self, to: list[str], raw: bytes) -> None:
        message = email.message_from_bytes(raw[:-3], policy=email.policy.default)
        body = message.get_body(("plain",))
        text = str(body.get_content()).strip() if body is not None else ""
        for address in to:
            self.count += 1
            self.letters.append(Letter(self.clock(), address, str(message["subject"] or ""), text))
