"""模板词 Template words: moments, spans, masked numbers, names of units, posts and clauses."""

from __future__ import annotations

from django import template

from fengsui.core import calendar, wording
from fengsui.formats import sms
from fengsui.web import here

register = template.Library()


@register.filter
def clock(at: int | None) -> str:
    """A moment (UTC µs) as 02:13 in the pack's zone; "" for none."""
    return f"{calendar.local(at, here.pack().zone):%H:%M}" if at else ""


@register.filter
def moment(at: int | None) -> str:
    """A moment as 7月21日 02:13:05 in the pack's zone."""
    if not at:
        return ""
    here_ = calendar.local(at, here.pack().zone)
    return f"{here_.month}月{here_.day}日 {here_:%H:%M:%S}"


@register.filter
def percent(share: float | None) -> str:
    """A share of 0 to 1 as 85%; "" for none."""
    return "" if share is None else f"{share:.0%}"


@register.filter
def left(deadline: int | None) -> str:
    """Time left until a moment as 余 8:42, or 超 4:24 once it has passed."""
    if not deadline:
        return ""
    seconds = (deadline - here.now()) // calendar.SECOND
    word, seconds = ("余", seconds) if seconds >= 0 else ("超", -seconds)
    hours, rest = divmod(seconds, 3600)
    return (
        f"{word} {hours}:{rest // 60:02d}:{rest % 60:02d}"
        if hours
        else f"{word} {rest // 60}:{rest % 60:02d}"
    )


@register.filter
def unit(id_: str) -> str:
    """The Chinese name of a unit, or its id if the pack does not know it."""
    found = here.pack().units.get(id_)
    return found.name if found else id_


@register.filter
def holder(id_: str) -> str:
    """A unit, or a unit and the role of a post: 聚乐乡值班员."""
    return unit(id_.split("/", maxsplit=1)[0]) + wording.post(id_, here.pack())


@register.filter
def duty(key: str) -> str:
    """The Chinese title of a duty by its key."""
    return wording.title(key, here.pack())


@register.filter
def cite(clause: str) -> str:
    """How the document numbers a clause: 二（四）1."""
    found = here.pack().clauses.get(clause)
    return found.cite if found else clause


@register.filter
def masked(number: str) -> str:
    """A number that others must not read: 100****07."""
    return sms.mask(number)


@register.filter
def get(table: dict[str, object], key: str) -> object:
    """An entry of a table."""
    return table.get(key)
