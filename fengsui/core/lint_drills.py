"""校验（演练情景） Lint of a pack's drills: places, times in order, words. Pure.

Whether the readings support a signal is not judged here: thresholds may change under an inherited scenario, and a house
must not stay shut for a drill. Whoever plays it is told.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from itertools import pairwise

from fengsui.core.clauses import Pack
from fengsui.core.lint_tables import Fault, placeholders, unknown
from fengsui.core.scenario import Scenario

CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
NEEDED = {"title": "名称", "about": "一两句话说明演什么、练什么", "basis": "依据什么，并写明数值为虚构"}


def drill_faults(pack: Pack) -> Iterator[Fault]:
    """Everything wrong with the scenarios of a pack."""
    for scenario in pack.drills.values():
        where = f"演练情景 {scenario.id}.toml"
        for field, words in NEEDED.items():
            if not getattr(scenario, field):
                yield Fault(where, field, f"没有写。请写{words}。", "P021")
        yield from _readings(pack, where, scenario)
        yield from _words(where, scenario)
        clocks = list(_clocks(where, scenario))
        yield from clocks or _order(where, scenario)


def _readings(pack: Pack, where: str, scenario: Scenario) -> Iterator[Fault]:
    hazard = pack.hazards.get(scenario.hazard)
    if hazard is None:
        yield unknown(where, "hazard", scenario.hazard, pack.hazards, "P015")
        return
    if hazard.issuers:
        yield Fault(
            where, "hazard", f"{hazard.name}由多个单位联合发布，演练情景只能用一家发布的灾种。", "P042"
        )
    towns = {area.id: area.name for area in pack.areas.values() if area.kind == "township"}
    for number, reading in enumerate(scenario.reading, 1):
        for area in reading.values:
            if area not in towns:
                yield unknown(where, f"reading.{number}.values", area, towns, "P027")


def _words(where: str, scenario: Scenario) -> Iterator[Fault]:
    texts = {"cleared.cause": scenario.cleared.cause}
    for number, move in enumerate(scenario.version, 1):
        field = f"version.{number}"
        texts |= {f"{field}.cause": move.cause, f"{field}.forecast": move.forecast}
        texts |= {f"{field}.others.{level}": text for level, text in move.others.items()}
    for field, text in texts.items():
        holes = placeholders(text)
        if holes is None:
            yield Fault(where, field, "花括号不成对。", "P031")
        for hole in sorted((holes or set()) - ({"areas"} if field != "cleared.cause" else set())):
            known = "areas" if field != "cleared.cause" else "无"
            yield Fault(where, field, f"写了“{{{hole}}}”，此处没有这一项。可用：{known}。", "P031")


def _clocks(where: str, scenario: Scenario) -> Iterator[Fault]:
    """Times that cannot be read."""
    try:
        start = dt.datetime.fromisoformat(scenario.start)
    except ValueError:
        start = None
    if start is None or start.tzinfo or start.second or len(scenario.start) != len("2027-07-21T01:36"):
        problem = f"写了“{scenario.start}”，应为当地的日期和时刻，例如 2027-07-21T01:36。"
        yield Fault(where, "start", problem, "P028")
    for field, clock in _times(scenario):
        if not CLOCK.fullmatch(clock):
            yield Fault(where, field, f"写了“{clock}”，应为时刻，例如 02:13。", "P028")


def _times(scenario: Scenario) -> list[tuple[str, str]]:
    """Every clock time with its field."""
    times = [(f"reading.{n}.at", reading.at) for n, reading in enumerate(scenario.reading, 1)]
    for number, move in enumerate(scenario.version, 1):
        times += [
            (f"version.{number}.{name}", getattr(move, name)) for name in ("drafted", "signed", "expires")
        ]
    cleared = scenario.cleared
    return [*times, ("cleared.drafted", cleared.drafted), ("cleared.signed", cleared.signed), ("latest", scenario.latest)]  # fmt: skip


def _order(where: str, scenario: Scenario) -> Iterator[Fault]:
    """Times that do not follow one another: readings, and draft, signature, draft, signature to the end."""
    if not scenario.version:
        yield Fault(where, "version", "没有写。至少有一次发布。", "P005")
    times = [t for t in _times(scenario) if not t[0].endswith("expires")]
    last = scenario.after(scenario.latest)
    outside = [(field, clock) for field, clock in times if scenario.after(clock) > last]
    for field, clock in outside:
        yield Fault(where, field, f"写了“{clock}”，不在 start 与 latest 之间；全程不超过一天。", "P042")
    if outside:
        return
    readings = [t for t in times if t[0].startswith("reading")]
    acts = [t for t in times if t not in readings]
    for (_, before), (field, after) in (*pairwise(readings), *pairwise(acts)):
        if scenario.after(after) < scenario.after(before):
            problem = f"写了“{after}”，早于它前面的“{before}”，各时刻须依次排列。"
            yield Fault(where, field, problem, "P042")
    signed = [move.signed for move in scenario.version[1:]] + [scenario.cleared.signed]
    for number, (move, over) in enumerate(zip(scenario.version, signed, strict=True), 1):
        if scenario.after(move.expires) <= scenario.after(over):
            problem = f"写了“{move.expires}”，下一次签发（{over}）之前就已到期。"
            yield Fault(where, f"version.{number}.expires", problem, "P042")
