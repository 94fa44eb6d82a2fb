"""A drill cannot leave through a gateway that does not accept drills, nor what is in earnest through one for drills only.

Whatever happens, over the real writer and real lanes: every kind of fact that tells anybody, in every series, with
gateways of every choice of what they accept, while lanes are held and fail, rows move, gateways are configured anew, the
house is killed, and a backup is restored. And nothing is left waiting in silence: who could not be told is somebody's task.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from fengsui.config import configure
from fengsui.core.facts import (
    Aired,
    Alerted,
    Consulted,
    DrillSet,
    Exhausted,
    Notified,
    Reached,
    Reported,
    ResponseSet,
    SuspensionDecided,
    Tried,
)
from fengsui.core.series import NAMES, mark
from fengsui.core.state import AlertPart
from fengsui.flow import failover, pulse, restore, send, serve
from fengsui.flow.clock import Jumping
from fengsui.flow.inputs import Input
from fengsui.flow.serve import House
from fengsui.rehearse.cast import ACKNOWLEDGE
from fengsui.store import history, holds, leases, vault
from fengsui.store.lanes import Lane
from fengsui.store.sql import Session
from tests.conftest import START, Database
from tests.flow import district
from tests.flow.district import DRILL, MINUTE, NIGHT, yunzhou
from tests.flow.ways import Way, offline, takes
from tests.store import deliveries

SERIES = tuple(NAMES)
SUBSETS = [frozenset(some) for n in range(4) for some in itertools.combinations(SERIES, n)]
NAMED = ("one", "two", "cap")
_number = itertools.count(1)
_aside = ThreadPoolExecutor(1)  # Django opens no connection where an event loop runs

ACCEPTS = st.tuples(*[st.sampled_from(SUBSETS)] * 3)
ACT = st.one_of(
    st.tuples(st.just("alert"), st.sampled_from(SERIES), st.sampled_from(["red", "orange", ""])),
    st.tuples(st.just("alert"), st.sampled_from(SERIES), st.just("red")),
    st.tuples(st.sampled_from(["answer", "help", "stop", "air", "grade", "hold a consultation"]), st.sampled_from(SERIES)),
    st.tuples(st.sampled_from(["try", "announce", "start", "end", "restore"])),
    st.tuples(st.just("wait"), st.integers(1, 40)),
    st.tuples(st.sampled_from(["hold", "release", "ill", "well"]), st.sampled_from(NAMED[:2])),
    st.tuples(st.sampled_from(["restart", "kill"]), ACCEPTS),
)  # fmt: skip


class Story:
    """A place that goes through it, one house after another; ``ways``: every gateway there ever was."""

    def __init__(self, place: Database) -> None:
        self.place, self.clock = place, Jumping(NIGHT)
        self.ways: list[Way] = []
        self.ill: set[str] = set()
        self.house: House | None = None
        self._id = itertools.count(1)

    # ── the house ────────────────────────────────────────────────────────────

    async def open(self, accepts) -> None:
        now = [Way(name, accepts=some) for name, some in zip(NAMED, accepts, strict=True)]
        now[2].channel = "cap"
        self.ways += now
        for way in now:
            way.say = offline if way.name in self.ill else takes
        self.house = House(yunzhou(), self.clock, self.place.vault, now)
        await self.house.start()
        await self.house.install("actual")

    async def close(self, *, kill: bool = False) -> None:
        for gateway in self.house.gateways if kill else ():
            gateway.dead = True  # what is with it is never answered: leased for ever
        if not kill:
            await self.rest()
        await self.house.stop()

    async def rest(self) -> None:
        await self.house.writer.settle()
        for lane in self.house.lanes:
            lane.wake()
        for _ in range(400):
            await asyncio.sleep(0.005)
            if not any(lane.busy for lane in self.house.lanes if not lane.pulse.ill):
                break
        await self.house.writer.settle()

    async def post(self, fact) -> bool:
        answer = await self.house.writer.post(Input(f"story-{next(self._id)}", fact))
        return answer.ok

    # ── what happens ─────────────────────────────────────────────────────────

    async def act(self, what, *more) -> None:
        now, world = self.clock.now(), self.house.writer.world
        match what, *more:
            case "alert", series, level:
                await self.post(self.alerted(series, level))
            case (("answer" | "help" | "stop" | "air" | "grade" | "hold a consultation"), series):
                for fact in self.said(what, f"incident-{series}", now):
                    await self.post(fact)
            case ("try",):
                await self.post(Tried("trial-1", now, min(world.directory.reachable), "a"))
            case (("announce" | "start" | "end") as turn,):
                await self.post(self.turn(turn))
            case "wait", minutes:
                self.clock.jump(now + minutes * MINUTE)
                self.house.writer.due()
            case (("hold" | "release"), name):
                await asyncio.to_thread(_held, name, what == "hold", now)
                await self.house._holds.look()
            case (("ill" | "well"), name):
                (self.ill.add if what == "ill" else self.ill.discard)(name)
                way = next(g for g in self.house.gateways if g.name == name)
                way.say = offline if what == "ill" else takes
            case (("restart" | "kill"), accepts):
                await self.close(kill=what == "kill")
                await self.open(accepts)
            case ("restore",):
                before = [g.accepts for g in self.house.gateways]
                await self.close(kill=True)
                await asyncio.to_thread(_restored, now)
                await self.open(before)
        await self.rest()

    def alerted(self, series, level) -> Alerted:
        part = self.house.writer.world.streams.get(f"incident-{series}")
        alert = part.alert if part else AlertPart()
        hazard = {"actual": "rainstorm", "exercise": "rainstorm", "test": "snowstorm"}[series]
        return district.alert(
            alert.version + 1, level, at=self.clock.now(), stream=f"incident-{series}", series=series, hazard=hazard,
            drill=DRILL if series == "exercise" else "", expires=self.clock.now() + 120 * MINUTE,
        )  # fmt: skip

    def turn(self, turn) -> DrillSet:
        now, directory = self.clock.now(), self.house.writer.world.directory
        by = next(p for post in directory.unit_posts["meteorology"] if (p := post.holder))
        if turn == "announce":
            units = ("聚乐乡", "meteorology", "water", "media")
            return DrillSet(DRILL, now, "announced", by, "rainstorm", units, (), now)
        return DrillSet(DRILL, now, "started" if turn == "start" else "stopped", by)

    def said(self, what, stream, now):
        state = self.house.writer.world.streams.get(stream)
        if state is None or not state.notices.people:
            return
        version, people = state.alert.version, sorted(state.notices.people)
        match what:
            case "answer":
                for person in people[::3]:
                    yield Reached(stream, now, person, "", "sms", "acknowledged", version)
            case "help":
                yield Reported(stream, now, "need_support", "聚乐乡", version=version)
                yield Reported(stream, now, "relay", "聚乐乡", version=version)
            case "stop":
                yield SuspensionDecided(stream, now, "聚乐乡", people[0], ("classes",))
            case "air":
                yield Aired(stream, now, "media", "crawl", True, people[0], version)
            case "grade":
                yield ResponseSet(stream, now, "III", "headquarters", people[0])
            case _:
                yield Consulted(
                    stream, now, "normal-1", "normal", "called", "meteorology", invited=("water",)
                )

    async def end(self) -> None:
        """Everything that waits gets its chance: nothing is held, every gateway works, and hours pass."""
        await asyncio.to_thread(_held, "", False, 0)
        await self.house._holds.look()
        self.ill.clear()
        for gateway in self.house.gateways:
            gateway.say = takes
        for _ in range(60):
            await self.rest()
            leased, soonest = await self.house.writer.outlook()
            if not leased and soonest is None:
                break
            self.clock.jump(max(self.clock.now() + MINUTE, soonest or 0))
            self.house.writer.due()
        await self.rest()
        await self.close()


def _held(name, on, now) -> None:
    session = Session()
    with session.transaction():
        holds.put(session, name, now, "test") if on else holds.lift(session, name)
    session.close()


def _restored(now) -> None:
    session = Session()
    with session.transaction():
        restore._doubt(session, now)
    session.close()


# ── what must hold ───────────────────────────────────────────────────────────


def strangers(ways) -> list[tuple[str, str, str]]:
    """(gateway, series, text): what was handed to a gateway that does not accept it."""
    session = Session()
    series = dict(session.run("SELECT d.id, n.series FROM delivery d JOIN notice n ON n.id = d.notice"))
    session.close()
    found = []
    for way in ways:
        for _, handed in way.sent:
            text = "".join(part for _, _, part in handed.parts)
            if series[handed.id] not in way.accepts:
                found.append((way.name, series[handed.id], text))
            if way.channel == "sms" and 0 in {i for i, _, _ in handed.parts}:
                assert said(text) == mark(series[handed.id]), "and every text says what it is"
    return found


def said(text: str) -> str:
    """The mark that a text bears, "" if none."""
    return next((m for name in SERIES if (m := mark(name)) and m in text), "")


def silent() -> list[object]:
    """What waits although nothing will come of it; who was told nothing and is nobody's task."""
    session = Session()
    found = session.run("SELECT id, lane, state FROM delivery WHERE state = 0 AND NOT lane = 'cap'")
    gone = session.run(
        "SELECT n.stream, n.key, d.recipient FROM delivery d JOIN notice n ON n.id = d.notice WHERE d.responsible = 1"
        " GROUP BY n.stream, n.key, d.recipient HAVING min(CASE WHEN d.state IN (3, 4, 5) THEN 1 ELSE 0 END) = 1"
    )
    facts = [line.fact for line in history.facts(session)]
    board = {
        (s, d, h): (st_, desk)
        for s, d, h, st_, desk in session.run("SELECT stream, duty, holder, status, desk FROM board")
    }
    steps = session.run("SELECT body FROM ledger WHERE kind = 'step_taken'")
    session.close()
    closed = {f.stream for f in facts if f.__struct_config__.tag == "closed"}
    known = {(f.stream, f.notice, f.person) for f in facts if isinstance(f, Exhausted)}
    found += [one for one in gone if one not in known and one[0] not in closed]
    climbed = defaultdict(set)
    for (body,) in steps:
        fact = msgspec.json.decode(body)
        climbed[fact["stream"], fact["key"]] |= set(fact["holders"])
    for fact in facts:
        for r in fact.recipients if isinstance(fact, Notified) and fact.template == "alert" else ():
            if (fact.stream, fact.key, r.person) in known:
                for post in r.holders:
                    row = board.get((fact.stream, ACKNOWLEDGE, post))
                    if row and row[0] == "open" and post not in climbed[fact.stream, ACKNOWLEDGE]:
                        found.append((fact.stream, post, row))
    return found


@contextlib.contextmanager
def fresh(tmp_path, template, server=None):
    """A place of its own, as the fixture ``database`` makes it, for one example."""
    number = next(_number)
    place = tmp_path / f"place-{number}"
    shutil.copytree(template, place)
    url = server.database(f"guard{number}", "fengsui_template") if server else ""
    configure(place, url)
    try:
        found = Database(place, url, vault.load(place, START))
        district.populate(found)
        yield found
    finally:
        configure(tmp_path)
        if server:
            server.drop(f"guard{number}")
        shutil.rmtree(place)


def played(place, accepts, acts) -> None:
    story = Story(place)

    async def night():
        await story.open(accepts)
        for act in acts:
            await story.act(*act)
        await story.end()

    asyncio.run(night())
    event(f"handed over: {min(3, sum(len(w.sent) for w in story.ways))}")
    assert strangers(story.ways) == []
    assert silent() == []


@pytest.fixture
def swift(monkeypatch):
    """Lanes that look and give up sooner."""
    for module, name, value in (
        (failover, "LOOK", 0.01), (pulse, "PATIENCE", 0.0), (send, "PROBE", 0.01), (send, "GLANCE", 0.02), (serve, "GRACE", 0.02),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)


EVERYTHING, NOTHING, LIVE, DRILLS = (
    frozenset(SERIES),
    frozenset(),
    frozenset({"actual"}),
    frozenset({"exercise"}),
)
WAITING = [("hold", "one"), ("alert", "exercise", "orange"), ("alert", "actual", "red")]
"""Both wait in one lane; then its gateway is configured anew."""
ANEW = [
    ("restart", (LIVE, DRILLS, LIVE)), ("kill", (DRILLS, LIVE, DRILLS)), ("restart", (DRILLS, NOTHING, NOTHING)),
    ("kill", (LIVE, NOTHING, EVERYTHING)),
]  # fmt: skip


HOW = {
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}


def test_no_series_leaves_where_it_is_not_accepted_and_nothing_waits_in_silence(tmp_path, template, swift):
    @example((EVERYTHING, NOTHING, EVERYTHING), [*WAITING, ANEW[0], ("release", "one")])
    @example((EVERYTHING, NOTHING, EVERYTHING), [*WAITING, ANEW[1], ("restore",), ("release", "one")])
    @example((EVERYTHING, LIVE, EVERYTHING), [*WAITING, ANEW[2], ("release", "one"), ("ill", "one")])
    @example(
        (EVERYTHING, DRILLS, NOTHING), [("ill", "one"), *WAITING, ANEW[3], ("wait", 20), ("release", "one")]
    )
    @settings(max_examples=25, **HOW)
    @given(ACCEPTS, st.lists(ACT, min_size=2, max_size=9))
    def stories(accepts, acts):
        with fresh(tmp_path, template) as place:
            played(place, accepts, [("announce",), ("start",), ("alert", "exercise", "red"), *acts])

    stories()


@pytest.mark.foreign
def test_the_same_on_postgresql(tmp_path, template, postgresql, swift):
    @settings(max_examples=6, **HOW)
    @given(ACCEPTS, st.lists(ACT, min_size=2, max_size=6))
    def stories(accepts, acts):
        with fresh(tmp_path, template, postgresql) as place:
            played(place, accepts, [("announce",), ("start",), ("alert", "exercise", "red"), *acts])

    stories()


@pytest.mark.parametrize("series", SERIES)
def test_a_lane_gives_its_gateway_only_what_it_accepts_whatever_waits_there(database, session, series):
    """Every choice of what two gateways accept: rows planned for the one, and moved to the other."""
    for number, (mine, others) in enumerate(itertools.product(SUBSETS, SUBSETS)):
        one, two = Lane(f"one-{number}", "sms", mine), Lane(f"two-{number}", "sms", others)
        notice = deliveries.told(session, database.vault, f"p{number}", series=series, lane=one.name)
        got = {lane.name: _taken(session, lane, (one, two)) for lane in (one, two)}

        assert not got[one.name] or series in mine
        assert not got[two.name] or series in others
        state = session.run("SELECT state, lane FROM delivery WHERE notice = ?", notice)[0]
        assert (state[0] == 4) == (series not in mine | others), state
        assert leases.reroute(session, one.name, two, deliveries.NOW) == 0


def _taken(session, lane, lanes):
    with session.transaction():
        rows, _ = leases.lease(session, lane, lanes, now=deliveries.NOW, until=deliveries.NOW + 1, token=7)
    return rows
