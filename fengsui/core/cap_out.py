"""警报发出 CAP out: a registered version of a warning → the message that other systems get, and what may not leave. Pure.

Chinese first, then English of fixed pattern: what a forecaster writes freely is not translated. One block of information
for each level of a split. The same version gives the same message, whenever it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from fengsui.core import calendar, cap_forms, wording
from fengsui.core.cap import Alert, Area, Info, Moment, Named
from fengsui.core.cap_rules import Finding
from fengsui.core.cap_sense import SEVERITY, colour
from fengsui.core.clauses import Pack
from fengsui.core.levels import LEVELS, Action, Level
from fengsui.core.series import DRILL, Series, mark, marked
from fengsui.core.state import AlertPart
from fengsui.core.tables import Hazard
from fengsui.core.wording import Draft

LISTS = {"nbs": "CPEAS Geographic Code", "mca": "MCA"}
"""List of codes → the name that says so."""
STATUS: dict[Series, str] = {"actual": "Actual", "exercise": "Exercise", "test": "Test"}
ENGLISH_MARKS: dict[Series, str] = {"actual": "", "exercise": "[EXERCISE]", "test": "[TEST]"}
"""What stands at both ends of every English text that is not in earnest, as ``series.mark`` in Chinese ones."""
NOTES: dict[Series, str] = {
    "actual": "",
    "exercise": "应急演练，不是真实预警，请勿据此采取真实行动。This is an exercise.",
    "test": "系统模拟，不是真实预警，请勿据此采取真实行动。This is a test message.",
}
ENGLISH = "Follow the instructions of local authorities. Details are given in the Chinese text."
AFTERWARDS = calendar.HOUR
"""µs for which the news that a warning is over is valid at least."""
CATEGORIES = frozenset(
    ("Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other")
)  # fmt: skip

Rings = Mapping[str, tuple[str, ...]]
"""Area → its outlines as CAP writes them."""


class Issued(msgspec.Struct, frozen=True):
    """A version as it was registered. part: the warning after it; second: its own, UTC seconds; earlier: those of the
    versions that it refers to, oldest first.
    """

    stream: str
    series: Series
    part: AlertPart
    action: Action
    second: int
    draft: Draft = Draft()
    earlier: tuple[int, ...] = ()


def message(issued: Issued, pack: Pack, rings: Rings) -> Alert:
    """The message of a version. Raises KeyError for a hazard that is not in the pack."""
    told = issued.part.now if issued.part.holds else issued.part.before
    levels = sorted(set(told.zones.values()), key=LEVELS.index, reverse=True)
    zones = {level: [z for z, at in sorted(told.zones.items()) if at == level] for level in levels}
    infos = [
        make(issued, level, zones[level], pack, rings)
        for make in (_chinese, _english)
        for level in levels
    ]  # fmt: skip
    return Alert(
        identifier=identifier(issued.second, pack),
        sender=pack.cap.sender,
        sent=_moment(issued.second * calendar.SECOND, pack),
        status=STATUS[issued.series],
        msg_type=_kind(issued),
        scope="Public",
        note=NOTES[issued.series],
        references=" ".join(_reference(second, pack) for second in issued.earlier),
        incidents=issued.stream,
        infos=tuple(infos),
    )


def identifier(second: int, pack: Pack) -> str:
    """The name of a message, from the second that was registered for it: no second is given twice."""
    return f"{pack.cap.station}_{calendar.local(second * calendar.SECOND, pack.zone):%Y%m%d%H%M%S}"


def outlines(rings: Iterator[tuple[tuple[float, float], ...]]) -> tuple[str, ...]:
    """Outlines (longitude, latitude) as CAP writes them: latitude first, closed. What is no surface is left out."""
    closed = [ring if ring[0] == ring[-1] else (*ring, ring[0]) for ring in rings if ring]
    return tuple(" ".join(f"{lat:.6g},{lon:.7g}" for lon, lat in ring) for ring in closed if len(ring) > 3)


def _moment(at: int, pack: Pack) -> Moment:
    offset = calendar.local(at, pack.zone).utcoffset()
    return Moment(at - at % calendar.SECOND, int(offset.total_seconds()) // 60 if offset else 0)


def _kind(issued: Issued) -> str:
    if not issued.part.holds:
        return "Cancel"
    return "Update" if issued.earlier else "Alert"


def _reference(second: int, pack: Pack) -> str:
    sent = cap_forms.written(_moment(second * calendar.SECOND, pack))
    return f"{pack.cap.sender},{identifier(second, pack)},{sent}"


# ── blocks 内容块 ─────────────────────────────────────────────────────────────


def _info(issued: Issued, level: Level, zones: list[str], pack: Pack, rings: Rings) -> dict[str, Any]:
    """What both languages say in the same way."""
    part, hazard, rated = issued.part, pack.hazards[issued.part.hazard], pack.cap.levels[level]
    sent = issued.second * calendar.SECOND
    expires = part.expires if part.holds else max(part.expires, sent + AFTERWARDS)
    begins = _moment(sent, pack)
    return {
        "categories": (hazard.category if hazard.category in CATEGORIES else "Other",),
        "response_types": rated.response if part.holds else ("AllClear",),
        "urgency": _urgency(hazard, level, pack) if part.holds else "Past",
        "severity": rated.severity,
        "certainty": pack.cap.certainty if part.holds else "Observed",
        "event_codes": (
            *(Named("CMA-11B", code["value"]) for code in hazard.codes if code["scheme"] == "cma"),
            Named("FENGSUI-HAZARD", hazard.id),
        ),
        "effective": begins,
        "onset": begins,
        "expires": _moment(expires, pack),
        "parameters": (
            Named("level_color", level),
            Named("roman_level", rated.roman),
            Named("signal_action", issued.action),
            Named("previous_level", _before(part, zones)),
        ),
        "areas": tuple(_area(zone, pack, rings) for zone in zones),
    }


def _chinese(issued: Issued, level: Level, zones: list[str], pack: Pack, rings: Rings) -> Info:
    texts, hazard, rated = pack.texts, pack.hazards[issued.part.hazard], pack.cap.levels[level]
    words = wording.bulletin(issued.part, pack, issued.action, (issued.draft, level, tuple(zones)))
    headline = f"{texts.issuer}{texts.verbs[issued.action]}{hazard.name}{texts.levels[level]}预警[{rated.roman}/{rated.word}]"
    signal = hazard.levels.get(level)
    return Info(
        language="zh-CN",
        event=hazard.name,
        sender_name=texts.issuer,
        headline=marked(headline, issued.series),
        description=marked(words, issued.series),
        instruction="\n".join(signal.guide) if signal and issued.part.holds else "",
        **_info(issued, level, zones, pack, rings),
    )


def _english(issued: Issued, level: Level, zones: list[str], pack: Pack, rings: Rings) -> Info:
    cap, hazard = pack.cap, pack.hazards[issued.part.hazard]
    mark = ENGLISH_MARKS[issued.series]
    common = _info(issued, level, zones, pack, rings)
    name = hazard.name_en or hazard.id
    said = f"{name} {level} warning (level {LEVELS[::-1].index(level) + 1} of {len(LEVELS)})"
    until = "" if not issued.part.holds else f" In force until {cap_forms.written(common['expires'])}."
    sent = cap_forms.written(common["effective"])
    return Info(
        language="en-US",
        event=name,
        sender_name=cap.issuer_en,
        headline=f"{mark} {name} {level} warning {cap.verbs_en[issued.action]} {mark}".strip(),
        description=f"{mark} {said} {cap.verbs_en[issued.action]} at {sent}.{until} {mark}".strip(),
        instruction=ENGLISH if issued.part.holds else "",
        **common,
    )


def _urgency(hazard: Hazard, level: Level, pack: Pack) -> str:
    """How soon it is to be expected, from how far the criterion of the level looks ahead; unknown = Expected."""
    signal = hazard.levels.get(level)
    ahead = min(_ahead(signal.criterion if signal else None), default=pack.cap.expected_h)
    if ahead <= pack.cap.immediate_h:
        return "Immediate"
    return "Expected" if ahead <= pack.cap.expected_h else "Future"


def _ahead(tree: object) -> Iterator[float]:
    match tree:
        case {"lead_h": int(hours) | float(hours)}:
            yield hours
        case dict():
            for branch in tree.values():
                yield from _ahead(branch)
        case list() | tuple():
            for branch in tree:
                yield from _ahead(branch)


def _before(part: AlertPart, zones: list[str]) -> str:
    """The strongest level that held in zones before this version, "none" where nothing did."""
    held = [level for zone in zones if (level := part.before.level(zone))]
    return max(held, key=LEVELS.index, default="none")


def _area(zone: str, pack: Pack, rings: Rings) -> Area:
    area = pack.areas[zone]
    codes = tuple(
        Named(LISTS[c.scheme], c.value) for c in sorted(area.codes, key=lambda c: c.scheme != "nbs")
    )
    return Area(area_desc=area.name, polygons=rings.get(zone, ()), geocodes=codes)


# ── own rules 自定规则 ────────────────────────────────────────────────────────


def objections(alert: Alert) -> Iterator[Finding]:
    """Why a message of ours may not leave, beyond what the specification forbids."""
    if alert.sent is None or not alert.infos:
        yield Finding("X601", "没有发送时间或内容块。")
        return
    if alert.msg_type != "Alert" and not alert.references:
        yield Finding("X602", f"msgType 为 {alert.msg_type}，却没有引用前一版。")
    for n, info in enumerate(alert.infos):
        yield from _unfit(alert, info, ("info", n))
    yield from _pretending(alert)


def _unfit(alert: Alert, info: Info, where: tuple[str | int, ...]) -> Iterator[Finding]:
    if info.expires is None or (alert.sent and info.expires.at <= alert.sent.at):
        yield Finding("X603", "失效时间缺失或不晚于发送时间。", where=where)
    if not info.areas or any(not a.geocodes or not a.area_desc.strip() for a in info.areas):
        yield Finding("X604", "区域缺失，或没有名称和代码。", where=where)
    if not info.headline.strip() or not info.description.strip():
        yield Finding("X605", "标题或正文为空。", where=where)
    said = next((p.value for p in info.parameters if p.value_name == "level_color"), "")
    titled = colour(info.headline)
    if SEVERITY.get(info.severity) != said or titled != said:
        yield Finding("X606", f"severity {info.severity}、参数 {said} 与标题的级别不一致。", where=where)


def _pretending(alert: Alert) -> Iterator[Finding]:
    """A drill must say so wherever it is read, and nothing else may."""
    series = next((s for s, status in STATUS.items() if status == alert.status), None)
    if series is None:
        yield Finding("X607", f"status 为“{alert.status}”，本系统只发 Actual、Exercise、Test。")
        return
    for n, info in enumerate(alert.infos):
        words = f"{info.headline} {info.description} {alert.note}"
        marks = (mark(series), ENGLISH_MARKS[series])
        if series == "actual":
            drill = DRILL.search(words) or any(
                m in words for s, m in ENGLISH_MARKS.items() for m in (m, mark(s)) if m
            )
            if drill:
                yield Finding("X608", "status 为 Actual（实际），文字却写明是演练或测试。", where=("info", n))
        elif not all(
            any(text.startswith(m) and text.endswith(m) for m in marks)
            for text in (info.headline, info.description)
        ):
            yield Finding("X609", f"status 为 {alert.status}，文字首尾却没有标明。", where=("info", n))
    if series != "actual" and not alert.note:
        yield Finding("X609", f"status 为 {alert.status}，note 却没有说明。", where=("note",))
