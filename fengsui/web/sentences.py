"""句子 Sentences: a fact as one plain Chinese sentence, for the duty log and the ledger. No names, no numbers.

Exhaustive: a new kind of fact does not pass the type checker until it can be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, assert_never

from fengsui.core import calendar, wording
from fengsui.core.facts import (
    Aired,
    Alerted,
    Closed,
    Consulted,
    DirectoryChanged,
    DrillSet,
    DutyEnded,
    DutyOpened,
    Exhausted,
    Fact,
    InsertionOrdered,
    Notified,
    PackInForce,
    Reached,
    Received,
    Reported,
    ResponseSet,
    StepTaken,
    SuspensionDecided,
    Tallied,
    TimeReached,
    Tried,
    UnitReceived,
)
from fengsui.core.levels import LEVELS
from fengsui.core.state import World
from fengsui.store.history import Line

CHANNELS = {
    "cap": "对外报文", "sms": "短信", "voice": "语音电话", "email": "邮件", "fax": "传真", "im": "工作群",
    "dedicated_channel": "专用通道", "link": "短信链接", "call": "人工电话", "": "",
}  # fmt: skip
REACHED = {"handed_over": "已提交", "delivered": "已送达", "read": "已读", "acknowledged": "已签收"}
STEPS = {
    "remind": "催办", "deputy": "转B角", "superior": "报上级", "desk": "转值班席人工",
    "visit": "请人上门", "bulletin": "通报", "supervise": "督办",
}  # fmt: skip
STOPS = {"work": "停工", "business": "停业", "classes": "停课"}
CHANGES = {
    "added": "增补", "corrected": "更正", "departed": "离任", "bounced": "号码失效", "disowned": "答复不归本人",
}  # fmt: skip
STAGES = {"called": "召集", "held": "召开", "concluded": "形成结论"}
OUTCOMES = {"activate": "建议启动应急响应", "not": "不启动，理由已记录"}
WHY = {"none": "无可用渠道", "refused": "各渠道均未送出", "address": "号码失效", "disowned": "答复不归本人"}
SHOWN = 3
"""Holders a sentence names before it says 等N个."""


def sentence(fact: Fact, world: World) -> str:
    """What happened, in one sentence without its time."""
    match fact:
        case Alerted():
            return alerted(fact, world)
        case Received():
            return _received(fact, world)
        case Reported():
            return _reported(fact, world)
        case SuspensionDecided():
            return _suspended(fact, world)
        case Aired():
            return f"{unit(fact.unit, world)}确认{_form(fact.form)}{'已播出' if fact.on else '已撤下'}"
        case Consulted():
            outcome = (
                f"：{OUTCOMES.get(fact.outcome, '不启动，理由已记录')}" if fact.stage == "concluded" else ""
            )
            return f"{unit(fact.unit, world)}{STAGES[fact.stage]}会商{outcome}"
        case ResponseSet():
            level = f"启动{fact.grade}级应急响应" if fact.grade else "终止应急响应"
            return f"{unit(fact.unit, world)}{level}"
        case Closed():
            return "本过程归档"
        case Reached():
            return _reached(fact, world)
        case Exhausted():
            return f"{person(fact.person, world)}无路可达：{WHY[fact.why]}，转入下一步"
        case Tallied():
            return f"{CHANNELS.get(fact.channel, fact.channel)}清单已成：{counts(fact.counts)}"
        case DirectoryChanged():
            whose = f"{unit(fact.unit, world)}责任人" if fact.unit else "责任人名录"
            return f"{whose}{CHANGES[fact.change]}"
        case PackInForce():
            return f"数据包 {fact.pack} {fact.version} 生效"
        case TimeReached():
            return "到时：处理到期事项"
        case DutyOpened():
            return f"开立“{title(fact.key, world)}”：{some(fact.holders, world)}，时限{_clock(fact.deadline, world)}"
        case UnitReceived():
            return f"{unit(fact.unit, world)}接收到第 {fact.version} 版预警，时限由此起算"
        case StepTaken():
            return f"{STEPS[fact.do]}：{some(fact.holders, world)}“{title(fact.key, world)}”未办"
        case DutyEnded():
            ended = "随演练结束终止" if fact.evidence == "drill" else "随预警解除终止"
            how = "办结" if fact.how == "done" else ended
            return f"{some(fact.holders, world)}“{title(fact.key, world)}”{how}"
        case Notified():
            return _notified(fact)
        case Tried():
            return f"向{person(fact.person, world)}发测试消息"
        case DrillSet():
            return _drilled(fact, world)
        case InsertionOrdered():
            return f"向{unit(fact.unit, world)}下达{_form(fact.form)}插播单"
        case _:
            assert_never(fact)


def alerted(fact: Alerted, world: World) -> str:
    """A version of a warning as it was signed, whatever holds now."""
    hazard = world.pack.hazards.get(fact.hazard)
    name = hazard.name if hazard else fact.hazard
    if not fact.zones:
        return f"{'撤回' if fact.action == 'correct' else '解除'}{name}预警（第 {fact.version} 版）"
    level = max(fact.zones.values(), key=LEVELS.index)
    areas = "、".join(world.pack.areas[z].name for z in fact.zones if z in world.pack.areas)
    word = "签发" if fact.version == 1 else world.pack.texts.verbs.get(fact.action, "更新")
    alone = {"": "", "retraction": "，一人撤回待复核", "emergency": "，一人应急签发待复核"}[fact.mode]
    return f"{word}{name}{world.pack.texts.levels[level]}预警（第 {fact.version} 版）：{areas}{alone}"


def _drilled(fact: DrillSet, world: World) -> str:
    scenario = world.at(fact.stream).drill.scenario or fact.scenario
    title = world.pack.drills[scenario].title if scenario in world.pack.drills else scenario
    turn = {"announced": "宣布演练", "started": "开始演练", "stopped": "结束演练"}[fact.state]
    units = f"，{len(fact.units)} 个单位参演" if fact.units else ""
    return f"{turn}“{title}”{units}"


ARRIVALS = {"issue": "收到", "update": "收到更新", "cancel": "收到解除", "expire": "到期结束"}


def _received(fact: Received, world: World) -> str:
    hazard = world.pack.hazards.get(fact.hazard)
    name = hazard.name if hazard else fact.hazard
    if not fact.zones:
        return f"{ARRIVALS[fact.action]}：{fact.sender}{name}预警"
    level = max(fact.zones.values(), key=LEVELS.index)
    areas = "、".join(world.pack.areas[z].name for z in fact.zones if z in world.pack.areas)
    doubt = "" if fact.valid else "，报文未通过校验"
    follows = "" if fact.binding else "，来源不受信，只作显示"
    said = f"{fact.sender}{name}{world.pack.texts.levels[level]}预警（{areas}）"
    return f"{ARRIVALS[fact.action]}：{said}{doubt}{follows}"


def _reported(fact: Reported, world: World) -> str:
    known = world.pack.reports.get(fact.what)
    about = f"（{title(fact.duty, world)}）" if fact.duty else ""
    return f"{unit(fact.unit, world)}报告：{known.title if known else fact.what}{about}"


def _suspended(fact: SuspensionDecided, world: World) -> str:
    words = "".join(STOPS.get(s, s) for s in fact.stops)
    by = "按事先授权" if fact.by == "standing" else ""
    if fact.lifted:
        return f"{unit(fact.unit, world)}决定恢复"
    return f"{unit(fact.unit, world)}{by}决定{words or '不停，理由已记录'}"


def _reached(fact: Reached, world: World) -> str:
    if fact.holder:
        return f"{holder(fact.holder, world)}无人可通知，值班席打通电话后代签"
    how = CHANNELS.get(fact.channel, fact.channel)
    by = "，由值班席代记" if fact.by else ""
    return f"{person(fact.person, world)}{REACHED[fact.state]}{f'（{how}）' if how else ''}{by}"


def _notified(fact: Notified) -> str:
    lists = "，并发布到名单" if fact.lists else ""
    word = {
        "call": "催办",
        "alert": "预警",
        "all_clear": "解除",
        "order": "插播单",
        "summons": "会商通知",
        "forwarded": "转发的预警",
        "forwarded_end": "转发预警的结束",
    }
    return f"发出{word.get(fact.template, '通知')}：责任人 {len(fact.recipients)} 人{lists}"


def counts(found: Mapping[str, int]) -> str:
    """What became of the tellings on a channel, by the words of a tally."""
    words = {
        "planned": "应发", "handed_over": "已提交", "refused": "被拒", "failed": "失败",
        "unknown": "不明", "expired": "过期", "withdrawn": "撤回",
    }  # fmt: skip
    order = (*words, *(k for k in found if k not in words))
    return "，".join(f"{words.get(k, k)} {found[k]}" for k in order if k in found) or "无"


def _form(form: str) -> str:
    return wording.FORMS.get(form, form)


def _clock(at: int, world: World) -> str:
    here = calendar.local(at, world.pack.zone)
    return f"{here:%H:%M}"


# ── names of things ──────────────────────────────────────────────────────────


def unit(id_: str, world: World) -> str:
    """The Chinese name of a unit; a township's government by its township, as people say it."""
    found = world.pack.units.get(id_)
    if found is None:
        return id_
    return world.pack.areas[found.area].name if "townships" in found.groups else found.name


def title(key: str, world: World) -> str:
    """The title of a duty, or its key if its clause is not in this pack any more."""
    return wording.title(key, world.pack) if key.split("/", 1)[0] in world.pack.clauses else key


def holder(id_: str, world: World) -> str:
    """A unit, or the place and role of a post: 聚乐乡值班员, 兼场村应急责任人."""
    found = world.directory.posts.get(id_)
    name = unit(id_.split("/", 1)[0], world)
    whole = world.pack.units.get(id_.split("/", 1)[0])
    if found and whole and found.area != whole.area and found.area in world.pack.areas:
        name = village(world.pack.areas[found.area].name)
    return name + wording.post(id_, world.pack)


def village(name: str) -> str:
    """A village as people call it: 兼场村 for 兼场村委会.

    >>> village("兼场村委会"), village("西坪村村委会"), village("湖东社区居委会")
    ('兼场村', '西坪村', '湖东社区')
    """
    for ending, kept in (("村村委会", "村"), ("村委会", "村"), ("居委会", "")):
        if name.endswith(ending):
            return name.removesuffix(ending) + kept
    return name


def person(id_: str, world: World) -> str:
    """A person by the first post he holds; who holds none, by his unit."""
    posts = world.directory.held.get(id_, ())
    if posts:
        return holder(posts[0].id, world)
    known = world.directory.persons.get(id_)
    return f"{unit(known.unit, world)}人员" if known and known.unit else "已离任人员"


def some(holders: Sequence[str], world: World) -> str:
    """Holders by name where they are few; else their units, townships first, and how many there are."""
    if len(holders) <= SHOWN:
        return "、".join(holder(h, world) for h in holders)
    units = list(dict.fromkeys(h.split("/", 1)[0] for h in holders))
    units.sort(key=lambda u: -len(world.pack.units[u].area) if u in world.pack.units else 0)
    names = "、".join(unit(u, world) for u in units[:SHOWN])
    named = names if len(units) <= SHOWN else f"{names}等 {len(units)} 个单位"
    return f"{named} {len(holders)} 人" if any("/" in h for h in holders) else named


# ── a log ────────────────────────────────────────────────────────────────────


class Said(NamedTuple):
    """A line of a log: seq of the (newest) fact, when, the sentence, and how many facts it stands for."""

    seq: int
    at: int
    text: str
    kind: str
    times: int = 1


Quiet = Callable[[Fact], bool]


def routine(fact: Fact) -> bool:
    """What a duty log leaves out: messages on their way, moments, and what only says the same again (openings, ends)."""
    match fact:
        case Reached(state="acknowledged"):
            return False
        case Notified(template="call") | Tallied():
            return True
        case Reached() | TimeReached() | UnitReceived() | DutyEnded() | DutyOpened() | PackInForce():
            return True
        case _:
            return False


def log(lines: Iterable[Line], world: World, *, quiet: Quiet = routine) -> Iterator[Said]:
    """Sentences, newest first as the lines come; a run of the same (签收, 催办) is one line with its count."""
    last: Said | None = None
    for line in lines:
        if quiet(line.fact):
            continue
        text, kind = sentence(line.fact, world), _run(line.fact)
        if last is not None and kind and last.kind == kind:
            last = last._replace(times=last.times + 1)
            continue
        if last is not None:
            yield _counted(last)
        last = Said(line.seq, line.fact.at, text, kind)
    if last is not None:
        yield _counted(last)


def _run(fact: Fact) -> str:
    """What makes facts one run, "" for what always stands alone."""
    match fact:
        case Reached(state=state, holder=""):
            return f"reached/{state}"
        case StepTaken(do=do):
            return f"step/{do}"
        case _:
            return ""


def _counted(said: Said) -> Said:
    if said.times == 1:
        return said
    who = said.text.partition("已签收")[0]
    if said.kind == "reached/acknowledged":
        return said._replace(text=f"{who}等 {said.times} 人已签收")
    return said._replace(text=f"{said.text}；同类共 {said.times} 条")
