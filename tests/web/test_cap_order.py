"""In which order subscribers and the feed hear of a warning: nothing older after what is newer."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import re
import threading
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import pytest
from django.test import Client

from fengsui.formats.cap import write
from fengsui.store.sql import Session
from tests.gateways.test_webhook import hook, receiver
from tests.web.site import INCIDENT, site
from tests.web.test_cap import known, told, until


@pytest.fixture
def actual(place):
    with site(place, series="actual") as running:
        yield running


def kind(body: bytes) -> tuple[bytes, bytes]:
    """Message type and colour."""
    return re.search(b"<msgType>(.*?)<", body)[1], re.search(b"<value>(red|yellow)<", body)[1]


def test_what_was_refused_is_not_made_once_something_newer_has_left(database, monkeypatch):
    with receiver() as (url, got):
        leaving = write.leaving

        def refusing(message, *more):
            if message.msg_type == "Alert":
                raise write.Refused([])
            return leaving(message, *more)

        monkeypatch.setattr(write, "leaving", refusing)
        with site(database, ways=[hook(url)], series="actual") as running:
            running.issue(series="actual")
            running.issue(2, "", series="actual")
            until(lambda: len(got), bool)
        monkeypatch.setattr(write, "leaving", leaving)
        with site(database, ways=[hook(url)], series="actual") as running:  # a new start tries again
            asyncio.run_coroutine_threadsafe(running.house.publisher.look(), running._loop).result(10)
            running.calm()
            first, second = known(INCIDENT)

    assert (first.digest, bool(second.digest)) == ("", True)
    assert [re.search(b"<msgType>(.*?)<", body)[1] for body, _ in got] == [b"Cancel"]


def test_the_feed_has_changed_when_an_older_warning_is_made_after_a_newer(actual, monkeypatch):
    leaving = write.leaving

    def refusing(message, *more):
        if message.incidents == INCIDENT:
            raise write.Refused([])
        return leaving(message, *more)

    monkeypatch.setattr(write, "leaving", refusing)
    actual.issue(series="actual")
    actual.wait(1)
    actual.issue(stream="other", zones={"140215100": "red"}, series="actual")
    told(actual, 1, "other")
    before = Client().get("/cap/feed.json")
    monkeypatch.setattr(write, "leaving", leaving)
    actual.wait(5)
    actual.house.publisher._again = True  # as at a new start
    until(lambda: known(INCIDENT)[0].digest, bool)
    after = Client().get("/cap/feed.json", headers={"If-Modified-Since": before["Last-Modified"]})

    assert after.status_code == 200
    assert [len(one.json()["alerts"]) for one in (before, after)] == [1, 2]
    assert parsedate_to_datetime(after["Last-Modified"]) > parsedate_to_datetime(before["Last-Modified"])


@contextlib.contextmanager
def moody() -> Iterator[tuple[str, list[bytes], threading.Event, threading.Event]]:
    """A subscriber out of order until it is ``well``; what it took then. It answers once ``answering``."""
    took: list[bytes] = []
    well, answering = threading.Event(), threading.Event()
    answering.set()

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            fine = well.is_set()
            answering.wait(10)
            if fine:
                took.append(body)
            self.send_response(200 if fine else 503)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", took, well, answering
    finally:
        answering.set()
        server.shutdown()
        thread.join()
        server.server_close()


def rows() -> list[tuple[int, int, int]]:
    """(version, state, whether a lane has it) of every delivery to subscribers."""
    session = Session()
    try:
        return session.run(
            "SELECT n.version, d.state, CASE WHEN d.lease = 0 THEN 0 ELSE 1 END FROM delivery d"
            " JOIN notice n ON n.id = d.notice WHERE d.channel = 'cap' ORDER BY d.id"
        )
    finally:
        session.close()


@pytest.mark.parametrize("on_its_way", [False, True], ids=["waiting", "on-its-way"])
def test_a_subscriber_that_was_out_of_order_gets_the_newest_only(database, on_its_way):
    with (
        moody() as (url, took, well, answering),
        site(database, ways=[hook(url, timeout="10")], series="actual") as running,
    ):
        if on_its_way:
            answering.clear()
        running.issue(1, "yellow", series="actual")
        until(rows, lambda found: [f[2] for f in found] == [int(on_its_way)] and known(INCIDENT))
        running.issue(2, "red", series="actual")
        until(rows, lambda found: len(found) == 2)
        well.set()
        answering.set()
        for _ in range(20):
            running.house.clock.jump(running.now + 15_000_000)
            running.house.writer.due()
            with contextlib.suppress(AssertionError):
                until(lambda: all(state for _, state, _ in rows()), bool, seconds=1)
                break

    assert [kind(body) for body in took] == [(b"Update", b"red")]
    assert [state for _, state, _ in rows()] == [3 if on_its_way else 6, 2], rows()
