"""演示 Demo: plays a scenario and shows it — progress on standard error, the table or one JSON object on standard output."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from fengsui.core import drill_report, wording
from fengsui.core.calendar import MINUTE
from fengsui.core.clauses import Pack
from fengsui.core.scenario import Scenario
from fengsui.flow.simulations import REPORT, Progress
from fengsui.rehearse import night, report, visit
from fengsui.rehearse.stage import Stage

WIDTH = 120
"""Columns of the table where the terminal does not say."""
EVERY = 0.4
"""Seconds between two looks at how far a watched night is."""
ALONE = 3
"""Exit code of a watched night whose watcher is gone."""


@dataclass(frozen=True)
class Wish:
    """What is to be played and how it is shown. data: its place, None = a temporary one.

    port: afterwards keep serving there for visitors, until interrupted (0 = a free one); None: end. pace: seconds that
    pass in one, 0 = as fast as it goes. progress: file that says how far it is, for whoever started it, in the end with the
    drill's report beside it; the night then ends with its standard input.
    """

    scenario: str = night.DEFAULT
    people: int = 240
    seed: int = 1
    data: Path | None = None
    as_json: bool = False
    port: int | None = None
    pace: float = 0
    progress: Path | None = None


def demo(pack: Pack, wish: Wish) -> None:
    """Play a scenario of the pack and print what it came to.

    Raises ValueError for an unknown scenario, too few people or a directory that has a ledger already.
    """
    play = _Play(pack, night.chosen(pack, wish.scenario), wish)
    if wish.progress:
        threading.Thread(target=_bound, name="watcher", daemon=True).start()
    if wish.data is None:
        with tempfile.TemporaryDirectory(prefix="fengsui-") as place:
            asyncio.run(play.run(Path(place)))
        return
    if any(wish.data.glob("*.sqlite3")):
        raise ValueError(
            "数据目录里已有台账，演练不会覆盖它。请把 FENGSUI_DATA 指向一个空目录，或不设。[D001]"
        )
    wish.data.mkdir(parents=True, exist_ok=True)
    asyncio.run(play.run(wish.data))


def _bound() -> None:
    """Nobody looks at it any more: end at once, as with the power. Its place is its own."""
    while os.read(sys.stdin.fileno(), 64):
        pass
    os._exit(ALONE)


class _Play:
    """One demo: the night, its table, and the visit after it."""

    def __init__(self, pack: Pack, scenario: Scenario, wish: Wish) -> None:
        self.pack, self.scenario, self.wish = pack, scenario, wish
        self.port = free(wish.port) if wish.port is not None else None

    async def run(self, place: Path) -> None:
        """From the first reading to the last visitor."""
        address = f"http://127.0.0.1:{self.port}" if self.port else ""
        stage = await night.begin(
            place, self.pack, self.scenario, people=self.wish.people, seed=self.wish.seed, address=address
        )
        try:
            self._print(await self._played(stage))
            if self.port:
                await visit.visit(stage, self.port)
        finally:
            await stage.stop()

    def _print(self, result: dict[str, Any]) -> None:
        if self.wish.as_json:
            sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
        else:
            width = None if sys.stdout.isatty() else WIDTH
            report.show(result, self.pack, self.scenario.title, Console(width=width))
        sys.stdout.flush()

    async def _played(self, stage: Stage) -> dict[str, Any]:
        script, zone = self.scenario, self.pack.zone
        begin = script.moment(script.version[0].signed, zone)
        end = script.moment(script.cleared.signed, zone)
        if self.wish.progress:
            seen = watched(self.wish.progress, begin, script.moment(script.latest, zone))
            result = await night.play(stage, script, seen, self.wish.pace)
            made = msgspec.json.encode(drill_report.report(stage.facts))
            self.wish.progress.with_name(REPORT).write_bytes(made)
            return result
        columns = (
            TextColumn("【模拟】{task.fields[clock]}"),
            BarColumn(32),
            TextColumn("事实 {task.fields[facts]}　办结 {task.fields[ended]}　短信 {task.fields[sent]}"),
        )
        with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("night", total=end - begin, clock="", facts=0, ended=0, sent=0)

            def drawn(stage: Stage, at: int) -> None:
                bar.update(
                    task,
                    completed=max(0, min(at, end) - begin),
                    clock=wording.clock(at, self.pack),
                    facts=len(stage.facts),
                    ended=report.ended(stage.facts),
                    sent=stage.centre.count["messages"],
                )

            return await night.play(stage, script, drawn, self.wish.pace)


def watched(file: Path, begin: int, end: int) -> Callable[[Stage, int], None]:
    """Keeps a file that says how far a night is, written whole, a few times a second. begin, end: of the night, UTC µs."""
    last = 0.0

    def seen(stage: Stage, at: int) -> None:
        nonlocal last
        if time.monotonic() - last < EVERY:
            return
        shares = report.answered(stage.facts, stage.population)
        progress = Progress(
            at=at,
            begin=begin,
            end=end,
            facts=len(stage.facts),
            ended=report.ended(stage.facts),
            sent=stage.centre.count["messages"],
            answered={str(m): share for m, share in shares.items() if begin + m * MINUTE <= at},
            clauses=report.clauses(stage.facts, stage.pack),
        )
        part = file.with_suffix(".part")
        part.write_bytes(msgspec.json.encode(progress))
        part.replace(file)
        last = time.monotonic()

    return seen


def free(port: int) -> int:
    """This port of the loopback address, or a free one for 0."""
    if port:
        return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
