"""发布语 Heads: who issued, what was done, when — the units and the time that stand at the verb."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import NamedTuple

from fengsui.formats.texts import lexis, times
from fengsui.formats.texts.cleaned import Span
from fengsui.formats.texts.sentences import MIGHT, sentences
from fengsui.formats.texts.signals import Mention
from fengsui.formats.texts.times import Moment

ISSUE, AGAIN, CHANGE, UP, DOWN, LIFT, CORRECT = (
    "发布", "继续发布", "变更", "升级发布", "降级发布", "解除", "更正",
)  # fmt: skip

VERB = re.compile(
    "(?P<again>(?:继续|持续|延续)(?:联合)?发布|续发)"
    "|(?P<change>(?:变更|更新|更改)(?:联合)?(?:发布)?)"
    "|(?P<up>升级(?:联合)?发布)|(?P<down>降级(?:联合)?发布)"
    "|(?P<lift>解除|取消|撤销)|(?P<correct>更正(?:发布)?)"
    "|(?P<issue>发布|发出|签发)"
)
WORDS = {
    "again": AGAIN,
    "change": CHANGE,
    "up": UP,
    "down": DOWN,
    "lift": LIFT,
    "correct": CORRECT,
    "issue": ISSUE,
}
BECAME = {"up": UP, "down": DOWN, "change": CHANGE, "lifted": LIFT}
TAKES = re.compile(f"{lexis.WILL}|把|由|{lexis.FROM}|对")
"""What stands before the signal that becomes another: 将…升级为…."""

NOUN = re.compile("中心|系统|平台|工作|后|前|时间|时[,，：]|单位|渠道|台站|机构|制度|管理|为")
"""After 发布 in these it is no verb: 信息发布中心."""

WARNS = re.compile("[^，；：]{0,40}(?:预警|警报|提示|警示)")
HAN = "[一-鿿·×A-Za-z]"
OFFICE = "(?:台|局|厅|站|中心|部门|办公室|指挥部|委员会|政府|小组|管委会|办|委|院|所|署|处|总队|公司|(?<![东西南北中大局])部)"
UNIT = re.compile(f"{HAN}{{1,38}}{OFFICE}$")
NAME = re.compile(HAN)
LAST = frozenset("台局厅站心门室部会府组办委院所署处队司省市县区旗州盟乡镇")
JOINS = re.compile("、|和|与|以及|及|联合|会同")
NAMED = re.compile(f"{HAN}{{1,38}}(?:省|市|县|区|旗|州|盟|乡|镇)$")
NOT_NAMED = re.compile("^(?:我|全|本|各|该|对|将)|等|影响|预警|地区$|所有|[^省州盟市]区市$")
BEFORE = re.compile(
    "(?:于|在|宣布|决定|再次|首次|联合|共同|现|已|今年首次|紧急|已于|授权[^，。]{0,6}|最新|均|又|同时|，|：|对|将|把|由|从|针对|经[^，。]{1,20}(?:授权|同意|会商))$"
)
LEAD = re.compile(
    "^(?:(?:今天|今日|昨天|昨日|日前|当日|刚刚|目前|据悉|根据|据|经|由|又|另外|同时|更正|更新|最新消息|最新)(?=.{3}))+"
)
CAUSE = re.compile("^(?:受|因|由于|鉴于|随着|根据|据)[^，。]*?(?:影响|分析|要求|会商|研判|减弱|结束|消息)")
LABEL = re.compile(f"(?:发布单位|发布机构|发布台站|发布部门|发布者)[：为]((?:{HAN}|、){{2,80}})")
STAMP = re.compile("(?:发布时间|签发时间|发布日期|预警时间)[：为]")
DRILL = re.compile(
    "[【（][^【】（）]{0,12}演[练习][^【】（）]{0,12}[】）]|^[^，。：]{0,8}演[练习]|[为系属是][^，。]{0,6}演[练习]|演[练习](?:信息|开始|结束)"
)
"""Where a text calls itself an exercise; one that only asks for exercises is real."""

CORRECTION = re.compile("^[【（]?(?:更正|勘误)")


class Head(NamedTuple):
    """A place where a text says that something was issued.

    units: each issuing unit. end: where the verb ends, or the signal begins that has none. turns: it says
    what became of a signal that its sentence named before.
    """

    action: str | None
    verb: Span | None
    issuer: Span | None
    units: tuple[Span, ...]
    time: Moment | None
    end: int
    turns: bool = False

    @property
    def start(self) -> int:
        """Where it begins."""
        begins = [self.issuer and self.issuer[0], self.time and self.time.span[0], self.verb and self.verb[0]]
        return min((b for b in begins if b is not None), default=self.end)

    @property
    def weight(self) -> int:
        """How much it says: a unit counts more than a time, a unit of government more than a bare place."""
        return 4 * bool(self.units) + 2 * bool(self.issuer and not self.units) + bool(self.time)


NONE = Head(None, None, None, (), None, 0)
"""The head of a text that says nothing of who and when."""


def read(text: str, end: int, found: list[Mention]) -> Head | None:
    """The head that says most, the earlier one of equals; with what another part of the text adds to it."""
    hidden = times.masked(text[:end])
    heads = [head for span in sentences(text, 0, end) for head in _heads(text, hidden, span, found)]
    best = max(heads, key=lambda h: h.weight, default=None)
    if best is None:
        return _signed(text, hidden, end, None)
    best = _turned(text, best, heads)
    if best.action == ISSUE and CORRECTION.match(text):
        best = best._replace(action=CORRECT)
    return best if best.units and best.time else _signed(text, hidden, end, best)


def _turned(text: str, best: Head, heads: list[Head]) -> Head:
    """The head with what a later clause of its sentence says became of the signal: …发布，16时升级为…."""
    later = next((h for h in heads if h.turns and best.verb and h.verb and h.verb[0] >= best.verb[1]), None)
    if not (later and later.verb and best.verb) or best.action not in (ISSUE, AGAIN):
        return best
    if "。" in text[best.verb[1] : later.verb[0]]:
        return best
    time = times.filled(later.time, best.time) if later.time else best.time
    return best._replace(action=later.action, verb=later.verb, time=time)


def _begin(mention: Mention) -> int:
    return mention.span[0]


def _heads(text: str, hidden: str, span: Span, found: list[Mention]) -> list[Head]:
    """Every head of a sentence."""
    start, end = span
    here = found[bisect_left(found, start, key=_begin) : bisect_left(found, end, key=_begin)]
    heads = [h for m in VERB.finditer(text, start, end) if (h := _verb(text, hidden, span, m, here))]
    heads += [_became(text, hidden, start, m) for m in here if m.becomes in BECAME]
    if heads or not here:
        return heads
    first = here[0].span[0]
    bare = _before(text, hidden, start, _target(text, start, first))
    return [Head(None, None, *bare, end=first)] if bare[1] else []


def _verb(text: str, hidden: str, span: Span, match: re.Match[str], here: list[Mention]) -> Head | None:
    """The head at a verb, if the verb is one: a signal follows it, or a unit stands right before it."""
    begin, end = match.span()
    kind = match.lastgroup or "issue"
    if NOUN.match(text, end) or MIGHT.search(text, max(span[0], begin - 6), min(end + 2, span[1])):
        return None
    index = bisect_left(here, end, key=_begin)
    follows = here[index].span[0] if index < len(here) else None
    near = follows is not None and follows - end <= 80 and not re.search("[，；：]", text[end:follows])
    issuer, units, time = _before(text, hidden, span[0], begin)
    if (
        near
        and follows is not None
        and re.search("做好|及时|关注|通过", text[max(span[0], begin - 4) : begin])
    ):
        return None
    closes = end == span[1] or text[end] in "，：；）】" or WARNS.match(text, end, span[1])
    if not near and not (units and closes):
        return None
    return Head(WORDS[kind], (begin, end), issuer, units, time, end)


def _became(text: str, hidden: str, start: int, mention: Mention) -> Head:
    """The head of 将…升级为…, whose verb stands after the signal, or of 升级为…, which goes on from before."""
    action, verb, end = BECAME[mention.becomes], mention.verb, mention.span[0]
    goes_on = verb is not None and verb[0] < end
    begins = [m.start() for m in TAKES.finditer(text, max(start, end - 120), end)][:8] or [end]
    if goes_on and verb:
        begins = [verb[0]]
    heads = [Head(action, verb, *_before(text, hidden, start, at), at) for at in begins]
    best = max(heads, key=lambda h: h.weight)
    return best._replace(turns=not best.units and (goes_on or mention.becomes == "lifted"))


def _target(text: str, start: int, end: int) -> int:
    """Where a signal without a verb begins that a place may precede."""
    return max((text.rfind(mark, start, end) + 1 for mark in "，：；】\0"), default=start) or start


def _before(
    text: str, hidden: str, start: int, end: int
) -> tuple[Span | None, tuple[Span, ...], Moment | None]:
    """Issuer, its units and the time that stand right before an index of a sentence."""
    start = max(start, end - 160)
    time, at = _time(text, hidden, start, _stripped(text, start, end))
    at = _stripped(text, start, at)
    issuer, units = _units(text, hidden, start, at)
    if issuer is None:
        return None, (), time or _opening(text, hidden, start, at)
    if time is None:
        time = _leading(text, hidden, start, issuer[0])
    return issuer, units, time


def _stripped(text: str, start: int, end: int) -> int:
    """The index with small words before it taken away."""
    while match := BEFORE.search(text, max(start, end - 24), end):
        end = match.start()
    return end


def _time(text: str, hidden: str, start: int, end: int) -> tuple[Moment | None, int]:
    """The moment that ends at an index: a date with its clock, though a mark may part them."""
    if end <= start or hidden[end - 1] != "\0":
        return None, end
    begin = end
    while begin > start and hidden[begin - 1] == "\0":
        begin -= 1
    found = times.moments(text, begin, end)
    if not found:
        return None, end
    first, last = found[0], found[-1]
    if len(found) > 1 and first.day is not None and last.day is None:
        last = times.filled(last, first)._replace(span=(first.span[0], last.span[1]))
    return last, begin


def _leading(text: str, hidden: str, start: int, issuer: int) -> Moment | None:
    """The time before an issuer: 9月11日，省气象台…; only where it opens its clause, not 截至…."""
    at = issuer
    while at > start and (text[at - 1] in "，：】" or text[start:at].endswith(("左右", "许"))):
        at -= 1 if text[at - 1] in "，：】" else (2 if text[start:at].endswith("左右") else 1)
    time, begin = _time(text, hidden, start, at)
    opens = (
        begin == start
        or text[begin - 1] in "，：；】）"
        or text[start:begin].endswith(("今天", "今日", "昨天", "昨日"))
    )
    return time if time and opens else None


def _opening(text: str, hidden: str, start: int, end: int) -> Moment | None:
    """The time that opens a sentence without an issuer: 8月7日18时，…发布."""
    found = re.match("[【】\0]*\0", hidden[start:end])
    mark = start + found.end() if found else end
    return _time(text, hidden, start, mark)[0] if found and hidden[mark : mark + 1] == "，" else None


def _units(text: str, hidden: str, start: int, end: int) -> tuple[Span | None, tuple[Span, ...]]:
    """The issuer that ends at an index, and its units; no unit where only a place issues."""
    if end <= start or hidden[end - 1] not in LAST:
        return None, ()
    run = end
    while run > start and (hidden[run - 1] == "、" or NAME.match(hidden, run - 1)):
        run -= 1
    for trim in (CAUSE, LEAD):
        if match := trim.match(text[run:end]):
            run += match.end()
    if UNIT.search(text[run:end]):
        return _parted(text, run, end)
    if NAMED.search(text[run:end]) and not NOT_NAMED.search(text[run:end]):
        return (run, end), ()
    return None, ()


def _parted(text: str, run: int, end: int) -> tuple[Span, tuple[Span, ...]]:
    """Joint issuers parted: only where a unit ends before the word and another begins after it."""
    units: list[Span] = []
    at = run
    for match in JOINS.finditer(text, run, end):
        if UNIT.fullmatch(text[at : match.start()]) and match.end() < end:
            units.append((at, match.start()))
            at = match.end()
        elif match[0] == "、":  # what was listed before is no unit
            at = match.end()
            units.clear()
            run = at
    units.append((at, end))
    return (units[0][0], end), tuple(units)


def _signed(text: str, hidden: str, end: int, head: Head | None) -> Head | None:
    """The head with issuer or time from labels or the signature, where it has none of its own."""
    found = head or NONE
    if not found.units and (label := LABEL.search(text, 0, end)):
        issuer, units = _units(text, hidden, *label.span(1))
        found = found._replace(issuer=issuer, units=units) if issuer else found
    if found.time is None and (stamp := STAMP.search(text, 0, end)):
        moment = next(iter(times.moments(text, stamp.end(), min(end, stamp.end() + 40))), None)
        found = found._replace(time=moment)
    if not found.issuer:
        found = _signature(text, hidden, end, found)
    return found if found != NONE else head


def _signature(text: str, hidden: str, end: int, head: Head) -> Head:
    """A last sentence that is nothing but a unit, with or without a time."""
    spans = list(sentences(text, 0, end))
    if len(spans) < 2:
        return head
    start, last = spans[-1]
    start += len(re.match("[（【\0]*", text[start:last])[0])  # type: ignore[index]
    last -= len(re.search("[）】]*$", text[start:last])[0])  # type: ignore[index]
    time, at = _time(text, hidden, start, last)
    issuer, units = _units(text, hidden, start, at)
    if not issuer or not units or issuer[0] != start or "、" in text[start:at]:
        return head
    return head._replace(issuer=issuer, units=units, time=head.time or time)


def drill(text: str) -> Span | None:
    """Where the text says that it is an exercise."""
    match = DRILL.search(text)
    return match.span() if match else None
