"""比较 Compared: what a draft changes of the version in force, line by line — for its author and for its signer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fengsui.core import calendar
from fengsui.core.state import Zoned
from fengsui.web import here, written
from fengsui.web.written import Written


class Changed(NamedTuple):
    """A line of what differs from the version in force."""

    what: str
    was: str
    now: str


def changes(draft: Written) -> list[Changed]:
    """What differs from the version in force; a new warning differs from nothing."""
    state = here.world().at(draft.stream) if draft.stream else None
    if state is None or not state.alert.holds:
        return []
    return [*_zones(written.before(state), draft), *_words(written.before(state), draft)]


def _zones(was: Written, draft: Written) -> Iterator[Changed]:
    """Places whose level differs: the district as its townships where it is named only before or only now."""
    pack = here.pack()
    whole, colour = pack.district, pack.texts.levels
    places = [z for z in {**was.zones, **draft.zones} if z in pack.areas]
    if draft.zones and (whole in was.zones) != (whole in draft.zones):
        towns = [area for area, _ in written.towns() if area != whole]
        places = towns + [z for z in places if z != whole and z not in towns]
    before, now = Zoned(was.zones), Zoned(draft.zones)
    for place in places:
        old, new = before.over(place).get(place, ""), now.over(place).get(place, "")
        if old != new:
            yield Changed(pack.areas[place].name, colour.get(old, "不在区内"), colour.get(new, "解除"))


def _words(was: Written, draft: Written) -> Iterator[Changed]:
    pack = here.pack()
    if was.cause != draft.cause:
        what = "更正原因" if draft.corrects else "解除原因" if draft.cancel else "成因"
        yield Changed(what, was.cause or "—", draft.cause or "—")
    if draft.ended:
        return
    if was.forecast != draft.forecast:
        yield Changed("预报", was.forecast or "—", draft.forecast or "—")
    for level in {**was.others, **draft.others}:
        old, new = was.others.get(level, "—"), draft.others.get(level, "—")
        if old != new:
            yield Changed(f"{pack.texts.levels[level]}区域的预报", old, new)
    if was.expires != draft.expires:
        stamps = [f"{calendar.local(at, pack.zone):%m-%d %H:%M}" for at in (was.expires, draft.expires)]
        yield Changed("失效时间", *stamps)
