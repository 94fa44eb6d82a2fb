"""等候 Waiting: what waits for the writer, what one round takes of it, and what is said when it cannot be written."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from fengsui.flow.inputs import Answer, Input, Malformed, Pending, Unwritten
from fengsui.flow.round import Round

T = TypeVar("T")
MOST = 2000
"""Inputs, and rows of results or receipts, taken into one round."""

STOPPED = "系统正在停止，这一项没有记录，请稍后重试。[R013]"
DOUBTFUL = "数据库断开，不知道这一项是否已经记录。请原样重试，不会记两次。[R014]"


class Job(msgspec.Struct):
    """Something that is done inside a round: given the round, returns what its waiter gets. last: after the others."""

    run: Callable[[Round], Any]
    future: Pending[Any]
    size: int
    last: bool = False


class Waiting(msgspec.Struct):
    """What one round takes from the queues."""

    inputs: list[tuple[Input, Pending[Answer]]]
    jobs: list[Job]

    @property
    def futures(self) -> list[Pending[Any]]:
        """Whoever waits for this round."""
        return [*(f for _, f in self.inputs), *(j.future for j in self.jobs)]

    def apart(self) -> list[Waiting]:
        """The same, each in a round of its own."""
        return [Waiting([one], []) for one in self.inputs] + [Waiting([], [job]) for job in self.jobs]


class Queue:
    """Everything that waits for the writer: filled from any thread, emptied by one."""

    def __init__(self) -> None:
        self.ready = threading.Condition()
        self.stopping = False
        self._inputs: deque[tuple[Input, Pending[Answer]]] = deque()
        self._jobs: deque[Job] = deque()
        self._idle: list[Pending[None]] = []
        self._nudged = False

    @property
    def empty(self) -> bool:
        """Whether nothing is to be written."""
        return not (self._inputs or self._jobs)

    def post(self, one: Input) -> Pending[Answer]:
        """An input to be considered."""
        future: Pending[Answer] = Pending()
        if not (storable(one.id) and storable(one.fact.stream)):
            future.set_exception(Malformed(Malformed.__doc__))
            return future
        with self.ready:
            if self.stopping:
                future.set_exception(Unwritten(STOPPED))
            else:
                self._inputs.append((one, future))
                self.ready.notify()
        return future

    def job(self, run: Callable[[Round], T], size: int, *, last: bool = False) -> Pending[T]:
        """Something to be done inside a round. size: rows it may touch."""
        future: Pending[T] = Pending()
        with self.ready:
            if self.stopping:
                future.set_exception(Unwritten(STOPPED))
            else:
                self._jobs.append(Job(run, future, size, last))
                self.ready.notify()
        return future

    def nudge(self) -> None:
        """Have the writer look, though nothing is to be written."""
        with self.ready:
            self._nudged = True
            self.ready.notify()

    def idle(self) -> Pending[None]:
        """Done when the writer says that it has come to rest."""
        future: Pending[None] = Pending()
        with self.ready:
            self._idle.append(future)
            self.nudge()  # what it asks for is said after one more look
        return future

    def rested(self) -> list[Pending[None]]:
        """Whoever waits for rest, if nothing has come since the writer looked."""
        with self.ready:
            if not self.empty or self._nudged:
                return []
            idle, self._idle = self._idle, []
        return idle

    def unrested(self, idle: list[Pending[None]]) -> None:
        """They wait on."""
        with self.ready:
            self._idle += idle

    def take(self, patience: float) -> tuple[Waiting, bool]:
        """What the next round does, waiting for it at most so many seconds, inputs first; and whether there is more to look
        after than that.
        """
        with self.ready:
            if self.empty and not (self._nudged or self.stopping) and patience > 0:
                self.ready.wait(patience)
            look, self._nudged = self._nudged or self.empty, False
            inputs: list[tuple[Input, Pending[Answer]]] = []
            while self._inputs and len(inputs) < MOST:
                inputs.append(self._inputs.popleft())
            jobs: list[Job] = []
            left = MOST
            while self._jobs and left > 0:
                jobs.append(self._jobs.popleft())
                left -= jobs[-1].size
        return Waiting(inputs, sorted(jobs, key=lambda job: job.last)), look

    def stop(self) -> None:
        """Take nothing more."""
        with self.ready:
            self.stopping = True
            self.ready.notify()

    def abandon(self) -> list[Pending[Any]]:
        """Take nothing more; whoever waits for what will never be done."""
        with self.ready:
            self.stopping = True
            waiting = [*(f for _, f in self._inputs), *(j.future for j in self._jobs), *self._idle]
            self._inputs.clear()
            self._jobs.clear()
        return waiting


def storable(text: str) -> bool:
    """Whether both databases can keep it: no NUL, no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def said(error: Exception) -> str:
    """What to do about a database that does not write."""
    text = str(error)
    if "full" in text or "No space" in text:
        return f"磁盘已满，这一项没有记录。请腾出空间后重试。[R011]（{text}）"
    if "locked" in text or "busy" in text:
        return f"数据库被别的程序占用，这一项没有记录，请重试。[R012]（{text}）"
    return f"{Unwritten.__doc__}（{text}）"
