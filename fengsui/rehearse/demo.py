"""演示 Demo: plays the night and shows it — progress on standard error, the table or one JSON object on standard output."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from fengsui.core import wording
from fengsui.core.clauses import Pack
from fengsui.core.scenario import Scenario
from fengsui.rehearse import night, report, visit
from fengsui.rehearse.stage import Stage

WIDTH = 120
"""Columns of the table where the terminal does not say."""


def demo(
    pack: Pack, scenario: str = night.DEFAULT, *,
    data: Path | None, people: int, seed: int, as_json: bool, port: int | None = None,
) -> None:  # fmt: skip
    """Play a scenario of the pack in a data directory (None: a temporary one) and print what it came to.

    port: afterwards keep serving there for visitors, until interrupted (0 = a free one); None: end.
    Raises ValueError for an unknown scenario, too few people or a directory that has a ledger already.
    """
    play = _Play(pack, night.chosen(pack, scenario), people, seed, as_json=as_json, port=port)
    if data is None:
        with tempfile.TemporaryDirectory(prefix="fengsui-") as place:
            asyncio.run(play.run(Path(place)))
        return
    if any(data.glob("*.sqlite3")):
        raise ValueError(
            "数据目录里已有台账，演练不会覆盖它。请把 FENGSUI_DATA 指向一个空目录，或不设。[D001]"
        )
    data.mkdir(parents=True, exist_ok=True)
    asyncio.run(play.run(data))


class _Play:
    """One demo: the night, its table, and the visit after it."""

    def __init__(
        self, pack: Pack, scenario: Scenario, people: int, seed: int, *, as_json: bool, port: int | None
    ) -> None:
        self.pack, self.scenario, self.people, self.seed, self.as_json = pack, scenario, people, seed, as_json
        self.port = free(port) if port is not None else None

    async def run(self, place: Path) -> None:
        """From the first rain to the last visitor."""
        address = f"http://127.0.0.1:{self.port}" if self.port else ""
        stage = await night.begin(
            place, self.pack, self.scenario, people=self.people, seed=self.seed, address=address
        )
        try:
            self._print(await self._played(stage))
            if self.port:
                await visit.visit(stage, self.port)
        finally:
            await stage.stop()

    def _print(self, result: dict[str, Any]) -> None:
        if self.as_json:
            sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
        else:
            report.show(
                result, self.pack, self.scenario.title, Console(width=None if sys.stdout.isatty() else WIDTH)
            )
        sys.stdout.flush()

    async def _played(self, stage: Stage) -> dict[str, Any]:
        script, zone = self.scenario, self.pack.zone
        begin = script.moment(script.version[0].signed, zone)
        end = script.moment(script.cleared.signed, zone)
        columns = (
            TextColumn("【模拟】{task.fields[clock]}"),
            BarColumn(32),
            TextColumn("事实 {task.fields[facts]}　办结 {task.fields[ended]}　短信 {task.fields[sent]}"),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("night", total=end - begin, clock="", facts=0, ended=0, sent=0)

            def seen(stage: Stage, at: int) -> None:
                progress.update(
                    task,
                    completed=max(0, min(at, end) - begin),
                    clock=wording.clock(at, self.pack),
                    facts=len(stage.facts),
                    ended=report.ended(stage.facts),
                    sent=stage.centre.count["messages"],
                )

            return await night.play(stage, self.scenario, seen)


def free(port: int) -> int:
    """This port of the loopback address, or a free one for 0."""
    if port:
        return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
