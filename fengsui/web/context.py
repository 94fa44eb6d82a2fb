"""页框 Frame: what every page's frame shows — who, mode, time, menu."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse

from fengsui import __version__
from fengsui.core import calendar
from fengsui.core.series import NAMES
from fengsui.store.accounts import Account
from fengsui.web import here, rights


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
        now, series = here.now(), here.world().at("district").series
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
    }
