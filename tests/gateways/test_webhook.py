"""CAP by webhook against real HTTP servers: bytes, proof, and what an answer means."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import http.server
import socket
import threading
import time

import pytest

from fengsui import gateways
from fengsui.gateways.contract import Handover, Outcome
from fengsui.gateways.settings import SettingsError

SECRET = "a-secret-of-sixteen"
NOW = 1_800_000_000_000_000


@contextlib.contextmanager
def receiver(status: int = 200, delay: float = 0):
    """A subscriber: (url, what it got)."""
    got: list[tuple[bytes, dict[str, str]]] = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(delay)
            got.append((body, dict(self.headers)))
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/in?a=1", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def hook(url: str, name: str = "hook", **more: str):
    given = {"url": url, "secret": SECRET, "timeout": "1"} | more
    accepts = frozenset({"actual", "exercise", "test"})
    return gateways.load("webhook", given, name=name, accepts=accepts, clock=lambda: NOW)


def sent(gateway, *texts: str):
    async def go():
        await gateway.start()
        try:
            batch = [Handover(i, "", ((0, 1, t),), 0, NOW * 2, "red") for i, t in enumerate(texts)]
            results = await gateway.send(batch)
            return [r.parts[0] for r in results], await gateway.check()
        finally:
            await gateway.stop()

    return asyncio.run(go())


def test_the_bytes_arrive_as_they_are_with_a_proof_that_they_are_ours():
    with receiver() as (url, got):
        parts, health = sent(hook(url), "<alert>暴雨</alert>\r\n", "two")

    assert [p.outcome for p in parts] == [Outcome.ACCEPTED] * 2
    assert health.up
    assert [body for body, _ in got] == ["<alert>暴雨</alert>\r\n".encode(), b"two"]
    body, headers = got[0]
    proof = hmac.new(SECRET.encode(), b"1800000000." + body, hashlib.sha256).hexdigest()
    assert headers["X-Fengsui-Signature"] == f"t=1800000000,v1={proof}"
    assert headers["Content-Type"] == "application/cap+xml"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(204, Outcome.ACCEPTED), (302, Outcome.RETRY), (400, Outcome.REFUSED_CONTENT), (401, Outcome.REFUSED_CONFIG),
     (404, Outcome.REFUSED_CONFIG), (429, Outcome.THROTTLED), (500, Outcome.RETRY), (503, Outcome.RETRY)],
)  # fmt: skip
def test_what_an_answer_means(status, outcome):
    with receiver(status) as (url, got):
        parts, health = sent(hook(url), "one")

    assert parts[0].outcome is outcome
    assert len(got) == 1, "a redirection is not followed"
    assert health.up is (outcome is not Outcome.REFUSED_CONFIG)


def test_who_does_not_answer_in_time_gets_it_again_later():
    with receiver(delay=0.5) as (url, _):
        parts, _ = sent(hook(url, timeout="0.1"), "one")

    assert (parts[0].outcome, parts[0].code) == (Outcome.RETRY, "timeout")


def test_who_is_not_there_is_not_asked_for_every_message():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    parts, health = sent(hook(url), "one", "two")

    assert {(p.outcome, p.code) for p in parts} == {(Outcome.RETRY, "not connected")}
    assert (health.up, health.code) == (False, "G074")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"url": "ftp://a"}, "G070"), ({"secret": "short"}, "G071"), ({"url": ""}, "G003"), ({"timeout": "0"}, "G004"),
     ({"url": "https://a", "tls_ca": "/none.pem"}, "G008")],
)  # fmt: skip
def test_a_wrong_setting_names_itself(wrong, code):
    with pytest.raises(SettingsError, match=code):
        hook(**({"url": "http://127.0.0.1/"} | wrong))
