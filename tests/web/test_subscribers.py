"""Subscribers of CAP get what the archive has, each in a lane of its own; a drill leaves by none that accepts none."""

from __future__ import annotations

import hashlib
import time

from fengsui import gateways
from fengsui.store import caps
from fengsui.store.sql import Session
from fengsui.store.states import State
from tests.flow.ways import Way
from tests.gateways.test_webhook import NOW, SECRET, hook, receiver
from tests.web.site import INCIDENT, site


def test_a_dead_webhook_starves_nobody_and_each_gets_the_archived_bytes_once(database):
    with receiver() as (ok, got), receiver(503) as (dead, tried):
        ways = [hook(dead, "a-dead"), hook(ok, "b-ok")]
        with site(database, ways=ways, series="actual") as running:
            for version, level in ((1, "red"), (2, "orange")):
                running.issue(version, level, series="actual")
                end = time.monotonic() + 15
                while (len(got) < version or len(tried) < version) and time.monotonic() < end:
                    time.sleep(0.02)
            session = Session()
            known = caps.thread(session, INCIDENT)
            rows = session.run("SELECT lane, state, code FROM delivery WHERE channel = 'cap' ORDER BY id")
            session.close()

    assert [hashlib.sha256(body).hexdigest() for body, _ in got] == [c.digest for c in known]
    assert tried
    assert [lane for lane, *_ in rows] == ["a-dead", "b-ok"] * 2
    first, second = (state for lane, state, _ in rows if lane == "a-dead")
    assert first in (State.WITHDRAWN, State.EXPIRED), "the newer version has made it untrue"
    assert second == State.PLANNED, "it waits for its subscriber, and moves nowhere"


def test_a_drill_does_not_leave_by_a_webhook_that_accepts_none(database):
    with receiver() as (url, got):
        given = {"url": url, "secret": SECRET}
        real = gateways.load("webhook", given, name="real", accepts=frozenset({"actual"}), clock=lambda: NOW)
        with site(database, ways=[real, Way(accepts=())], series="exercise") as running:
            running.issue(series="exercise")
            end = time.monotonic() + 15
            session = Session()
            while not caps.thread(session, INCIDENT) and time.monotonic() < end:
                time.sleep(0.02)
            assert session.run("SELECT count(*) FROM delivery WHERE channel = 'cap'")[0][0] == 0
            assert caps.thread(session, INCIDENT)[0].digest
            session.close()

    assert got == []
