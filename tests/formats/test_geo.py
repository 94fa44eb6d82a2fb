"""Outlines: a GeoJSON file becomes rings, and rings a drawing with north above; what is none is refused in words."""

from __future__ import annotations

import pytest

from fengsui.formats import geo, packs

SQUARE = b'{"features": [{"properties": {"code": "1", "name": "A"}, "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}}]}'


def test_the_shipped_district_has_one_outline():
    (shape,) = geo.read(packs.SHIPPED / "yunzhou" / "boundary.geojson")

    assert (shape.code, shape.name, len(shape.rings)) == ("140215", "云州区", 1)


def test_north_is_above_and_east_to_the_right():
    view = geo.fit([(113.3, 39.7), (113.9, 40.3)], width=300, height=400, margin=20)
    west, east = view.at((113.3, 39.7)), view.at((113.9, 40.3))

    assert west[0] < east[0]
    assert west[1] > east[1]
    assert all(20 <= c <= 380 for c in (*west, *east))


def test_a_ring_is_drawn_closed():
    (shape,) = geo.shapes(SQUARE)
    view = geo.fit(shape.rings[0], width=100, height=100, margin=10)

    assert view.path(shape.rings).startswith("M")
    assert view.path(shape.rings).endswith("Z")


def test_a_feature_without_a_polygon_is_left_out():
    assert geo.shapes(b'{"features": [{"geometry": null}, {"geometry": {"type": "Point"}}]}') == ()


def test_a_feature_need_not_have_properties():
    (shape,) = geo.shapes(
        b'{"features": [{"properties": null, "geometry": {"type": "Polygon", "coordinates": [[[0, 1]]]}}]}'
    )

    assert (shape.code, shape.rings) == ("", (((0.0, 1.0),),))


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", *(SQUARE.replace(b"[0, 0]", point) for point in (b'"x"', b"[]", b"[0]", b"[500000.0, 4400000.0]"))],
)  # fmt: skip
def test_what_is_no_geojson_is_refused_with_a_way_out(body):
    with pytest.raises(geo.GeoFault, match="P050"):
        geo.shapes(body)
