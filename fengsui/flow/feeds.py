"""收报来源 Feeds: addresses that are asked and folders that are watched for warnings of others, each with its own health.

A feed only brings bytes to ``flow.reception``; what it has brought is known again by its bytes, so that a crash at any moment
loses nothing and repeats nothing. One that is dead or slow has a thread of its own and delays nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import logging
import os
import socket
import ssl
import stat
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import SplitResult, urlsplit

import msgspec

from fengsui.flow.clock import Alarm
from fengsui.flow.inputs import Unwritten
from fengsui.flow.reception import BY_HAND, Reception
from fengsui.flow.round import POISON
from fengsui.formats.cap import envelope
from fengsui.formats.cap.parse import MAX_BYTES
from fengsui.gateways.contract import Health
from fengsui.store.sql import Errors

log = logging.getLogger(__name__)

LONGEST = 900
"""Most seconds between two tries of an address that fails."""
SCAN = 2.0
"""Seconds between looks into a folder; a file that has not changed between two of them is whole."""
FAILS = 3
"""Failures in a row after which somebody is told."""
PARTIAL = (".part", ".tmp", ".crdownload", ".filepart", "~")
"""How names of files end that somebody is still writing."""
SMALL = 65_536
TEXTS = (".txt",)
DONE, REFUSED = "done", "refused"
STRANGE = "返回的内容不是报文，也不是装报文的文件，请核对网址。[R097]"


class FeedFault(ValueError):  # noqa: N818 - the condition is the name
    """收报来源的设置有误，未启动。"""


class Feed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A source as it is configured: an address (url) or a folder. every, timeout: seconds; silent: hours without anything new
    after which somebody is told (0 = never); trusted: what comes by it binds without a signature; tls_ca: PEM file, "" = the
    system's.
    """

    name: str
    url: str = ""
    folder: str = ""
    every: int = 60
    timeout: int = 20
    silent: int = 0
    trusted: bool = False
    tls_ca: str = ""


class Source(Protocol):
    """What a kind of feed does: bring what is new."""

    def bring(self) -> tuple[int, float]:
        """Bring it; how many messages, and seconds until the next time. Raises Trouble."""

    def close(self) -> None:
        """Break off what is under way."""


class Trouble(Exception):  # noqa: N818 - the condition is the name
    """Why a feed brought nothing, in words for whoever must see to it."""


class Standing(NamedTuple):
    """How a feed fares. well, news: UTC µs of the last success and of the last new message, 0 = never."""

    name: str
    place: str
    trusted: bool
    health: Health
    well: int
    news: int


# ── an address 网址 ───────────────────────────────────────────────────────────


class Asking:
    """Asks one address, with ETag and Last-Modified; follows nothing, opens nothing else."""

    def __init__(self, feed: Feed) -> None:
        """Raises FeedFault."""
        self._feed, self._url = feed, _address(feed)
        self._tls = _context(feed) if self._url.scheme == "https" else None
        self._known = self._said = ("", "")
        self._socket: socket.socket | None = None

    def keep(self) -> None:
        """What was fetched last is safe: it need not be fetched again until it changes."""
        self._known = self._said

    def close(self) -> None:
        """Break off."""
        if (sock := self._socket) is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)  # whoever reads from it is told at once

    def fetch(self) -> bytes | None:
        """The body, None if it has not changed; all of it within the timeout. Raises Trouble."""
        connection = self._connection()
        watch = threading.Timer(self._feed.timeout, self.close)
        watch.daemon = True
        watch.start()
        try:
            connection.connect()
            self._socket = connection.sock
            return self._exchange(connection)
        except ssl.SSLCertVerificationError as error:
            raise Trouble(f"对方证书不可信（{error.verify_message}），未读取。[R095]") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Trouble(f"连不上或中途断开（{type(error).__name__}）。[R093]") from error
        finally:
            watch.cancel()
            self._socket = None
            connection.close()

    def _exchange(self, connection: http.client.HTTPConnection) -> bytes | None:
        path = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
        connection.request("GET", path, headers=self._headers())
        answer = connection.getresponse()
        if answer.status == http.client.NOT_MODIFIED:
            return None
        if 300 <= answer.status < 400:
            raise Trouble(f"对方改道（HTTP {answer.status}），不跟随。请把网址改为新的。[R096]")
        if answer.status != http.client.OK:
            raise Trouble(f"对方答复 HTTP {answer.status}。[R094]")
        if answer.getheader("Content-Encoding", "identity") != "identity":
            raise Trouble("对方压缩了内容，没有要求压缩，未读取。[R097]")
        body = bytearray()
        while piece := answer.read(SMALL):
            body += piece
            if len(body) > MAX_BYTES:
                raise Trouble(f"内容超过 {MAX_BYTES >> 20} MB，未读取。[R098]")
        if answer.length:
            raise Trouble("内容中途断开。[R093]")
        self._said = answer.getheader("ETag", ""), answer.getheader("Last-Modified", "")
        return bytes(body)

    def _headers(self) -> dict[str, str]:
        marks = dict(zip(("If-None-Match", "If-Modified-Since"), self._known, strict=True))
        return {"User-Agent": "fengsui", "Accept-Encoding": "identity"} | {
            k: v for k, v in marks.items() if v
        }

    def _connection(self) -> http.client.HTTPConnection:
        host, port, timeout = self._url.hostname or "", self._url.port, float(self._feed.timeout)
        if self._tls is not None:
            return http.client.HTTPSConnection(host, port, timeout=timeout, context=self._tls)
        return http.client.HTTPConnection(host, port, timeout=timeout)


class Address:
    """Brings what an address has, each time it has changed."""

    def __init__(self, feed: Feed, reception: Reception) -> None:
        """Raises FeedFault."""
        self._feed, self._reception, self._asking = feed, reception, Asking(feed)

    def bring(self) -> tuple[int, float]:
        """Ask once."""
        content, name, new = self._asking.fetch(), self._feed.name, 0
        if content is not None:
            if not envelope.holds(content):
                raise Trouble(STRANGE)
            before = self._reception.count(name)
            self._reception.keep(content, name, name=self._feed.url[-120:], bound=self._feed.trusted)
            new = self._reception.count(name) - before
            self._asking.keep()  # only now: what was not kept is fetched again
        return new, float(self._feed.every)

    def close(self) -> None:
        """Break off."""
        self._asking.close()


def _address(feed: Feed) -> SplitResult:
    try:
        url = urlsplit(feed.url)
        well = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        well = False
    if not well or url.username or url.password:
        raise FeedFault(f"收报来源 {feed.name} 的 url 应以 https:// 或 http:// 开头，不带用户名。[R100]")
    return url


def _context(feed: Feed) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=feed.tls_ca or None)
    except OSError as error:
        raise FeedFault(f"收报来源 {feed.name} 的 tls_ca 不是 PEM 证书文件。[R101]") from error


# ── a folder 文件夹 ───────────────────────────────────────────────────────────


class Folder:
    """Watches one folder: whole files are kept, then moved away, so that whoever looks in sees what is left."""

    def __init__(self, feed: Feed, reception: Reception, directory: Path) -> None:
        self._feed, self._reception = feed, reception
        self._place = directory / feed.folder
        self._seen: dict[str, tuple[int, int]] = {}

    def bring(self) -> tuple[int, float]:
        """Look once."""
        try:
            for name in (DONE, REFUSED):
                (self._place / name).mkdir(parents=True, exist_ok=True)
            sizes = {e.name: _size(e) for e in os.scandir(self._place) if _fit(e)}
        except OSError as error:
            raise Trouble(f"文件夹打不开或不能写（{error.strerror}）。[R099]") from error
        whole = [name for name, size in sorted(sizes.items()) if self._seen.get(name) == size]
        self._seen = {name: size for name, size in sizes.items() if name not in whole}
        refused: list[str] = []
        before = self._reception.count(self._feed.name)
        for name in whole:
            refused += [] if self._take(name) else [name]
        if refused:
            raise Trouble(f"{'、'.join(refused)[:120]}里没有报文，或太大、读不出，已移到 {REFUSED}。[R102]")
        return self._reception.count(self._feed.name) - before, SCAN

    def close(self) -> None:
        """Nothing is open between files."""

    def _take(self, name: str) -> bool:
        """Keep a file and move it; whether there was anything in it."""
        path = self._place / name
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            with os.fdopen(handle, "rb") as file:
                content = file.read(MAX_BYTES + 1)
        except OSError:
            content = b""
        form = "text" if path.suffix.lower() in TEXTS else "cap"
        good = 0 < len(content) <= MAX_BYTES and (form == "text" or envelope.holds(content))
        if good:
            self._reception.keep(
                content, self._feed.name, name=name[-120:], form=form, bound=self._feed.trusted
            )
        target = self._place / (DONE if good else REFUSED) / name
        if target.exists():
            target = target.with_name(f"{time.time_ns()}-{name}")
        try:
            path.replace(target)
        except OSError as error:
            raise Trouble(f"{name} 已收，但移不走（{error.strerror}）。[R099]") from error
        return good


def _fit(entry: os.DirEntry[str]) -> bool:
    """Whether it is a file that somebody meant to hand in, and no link."""
    name = entry.name
    hidden = name.startswith(".") or name.lower().endswith(PARTIAL)
    return not hidden and stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode)


def _size(entry: os.DirEntry[str]) -> tuple[int, int]:
    found = entry.stat(follow_symlinks=False)
    return found.st_size, found.st_mtime_ns


# ── running 运行 ──────────────────────────────────────────────────────────────


class Running:
    """A feed at work: a thread of its own, pauses that grow while it fails, and what a person must be told."""

    def __init__(
        self,
        feed: Feed,
        reception: Reception,
        directory: Path,
        now: Callable[[], int],
        alarm: Callable[[Alarm], None],
    ) -> None:
        """Raises FeedFault."""
        self.feed = feed
        self._source = source(feed, reception, directory)
        self._now, self._alarm = now, alarm
        self._thread = ThreadPoolExecutor(1, f"feed-{feed.name}")
        self._fails, self._trouble, self._well = 0, "", 0
        self._hushed = False
        self._began, self._news = now(), 0

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            pause = await loop.run_in_executor(self._thread, self.look)
            await asyncio.sleep(pause)

    def stop(self) -> None:
        """Break off; what was not kept is brought again at the next start."""
        self._source.close()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def look(self) -> float:
        """Bring what is new; seconds until the next time."""
        try:
            new, pause = self._source.bring()
        except (Trouble, Unwritten, *Errors, OSError, *POISON) as error:  # one file never stops the feed
            return self._failed(
                str(error) if isinstance(error, Trouble) else f"暂时不能留存：{error}。[R103]"
            )
        self._fails, self._trouble, self._well = 0, "", self._now()
        self._news = self._now() if new else self._news
        self._hush()
        return pause

    def _failed(self, why: str) -> float:
        self._fails += 1
        if self._fails == FAILS or "R102" in why:
            self._tell("R104", f"收报来源 {self.feed.name} 收不到：{why} [R104]")
        self._trouble = why
        return float(min(LONGEST, self.feed.every * 2 ** min(self._fails - 1, 10)))

    def _hush(self) -> None:
        """Tell once that nothing new has come for long."""
        if self._silent() and not self._hushed:
            self._tell(
                "R105", f"收报来源 {self.feed.name} 已 {self.feed.silent} 小时没有新报文，请向对方核实 [R105]"
            )
        self._hushed = self._silent()

    def _silent(self) -> bool:
        return (
            bool(self.feed.silent)
            and self._now() - max(self._news, self._began) > self.feed.silent * 3_600_000_000
        )

    def _tell(self, code: str, text: str) -> None:
        self._alarm(Alarm(code, text, self._now()))

    def told(self) -> Standing:
        """How it fares."""
        place = self.feed.folder or self.feed.url
        if self._trouble:
            health = Health(up=False, text=self._trouble, code="R104")
        elif self._silent():
            health = Health(
                up=False, text=f"已 {self.feed.silent} 小时没有新报文，请向对方核实。[R105]", code="R105"
            )
        else:
            health = Health(up=True, text="正常。" if self._well else "刚启动，尚未收取。")
        return Standing(self.feed.name, place, self.feed.trusted, health, self._well, self._news)


def probe(feed: Feed, directory: Path) -> None:
    """Ask or look once, keeping nothing. Raises FeedFault, Trouble."""
    _sound(feed)
    if feed.folder:
        place = directory / feed.folder
        if place.exists() and not os.access(place, os.R_OK | os.W_OK | os.X_OK):
            raise Trouble(f"文件夹 {feed.folder} 打不开或不能写。[R099]")
        return
    content = Asking(feed).fetch()
    if content is not None and not envelope.holds(content):
        raise Trouble(STRANGE)


def _sound(feed: Feed) -> None:
    """Raises FeedFault."""
    if not feed.name or feed.name in BY_HAND or bool(feed.url) == bool(feed.folder):
        raise FeedFault(
            f"收报来源“{feed.name}”须有 name（不用 upload、paste），并在 url 与 folder 中写一个。[R100]"
        )
    if feed.every < 1 or feed.timeout < 1 or feed.silent < 0:
        raise FeedFault(f"收报来源 {feed.name} 的 every、timeout 应不小于 1 秒，silent 不小于 0 小时。[R100]")


def source(feed: Feed, reception: Reception, directory: Path) -> Source:
    """What a feed asks or watches. Raises FeedFault."""
    _sound(feed)
    return Folder(feed, reception, directory) if feed.folder else Address(feed, reception)
