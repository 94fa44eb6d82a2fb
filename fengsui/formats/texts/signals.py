"""信号 Signals named in a text: hazard and colour as written, where, and whether another one replaces them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import zip_longest
from typing import NamedTuple

from fengsui.core.tables import Hazard
from fengsui.formats.texts.cleaned import Span
from fengsui.formats.texts.sentences import MIGHT, clauses, sentences

COLOURS = {"红": "red", "橙": "orange", "黄": "yellow", "蓝": "blue", "白": None}
"""Colour as written → level; some provinces have a white signal of typhoons, which is no level of ours."""
GENERIC = ("气象风险", "灾害", "气象", "风险", "天气")
"""Words that lengthen a hazard's name and change nothing: 山洪灾害 = 山洪灾害气象风险."""

TAIL = "(?:灾害|气象|风险|天气|等级|级别|短临|临近|潜势|预报)*"
RANK = "(?:[（【]?(?:[ⅠⅡⅢⅣ]|I{1,3}V?|IV|[一二三四1-4])级[/、，]?(?:特别严重|特别重大|严重|重大|较重|较大|一般)?[）】]?)?"
WARNING = "(?:气象风险)?(?:预警|警报)(?:信号)?"
UP = "升级(?:发布)?(?:为|至|成|到)|升(?:级)?为|升至|(?:提升|提高|上调|上升)(?:为|至|到)"
DOWN = "(?:降级|降低|下调|调降)(?:发布)?(?:为|至|到)|降(?:级)?为|降至"
CHANGE = "(?:变更|调整|更改|更新|转)(?:发布)?(?:为|至|成)"
BECOMES = re.compile(
    f"(?:等级|级别|信号)?(?:(?:由|从)[红橙黄蓝白]色(?:预警)?(?:信号)?)?(?:联合)?(?:(?P<up>{UP})|(?P<down>{DOWN})|(?P<change>{CHANGE}))"
)
TURNS = ("up", "down", "change")
TURNED = re.compile(f"(?:(?P<up>{UP})|(?P<down>{DOWN})|(?P<change>{CHANGE}))$")
LIFTED = re.compile("(?:(?:于|在|自)[^，。；]{1,16})?(?:予以|现予|现已|已经?|正式|全部)?(?:解除|取消|撤销)")
KEEPS = re.compile("(?:仍然?|继续|维持|已经?|依然|保持)(?:生效|有效|不变)")
SEA = ("海上", "海区", "近海", "海洋", "内河", "湖区", "森林草原", "草原")
"""Words that make another hazard of a known one: 海上大风 is no 大风 of the pack."""

STANDS = re.compile("(?:发布|变更|更新|解除|取消|[：】、将])$")
"""What stands before a hazard's name when it is not the end of a place: 发布湖区大风, but 东湖区大风."""

HAN = "[一-鿿]"
PLACE_END = re.compile("^.*[省市县区旗州盟乡镇村](?=..)")
NAMED = re.compile(f"(?:(?<=发布)|(?<=变更)|(?<=解除)|(?<=更新)|(?<=[【：]))({HAN}{{2,20}})$")
OPENING = re.compile(f"({HAN}{{2,20}})$")
NOT_A_HAZARD = re.compile(
    "维持|继续|启动|实施|执行|升级|降级|达到?|其中|目前|仍|均|全[市县区省]|发布|解除|本|该|此|以上|信息|预警|多条|最高|相应|以及|或|和"
)


class Mention(NamedTuple):
    """A signal where the text names it.

    hazard: as written, "" where only a colour stands; level: None without a colour. becomes: what the words right
    after it say happens to it (up, down, change, lifted, keeps); verb: where they stand. near: the hazard's name in
    the same clause, for a colour alone.
    """

    hazard: str
    level: str | None
    span: Span
    becomes: str = ""
    verb: Span | None = None
    near: str = ""


class Lexicon(NamedTuple):
    """The hazard names of a pack, as patterns. ids: name → id."""

    ids: dict[str, str]
    hazard: re.Pattern[str]
    signal: re.Pattern[str]
    listed: re.Pattern[str]


def lexicon(hazards: Mapping[str, Hazard]) -> Lexicon:
    """How a pack's hazards are called in texts: names, aliases, and both without the words that change nothing."""
    ids: dict[str, str] = {}
    for hazard in hazards.values():
        for name in (hazard.name, *hazard.aliases):
            for form in _forms(name):
                ids.setdefault(form, hazard.id)
    return _lexicon(tuple(sorted(ids.items())))


def _forms(name: str) -> list[str]:
    """A name, and what is left of it without its generic end."""
    forms = [name]
    for word in GENERIC:
        if len(short := forms[-1].removesuffix(word)) > 1:
            forms.append(short)
    return forms


@lru_cache(8)
def _lexicon(pairs: tuple[tuple[str, str], ...]) -> Lexicon:
    ids = dict(pairs)
    known = "|".join(re.escape(n) for n in sorted(ids, key=lambda n: (-len(n), n)))
    name = f"(?:{known}){TAIL}"
    colour = "[红橙黄蓝白]"
    signal = re.compile(
        f"(?P<c1>{colour})色?(?P<h1>{name})(?={WARNING})(?:{WARNING})"
        f"|(?P<h2>{name})(?:{WARNING})?(?:等级|级别)?(?:为|是|达到?|：)?{RANK}[（【]?(?P<c2>{colour})(?:色|(?=预警|警报)){RANK}[）】]?(?:{WARNING})?"
        f"|(?P<h3>{name}){RANK}{WARNING}"
        f"|(?P<c4>{colour})色(?:[（【][^（）【】]{{1,8}}[）】])?{WARNING}"
        f"|(?:(?<=[为级至到成（达是])|(?<=级的))(?P<c5>{colour})色"
    )
    listed = re.compile(f"(?P<h>{name})(?:、|和|与|及|以及)$")
    return Lexicon(ids, re.compile(f"(?P<h>{known})"), signal, listed)


def known(words: Lexicon, written: str) -> str:
    """The id of a hazard as written; what the pack does not know stays as written."""
    for name in _forms(re.sub("(?:等级|级别|短临|临近|潜势|预报)+$", "", written)):
        if name in words.ids:
            return words.ids[name]
    return written


def mentions(text: str, start: int, end: int, words: Lexicon) -> list[Mention]:
    """Every signal named between two indices, in order; those that only might come are left out."""
    found: list[Mention] = []
    for first, last in sentences(text, start, end):
        for a, b in clauses(text, first, last, "，；"):
            if not MIGHT.search(text, a, b):
                found += _clause(text, a, b, words)
    return found


def _clause(text: str, start: int, end: int, words: Lexicon) -> list[Mention]:
    found: list[Mention] = []
    for match in words.signal.finditer(text, start, end):
        hazard = match["h1"] or match["h2"] or match["h3"] or ""
        colour = match["c1"] or match["c2"] or match["c4"] or match["c5"]
        level = COLOURS[colour] if colour else None
        begin = match.start()
        if hazard and not match["c1"]:
            begin, hazard = _longer(text, start, begin, hazard)
        if not hazard:
            begin, hazard = _unknown(text, max(start, found[-1].span[1] if found else start), begin)
        found += _joined(text, start, begin, level, words)
        near = (
            ""
            if hazard
            else next((m["h"] for m in words.hazard.finditer(text, max(start, begin - 60), begin)), "")
        )
        becomes, verb = _becomes(text, match.end(), end)
        if not becomes and (turned := TURNED.search(text, max(start, begin - 8), begin)):
            becomes, verb = turned.lastgroup or "", turned.span()
        found.append(Mention(hazard, level, (begin, match.end()), becomes, verb, near))
    return found


def _longer(text: str, start: int, begin: int, hazard: str) -> tuple[int, str]:
    """A known name that belongs to a longer one, which is another hazard."""
    for word in SEA:
        at = begin - len(word)
        if at >= start and text.startswith(word, at) and (at == start or STANDS.search(text, start, at)):
            return at, word + hazard
    return begin, hazard


def _joined(text: str, start: int, begin: int, level: str | None, words: Lexicon) -> list[Mention]:
    """Hazards listed before one with a colour share it: 暴雨、雷电黄色预警."""
    found: list[Mention] = []
    while match := words.listed.search(text, max(start, begin - 24), begin):
        begin = match.start()
        found.append(Mention(match["h"], level, match.span("h")))
    return found[::-1]


def _unknown(text: str, start: int, begin: int) -> tuple[int, str]:
    """The name before a colour that no pack knows, if one stands there after a verb or at the start of the clause."""
    window = text[max(start, begin - 24) : begin]
    run = NAMED.search(window) or (OPENING.match(window) if begin - start <= 24 else None)
    if not run or run[1][-1] in "为是达到级至成由于的":
        return begin, ""
    name = run[1].rsplit("发布", 1)[-1].rsplit("解除", 1)[-1]
    place = PLACE_END.match(name)
    name = name[place.end() :] if place else name
    if len(name) < 2 or len(name) > 12 or NOT_A_HAZARD.search(name):
        return begin, ""
    return begin - len(name), name


def _becomes(text: str, at: int, end: int) -> tuple[str, Span | None]:
    if match := BECOMES.match(text, at, end):
        return match.lastgroup or "", match.span()
    if match := LIFTED.match(text, at, end):
        return "lifted", match.span()
    match = KEEPS.match(text, at, end)
    return ("keeps", match.span()) if match else ("", None)


def meant(text: str, found: list[Mention]) -> list[Mention]:
    """Mentions as they are meant: a bare colour has the hazard named before it, and what one becomes replaces it."""
    kept: list[Mention] = []
    hazard = ""
    first: Mention | None = None  # what the next mention replaces
    for mention, after in zip_longest(found, found[1:]):
        hazard = mention.hazard or hazard or mention.near
        whole = mention._replace(hazard=hazard)
        if first:
            whole = whole._replace(
                span=(first.span[0], mention.span[1]), becomes=first.becomes, verb=first.verb
            )
        elif kept and _replaces(text, kept[-1], whole):
            kept.pop()
        first = None
        if after and _follows(text, mention, after):
            first = whole
        elif hazard:
            cut = mention.becomes in TURNS and mention.verb and mention.verb[0] >= mention.span[1]
            kept.append(whole._replace(level=None) if cut else whole)
    return kept


def _follows(text: str, first: Mention, second: Mention) -> bool:
    """Whether the second is what the first becomes: …升级为橙色, 更新蓝色预警为黄色预警."""
    if first.becomes in TURNS and first.verb and first.verb[0] >= first.span[1]:
        return second.span[0] - first.verb[1] <= 1
    between = text[first.span[1] : second.span[0]]
    return between in ("为", "至", "到", "成")


def _replaces(text: str, before: Mention, mention: Mention) -> bool:
    """Whether a later clause says what an earlier signal became: 发布蓝色预警，16时15分升级为黄色预警."""
    turned = mention.becomes in TURNS and mention.verb and mention.verb[1] <= mention.span[0]
    return (
        bool(turned)
        and before.hazard == mention.hazard
        and "。" not in text[before.span[1] : mention.span[0]]
    )
