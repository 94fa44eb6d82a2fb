"""状态图 Atlas: the townships on the district's outline, as what a template needs to draw them; a sketch, no map.

Outlines of townships are drawn where the site has put ``districts.geojson`` into its data directory (property ``code``
= the area's id); without it each is a point. A township without a point stands in a frame of its own beside the outline.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from fengsui.core.clauses import Pack
from fengsui.formats import geo, packs
from fengsui.web.places import Place, Sign

WIDTH, HEIGHT, MARGIN = 368, 460, 24
OWN = "districts.geojson"
"""The file by which a site brings outlines of its townships."""
ASIDE = (276.0, 40.0, 58.0)
"""Where townships without a point stand: x, first y, step."""
STEP = 36.0
"""Units from one sign to the next."""
WORDS, ROUND = 56.0, 11.0
"""Units that the words of a township need at most, and that its point needs."""
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


class Spot(NamedTuple):
    """A township on the sketch. path: its outline, "" = only a point; aside: it has no point of its own; basis: what its
    point is, where it is another than most; left: whether its words stand on the left of it.
    """

    town: Place
    x: float
    y: float
    path: str = ""
    aside: bool = False
    basis: str = ""
    left: bool = False

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
    def signs(self) -> tuple[tuple[float, float, Sign], ...]:
        """Each sign with where its upper left corner stands, the strongest first."""
        width = STEP * len(self.town.signs) - 2
        x, y = self.label_x - width if self.left else self.label_x, self.word_y + 5
        return tuple((round(x + STEP * n, 1), round(y, 1), sign) for n, sign in enumerate(self.town.signs))

    @property
    def note_y(self) -> float:
        """The line that says that the point is missing, below all else."""
        return round(self.word_y + (38 if self.town.signs else 13), 1)

    @property
    def point(self) -> Box:
        """What its point covers."""
        away = 4 if self.town.state == "none" else ROUND
        return self.x - away, self.y - away, self.x + away, self.y + away

    @property
    def box(self) -> Box:
        """What its words and signs cover."""
        width = max(WORDS + (26 if self.basis else 0), STEP * len(self.town.signs))
        low = self.note_y if self.aside else self.word_y + (25 if self.town.signs else 3)
        x = self.label_x - width if self.left else self.label_x
        return x, self.label_y - 11, x + width, low


class Sketch(NamedTuple):
    """The drawing: the district's outline and its townships. basis: what most points are."""

    width: int
    height: int
    outline: str
    spots: tuple[Spot, ...]
    basis: str = ""


def sketch(towns: Sequence[Place], pack: Pack) -> Sketch:
    """Where everything stands."""
    border, own = _border(pack.id), _own(str(settings.DATABASES["default"].get("NAME", "")))
    points = {t.area: _point(t.area, pack, own) for t in towns}
    known = [p for shape in border for ring in shape.rings for p in ring] + [p for p in points.values() if p]
    if not known:
        return Sketch(WIDTH, HEIGHT, "", tuple(_aside(t, i) for i, t in enumerate(towns)))
    view = geo.fit(known, width=WIDTH, height=HEIGHT, margin=MARGIN)
    bases = {t.area: "" if t.area in own else pack.areas[t.area].point_basis for t in towns if points[t.area]}
    common = Counter(bases.values()).most_common(1)[0][0] if bases else ""
    spots: list[Spot] = []
    for town in towns:
        point = points[town.area]
        if point is None:
            spots.append(_aside(town, sum(s.aside for s in spots)))
            continue
        x, y = view.at(point)
        rings = own[town.area].rings if town.area in own else ()
        basis = bases[town.area] if bases[town.area] != common else ""
        spots.append(Spot(town, round(x, 1), round(y, 1), view.path(rings), basis=basis))
    return Sketch(WIDTH, HEIGHT, "".join(view.path(s.rings) for s in border), _sided(spots), common)


class Ground(NamedTuple):
    """The district's outline, and each township's point and own outline where there is one."""

    border: tuple[geo.Shape, ...]
    points: dict[str, geo.Point]
    own: dict[str, geo.Shape]

    def within(self, ring: geo.Ring) -> list[str]:
        """Townships that a drawn ring takes in: by their own outline, else by their point."""
        found = {
            area for area, shape in self.own.items() if area in self.points and geo.meet(shape.rings, [ring])
        }
        found |= {a for a, point in self.points.items() if a not in self.own and geo.inside(point, [ring])}
        return sorted(found)


def ground(areas: Sequence[str], pack: Pack) -> Ground:
    """The ground on which somebody draws."""
    own = _own(str(settings.DATABASES["default"].get("NAME", "")))
    points = {a: point for a in areas if (point := _point(a, pack, own)) is not None}
    return Ground(_border(pack.id), points, {a: s for a, s in own.items() if a in points})


def _sided(spots: Sequence[Spot]) -> tuple[Spot, ...]:
    """Each with its words on the side where they cover least of others: on the right where both are as good."""
    points = [s.point for s in spots]
    placed: list[Spot] = []
    for number, spot in enumerate(spots):
        taken = points[:number] + points[number + 1 :] + [p.box for p in placed]
        sides = (spot, spot._replace(left=True))
        placed.append(
            min(sides, key=lambda side: _outside(side.box) + sum(_shared(side.box, t) for t in taken))
        )
    return tuple(placed)


def _outside(box: Box) -> float:
    """How much of a box the drawing does not show, weighed so that it is the last thing to happen."""
    return 1000 * (max(0.0, -box[0]) + max(0.0, box[2] - WIDTH))


def _shared(one: Box, other: Box) -> float:
    """The area that two boxes share."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return wide * high if wide > 0 and high > 0 else 0.0


def _aside(town: Place, number: int) -> Spot:
    x, y, step = ASIDE
    return Spot(town, x, y + number * step, aside=True)


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
