"""白话 Plain words: clauses as people read them — what triggers a duty, by when, who set that, how it is chased.

Pure: from the pack's vocabulary to Chinese. What has no word here shows as it stands in the pack.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from fengsui.core.clauses import By, Clause, Duty, Ladder, LadderStep, Pack, Trigger, choose
from fengsui.core.levels import LEVELS

GROUPS = {
    "members": "成员单位", "townships": "各乡（镇）", "same": "当事单位", "invited": "受邀单位",
    "reached": "曾被通知的人", "on_air": "正在播出的单位", "suspended": "已停工停业停课的单位",
}  # fmt: skip
CHANGES = {
    "new": "首次发布", "up": "升级", "same": "继续", "changed": "变更", "down": "降级", "gone": "解除",
    "corrected": "更正", "retracted": "撤回",
}  # fmt: skip
CAUSES = {
    "response": "启动应急响应", "dataset": "数据超时未更新", "assignment": "任务清单列入", "pack": "本机制生效",
    "closed": "过程归档", "standing": "常年", "suspension": "决定停工停业停课",
}  # fmt: skip
STAGES = {"called": "召集", "held": "召开", "concluded": "形成结论"}
KINDS = {"trend": "趋势预测会商", "business": "业务会商", "emergency": "应急会商", "holiday": "节假日会商"}
DIRECTORY = {
    "departed": "离任",
    "bounced": "号码失效",
    "disowned": "答复非本人",
    "added": "增补",
    "corrected": "更正",
}
DO = {
    "remind": "催本人", "deputy": "转B角", "superior": "报上级", "desk": "值班席人工", "visit": "请人上门",
    "supervise": "督办", "bulletin": "通报",
}  # fmt: skip
ORIGINS = {"trigger": "触发", "reception": "接收到预警", "day": "所定之日", "due": "预警失效"}
URGENCY = {"urgent": "紧急", "normal": "一般"}
SPANS = {"m": "分钟", "h": "小时", "d": "天", "wd": "个工作日"}
_SPAN = re.compile(r"(-?\d+)(wd|[mhd])")


class Step(NamedTuple):
    """A step of a ladder: when and what, in words; grave: others are told of it."""

    at: str
    do: str
    grave: bool


class Climb(NamedTuple):
    """A ladder at one level ("" = any), as a line of steps."""

    level: str
    steps: tuple[Step, ...]
    again: str


def span(text: str) -> str:
    """A span as people say it.

    >>> span("10m"), span("1wd"), span("-7d"), span("0d"), span("60m")
    ('10 分钟', '1 个工作日', '前 7 天', '当日', '60 分钟')
    """
    found = _SPAN.fullmatch(text)
    if not found:
        return text
    number, unit = int(found[1]), SPANS[found[2]]
    if number == 0:
        return "当日" if found[2].endswith("d") else "当时"
    return f"{'前 ' if number < 0 else ''}{abs(number)} {unit}"


def spans(table: By | str, pack: Pack) -> str:
    """A span for each level: 红 10 分钟、橙 15 分钟."""
    if isinstance(table, str):
        return span(table) if table else ""
    levels = [k for k in reversed(LEVELS) if k in table]
    others = [k for k in table if k not in LEVELS]
    named: dict[str, str] = {k: pack.texts.levels[k].removesuffix("色") for k in levels}
    named |= {k: URGENCY.get(k, f"{k} 级") for k in others}
    return "、".join(f"{named[k]} {span(table[k])}" for k in (*levels, *others))


def who(words: Iterable[str], pack: Pack) -> str:
    """Units and groups by name."""
    return "、".join(GROUPS.get(w) or (pack.units[w].name if w in pack.units else w) for w in words)


def trigger(t: Trigger, pack: Pack) -> str:
    """What starts a duty, in a phrase."""
    match t.on:
        case "alert":
            return _alert(t, pack)
        case "received":
            return f"收到其他单位的预警：{_alert(t, pack)}"
        case "consultation":
            kinds = "、".join(KINDS.get(k, k) for k in t.kinds) or "会商"
            outcome = "，结论为启动响应" if "activate" in t.outcome else ""
            return f"{kinds}{STAGES.get(t.stage, t.stage)}{outcome}"
        case "directory":
            return f"责任人名录变动（{'、'.join(DIRECTORY.get(c, c) for c in t.change)}）"
        case "step":
            return f"{'应急' if 'urgent' in t.haste else '日常'}事项催到“{DO.get(t.do, t.do)}”"
        case "report":
            titles = [pack.reports[w].title if w in pack.reports else w for w in t.what]
            return f"收到报告：{'、'.join(titles)}"
        case "calendar":
            ahead = f"，提前{span(t.ahead)}开立" if t.ahead else ""
            return f"按日历：{'、'.join(_day(d) for d in t.days)}{ahead}"
        case _:
            return CAUSES.get(t.on, t.on)


def _alert(t: Trigger, pack: Pack) -> str:
    hazards = "、".join(pack.hazards[h].name for h in t.hazards if h in pack.hazards)
    levels = "、".join(pack.texts.levels[level] for level in t.levels if level in pack.texts.levels)
    changes = "、".join(CHANGES.get(c, c) for c in t.change) or "首次发布、升级"
    wide = f"，波及 {t.spread:.0%} 以上乡镇" if t.spread else ""
    return f"{hazards}{levels}预警（{changes}{wide}）"


def _day(day: str) -> str:
    if day.startswith("holiday:"):
        return f"{day.removeprefix('holiday:')}前"
    kind, _, number = day.partition("-")
    if kind in ("monthly", "quarterly"):
        return f"每{'月' if kind == 'monthly' else '季首月'} {int(number)} 日"
    return f"{int(kind)} 月 {int(number)} 日" if kind.isdecimal() and number.isdecimal() else day


def deadline(duty: Duty, pack: Pack) -> str:
    """By when, counted from what: 接收到预警后 红 15 分钟（最迟自发布起…）."""
    within = spans(duty.within, pack)
    if not within:
        return "不设时限"
    start = ORIGINS[duty.origin]
    said = f"{start}{within}" if within in ("当时", "当日") else f"{start}后 {within}"
    said = said.replace("后 前 ", "前 ").replace("所定之日当日", "所定之日")
    if latest := spans(duty.latest, pack):
        said += f"；未接收到的，最迟按发布后 {latest} 起算"
    if every := spans(duty.every, pack):
        said += f"；此后每 {every} 一次"
    return said


def climbs(ladder: Ladder, pack: Pack) -> list[Climb]:
    """A ladder's lines, one for each level that has its own."""
    levels = [k for k in reversed(LEVELS) if k in ladder.steps] if isinstance(ladder.steps, dict) else [""]
    return [_climb(ladder, level, pack) for level in levels]


def _climb(ladder: Ladder, level: str, pack: Pack) -> Climb:
    steps: tuple[LadderStep, ...] = choose(ladder.steps, level)
    made = tuple(
        Step(_at(s.at, ladder), DO.get(s.do, s.do), s.do in ("supervise", "bulletin")) for s in steps
    )
    again = spans(ladder.again, pack) if isinstance(ladder.again, str) else span(ladder.again.get(level, ""))
    return Climb(level, made, again)


def _at(text: str, ladder: Ladder) -> str:
    said = span(text)
    if said in ("当时", "当日"):
        return "开立时" if ladder.origin == "opening" else "到期时"
    return said if text.startswith("-") else f"＋{said}"


def basis(text: str) -> tuple[str, bool]:
    """Who set something, and whether that is still to be confirmed.

    >>> basis("本区约定（待核实）")
    ('本区约定', True)
    """
    return re.sub(r"（待核实）", "", text), "待核实" in text


# ── the document ─────────────────────────────────────────────────────────────


class Piece(NamedTuple):
    """A run of the document's words and the clauses that quote it."""

    text: str
    clauses: tuple[str, ...]


class Paragraph(NamedTuple):
    """A line of the document, and the clauses whose words begin in it."""

    pieces: tuple[Piece, ...]
    starts: tuple[str, ...]


def document(pack: Pack) -> list[Paragraph]:
    """The document's lines with whatever clauses quote; white space does not matter to a quote."""
    text = pack.document.text
    places = [i for i, char in enumerate(text) if not char.isspace()]
    bare = "".join(text[i] for i in places)
    covers: list[list[str]] = [[] for _ in text]
    starts: list[tuple[int, str]] = []
    for clause in pack.clauses.values():
        ranges = _found(clause, bare)
        for begin, end in ranges:
            for i in range(places[begin], places[end - 1] + 1):
                if clause.id not in covers[i]:
                    covers[i].append(clause.id)
        if ranges:
            starts.append((places[min(r[0] for r in ranges)], clause.id))
    return list(_paragraphs(text, covers, starts))


def _found(clause: Clause, bare: str) -> list[tuple[int, int]]:
    """Where a clause's quotes stand: the longest where it is; those named before it nearest before, the others after."""
    quotes = ["".join(q.split()) for q in clause.quotes]
    longest = max(range(len(quotes)), key=lambda n: len(quotes[n]), default=0)
    anchor = bare.find(quotes[longest]) if quotes else -1
    if anchor < 0:
        return []
    found = []
    for number, quote in enumerate(quotes):
        at = bare.rfind(quote, 0, anchor) if number < longest else bare.find(quote, anchor)
        at = at if at >= 0 else bare.find(quote)
        if at >= 0:
            found.append((at, at + len(quote)))
    return found


def _paragraphs(text: str, covers: list[list[str]], starts: list[tuple[int, str]]) -> Iterable[Paragraph]:
    begin = 0
    for line in text.split("\n"):
        end = begin + len(line)
        if line.strip():
            pieces: list[Piece] = []
            for i in range(begin, end):
                clauses = tuple(covers[i])
                if pieces and pieces[-1].clauses == clauses:
                    pieces[-1] = Piece(pieces[-1].text + text[i], clauses)
                else:
                    pieces.append(Piece(text[i], clauses))
            yield Paragraph(tuple(pieces), tuple(c for at, c in sorted(starts) if begin <= at < end))
        begin = end + 1
