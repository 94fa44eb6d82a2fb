"""通用警报 CAP: a warning as it goes between systems — the Common Alerting Protocol 1.0 to 1.2 as frozen structs.

One struct for each element that holds others; its fields stand in the order of the schema and are encoded by the names
of the specification, so that reading and writing are the same table read in two directions (``formats.cap``).
What the schema calls a time or a number is one here; what it calls a string stays as written, even where the prose gives
it a form of its own (polygon, circle, references): ``core.cap_forms`` reads those. An absent text is "", an absent time
or number None: a message that others made may lack anything.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Version = Literal["1.0", "1.1", "1.2"]


class Moment(msgspec.Struct, frozen=True, order=True, gc=False):
    """时刻 A time as it was written: UTC in µs, and the offset of the zone it was written in, in minutes east."""

    at: int
    offset: int = 0


class Named(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """名值 A value and the list that gives it meaning: ``eventCode``, ``parameter``, ``geocode``. Empty name = none given."""

    value_name: str = ""
    value: str = ""


class Resource(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """附件 A file that belongs to the message. size: bytes. digest: its SHA-1, in hex.

    embedded: the file itself is in the message (``derefUri``). It stays there: nobody hands megabytes about to read a warning.
    """

    resource_desc: str = ""
    mime_type: str = ""
    size: int | None = None
    uri: str = ""
    embedded: bool = msgspec.field(default=False, name="derefUri")
    digest: str = ""


class Area(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """区域 Where: in words, as closed rings, circles and codes. altitude, ceiling: feet above mean sea level."""

    area_desc: str = ""
    polygons: tuple[str, ...] = msgspec.field(default=(), name="polygon")
    circles: tuple[str, ...] = msgspec.field(default=(), name="circle")
    geocodes: tuple[Named, ...] = msgspec.field(default=(), name="geocode")
    altitude: float | None = None
    ceiling: float | None = None


class Info(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """内容 What is said, in one language: what happens, how bad, until when, what to do, where."""

    language: str = ""
    categories: tuple[str, ...] = msgspec.field(default=(), name="category")
    event: str = ""
    response_types: tuple[str, ...] = msgspec.field(default=(), name="responseType")
    urgency: str = ""
    severity: str = ""
    certainty: str = ""
    audience: str = ""
    event_codes: tuple[Named, ...] = msgspec.field(default=(), name="eventCode")
    effective: Moment | None = None
    onset: Moment | None = None
    expires: Moment | None = None
    sender_name: str = ""
    headline: str = ""
    description: str = ""
    instruction: str = ""
    web: str = ""
    contact: str = ""
    parameters: tuple[Named, ...] = msgspec.field(default=(), name="parameter")
    resources: tuple[Resource, ...] = msgspec.field(default=(), name="resource")
    areas: tuple[Area, ...] = msgspec.field(default=(), name="area")


class Alert(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """警报 One message. ``version`` is that of its namespace, no element of its own."""

    identifier: str = ""
    sender: str = ""
    sent: Moment | None = None
    status: str = ""
    msg_type: str = ""
    source: str = ""
    scope: str = ""
    restriction: str = ""
    addresses: str = ""
    codes: tuple[str, ...] = msgspec.field(default=(), name="code")
    note: str = ""
    references: str = ""
    incidents: str = ""
    infos: tuple[Info, ...] = msgspec.field(default=(), name="info")
    version: Version = "1.2"
