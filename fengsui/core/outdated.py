"""过时 Outdated: what earlier versions told and a newer one makes untrue, by person and by zone. Pure.

Whoever is told something now gets nothing older any more, nor does whom no zone touches now; an all-clear stays true where
nothing is in force, and what was told in a zone that is kept stays true there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from fengsui.core import telling
from fengsui.core.facts import Notified
from fengsui.core.levels import GONE
from fengsui.core.state import State, World

Ground = tuple[tuple[str, ...], tuple[str, ...]]
"""Where members of a list are told: in these zones, but not who is wholly within those."""


def standing(state: State) -> list[Notified]:
    """Tellings of earlier versions of which something may still wait; calls and summonses are none."""
    part = state.notices
    return [
        n
        for key, n in part.sent.items()
        if n.change and n.version < state.warning.version and part.pending.get(key)
    ]


def left(state: State, world: World) -> set[str]:
    """Persons who were told anything and whom the newest version does not touch."""
    return {
        person
        for person in state.notices.people
        if all(change in GONE for change, _ in telling.changed_for(person, state, world))
    }


def said(now: Iterable[Notified]) -> tuple[set[str], dict[str, set[str]]]:
    """Whom the newest version tells: persons; and by list the zones."""
    persons: set[str] = set()
    lists: dict[str, set[str]] = defaultdict(set)
    for notified in now:
        persons.update(r.person for r in notified.recipients)
        for name in notified.lists:
            lists[name].update(notified.zones)
    return persons, lists


def still(ground: Ground, told: Iterable[str], state: State, *, ended: bool) -> Ground:
    """What is left of the ground of an earlier telling. told: zones in which its list is told now; ended: it said that
    nothing is in force there any more.
    """
    now, zones = state.warning.now.zones, list[str]()
    for zone in ground[0]:
        if any(zone.startswith(t) for t in told):
            continue
        if ended or any(zone.startswith(z) for z in now):
            zones.append(zone)
        else:
            inside = (z for z in now if z.startswith(zone))
            zones += [z for z in inside if not any(z.startswith(t) for t in told)]
    but = (z for z in {*ground[1], *told} if any(z.startswith(at) and z != at for at in zones))
    return tuple(zones), tuple(sorted(but))
