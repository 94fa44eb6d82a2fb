"""各渠道文稿 Voices: the words of a draft as each channel other than a short message would carry them."""

from __future__ import annotations

from typing import NamedTuple

from fengsui.core import alerts, calendar, cap_out, wording
from fengsui.core.cap_out import Issued
from fengsui.core.levels import LEVELS
from fengsui.core.state import State, World
from fengsui.flow import publish
from fengsui.formats.cap import write
from fengsui.store import signals
from fengsui.web import airing, here, written
from fengsui.web.written import Written


class Voices(NamedTuple):
    """crawl, anchor: "" where nothing is aired; seconds: of the announcement; page: rows of the form that is faxed; cap: the
    message that other systems get, not yet signed; barred: why it could not leave.
    """

    crawl: str
    anchor: str
    seconds: int
    page: list[tuple[str, str]]
    cap: str
    barred: list[str]

    @property
    def long(self) -> bool:
        """Whether the announcement lasts longer than it should."""
        return self.seconds > wording.LONGEST


def spoken(draft: Written, state: State, world: World) -> Voices:
    """The words of a draft; state: the incident as it would be."""
    crawl = anchor = ""
    if state.alert.holds:
        crawl = airing.text(state, "crawl", world, draft.paper.body)
        anchor = airing.text(state, "anchor", world, draft.paper.body)
    return Voices(
        crawl, anchor, wording.seconds(anchor), page(draft, state, world), *cap(draft, state.alert.at)
    )


def page(draft: Written, state: State, world: World) -> list[tuple[str, str]]:
    """The rows of the form of issue as it would be faxed; what is empty is left out."""
    pack, alert = world.pack, state.alert
    hazard, level = pack.hazards[draft.hazard], draft.level
    zones = alert.now.zones or alert.before.zones
    held = sorted(set(zones.values()), key=LEVELS.index, reverse=True)
    names = {
        a: "、".join(pack.areas[z].name for z in zones if zones[z] == a and z in pack.areas) for a in held
    }
    several = len(held) > 1
    areas = "；".join(f"{pack.texts.levels[a]}：{text}" if several else text for a, text in names.items())
    signal = hazard.levels.get(level)
    said = draft.draft
    until = "" if draft.ended else f"{calendar.local(alert.expires, pack.zone):%m月%d日 %H:%M} 失效"
    more = [(f"{pack.texts.levels[a]}区域的预报", text) for a, text in said.others.items()]
    rows = [
        ("发布单位", pack.texts.issuer),
        ("预警信号", f"{hazard.name}{pack.texts.levels.get(level, '')}预警信号"),
        ("动作", pack.texts.verbs[draft.action]),
        ("有效时段", until),
        ("预警区域", areas),
        ("原因" if draft.ended else "成因", said.cause.rstrip("，；,;")),
        ("预报结论", said.forecast),
        *more,
        ("防御指南", "" if draft.ended or signal is None else "".join(signal.guide)),
    ]
    return [(name, text) for name, text in rows if text]


def cap(draft: Written, now: int) -> tuple[str, list[str]]:
    """A draft as other systems would get it, not yet signed, and why it could not leave (nothing = it may)."""
    world = here.world()
    fact = written.fact(draft, "preview", now, stream="preview")
    part = alerts.fold(world.at(fact.stream).alert, fact)
    action = fact.action or ("issue" if fact.version == 1 else "change" if fact.zones else "cancel")
    earlier = publish.referred(signals.thread(here.session(), fact.stream), action)
    said = wording.draft(draft.paper.body)
    issued = Issued(fact.stream, fact.series, part, action, now // calendar.SECOND, said, earlier)
    try:
        rings, _ = publish.outlines(world.pack.id, here.house().vault.directory)
        message = cap_out.message(issued, world.pack, rings)
        shown = write.write(message).decode()
    except (KeyError, ValueError) as error:
        return "", [str(error)]
    try:
        write.gate(message)
    except write.Refused as refused:
        return shown, [f"{one.text}[{one.code}]" for one in refused.findings]
    return shown, []
