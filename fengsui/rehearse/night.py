"""演练之夜 Night: a scenario played from its first reading to the last answer — all invented.

Readings come from the pack, are judged, proposed, drafted by one person and signed by another; then the rules and the
cast have the word. In the end every duty is done, late or supervised.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fengsui.core import alerts, wording
from fengsui.core.calendar import SECOND
from fengsui.core.clauses import Pack
from fengsui.core.facts import Alerted
from fengsui.core.levels import Level
from fengsui.core.scenario import Scenario
from fengsui.core.state import Zoned
from fengsui.flow import inputs
from fengsui.rehearse import report
from fengsui.rehearse.cast import Cast
from fengsui.rehearse.people import invent
from fengsui.rehearse.stage import Stage
from fengsui.store.archive import Paper

DEFAULT = "rainstorm"
"""The scenario that is played where none is named."""


class Unfinished(OSError):  # noqa: N818 - the condition is the name
    """演练结束时仍有事项既未办结也未督办，这是程序错误。[D011]"""


def chosen(pack: Pack, name: str) -> Scenario:
    """The scenario of that name. Raises ValueError if there is none, or if its readings do not support its versions."""
    if name not in pack.drills:
        known = "、".join(f"{s.id} {s.title}" for s in pack.drills.values())
        raise ValueError(f"没有“{name}”这个演练情景。可用：{known or '无'}。[D012]")
    scenario = pack.drills[name]
    if fault := scenario.fault(pack.hazards[scenario.hazard]):
        raise ValueError(fault)
    return scenario


async def begin(
    place: Path, pack: Pack, scenario: Scenario, *, people: int, seed: int, address: str = ""
) -> Stage:
    """A stage in a fresh place, ready to play the night; whoever begins it must stop it."""
    population = invent(pack, people, seed, scenario.areas)
    start = scenario.moment(scenario.start[-5:], pack.zone)
    stage = Stage(place, pack, population, Cast(population, pack, seed), start=start, address=address)
    await stage.start()
    _scripted(stage, scenario)
    return stage


async def play(
    stage: Stage, scenario: Scenario, seen: Callable[[Stage, int], None], pace: float = 0
) -> dict[str, Any]:
    """Play the night to its end; the report. seen: told after each step, for progress. pace: from the first signature
    on, see ``Stage.play``.

    Raises Unfinished if something is neither done nor supervised, Stuck if it does not come to rest.
    """
    zone = stage.pack.zone
    if pace:
        await stage.play(begins := scenario.moment(scenario.version[0].signed, zone) - SECOND, lambda _: None)
        stage.clock.jump(begins)
    await stage.play(scenario.moment(scenario.latest, zone), lambda at: seen(stage, at), pace)
    if left := report.unfinished(stage.facts):
        raise Unfinished(f"{Unfinished.__doc__} {left}")
    return report.report(stage.facts, stage.pack, stage.population, **stage.deliveries())


def _scripted(stage: Stage, scenario: Scenario) -> None:
    """The forecaster drafts what the readings support, another signs; at the end both lift it."""
    pack, zone = stage.pack, stage.pack.zone

    def issue(version: int) -> None:
        move = scenario.version[version - 1]
        zones = scenario.zones(pack.hazards[scenario.hazard], move.drafted)
        move = move.filled("、".join(pack.areas[area].name for area in zones))
        draft = wording.Draft(move.cause, move.forecast, move.others)
        stage.post(_signed(stage, scenario, version, draft, zones))

    def clear() -> None:
        draft = wording.Draft(scenario.cleared.cause)
        stage.post(_signed(stage, scenario, len(scenario.version) + 1, draft, {}))

    for number, move in enumerate(scenario.version, 1):
        stage.at(scenario.moment(move.signed, zone), lambda number=number: issue(number))  # type: ignore[misc]
    stage.at(scenario.moment(scenario.cleared.signed, zone), clear)


def _signed(
    stage: Stage, scenario: Scenario, version: int, draft: wording.Draft, zones: dict[str, Level]
) -> inputs.Input:
    """A version as both sign it; without zones it lifts the warning."""
    posts = {p.id: p.holder for p in stage.population.posts}
    author, signer = posts["meteorology/duty_officer/1"], posts["meteorology/leader/1"]
    paper = Paper("alert", wording.paper(draft))
    holds = scenario.version[min(version, len(scenario.version)) - 1]
    expires = scenario.moment(holds.expires, stage.pack.zone)
    stream = f"incident-{scenario.start[:10].replace('-', '')}-{scenario.hazard}-1"
    before = stage.house.writer.world.at(stream).alert
    kept = [z for z, level in zones.items() if before.now.over(z) == {z: level}]
    fact = Alerted(
        stream=stream,
        at=stage.clock.now(),
        version=version,
        hazard=scenario.hazard,
        zones=zones,
        expires=expires,
        author=author,
        signer=signer,
        paper=paper.digest,
        replaces=version - 1,
        series="test",
        action=alerts.fitting(before.now, Zoned(zones), stage.pack),
        kept=tuple(kept) if expires == before.expires else (),
    )
    signature = inputs.Signature(paper.digest, author, signer)
    return inputs.Input(f"desk/{version}", fact, (paper,), (signature,))
