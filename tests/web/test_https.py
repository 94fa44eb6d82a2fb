"""Behind https: cookies and browsers are told so; only the proxy in front is believed; on plain http all is as it was."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import time

import pytest
from django.conf import settings

from fengsui.config.asgi import Application
from fengsui.flow import serve
from fengsui.store.accounts import Account
from fengsui.web import guard, here

PUBLIC = "https://yj.example.gov.cn"
PASSWORD = "一句足够长的话语口令"
FORWARDED = {
    "Host": "yj.example.gov.cn", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9", "Origin": PUBLIC,
}  # fmt: skip


class Seen:
    """An answer: status, headers by their names in small letters, cookies by their names, words."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status, self.text = answer.status, answer.read().decode()
        self.headers = {name.lower(): value for name, value in answer.getheaders()}
        cookies = [v for n, v in answer.getheaders() if n.lower() == "set-cookie"]
        self.cookies = {c.partition("=")[0]: c for c in cookies}

    def value(self, name: str) -> str:
        return self.cookies[name].partition("=")[2].partition(";")[0]


class Browser:
    """Asks a server as the proxy in front of it does."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self.port, self.headers = port, headers

    def ask(self, method: str, path: str, body: str = "", cookie: str = "") -> Seen:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = self.headers | {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
        try:
            connection.request(method, path, body, headers)
            return Seen(connection.getresponse())
        finally:
            connection.close()

    def login(self) -> Seen:
        page = self.ask("GET", "/login")
        token = page.value("fengsui_csrf")
        body = f"csrfmiddlewaretoken={token}&username=admin&password={PASSWORD}"
        return self.ask("POST", "/login", body.encode().decode("latin-1"), f"fengsui_csrf={token}")


@pytest.fixture
def asked(quiet):
    """Serves the house under a public address and hands a browser to a function; what that returns."""
    account = Account(username="admin", name="管理员", role="administrator")
    guard.set_password(account, PASSWORD)

    def run(what, *, address=PUBLIC, headers=FORWARDED, proxy="127.0.0.1"):
        return asyncio.run(_run(quiet, what, address, headers, proxy))

    yield run
    Application(quiet.house).close()  # plain again
    here.bind(quiet.house)


async def _run(quiet, what, address, headers, proxy):
    application = Application(quiet.house, address=address)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    over = asyncio.Event()
    serving = asyncio.create_task(serve.serve(application, over, host="127.0.0.1", port=port, proxy=proxy))
    try:
        await asyncio.to_thread(_opened, port)
        return await asyncio.to_thread(what, Browser(port, headers))
    finally:
        over.set()
        with contextlib.suppress(OSError):
            await serving


def _opened(port):
    """Wait until somebody answers."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise TimeoutError(port)


def test_behind_https_every_cookie_is_secure_and_every_answer_strict(asked):
    pages = (
        "/login",
        "/health",
        "/a/000000000000",
        "/a/000000000000/relay",
        "/static/fengsui.css",
        "/favicon.ico",
    )

    seen = asked(lambda browser: [browser.ask("GET", path) for path in pages] + [browser.login()])

    assert [s.status for s in seen] == [200, 200, 404, 404, 200, 200, 302]
    assert {s.headers.get("strict-transport-security") for s in seen} == {"max-age=15768000"}
    assert "Secure" in seen[0].cookies["fengsui_csrf"]
    session = seen[-1].cookies["fengsui"]
    assert all(word in session for word in ("Secure", "HttpOnly", "SameSite=Lax"))


def test_on_plain_http_nothing_is_secure_and_one_can_log_in(asked):
    seen = asked(lambda b: [b.ask("GET", "/login"), b.login()], address="http://127.0.0.1:8080", headers={})

    assert [s.status for s in seen] == [200, 302]
    assert all("strict-transport-security" not in s.headers for s in seen)
    assert "Secure" not in seen[0].cookies["fengsui_csrf"] + seen[1].cookies["fengsui"]


def test_only_the_proxy_is_believed(asked):
    """Somebody else says that he came by https: no browser of his gets to hear that the site is strict."""
    (page,) = asked(lambda b: [b.ask("GET", "/login")], proxy="192.0.2.1")

    assert (page.status, "strict-transport-security" in page.headers) == (200, False)
    assert settings.SESSION_COOKIE_SECURE


def test_who_comes_by_http_to_an_https_site_is_told_what_to_do(asked):
    said = asked(lambda b: b.ask("POST", "/login", "username=admin"), headers={})

    assert (said.status, "[W034]" in said.text, "https://" in said.text) == (403, True, True)
    expired = asked(lambda b: b.ask("POST", "/login", "username=admin"))
    assert (expired.status, "[W033]" in expired.text) == (403, True)
