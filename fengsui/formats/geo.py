"""图形 Geo: outlines from GeoJSON, and where a longitude and latitude stand on a drawing of a given size.

Pure but for reading a file. Polygons and multipolygons only; what has no ring is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import msgspec

Point = tuple[float, float]
"""Longitude and latitude in degrees, or x and y of a drawing."""
Ring = tuple[Point, ...]


class GeoFault(ValueError):  # noqa: N818 - the condition is the name
    """图形文件不是可用的 GeoJSON（需 FeatureCollection，多边形，经纬度）。请换一份或删去，状态图会改用点位。[P050]"""


class Shape(msgspec.Struct, frozen=True):
    """One outlined area: its code and name as the file gives them, and its rings."""

    code: str
    name: str
    rings: tuple[Ring, ...]


_Position = Annotated[list[float], msgspec.Meta(min_length=2)]


class _Geometry(msgspec.Struct):
    type: str
    coordinates: list[list[object]] = []


class _Feature(msgspec.Struct):
    geometry: _Geometry | None
    properties: dict[str, object] | None = None


class _Collection(msgspec.Struct):
    features: list[_Feature]


def read(file: Path) -> tuple[Shape, ...]:
    """The outlines of a GeoJSON file. Raises GeoFault for what is none, OSError for what cannot be read."""
    return shapes(file.read_bytes())


def shapes(body: bytes) -> tuple[Shape, ...]:
    """The outlines of a GeoJSON text. Raises GeoFault."""
    try:
        found = msgspec.json.decode(body, type=_Collection)
        return tuple(s for f in found.features if (s := _shape(f)).rings)
    except msgspec.MsgspecError as error:
        raise GeoFault(GeoFault.__doc__) from error


def _shape(feature: _Feature) -> Shape:
    known = {k: str(v) for k, v in (feature.properties or {}).items()}
    geometry = feature.geometry
    rings: tuple[Ring, ...] = ()
    if geometry is not None and geometry.type == "Polygon":
        rings = _rings([geometry.coordinates])
    elif geometry is not None and geometry.type == "MultiPolygon":
        rings = _rings(geometry.coordinates)
    return Shape(known.get("code", ""), known.get("name", ""), rings)


def _rings(polygons: object) -> tuple[Ring, ...]:
    found = msgspec.convert(polygons, list[list[list[_Position]]])
    rings = tuple(tuple((p[0], p[1]) for p in ring) for polygon in found for ring in polygon if ring)
    if any(abs(lon) > 180 or abs(lat) > 90 for ring in rings for lon, lat in ring):
        raise GeoFault(GeoFault.__doc__)
    return rings


class Projection(msgspec.Struct, frozen=True):
    """An equal-scale view of a small area: degrees east shrink with the latitude; y runs down, as in SVG."""

    west: float
    north: float
    scale: float  # units of the drawing per degree of latitude
    squeeze: float  # a degree of longitude in degrees of latitude
    left: float
    top: float

    def at(self, point: Point) -> Point:
        """Where a longitude and latitude stand on the drawing."""
        x = self.left + (point[0] - self.west) * self.squeeze * self.scale
        return x, self.top + (self.north - point[1]) * self.scale

    def path(self, rings: Iterable[Ring]) -> str:
        """The ``d`` of an SVG path that draws rings, to a tenth of a unit."""
        return "".join(f"M{'L'.join(_pair(self.at(p)) for p in ring)}Z" for ring in rings)


def fit(points: Iterable[Point], *, width: float, height: float, margin: float) -> Projection:
    """The view that shows all points as large as the drawing allows, centred. Raises ValueError without points.

    >>> view = fit([(113.0, 39.0), (114.0, 40.0)], width=100, height=120, margin=10)
    >>> [round(c) for c in view.at((113.0, 40.0))], [round(c) for c in view.at((114.0, 39.0))]
    ([11, 10], [89, 110])
    """
    known = list(points)
    lons, lats = [p[0] for p in known], [p[1] for p in known]
    west, east, south, north = min(lons), max(lons), min(lats), max(lats)
    squeeze = math.cos(math.radians((north + south) / 2))
    wide, high = max((east - west) * squeeze, 1e-6), max(north - south, 1e-6)
    scale = min((width - 2 * margin) / wide, (height - 2 * margin) / high)
    left, top = (width - wide * scale) / 2, (height - high * scale) / 2
    return Projection(west, north, scale, squeeze, left, top)


def centre(rings: Iterable[Ring]) -> Point:
    """A point to write on: the middle of the largest ring's box."""
    ring = max(rings, key=len)
    lons, lats = [p[0] for p in ring], [p[1] for p in ring]
    return (min(lons) + max(lons)) / 2, (min(lats) + max(lats)) / 2


def inside(point: Point, rings: Iterable[Ring]) -> bool:
    """Whether a point lies inside an area of these rings; a hole is outside.

    >>> square = ((0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0))
    >>> inside((1.0, 1.0), [square]), inside((3.0, 1.0), [square])
    (True, False)
    """
    x, y = point
    crossed = 0
    for ring in rings:
        for (ax, ay), (bx, by) in zip(ring, ring[1:] + ring[:1], strict=True):
            if (ay > y) != (by > y) and x < ax + (y - ay) * (bx - ax) / (by - ay):
                crossed += 1
    return crossed % 2 == 1


def meet(one: Sequence[Ring], other: Sequence[Ring]) -> bool:
    """Whether two areas share ground: a corner of one lies in the other, or their edges cross."""
    if any(inside(p, other) for ring in one for p in ring) or any(
        inside(p, one) for ring in other for p in ring
    ):
        return True
    return any(_cross(a, b) for a in _edges(one) for b in _edges(other))


def _edges(rings: Iterable[Ring]) -> list[tuple[Point, Point]]:
    return [pair for ring in rings for pair in zip(ring, ring[1:] + ring[:1], strict=True)]


def _cross(one: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    def side(a: Point, b: Point, c: Point) -> bool:
        return (b[0] - a[0]) * (c[1] - a[1]) > (b[1] - a[1]) * (c[0] - a[0])

    (a, b), (c, d) = one, other
    return side(a, c, d) != side(b, c, d) and side(a, b, c) != side(a, b, d)


def _pair(point: Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"
