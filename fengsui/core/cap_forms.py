"""警报写法 CAP forms: what the specification writes inside a text — times, rings, circles, references. Pure.

Each is read by a function that answers None for a text without that form.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import Annotated

import msgspec

from fengsui.core.cap import Moment

Point = tuple[float, float]
"""WGS 84: latitude first, then longitude, in degrees; north and east are positive."""


class Circle(msgspec.Struct, frozen=True):
    """圆 A point and a radius in kilometres."""

    centre: Point
    radius: float


class Reference(msgspec.Struct, frozen=True):
    """引用 An earlier message. ``sent`` stays as written: the three texts together are its key, compared as they are."""

    sender: str
    identifier: str
    sent: str


FRAMES = frozenset(("--T::+:", "--T::-:"))
"""Every third character of a time from the fifth on: what stands between its numbers."""
NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
PAIR = re.compile(rf"(?<!\S){NUMBER},{NUMBER}(?!\S)")
CIRCLE = re.compile(rf"\s*({NUMBER}),({NUMBER})\s+({NUMBER})\s*")
EPOCH = dt.datetime.fromisoformat("1970-01-01")
ENDS = (dt.date.min.toordinal() - EPOCH.toordinal() + 2, dt.date.max.toordinal() - EPOCH.toordinal() - 2)
"""Days of the first and last times that are taken: two days from the ends of the calendar, so that every zone has them."""
BEIJING = dt.timezone(dt.timedelta(hours=8))


# ── times 时间 ────────────────────────────────────────────────────────────────


def moment(text: str) -> Moment | None:
    """``2026-07-17T14:40:00+08:00``: to the second, with a numeric offset; no ``Z``, no fraction.

    >>> moment("1970-01-01T08:00:01+08:00"), moment("1970-01-01T00:00:01Z")
    (Moment(at=1000000, offset=480), None)
    """
    text = text.strip()
    if len(text) != 25 or text[4::3] not in FRAMES:
        return None
    try:
        since, east = dt.datetime.fromisoformat(text[:19]) - EPOCH, _east(text[19:])
    except ValueError:
        return _midnight(text)
    if not ENDS[0] < since.days < ENDS[1]:
        return None
    return Moment((since.days * 86_400 + since.seconds - east * 60) * 1_000_000, east)


@lru_cache(64)
def _east(zone: str) -> int:
    """Minutes east of a zone ``+08:00``. Raises ValueError."""
    offset = dt.datetime.fromisoformat(f"2000-01-01T00:00:00{zone}").utcoffset() or dt.timedelta()
    return offset.days * 1440 + offset.seconds // 60


def loosely(text: str) -> Moment | None:
    """A time in any form of ISO 8601; without a zone it is taken for Beijing's.

    >>> loosely("2013-07-24 10:07:39"), loosely("2016-03-10T22:12:03.770Z"), loosely("soon")
    (Moment(at=1374631659000000, offset=480), Moment(at=1457647923000000, offset=0), None)
    """
    try:
        when = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    when = when.replace(microsecond=0) if when.tzinfo else when.replace(microsecond=0, tzinfo=BEIJING)
    return moment(when.isoformat())


def _midnight(text: str) -> Moment | None:
    """``24:00:00``, the schema's other name for the next midnight; None for times that do not exist."""
    if text[11:19] != "24:00:00" or not (start := moment(f"{text[:11]}00{text[13:]}")):
        return None
    return Moment(start.at + 86_400_000_000, start.offset)


def written(when: Moment) -> str:
    """A time as CAP writes it; UTC is ``-00:00`` (CAP 1.2, 3.3.2). Fractions of a second are dropped.

    >>> written(Moment(1_000_000, 480)), written(Moment(0))
    ('1970-01-01T08:00:01+08:00', '1970-01-01T00:00:00-00:00')
    """
    hours, minutes = divmod(abs(when.offset), 60)
    local = EPOCH + dt.timedelta(seconds=when.at // 1_000_000, minutes=when.offset)
    return f"{local.isoformat()}{'+' if when.offset > 0 else '-'}{hours:02}:{minutes:02}"


# ── places 地方 ───────────────────────────────────────────────────────────────

Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]
_ring = msgspec.json.Decoder(tuple[tuple[Latitude, Longitude], ...]).decode
"""Many times faster than ``float`` in a loop: rings of a hundred thousand points are sent."""


def points(text: str) -> tuple[Point, ...] | None:
    """The points of a ring, all of them on the earth.

    >>> points("40.1,113.2 40,+113 "), points("40.1,113.2,5 40"), points("113,40")
    (((40.1, 113.2), (40.0, 113.0)), None, None)
    """
    pairs, here = ring(text)
    return pairs if here else None


def ring(text: str) -> tuple[tuple[Point, ...] | None, bool]:
    """The pairs of a ring ``lat,lon lat,lon …``, None if it is none; and whether all of them lie on the earth.

    An empty text is a ring without points.
    """
    text = " ".join(text.split()) if "\n" in text else text.strip()
    if text and not ("[" in text or "e" in text or "E" in text or "\t" in text or "\r" in text):
        try:  # what JSON would read and a ring may not have is ruled out
            return _ring(f"[[{text.replace(' ', '],[')}]]"), True
        except msgspec.DecodeError:
            pass  # out of range, or written as JSON would not: ``.5``, ``007``
    if PAIR.sub("", text).strip():
        return None, False
    numbers = list(map(float, text.replace(",", " ").split()))
    pairs = tuple(zip(numbers[::2], numbers[1::2], strict=True))
    return pairs, max(map(abs, numbers[::2]), default=0) <= 90 and max(
        map(abs, numbers[1::2]), default=0
    ) <= 180


def on_earth(point: Point) -> bool:
    """Whether there is such a latitude and longitude."""
    return -90 <= point[0] <= 90 and -180 <= point[1] <= 180


def circle(text: str) -> Circle | None:
    """``lat,lon radius``, the radius in kilometres."""
    found = CIRCLE.fullmatch(text)
    return Circle((float(found[1]), float(found[2])), float(found[3])) if found else None


# ── references 引用 ───────────────────────────────────────────────────────────


def references(text: str) -> tuple[Reference, ...] | None:
    """``sender,identifier,sent`` of each earlier message, separated by white space."""
    found = [token.split(",") for token in text.split()]
    if not all(len(parts) == 3 and all(parts) and _timed(parts[2]) for parts in found):
        return None
    return tuple(Reference(*parts) for parts in found)


def _timed(text: str) -> bool:
    """Whether a reference's third part is a time, in whatever form its sender wrote it."""
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


# ── numbers 数 ────────────────────────────────────────────────────────────────

INTEGER = re.compile(r"[ \t\r\n]*[-+]?[0-9]{1,18}[ \t\r\n]*")


def integer(text: str) -> int | None:
    """A whole number of at most eighteen digits."""
    return int(text) if INTEGER.fullmatch(text) else None


def decimal(text: str) -> float | None:
    """A decimal number without an exponent."""
    if text.strip("0123456789.+- \t\r\n"):
        return None
    try:
        return float(text)
    except ValueError:
        return None
