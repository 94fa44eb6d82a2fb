"""含义 CAP sense: which hazard at which level a received message is about, whatever its severity says. Pure.

Messages of the CMA say ``Unknown`` or little else in the fields of the standard; colour and hazard stand in the headline, the
description, a parameter or a code. Where two places disagree the more outspoken one is taken and both are named: an official
reads the remark, nobody reads a silent choice. ``None`` where nothing tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import msgspec

from fengsui.core.cap import Alert, Info
from fengsui.core.clauses import Pack
from fengsui.core.levels import LEVELS, Level
from fengsui.core.series import DRILL
from fengsui.core.tables import Hazard

SEVERITY: dict[str, Level] = {"Minor": "blue", "Moderate": "yellow", "Severe": "orange", "Extreme": "red"}
"""The order of the standard's severities and of the colours (CMA: Minor is blue)."""
NAMES: dict[Level, str] = {"blue": "蓝色", "yellow": "黄色", "orange": "橙色", "red": "红色"}
CHINESE: dict[Level, str] = {"blue": "[蓝藍]", "yellow": "[黄黃]", "orange": "橙", "red": "[红紅]"}
ROMAN: dict[Level, str] = {"blue": "Ⅳ|IV", "yellow": "Ⅲ|III", "orange": "Ⅱ|II", "red": "Ⅰ|I"}
WARNING = r"(?=[^.;。]{0,30}\b(?:warning|signal|level)\b)(?!\s+flag)"


def _colours(english: str) -> re.Pattern[str]:
    """Words of levels; english: what must follow a colour in English, so that a red flag is none."""
    return re.compile(
        "|".join(
            rf"(?P<{level}>{CHINESE[level]}(?:色|(?=预警|預警))|\b{level}\b{english}"
            rf"|(?<![IVXⅠⅤⅩ])(?:{ROMAN[level]})\s*级|\blevel\s+(?:{ROMAN[level]})(?![IVX]))"
            for level in LEVELS
        ),
        re.IGNORECASE,
    )


COLOUR, BARE = _colours(WARNING), _colours("")
CHANGED = re.compile(r"(?:升级|降级|变更|调整|更改|upgraded|downgraded)(?:为|至|到|\s+to)", re.IGNORECASE)
COMPACT = re.compile(r"(11[A-Z][0-9]{2})(?:0([1-4]))?")
"""An event code of 12379, alone or with its level: 01 blue, 02 yellow, 03 orange, 04 red (``11B2002``)."""
TELLING = re.compile(r"level|colou?r|severity|级别|等级|颜色", re.IGNORECASE)
"""Names of parameters that hold a level."""


class Danger(msgspec.Struct, frozen=True):
    """灾种与级别 hazard: id of the pack, or the event as it was written; name: as an official says it."""

    hazard: str
    name: str
    level: Level | None


class Remark(msgspec.Struct, frozen=True):
    """How something was read that was not plainly written. grave: nothing may be done on it before a person has looked."""

    code: str
    text: str
    grave: bool = False


class Sense(msgspec.Struct, frozen=True):
    """What a message is about. level: the strongest of its dangers."""

    level: Level | None = None
    dangers: tuple[Danger, ...] = ()
    remarks: tuple[Remark, ...] = ()


def sense(alert: Alert, pack: Pack) -> Sense:
    """Hazards and levels of a message, each hazard once, with remarks on how they were found."""
    found: dict[str, Danger] = {}
    remarks: list[Remark] = []
    for info in sorted(alert.infos, key=lambda one: not one.language.lower().startswith("zh")):
        level, said = _level(info)
        remarks += said
        for danger in _dangers(info, level, pack):
            found.setdefault(danger.hazard, danger)
    remarks += _contradictions(alert)
    levels = [danger.level for danger in found.values() if danger.level]
    strongest = max(levels, key=LEVELS.index, default=None)
    return Sense(strongest, tuple(found.values()), tuple(dict.fromkeys(remarks)))


# ── levels 级别 ───────────────────────────────────────────────────────────────


def _level(info: Info) -> tuple[Level | None, list[Remark]]:
    """The level that a block of information is about, and what to say about how it was found."""
    rated = SEVERITY.get(info.severity)
    for place, text in _places(info):
        if level := colour(text, bare=place == "参数"):
            return level, _doubt(info, level, rated, place)
    if rated:
        return rated, [Remark("X521", f"没有写颜色，按 severity“{info.severity}”推定为{NAMES[rated]}。")]
    return None, [Remark("X522", "没有写颜色，severity 也没有说明，级别待人工确认。", grave=True)]


def _doubt(info: Info, level: Level, rated: Level | None, place: str) -> list[Remark]:
    if rated == level:
        return []
    if rated is None:
        said = info.severity or "缺"
        return [Remark("X523", f"severity 为“{said[:20]}”，级别取自{place}：{NAMES[level]}。")]
    return [
        Remark("X524", f"severity“{info.severity}”与{place}的{NAMES[level]}不符，以{place}为准。", grave=True)
    ]


def _places(info: Info) -> Iterator[tuple[str, str]]:
    """Where a level may be written, the most outspoken first."""
    yield from (("参数", p.value) for p in info.parameters if TELLING.search(p.value_name))
    yield "标题", info.headline
    yield "事件", info.event
    for code in info.event_codes:
        if (found := COMPACT.fullmatch(code.value.strip())) and found[2]:
            yield "事件代码", NAMES[LEVELS[int(found[2]) - 1]]
    yield "正文", info.description


def colour(text: str, *, bare: bool = False) -> Level | None:
    """The level that a text is about: after 升级为 and its like the one that follows, else the first.

    bare: an English colour counts by itself, not only before ``warning``, ``signal`` or ``level``.

    >>> colour("发布大风蓝色预警[Ⅳ级/一般]"), colour("将暴雨橙色预警升级为红色预警"), colour("3; orange; Severe", bare=True)
    ('blue', 'red', 'orange')
    """
    words = BARE if bare else COLOUR
    changed = CHANGED.search(text)
    found = (changed and words.search(text, changed.end())) or words.search(text)
    return next((level for level in LEVELS if found and found[level]), None)


# ── hazards 灾种 ──────────────────────────────────────────────────────────────


def _dangers(info: Info, level: Level | None, pack: Pack) -> list[Danger]:
    """The hazards of a block: those named with a colour of their own in the headline, else the one it is about."""
    pairs = _named_with_colour(info.headline, pack)
    if len({danger.hazard for danger in pairs}) > 1 and not CHANGED.search(info.headline):
        return pairs
    hazard = _hazard(info, pack)
    if hazard:
        return [Danger(hazard.id, hazard.name, level)]
    event = info.event.strip() or info.headline.strip()
    return [Danger(event, event, level)] if event else []


def _hazard(info: Info, pack: Pack) -> Hazard | None:
    """The hazard that a block is about: by its name in Chinese, by its code, by its name in English."""
    for text in (info.event, info.headline):
        if found := _names(pack).search(text):
            return _by_name(pack, found[0])
    for code in info.event_codes:
        if (found := COMPACT.fullmatch(code.value.strip())) and (hazard := _by_code(pack, found[1])):
            return hazard
    if found := _names(pack).search(info.description[:200]):
        return _by_name(pack, found[0])
    event = info.event.casefold().strip()
    return next((h for h in pack.hazards.values() if event and event == h.name_en.casefold()), None)


def _named_with_colour(text: str, pack: Pack) -> list[Danger]:
    """Hazards with colours as a headline pairs them: ``暴雨橙色、大风蓝色预警``."""
    pairs = re.finditer(rf"({_names(pack).pattern})([蓝黄橙红]色)", text)
    found = [(_by_name(pack, pair[1]), colour(pair[2])) for pair in pairs]
    return [Danger(hazard.id, hazard.name, level) for hazard, level in found if hazard]


@cache
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)))


def _names(pack: Pack) -> re.Pattern[str]:
    """Every name of a hazard, the longest first: 雷暴大风 is no 大风."""
    return _pattern(tuple(name for h in pack.hazards.values() for name in (h.name, *h.aliases)))


def _by_name(pack: Pack, name: str) -> Hazard | None:
    return next((h for h in pack.hazards.values() if name == h.name or name in h.aliases), None)


def _by_code(pack: Pack, code: str) -> Hazard | None:
    known = {"scheme": "cma", "value": code}
    return next(
        (h for h in pack.hazards.values() for c in h.codes if {k: c[k] for k in known} == known), None
    )


# ── contradictions 矛盾 ───────────────────────────────────────────────────────


def _contradictions(alert: Alert) -> Iterator[Remark]:
    """A message whose status and words disagree on whether it is a drill: nothing may follow from it by itself."""
    said = any(DRILL.search(f"{info.headline} {info.description} {alert.note}") for info in alert.infos)
    if alert.status == "Actual" and said:
        yield Remark(
            "X525", "status 为 Actual（实际），文字却写明是演练或测试：自相矛盾，未采用。", grave=True
        )
