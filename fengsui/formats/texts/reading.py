"""读文 Reading: an issued warning text → who, what, when, which signals, where, how long; what is not there is None."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from fengsui.core.tables import Hazard
from fengsui.formats.texts import heads, regions, sentences, signals, times
from fengsui.formats.texts.cleaned import Clean, Span, clean
from fengsui.formats.texts.heads import Head
from fengsui.formats.texts.regions import Entry, Ground
from fengsui.formats.texts.signals import Mention

MOST = 20_000
"""Characters of a text that are read; a warning has some hundreds."""

Field = Literal["issuer", "action", "time", "hazard", "area", "valid", "drill"]


class Mark(msgspec.Struct, frozen=True):
    """Where a field was read: start and end in the text as given, so that a page can show it."""

    field: Field
    start: int
    end: int


class Validity(msgspec.Struct, frozen=True):
    """有效期 From and to as ISO (partial where the text is), or a number of hours; None for what is not written."""

    begin: str | None = msgspec.field(name="from", default=None)
    end: str | None = msgspec.field(name="to", default=None)
    hours: int | None = None


class Warned(msgspec.Struct, frozen=True):
    """信号与区域 One hazard and colour with its areas. hazard: an id of the pack, or the name as written."""

    hazard: str
    level: str | None
    areas: tuple[str, ...] = ()


class Reading(msgspec.Struct, frozen=True, omit_defaults=False):
    """读出的预警 What a text itself says. action: one of the seven verbs; time: ISO, as precise as written.

    issuer as written; joint, issuers: several units, and each of them; areas all areas without repeats; drill: it calls itself an exercise.
    """

    issuer: str | None = None
    joint: bool = False
    issuers: tuple[str, ...] = ()
    action: str | None = None
    time: str | None = None
    hazards: tuple[Warned, ...] = ()
    areas: tuple[str, ...] = ()
    valid: Validity | None = None
    drill: bool = False
    marks: tuple[Mark, ...] = ()


def read(raw: str, hazards: Mapping[str, Hazard]) -> Reading:
    """The reading of one text, of any string; in time that grows with its length, up to MOST characters of it.

    hazards: of the pack, whose names and aliases count.
    """
    text = clean(raw[:MOST])
    words = signals.lexicon(hazards)
    end = sentences.body(text.text)
    found = signals.meant(text.text, signals.mentions(text.text, 0, end, words))
    head = heads.read(text.text, end, found) or heads.NONE
    scopes = _scopes(text.text, head, found, end)
    entries = regions.entries(Ground(text, end, words, scopes), found, head)
    valid = times.validity(text.text, scopes, head.time)
    drill = heads.drill(text.text)
    warned = tuple(Warned(signals.known(words, e.hazard), e.level, _names(text, e.areas)) for e in entries)
    return Reading(
        issuer=text.said(head.issuer) if head.issuer else None,
        joint=len(head.units) > 1,
        issuers=tuple(map(text.said, head.units)) if len(head.units) > 1 else (),
        action=head.action,
        time=head.time.iso() if head.time else None,
        hazards=warned,
        areas=tuple(dict.fromkeys(area for w in warned for area in w.areas)),
        valid=Validity(valid.begin, valid.end, valid.hours) if valid else None,
        drill=drill is not None,
        marks=_marks(text, head, entries, valid, drill),
    )


def _scopes(text: str, head: Head, found: list[Mention], end: int) -> list[Span]:
    """Where the text looks ahead: after what was issued; before it where it tells that last."""
    if head == heads.NONE:
        return sentences.ahead(text, 0, end)
    after = next((m.span[1] for m in found if m.span[0] >= head.end), head.end)
    looks = sentences.FORECAST.search
    if looks(text, 0, after) and not looks(text, after, end):
        before = sentences.ahead(text, 0, head.start)
        return before + sentences.ahead(text, after, end)
    return sentences.ahead(text, after, end)


def _names(text: Clean, spans: Iterable[Span]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(text.said, spans)))


def _marks(
    text: Clean, head: Head, entries: list[Entry], valid: times.Valid | None, drill: Span | None
) -> tuple[Mark, ...]:
    """Every place where a field was read, in order of the text."""
    issuers = head.units or ((head.issuer,) if head.issuer else ())
    spans: list[tuple[Field, Span | None]] = [
        *(("issuer", unit) for unit in issuers),
        ("action", head.verb),
        ("time", head.time.span if head.time else None),
        *(("hazard", span) for e in entries for span in e.spans),
        *(("area", span) for e in entries for span in e.areas),
        *(("valid", span) for span in (valid.spans if valid else ())),
        ("drill", drill),
    ]
    marks = {Mark(field, *text.original(span)) for field, span in spans if span}
    return tuple(sorted(marks, key=lambda m: (m.start, m.end, m.field)))
