"""分区 Regions: which areas each signal of a text has — its own where they stand beside it, else those of the text."""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import zip_longest
from typing import NamedTuple

from fengsui.formats.texts import heads, lexis, places, sentences, signals, times
from fengsui.formats.texts.cleaned import END, Clean, Span
from fengsui.formats.texts.heads import Head
from fengsui.formats.texts.signals import Lexicon, Mention

OPENS = re.compile(heads.VERB.pattern + f"|{lexis.WILL}|把|对")
AFTER = re.compile("(?:（[^（）]{1,12}）)?(?:区域|地区|范围)?(?:为|有|包括|：|，)")
JOINED = re.compile("(?:、|和|与|及|以及|，)?")
LIFTS = re.compile("(?:解除|取消|撤销)[^，；。]*$")
GRADE = re.compile("(?:气象)?(?:风险|灾害)?(?:等级|级别)")
BESIDE = re.compile("(?:伴有?|引发|伴随|导致|及|和|、)$")


class Entry(NamedTuple):
    """A hazard with its colour, where they stand, and the spans of its areas."""

    hazard: str
    level: str | None
    spans: tuple[Span, ...]
    areas: tuple[Span, ...]


class Ground(NamedTuple):
    """What areas are read from: the text up to its advice, the names of hazards, the parts that look ahead."""

    clean: Clean
    end: int
    words: Lexicon
    scopes: list[Span]

    def expected(self, scopes: list[Span], hazards: str, *, open_end: bool = False) -> list[Span]:
        """Where some parts of the text expect the weather of these hazards."""
        return places.expected(self.clean, scopes, tuple(self.words.ids), hazards, open_end=open_end)


def entries(ground: Ground, found: list[Mention], head: Head) -> list[Entry]:
    """One entry for each hazard and colour in force after the text, in order of appearance."""
    kept = _in_force(ground, found, head)
    if not kept:
        return _unnamed(ground)
    hazards = "".join(m.hazard for m in kept)
    own = _own(ground, kept, hazards)
    taken = {span for areas in own for span in areas}
    common = [span for span in _common(ground, hazards) if span not in taken]
    merged: dict[tuple[str, str | None], tuple[str, list[Span], list[Span]]] = {}
    for mention, areas in zip(kept, own, strict=True):
        key = signals.known(ground.words, mention.hazard), mention.level
        _, spans, theirs = merged.setdefault(key, (mention.hazard, [], []))
        spans.append(mention.span)
        theirs += areas
    return [
        Entry(hazard, level, tuple(spans), tuple(areas or common))
        for (_, level), (hazard, spans, areas) in merged.items()
    ]


def _in_force(ground: Ground, found: list[Mention], head: Head) -> list[Mention]:
    """Without what this text lifts beside what it issues, and without a hazard's name where its colours follow."""
    text, words = ground.clean.text, ground.words
    coloured = {signals.known(words, m.hazard) for m in found if m.level}
    kept = [m for m in found if m.level or signals.known(words, m.hazard) not in coloured]
    if head.action == heads.LIFT:
        return kept
    stand = [m for m in kept if m.becomes != "lifted" and not _lifts(text, m.span[0])]
    return stand or kept


def _lifts(text: str, begin: int) -> bool:
    """Whether the words before an index lift what stands there."""
    return bool(LIFTS.search(text, max(0, begin - 60), begin))


def _own(ground: Ground, kept: list[Mention], hazards: str) -> list[list[Span]]:
    """For each mention the areas beside it: where the text up to it expects the weather, before it, after it."""
    clean = ground.clean
    found: list[list[Span]] = []
    last = 0
    for mention, following in zip_longest(kept, kept[1:]):
        begin, stop = mention.span
        areas = _segment(ground, (last, begin), hazards) or places.target(
            clean, _opening(clean.text, last, begin), begin
        )
        last = stop
        if not areas:
            areas = _following(clean, stop, following.span[0] if following else ground.end)
            last = areas[-1][1] if areas else stop
        found.append(areas)
    for i in range(len(kept) - 2, -1, -1):  # 暴雨橙色和雷电黄色预警信号，预警区域：… is of both
        if not found[i] and JOINED.fullmatch(clean.text, kept[i].span[1], kept[i + 1].span[0]):
            found[i] = found[i + 1]
    return found


def _segment(ground: Ground, span: Span, hazards: str) -> list[Span]:
    """Where the text expects the weather between the last signal, or the start of the sentence, and this one."""
    scopes = ground.scopes
    start = max(span[0], *(ground.clean.text.rfind(mark, *span) + 1 for mark in END))
    near = scopes[max(0, bisect_left(scopes, (start, 0)) - 1) : bisect_left(scopes, (span[1], 0))]
    parts = [(max(a, start), min(b, span[1])) for a, b in near if b > start]
    return ground.expected(parts, hazards, open_end=True)


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
        if clean.text[b : b + 1] == "：":  # what a list is of: 预警区域：
            continue
        names = places.listed(clean, a, b)
        if names is None or (b == stop and stop < len(clean.text)):
            break
        found += names
    return found


def _common(ground: Ground, hazards: str) -> list[Span]:
    """The areas of the whole text: its list of areas, else where it expects the weather."""
    return places.labelled(ground.clean, ground.end) or ground.expected(ground.scopes, hazards)


def _unnamed(ground: Ground) -> list[Entry]:
    """A text that names no signal: the hazard that it expects, without a colour; one entry for each grade of it."""
    text = ground.clean.text
    if not sentences.FORECAST.search(text):
        return []
    found: list[Entry] = []
    last = 0
    for match in (m for span in ground.scopes for m in ground.words.hazard.finditer(text, *span)):
        if BESIDE.search(text, max(0, match.start() - 3), match.start()):
            continue
        graded = GRADE.match(text, match.end())
        if found and not graded:
            continue
        span = (last, match.start())
        areas = _segment(ground, span, match["h"]) if graded else ground.expected(ground.scopes, match["h"])
        found.append(Entry(match["h"], None, (match.span("h"),), tuple(areas)))
        last = match.end()
        if not graded:
            break
    return found
