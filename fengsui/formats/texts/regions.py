"""分区 Regions: which areas each signal of a text has — its own where they stand beside it, else those of the text."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import NamedTuple

from fengsui.formats.texts import heads, places, sentences, signals, times
from fengsui.formats.texts.cleaned import END, Clean, Span
from fengsui.formats.texts.heads import Head
from fengsui.formats.texts.signals import Lexicon, Mention

OPENS = re.compile(heads.VERB.pattern + "|将(?!乐|军)|把|对")
AFTER = re.compile("(?:（[^（）]{1,12}）)?(?:区域|地区|范围)?(?:为|有|包括|：|，)")
LIFTS = re.compile("(?:解除|取消|撤销)[^，；。]*$")
GRADE = re.compile("(?:气象)?(?:风险|灾害)?(?:等级|级别)")
BESIDE = re.compile("(?:伴有?|引发|伴随|导致|及|和|、)$")


class Entry(NamedTuple):
    """A hazard with its colour, where they stand, and the spans of its areas."""

    hazard: str
    level: str | None
    spans: tuple[Span, ...]
    areas: tuple[Span, ...]


def entries(
    clean: Clean, end: int, words: Lexicon, found: list[Mention], head: Head, scopes: list[Span]
) -> list[Entry]:
    """One entry for each hazard and colour in force after the text, in order of appearance."""
    kept = _in_force(clean.text, found, head, words)
    if not kept:
        return _unnamed(clean, words, scopes)
    whole = "".join(m.hazard for m in kept)
    own = _own(clean, end, words, kept, scopes, whole)
    common = _common(clean, end, words, scopes, whole)
    merged: dict[tuple[str, str | None], tuple[str, list[Span], list[Span]]] = {}
    for mention, areas in zip(kept, own, strict=True):
        key = signals.known(words, mention.hazard), mention.level
        _, spans, theirs = merged.setdefault(key, (mention.hazard, [], []))
        spans.append(mention.span)
        theirs += areas
    return [
        Entry(hazard, level, tuple(spans), tuple(areas or common))
        for (_, level), (hazard, spans, areas) in merged.items()
    ]


def _in_force(text: str, found: list[Mention], head: Head, words: Lexicon) -> list[Mention]:
    """Without what this text lifts beside what it issues, and without a hazard's name where its colours follow."""
    coloured = {signals.known(words, m.hazard) for m in found if m.level}
    kept = [m for m in found if m.level or signals.known(words, m.hazard) not in coloured]
    if head.action == heads.LIFT:
        return kept
    stands = [
        m for m in kept if m.becomes != "lifted" and not LIFTS.search(text, max(0, m.span[0] - 60), m.span[0])
    ]
    return stands or kept


def _own(
    clean: Clean, end: int, words: Lexicon, kept: list[Mention], scopes: list[Span], whole: str
) -> list[list[Span]]:
    """For each mention the areas that stand beside it: what is expected where up to it, right before it, listed after it."""
    found: list[list[Span]] = []
    last = 0
    for i, mention in enumerate(kept):
        begin, stop = mention.span
        areas = _segment(clean, words, scopes, (last, begin), whole) or places.target(
            clean, _opening(clean.text, last, begin), begin
        )
        last = stop
        if not areas:
            areas = _following(clean, stop, kept[i + 1].span[0] if i + 1 < len(kept) else end)
            last = areas[-1][1] if areas else stop
        found.append(areas)
    return found


def _segment(clean: Clean, words: Lexicon, scopes: list[Span], span: Span, whole: str) -> list[Span]:
    """Where the text expects the weather between the last signal, or the start of the sentence, and this one."""
    start = max(span[0], *(clean.text.rfind(mark, *span) + 1 for mark in END))
    near = scopes[max(0, bisect_left(scopes, (start, 0)) - 1) : bisect_left(scopes, (span[1], 0))]
    parts = [(max(a, start), min(b, span[1])) for a, b in near if b > start]
    return places.expected(clean, parts, tuple(words.ids), whole, open_end=True)


def _opening(text: str, last: int, begin: int) -> int:
    """Where the words right before a signal begin: after the verb, the time, or the mark that part them from it."""
    start = max(last, begin - 160)
    start = max(start, *(text.rfind(mark, start, begin) + 1 for mark in "，；：。！】"))
    hidden = times.masked(text[start:begin])
    verb = max((m.end() for m in OPENS.finditer(hidden)), default=0)
    return start + max(verb, hidden.rfind("\0") + 1)


def _following(clean: Clean, start: int, stop: int) -> list[Span]:
    """The list right after a signal: 橙色预警：A、B."""
    match = AFTER.match(clean.text, start, stop)
    if not match:
        return []
    found: list[Span] = []
    ends = [i for mark in END if (i := clean.text.find(mark, match.end(), stop)) >= 0]
    last = min(ends, default=stop)
    for a, b in sentences.clauses(clean.text, match.end(), last):
        names = places.listed(clean, a, b)
        if names is None or (b == stop and stop < len(clean.text)):
            break
        found += names
    return found


def _common(clean: Clean, end: int, words: Lexicon, scopes: list[Span], whole: str) -> list[Span]:
    """The areas of the whole text: its list of areas, else where it expects the weather."""
    listed = [span for _, spans in places.labelled(clean, 0, end) for span in spans]
    return listed or places.expected(clean, scopes, tuple(words.ids), whole)


def _unnamed(clean: Clean, words: Lexicon, scopes: list[Span]) -> list[Entry]:
    """A text that names no signal: the hazard that it expects, without a colour; one entry for each grade of it."""
    text = clean.text
    if not sentences.FORECAST.search(text):
        return []
    found: list[Entry] = []
    last = 0
    for match in (m for span in scopes for m in words.hazard.finditer(text, *span)):
        if BESIDE.search(text, max(0, match.start() - 3), match.start()):
            continue
        graded = GRADE.match(text, match.end())
        if graded:
            areas = _segment(clean, words, scopes, (last, match.start()), match["h"])
        elif found:
            continue
        else:
            areas = places.expected(clean, scopes, tuple(words.ids), match["h"])
        last = match.end()
        found.append(Entry(match["h"], None, (match.span("h"),), tuple(areas)))
        if not graded:
            break
    return found
