"""发布登记 Signals: every version of every warning with the number and the second it was given — read by lists and forms.

Numbers count from 1 in a series and year; no second is given twice, in any series: it names the signal to the world
(CAP), and the next free one is taken. Both follow from the order of the ledger alone: disposable, see ``store.rebuild``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from fengsui.core import calendar
from fengsui.core.facts import Alerted
from fengsui.core.state import AlertPart
from fengsui.store.sql import Session, pack


class Signal(msgspec.Struct, frozen=True):
    """A version as it is registered. level: the strongest in force, or that was lifted; second: UTC seconds since 1970."""

    seq: int
    stream: str
    version: int
    series: str
    year: int
    number: int
    second: int
    at: int
    hazard: str
    level: str
    action: str
    mode: str
    zones: str
    """Ids of the zones in force, or that were lifted, with a space before and after each."""
    expires: int
    author: str
    signer: str
    paper: str

    @property
    def areas(self) -> tuple[str, ...]:
        """The ids of its zones."""
        return tuple(self.zones.split())


FIELDS = tuple(f.name for f in msgspec.structs.fields(Signal))
_WHOLE = {"seq", "version", "year", "number", "second", "at", "expires"}
_INSERT = (
    f"INSERT INTO signal ({', '.join(FIELDS)}) SELECT "  # noqa: S608 - names of ours
    + ", ".join(
        f"CAST(j.value->>{i} AS BIGINT)" if name in _WHOLE else f"j.value->>{i}"
        for i, name in enumerate(FIELDS)
    )
    + " FROM {each}"
)
_SELECT = f"SELECT {', '.join(FIELDS)} FROM signal"  # noqa: S608


class Wanted(msgspec.Struct, frozen=True):
    """Which signals of a series a list keeps: "" and 0 = all. area: id of a zone that they name."""

    series: str
    year: int = 0
    hazard: str = ""
    level: str = ""
    action: str = ""
    area: str = ""


class Version(msgspec.Struct, frozen=True):
    """What is to be registered: the fact, its place in the ledger, and the warning as it is after it."""

    seq: int
    fact: Alerted
    part: AlertPart


class Counter:
    """Gives numbers and seconds in the order it is asked, going on from what is registered."""

    def __init__(self, session: Session, zone: str) -> None:
        self._session, self._zone = session, zone
        self._numbers: dict[tuple[str, int], int] = {}
        self._seconds: set[int] = set()

    def signal(self, version: Version) -> Signal:
        """The version with the number and second it gets."""
        fact, part = version.fact, version.part
        year = calendar.local(fact.at, self._zone).year
        told = part.now if part.holds else part.before
        return Signal(
            version.seq, fact.stream, fact.version, fact.series, year, self._number(fact.series, year),
            self._second(fact.at // calendar.SECOND), fact.at, fact.hazard, told.strongest or "",
            fact.action or _told(fact), fact.mode, f" {' '.join(sorted(told.zones))} ", fact.expires, fact.author,
            fact.signer, fact.paper,
        )  # fmt: skip

    def _number(self, series: str, year: int) -> int:
        key = (series, year)
        if key not in self._numbers:
            found = self._session.run(
                "SELECT coalesce(max(number), 0) FROM signal WHERE series = ? AND year = ?", series, year
            )
            self._numbers[key] = int(found[0][0])
        self._numbers[key] += 1
        return self._numbers[key]

    def _second(self, second: int) -> int:
        while second in self._seconds or self._session.run("SELECT 1 FROM signal WHERE second = ?", second):
            second += 1
        self._seconds.add(second)
        return second


def _told(fact: Alerted) -> str:
    """The verb of a fact from before verbs were recorded."""
    return "cancel" if not fact.zones else "issue" if fact.version == 1 else "change"


def register(session: Session, versions: Sequence[Version], zone: str) -> None:
    """Register versions just appended, in the same transaction."""
    counter = Counter(session, zone)
    _write(session, [counter.signal(v) for v in sorted(versions, key=lambda v: v.seq)])


def _write(session: Session, signals: Iterable[Signal]) -> None:
    session.run(_INSERT, pack([msgspec.structs.astuple(s) for s in signals]))


def anew(session: Session, versions: Sequence[Version], zone: str) -> int:
    """Register everything again from the ledger's versions; how many signals differed from what stood there."""
    before = every(session)
    session.run("DELETE FROM signal")
    register(session, versions, zone)
    return len(set(before) ^ set(every(session)))


def every(session: Session) -> list[Signal]:
    """All signals, oldest first."""
    return [Signal(*row) for row in session.run(f"{_SELECT} ORDER BY seq")]


def find(session: Session, stream: str, version: int) -> Signal | None:
    """A version of a stream."""
    rows = session.run(f"{_SELECT} WHERE stream = ? AND version = ?", stream, version)
    return Signal(*rows[0]) if rows else None


def thread(session: Session, stream: str) -> list[Signal]:
    """All versions of one stream, oldest first."""
    return [Signal(*row) for row in session.run(f"{_SELECT} WHERE stream = ? ORDER BY seq", stream)]


def since(session: Session, seq: int) -> list[Signal]:
    """What was registered after a seq, oldest first."""
    return [Signal(*row) for row in session.run(f"{_SELECT} WHERE seq > ? ORDER BY seq", seq)]


def wanted(session: Session, of: Wanted) -> list[Signal]:
    """The signals that a list keeps, newest first."""
    rows = session.run(
        f"{_SELECT} WHERE series = ? AND (? = 0 OR year = ?) AND (? = '' OR hazard = ?) AND (? = '' OR level = ?)"
        " AND (? = '' OR action = ?) AND (? = '' OR zones LIKE ?) ORDER BY seq DESC",
        of.series, of.year, of.year, of.hazard, of.hazard, of.level, of.level, of.action, of.action,
        of.area, f"% {of.area} %",
    )  # fmt: skip
    return [Signal(*row) for row in rows]


def kinds(session: Session) -> list[tuple[str, int, str]]:
    """Each series, year and hazard of which there is a signal, newest year first."""
    found = session.run("SELECT DISTINCT series, year, hazard FROM signal ORDER BY year DESC, series, hazard")
    return [(str(series), int(year), str(hazard)) for series, year, hazard in found]
