"""时间 Moments in warning texts: local, as precise as written; what the text leaves out stays out, never guessed."""

from __future__ import annotations

import calendar
import re
from itertools import pairwise
from typing import NamedTuple

from fengsui.formats.texts.cleaned import Span

DIGITS = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2}
NUMBER = r"(?:\d{1,3}|[〇零一二三四五六七八九十两廿卅]{1,4})"
TWO = r"(?:\d{1,2}|[〇零一二三四五六七八九十两廿卅]{1,3})"
LONG_PART = "(?:凌晨|清晨|早晨|早上|上午|中午|正午|午后|下午|傍晚|晚上|晚间|夜间|夜里|上半夜|前半夜|下半夜|后半夜|半夜|午夜|白天)"
PART = f"(?:{LONG_PART}|早|晚|夜)"
DAYS = {
    "今天": 0, "今日": 0, "当日": 0, "当天": 0, "明天": 1, "明日": 1, "次日": 1, "翌日": 1, "第二天": 1, "后天": 2,
    "今晨": 0, "今晚": 0, "今夜": 0, "明晨": 1, "明晚": 1}  # fmt: skip
LATE = ("下午", "傍晚", "晚", "午后", "夜", "前半夜", "上半夜")
NOW = r"(?:未来|今后|接下来|后续)的?"

DATE = rf"""
    (?:(?P<y>\d{{4}}|[〇零一二三四五六七八九]{{4}}|\d\d(?=年\d+月))年)?(?:(?P<mo>{TWO})月)?
    (?<![第来后近续去])(?P<d>{TWO})(?:[日号](?!台风|强台风|超强|热带|洪|线|楼|桥|内)|(?P<bare>(?=[至到-]{TWO}[日号])))
  | (?<!\d)(?P<y2>\d{{4}})[-/.](?P<mo2>\d{{1,2}})[-/.](?P<d2>\d{{1,2}})日?
  | (?P<mo4>\d{{1,2}})[-/](?P<d4>\d{{1,2}})(?=\ \d{{1,2}}：\d\d)
  | (?P<y3>\d{{4}})年(?P<mo3>{TWO})月(?![\d份])
"""
CLOCK = rf"""
    [T\ ]?(?P<h>{TWO})(?:时|点钟?)(?!段|次|刻)(?:(?P<mi>{TWO})分(?!钟)|(?P<half>半)|整|(?P<mi2>\d\d)(?![\d.级毫℃度米小个分-]))?(?:(?P<s>{TWO})秒)?
  | [T\ ]?(?P<h2>\d{{1,2}})：(?P<mi3>\d\d)(?:：(?P<s2>\d\d))?(?!\d)
"""
NUMERAL = "[〇零一二三四五六七八九十两廿卅]"
MOMENT = re.compile(
    rf"(?<!\d)(?<!{NUMERAL}(?={NUMERAL}))(?:{DATE}|(?P<rel>{'|'.join(DAYS)}))?(?P<part>{PART}{{0,2}})(?:{CLOCK})?",
    re.VERBOSE,
)
STARTS = re.compile("[0-9〇零一二三四五六七八九十两廿卅今当明次翌第后凌清早上中正午下傍晚夜前半白]")
JOIN = re.compile(r"(?:前后|左右|起|开始|期间)*(?:持续|延续|截止|截至)?(?:至|到|-{1,2})")
UNTIL = re.compile(r"(?:持续|延续|截止|截至|有效|有效期|时间)?(?:至|到|-)$")
HOURS = re.compile(
    rf"(?P<now>{NOW})(?P<a>{NUMBER})个?(?:小时)?(?P<range>[-至到](?:{NUMBER}))?个?小时"
    rf"|(?P<b>{NUMBER})(?P<range2>[-至到](?:{NUMBER}))?个?小时(?:之内|以内|内)"
    rf"|(?:时效|有效期|有效时间|有效时段|有效时长)(?:限)?[为：是]?(?P<c>{NUMBER})个?小时"
)
PAST = re.compile(r"(?:过去|近|前|最近|此前|已|最大|其中|每|连续|累计|滑动|任意)的?$")


class Moment(NamedTuple):
    """A point in time as written, and where; None for what is not there. ahead: days after the day of issue (明天)."""

    year: int | None
    month: int | None
    day: int | None
    hour: int | None
    minute: int | None
    second: int | None
    ahead: int | None
    span: Span

    def iso(self) -> str:
        """``2021-07-17T14:40``, ``--07-17T14:40``, ``---24T11:19``, ``T10:39``, ``2015-08-28T17``, ``2024-01-21``."""
        year = "-" if self.year is None else f"{self.year:04}"
        month = "" if self.month is None else f"{self.month:02}"
        date = "" if self.month is None and self.day is None else f"{year}-{month}"
        date += "" if self.day is None else f"-{self.day:02}"
        clock = "".join(f":{n:02}" for n in (self.hour, self.minute, self.second) if n is not None)
        return date + (f"T{clock[1:]}" if clock else "")


class Valid(NamedTuple):
    """Where the text's validity was read: its ends as ISO, its length in hours; None for what is not there."""

    begin: str | None
    end: str | None
    hours: int | None
    spans: tuple[Span, ...]


def number(word: str) -> int:
    """A number in digits or Chinese numerals below a hundred, or a year digit by digit.

    >>> number("12"), number("十八"), number("二十四"), number("二〇二三")
    (12, 18, 24, 2023)
    """
    if word.isdigit():
        return int(word)
    word = word.replace("廿", "二十").replace("卅", "三十")
    if "十" not in word:
        return int("".join(str(DIGITS[c]) for c in word))
    tens, _, ones = word.partition("十")
    return 10 * (DIGITS.get(tens[-1:], 1)) + DIGITS.get(ones[:1], 0)


def moments(text: str, start: int = 0, end: int | None = None) -> list[Moment]:
    """Every point in time between two indices, in order; what no calendar or clock has is none."""
    end = len(text) if end is None else end
    found: list[Moment] = []
    at = start
    while begin := STARTS.search(text, at, end):
        match = MOMENT.match(text, begin.start(), end)
        moment = _moment(match) if match and match.end() > begin.start() else None
        if moment:
            found.append(moment)
        at = max(moment.span[1] if moment else 0, begin.end())
    return found


def _moment(match: re.Match[str]) -> Moment | None:
    def read(*names: str) -> int | None:
        return next((number(word) for name in names if (word := match[name])), None)

    year, month, day = read("y", "y2", "y3"), read("mo", "mo2", "mo3", "mo4"), read("d", "d2", "d4")
    hour, minute = read("h", "h2"), read("mi", "mi2", "mi3")
    ahead = DAYS.get(match["rel"] or "")
    if year is not None and year < 100:
        year += 2000
    if (day or month or hour) is None or not _exists(month, day, hour, minute):
        return None
    if match["half"]:
        minute = 30
    late = match["part"].startswith(LATE) or (match["rel"] or "").endswith(("晚", "夜"))
    if hour is not None and hour < 12 and late:
        hour += 12
    return Moment(year, month, day, hour, minute, read("s", "s2"), ahead, match.span())


def _exists(month: int | None, day: int | None, hour: int | None, minute: int | None) -> bool:
    return (
        1 <= (1 if month is None else month) <= 12
        and 1 <= (1 if day is None else day) <= 31
        and (hour or 0) <= 24
        and (minute or 0) <= 59
    )


def filled(moment: Moment, known: Moment | None, *, after: bool = False) -> Moment:
    """The moment with the parts of its date that the text gave before.

    after: it ends what ``known`` begins, so a smaller day lies in the next month.
    """
    if known is None:
        return moment
    year, month, day = moment.year, moment.month, moment.day
    if moment.ahead is not None:
        return _later(moment, known, moment.ahead)
    if month is None and day is None:
        return moment._replace(year=known.year, month=known.month, day=known.day)
    if month is None:
        month = known.month
        turn = after and month is not None and None not in (day, known.day) and (day or 0) < (known.day or 0)
        year = known.year if year is None else year
        if turn:
            month, year = (1, year + 1 if year else None) if month == 12 else ((month or 0) + 1, year)
        return moment._replace(year=year, month=month)
    if year is None and known.year is not None:
        turn = after and (month, day or 0) < (known.month or 0, known.day or 0)
        year = known.year + turn
    return moment._replace(year=year)


def _later(moment: Moment, known: Moment, days: int) -> Moment:
    """So many days after ``known``; without a year February has 28 or 29 days: then nothing is said of the date."""
    year, month, day = known.year, known.month, known.day
    if day is None:
        return moment
    day += days
    if month is None:
        return moment._replace(day=day) if day <= 28 else moment
    last = calendar.monthrange(year or 2023, month)[1]
    if day > last and month == 2 and year is None:
        return moment
    if day > last:
        day, month = day - last, month + 1
    if month > 12:
        month, year = 1, year + 1 if year else None
    return moment._replace(year=year, month=month, day=day)


def masked(text: str) -> str:
    """The text with NUL for every character of a moment: what is left is words."""
    chars = list(text)
    for moment in moments(text):
        start, end = moment.span
        chars[start:end] = "\0" * (end - start)
    return "".join(chars)


def validity(text: str, scopes: list[Span], issued: Moment | None) -> Valid | None:
    """When the warning holds, read in the parts of the text that look ahead; None where they do not say."""
    known = issued if issued and issued.day is not None else None
    begin: Moment | None = None
    end: Moment | None = None
    hours: tuple[int, Span] | None = None
    for scope in scopes:
        if begin is None and end is None:
            begin, end = _stretch(text, scope, known)
            if known is None and any(m and m.ahead is not None for m in (begin, end)):
                begin = end = None  # 今天20时 of no known day
        hours = hours or _hours(text, scope)
    if begin is None and end is None and hours is None:
        return None
    spans = tuple(m.span for m in (begin, end) if m) + ((hours[1],) if hours else ())
    return Valid(begin and begin.iso(), end and end.iso(), hours and hours[0], spans)


def _stretch(text: str, scope: Span, known: Moment | None) -> tuple[Moment | None, Moment | None]:
    """The first from–to of a scope, or the first until."""
    found = moments(text, *scope)
    for first, second in pairwise(found):
        if _dated(first) and JOIN.fullmatch(text, first.span[1], second.span[0]):
            begin = filled(first, known)
            return begin, filled(second, begin if _dated(begin) else known, after=True)
    for moment in found:
        if UNTIL.search(text, max(scope[0], moment.span[0] - 8), moment.span[0]) and (
            moment.day is not None or moment.hour is not None
        ):
            return None, filled(moment, known, after=True)
    return None, None


def _dated(moment: Moment) -> bool:
    """Whether it names a date or a clock, not only 今天夜间."""
    return moment.day is not None or moment.hour is not None


def _hours(text: str, scope: Span) -> tuple[int, Span] | None:
    for match in HOURS.finditer(text, *scope):
        if match["range"] or match["range2"]:
            continue
        if match["b"] and PAST.search(text, max(scope[0], match.start() - 4), match.start()):
            continue
        return number(match["a"] or match["b"] or match["c"]), match.span()
    return None
