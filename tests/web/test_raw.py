"""Whatever bytes arrive: no fault of ours, no words of the inside, no memory without bounds, and the others are served.

The whole application behind its real server, on a socket; what hypothesis sends is put together from what really occurs.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import re
import resource
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fengsui.core.facts import Reached, Reported
from fengsui.store import archive, tokens
from fengsui.store.sql import archive as open_archive
from fengsui.web import bodies, hot
from tests.web.browser import served
from tests.web.process import CSRF
from tests.web.site import FENGYU, INCIDENT, Site
from tests.web.test_issue import trust

OFFICER = f"{FENGYU}/duty_officer/1"
MB = 1_000_000


class Raw:
    """The application on a port: ``sent`` gives what came back to some bytes."""

    def __init__(self, site: Site, address: str) -> None:
        self.site, self.address = site, address
        self.host, port = address.removeprefix("http://").split(":")
        self.port = int(port)
        self.token = site.house.vault.token(f"{site.holder(OFFICER)}\n{INCIDENT}", tokens.LENGTH)

    def open(self, seconds: float = 5.0) -> socket.socket:
        return socket.create_connection((self.host, self.port), seconds)

    def sent(self, *parts: bytes, patience: float = 5.0) -> bytes:
        """What comes back. patience: seconds without a word after which we hang up."""
        with self.open(patience) as wire:
            with contextlib.suppress(OSError):  # it need not hear us out
                for part in parts:
                    wire.sendall(part)
            return _all(wire)

    def status(self, path: str, **headers: str) -> int:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=10)
        try:
            connection.request("GET", path, headers=headers)
            return connection.getresponse().status
        finally:
            connection.close()


def _all(wire: socket.socket) -> bytes:
    got = b""
    with contextlib.suppress(OSError):
        while part := wire.recv(65536):
            got += part
            if len(got) > MB:
                break
    return got


@pytest.fixture
def raw(busy: Site) -> Iterator[Raw]:
    trust(busy, "township")
    busy.client("township")
    with served(busy) as address:
        yield Raw(busy, address)


@pytest.fixture
def faults() -> Iterator[list[logging.LogRecord]]:
    """What the server and the pages say of faults; uvicorn keeps its words from everybody above."""
    found: list[logging.LogRecord] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = found.append  # type: ignore[method-assign]
    names = ("uvicorn.error", "django.request", "asyncio", "fengsui")
    for name in names:
        logging.getLogger(name).addHandler(handler)
    yield found
    for name in names:
        logging.getLogger(name).removeHandler(handler)


# ── anything at all ──────────────────────────────────────────────────────────

PATHS = ("/a/TOKEN", "/a/TOKEN/relay", "/a/TOKEN/again", "/a/", "/health", "/events", "/tv/overlay", "/desk/live",
         "/desk", "/login", "/people", "/badge/rainstorm/red.svg", "/static/fengsui.css", "/", "*", "http://x/")  # fmt: skip
ENDINGS = st.one_of(
    st.just(b""),
    st.text(alphabet="ab/%&=+.~0'<", max_size=12).map(lambda text: b"?q=" + text.encode()),
    st.sampled_from([b"", b"?v=1", b"?v=99999999", b"?q=%FF", b"?q=\xff", b"?\xe7\x83\xbd", b"/%00", b"%ED%A0%80", b"/..%2f",
                     b"?" + b"a=1&" * 2000, b"x" * 70_000, b"?of=%27%22<", b";x", b"#x", b"\x7f"]),
    st.text(alphabet="ab/%?&=+.~0'<", max_size=12).map(str.encode),
)  # fmt: skip
HEADERS = st.one_of(
    st.sampled_from([
        b"Content-Length: 5", b"Content-Length: -1", b"Content-Length: 99999999999999999999", b"Content-Length: x",
        b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip", b"Expect: 100-continue", b"Upgrade: websocket",
        b"Connection: Upgrade", b"Connection: close", b"Sec-WebSocket-Key: x", b"Sec-WebSocket-Version: 13",
        b"Cookie: fengsui=\xff\xfe; expires=1", b'Cookie: $=;;=;"', b"Cookie: fengsui=" + b"a" * 5000, b"Host:", b"Host: a b",
        b"Host: \xe7\x83\xbd", b"X-Forwarded-For: \x01, ::::", b"X-Forwarded-Proto: gopher", b"Accept-Encoding: \xff",
        b"Content-Type: multipart/form-data", b"Content-Type: multipart/form-data; boundary=\xff", b"HX-Request: true",
        b"Content-Type: application/x-www-form-urlencoded; charset=none", b"Range: bytes=9-1", b"If-Modified-Since: never",
        b"HX-Current-URL: http://[", b"Referer: http://[::1", b"Last-Event-ID: \x02", b": empty", b"no colon",
    ]),
    st.text(max_size=30).map(lambda text: b"X-Any: " + text.encode("utf-8", "replace").replace(b"\n", b"")),
)  # fmt: skip
BODIES = st.one_of(
    st.sampled_from([b"", b"a=1", b"5\r\nhello\r\n0\r\n\r\n", b"zz\r\n", b"-5\r\nx\r\n", b"FFFFFFFFFFFFFFFF\r\n", b"5\r\nhel",
                     b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n', b"%" * 50, b"\0" * 50]),
    st.binary(max_size=60),
)  # fmt: skip
METHODS = st.sampled_from(
    [b"GET", b"POST", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"TRACE", b"CONNECT", b"get", b"\xff"]
)


@given(METHODS, st.sampled_from(PATHS), ENDINGS, st.lists(HEADERS, max_size=2), BODIES)
@example(b"GET", "/people", b"?q=\xff", [], b"")
@example(b"POST", "/login", b"", [b"Content-Length: 99"], b"username=x")
@example(b"GET", "/events", b"", [b"Cookie: fengsui=x; expires=1"], b"")
@example(b"POST", "/a/TOKEN/relay", b"", [b"Content-Length: x"], b"")
@settings(
    max_examples=500, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
def _anything(raw: Any, method: bytes, path: str, ending: bytes, headers: list[bytes], body: bytes) -> None:  # noqa: PLR0917
    target = path.replace("TOKEN", raw.token).encode() + ending
    if not any(h.lower().startswith((b"content-length", b"transfer-encoding")) for h in headers):
        headers = [*headers, b"Content-Length: %d" % len(body)]
    head = b"%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n" % (
        method,
        target,
        b"".join(h + b"\r\n" for h in headers),
    )

    answer = raw.sent(head, body, patience=0.4)

    assert b"Traceback" not in answer
    for status in re.findall(rb"HTTP/1.1 (\d{3})", answer):
        assert int(status) < 500, answer[:500]


def test_whatever_bytes_arrive_it_is_no_fault_of_ours(raw: Raw, faults: list[logging.LogRecord]) -> None:
    _anything(raw)

    assert [f"{r.name}: {r.getMessage()}\n{r.exc_text or r.exc_info}" for r in faults] == []
    assert raw.status("/health") == 200


# ── too much, too slow, cut off ──────────────────────────────────────────────


def head(path: str, length: int, cookie: str = "") -> bytes:
    kind = "application/x-www-form-urlencoded"
    return (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n"
        f"Cookie: {cookie}\r\nX-CSRFToken: {CSRF}\r\nConnection: close\r\n\r\n"
    ).encode()


def test_what_is_far_too_large_is_refused_in_bounded_memory(raw: Raw) -> None:
    relay, link = f"/a/{raw.token}/relay", f"/a/{raw.token}"
    paths = ["/login", "/people/import", relay, link] * 2
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with ThreadPoolExecutor(len(paths)) as several:
        answers = list(several.map(lambda path: raw.sent(head(path, 40 * MB), *[b"x" * MB] * 40), paths))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000

    assert grown < 60, f"{grown:.0f} MB"
    for path, answer in zip(paths, answers, strict=True):
        code = "W003" if path == link else "W038"
        assert not answer or (b"413" in answer[:20] and code.encode() in answer), (path, answer[:200])
    assert any(answers), "who listens is told"
    assert not [f for f in raw.site.facts(Reported) if f.what == "relay" and f.unit == FENGYU]


def test_those_who_are_slow_hold_up_nobody_and_are_told(raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "IDLE", 3.0)
    monkeypatch.setattr(hot, "PATIENCE", 3.0)
    cookie = f"fengsui={raw.site.client('township').cookies['fengsui'].value}"
    slow = [raw.open(10) for _ in range(40)]
    for number, wire in enumerate(slow):
        path = ("/login", f"/a/{raw.token}", f"/a/{raw.token}/relay", f"/report/{INCIDENT}")[number % 4]
        wire.sendall(head(path, 500, cookie) + b"x")

    began = time.monotonic()
    assert raw.status("/desk", Cookie=cookie) == 200
    assert raw.status(f"/a/{raw.token}") == 200
    assert time.monotonic() - began < 2.5, "while the others are still sending"
    answers = [_all(wire) for wire in slow]
    for wire in slow:
        wire.close()

    assert {re.search(rb"HTTP/1.1 (\d+)", a)[1] for a in answers} == {b"408"}  # type: ignore[index]
    assert {re.search(rb"\[(W\d+)\]", a)[1] for a in answers} == {b"W039", b"W005"}  # type: ignore[index]
    assert [f for f in raw.site.facts(Reached) if f.channel == "link"] == []


def test_a_form_that_is_cut_off_is_not_half_recorded(raw: Raw, faults: list[logging.LogRecord]) -> None:
    duty = next(k for k in raw.site.state().duties if k.endswith("/announce"))
    fields = {"form": "r1", "what": "suspension_notice", "duty": duty, "text": "自二时起停课，九时恢复"}
    form = urlencode(fields).encode()
    cookie = f"fengsui={raw.site.client('township').cookies['fengsui'].value}; fengsui_csrf={CSRF}"
    asked = head(f"/report/{INCIDENT}", len(form), cookie)

    def notices() -> int:
        return sum(f.what == "suspension_notice" for f in raw.site.facts(Reported))

    for short in (form[:-40], form[:-1], form[: -len("%E6%97%B6")]):
        assert raw.sent(asked, short, patience=1) == b""
    assert notices() == 0
    assert b"303" in raw.sent(asked, form)[:20]
    assert notices() == 1
    assert faults == []


def test_who_hangs_up_is_forgotten(raw: Raw, faults: list[logging.LogRecord]) -> None:
    for path in ("/login", f"/a/{raw.token}", "/desk", "/events", "/tv/state", "/desk/live"):
        for method in (b"GET", b"POST"):
            wire = raw.open()
            wire.sendall(
                method + b" " + path.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"
            )
            wire.close()
    time.sleep(0.5)

    assert raw.status("/health") == 200
    assert faults == []


def test_four_photos_of_five_megabytes_arrive_whole(raw: Raw) -> None:
    small = (Path(__file__).parents[1] / "formats/photos/phone.jpg").read_bytes()
    filler = b"\xff\xfe\xff\xff" + b"x" * 65_533  # a comment as long as JPEG lets it be
    photo = small[:2] + filler * ((5 * MB - len(small)) // len(filler)) + small[2:]
    parts = [("means", None, b"call"), ("village", None, b"all"), ("version", None, b"1")]
    parts += [("photo", f"{n}.jpg", photo) for n in range(4)]
    form = b"".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"{f"; filename={file}" if file else ""}\r\n\r\n'.encode()
        + body
        + b"\r\n"
        for name, file, body in parts
    )
    form += b"--b--\r\n"
    asked = head(f"/a/{raw.token}/relay", len(form)).replace(
        b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=b"
    )

    assert b"303" in raw.sent(asked, form, patience=20)[:20]
    (fact,) = [f for f in raw.site.facts(Reported) if f.what == "relay" and f.unit == FENGYU]
    session = open_archive()
    try:
        passed = json.loads(archive.get(session, fact.paper))
        kept = [archive.get(session, digest) for digest in passed["photos"]]
    finally:
        session.close()
    assert [len(body) < len(small) + 1 for body in kept] == [True] * len(kept), (
        "without what stood beside the picture"
    )
    assert kept
