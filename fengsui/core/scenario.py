"""情景 Scenario: what a drill plays — readings that are judged as real ones are, and when who drafts, signs and lifts.

Pure. A clock time of a scenario is the first such time from its start on, so that a night may pass midnight; a scenario
is shorter than a day. It only proposes: invented people sign it in a simulation, a forecaster may in a drill.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import msgspec

from fengsui.core import calendar, criteria
from fengsui.core.levels import Level
from fengsui.core.tables import Hazard


class Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """读数 What becomes known at a time: one element at several places. Invented, never measured.

    values: place → the value there; everything else as in ``criteria.Reading``.
    """

    at: str
    basis: criteria.Basis
    var: str
    values: dict[str, criteria.Value]
    unit: str = ""
    agg: str = ""
    window_h: float | None = None
    lead_h: float | None = None
    continuing: bool = False
    phenomenon: str = ""

    def readings(self) -> Iterator[criteria.Reading]:
        """One for each place."""
        for area, value in self.values.items():
            yield criteria.Reading(
                area, self.basis, self.var, value, self.unit, self.agg, self.window_h, self.lead_h,
                self.continuing, self.phenomenon,
            )  # fmt: skip


class Move(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """动作 A version of the warning: when it is drafted on what is known by then, signed, and until when it holds.

    cause, forecast: whole sentences or empty, ``{areas}`` = names of the places. others: level → the forecast for places
    at another level than the strongest.
    """

    drafted: str
    signed: str
    expires: str
    cause: str = ""
    forecast: str = ""
    others: dict[str, str] = {}

    def filled(self, areas: str) -> Move:
        """The same with the places named in its sentences. areas: their names, 、 between."""
        others = {level: text.format(areas=areas) for level, text in self.others.items()}
        cause, forecast = self.cause.format(areas=areas), self.forecast.format(areas=areas)
        return msgspec.structs.replace(self, cause=cause, forecast=forecast, others=others)


class Lifted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """解除 The end of the warning: when it is drafted and signed, and why."""

    drafted: str
    signed: str
    cause: str = ""


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """情景 One warning's life as a drill plays it. start: local ISO time; latest: by then nothing is left undone.

    about: what happens, for whoever chooses it. basis: which real text it leans on, and that the values are invented.
    """

    id: str
    title: str
    about: str
    basis: str
    hazard: str
    start: str
    latest: str
    version: tuple[Move, ...]
    cleared: Lifted
    reading: tuple[Given, ...]

    @property
    def areas(self) -> tuple[str, ...]:
        """Every place with a reading, in the order of their ids."""
        return tuple(sorted({area for given in self.reading for area in given.values}))

    def after(self, clock: str) -> int:
        """How long after the start a clock time of the scenario is, in µs: 0 to a day."""
        hours, minutes = map(int, clock.split(":"))
        start = dt.datetime.fromisoformat(self.start)
        since = dt.timedelta(hours=hours, minutes=minutes) - dt.timedelta(
            hours=start.hour, minutes=start.minute
        )
        return since // dt.timedelta(microseconds=1) % calendar.DAY

    def moment(self, clock: str, zone: str) -> int:
        """A clock time of the scenario as UTC µs."""
        start = dt.datetime.fromisoformat(self.start).replace(tzinfo=ZoneInfo(zone))
        return calendar.utc(start) + self.after(clock)

    def zones(self, hazard: Hazard, clock: str) -> dict[str, Level]:
        """Which places the readings known by a clock time put at which level, in the order of the places."""
        until = self.after(clock)
        known = [given for given in self.reading if self.after(given.at) <= until]
        newest = {(r.area, r.basis, r.var, r.agg, r.window_h): r for given in known for r in given.readings()}
        proposals = criteria.propose([hazard], newest.values())
        return dict(sorted((area, p.level) for p in proposals for area in p.areas))

    def fault(self, hazard: Hazard) -> str:
        """Why it cannot be played as the criteria stand, in words; "" if it can. A pack may have set them otherwise."""
        for move in self.version:
            if not self.zones(hazard, move.drafted):
                return f"“{self.title}”到 {move.drafted} 的读数按现行判据不够任何级别，请改读数。[D013]"
        if self.zones(hazard, self.cleared.drafted):
            return f"“{self.title}”到 {self.cleared.drafted} 的读数仍够预警级别，不能解除，请改读数。[D013]"
        return ""
