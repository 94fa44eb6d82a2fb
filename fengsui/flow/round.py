"""一轮 A round: inputs decided in memory on an overlay of the world, then written in one transaction.

Nothing of it is visible before the commit; an input that raises leaves no trace but a parked row and an alarm.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

import msgspec
import psycopg

from fengsui.core import board as core_board
from fengsui.core import insertion, mind
from fengsui.core.clauses import Pack
from fengsui.core.facts import Alerted, DirectoryChanged, Fact, Notified, PackInForce, Received, encode, kind
from fengsui.core.state import AlertPart, Refusal, State, World, head
from fengsui.flow import mailing, stopping
from fengsui.flow.clock import Alarm
from fengsui.flow.inputs import Answer, Input, Parked
from fengsui.store import archive, board, history, ledger, people, sent, signals, tally
from fengsui.store.lanes import Lane
from fengsui.store.sql import Session, pack
from fengsui.store.tokens import LENGTH
from fengsui.store.vault import KeyFault, Vault

DEPTH = 50
"""How often one commit's consequences may give new inputs (a person without a way, a finished channel …)."""

POISON = (
    ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError,
    mind.Endless, KeyFault, msgspec.MsgspecError,
)  # fmt: skip
"""What may be wrong with one input or job and must never stop the others. The database's, the system's and the
machine's troubles are nobody's in particular and end the round, or the process.
"""
Outcome = Answer | Parked
T = TypeVar("T")


class Setting(msgspec.Struct, frozen=True):
    """What rounds are run with and do not change. packs: reads the pack that a PackInForce names."""

    vault: Vault
    lanes: tuple[Lane, ...]
    release: str
    packs: Callable[[PackInForce], Pack]
    address: str = ""

    @property
    def link(self) -> mailing.Link:
        """What puts a link under a text."""
        return mailing.Link(
            self.address, lambda person, stream: self.vault.token(f"{person}\n{stream}", LENGTH)
        )

    @property
    def ways(self) -> frozenset[str]:
        """Channels for which a gateway is configured."""
        return frozenset(lane.channel for lane in self.lanes)


class _Refused(Exception):  # noqa: N818 - carries a refusal out of a savepoint
    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


class Round:
    """One transaction's worth of decisions. ``world``: as it is after what was taken so far."""

    def __init__(self, session: Session, papers: Session, setting: Setting, world: World, now: int) -> None:
        self.session, self.setting, self.world, self.now = session, setting, world, now
        self._papers = papers
        self._before: dict[str, State] = {}
        self._rows: list[ledger.New] = []
        self._mail: list[mailing.Mail] = []
        self._nowhere: list[Input] = []
        self._stopped = False
        self._versions: list[tuple[str, Alerted, AlertPart]] = []
        self._spoken: list[tuple[str, dict[str, str]]] = []
        self._answers: dict[str, Outcome] = {}
        self._asked: list[str] = []
        self._known: dict[str, int] = {}
        self._bytes: dict[str, bytes] = {}
        self.alarms: list[Alarm] = []
        self.deliveries = False

    @property
    def streams(self) -> tuple[str, ...]:
        """Streams that were touched."""
        return tuple(self._before)

    @property
    def pending(self) -> bool:
        """Whether tellings are about to be written, or some were stopped: then no slice is added to this round."""
        return bool(self._mail) or self._stopped

    # ── deciding ─────────────────────────────────────────────────────────────

    def take(self, inputs: Sequence[Input], *, asked: bool = False) -> list[Outcome]:
        """Consider inputs in order. asked: somebody waits for the answers, they are kept for whoever asks again."""
        self._known |= ledger.known(self.session, [i.id for i in inputs])
        return [self._take(one, asked) for one in inputs]

    def _take(self, one: Input, asked: bool) -> Outcome:
        if one.id in self._answers:
            return self._answers[one.id]
        if one.id in self._known:
            return first_answer(self.session, one.id, self._known[one.id])
        self._bytes.update((p.digest, p.body) for p in one.papers)
        if isinstance(one.fact, stopping.STOPPING):  # what it may have to stop must stand there
            self._nowhere, self._stopped = self._posted(), True
        answer: Outcome = self._guarded(lambda: self._decide(one), lambda error: self._park(one, error))
        if isinstance(answer, Answer) and not answer.code:
            self._answers[one.id] = answer
            if asked:
                self._asked.append(one.id)
        return answer

    def _guarded(self, run: Callable[[], T], failed: Callable[[Exception], Parked]) -> T | Parked:
        """Run it; whatever is wrong with it becomes ``Parked``, so that it does not stop all the others."""
        try:
            return run()
        except POISON as error:
            return failed(error)

    def jobs(self, runs: Sequence[Callable[[Round], T]]) -> list[T | Parked]:
        """Run things that write; of one that raises nothing is written, and its waiter is told. All under one savepoint,
        and only if one of them raises each under its own.
        """
        if not runs:
            return []
        before = (
            self.world,
            {**self._before},
            [*self._rows],
            [*self._mail],
            {**self._answers},
            [*self.alarms],
        )

        def together() -> list[T]:
            with self.session.savepoint():
                return [run(self) for run in runs]

        done = self._guarded(together, self._failed)
        if not isinstance(done, Parked):
            return [*done]
        self.world, self._before, self._rows, self._mail, self._answers, self.alarms = before
        return [self._guarded(partial(self._alone, run), self._failed) for run in runs]

    def _alone(self, run: Callable[[Round], T]) -> T:
        with self.session.savepoint():
            return run(self)

    def _failed(self, error: Exception) -> Parked:
        said = f"{type(error).__name__}: {error}"
        self.alarms.append(Alarm("R023", f"处理投递结果或来件时出错，没有记录：{said} [R023]", self.now))
        return Parked(f"{Parked.__doc__} {said}")

    def _decide(self, one: Input) -> Answer:
        if not (one.edit or one.signatures or isinstance(one.fact, stopping.STOPPING)):
            return self._consider(one, one.fact, self.world)
        try:
            with self.session.savepoint():
                return self._consider(one, *self._beside(one), refuse=True)
        except _Refused as refused:
            return _refusal(one.id, refused.refusal)
        except (sqlite3.IntegrityError, psycopg.errors.IntegrityError):
            return Answer(
                one.id, 0, "R021", "签发不符合两人规定（同一人签发须写明方式和理由），没有记录。[R021]"
            )

    def _beside(self, one: Input) -> tuple[Fact, World]:
        """Write what goes with the fact; the fact and the world it is considered in."""
        fact, world = one.fact, self.world
        for sign in one.signatures:
            self.session.run(
                "INSERT INTO signature (paper, author_person, signer_person, mode, reason, at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                sign.paper, sign.author, sign.signer, sign.mode, sign.reason, self.now,
            )  # fmt: skip
        if one.edit:
            people.apply(self.session, self.setting.vault, one.edit)
            directory = people.snapshot(self.session, self.setting.ways)
            world = World(world.pack, directory, world.streams, world.heads)
            if isinstance(fact, DirectoryChanged):
                fact = msgspec.structs.replace(fact, digest=directory.digest)
        return fact, world

    def _consider(self, one: Input, fact: Fact, world: World, *, refuse: bool = False) -> Answer:
        """Ask the mind; on a decision everything that can fail (encoding, wording) is done before it counts."""
        world = self._loaded(fact, world)
        outcome = mind.admit(fact, world) or mind.settle(
            stopping.before(self.session, fact, world), one.id, world
        )
        if isinstance(outcome, Refusal):
            if refuse:
                raise _Refused(outcome)
            return _refusal(one.id, outcome)
        after = _after(world, outcome.streams)
        if isinstance(fact, Alerted | Received):
            stopping.after(self.session, (e.fact for e in outcome.entries), after.at(fact.stream))
        rows = [self._new(entry, after) for entry in outcome.entries]
        mail = [
            mailing.prepare(
                e.id, e.fact, after, self._paper(after.at(e.fact.stream).alert.paper), self.setting.link
            )
            for e in outcome.entries
            if isinstance(e.fact, Notified)
        ]
        spoken = [(e.id, self._words(e.fact, after)) for e in outcome.entries if isinstance(e.fact, Alerted)]
        for name in outcome.streams:
            self._before.setdefault(name, world.at(name))
        self.world = self._adopted(after, outcome.entries)
        self._rows += rows
        self._mail += mail
        self._spoken += spoken
        self._versions += [
            (e.id, e.fact, after.at(e.fact.stream).alert)
            for e in outcome.entries
            if isinstance(e.fact, Alerted)
        ]
        return Answer(one.id)

    def _adopted(self, world: World, entries: Iterable[mind.Entry]) -> World:
        for entry in entries:
            if isinstance(entry.fact, PackInForce):
                world = World(self.setting.packs(entry.fact), world.directory, world.streams, world.heads)
        return world

    def _loaded(self, fact: Fact, world: World) -> World:
        """The world with every stream that the fact concerns; closed ones are folded from the ledger."""
        missing = [s for s in mind.concerns(fact, world.heads) if s not in world.streams]
        if not missing:
            return world
        return World(
            world.pack,
            world.directory,
            world.streams | {name: folded(self.session, name) for name in missing},
            world.heads,
        )

    def _new(self, entry: mind.Entry, world: World) -> ledger.New:
        fact = entry.fact
        digests = () if entry.cause else (world.pack.digest, world.directory.digest, self.setting.release)
        series = world.at(fact.stream).series
        body = encode(fact).decode()
        return ledger.New(entry.id, series, fact.stream, kind(fact), fact.at, entry.cause, body, *digests)

    def _words(self, fact: Alerted, after: World) -> dict[str, str]:
        """What is to be aired of a version, in the words it has now: a later pack may word it otherwise."""
        return insertion.spoken(after.at(fact.stream), after, self._paper(fact.paper))

    def _paper(self, digest: str) -> bytes:
        if not digest:
            return b""
        if digest not in self._bytes:
            try:
                self._bytes[digest] = archive.get(self._papers, digest)
            except (archive.Missing, archive.Erased):
                self._bytes[digest] = b""
        return self._bytes[digest]

    def _park(self, one: Input, error: Exception) -> Parked:
        said = _storable(f"{type(error).__name__}: {error}")
        self.session.run(
            "INSERT INTO parked (id, input, error, at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET error = excluded.error, at = excluded.at",
            one.id, _shown(one.fact), said, self.now,
        )  # fmt: skip
        self.alarms.append(Alarm("R020", f"输入 {one.id} 处理出错，已搁置：{said} [R020]", self.now))
        return Parked(f"{Parked.__doc__} {said}")

    def readdress(self) -> None:
        """Numbers died: see the directory without them from now on."""
        directory = people.snapshot(self.session, self.setting.ways)
        self.world = World(self.world.pack, directory, self.world.streams, self.world.heads)

    # ── writing ──────────────────────────────────────────────────────────────

    def write(self, chain: ledger.Head) -> ledger.Head:
        """Everything that was decided, and what its deliveries make follow, into the open transaction."""
        for _ in range(DEPTH):
            inputs = self._posted()
            inputs += mailing.tallied(self.session, tally.over(self.session), self.now)
            if not inputs:
                break
            self.take(inputs)
        chain = self._append(chain)
        self._board()
        return chain

    def _posted(self) -> list[Input]:
        """Write the deliveries of what is to be told; persons without a way, also of what was written before."""
        mail, self._mail = self._mail, []
        self.deliveries = self.deliveries or bool(mail)
        found, self._nowhere = self._nowhere, []
        for each in mail:
            found += mailing.write(self.session, each, self.setting.lanes, self.now)
        return found

    def _append(self, chain: ledger.Head) -> ledger.Head:
        if not self._rows:
            return chain
        known = ledger.known(self.session, [row.id for row in self._rows if row.cause])
        chain, seqs = ledger.append(self.session, chain, [row for row in self._rows if row.id not in known])
        ledger.seal(self.session, chain, self.setting.vault)
        versions = [signals.Version(seqs[id_], f, part) for id_, f, part in self._versions if id_ in seqs]
        if versions:
            signals.register(self.session, versions, self.world.pack.zone)
            sent.speak(self.session, [(id_, words) for id_, words in self._spoken if id_ in seqs])
        for id_ in self._answers:
            self._answers[id_] = Answer(id_, seqs.get(id_, 0))
        kept = [(id_, msgspec.json.encode(self._answers[id_]).decode()) for id_ in self._asked]
        if kept:
            self.session.run(
                "INSERT INTO answer (id, answer) SELECT j.value->>0, j.value->>1 FROM {each} WHERE true"
                " ON CONFLICT (id) DO NOTHING",
                pack(kept),
            )
        return chain

    def _board(self) -> None:
        for name, before in self._before.items():
            changed, gone = core_board.difference(before, self.world.at(name))
            board.write(self.session, changed, gone)

    def answer(self, given: Outcome) -> Outcome:
        """An outcome of ``take`` with its place in the ledger, once it has one."""
        return self._answers.get(given.id, given) if isinstance(given, Answer) else given

    def settled(self) -> World:
        """The world to go on with: closed streams need not be kept in memory."""
        open_ = {name: state for name, state in self.world.streams.items() if not state.closed}
        return World(self.world.pack, self.world.directory, open_, self.world.heads)


def _after(world: World, streams: dict[str, State]) -> World:
    heads = dict(world.heads)
    for name, state in streams.items():
        if found := head(state):
            heads[name] = found
        else:
            heads.pop(name, None)
    return World(world.pack, world.directory, world.streams | streams, heads)


def _storable(text: str) -> str:
    """A text without what a database refuses (lone surrogates, NUL)."""
    return text.encode(errors="replace").decode().replace("\0", "?")


def _shown(fact: Fact) -> str:
    """A fact for whoever looks into why it failed, also one that cannot be encoded."""
    try:
        return encode(fact).decode()
    except (msgspec.MsgspecError, UnicodeError, TypeError):
        return ascii(fact)


def _refusal(id: str, refusal: Refusal) -> Answer:  # noqa: A002
    return Answer(id, 0, refusal.code, refusal.text, refusal.already)


def first_answer(session: Session, id: str, seq: int) -> Answer:  # noqa: A002
    """The answer that was given when an input was admitted."""
    rows = session.run("SELECT answer FROM answer WHERE id = ?", id)
    return msgspec.json.decode(rows[0][0], type=Answer) if rows else Answer(id, seq)


def folded(session: Session, name: str) -> State:
    """A stream's state from the ledger; blank if nothing happened there."""
    state = State.blank(name)
    for line in history.stream(session, name):
        state = mind.fold(state, line.fact)
    return state


def caught_up(session: Session, world: World, seq: int, setting: Setting) -> World:
    """The world with what other processes have added since a seq."""
    lines = history.since(session, seq)
    pack = world.pack
    touched: dict[str, State] = {}
    for line in lines:
        name = line.fact.stream
        if name not in touched and name not in world.streams:
            touched[name] = folded(session, name)  # contains these lines already
            continue
        if name in touched and name not in world.streams:
            continue
        touched[name] = mind.fold(touched.get(name) or world.streams[name], line.fact)
    for line in lines:
        if isinstance(line.fact, PackInForce):
            pack = setting.packs(line.fact)
    directory = people.snapshot(session, setting.ways)
    return _after(World(pack, directory, world.streams, world.heads), touched)
