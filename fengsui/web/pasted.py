"""粘贴核对 Pasted: a text from the province's platform, read — what it says, and what of it our own form can take over."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode

from fengsui.core import slips
from fengsui.core.levels import LEVELS
from fengsui.formats.texts import reading
from fengsui.formats.texts.reading import Reading, Warned
from fengsui.web import here, written

LONGEST = 5000
"""Characters of a pasted text."""


class Line(NamedTuple):
    """One signal that the text names: in words, its places, how it can be taken over ("" = not), and what is wrong."""

    title: str
    areas: str
    url: str
    wrong: str


class Read(NamedTuple):
    """What a text says, field by field as (name, words), its signals, and what contradicts itself."""

    fields: list[tuple[str, str]]
    lines: list[Line]
    wrong: list[str]


def check(text: str) -> Read:
    """A pasted text, read and compared with what is in force."""
    found = reading.read(text, here.pack().hazards)
    valid = found.valid
    until = [part for part in (valid.begin, valid.end) if part] if valid else []
    fields = [
        ("发布单位", found.issuer or ""),
        ("动作", found.action or ""),
        ("时间", (found.time or "").replace("T", " ")),
        ("区域", "、".join(found.areas)),
        ("有效", f"{valid.hours} 小时" if valid and valid.hours else " 至 ".join(until)),
    ]
    lines = [_line(one, found) for one in found.hazards]
    return Read([(name, said or "未写") for name, said in fields], lines, _wrong(text, found))


def _line(one: Warned, found: Reading) -> Line:
    pack = here.pack()
    hazard, level = pack.hazards.get(one.hazard), one.level or ""
    title = f"{hazard.name if hazard else one.hazard}{pack.texts.levels.get(level, '（未写颜色）')}"
    places, strange = _places(one.areas or found.areas)
    url, wrong = "", []
    if hazard is None or level not in hazard.levels:
        wrong.append("本区没有这一信号")
    else:
        query = [
            ("new", "1"),
            ("hazard", hazard.id),
            ("level", level),
            *(("zone", place) for place in places),
        ]
        url = f"?{urlencode(query)}" if places else ""
        wrong += _against(hazard.id, level, places)
    if strange:
        wrong.append(f"不是本区地名：{'、'.join(strange)}")
    return Line(title, "、".join(one.areas or found.areas), url, "；".join(wrong))


def _places(names: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Ids of places of ours, and names that are none."""
    pack = here.pack()
    ours = {name: area for area, name in written.towns()} | {pack.areas[pack.district].name: pack.district}
    known = [ours[name] for name in names if name in ours]
    return list(dict.fromkeys(known)), [name for name in names if name not in ours]


def _against(hazard: str, level: str, places: list[str]) -> list[str]:
    """What differs from our warning of this hazard in force."""
    held = [s.alert.now for s in here.live().streams.values() if s.alert.holds and s.alert.hazard == hazard]
    if not held:
        return []
    names, areas = here.pack().texts.levels, here.pack().areas
    wrong = []
    for place in places:
        now = max((a for z in held if (a := z.level(place))), key=LEVELS.index, default="")
        if now != level:
            wrong.append(f"{areas[place].name}现行{names.get(now, '无预警')}，文本为{names[level]}")
    return wrong


def _wrong(text: str, found: Reading) -> list[str]:
    series = here.world().at("district").series
    if found.drill and series == "actual":
        return ["文本自称演练，不能作为实战预警发布。[W222]"]
    own = slips.Meant("", frozenset(), series)
    return slips.found(text, own, here.pack()) if series == "actual" else []
