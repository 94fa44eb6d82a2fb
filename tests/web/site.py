"""A running house for tests of pages: its loop in a thread, a gateway that takes everything, one client per role.

``with site(database) as here_is:`` gives an empty district; ``night(here_is)`` plays what pages have to show: a red
rainstorm warning in force for 聚乐乡 and 峰峪乡 since 02:13, delivered; 聚乐乡 has answered and acted, 峰峪乡 is silent;
it is 02:30 and the ladders have come as far as the desk and supervision.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from django.test import Client

from fengsui.core import drill, wording
from fengsui.core.facts import Aired, DrillSet, Fact, Reached, Reported, SuspensionDecided
from fengsui.core.series import Series
from fengsui.core.state import State
from fengsui.flow.clock import Jumping
from fengsui.flow.inputs import Answer, Input, Signature
from fengsui.flow.serve import House
from fengsui.gateways.contract import Receipt
from fengsui.rehearse.visit import POSTS
from fengsui.store import history, people
from fengsui.store.accounts import Account
from fengsui.store.archive import Paper
from fengsui.store.sql import Session
from fengsui.web import here, rights
from tests.conftest import Database
from tests.flow.district import MINUTE, NIGHT, alert, everyone, yunzhou
from tests.flow.ways import Way

INCIDENT = "incident-1"
JULE, FENGYU = "聚乐乡", "峰峪乡"
DRAFT = wording.Draft("受强对流云团影响，", "预计未来3小时聚乐乡、峰峪乡降雨量将达100毫米以上。")
HANDS = 30.0
"""Seconds of real time within which the house must come to rest."""


class Site:
    """The running house as tests use it. ``way``: its gateway (``way.sent``: what was handed over)."""

    def __init__(self, house: House, way: Way, loop: asyncio.AbstractEventLoop) -> None:
        self.house, self.way = house, way
        self._loop = loop
        self._names = itertools.count(1)
        self._receipted = 0
        self._clients: dict[str, Client] = {}

    # ── who looks ────────────────────────────────────────────────────────────

    def client(self, role: str = "forecaster") -> Client:
        """A browser in which somebody of this role is logged in, always the same one."""
        if role not in self._clients:
            account = self.account(role)
            client = Client()
            session: Any = client.session
            session["account"], session["stamp"] = account.pk, account.stamp
            session.save()
            self._clients[role] = client
        return self._clients[role]

    def account(self, role: str) -> Account:
        """The login of a role: it acts for the holder of the post that ``rehearse.visit`` names."""
        post = self.house.writer.world.directory.posts.get(POSTS[role])
        fields = {
            "role": role, "name": rights.ROLES[role], "stamp": f"stamp-{role}",
            "unit": post.unit if post else "", "person": post.holder if post else "",
        }  # fmt: skip
        return Account.objects.get_or_create(username=role, defaults=fields)[0]

    # ── what happens ─────────────────────────────────────────────────────────

    @property
    def now(self) -> int:
        return self.house.clock.now()

    def state(self, stream: str = INCIDENT) -> State:
        """A stream as of the last commit."""
        return self.house.writer.world.at(stream)

    def post(
        self, fact: Fact, *, papers: Sequence[Paper] = (), signatures: Sequence[Signature] = (), **more: Any
    ) -> Answer:
        """Have a fact considered; must be admitted."""
        one = Input(f"test/{next(self._names)}", fact, tuple(papers), tuple(signatures), **more)
        answer = self.house.writer.post(one).result(10)
        assert answer.ok, answer
        return answer

    def issue(self, version: int = 1, level: str = "red", **more: Any) -> Answer:
        """A rainstorm warning for 聚乐乡 and 峰峪乡; level "" lifts it. more: fields of Alerted."""
        stream = more.get("stream", INCIDENT)
        paper = Paper(
            "alert", wording.paper(wording.Draft(f"{DRAFT.cause}{stream}第{version}版，", DRAFT.forecast))
        )
        posts = self.house.writer.world.directory.posts
        author, signer = posts[POSTS["forecaster"]].holder, posts[POSTS["signer"]].holder
        played = {"drill": self.drill()} if more.get("series") == "exercise" else {}
        fields = {"author": author, "signer": signer, "paper": paper.digest} | played | more
        fact = alert(version, level, at=self.now, **fields)
        return self.post(fact, papers=[paper], signatures=[Signature(paper.digest, author, signer)])

    def drill(self, *units: str) -> str:
        """The drill under way; of these units (none: all), begun now, if there is none."""
        world = self.house.writer.world
        if name := drill.under_way(world):
            return name
        name, by = "drill-20270721-1", world.directory.posts[POSTS["signer"]].holder
        told = {"scenario": "rainstorm", "units": units or tuple(world.pack.units), "begins": self.now}
        self.post(DrillSet(name, self.now, "announced", by, **told))
        self.post(DrillSet(name, self.now, "started", by))
        return name

    def holder(self, post: str) -> str:
        """Who holds a post: ``聚乐乡/duty_officer/1``."""
        return self.house.writer.world.directory.posts[post].holder

    def answer(self, person: str, version: int = 1, stream: str = INCIDENT) -> Answer:
        """A person answers 收到."""
        return self.post(Reached(stream, self.now, person, "", "sms", "acknowledged", version))

    def report(self, what: str, unit: str, text: str = "", **more: Any) -> Answer:
        """A unit reports; text becomes the paper."""
        papers = [Paper("report", text.encode())] if text else []
        paper = papers[0].digest if papers else ""
        return self.post(Reported(INCIDENT, self.now, what, unit, paper=paper, **more), papers=papers)

    def wait(self, minutes: float) -> None:
        """Let time pass, minute by minute, with all that falls due."""
        until = self.now + int(minutes * MINUTE)
        while self.now < until:
            assert isinstance(self.house.clock, Jumping)
            self.house.clock.jump(min(until, self.now + MINUTE))
            self.house.writer.due()
            self.calm()

    def calm(self) -> None:
        """Until nothing is on its way."""
        end = time.monotonic() + HANDS
        calm = 0
        while calm < 2:
            assert time.monotonic() < end, "the house does not come to rest"
            self.house.writer.settle().result(HANDS)
            busy = any(lane.busy for lane in self.house.lanes)
            leased, due = self.house.writer.outlook().result(10)
            calm = 0 if busy or leased or (due is not None and due <= self.now) else calm + 1
            time.sleep(0.005)

    def deliver(self, *, but: Sequence[str] = ()) -> None:
        """Receipts for everything handed over since the last time, except to these persons."""
        new = self.way.sent[self._receipted :]
        self._receipted = len(self.way.sent)
        session = Session()
        spared = {v for p in but for c in people.numbers(session, self.house.vault, p) for v in (c.value,)}
        session.close()
        words = [
            Receipt(f"{h.id}-{i}", "delivered") for _, h in new if h.to not in spared for i, _, _ in h.parts
        ]
        self.house.writer.post_receipts(self.way.name, words).result(10)
        self.calm()

    def facts(self, *kinds: type) -> list[Any]:
        """What the ledger holds, of these kinds or all of it."""
        session = Session()
        try:
            return [x.fact for x in history.facts(session) if not kinds or isinstance(x.fact, kinds)]
        finally:
            session.close()


@contextlib.contextmanager
def site(
    database: Database, *, size: int = 200, ways: Sequence[Any] = (), series: Series = "test"
) -> Iterator[Site]:
    """A house with invented people over a fresh place, bound to the pages of this process."""
    session = Session()
    with session.transaction():
        people.apply(session, database.vault, everyone(size))
    session.close()
    way = ways[0] if ways else Way()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="house", daemon=True)
    thread.start()
    house: House = asyncio.run_coroutine_threadsafe(_opened(database, tuple(ways) or (way,)), loop).result(30)
    here.bind(house)
    made = Site(house, way, loop)
    try:
        asyncio.run_coroutine_threadsafe(house.install(series), loop).result(10)
        yield made
    finally:
        _forget()
        here.bind(None)
        asyncio.run_coroutine_threadsafe(house.stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _forget() -> None:
    """Close the reading connection of this thread."""
    opened = getattr(here._local, "session", None)
    if opened is not None:
        opened.close()
        here._local.session = None


async def _opened(database: Database, ways: Sequence[Any]) -> House:
    house = House(yunzhou(), Jumping(NIGHT), database.vault, ways, address="https://warn.invalid")
    await house.start()
    return house


def night(at: Site, minutes: int = 17) -> Site:
    """The situation of the module's first lines; minutes: how long after the warning it is."""
    at.issue()
    at.calm()
    at.deliver(but=[at.holder(f"{FENGYU}/responsible_person/1")])
    at.wait(2)
    for post in at.house.writer.world.directory.unit_posts[JULE]:
        at.answer(post.holder)
    for unit in ("water", "emergency", "media"):
        at.answer(at.holder(f"{unit}/duty_officer/1"))
    at.report("relay", JULE, version=1, by=at.holder(f"{JULE}/duty_officer/1"))
    at.report("extreme_weather_response", JULE)
    at.post(SuspensionDecided(INCIDENT, at.now, JULE, at.holder(f"{JULE}/leader/1"), ("classes", "work")))
    at.post(Aired(INCIDENT, at.now, "media", "crawl", True, at.holder("media/duty_officer/1"), 1))
    at.wait(minutes - 2)
    at.deliver()
    return at
