"""演示 Demo: plays the night and shows it — progress on standard error, the table or one JSON object on standard output."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from fengsui.core import wording
from fengsui.core.clauses import Pack
from fengsui.rehearse import night, report
from fengsui.rehearse.stage import Stage

WIDTH = 120
"""Columns of the table where the terminal does not say."""


def demo(pack: Pack, *, data: Path | None, people: int, seed: int, as_json: bool) -> None:
    """Play the night in a data directory (None: a temporary one) and print what it came to.

    Raises ValueError for too few people or a directory that has a ledger already.
    """
    if data is None:
        with tempfile.TemporaryDirectory(prefix="fengsui-") as place:
            result = _played(Path(place), pack, people, seed)
    else:
        if any(data.glob("*.sqlite3")):
            raise ValueError(
                "数据目录里已有台账，演练不会覆盖它。请把 FENGSUI_DATA 指向一个空目录，或不设。[D001]"
            )
        data.mkdir(parents=True, exist_ok=True)
        result = _played(data, pack, people, seed)
    if as_json:
        sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
    else:
        report.show(result, pack, Console(width=None if sys.stdout.isatty() else WIDTH))


def _played(place: Path, pack: Pack, people: int, seed: int) -> dict[str, Any]:
    script = night.rain()
    begin, end = script.moment(script.night.signed), script.moment(script.night.cleared)
    console = Console(stderr=True)
    columns = (
        TextColumn("【模拟】{task.fields[clock]}"),
        BarColumn(32),
        TextColumn("事实 {task.fields[facts]}　办结 {task.fields[ended]}　短信 {task.fields[sent]}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("night", total=end - begin, clock="", facts=0, ended=0, sent=0)

        def seen(stage: Stage, at: int) -> None:
            progress.update(
                task,
                completed=max(0, min(at, end) - begin),
                clock=wording.clock(at, pack),
                facts=len(stage.facts),
                ended=report.ended(stage.facts),
                sent=stage.centre.count["messages"],
            )

        return asyncio.run(night.play(place, pack, people=people, seed=seed, seen=seen))
