"""网关 Gateways: the ways out — how each fares, what it was sent lately, its settings by a form made of its declared fields.

Settings take effect when the service starts again; holding and releasing a lane at once. Secrets go in, never out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fengsui import gateways as kinds
from fengsui.core.series import NAMES
from fengsui.flow.send import Lane
from fengsui.gateways import settings
from fengsui.gateways.contract import Field, Health
from fengsui.gateways.settings import SettingsError
from fengsui.store import holds, traces, ways
from fengsui.store.ways import Stored
from fengsui.web import audit, here, rights
from fengsui.web.pages.login import account_of

TITLES = {
    "sms_smpp": "短信（SMPP）",
    "email": "邮件（SMTP）",
    "mqtt": "报文通告（MQTT，WIS2）",
    "webhook": "报文推送（HTTP）",
    "sms_cmpp": "短信（CMPP）",
    "voice": "语音",
    "fax": "传真",
}
"""Kinds by what people call them; one that is not here goes by its own name."""
ALL = "all"
"""What stands in an address for every lane."""
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
NONE = Health(up=False, text="没有运行：未启用，或在本次启动之后才设置。重启服务后生效。")
_first: dict[int, int] = {}
"""When this process's house was first looked at here: what was changed later has not taken effect."""


class Card(NamedTuple):
    """One gateway as the page shows it."""

    name: str
    title: str
    channel: str
    accepts: str
    health: Health
    held: bool
    runs: bool
    waiting: int
    source: str
    stale: bool


class Input(NamedTuple):
    """One field of the form."""

    field: Field
    value: str
    kept: bool
    wrong: str


# ── how they fare ────────────────────────────────────────────────────────────


@require_GET
def gateways(request: HttpRequest) -> HttpResponse:
    """Every gateway, and what became of deliveries on each channel."""
    context = {
        "cards": _cards(),
        "every": next((h for h in holds.read(here.session()) if h.lane == holds.EVERY), None),
        "acts": rights.may(account_of(request).role, "gateway_act"),
        "counts": list(traces.counts(here.session()).values()),
        "feeds": here.house().told(),
        "makes": rights.may(account_of(request).role, "gateway_new"),
        "kinds": [(kind, TITLES.get(kind, kind)) for kind in kinds.KINDS],
    }
    name = "gateways_live.html" if request.headers.get("HX-Request") else "gateways.html"
    return render(request, name, context)


def _cards() -> list[Card]:
    house = here.house()
    since = _first.setdefault(id(house), here.now())
    rows = {way.name: way for way in ways.read()}
    health, waiting = house.health(), traces.waiting(here.session())
    lanes = {lane.name: lane for lane in house.lanes}
    found = [_card(name, lane, rows.get(name), health[name], since) for name, lane in lanes.items()]
    found += [_card(name, None, row, NONE, since) for name, row in rows.items() if name not in lanes]
    return [card._replace(waiting=waiting.get(card.name, 0)) for card in found]


def _card(name: str, lane: Lane | None, row: Stored | None, health: Health, since: int) -> Card:
    gateway = lane.gateway if lane else None
    accepts = sorted(gateway.accepts, key=list(NAMES).index) if gateway else row.accepts if row else ()
    return Card(
        name=name,
        title=TITLES.get(row.kind, row.kind) if row else "",
        channel=gateway.channel if gateway else "",
        accepts="、".join(NAMES[s] for s in accepts),
        health=health,
        held=bool(lane and lane.held),
        runs=lane is not None,
        waiting=0,
        source="表单" if row else "启动设置",
        stale=bool(row and (row.changed > since or row.active is (lane is None))),
    )


# ── one ──────────────────────────────────────────────────────────────────────


@require_http_methods(["GET", "POST"])
def gateway(request: HttpRequest, name: str) -> HttpResponse:
    """One gateway: health, what it was sent lately, its settings."""
    card = next((c for c in _cards() if c.name == name), None)
    row = next((w for w in ways.read() if w.name == name), None)
    if card is None:
        raise Http404
    kind = row.kind if row else _kind(name)
    edits = bool(kind) and rights.may(account_of(request).role, "gateway_new")
    begun = row or Stored(name, kind, ("actual",), {})
    shown = _Shown(card, begun, edits=edits)
    if request.method == "GET":
        return _page(request, shown, {}, {})
    if not edits:
        raise Http404
    return _saved(request, shown, begun)


class _Shown(NamedTuple):
    card: Card | None
    row: Stored
    edits: bool


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A gateway of a kind, under a name of its own."""
    data = request.POST or request.GET
    kind = data.get("kind", "")
    if kind not in kinds.KINDS:
        raise Http404
    shown = _Shown(None, Stored("", kind, ("actual",), {}), edits=True)
    if request.method == "GET":
        return _page(request, shown, {}, {})
    name = request.POST.get("name", "").strip()
    taken = {c.name for c in _cards()} | {"new", ALL}
    if not NAME.fullmatch(name) or name in taken:
        wrong = (
            "已有同名网关，请换一个。[W155]"
            if name in taken
            else "名称用小写字母、数字、下划线，字母开头。[W156]"
        )
        return _page(request, shown, request.POST, {"name": wrong})
    return _saved(request, shown, Stored(name, kind, (), {}))


def _kind(name: str) -> str:
    """The kind of a gateway that runs without a row: what class it is."""
    made = next((type(g) for g in here.house().gateways if g.name == name), None)
    return next((k for k, place in kinds.KINDS.items() if made and place.endswith(f":{made.__name__}")), "")


def _saved(request: HttpRequest, shown: _Shown, before: Stored) -> HttpResponse:
    data, fields = request.POST, kinds.declared(before.kind)
    secrets = ways.secrets(ways.place(), before.name)
    given, kept = _given(data, fields, secrets)
    wrong = _wrong(before.kind, fields, given | kept)
    accepts = tuple(s for s in NAMES if s in data.getlist("accepts"))
    if not accepts:
        wrong["accepts"] = "至少选一项，否则什么也发不出去。[W157]"
    if not data.get("position", "0").isdecimal():
        wrong["position"] = "次序为不小于 0 的整数。[W158]"
    if wrong:
        return _page(request, shown, data, wrong)
    audit.note("gateway", account_of(request), "改设置", before.name)
    if kept != secrets:
        ways.keep(ways.place(), before.name, kept)
    after = Stored(
        before.name,
        before.kind,
        accepts,
        given,
        int(data.get("position", "0")),
        bool(data.get("active")),
        here.now(),
    )
    ways.put(after)
    return redirect(f"{reverse('gateway', args=[before.name])}?done=saved")


def _given(
    data: QueryDict, fields: Sequence[Field], secrets: dict[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Settings to store, and secrets to keep: one that was left blank stays as it is."""
    given = {f.name: v for f in fields if f.kind != "secret" and (v := data.get(f"set-{f.name}", "").strip())}
    kept = {
        f.name: value
        for f in fields
        if f.kind == "secret" and (value := data.get(f"set-{f.name}", "") or secrets.get(f.name, ""))
    }
    return given, kept


def _wrong(kind: str, fields: Sequence[Field], given: Mapping[str, str]) -> dict[str, str]:
    """Everything wrong with settings, by field; what concerns none alone stands under ""."""
    wrong = {}
    for field in fields:
        try:
            settings.read(kind, [field], {k: v for k, v in given.items() if k == field.name})
        except SettingsError as error:
            wrong[field.name] = str(error)
    if wrong:
        return wrong
    try:
        kinds.load(kind, given, clock=here.now)
    except SettingsError as error:
        named = next(
            (f.name for f in fields if f"（{f.name}）" in str(error) or f"「{f.label}」" in str(error)), ""
        )
        return {named: str(error)}
    return {}


def _page(
    request: HttpRequest, shown: _Shown, data: Mapping[str, Any], wrong: dict[str, str]
) -> HttpResponse:
    row, card = shown.row, shown.card
    secrets = ways.secrets(ways.place(), row.name) if row.name else {}
    posted = isinstance(data, QueryDict)
    inputs = [
        Input(
            field,
            "" if field.kind == "secret" else data.get(f"set-{field.name}", row.settings.get(field.name, "")),
            bool(secrets.get(field.name)),
            wrong.get(field.name, ""),
        )
        for field in (kinds.declared(row.kind) if shown.edits else ())
    ]
    ticked = data.getlist("accepts") if posted else row.accepts  # type: ignore[attr-defined]
    context = {
        "card": card,
        "row": row,
        "title": TITLES.get(row.kind, row.kind),
        "inputs": inputs,
        "edits": shown.edits,
        "letting": [(s, title, s in ticked) for s, title in NAMES.items()],
        "position": data.get("position", row.position),
        "active": bool(data.get("active")) if posted else row.active,
        "name": data.get("name", ""),
        "wrong": wrong,
        "top": wrong.get(""),
        "traces": traces.lane(here.session(), here.house().vault, card.name) if card else [],
        "acts": rights.may(account_of(request).role, "gateway_act"),
        "done": DONE.get(request.GET.get("done", ""), ""),
    }
    return render(request, "gateway.html", context, status=400 if wrong else 200)


DONE = {
    "saved": "已保存。重启服务后生效。",
    "hold": "已停发：待发的留在队列中，过了有效期的不再发出。重启服务后仍停发，直到在此恢复。",
    "release": "已恢复发送。",
    "drop": "设置已删除。重启服务后不再启动。",
}


@require_POST
def act(request: HttpRequest, name: str, what: str) -> HttpResponse:
    """Hold or release a lane; forget a gateway's settings."""
    lane = next((x for x in here.house().lanes if x.name == name), None)
    account = account_of(request)
    match what:
        case "release" if name == ALL:
            audit.note("gateway", account, "恢复全部发送", name)
            holds.lift(here.session())
            return redirect("gateways")
        case "hold" if lane is not None:
            audit.note("gateway", account, "停发", name)
            holds.put(here.session(), name, here.now(), f"{account.username} 在网关页面停发")
            lane.held = True
        case "release" if lane is not None:
            audit.note("gateway", account, "恢复发送", name)
            holds.lift(here.session(), name)
            lane.held = any(h.lane == holds.EVERY for h in holds.read(here.session()))
        case "drop" if any(w.name == name for w in ways.read()):
            audit.note("gateway", account, "删除设置", name)
            ways.drop(name)
            ways.forget(ways.place(), name)
            if lane is None:
                return redirect("gateways")
        case _:
            raise Http404
    return redirect(f"{reverse('gateway', args=[name])}?done={what}")
