"""慢活 Jobs: slow work that nobody's life hangs on — one at a time, each in a child process of the lowest priority.

Measured with sheets of 300 persons (typst 0.15, two cores): typst does let go of the interpreter's lock (the longest
pause of another thread was 11 ms), so a thread would not have stopped the writer. But its own threads compete with the
lanes at their priority, its memory stays (130 MB after one sheet, 330 MB after five), and a fault of native code would
end sending with it. A process for each job costs 0.1 s, gives its memory back, yields to everybody and can be killed.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections import OrderedDict, deque
from typing import NamedTuple

from fengsui.flow.inputs import Pending

if sys.platform == "linux":
    import resource

log = logging.getLogger(__name__)

LONGEST = 60.0
"""Seconds after which a job is given up."""
SPACE = 2 << 30
"""Bytes of address space a job may use (3,000 persons on a call sheet take 0.6 GB): it never starves who sends."""
KEPT = 40
"""Jobs remembered with what they made: whoever asks again gets the same bytes."""
MOST = 60
"""Jobs that may wait."""
LOWEST = 19
TOLD = 2
"""Exit code with which a program says, as our command line does: what is wrong stands on standard error."""


class Failed(RuntimeError):  # noqa: N818 - the condition is the name
    """文件没有做成，原因已记入日志。请重试；仍不成，请管理员查看日志。[R070]"""


class Job(NamedTuple):
    """A module run as a program: what it reads from standard input; what it writes to standard output is the result.

    about: kept beside it for whoever asks, never given to the program.
    """

    module: str
    given: bytes
    about: tuple[str, ...] = ()


class Task(NamedTuple):
    """A job that somebody has asked for; its result raises Failed."""

    key: str
    job: Job
    result: Pending[bytes]


class Jobs:
    """The jobs of a house. Costs nothing until the first is asked for."""

    def __init__(self, longest: float = LONGEST) -> None:
        """longest: seconds a job may take."""
        self._longest = longest
        self._known: OrderedDict[str, Task] = OrderedDict()
        self._waiting: deque[Task] = deque()
        self._ready = threading.Condition()
        self._thread: threading.Thread | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = False

    def later(self, job: Job, key: str) -> Task:
        """Have a job done in its turn; what is known under this key and has not failed is not done again."""
        with self._ready:
            known = self._known.get(key)
            if known is not None and not _failed(known):
                self._known.move_to_end(key)
                return known
            task = self._known[key] = Task(key, job, Pending())
            self._known.move_to_end(key)
            if self._stopping or len(self._waiting) >= MOST:
                task.result.set_exception(Failed("排队的文件太多，请稍候再试。[R071]"))
                return task
            self._waiting.append(task)
            self._forget()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
                self._thread.start()
            self._ready.notify()
        return task

    def known(self, key: str) -> Task | None:
        """What was asked for under a key not long ago."""
        with self._ready:
            return self._known.get(key)

    def ahead(self, task: Task) -> int:
        """How many jobs will be done before this one."""
        with self._ready:
            busy = self._child is not None
            return self._waiting.index(task) + busy if task in self._waiting else 0

    def stop(self) -> None:
        """End what is under way and what waits."""
        with self._ready:
            self._stopping = True
            waiting, child = list(self._waiting), self._child
            self._waiting.clear()
            self._ready.notify()
        if child is not None:
            child.kill()
        for task in waiting:
            task.result.set_exception(Failed(Failed.__doc__))
        if self._thread is not None:
            self._thread.join()

    def _forget(self) -> None:
        """Of what is over, the oldest."""
        over = [key for key, task in self._known.items() if task.result.done()]
        for key in over[: max(0, len(self._known) - KEPT)]:
            del self._known[key]

    def _run(self) -> None:
        while True:
            with self._ready:
                self._ready.wait_for(lambda: self._waiting or self._stopping)
                if self._stopping:
                    return
                task = self._waiting.popleft()
            try:
                task.result.set_result(self._made(task.job))
            except Failed as error:
                task.result.set_exception(error)

    def _made(self, job: Job) -> bytes:
        try:
            child = subprocess.Popen(  # noqa: S603 - our own program
                (sys.executable, "-P", "-m", job.module),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                process_group=0,  # Ctrl-C is for the house; not a session of its own, in which it would be nice to nobody
            )  # fmt: skip
        except OSError as error:
            raise Failed(f"无法启动制作文件的程序：{error}。请管理员检查内存和进程数。[R073]") from error
        with self._ready:
            self._child = child
            stopping = self._stopping
        try:
            lowered(child.pid)
            return self._heard(job, child, 0.0 if stopping else self._longest)
        finally:
            with self._ready:
                self._child = None

    def _heard(self, job: Job, child: subprocess.Popen[bytes], longest: float) -> bytes:
        with child:
            try:
                made, said = child.communicate(job.given, timeout=longest)
            except subprocess.TimeoutExpired as error:
                child.kill()
                child.communicate()
                raise Failed(f"文件 {self._longest:.0f} 秒内没有做成，已放弃。请稍候再试。[R072]") from error
        if child.returncode == TOLD:
            raise Failed(said.decode(errors="replace"))
        if child.returncode and not self._stopping:
            log.error(
                "%s 退出码 %d：%s [R070]", job.module, child.returncode, said[-2000:].decode(errors="replace")
            )
        if child.returncode:
            raise Failed(Failed.__doc__)
        return made


def _failed(task: Task) -> bool:
    return task.result.done() and task.result.exception() is not None


def lowered(pid: int) -> None:
    """The last to get a processor, and never more memory than its share; a child that is gone already needs neither."""
    if sys.platform == "linux":
        try:
            os.setpriority(os.PRIO_PROCESS, pid, LOWEST)
            resource.prlimit(pid, resource.RLIMIT_AS, (SPACE, SPACE))
        except ProcessLookupError:
            pass
