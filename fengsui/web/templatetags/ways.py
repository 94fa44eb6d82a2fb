"""渠道词 Way words: channels, tellings and states of deliveries as tables of them show."""

from __future__ import annotations

from django import template

from fengsui.formats import roster
from fengsui.store.states import NAMES, State

register = template.Library()

TELLINGS = {
    "alert": "预警", "all_clear": "解除", "call": "叫应、催办", "summons": "会商通知", "order": "插播单", "trial": "试通",
}  # fmt: skip
TINTS = {
    NAMES[State.HANDED_OVER]: "wait",
    NAMES[State.PLANNED]: "wait",
    NAMES[State.DELIVERED]: "ok",
    NAMES[State.READ]: "ok",
    NAMES[State.WITHDRAWN]: "",
}


@register.filter
def telling(name: str) -> str:
    """What a telling is, by its template."""
    return TELLINGS.get(name, name)


@register.filter
def channel(id_: str) -> str:
    """A channel's name."""
    return "短信" if id_ == "sms" else roster.NAMES.get(id_, id_)


@register.filter
def tint(state: str) -> str:
    """How a delivery's state looks: ok, wait, late or plain."""
    return TINTS.get(state, "late")
