"""Versions of a warning as the register would hand them to CAP, from facts alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fengsui.core import alerts, cap_out
from fengsui.core.calendar import SECOND
from fengsui.core.facts import Alerted
from fengsui.core.state import AlertPart
from fengsui.core.wording import Draft

DRAFT = Draft(
    "受强对流云团影响，", "预计未来3小时降雨量将达100毫米以上。", {"yellow": "预计未来6小时有短时强降水。"}
)


def versions(facts: Iterable[object], draft: Draft = DRAFT) -> Iterator[cap_out.Issued]:
    """Each version in its order; seconds that were given are not given again; an issue refers to nothing before it."""
    parts: dict[str, AlertPart] = {}
    lives: dict[str, list[int]] = {}
    given: set[int] = set()
    for fact in facts:
        if not isinstance(fact, Alerted):
            continue
        second = fact.at // SECOND
        while second in given:
            second += 1
        given.add(second)
        part = parts[fact.stream] = alerts.fold(parts.get(fact.stream, AlertPart()), fact)
        action = fact.action or ("cancel" if not fact.zones else "issue" if fact.version == 1 else "change")
        if action == "issue":
            lives[fact.stream] = []
        earlier = lives.setdefault(fact.stream, [])
        yield cap_out.Issued(fact.stream, fact.series, part, action, second, draft, tuple(earlier))
        earlier.append(second)
