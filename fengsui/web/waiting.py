"""待我处理 Waiting: what stands on the desk's cards — what is in force first, one card for each unit, leftovers apart.

A leftover is what was owed of a warning that has been lifted since; what the lifting itself asks for (撤下、复工) is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from fengsui.core.board import Row
from fengsui.core.levels import LEVELS
from fengsui.core.state import State, World
from fengsui.web import paths, sentences, tasks
from fengsui.web.outlook import REVIEW
from fengsui.web.tasks import Group, Task, Who

OTHERS = 6
"""Other things of a unit that its card words; the rest is a number."""


class Card(NamedTuple):
    """What waits at one unit: the most pressing of it, worded, and the next; unit: its name; count: of everything there.
    Each thing with the warning it is about, where that is not plain.
    """

    task: Task
    warning: str = ""
    unit: str = ""
    others: tuple[tuple[Task, str], ...] = ()
    count: int = 1

    @property
    def rest(self) -> int:
        """How many things are only counted."""
        return self.count - 1 - len(self.others)


class Sorted(NamedTuple):
    """What waits for somebody, worst first: what is in force, and leftovers."""

    current: tuple[Group, ...]
    left: tuple[Group, ...]


def sort(found: Sequence[Group], world: World, now: int) -> Sorted:
    """Leftovers apart; a warning that has run out without being renewed or lifted comes after those in force, but for
    the duty to renew or lift it.
    """
    left = [g for g in found if leftover(g.rows[0], world)]
    current = [g for g in found if not leftover(g.rows[0], world)]
    return Sorted(tuple(sorted(current, key=lambda g: _stale(g.rows[0], world, now))), tuple(left))


def leftover(row: Row, world: World) -> bool:
    """Whether a row is owed of an earlier version of a warning that has been lifted."""
    state = world.at(row.stream)
    warning = state.warning
    return bool(warning.version) and not warning.holds and _asked(row, state) < warning.version


def _asked(row: Row, state: State) -> int:
    """The version a row answers; a supervision answers that of what is supervised. 0: none in particular."""
    thread = row.duty.split("/", 2)[2:]
    supervised = state.duties.get(thread[0]) if thread and not row.version else None
    share = supervised.shares.get(row.unit) if supervised else None
    return share.plan.version if share else row.version


def _stale(row: Row, world: World, now: int) -> bool:
    alert = world.at(row.stream).warning
    return alert.holds and alert.expires < now and "alert" not in tasks.share(row, world).plan.evidence


def piles(groups: Sequence[Group], unit: str) -> list[tuple[Group, ...]]:
    """One pile for each unit, in the order of its worst; what one's own unit owes is done thing by thing, so it stays
    apart, and so does everything where only one unit owes.
    """
    alone = len({g.rows[0].unit for g in groups}) < 2
    found: dict[str, list[Group]] = {}
    for group in groups:
        whose = group.rows[0].unit
        found.setdefault(group.id if alone or whose == unit else whose, []).append(group)
    return [tuple(pile) for pile in found.values()]


def card(pile: Sequence[Group], who: Who, world: World, *, named: bool) -> Card:
    """A pile, worded. named: whether it must say which warning it is about."""
    worded = [tasks.task(group, who, world) for group in pile[: OTHERS + 1]]
    first, *others = [(task, label(task.stream, world) if named else "") for task in worded]
    return Card(*first, sentences.unit(first[0].unit, world), tuple(others), len(pile))


def label(stream: str, world: World) -> str:
    """What a warning is called in two words: 暴雨红色; "" for what is no warning."""
    alert, sender = world.at(stream).warning, world.at(stream).foreign.sender
    if not alert.hazard:
        return ""
    zones = (alert.now if alert.holds else alert.before).zones
    level = world.pack.texts.levels[max(zones.values(), key=LEVELS.index)]
    return f"{sender}{world.pack.hazards[alert.hazard].name}{level}"


def alone(found: Iterable[Group], role: str, world: World) -> list[tuple[str, str]]:
    """What one person signed and nobody has reviewed: in words, and the page where somebody else does."""
    streams = [g.rows[0].stream for g in found if g.rows[0].duty == REVIEW and role in tasks.DESK]
    return [(f"{label(s, world)}由一人签发，待他人复核", paths.to(role, "review", s)) for s in streams]
