"""清整 Cleaned text: full- and half-width as one, no blanks; every character still knows where it stood."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from typing import NamedTuple

Span = tuple[int, int]
"""Start and end; in a cleaned text unless said otherwise."""

END = "。！？"
MARKS = {
    ",": "，", ":": "：", ";": "；", "!": "！", "?": "？", "(": "（", ")": "）", "[": "【", "]": "】", "〔": "【",
    "〕": "】", "︰": "：", "~": "-", "～": "-", "〜": "-", "—": "-", "–": "-", "―": "-", "－": "-", "‐": "-",
    "﹣": "-", "−": "-", "○": "〇", "◯": "〇",
}  # fmt: skip
"""Marks that mean the same → the one that the grammar knows."""

PAIR = re.compile(r"(?<=[局厅台部办])[ \u3000](?=[一-鿿]{2,20}[局厅台部办])")
"""A blank between two offices, which parts them as 、 does."""

TITLE = ("预警", "信号", "警报", "】")
"""How a line ends that is a title though no mark closes it."""


class Clean(NamedTuple):
    """A text as the grammar sees it.

    at: for each character its index in ``raw``. gaps: indices before which a blank stood between two words.
    """

    raw: str
    text: str
    at: tuple[int, ...]
    gaps: frozenset[int]

    def original(self, span: Span) -> Span:
        """Where a span of the cleaned text stands in the text as given."""
        start, end = span
        return (self.at[start], self.at[end - 1] + 1) if start < end else (0, 0)

    def said(self, span: Span) -> str:
        """The words of a span as written, without blanks."""
        return "".join(self.raw[i] for i in self.at[span[0] : span[1]])


def clean(raw: str) -> Clean:
    """Cleaned text of any string; a line that is a title, and an empty line, end a sentence."""
    kept: list[str] = []
    at: list[int] = []
    gaps: set[int] = set()
    blanks = ""
    for i, char in enumerate(PAIR.sub("、", raw)):
        if char.isspace() or unicodedata.category(char) in ("Cf", "Cc"):
            blanks += char
            continue
        if blanks:
            if _ends(blanks, kept):
                kept.append("。")
                at.append(i - 1)
            elif kept and _word(kept[-1]) and _word(char):
                gaps.add(len(kept))
            elif kept and kept[-1].isdigit() and char.isdigit():
                kept.append(" ")  # 2024-01-21 08:00
                at.append(i - 1)
            blanks = ""
        kept.append(_same(char, kept, raw[i + 1 : i + 2]))
        at.append(i)
    words = sum(_word(a) and _word(b) for a, b in pairwise(kept))
    spaced = len(gaps) * 3 > words  # blanks between single characters part nothing
    if spaced:
        at = [i for i, char in zip(at, kept, strict=True) if char != " "]
        return Clean(raw, "".join(kept).replace(" ", ""), tuple(at), frozenset())
    return Clean(raw, "".join(kept), tuple(at), frozenset(gaps))


def _same(char: str, before: list[str], after: str) -> str:
    """The one form of a character; a full stop between digits stays a decimal point."""
    folded = unicodedata.normalize("NFKC", char)
    one = folded if len(folded) == 1 else char
    if one in ".．｡":
        inside = bool(before) and before[-1].isdigit() and after.isdigit()
        return "." if inside else "。"
    return MARKS.get(one, one)


def _ends(blanks: str, kept: list[str]) -> bool:
    """Whether these blanks end a sentence that no mark has ended."""
    if not kept or kept[-1] in END or "\n" not in blanks:
        return False
    return blanks.count("\n") > 1 or "".join(kept[-2:]).endswith(TITLE)


def _word(char: str) -> bool:
    return "一" <= char <= "鿿"
