"""插播 Media: what is to be aired until when, with its words ready — and the record that it went on the air or came off.

Also the badges, for every page, the phone and the air.
"""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from fengsui.core import drill, wording
from fengsui.core.facts import Aired, InsertionOrdered
from fengsui.core.insertion import MOMENTARY
from fengsui.core.state import State
from fengsui.formats import badges
from fengsui.store.accounts import Account
from fengsui.web import airing, here, written
from fengsui.web.pages.login import account_of


@require_GET
def badge(request: HttpRequest, hazard: str, level: str) -> HttpResponse:
    """The badge of a signal that exists."""
    del request
    found = here.pack().hazards.get(hazard)
    if found is None or level not in found.levels:
        raise Http404
    picture = badges.badge(hazard, level, found.name, found.name_en)
    answer = HttpResponse(picture, content_type="image/svg+xml; charset=utf-8")
    answer.headers["Cache-Control"] = "max-age=3600"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


@require_http_methods(["GET", "POST"])
def media(request: HttpRequest) -> HttpResponse:
    """The editor's queue; one button each: 已播出, 已撤下."""
    if request.method == "POST":
        return _recorded(request)
    return _shown(request)


def _recorded(request: HttpRequest) -> HttpResponse:
    stream, form = request.POST.get("stream", ""), request.POST.get("what", "")
    order = here.world().at(stream).orders.get(f"{request.POST.get('unit', '')}/{form}")
    if order is None:
        return _shown(request, "没有这份插播单，可能已归档。请刷新。[W138]", 404)
    account, now = account_of(request), here.now()
    if not _mine(account, order):
        return _shown(request, "这份插播单属于另一单位，由该单位登记。[W121]", 403)
    on = request.POST.get("on") == "1"
    at = written.moment(request.POST.get("at", "")) or now
    if not order.at - at_minute(order.at) <= at <= now:
        return _shown(request, "时间须在插播单下达之后、现在之前。[W139]", 422)
    fact = Aired(stream, max(at, order.at), order.unit, form, on, account.person, order.version)
    answer = here.record(fact, form=request.POST.get("form", ""))
    if not answer.ok:
        return _shown(request, f"{answer.text}。[{answer.code}]", 409)
    asked = {"drill": played} if (played := request.GET.get("drill", "")) else {}
    query = urlencode(asked | {"done": f"{'on' if on else 'off'}-{form}"})
    back = HttpResponseRedirect(f"{reverse('media')}?{query}")
    back.status_code = 303
    return back


def at_minute(moment: int) -> int:
    """What a form's minute leaves out of a moment."""
    return moment % 60_000_000


def _shown(request: HttpRequest, wrong: str = "", status: int = 200) -> HttpResponse:
    account = account_of(request)
    asked = request.GET.get("drill", "")
    world = drill.played(asked, here.world()) if asked else here.live()
    orders = [
        (state, order)
        for state in world.streams.values()
        for order in state.orders.values()
        if _mine(account, order) and _matters(state, order)
    ]
    words = written.papers(state.alert.paper for state, _ in orders)
    queue = [_item(state, order, words[state.alert.paper]) for state, order in orders]
    queue.sort(key=lambda item: (item["state"] in ("on", "over"), item["deadline"] or 2**62))
    done = request.GET.get("done", "")
    verb, _, form = done.partition("-")
    said = f"已记录：{wording.FORMS.get(form, form)}{'已播出' if verb == 'on' else '已撤下'}" if form else ""
    template = "media_queue.html" if request.headers.get("HX-Request") else "media.html"
    more = {"queue": queue, "wrong": wrong, "said": said, "now": written.local(here.now())}
    return render(request, template, more, status=status)


def _mine(account: Account, order: InsertionOrdered) -> bool:
    """An editor sees the orders of his own centre; the desk sees all."""
    return bool(account.role != "media" or order.unit == account.unit)


def _matters(state: State, order: InsertionOrdered) -> bool:
    """An order in force, or one that is still on the air."""
    return state.alert.holds or f"{order.unit}/{order.form}" in state.on_air


def _item(state: State, order: InsertionOrdered, words: bytes) -> dict[str, Any]:
    """One order with its words, its deadline and how far it has come."""
    place = f"{order.unit}/{order.form}"
    holds = state.alert.holds
    aired = state.on_air.get(place, -1)
    duty = state.duties.get(f"2.4.3/{order.form}") or _duty(state, order.form)
    share = duty.shares.get(order.unit) if duty else None
    if not holds:
        where = "off"
        off = _duty(state, f"{order.form}_off")
        share = off.shares.get(order.unit) if off else None
    elif aired >= order.version:
        where = "on"
    else:
        where = "on" if share and not share.open and order.form == MOMENTARY else "wait"
    text = airing.text(state, order.form, here.world(), words)
    return {
        "stream": state.stream, "unit": order.unit, "form": order.form, "name": wording.FORMS.get(order.form, order.form),
        "level": airing.strongest(state), "hazard": state.alert.hazard, "state": where, "series": state.series,
        "title": airing.title(state, here.world()), "text": text, "seconds": wording.seconds(text), "every": order.every // 60_000_000,
        "deadline": share.deadline if share and share.open else 0, "ended": share.ended if share else None,
        "late": bool(share and share.open and share.deadline < here.now()), "token": secrets.token_hex(12),
        "momentary": order.form == MOMENTARY, "expires": state.alert.expires, "version": order.version,
    }  # fmt: skip


def _duty(state: State, name: str) -> Any:
    """The duty of this name, whichever clause it stands in."""
    return next((duty for key, duty in state.duties.items() if key.split("/")[1] == name), None)
