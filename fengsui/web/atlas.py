"""状态图 Atlas: the townships on the district's outline, as what a template needs to draw them; a sketch, no map.

Outlines of townships are drawn where the site has put ``districts.geojson`` into its data directory (property ``code``
= the area's id); without it each is a point. A township without a point stands in a frame of its own beside the outline.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from fengsui.core.clauses import Pack
from fengsui.formats import geo, packs
from fengsui.web.outlook import Town

WIDTH, HEIGHT, MARGIN = 368, 420, 34
OWN = "districts.geojson"
"""The file by which a site brings outlines of its townships."""
ROOM = 88
"""Units that the words of a township need beside it."""
ASIDE = (276.0, 40.0, 58.0)
"""Where townships without a point stand: x, first y, step."""


class Spot(NamedTuple):
    """A township on the sketch. path: its outline, "" = only a point; aside: it has no point of its own."""

    town: Town
    x: float
    y: float
    path: str
    aside: bool

    @property
    def left(self) -> bool:
        """Whether its words stand on the left of it: near the right edge there is no room."""
        return self.x > WIDTH - ROOM

    @property
    def label_x(self) -> float:
        """Where its words begin, or end."""
        away = 7 if self.town.state == "none" else 13
        return round(self.x - away if self.left else self.x + away, 1)

    @property
    def label_y(self) -> float:
        """The line of the name; the state stands below it."""
        return round(self.y + (4 if self.town.state == "none" else -1), 1)

    @property
    def word_y(self) -> float:
        """The line of the state."""
        return round(self.y + 13, 1)

    @property
    def aside_y(self) -> float:
        """The line that says that the point is missing."""
        return round(self.y + 26, 1)


class Sketch(NamedTuple):
    """The drawing: the district's outline and its townships."""

    width: int
    height: int
    outline: str
    spots: tuple[Spot, ...]


def sketch(towns: Sequence[Town], pack: Pack) -> Sketch:
    """Where everything stands."""
    border, own = _border(pack.id), _own(str(settings.DATABASES["default"].get("NAME", "")))
    points = {t.area: _point(t.area, pack, own) for t in towns}
    known = [p for shape in border for ring in shape.rings for p in ring] + [p for p in points.values() if p]
    if not known:
        return Sketch(WIDTH, HEIGHT, "", tuple(_aside(t, i) for i, t in enumerate(towns)))
    view = geo.fit(known, width=WIDTH, height=HEIGHT, margin=MARGIN)
    spots: list[Spot] = []
    for town in towns:
        point = points[town.area]
        if point is None:
            spots.append(_aside(town, sum(s.aside for s in spots)))
            continue
        x, y = view.at(point)
        rings = own[town.area].rings if town.area in own else ()
        spots.append(Spot(town, round(x, 1), round(y, 1), view.path(rings), aside=False))
    return Sketch(WIDTH, HEIGHT, "".join(view.path(s.rings) for s in border), tuple(spots))


def _aside(town: Town, number: int) -> Spot:
    x, y, step = ASIDE
    return Spot(town, x, y + number * step, "", aside=True)


def _point(area: str, pack: Pack, own: dict[str, geo.Shape]) -> geo.Point | None:
    if area in own:
        return geo.centre(own[area].rings)
    known = pack.areas.get(area)
    return (known.lon, known.lat) if known and known.lon is not None and known.lat is not None else None


@lru_cache(maxsize=4)
def _border(pack: str) -> tuple[geo.Shape, ...]:
    """The district's outline as its pack brings it, or nothing."""
    file = packs.SHIPPED / pack / "boundary.geojson"
    return geo.read(file) if file.is_file() else ()


@lru_cache(maxsize=4)
def _own(database: str) -> dict[str, geo.Shape]:
    """The township outlines of the site whose main database this is; read once for a process."""
    file = Path(database).parent / OWN
    return {s.code: s for s in geo.read(file)} if database and file.is_file() else {}
