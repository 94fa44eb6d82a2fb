"""舞台 Stage: a district of its own for a rehearsal — database, one process, a message centre, a clock that jumps.

Everything is real but the people and the time: the writer, the lanes, SMPP over loopback, receipts, replies. The clock
jumps only when no row is leased, nothing is unanswered and no input is queued; what arrives in between bears the
instant at which it stands.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from fengsui.config import configure
from fengsui.core.calendar import SECOND
from fengsui.core.clauses import Pack
from fengsui.core.facts import DirectoryChanged, Fact, SuspensionDecided
from fengsui.core.state import DISTRICT
from fengsui.flow import inputs
from fengsui.flow.clock import Jumping
from fengsui.flow.serve import House
from fengsui.formats import sms
from fengsui.gateways.email import Email
from fengsui.gateways.sms_smpp import SmsSmpp
from fengsui.rehearse.cast import Act, Cast, Correct, Do, Say
from fengsui.rehearse.mailbox import Mailbox
from fengsui.rehearse.people import DOMAIN, Invented, Population
from fengsui.rehearse.smsc import Centre
from fengsui.rehearse.smsc_plan import Plan
from fengsui.store import history, people, signet, vault
from fengsui.store.archive import Paper
from fengsui.store.migrate import migrate
from fengsui.store.sql import Session

SOURCE = "1009900"
"""Our own number in rehearsals: invented, cannot ring."""
DEAD = "001"
"""The code with which the centre says that a number is out of service."""
PATIENCE = 60.0
"""Seconds of real time after which a rehearsal that does not come to rest is given up."""
TICK = 0.1
"""Seconds between steps of a rehearsal that runs at a pace."""
POLL = 0.0005
"""Seconds between looks at whether everything is quiet."""


class Heard(NamedTuple):
    """A message as a phone shows it: when, from or to which number, its words, in how many parts; mine: it was sent."""

    at: int
    source: str
    text: str
    parts: int = 1
    mine: bool = False


class Stuck(OSError):  # noqa: N818 - the condition is the name
    """演练停住了：有消息长时间没有结果。请附上日志报告。[D010]"""


class Stage:
    """One rehearsal: ``start`` it, ``post`` inputs, let ``play`` carry the time on, ``stop`` it."""

    def __init__(
        self, place: Path, pack: Pack, population: Population, cast: Cast, *, start: int, address: str = ""
    ) -> None:
        """place: an empty data directory. start: the rehearsed moment at which it begins, UTC µs. address: as the
        house's; ``phones``: what each phone has shown; ``automatic``: whether the cast answers by itself.
        """
        self.place, self.pack, self.population, self.cast = place, pack, population, cast
        self.clock = Jumping(start)
        self.centre = Centre(Plan(), self._message)
        self.centre.postpone = self._postpone
        self.mailbox = Mailbox(self.clock.now)
        self.address = address
        self.phones: dict[str, list[Heard]] = {}
        self.automatic = True
        self.facts: list[Fact] = []
        self.refused: list[inputs.Answer] = []
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._seq = 0
        self._names = itertools.count()
        self._waiting: list[inputs.Pending[inputs.Answer]] = []

    async def start(self) -> None:
        """Make the place, the people and the house, and connect."""
        keys = await asyncio.to_thread(self._place)
        port = await self.centre.start()
        given = {
            "host": "127.0.0.1",
            "port": str(port),
            "system_id": "fengsui",
            "password": "rehearse",
            "source": SOURCE,
        }
        self.gateway = SmsSmpp("sms", given, accepts=frozenset({"test"}), clock=self.clock.now)
        letters = {
            "host": "127.0.0.1",
            "port": str(await self.mailbox.start()),
            "security": "none",
            "sender": f"warning@{DOMAIN}",
            "sender_name": "云州区气象台",
            "secret": secrets.token_hex(16),
        }
        mail = Email("email", letters, accepts=frozenset({"test"}), clock=self.clock.now)
        self.house = House(self.pack, self.clock, keys, [self.gateway, mail], address=self.address)
        await self.house.start()
        self._session = await asyncio.to_thread(Session)
        await self.house.install("test")
        added = DirectoryChanged(DISTRICT, self.clock.now(), "added", "", "")
        await self.house.writer.post(inputs.Input("people", added, edit=edit(self.population)))
        await self.quiet()

    def _place(self) -> vault.Vault:
        configure(self.place)
        migrate()
        keys = vault.create(self.place, 0)  # valid whatever night is rehearsed
        signet.add(self.place, "Fengsui rehearsal", self.clock.now())
        return keys

    async def stop(self) -> None:
        """Stop the house, hang up."""
        await self.house.stop()
        await self.centre.stop()
        await self.mailbox.stop()
        self._session.close()

    def deliveries(self) -> dict[str, int]:
        """How many deliveries were handed over whole, and how many have neither a result nor an open task."""
        handed = self._session.run("SELECT count(*) FROM delivery WHERE accepted = (1 << parts) - 1")[0][0]
        lost = self._session.run(
            "SELECT count(*) FROM delivery d WHERE d.state = 0 AND NOT EXISTS (SELECT 1 FROM board b JOIN post p"
            " ON p.id = b.holder WHERE b.desk = 1 AND b.ended IS NULL AND p.holder = d.recipient)"
        )[0][0]
        return {"handed": int(handed), "lost": int(lost)}

    # ── what happens ─────────────────────────────────────────────────────────

    def at(self, moment: int, do: Callable[[], None]) -> None:
        """Have something happen at a moment."""
        heapq.heappush(self._agenda, (moment, next(self._order), do))

    def post(self, one: inputs.Input) -> None:
        """Post an input; its answer is looked at when all is quiet."""
        self._waiting.append(self.house.writer.post(one))

    async def play(self, until: int, seen: Callable[[int], None], pace: float = 0) -> None:
        """Carry the time on from one thing that happens to the next. seen: told the moment after each step.

        pace: how many seconds of it pass in one of real time, at most; 0 = as fast as it can be played.
        """
        loop = asyncio.get_running_loop()
        began, since = loop.time(), self.clock.now()
        while True:
            await self.quiet()
            self._learn()
            moment = await self._next()
            if moment is None or moment > until:
                return
            while pace and (left := (moment - since) / SECOND / pace - (loop.time() - began)) > 0:
                await asyncio.sleep(min(left, TICK))
                seen(min(moment, since + round((loop.time() - began) * pace * SECOND)))
            self.clock.jump(max(moment, self.clock.now()))
            while self._agenda and self._agenda[0][0] <= self.clock.now():
                heapq.heappop(self._agenda)[2]()
            self.house.writer.due()
            seen(self.clock.now())

    async def pace(self, factor: Callable[[], float]) -> None:
        """Let time run, so many times as fast as it does, until cancelled; whatever happens, happens in its order."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(TICK)
            now = loop.time()
            until, last = self.clock.now() + round((now - last) * factor() * 1_000_000), now
            while self._agenda and self._agenda[0][0] <= until:
                self.clock.jump(max(self._agenda[0][0], self.clock.now()))
                heapq.heappop(self._agenda)[2]()
            self.clock.jump(max(until, self.clock.now()))
            self.house.writer.due()
            self._learn()

    def answer(self, number: str, text: str) -> None:
        """A visitor answers from an invented phone, to whoever wrote last."""
        heard = self.phones.get(number)
        self._reply(number, heard[-1].source if heard else SOURCE, text)

    def _reply(self, number: str, source: str, text: str) -> None:
        said = Heard(self.clock.now(), source, text, len(sms.split(text)), mine=True)
        self.phones.setdefault(number, []).append(said)
        self.centre.reply(number, source, text)

    async def quiet(self) -> None:
        """Until nothing is on its way anywhere. Raises Stuck after a minute of real time."""
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        calm = 0
        while calm < 2:
            if loop.time() > end or self.house.over.is_set():
                raise Stuck(Stuck.__doc__)
            calm = calm + 1 if await self._calm() else 0
            if not calm:
                await asyncio.sleep(POLL)
        for waiting in self._waiting:
            answer = await waiting
            if not answer.ok:
                self.refused.append(answer)
        self._waiting.clear()

    async def _calm(self) -> bool:
        house = self.house
        if any(lane.busy for lane in house.lanes) or house.mailroom.busy or self.centre.stats()["owed"]:
            return False
        await asyncio.wait_for(house.writer.settle(), PATIENCE)
        leased, soonest = await house.writer.outlook()
        due = soonest is not None and soonest <= self.clock.now()
        return not (leased or due or any(lane.busy for lane in house.lanes) or self.centre.stats()["owed"])

    async def _next(self) -> int | None:
        """The next moment at which something happens."""
        soonest = (await self.house.writer.outlook())[1]
        due = self.house.writer.soonest()
        moments = [m for m in (soonest, due, self._agenda[0][0] if self._agenda else None) if m is not None]
        return min(moments, default=None)

    # ── people ───────────────────────────────────────────────────────────────

    def _postpone(self, number: str, then: Callable[[str], None]) -> None:
        wait, arrives = self.cast.arrival(number)
        self.at(self.clock.now() + wait, lambda: then("" if arrives else DEAD))

    def _message(self, number: str, source: str, text: str, parts: int) -> None:
        self.phones.setdefault(number, []).append(Heard(self.clock.now(), source, text, parts))
        acts = list(self.cast.hears(number, text, self.clock.now()))
        if self.automatic:
            self._act(acts, source)

    def _learn(self) -> None:
        """Show the cast what has been recorded since it last looked."""
        for line in history.since(self._session, self._seq):
            self._seq = line.seq
            self.facts.append(line.fact)
            acts = list(self.cast.sees(line.fact))
            if self.automatic:
                self._act(acts)

    def _act(self, acts: object, source: str = SOURCE) -> None:
        for act in acts:  # type: ignore[attr-defined]
            self.at(act.at, lambda act=act: self._do(act, source))  # type: ignore[misc]

    def _do(self, act: Act, source: str) -> None:
        if not self.automatic or self._decided(act):
            return
        match act:
            case Say():
                self._reply(act.number, source, act.text)
            case Do():
                fact, papers = self._noted(act)
                self.post(inputs.Input(f"script/{next(self._names)}", fact, papers))
            case Correct():
                self._correct(act)

    def _decided(self, act: Act) -> bool:
        """Whether a visitor was quicker to decide for a unit: nobody of the cast overrules him."""
        if not (isinstance(act, Do) and isinstance(act.fact, SuspensionDecided)) or act.fact.lifted:
            return False
        state = self.house.writer.world.at(act.fact.stream)
        before = state.suspension.get(act.fact.unit)
        return before is not None and before.at >= state.alert.at

    def _noted(self, act: Do) -> tuple[Fact, tuple[Paper, ...]]:
        """The fact with the digest of its note, and with what its maker sees on the screen at that moment."""
        fact = act.fact
        papers = (Paper("note", act.note.encode()),) if act.note else ()
        if isinstance(fact, SuspensionDecided):
            before = self.house.writer.world.at(fact.stream).suspension.get(fact.unit)
            reason = papers[0].digest if papers else ""
            fact = msgspec.structs.replace(fact, replaces=before.at if before else 0, reason=reason)
        elif papers:
            fact = msgspec.structs.replace(fact, paper=papers[0].digest)
        return fact, papers

    def _correct(self, act: Correct) -> None:
        person = self.cast.by_id[act.person]
        put = people.Edit(
            people=(people.Human(person.id, person.unit, person.name, contacts(person, act.number)),)
        )
        changed = DirectoryChanged(DISTRICT, act.at, "corrected", person.unit, person.id)
        self.cast.by_number[act.number] = person
        self.post(inputs.Input(f"script/{next(self._names)}", changed, edit=put))
        self.post(inputs.Input(f"script/{next(self._names)}", act.report))


def contacts(person: Invented, number: str) -> tuple[people.Contact, ...]:
    """How a person can be reached: by a number, and in his office by mail."""
    mail = (people.Contact("email", person.email),) if person.email else ()
    return (people.Contact("sms", number), *mail)


def edit(population: Population) -> people.Edit:
    """Everyone invented as an edit of the directory."""
    humans = tuple(
        people.Human(p.id, p.unit, p.name, contacts(p, p.number)) for p in population.people if not p.list
    )
    members = tuple(people.Member(p.list, p.area, p.number) for p in population.people if p.list)
    return people.Edit(people=humans, posts=population.posts, members=members)
