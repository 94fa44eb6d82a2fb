"""动作 Verbs: what may be done to a warning in force, each with its page and its key — the same at the desk and on every form."""

from __future__ import annotations

from typing import NamedTuple

from fengsui.core import alerts, calendar
from fengsui.core.state import State
from fengsui.web import here, paths

KEYS = {"renew": "r", "upgrade": "u", "downgrade": "j", "change": "m", "cancel": "q", "correct": "x"}
"""Keys of the verbs: 续 R，升 U，降 J，改 M，去 Q，错 X."""
SHORT = {
    "renew": "继续发布",
    "upgrade": "升级发布",
    "downgrade": "降级发布",
    "change": "变更",
    "cancel": "解除",
    "correct": "更正",
}

AHEAD = 30 * calendar.MINUTE
"""µs before its expiry at which the desk demands that somebody decides; the duty 2.3.a/renew is due then."""


class Act(NamedTuple):
    """A verb with its name, its page and its key."""

    verb: str
    name: str
    url: str
    key: str


def acts(state: State, role: str) -> list[Act]:
    """What is offered of a stream as it stands to a role, in the order in which a desk offers it."""
    hazard = here.pack().hazards.get(state.alert.hazard)
    offered = [
        (verb, paths.to(role, f"issue_{verb}", state.stream)) for verb in alerts.offered(state.alert, hazard)
    ]
    return [Act(verb, SHORT[verb], url, KEYS[verb]) for verb, url in offered if verb in KEYS and url]
