"""地名 Places of a text: lists of names parted and trimmed, found by what stands around them; no gazetteer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise, zip_longest

from fengsui.formats.texts import lexis, times
from fengsui.formats.texts.cleaned import Clean, Span
from fengsui.formats.texts.sentences import clauses

WHERE = lexis.one_of(lexis.SIDE, lexis.LAND, lexis.NEAR)
BELONGS = re.compile(f"(?:大部分?|{WHERE})*+")
"""What is no name of its own: 和 before it parts nothing, 忻州西部和东部山区 is one."""

NO_NAME = re.compile(f"{lexis.one_of(WHERE, lexis.TOWN)}*+(?:(?:大部|部分|所有|全部|其余|各).*)?")
"""What 我市 stays before; before a proper name it falls away."""

NOTE = re.compile("（[^（）]{1,24}）")
NAME = re.compile(f"{lexis.HAN}(?:{lexis.HAN}|、){{0,30}}")
STOP = re.compile(lexis.STOP)
PLACE = re.compile(lexis.PLACE)
REFERENCE = re.compile(lexis.REFERENCE)
DEIXIS = re.compile("(?:我|本)[省市县区旗州盟镇乡](?=.)")
UNIT_WORD = re.compile("(?:乡|镇|街道|街道办|县|市|区|旗|团场)(?:（[^（）]*）)?")
PARTS = re.compile("、|，|；|…+|以及|和|及|与")
MARKS = re.compile("[（）]|" + PARTS.pattern)
TOWN = re.compile(f"(?=({lexis.HAN}{{2}})(?:[省市县区旗州盟]|气象|地区))")
BEFORE = re.compile(f"{lexis.BEFORE}+")
AFTER = re.compile(f"{lexis.AFTER}$")
EXCEPT = re.compile("除[^外]*$")
OPENING = re.compile(f"{lexis.OPENING}+")
HEIGHT = re.compile(
    "海拔\\d{1,5}米?以[上下]的?(?:地区|山区|路段|区域)?"
    f"|(?<!{lexis.HAN}{{2}})\\d{{1,4}}个{lexis.one_of(lexis.UNIT)}(?:（[^（）]*）)?"
)
"""Figures that belong to a name: 海拔1800米以上路段, 19个区县."""

OBJECT = re.compile("影响|波及|袭击|移入|进入|可致|出现在|集中在|主要在|位于|落区[为在：]")
OBJECT_ENDS = re.compile("可能|将|发生|出现|带来|有|造成|的|并")
SECOND, RISKY, OFFICES = re.compile(lexis.SECOND), re.compile(lexis.RISKY), re.compile(lexis.OFFICES)
BESIDE = re.compile(f"(?:目前|现|{lexis.WILL}|对|把|由|{lexis.FROM}|起|了|同时|以及|其中|的|在|、)+")
OFFICE = re.compile("(?:[台局厅站]|办公室|指挥部)$")
LABEL = re.compile(
    "(?:(?:预警|影响|防御|涉及|覆盖)(?:信号)?(?:区域|范围|地区|乡镇|区(?=[：为]))|(?<=[。，；（])(?:区域|范围|落区))(?:主要)?"
    "(?:(?:调整|变更|更新|扩大|修改)[为至到]|新?增加?(?=[：为])|为|是|：|包括)+"
)
LABEL_ENDS = re.compile("[。！？]|……")


@lru_cache(8)
def _predicate(names: tuple[str, ...]) -> re.Pattern[str]:
    """How a predicate begins; hazards of a pack begin one too."""
    return re.compile(lexis.one_of(lexis.VERBS, lexis.WEATHER, lexis.WHEN, *map(re.escape, names)))


def listed(clean: Clean, start: int, end: int, *, shown: bool = True) -> list[Span] | None:
    """The names of a list of places, trimmed; [] where it only refers to some; None if it is no such list.

    shown: a single bare word is not enough, something must show that it is a place.
    """
    text = clean.text
    found: list[Span] = []
    known = not shown
    for a, b in _pieces(clean, start, end):
        name = _trimmed(text, a, b)
        if name is None:
            continue
        if not _is_name(text[name[0] : name[1]]):
            return None
        found.append(name)
        known = known or name != (a, b) or _shows(text, text[name[0] : name[1]])
    return found if known or len(found) != 1 else None


def _shows(text: str, name: str) -> bool:
    """Whether a word is a place: it says so itself, or the text knows a county or an observatory of that name."""
    if PLACE.search(name) or NO_NAME.fullmatch(NOTE.sub("", name)):
        return True
    return name[:2] in _towns(text)


@lru_cache(1)
def _towns(text: str) -> frozenset[str]:
    """How the names begin, or end, that the text gives to counties, cities and observatories."""
    return frozenset(m[1] for m in TOWN.finditer(text))


def _is_name(name: str) -> bool:
    bare = HEIGHT.sub("高", NOTE.sub("", name))
    return bool(NAME.fullmatch(bare)) and not STOP.search(bare)


def _pieces(clean: Clean, start: int, end: int) -> list[Span]:
    """The list parted at its marks and words; a word parts only where a name begins after it."""
    text = clean.text
    cuts: list[Span] = []
    depth, at = 0, start
    for match in MARKS.finditer(text, start, end):
        a, b = match.span()
        if match[0] in "（）":
            depth = max(0, depth + (1 if match[0] == "（" else -1))
        elif depth == 0 and (match[0][0] in "、，；…" or _parts(text[at:a], text[b:end])):
            cuts.append((at, a))
            at = b
    cuts.append((at, end))
    if len(cuts) == 1 and clean.gaps:
        cuts = _gapped(clean, start, end)
    return _rejoined(text, [(a, b) for a, b in cuts if a < b])


def _parts(left: str, right: str) -> bool:
    """Whether 和, 及, 与 between two words part two names: 和平县 and 忻州西部和东部山区 stay whole."""
    right = right[:1] + PARTS.split(right[1:], maxsplit=1)[0]
    if len(left) < 2 or EXCEPT.match(left) or BELONGS.fullmatch(_cut(right)):
        return False
    return len(right) > 1 or bool(PLACE.search(left))


def _cut(name: str) -> str:
    match = AFTER.search(name)
    return name[: match.start()] if match and match.start() else name


def _gapped(clean: Clean, start: int, end: int) -> list[Span]:
    """Names parted by blanks alone."""
    marks = [start, *(g for g in sorted(clean.gaps) if start < g < end), end]
    spans = list(pairwise(marks))
    return spans if all(b - a > 1 for a, b in spans) else [(start, end)]


def _rejoined(text: str, pieces: list[Span]) -> list[Span]:
    """所有乡、镇（街道） is one; so is what stands between 除 and 以外."""
    found: list[Span] = []
    for a, b in pieces:
        if found and (UNIT_WORD.fullmatch(text, a, b) or EXCEPT.match(text[found[-1][0] : found[-1][1]])):
            found[-1] = (found[-1][0], b)
        else:
            found.append((a, b))
    return found


def _trimmed(text: str, start: int, end: int) -> Span | None:
    """A name without the words around it; None where nothing is left, or only a reference."""
    if match := BEFORE.match(text[start:end]):
        start += match.end()
    for _ in range(3):
        if REFERENCE.match(text[start:end]):
            return None
        match = AFTER.search(text[start:end])
        if not match or match.end() == match.start():
            break
        end = start + match.start()
    ours = DEIXIS.match(text, start, end)
    if ours and not NO_NAME.fullmatch(HEIGHT.sub("山区", NOTE.sub("", text[ours.end() : end]))):
        start = ours.end()
    return (start, end) if end - start > 1 else None


def labelled(clean: Clean, end: int) -> list[Span]:
    """The names of every list after 预警区域： or the like."""
    found: list[Span] = []
    labels = list(LABEL.finditer(clean.text, 0, end))
    for label, following in zip_longest(labels, labels[1:]):
        last = following.start() if following else end
        stop = LABEL_ENDS.search(clean.text, label.end(), last)
        for a, b in clauses(clean.text, label.end(), stop.start() if stop else last, "，；"):
            names = listed(clean, a, b, shown=False)
            if names is None:
                break
            found += names
    return found


def target(clean: Clean, start: int, end: int) -> list[Span]:
    """The places between two indices, right before a signal: 将平山街道、宝口镇暴雨…."""
    if match := BESIDE.match(clean.text, start, end):
        start = match.end()
    if start >= end or OFFICE.search(clean.text[start:end]):
        return []
    return listed(clean, start, end) or []


def expected(
    clean: Clean, scopes: Iterable[Span], names: tuple[str, ...], hazards: str, *, open_end: bool = False
) -> list[Span]:
    """The places where the text expects the weather, in the parts of it that look ahead.

    names: hazard names, with which a predicate may begin; hazards: those of the warning itself, for what follows
    from it (…引发山洪) warns nowhere. open_end: the last clause is cut off by a level, and still counts.
    """
    found: list[Span] = []
    predicate = _predicate(names)
    for start, end in scopes:
        pending: list[Span] = []
        for a, b in clauses(clean.text, start, end):
            if OFFICES.search(clean.text, a, b) or (
                SECOND.search(clean.text, a, b) and not RISKY.search(hazards)
            ):
                pending = []
                continue
            ends, here = _clause(clean, a, b, predicate)
            if here is None:
                pending = []
            elif ends:
                found += pending + here
                pending = []
            else:
                pending += here
        if open_end:
            found += pending
    return found


def _clause(clean: Clean, start: int, end: int, predicate: re.Pattern[str]) -> tuple[bool, list[Span] | None]:
    """Whether a clause says what is expected, and the places it names before that; None where it names no place."""
    text = clean.text
    hidden = times.masked(text[start:end])
    lead = OPENING.match(hidden)
    begin = start + (lead.end() if lead else 0)
    if begin >= end:
        return False, []
    offset = begin - start
    quiet = HEIGHT.sub(lambda m: "高" * len(m[0]), hidden)
    match = predicate.search(quiet, offset)
    if not match:
        return False, listed(clean, begin, end)
    stop = start + match.start()
    places = listed(clean, begin, stop, shown=match[0] not in ("局部", "局地")) if begin < stop else []
    if places:
        return True, places
    objects = _objects(clean, stop, end)
    return True, objects or places


def _objects(clean: Clean, start: int, end: int) -> list[Span]:
    """Places that what comes moves to: 将影响我市北部, 可致晋中南部发生山洪."""
    match = OBJECT.search(clean.text, start, end)
    if not match:
        return []
    tail = OBJECT_ENDS.search(clean.text, match.end(), end)
    return listed(clean, match.end(), tail.start() if tail else end) or []
