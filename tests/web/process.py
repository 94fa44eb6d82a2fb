"""A served process of its own for tests: ``fengsui serve`` over a test's district, and other commands beside it."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

from tests.conftest import Database

CSRF = "a" * 32
"""The token of every form of these browsers; Django asks only that cookie and form have the same."""
READY = 30.0
"""Seconds within which a process must answer."""


def free_port() -> int:
    """A port of loopback that nobody has."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def serving(database: Database, port: int, *, more: str = "", killed: bool = False) -> Iterator[Path]:
    """A server; the file of what it says. more: of ``fengsui.toml``; killed: it ends without a word."""
    (database.data / "fengsui.toml").write_text(f"port = {port}\n{more}", encoding="utf-8")
    log = database.data / "log"
    with log.open("ab") as said:
        server = subprocess.Popen(
            [sys.executable, "-m", "fengsui", "serve"], env=_environment(database), stderr=said
        )
    try:
        end = time.monotonic() + READY
        while True:
            assert server.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < end
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
                break
            time.sleep(0.05)
        yield log
        assert server.poll() is None, log.read_text(encoding="utf-8")
    finally:
        server.send_signal(signal.SIGKILL if killed else signal.SIGTERM)
        server.wait(20)


def fengsui(database: Database, command: str) -> subprocess.CompletedProcess[str]:
    """A short command beside or after it."""
    return subprocess.run(
        [sys.executable, "-m", "fengsui", command],
        check=False, capture_output=True, text=True, env=_environment(database), timeout=60,
    )  # fmt: skip


def _environment(database: Database) -> dict[str, str]:
    return {**os.environ, "FENGSUI_DATA": str(database.data), "FENGSUI_DATABASE": database.url}


def entered(port: int, username: str, password: str) -> dict[str, str]:
    """The headers of a browser in which somebody has logged in by the form."""
    known = {"Cookie": f"fengsui_csrf={CSRF}", "X-CSRFToken": CSRF}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        body = urlencode({"username": username, "password": password})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/login", body, known | kind)
        answer = connection.getresponse()
        assert answer.status == 302, answer.read().decode()
        key = str(answer.getheader("set-cookie")).partition("fengsui=")[2].partition(";")[0]
        return known | {"Cookie": f"fengsui={key}; fengsui_csrf={CSRF}"}
    finally:
        connection.close()
