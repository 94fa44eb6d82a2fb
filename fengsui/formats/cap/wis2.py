"""通告 WIS2: the notification of a message as WMO's information system passes it about — where its bytes are, and their digest.

WIS2 Notification Message, version 1.0 (WMO-No. 1060, conformance class core): GeoJSON with ``null`` for a place that the
message only names.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import uuid

import msgspec

from fengsui.core import cap_forms
from fengsui.core.cap import Alert
from fengsui.formats.cap.parse import parse
from fengsui.formats.cap.read import read

FORM = "http://wis.wmo.int/spec/wnm/1/conf/core"
NAMES = uuid.UUID("6f0f7a3e-6a0b-5d9e-9d53-6c8e0c1b7a41")
"""Under which a message's identifier makes the notification's: told twice, it is the same notification."""


def notification(content: bytes, *, address: str, place: str, at: int) -> bytes:
    """The notification of a message of ours.

    content: its signed bytes; address: the public one of this site; place: begins data_id, in front of the identifier;
    at: UTC µs.
    """
    alert = read(parse(content))[0]
    found = {
        "id": str(uuid.uuid5(NAMES, f"{alert.sender},{alert.identifier}")),
        "conformsTo": [FORM],
        "type": "Feature",
        "geometry": _geometry(alert),
        "properties": {
            "data_id": f"{place.strip('/')}/{alert.identifier}",
            "datetime": _zulu(alert.sent.at if alert.sent else at),
            "pubtime": _zulu(at),
            "integrity": {
                "method": "sha512",
                "value": base64.b64encode(hashlib.sha512(content).digest()).decode(),
            },
        },
        "links": [
            {
                "rel": "canonical",
                "type": "application/cap+xml",
                "href": f"{address.rstrip('/')}/cap/{alert.identifier}.xml",
                "length": len(content),
            }
        ],
    }
    return msgspec.json.encode(found)


def _geometry(alert: Alert) -> dict[str, object] | None:
    """The outlines of the first block as GeoJSON, longitude first."""
    texts = [ring for area in alert.infos[0].areas for ring in area.polygons] if alert.infos else []
    rings = [points for text in texts if (points := cap_forms.points(text))]
    if not rings:
        return None
    return {"type": "MultiPolygon", "coordinates": [[[(lon, lat) for lat, lon in ring]] for ring in rings]}


def _zulu(at: int) -> str:
    moment = cap_forms.EPOCH + dt.timedelta(seconds=at // 1_000_000)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
