"""圈选 Drawing: the district as a browser draws it, and which townships a drawn ring takes in."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_http_methods

from fengsui.formats import geo
from fengsui.web import atlas, here, written

MOST = 500
"""Corners of a ring."""


class Ring(msgspec.Struct, frozen=True):
    """What was drawn: (longitude, latitude) in degrees."""

    ring: list[tuple[float, float]]


@require_http_methods(["GET", "POST"])
def places(request: HttpRequest) -> HttpResponse:
    """GET: outline and points; POST a ring: the townships inside, each known by its outline or only by a point."""
    pack = here.pack()
    names = {area: name for area, name in written.towns() if area != pack.district}
    ground = atlas.ground(list(names), pack)
    if request.method == "GET":
        return JsonResponse(_drawn(ground, names))
    try:
        ring = msgspec.json.decode(request.body, type=Ring).ring
    except msgspec.MsgspecError:
        ring = []
    if not 3 <= len(ring) <= MOST:
        return JsonResponse(
            {"error": f"请点出 3 至 {MOST} 个点。[W226]"},
            status=422,
            json_dumps_params={"ensure_ascii": False},
        )
    return JsonResponse(
        {"areas": ground.within(tuple(ring)), "missing": [names[a] for a in names if a not in ground.points]}
    )


def _drawn(ground: atlas.Ground, names: dict[str, str]) -> dict[str, Any]:
    """Rings as latitude before longitude, as the map wants them."""
    pack = here.pack()
    return {
        "border": [_turned(ring) for shape in ground.border for ring in shape.rings],
        "towns": [
            {
                "id": area,
                "name": names[area],
                "at": (point[1], point[0]),
                "rings": [_turned(r) for r in ground.own[area].rings] if area in ground.own else [],
                "basis": "" if area in ground.own else pack.areas[area].point_basis,
            }
            for area, point in ground.points.items()
        ],
    }


def _turned(ring: geo.Ring) -> list[tuple[float, float]]:
    return [(lat, lon) for lon, lat in ring]
