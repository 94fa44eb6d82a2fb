"""受众 Audience: who a draft would reach — by place, unit, post and channel, who has no way, and when the last one would have it."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from fengsui.core import wording
from fengsui.core.directory import Directory
from fengsui.core.facts import Notified
from fengsui.core.state import World
from fengsui.store.lanes import route
from fengsui.web import here, sentences

SHOWN = 12
"""Silent persons and units that are named; the rest is counted."""


class Load(NamedTuple):
    """What one way out has to carry: its channel, parts, parts per second (0 = no limit of ours), seconds it takes; route: ""
    where no gateway of the channel takes this series.
    """

    channel: str
    route: str
    parts: int
    rate: float
    seconds: int


class Silent(NamedTuple):
    """Somebody who would be told but has no way: his id, and what he answers for."""

    person: str
    place: str


class Audience(NamedTuple):
    """Who and how many. towns, units, roles: (name, people), a person once under each."""

    towns: list[tuple[str, int]]
    units: list[tuple[str, int]]
    roles: list[tuple[str, int]]
    loads: list[Load]
    silent: list[Silent]
    more: int = 0

    @property
    def seconds(self) -> int:
        """Until the last part has left, at the rates that are set; 0 = no rate is set."""
        return max((load.seconds for load in self.loads), default=0)

    @property
    def lasts(self) -> str:
        """The same in words."""
        if not self.seconds:
            return "未设限速，按对端的速度"
        minutes, seconds = divmod(self.seconds, 60)
        return f"约 {minutes} 分 {seconds:02d} 秒" if minutes else f"约 {seconds} 秒"


def gathered(
    told: list[Notified], parts: Counter[str], silent: list[Silent], world: World, series: str
) -> Audience:
    """The audience of tellings. parts: messages for each channel, in parts."""
    groups: list[dict[str, set[str]]] = [defaultdict(set) for _ in range(3)]
    for recipient in (r for n in told for r in n.recipients):
        for holder in recipient.holders:
            for group, name in zip(groups, _places(holder, world), strict=True):
                group[name].add(recipient.person)
    towns, units, roles = ([(name, len(who)) for name, who in g.items() if name] for g in groups)
    towns.sort(key=lambda row: (row[0] == DISTRICT, -row[1]))
    for rows in (units, roles):
        rows.sort(key=lambda row: -row[1])
    return Audience(towns, units, roles, _loads(parts, series), silent[:SHOWN], max(0, len(silent) - SHOWN))


DISTRICT = "区级"
"""Where somebody answers for the whole district."""


def _places(holder: str, world: World) -> tuple[str, str, str]:
    """The township, unit and role of what somebody answers for."""
    unit = world.pack.units.get(holder.split("/", 1)[0])
    post = world.directory.posts.get(holder)
    area = post.area if post else unit.area if unit else ""
    town = next(
        (a.name for a in world.pack.areas.values() if a.kind == "township" and area.startswith(a.id)), ""
    )
    return town or DISTRICT, unit.name if unit else "", wording.post(holder, world.pack)


def _loads(parts: Counter[str], series: str) -> list[Load]:
    lanes = here.house().writer._setting.lanes  # noqa: SLF001 - the same choice as the writer's
    rates = {g.name: float(getattr(g, "rate", 0.0)) for g in here.house().gateways}
    found = []
    for channel, count in parts.items():
        way = route(lanes, channel, series)
        rate = rates.get(way, 0.0)
        seconds = math.ceil(count / rate) if rate else 0
        found.append(Load(sentences.CHANNELS.get(channel, channel), way, count, rate, seconds))
    return sorted(found, key=lambda load: -load.parts)


def equipped(directory: Directory) -> Directory | None:
    """The directory as if everybody had a way; None where everybody has one."""
    bare = [p for p in directory.persons.values() if p.id not in directory.reachable]
    if not bare or not directory.ways:
        return None
    given = {p.id: msgspec.structs.replace(p, channels=tuple(sorted(directory.ways))) for p in bare}
    return msgspec.structs.replace(directory, persons={**directory.persons, **given})


def silent(facts: Iterable[Any], directory: Directory, world: World) -> list[Silent]:
    """Of those who would be told if everybody had a way, who has none."""
    told = [r for f in facts if isinstance(f, Notified) for r in f.recipients]
    found = {r.person: r.holders for r in told if r.person not in directory.reachable}
    return [
        Silent(person, "、".join(sentences.holder(h, world) for h in holders[:2]))
        for person, holders in found.items()
    ]
