"""页框 Frame: what every page's frame shows — who, mode, time, menu."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest
from django.urls import reverse

from fengsui import __version__
from fengsui.core import calendar, drill
from fengsui.core.series import NAMES, Series
from fengsui.core.state import DISTRICT
from fengsui.flow.waiting import storable
from fengsui.store import streams
from fengsui.store.accounts import Account, Draft
from fengsui.web import here, paths, rights, written


class Entry(NamedTuple):
    """A line of the menu."""

    page: str
    title: str
    url: str
    current: bool


MENU = (
    ("desk", "值班台"),
    ("issue", "预警签发"),
    ("media", "即时插播"),
    ("supervision", "督办"),
    ("signals", "预警档案"),
    ("ledger", "台账"),
    ("drills", "演练"),
    ("mechanism", "机制"),
    ("people", "责任人"),
    ("gateways", "网关"),
    ("accounts", "账号"),
)
"""Pages of the menu, in order; a page stands there for whoever may open it."""


def frame(request: HttpRequest) -> dict[str, Any]:
    """The frame's words; without a running house only what needs none."""
    account: Account | None = getattr(request, "account", None)
    role = account.role if account else ""
    entries = [
        Entry(page, title, reverse(page), request.path == reverse(page))
        for page, title in MENU
        if rights.may(role, page)
    ]
    try:
        now, series = here.now(), _series(request)
        zone, district = here.pack().zone, here.pack().areas[here.pack().district].name
    except here.Absent:
        return {"account": account, "menu": [], "version": __version__}
    return {
        "account": account,
        "role_name": rights.ROLES.get(role, ""),
        "menu": entries,
        "version": __version__,
        "now": now,
        "clock": f"{calendar.local(now, zone):%H:%M:%S}",
        "series": series,
        "series_name": NAMES[series],
        "district": district,
        "seq": getattr(request, "seq", 0),
        "calm": _calm(role) if series != "exercise" else None,
    }


def _series(request: HttpRequest) -> Series:
    """What a page speaks of: the series of the stream, the row or the draft in its address, else the district's own."""
    world = here.world()
    own, given = world.at(DISTRICT).series, request.resolver_match.kwargs if request.resolver_match else {}
    stream = str(given.get("stream") or _asked(request) or str(given.get("row", "")).partition("|")[0])
    if stream in world.streams:
        state = world.at(stream)
        return state.series if state.alert.version or state.drill.stage else own
    if stream and storable(stream) and streams.series(here.session(), stream) == "exercise":
        return "exercise"
    if "draft" in given and (row := Draft.objects.filter(kind=written.KIND, pk=given["draft"]).first()):
        return "exercise" if written.load(row).series == "exercise" else own
    return own


def _asked(request: HttpRequest) -> str:
    """The drill that the address asks for; one with too much behind it, which is refused, asks for none."""
    try:
        return request.GET.get("drill", "")
    except TooManyFieldsSent:
        return ""


def _calm(role: str) -> dict[str, str] | None:
    """The one line that pages in earnest have about a drill under way."""
    world = here.world()
    if not (name := drill.under_way(world)):
        return None
    part = world.at(name).drill
    title = here.pack().drills[part.scenario].title if part.scenario in here.pack().drills else part.scenario
    at = calendar.local(part.begins, here.pack().zone)
    words = f"演练进行中：{title}" if part.stage == "started" else f"演练预告：{title}，{at:%H:%M} 开始"
    return {"words": words, "url": paths.to(role, "drill", name)}
