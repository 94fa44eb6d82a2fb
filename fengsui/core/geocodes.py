"""区域编码 Geocodes: which townships of the district a message's codes mean. A code means nothing without its list.

The statistical (nbs) and the civil-affairs (mca) lists give the same digits to different townships of one district. The name
of a geocode says which list it is; a name that says nothing settles nothing, and then every reading is shown, none is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from fengsui.core.cap import Named
from fengsui.core.clauses import Pack
from fengsui.core.tables import Area, stands

SCHEMES = ("nbs", "mca")
LISTS = {"nbs": "统计", "mca": "民政"}
DIGITS = re.compile(r"[0-9]{6}(?:[0-9]{3}){0,2}")
"""Codes of the PRC: 6 digits to a county, 9 to a township, 12 to a village; shorter units end in zeros."""


class Place(msgspec.Struct, frozen=True):
    """A township by its name, with the list and the digits that named it. area: its id in the pack."""

    name: str
    scheme: str
    code: str
    area: str


class Located(msgspec.Struct, frozen=True):
    """所指 What the codes of a message come to.

    townships: each once, in the order of the pack. ambiguous: the readings of codes that no list settles; nothing is warned
    by them. remarks: what was widened, narrowed, followed to a successor or not found, in Chinese.
    """

    townships: tuple[Place, ...] = ()
    ambiguous: tuple[Place, ...] = ()
    remarks: tuple[str, ...] = ()


def locate(codes: Iterable[Named], pack: Pack, day: str) -> Located:
    """The townships that codes mean on a day (ISO date, of the message)."""
    found: dict[str, Place] = {}
    ambiguous: list[Place] = []
    remarks: list[str] = []
    for code in dict.fromkeys(codes):
        settled, open_, said = _read(code, pack, day)
        for place in settled:
            found.setdefault(place.area, place)
        ambiguous += open_
        remarks += said
    ordered = tuple(found[area] for area in pack.areas if area in found)
    return Located(ordered, tuple(dict.fromkeys(ambiguous)), tuple(dict.fromkeys(remarks)))


def _read(code: Named, pack: Pack, day: str) -> tuple[list[Place], list[Place], list[str]]:
    """Townships, readings that stay open, and remarks, of one code."""
    value = code.value.strip()
    if not DIGITS.fullmatch(value):
        return [], [], []
    scheme = _scheme(code.value_name, pack)
    if scheme:
        places, said = _places(scheme, value, pack, day)
        return places, [], said
    readings = {scheme: _places(scheme, value, pack, day) for scheme in SCHEMES}
    areas = [[place.area for place in places] for places, _ in readings.values()]
    if not any(areas):
        return [], [], []
    if areas[0] == areas[1]:
        places, said = readings[SCHEMES[0]]
        return places, [], [f"编码 {value} 没有说明是哪一份代码表，两份表所指相同。", *said]
    open_ = [place for places, _ in readings.values() for place in places]
    return [], open_, [_unsettled(code.value_name, value, readings)]


def _unsettled(name: str, value: str, readings: dict[str, tuple[list[Place], list[str]]]) -> str:
    said = "，".join(
        f"{LISTS[scheme]}表为{'、'.join(p.name for p in places) or '无'}"
        for scheme, (places, _) in readings.items()
    )
    return f"编码 {value} 的名称“{name[:40]}”没有说明是哪一份代码表：{said}。未采用，请人工确认。"


def _scheme(name: str, pack: Pack) -> str:
    """The list that a geocode's name means, "" if the pack does not know."""
    word = " ".join(name.split()).casefold()
    return next((scheme for known, scheme in pack.geocodes.names.items() if known.casefold() == word), "")


def _places(scheme: str, value: str, pack: Pack, day: str) -> tuple[list[Place], list[str]]:
    """The townships of a code of a known list, and what there is to say about it."""
    code = value.ljust(12, "0")
    areas = {
        c.value.ljust(12, "0"): area for area in pack.areas.values() for c in area.codes if c.scheme == scheme
    }
    here = next(code for code, area in areas.items() if area.id == pack.district)
    if (area := areas.get(code)) and area.kind == "township":
        return _one(area, scheme, value, pack, day)
    if code == here or _above(code, here):
        return _all(scheme, value, pack, day, wider=code != here)
    if not code.startswith(here[:6]):
        return [], []  # another county's
    if around := areas.get(f"{code[:9]}000"):
        places, said = _one(around, scheme, value, pack, day)
        village = area.name if area else "村级"
        return places, [*said, f"编码 {value}（{LISTS[scheme]}）是{around.name}的{village}，按全乡镇计。"]
    return [], [f"编码 {value} 不在本区{LISTS[scheme]}代码表内，未采用，请人工确认。"]


def _above(code: str, here: str) -> bool:
    """Whether a code is that of a city or province in which the district lies."""
    return code in (f"{here[:4]}00000000", f"{here[:2]}0000000000")


def _one(area: Area, scheme: str, value: str, pack: Pack, day: str) -> tuple[list[Place], list[str]]:
    """A township, or the one that it was merged into."""
    if stands(area, day):
        return [Place(area.name, scheme, value, area.id)], []
    if heir := pack.areas.get(area.successor):
        places, said = _one(heir, scheme, value, pack, day)
        return places, [f"{area.name}已撤销，并入{heir.name}。", *said]
    return [], [f"{area.name}在 {day} 不存在，没有后继，请人工确认。"]


def _all(scheme: str, value: str, pack: Pack, day: str, *, wider: bool) -> tuple[list[Place], list[str]]:
    """Every township of the district, each with its own code of that list."""
    district = pack.areas[pack.district].name
    places = [
        Place(area.name, scheme, next((c.value for c in area.codes if c.scheme == scheme), ""), area.id)
        for area in _townships(pack, day)
    ]
    said = f"本区（{district}）所在的上级区域" if wider else district
    return places, [f"编码 {value}（{LISTS[scheme]}）是{said}，按全部 {len(places)} 个乡镇计。"]


def _townships(pack: Pack, day: str) -> Iterator[Area]:
    return (area for area in pack.areas.values() if area.kind == "township" and stands(area, day))
