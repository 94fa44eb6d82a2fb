"""红色之夜 Night: one rainstorm red warning for two townships, from the first rain to the last answer — all invented.

Rain comes from a file, is judged, proposed, drafted by one person and signed by another; then the rules and the cast
have the word. In the end every duty is done, late or supervised.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from fengsui.core import calendar, criteria, wording
from fengsui.core.clauses import Pack
from fengsui.core.facts import Alerted
from fengsui.flow import inputs
from fengsui.rehearse import report
from fengsui.rehearse.cast import Cast
from fengsui.rehearse.people import invent
from fengsui.rehearse.stage import Stage
from fengsui.store.archive import Paper

RAIN = Path(__file__).with_name("rain.toml")
ZONES = ("140215209", "140215202")
"""聚乐乡 and 峰峪乡."""


class Reading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of the rain file: millimetres over some hours at an area, as known at a local time."""

    at: str
    area: str
    basis: criteria.Basis
    window_h: int
    mm: float


class Times(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When people act: local times of the night."""

    drafted: str
    signed: str
    cleared: str
    expires: str
    latest: str


class Rain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The scripted night."""

    start: str
    hazard: str
    cause: str
    forecast: str
    reading: tuple[Reading, ...]
    night: Times

    def moment(self, clock: str) -> int:
        """A local time of the night as UTC µs."""
        day = dt.datetime.fromisoformat(self.start)
        hours, minutes = map(int, clock.split(":"))
        return calendar.utc(day.replace(hour=hours, minute=minutes, second=0))


def rain() -> Rain:
    """The rain file of the product. Raises msgspec.ValidationError if it is wrong."""
    return msgspec.convert(tomllib.loads(RAIN.read_text(encoding="utf-8")), Rain)


async def begin(place: Path, pack: Pack, *, people: int, seed: int, address: str = "") -> Stage:
    """A stage in a fresh place, ready to play the night; whoever begins it must stop it."""
    script = rain()
    population = invent(pack, people, seed, ZONES)
    start = calendar.utc(dt.datetime.fromisoformat(script.start))
    stage = Stage(place, pack, population, Cast(population, pack, seed), start=start, address=address)
    await stage.start()
    _scripted(stage, script, pack)
    return stage


async def play(stage: Stage, seen: Callable[[Stage, int], None]) -> dict[str, Any]:
    """Play the night to its end; the report. seen: told after each step, for progress.

    Raises Unfinished if something is neither done nor supervised, Stuck if it does not come to rest.
    """
    script = rain()
    await stage.play(script.moment(script.night.latest), lambda at: seen(stage, at))
    if left := report.unfinished(stage.facts):
        raise Unfinished(f"{Unfinished.__doc__} {left}")
    return report.report(stage.facts, stage.pack, stage.population, **stage.deliveries())


class Unfinished(OSError):  # noqa: N818 - the condition is the name
    """演练结束时仍有事项既未办结也未督办，这是程序错误。[D011]"""


def proposal(script: Rain, pack: Pack, until: int) -> criteria.Proposal | None:
    """What the readings up to a moment support, the newest of each place, strongest first."""
    readings = [
        criteria.Reading(
            r.area,
            r.basis,
            "rain",
            r.mm,
            unit="mm",
            agg="sum",
            window_h=r.window_h,
            lead_h=r.window_h if r.basis == "forecast" else None,
            continuing=True,
        )
        for r in script.reading
        if script.moment(r.at) <= until
    ]
    newest = {(r.area, r.basis, r.window_h): r for r in readings}
    found = criteria.propose([pack.hazards[script.hazard]], newest.values())
    return found[0] if found else None


def _scripted(stage: Stage, script: Rain, pack: Pack) -> None:
    """The forecaster drafts what the rain supports, another signs; at the end both lift it."""
    times = script.night

    def issue() -> None:
        proposed = proposal(script, pack, script.moment(times.drafted))
        if proposed is None:
            return
        areas = "、".join(pack.areas[a].name for a in proposed.areas)
        draft = wording.Draft(script.cause.format(areas=areas), script.forecast)
        zones = dict.fromkeys(proposed.areas, proposed.level)
        stage.post(_signed(stage, script, draft, zones, version=1))

    def clear() -> None:
        draft = wording.Draft("降雨已明显减弱，")
        stage.post(_signed(stage, script, draft, {}, version=2))

    stage.at(script.moment(times.signed), issue)
    stage.at(script.moment(times.cleared), clear)


def _signed(
    stage: Stage, script: Rain, draft: wording.Draft, zones: dict[str, Any], *, version: int
) -> inputs.Input:
    posts = {p.id: p.holder for p in stage.population.posts}
    author, signer = posts["meteorology/duty_officer/1"], posts["meteorology/leader/1"]
    paper = Paper("alert", wording.paper(draft))
    fact = Alerted(
        stream=f"incident-{calendar.local(stage.clock.now(), stage.pack.zone):%Y%m%d}-{script.hazard}-1",
        at=stage.clock.now(),
        version=version,
        hazard=script.hazard,
        zones=zones,
        expires=script.moment(script.night.expires),
        author=author,
        signer=signer,
        paper=paper.digest,
        replaces=version - 1,
        series="test",
    )
    signature = inputs.Signature(paper.digest, author, signer)
    return inputs.Input(f"desk/{version}", fact, (paper,), (signature,))
