"""模拟演练 Simulations: a drill with invented people and a faster clock, as a program of its own, started from the desk.

It has a data directory of its own and is told of no other, so that its people, its time and its ledger never touch the
district's. One at a time, at the lowest priority; it ends with the house, and one that did not end by itself says so.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from fengsui.core import calendar
from fengsui.core.clauses import Pack
from fengsui.core.drill_report import Report
from fengsui.flow.jobs import TOLD, lowered
from fengsui.formats import packs

log = logging.getLogger(__name__)

FOLDER = "drills"
"""Folder of the data directory; each simulation has one of its own in it."""
KEPT = 30
"""Simulations that are remembered; of older ones nothing stays."""
LEDGERS = 3
"""The newest so many keep the database they were played in."""
REPORT = "report.json"
"""The file with who answered when and what was missed, beside the one that says how far it is."""
GRACE = 5.0
"""Seconds a program gets to end by itself before it is ended."""
GIVEN = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR")
"""What a program gets of our environment: where programs are and how text is written, nothing of the district."""

T = TypeVar("T")
State = Literal["running", "done", "stopped", "failed", "aborted"]


class Refused(ValueError):  # noqa: N818 - the condition is the name
    """A simulation that is not started; the text says why, with a code."""


class Wish(msgspec.Struct, frozen=True):
    """What is to be played: a scenario of the pack, how many people, which die, how many seconds for one (0 = at once).

    form: of the page that asked, so that the same form asks once. by: role of whoever asked.
    """

    scenario: str
    people: int
    seed: int
    pace: int = 0
    form: str = ""
    by: str = ""


class Simulation(msgspec.Struct, frozen=True):
    """One simulation: its id (day and number), what it plays, when it began and ended (UTC µs), how it fared.

    title: of the scenario as it was. said: why it failed, "" if it did not.
    """

    id: str
    title: str
    wish: Wish
    began: int
    state: State = "running"
    ended: int = 0
    said: str = ""


class Progress(msgspec.Struct, frozen=True):
    """How far it is, as the program last wrote: its own time and those of first issue and end, UTC µs; figures so far.

    answered: minutes after issue → share of those asked who had answered by then, for minutes that are over.
    """

    at: int
    begin: int
    end: int
    facts: int = 0
    ended: int = 0
    sent: int = 0
    answered: dict[str, float] = {}
    clauses: list[dict[str, Any]] = []


class Simulations:
    """The simulations of a house."""

    def __init__(self, data: Path, pack: Pack, now: Callable[[], int]) -> None:
        """data: the district's data directory."""
        self._folder, self._pack, self._now = data / FOLDER, pack, now
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._running = ""
        self._thread: threading.Thread | None = None
        self._how: State = "failed"

    def recover(self) -> None:
        """Whatever was under way when a house ended did not go on without it."""
        for one in self.all():
            if one.state == "running":
                self.keep(msgspec.structs.replace(one, state="aborted", ended=self._now()))

    def all(self) -> list[Simulation]:
        """Every simulation that is remembered, newest first."""
        found = [self.one(path.parent.name) for path in self._folder.glob("*/simulation.json")]
        return sorted((one for one in found if one), key=lambda one: (one.began, one.id), reverse=True)

    def one(self, name: str) -> Simulation | None:
        """The simulation of that id."""
        return self._read(name, "simulation.json", Simulation)

    def progress(self, name: str) -> Progress | None:
        """How far it is, or was when it ended; None before it has begun."""
        return self._read(name, "progress.json", Progress)

    def result(self, name: str) -> dict[str, Any] | None:
        """What it came to, as ``fengsui demo --json`` says it; None if it was not played to its end."""
        return self._read(name, "result.json", dict[str, Any])

    def report(self, name: str) -> Report | None:
        """Who answered when and what was missed; None if it was not played to its end."""
        return self._read(name, REPORT, Report) if self.result(name) else None

    def start(self, wish: Wish) -> Simulation:
        """Begin to play. The same form again: what it began. Raises Refused if one is under way or it cannot be started."""
        with self._lock:
            known = self.all()
            if again := next((one for one in known if wish.form and one.wish.form == wish.form), None):
                return again
            if self._running:
                raise Refused("已有一场模拟演练在进行，请等它演完或先停止。[R110]")
            self._forget(known)
            one = Simulation(self._named(known), self._pack.drills[wish.scenario].title, wish, self._now())
            try:
                child = self._begun(one)
            except OSError as error:
                shutil.rmtree(self._folder / one.id, ignore_errors=True)
                raise Refused(f"无法启动模拟演练：{error}。请管理员检查磁盘、内存和进程数。[R111]") from error
            self.keep(one)
            self._child, self._running, self._how = child, one.id, "failed"
            self._thread = threading.Thread(
                target=self._awaited, args=(one, child), name="simulation", daemon=True
            )
            self._thread.start()
        return one

    def stop(self, name: str) -> None:
        """End one that is under way; what it had come to stays. One that is over stays as it is."""
        self._end(name, "stopped")

    def close(self) -> None:
        """End with the house."""
        self._end(self._running, "aborted")

    def _end(self, name: str, how: State) -> None:
        with self._lock:
            child, thread = (self._child, self._thread) if name == self._running else (None, None)
            if child is None or thread is None:
                return
            self._how = how
        child.terminate()
        thread.join(GRACE)
        if thread.is_alive():
            child.kill()
            thread.join()

    def keep(self, one: Simulation) -> None:
        """Remember a simulation as it now is."""
        _written(self._folder / one.id / "simulation.json", msgspec.json.encode(one))

    # ── the program 程序 ─────────────────────────────────────────────────────

    def _begun(self, one: Simulation) -> subprocess.Popen[bytes]:
        folder = (self._folder / one.id).absolute()
        folder.mkdir(parents=True)
        (folder / "pack.json").write_bytes(packs.frozen(self._pack))
        wish = one.wish
        words = [
            "--scenario", wish.scenario, "--people", str(wish.people), "--seed", str(wish.seed), "--json",
            "--pace", str(wish.pace), "--pack", str(folder / "pack.json"), "--progress", str(folder / "progress.json"),
        ]  # fmt: skip
        with (folder / "played.json").open("wb") as result, (folder / "said.txt").open("wb") as said:
            child = subprocess.Popen(  # noqa: S603 - our own program
                (sys.executable, "-P", "-m", "fengsui", "demo", *words),
                stdin=subprocess.PIPE, stdout=result, stderr=said, cwd=folder, env=environment(folder / "place"),
                process_group=0,
            )  # fmt: skip
        lowered(child.pid)
        return child

    def _awaited(self, one: Simulation, child: subprocess.Popen[bytes]) -> None:
        """Until the program has ended, by itself or not; then say how."""
        with child:
            code = child.wait()
        folder = self._folder / one.id
        state: State = self._how if code else "done"
        said = ""
        if state == "done":
            (folder / "played.json").replace(folder / "result.json")
        elif state == "failed":
            words = (folder / "said.txt").read_text(encoding="utf-8", errors="replace").strip()
            if code != TOLD:
                log.error("模拟演练 %s 退出码 %d：%s [R112]", one.id, code, words[-2000:])
            said = words if code == TOLD else "模拟演练意外中断，原因已记入日志。[R112]"
        with self._lock:
            self.keep(msgspec.structs.replace(one, state=state, ended=self._now(), said=said[-500:]))
            self._child, self._running = None, ""

    # ── the folder 文件夹 ────────────────────────────────────────────────────

    def _named(self, known: list[Simulation]) -> str:
        """A name that was never given: the day, and the next number of it."""
        day = f"{calendar.local(self._now(), self._pack.zone):%Y%m%d}"
        numbers = [int(one.id.rpartition("-")[2]) for one in known if one.id.startswith(f"{day}-")]
        return f"{day}-{max(numbers, default=0) + 1}"

    def _forget(self, known: list[Simulation]) -> None:
        """Of the oldest everything, of older ones the database."""
        for one in known[LEDGERS - 1 :]:
            shutil.rmtree(self._folder / one.id / "place", ignore_errors=True)
        for one in known[KEPT - 1 :]:
            shutil.rmtree(self._folder / one.id, ignore_errors=True)

    def _read(self, name: str, file: str, kind: type[T]) -> T | None:
        path = self._folder / name / file
        if not name or path.parent.parent != self._folder or not path.is_file():
            return None
        with contextlib.suppress(msgspec.DecodeError):  # of another release, or cut off with the power
            return msgspec.json.decode(path.read_bytes(), type=kind)
        return None


def environment(place: Path) -> dict[str, str]:
    """What a program that plays may know: its own place and nothing of the district's."""
    kept = {name: os.environ[name] for name in GIVEN if name in os.environ}
    return kept | {"FENGSUI_DATA": str(place), "FENGSUI_DATABASE": ""}


def _written(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)
