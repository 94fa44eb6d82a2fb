"""句读 Sentences and clauses: where a text looks ahead, where it only reports, where its advice begins."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fengsui.formats.texts.cleaned import Span

SENTENCE = re.compile("[^。！？]+")
ADVICE = re.compile(
    "防御指南|防御措施|防御建议|防范措施|防范建议|防御提示|防御要点|防御知识|温馨提示|图例|标准[：为]|应急响应措施"
)
"""From here on a text tells what to do; it names hazards and areas that nobody warns of."""

TOLD = re.compile(
    "请|敬请|注意|谨防|做好|建议|提醒|(?:需|应|要|望)(?=要|当|注意|做好|及时|加强|尽量|立即|避免|采取|继续|各|有关|相关|广大|公众|市民|大家|密切|防)"
    "|(?:有关|相关)(?:部门|单位)|各(?:地|部门|有关|相关)(?!区)|公众|广大|人员|户外|尽量|密切|加强|切断|停止"
)
"""How a clause of advice begins."""

FORECAST = re.compile("预计|预报(?!台|中心|员|站|局)|预测(?!中心)|预期|预估")
SEEN = re.compile(
    "目前|过去|截[至止]|实况|监测|已经?(?!达标)|昨[天日夜晚]|前期|今晨以来|以来|出现了|刚刚|此前|近\\d+小时"
)
AHEAD = re.compile("将|可能|仍|有望|持续|未来|可达|会有|转为")
MIGHT = re.compile(
    "可能(?:会)?(?:升级|发布|变更)|不排除|适时|视情|必要时|如需|有可能(?:升级|发布)|或将(?:升级|发布)"
)
"""A level that might come is not in force."""

BRACKETS = {"（": 1, "）": -1, "【": 1, "】": -1}
NOTE = re.compile("（[^（）]{0,20}(?:来源|信息发布)[^（）]{0,40}）")


def body(text: str, start: int = 0) -> int:
    """Where the text's own statement ends: at the advice, or at the end."""
    found = ADVICE.search(text, start)
    return found.start() if found else len(text)


def sentences(text: str, start: int, end: int) -> Iterator[Span]:
    """Sentences between two indices, without their closing mark."""
    for match in SENTENCE.finditer(text, start, end):
        yield match.span()


def clauses(text: str, start: int, end: int, marks: str = "，；：") -> Iterator[Span]:
    """Clauses between two indices; a mark inside brackets parts nothing."""
    depth, at = 0, start
    for i in range(start, end):
        depth = max(0, depth + BRACKETS.get(text[i], 0))
        if depth == 0 and text[i] in marks:
            if at < i:
                yield at, i
            at = i + 1
    if at < end:
        yield at, end


def ahead(text: str, start: int, end: int) -> list[Span]:
    """The parts between two indices that look ahead, in order.

    In a sentence with 预计 what follows it, and what stands before it unless it reports; in any other sentence its
    clauses that do not report. Advice ends a sentence.
    """
    found: list[Span] = []
    whole = FORECAST.search(text, start, end)
    for first, last in sentences(text, start, end):
        stop = _advice(text, first, last)
        begins = FORECAST.search(text, first, stop)
        if begins:
            if not SEEN.search(text, first, begins.start()):
                found.append((first, begins.start()))
            found.append((begins.start(), stop))
        elif not SEEN.search(text, first, stop):
            if not whole or whole.start() < first or AHEAD.search(text, first, stop):
                found.append((first, stop))
        else:
            found += [
                (a, b)
                for a, b in clauses(text, first, stop)
                if AHEAD.search(text, a, b) and not SEEN.search(text, a, b)
            ]
    return [(a, b) for a, b in found if a < b]


def _advice(text: str, first: int, last: int) -> int:
    """Where advice begins in a sentence, or its end."""
    return next((a for a, b in clauses(text, first, last) if TOLD.match(text, a, b)), last)
