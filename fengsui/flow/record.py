"""记录 Record: the one writer thread. It owns the only connection that writes ledger, deliveries and board.

Everyone posts to it and waits for the answer; ledger inputs come before delivery results. Each round is one
transaction: fold what other processes added, decide every waiting input in memory, write, commit — only then the new
world replaces the old, answers go out and waiters are woken. Wake-ups are hints: it looks again every 0.5 s.
"""

from __future__ import annotations

import secrets
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from fengsui import __version__
from fengsui.core import duties
from fengsui.core.clauses import Pack
from fengsui.core.directory import Directory
from fengsui.core.facts import PackInForce
from fengsui.core.state import Head, World, head
from fengsui.flow import round as rounds
from fengsui.flow import tasks
from fengsui.flow.agenda import Agenda
from fengsui.flow.clock import Alarm, Time
from fengsui.flow.inputs import (
    Answer,
    Batch,
    Change,
    Input,
    Letter,
    Parked,
    Pending,
    Unwritten,
)
from fengsui.flow.round import Round, Setting
from fengsui.flow.spare import Spare
from fengsui.flow.waiting import DOUBTFUL, Queue, Waiting, said
from fengsui.gateways.contract import Receipt, Reply
from fengsui.store import archive, inbox, leases, ledger, notice, people, rebuild
from fengsui.store.caps import Cap
from fengsui.store.lanes import Lane
from fengsui.store.leases import Verdict
from fengsui.store.sql import PASSING, Errors, Session
from fengsui.store.sql import archive as open_archive
from fengsui.store.vault import Vault

T = TypeVar("T")
LOOK = 0.5
"""Seconds after which it looks again, woken or not: every look ends in a commit."""
LATE = 5.0
"""Seconds without a commit after which nobody should rely on it."""
BREATH = 0.003
"""Seconds in which lanes may ask for what has just been issued, before lists are fanned out."""


class Writer:
    """The writer of a process; ``start`` it, ``post`` to it from any thread, ``stop`` it.

    position: the world as of the last commit and its seq, taken together by whoever must name it. wake: called after
    each commit, in the writer's thread. alarm: called with what a person must see to. failure: what ended the thread,
    if it did not end by itself.
    """

    def __init__(
        self,
        pack: Pack,
        clock: Time,
        vault: Vault,
        *,
        lanes: Sequence[Lane] = (),
        packs: Callable[[PackInForce], Pack] | None = None,
        address: str = "",
    ) -> None:
        self.clock = clock
        self.wake: list[Callable[[Change], None]] = []
        self.alarm: list[Callable[[Alarm], None]] = []
        self.failure: BaseException | None = None
        self.position = (World(pack, Directory({}, {}), {}, {}), 0)
        self._setting = Setting(vault, tuple(lanes), __version__, packs or (lambda _: pack), address)
        self._name = secrets.token_hex(4)
        self._agenda, self._spare = Agenda(), Spare()
        self._issued = False
        self._committed = time.monotonic()
        self._queue = Queue()
        self._loaded: Pending[None] = Pending()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    # ── asking, from any thread ──────────────────────────────────────────────

    @property
    def world(self) -> World:
        """Everything known as of the last commit, to be read by whoever shows it."""
        return self.position[0]

    @property
    def late(self) -> bool:
        """Whether it has not been able to write for some seconds. It goes on trying."""
        return time.monotonic() - self._committed > LATE

    def start(self) -> None:
        """Fold the ledger and begin. Raises what made that impossible."""
        self._thread.start()
        self._loaded.result()

    def stop(self) -> None:
        """Write what is waiting, then end."""
        self._queue.stop()
        self._thread.join()

    def post(self, one: Input) -> Pending[Answer]:
        """Have an input considered. The answer comes after the commit; a repeated id gets its first answer.

        The future raises Parked if deciding it failed, Unwritten if nothing could be written (try again).
        """
        return self._queue.post(one)

    def post_results(self, lane: str, verdicts: Sequence[Verdict]) -> Pending[int]:
        """What became of leased rows; gives how many changed state. Harmless when told twice."""
        return self._job(lambda r: tasks.finish(r, lane, verdicts), len(verdicts))

    def post_receipts(self, lane: str, batch: Sequence[Receipt]) -> Pending[int]:
        """Receipts; acknowledge them to the peer once this has a result. Gives how many changed state.

        They come last in their round: often the answer that names their part is written in the same one.
        """
        return self._job(lambda r: tasks.received(r, lane, batch), len(batch), last=True)

    def post_inbound(self, lane: str, replies: Sequence[Reply]) -> Pending[list[str]]:
        """What phones wrote: stored in the inbox, ids of what is new. Their meaning is another input."""
        words = [(r.sender, r.recipient, r.text) for r in replies]
        return self._job(lambda r: inbox.put(r.session, self._setting.vault, lane, words, r.now), len(words))

    def letters(self, limit: int = 100) -> Pending[list[Letter]]:
        """Messages nobody has read yet."""
        return self._job(lambda r: tasks.letters(r, limit), 1)

    def settle_letter(self, id: str, state: str) -> Pending[None]:  # noqa: A002 - the table's own word
        """Say what became of a message."""
        return self._job(lambda r: inbox.settle(r.session, id, state), 1)

    def lease(self, lane: Lane, *, now: int, until: int, limit: int = leases.BATCH) -> Pending[Batch]:
        """Rows of a lane that are due, red first, held until a moment under a token of their own; none that may not leave there."""
        return self._job(lambda r: tasks.lease(r, lane, now, until, limit), 1)

    def outlook(self) -> Pending[tuple[int, int | None]]:
        """How many rows are leased, and when the next row that nobody holds is due: for rehearsals."""
        return self._job(lambda r: leases.outlook(r.session), 1)

    def release(self, token: int, ids: Sequence[int], pause: int = 0, code: str = "") -> Pending[int]:
        """Give back rows of a lease that were provably not handed over, due again after ``pause`` µs; code: why."""
        return self._job(lambda r: leases.release(r.session, token, ids, r.now + pause, code), len(ids))

    def extend(self, lease: int, window: int) -> Pending[int]:
        """Hold a slow batch for ``window`` µs more from now."""
        return self._job(lambda r: leases.extend(r.session, lease, r.now + window), 1)

    def revive(self, lane: str, pause: int) -> Pending[int]:
        """What is in doubt in a lane waits ``pause`` µs at most from now: it works again."""
        return self._job(lambda r: leases.revive(r.session, lane, r.now + pause), 1)

    def reroute(self, lane: str, other: Lane) -> Pending[int]:
        """Move what waits in a lane to another of its channel, as far as it may leave there; how many rows of it now."""
        return self._job(lambda r: tasks.reroute(r, lane, other), leases.SLICE)

    def publish(self, cap: Cap, body: str, level: str) -> Pending[int]:
        """What became of a version as a message for other systems; gives how many subscribers get it."""
        return self._job(lambda r: tasks.published(r, cap, body, level), 1)

    def due(self) -> None:
        """Look now: a moment may have come, or another process may have written. Only a hint."""
        self._queue.nudge()

    def settle(self) -> Pending[None]:
        """Done once nothing waits, nothing is due, every list is fanned out: for rehearsals and tests."""
        return self._queue.idle()

    def soonest(self) -> int | None:
        """When something of the world of the last commit is due next, None if nothing waits."""
        moments = [m for state in self.world.streams.values() if (m := duties.due(state)) is not None]
        return min(moments, default=None)

    def _job(self, run: Callable[[Round], T], size: int, *, last: bool = False) -> Pending[T]:
        return self._queue.job(run, size, last=last)

    # ── the thread ───────────────────────────────────────────────────────────

    def _run(self) -> None:
        try:
            self._open()
            self._loaded.set_result(None)
            more = True
            while more or not (self._queue.stopping and self._queue.empty):
                waiting, look = self._queue.take(self._patience(more))
                if look:
                    self._agenda.forget()  # whatever may have happened meanwhile
                more = self._one(waiting)
        finally:
            if error := sys.exc_info()[1]:
                self.failure = error
                self._abandon(error)
            for session in ("_session", "_papers"):
                if hasattr(self, session):
                    getattr(self, session).close()

    def _open(self) -> None:
        self._session, self._papers = Session(), open_archive()
        streams, seq = rebuild.fold_all(self._session)
        rebuild.registered(self._session, self.world.pack.zone)
        open_ = {name: state for name, state in streams.items() if not state.closed}
        heads: dict[str, Head] = {name: h for name, state in open_.items() if (h := head(state))}
        directory = people.snapshot(self._session, self._setting.ways)
        self.position = (World(self.world.pack, directory, open_, heads), seq)
        self._committed = time.monotonic()

    def _abandon(self, error: BaseException) -> None:
        """The thread ends: whoever waits must know. The process is expected to end, too."""
        waiting = self._queue.abandon()
        for future in waiting if self._loaded.done() else [self._loaded, *waiting]:
            future.set_exception(error)

    def _patience(self, more: bool) -> float:
        if more:
            return BREATH if self._issued else 0
        try:
            return self._agenda.wait(self._session, self.clock.now(), LOOK)
        except Errors:
            return LOOK  # the round will say so

    def _one(self, waiting: Waiting) -> bool:
        """One round; whether there is more to do at once."""
        try:
            return self._round(waiting)
        except Errors as error:
            self._undo(error)
            if len(waiting.futures) > 1 and not isinstance(error, PASSING):
                one_by_one = [
                    self._one(alone) for alone in waiting.apart()
                ]  # something here cannot be stored
                return any(one_by_one)
            for future in waiting.futures:
                if not future.done():
                    future.set_exception(Unwritten(said(error)))
            return False
        finally:
            if fatal := sys.exc_info()[1]:  # the thread is about to end: whoever waits must know
                for future in waiting.futures:
                    if not future.done():
                        future.set_exception(fatal)

    def _undo(self, error: Exception) -> None:
        self._tell([Alarm("R010", f"写入失败，本轮没有记录：{said(error)}", self.clock.now())])
        self._session.recover()
        self._papers.recover()

    def _round(self, waiting: Waiting) -> bool:
        now = self.clock.now()
        if papers := [p for one, _ in waiting.inputs for p in one.papers]:
            archive.put(self._papers, papers, now)
        self._session.begin()
        chain = ledger.lock(self._session)
        world = self._caught_up(chain.seq)
        this = Round(self._session, self._papers, self._setting, world, now)
        answers = this.take([one for one, _ in waiting.inputs], asked=True)
        results = this.jobs([job.run for job in waiting.jobs])
        looped = self._agenda.take(this, now)
        self._issued = this.pending
        more = self._spare.take(this, busy=bool(waiting.jobs))
        chain = this.write(chain)
        if self._session.vendor == "postgresql" and (this.streams or more):
            self._session.run("SELECT pg_notify('fengsui', ?)", self._name)
        if not self._commit(waiting):
            return True
        self._committed = time.monotonic()
        self.position = (this.settled(), chain.seq)
        for (_, future), answer in zip(waiting.inputs, answers, strict=True):
            given = this.answer(answer)
            future.set_result(given) if isinstance(given, Answer) else future.set_exception(given)
        for job, result in zip(waiting.jobs, results, strict=True):
            job.future.set_exception(result) if isinstance(result, Parked) else job.future.set_result(result)
        if this.streams:
            self._agenda.forget()
        self._tell([*this.alarms, *looped])
        changed = Change(self.position[1], this.streams, this.deliveries or more)
        if waiting.futures or this.streams or more:
            for wake in self.wake:
                wake(changed)
        more = (
            more
            or this.deliveries
            or bool(this.streams and self._agenda.come(self._session, self.clock.now()))
        )
        self._settled(more)
        return more

    def _caught_up(self, last: int) -> World:
        """The world with what other processes have added up to a seq."""
        if last == self.position[1]:
            return self.world
        self._agenda.forget()
        self._spare.left = True
        return rounds.caught_up(self._session, *self.position, self._setting)

    def _commit(self, waiting: Waiting) -> bool:
        """Commit. If its outcome is unknown: a new connection, and the ledger itself says what was written."""
        try:
            self._session.commit()
        except Errors as error:
            if self._session.open_transaction():
                raise
            try:
                self._session.reopen()
                seqs = ledger.known(self._session, [one.id for one, _ in waiting.inputs])
            except Errors:
                for future in waiting.futures:
                    future.set_exception(Unwritten(DOUBTFUL))
                return False
            for one, future in waiting.inputs:
                if one.id in seqs:
                    future.set_result(rounds.first_answer(self._session, one.id, seqs[one.id]))
                else:
                    future.set_exception(Unwritten(said(error)))
            for job in waiting.jobs:
                job.future.set_exception(Unwritten(said(error)))
            return False
        return True

    def _settled(self, more: bool) -> None:
        idle = [] if more else self._queue.rested()  # asked after this round had looked
        if idle and notice.pending(self._session):
            self._queue.unrested(idle)
            self._spare.left = True
            return
        for future in idle:
            future.set_result(None)

    def _tell(self, alarms: Sequence[Alarm]) -> None:
        for alarm in alarms:
            for call in self.alarm:
                call(alarm)
