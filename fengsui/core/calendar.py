"""时间 Calendar: spans and workdays, computed in the pack's zone. Moments are UTC microseconds."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from fengsui.core.tables import Almanac

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY}


def span(text: str) -> int:
    """A span in µs: minutes, hours, days; negative = before. Workdays need a start: see ``later``.

    >>> span("10m"), span("-2h"), span("3d")
    (600000000, -7200000000, 259200000000)
    """
    return int(text[:-1]) * _UNITS[text[-1]]


def later(at: int, text: str, zone: str, almanac: Almanac) -> int:
    """The moment a span after another. ``5wd`` is five workdays on, at the same local time of day."""
    if not text.endswith("wd"):
        return at + span(text)
    here = local(at, zone)
    count = int(text[:-2])
    step = dt.timedelta(days=1 if count >= 0 else -1)
    day = here
    for _ in range(abs(count)):
        day += step
        while not workday(day.date(), almanac):
            day += step
    return utc(day)


def workday(day: dt.date, almanac: Almanac) -> bool:
    """Whether offices work on a day: the almanac's swaps first, then Monday to Friday."""
    iso = day.isoformat()
    if iso in almanac.work:
        return True
    return iso not in almanac.off and day.weekday() < 5


def local(at: int, zone: str) -> dt.datetime:
    """A moment as local time in a zone."""
    return dt.datetime.fromtimestamp(at // SECOND, ZoneInfo(zone)).replace(microsecond=at % SECOND)


def utc(moment: dt.datetime) -> int:
    """A zoned time as UTC µs; the time must bear a zone."""
    return int(moment.timestamp()) * SECOND + moment.microsecond
