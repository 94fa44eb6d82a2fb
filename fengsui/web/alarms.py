"""警声 Alarms: what sounds at a desk, each with how many it stands for — more of the same sounds again, fewer does not."""

from __future__ import annotations

from collections.abc import Iterable

from fengsui.core.state import World
from fengsui.web import outlook, tasks

LATE = (outlook.ACKNOWLEDGE, outlook.RELAY, outlook.RENEW)
"""Duties that sound as soon as they are late: an answer that is missing, an end that nobody has decided about."""


def of(drafts: Iterable[tasks.Task], found: Iterable[tasks.Group]) -> dict[str, int]:
    """Drafts that wait for a signature, and duties that are for a person at the desk or that sound before."""
    heard = {f"{g.id}|{g.rank}": len(g.rows) for g in found if g.rank == "desk" or _heard(g)}
    return {f"{d.id}|{d.rank}": 1 for d in drafts} | heard


def _heard(group: tasks.Group) -> bool:
    """Whether a duty sounds before it is a person's at the desk: one signed alone at once, others when they are late."""
    duty = group.rows[0].duty
    return duty == outlook.REVIEW or (group.rank == "overdue" and duty in LATE)


def undecided(world: World, now: int) -> dict[str, int]:
    """Warnings that have run out and nobody has decided about: each sounds once more, beside its duty."""
    gone = [s for s in world.streams.values() if s.alert.holds and s.alert.expires <= now]
    return {f"over|{s.stream}|{s.alert.version}": 1 for s in gone}
