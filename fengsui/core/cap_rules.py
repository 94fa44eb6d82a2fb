"""警报规则 CAP rules: what the specification demands in prose of a message whose shape is right. Pure.

The same rules judge what others sent and what we are about to send. Order of times is no error of the format (CAP 1.2
leaves it to the recipient); it is said as a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from fengsui.core import cap_forms
from fengsui.core.cap import Alert, Area, Info, Moment
from fengsui.core.cap_forms import Point

Layer = Literal["xml", "xsd", "semantic", "signature"]
LAYERS: tuple[Layer, ...] = ("xml", "xsd", "semantic", "signature")
"""What is asked of a message, in this order; a layer is judged on what the ones before it let through."""

MOST = 50
"""Findings of one layer that are said of one message."""

Path = tuple[str | int, ...]
"""Where a finding stands: names of elements, each followed by its place among its namesakes where it may repeat."""


class Finding(msgspec.Struct, frozen=True):
    """发现 One thing that is wrong with a message, or (grave False) worth knowing. line counts from 1, 0 = unknown."""

    code: str
    text: str
    layer: Layer = "semantic"
    line: int = 0
    grave: bool = True
    where: Path = ()


FORBIDDEN = re.compile(r"[\s,<&]")
ANSWERS = ("Update", "Cancel", "Ack", "Error")
"""Kinds of message that are about an earlier one."""


def judge(alert: Alert) -> Iterator[Finding]:
    """Everything in a message that the prose of the specification forbids, and what a reader should be warned of."""
    for name, text in (("identifier", alert.identifier), ("sender", alert.sender)):
        if not text or FORBIDDEN.search(text):
            yield _unnamed(name, text)
    if alert.scope != "Public":
        yield from _addressed(alert)
    if alert.references or alert.msg_type in ANSWERS:
        yield from _referring(alert)
    for n, info in enumerate(alert.infos):
        if info.expires and alert.sent:
            yield from _over(alert.sent, info, ("info", n, "expires"))
        for m, area in enumerate(info.areas):
            if area.polygons or area.circles:
                yield from _shapes(area, ("info", n, "area", m))
            if area.ceiling is not None and area.altitude is None:
                where = ("info", n, "area", m, "ceiling")
                yield Finding("X312", "有 ceiling 而没有 altitude，两者必须同时出现。", where=where)


def _shapes(area: Area, where: Path) -> Iterator[Finding]:
    for n, text in enumerate(area.polygons):
        for found in _polygon(text):
            yield msgspec.structs.replace(found, where=(*where, "polygon", n))
    for n, text in enumerate(area.circles):
        for found in _circle(text):
            yield msgspec.structs.replace(found, where=(*where, "circle", n))


def _unnamed(name: str, text: str) -> Finding:
    """What makes a message unique must be there, and be one word."""
    if not text:
        return Finding("X301", f"{name} 为空，报文无法识别。", where=(name,))
    return Finding("X302", f"{name} 写了“{text[:80]}”，不得含空白、逗号、< 和 &。", where=(name,))


def _addressed(alert: Alert) -> Iterator[Finding]:
    """A message that is not for everybody says for whom it is."""
    if alert.scope == "Restricted" and not alert.restriction.strip():
        yield Finding("X303", "scope 为 Restricted，必须用 restriction 写明限制。", where=("scope",))
    if alert.scope == "Private" and not alert.addresses.strip():
        yield Finding("X304", "scope 为 Private，必须用 addresses 写明收件人。", where=("scope",))


def _referring(alert: Alert) -> Iterator[Finding]:
    if alert.references.strip():
        if cap_forms.references(alert.references) is None:
            said = alert.references.strip()[:80]
            yield Finding(
                "X306",
                f"references 写了“{said}”，每项应为“sender,identifier,sent”，以空白相隔。",
                where=("references",),
            )
    elif alert.msg_type in ANSWERS:
        yield Finding(
            "X305", f"msgType 为 {alert.msg_type}，必须用 references 指明所针对的报文。", where=("msgType",)
        )


def _over(sent: Moment, info: Info, where: Path) -> Iterator[Finding]:
    """Notes only: no order of times is wrong in itself, but what is over when it arrives should be known."""
    begins, ends = info.onset or info.effective or sent, info.expires
    if ends and ends.at <= sent.at:
        yield Finding("X321", "失效时间不晚于发送时间，收到时已失效。", grave=False, where=where)
    elif ends and ends.at < begins.at:
        yield Finding("X322", "失效时间早于开始时间。", grave=False, where=where)


def _polygon(text: str) -> tuple[Finding, ...]:
    """At least four points, the last of them the first again, all of them on the earth."""
    ring, here = cap_forms.ring(text)
    if ring is None:
        return (Finding("X307", f"多边形写了“{text.strip()[:60]}”，应为“纬度,经度”以空白相隔。"),)
    few, loose = len(ring) < 4, bool(ring) and ring[0] != ring[-1]
    if here and not few and not loose:
        return ()
    wrong = []
    if few:
        wrong.append(Finding("X308", f"多边形只有 {len(ring)} 个点，至少 4 个。"))
    if loose:
        wrong.append(Finding("X309", "多边形没有闭合：最后一点必须与第一点相同。"))
    if not here:
        wrong.append(_far(next(point for point in ring if not cap_forms.on_earth(point))))
    return tuple(wrong)


def _far(point: Point) -> Finding:
    return Finding("X310", f"坐标 {point[0]:g},{point[1]:g} 超出范围：先纬度（±90），后经度（±180）。")


def _circle(text: str) -> tuple[Finding, ...]:
    found = cap_forms.circle(text)
    if found is None or found.radius < 0:
        return (
            Finding("X311", f"圆写了“{text.strip()[:60]}”，应为“纬度,经度 半径”，半径以公里计，不为负。"),
        )
    if not cap_forms.on_earth(found.centre):
        return (_far(found.centre),)
    return ()
