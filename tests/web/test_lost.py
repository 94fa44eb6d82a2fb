"""A database that goes away under a running house: nothing accepted is lost, and it goes on by itself when it is back."""

from __future__ import annotations

import asyncio
import time

import psycopg
import pytest
from django.db import connections

from fengsui.config import configure
from fengsui.core.facts import Alerted, Reached
from fengsui.flow import record
from fengsui.flow.inputs import Input, Unwritten
from fengsui.flow.links import Links
from fengsui.store import ledger
from fengsui.store.sql import Session
from fengsui.web.door import LinkDoor
from fengsui.web.hot import Hot
from tests.web.site import INCIDENT, JULE, Site, site

PAGES = ("/desk", "/ledger", "/people", "/gateways")
MINE = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def killed() -> int:
    """End every connection to the place's database but the one that asks; how many there were."""
    session = Session()
    try:
        pids = [pid for (pid,) in session.run(MINE)]
        for pid in pids:
            session.run("SELECT pg_terminate_backend(?, 5000)", pid)  # returns when it is gone
        return len(pids)
    finally:
        session.close()


def until(true, seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def status(door: LinkDoor, path: str) -> int:
    """What a phone gets, or whoever watches the house."""
    said = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        said.append(message)

    scope = {"type": "http", "path": path, "method": "GET", "query_string": b"", "client": None}
    asyncio.run(Hot(door, time.monotonic)(scope, receive, send))
    return said[0]["status"]


def opened(at: Site) -> list[int]:
    client = at.client()
    connections.close_all()  # as the server does after each page
    return [client.get(page).status_code for page in PAGES]


pytestmark = [pytest.mark.foreign, pytest.mark.parametrize("database", ["postgresql"], indirect=True)]


def test_lost_connections_are_replaced_before_anybody_notices(database):
    with site(database, size=60) as at:
        at.issue()
        at.calm()
        links = Links(at.house.writer)
        asyncio.run(links.find("A" * 12))
        assert opened(at) == [200] * len(PAGES)
        before = at.facts()
        assert killed() > 3
        at.issue(2, "orange")
        assert opened(at) == [200] * len(PAGES)
        assert asyncio.run(links.find("B" * 12)) is None
        at.calm()
        assert at.facts()[: len(before)] == before
        assert [f.version for f in at.facts(Alerted)] == [1, 2]
        assert at.house.ready
        assert not at.house.over.is_set()
        links.close()


def test_a_house_outlives_its_database_and_says_meanwhile_that_it_cannot_be_relied_on(
    database, postgresql, monkeypatch
):
    monkeypatch.setattr(record, "LATE", 1.0)
    with site(database, size=60) as at:
        at.issue()
        at.calm()
        opened(at)
        links = Links(at.house.writer)
        door = LinkDoor(links, lambda: at.house.ready)
        assert at.house.ready
        before = at.facts()
        postgresql.halt()
        try:
            with pytest.raises(Unwritten):
                at.issue(2, "orange")
            assert status(door, f"/a/{'A' * 12}") == 503
            until(lambda: not at.house.ready)
            assert status(door, "/health") == 503
            time.sleep(2)  # everything that looks now and then has looked
            assert not at.house.over.is_set()
            assert at.house.writer.failure is None
        finally:
            postgresql.start()
        until(lambda: at.house.ready)
        at.issue(2, "orange")
        at.calm()
        assert opened(at) == [200] * len(PAGES)
        assert [status(door, path) for path in (f"/a/{'A' * 12}", "/health")] == [404, 200]
        assert at.facts()[: len(before)] == before
        assert [f.version for f in at.facts(Alerted)] == [1, 2]
        assert not at.house.over.is_set()
        links.close()


def test_what_nobody_knows_to_be_written_counts_once_when_it_is_posted_again(
    database, postgresql, monkeypatch
):
    commit, wanted = Session.commit, []

    def unanswered(self: Session) -> None:
        here = wanted and ledger.known(self, ["test/once"])
        commit(self)
        if here:
            postgresql.halt()
            raise wanted.pop()

    with site(database, size=60) as at:
        at.issue()
        at.calm()
        person = at.holder(f"{JULE}/duty_officer/1")
        one = Input("test/once", Reached(INCIDENT, at.now, person, "", "sms", "acknowledged", 1))
        monkeypatch.setattr(at.house.writer._session, "commit", lambda: unanswered(at.house.writer._session))
        wanted.append(psycopg.OperationalError("the connection broke before the answer to COMMIT"))
        try:
            with pytest.raises(Unwritten, match="R014"):
                at.house.writer.post(one).result(10)
        finally:
            postgresql.start()
        until(lambda: at.house.ready)
        assert at.house.writer.post(one).result(10).ok
        answered = [f for f in at.facts(Reached) if f.person == person and f.state == "acknowledged"]
        assert len(answered) == 1


def test_a_silent_network_is_noticed_within_half_a_minute_unless_the_url_says_otherwise(database):
    given = []
    for query in ("", "?connect_timeout=9"):
        configure(database.data, f"{database.url}{query}")
        session = Session()
        given.append(session.raw.info.get_parameters())
        session.close()
    configure(database.data, database.url)

    assert [one["connect_timeout"] for one in given] == ["5", "9"]
    for one in given:
        idle, interval, count = (int(one[f"keepalives_{word}"]) for word in ("idle", "interval", "count"))
        assert idle + interval * count <= 30
        assert int(one["tcp_user_timeout"]) <= 30_000
