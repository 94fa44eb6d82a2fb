"""校验 Lint: what is inconsistent in a pack whose shapes are right — unknown words, missing bases, dead evidence.

Pure: a pack in, faults out. ``formats.packs`` calls it and refuses a pack with any fault. Clauses, ladders and the rest
are checked here, the others in ``lint_tables`` (units, areas, hazards, texts) and ``lint_drills``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from fengsui.core.clauses import By, Clause, Duty, Ladder, LadderStep, Notice, Pack, Trigger
from fengsui.core.levels import LEVELS
from fengsui.core.lint_drills import drill_faults
from fengsui.core.lint_tables import CHANNELS, Fault, labelled, table_faults, unknown

DAY = re.compile(r"(0[1-9]|1[0-2]|monthly|quarterly)-(0[1-9]|[12]\d|3[01])")
SPAN = re.compile(r"-?\d+(m|h|d|wd)")
GROUPS = {"members": "成员单位", "townships": "乡镇"}
GRADES = ("I", "II", "III", "IV")
HASTES = ("urgent", "office")
CHANGES = ("new", "up", "same", "changed", "down", "gone", "corrected", "retracted")
MODES = ("emergency", "retraction")
KINDS = ("trend", "business", "emergency", "holiday")
STAGES = ("called", "held", "concluded")

GIVEN = (
    "acknowledged", "suspension_decided", "suspension_lifted", "aired_crawl", "aired_badge", "aired_anchor",
    "off_air_crawl", "off_air_badge", "held", "concluded", "response_set", "tallied", "alert", "fresh",
)  # fmt: skip
"""Evidence that facts give by themselves; every other word must be a report of the pack."""

WHO = {"same": "该事所指单位", "invited": "受邀单位", "suspended": "已停单位", "on_air": "正在播出的单位"}
UNBUILT = {"dataset": "数据集", "assignment": "任务清单"}
"""Causes whose facts nobody makes yet: only a planned clause may wait for them."""

WORDS: Mapping[str, Mapping[str, Collection[str]]] = {
    "change": {
        "alert": CHANGES,
        "received": ("new", "up", "same", "changed", "down", "gone"),
        "response": CHANGES,
        "directory": ("added", "corrected", "departed", "bounced", "disowned"),
    },
    "modes": {"alert": MODES},
    "stage": {"consultation": STAGES},
    "kinds": {"consultation": KINDS},
    "outcome": {"consultation": ("activate",)},
    "state": {"dataset": ("stale", "fresh")},
    "do": {"step": ("remind", "deputy", "superior", "desk", "visit", "bulletin", "supervise")},
    "haste": {"step": HASTES},
}
"""Filters of a trigger → cause → the words that cause knows."""

KEYS = {"alert": LEVELS, "received": LEVELS, "response": GRADES, "consultation": ("urgent", "normal")}
"""By what a table of spans is keyed, depending on the cause."""


def lint(pack: Pack) -> list[Fault]:
    """Everything wrong with a pack, in the order of its files; an empty list is a sound pack."""
    faults = list(table_faults(pack))
    for name, ladder in pack.ladders.items():
        faults += _ladder(name, ladder)
    faults += _resends(pack)
    for clause in pack.clauses.values():
        faults += _clause(pack, clause)
    faults += drill_faults(pack)
    return faults


# ── clauses 条款 ──────────────────────────────────────────────────────────────


def _file(clause: Clause) -> str:
    return f"条款 {clause.id}.toml"


def _clause(pack: Pack, clause: Clause) -> Iterator[Fault]:
    where = _file(clause)
    yield from _units(pack, where, "responsible", clause.responsible, {})
    yield from _units(pack, where, "lead", clause.lead, WHO)
    if not clause.quotes:
        yield Fault(where, "quotes", "没有引文，每条至少引一句原文。", "P025")
    text = squeeze(pack.document.text)
    for quote in clause.quotes:
        if squeeze(quote) not in text:
            yield Fault(
                where, "quotes", f"写了“{quote[:20]}…”，原文没有这句话。请逐字照抄 document.txt。", "P025"
            )
    if not any("责任单位" in quote for quote in clause.quotes) and not clause.responsible_basis:
        yield Fault(where, "responsible_basis", "没有写：引文没有责任单位一行时，须说明由谁认定。", "P021")
    names = [duty.name for duty in clause.duty] + [notice.name for notice in clause.notice]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Fault(where, "name", f"“{name}”出现了不止一次，同一条内不得重名。", "P032")
    for duty in clause.duty:
        yield from _duty(pack, clause, duty)
    for notice in clause.notice:
        yield from _notice(pack, clause, notice)


def _notice(pack: Pack, clause: Clause, notice: Notice) -> Iterator[Fault]:
    where, field = _file(clause), f"notice.{notice.name}"
    yield from _units(
        pack, where, f"{field}.who", notice.who, {"reached": "此前通知过的人", "misled": "收到有误信息的人"}
    )
    yield from _trigger(pack, clause, field, notice.trigger)
    if notice.audience not in pack.audiences:
        yield unknown(where, f"{field}.audience", notice.audience, pack.audiences, "P019")
    template = notice.template or notice.name
    if template not in pack.texts.templates:
        yield unknown(where, f"{field}.template", template, pack.texts.templates, "P031")


def _duty(pack: Pack, clause: Clause, duty: Duty) -> Iterator[Fault]:
    where, field = _file(clause), f"duty.{duty.name}"
    yield from _units(pack, where, f"{field}.who", duty.who, WHO)
    for trigger in duty.triggers:
        yield from _trigger(pack, clause, field, trigger)
    for word in duty.evidence:
        if word not in pack.reports and word not in GIVEN:
            yield Fault(
                where,
                f"{field}.evidence",
                f"写了“{word}”，没有哪件事会产生它，职责永远办不结。可用：{'、'.join((*GIVEN, *pack.reports))}。",
                "P017",
            )
    if not duty.evidence and any(t.on != "standing" for t in duty.triggers):
        yield Fault(where, f"{field}.evidence", "没有写，职责永远办不结。请写以何为证。", "P017")
    yield from _spans(pack, clause, duty)
    if duty.ladder and duty.ladder not in pack.ladders:
        yield unknown(where, f"{field}.ladder", duty.ladder, pack.ladders, "P018")
    elif duty.ladder:
        yield from _chased(pack, clause, duty)
    if duty.origin == "reception" and not duty.latest:
        yield Fault(
            where,
            f"{field}.latest",
            '没有写：从接收起算（from = "reception"）的职责，须写最迟何时起算，例如 latest = "10m"。',
            "P029",
        )
    if duty.use:
        yield from _units(pack, where, f"{field}.use.invite", duty.use.invite, {})


def _spans(pack: Pack, clause: Clause, duty: Duty) -> Iterator[Fault]:
    """Spans that cannot be read, tables without a level that may come, and numbers nobody has set."""
    where, field = _file(clause), f"duty.{duty.name}"
    tables: dict[str, By | str] = {"within": duty.within, "latest": duty.latest, "every": duty.every}
    if duty.use:
        tables["use.every"] = duty.use.every
    for name, table in tables.items():
        yield from _by(where, f"{field}.{name}", table)
        if isinstance(table, dict):
            missing = [key for key in _needed(pack, duty) if key not in table]
            if missing:
                yield Fault(
                    where,
                    f"{field}.{name}",
                    f"缺少 {'、'.join(missing)}，这些级别也会触发本职责。请补上各级的时限。",
                    "P022",
                )
    if any(tables.values()) and not duty.within_basis:
        yield Fault(
            where,
            f"{field}.within_basis",
            "没有写：原文没有时限数字，每个数字都须说明由谁定，例如“本区约定（待核实）”。",
            "P021",
        )
    if not duty.within and any(t.on != "standing" for t in duty.triggers):
        yield Fault(where, f"{field}.within", '没有写。请写时限，例如 within = "30m"。', "P024")


def _by(where: str, field: str, table: By | str) -> Iterator[Fault]:
    for span in table.values() if isinstance(table, dict) else (table,):
        if span and not SPAN.fullmatch(span):
            yield Fault(
                where,
                field,
                f"写了“{span}”，不是时间长度。应为整数加 m、h、d 或 wd，例如 10m、2h、3d、5wd。",
                "P024",
            )


def _needed(pack: Pack, duty: Duty) -> list[str]:
    """The keys that a table of this duty must have: the levels its alerts can have, grades, or urgencies."""
    keys: list[str] = []
    for trigger in duty.triggers:
        if trigger.on == "alert":
            keys += [level for level in LEVELS if level in (trigger.levels or _levels(pack, trigger))]
        else:
            keys += trigger.levels or KEYS.get(trigger.on, ())
    return list(dict.fromkeys(keys))


def _levels(pack: Pack, trigger: Trigger) -> set[str]:
    """The levels that exist for the hazards of a trigger (all hazards, if it names none)."""
    hazards = [pack.hazards[h] for h in trigger.hazards or pack.hazards if h in pack.hazards]
    return {level for hazard in hazards for level in hazard.levels}


def _chased(pack: Pack, clause: Clause, duty: Duty) -> Iterator[Fault]:
    """A ladder must know the duty's levels, and must not take the step that opens the duty."""
    where, field = _file(clause), f"duty.{duty.name}.ladder"
    ladder = pack.ladders[duty.ladder]
    if isinstance(ladder.steps, dict):
        missing = [key for key in _needed(pack, duty) if key not in ladder.steps]
        if missing:
            yield Fault(
                where,
                field,
                f"阶梯“{duty.ladder}”没有 {'、'.join(missing)} 的步骤，而这些级别会触发本职责。",
                "P022",
            )
    steps = {step.do for step in _steps(ladder)}
    for trigger in duty.triggers:
        if trigger.on == "step" and (not trigger.do or trigger.do in steps):
            yield Fault(
                where,
                field,
                f"阶梯“{duty.ladder}”含有 {trigger.do or '任一步'}，而它又会开立本职责，将无休止地自我触发。",
                "P023",
            )


# ── triggers 触发 ─────────────────────────────────────────────────────────────


def _trigger(pack: Pack, clause: Clause, field: str, trigger: Trigger) -> Iterator[Fault]:
    where, field = _file(clause), f"{field}.trigger"
    if trigger.on in UNBUILT and not clause.planned:
        yield Fault(
            where,
            f"{field}.on",
            f"写了“{trigger.on}”（{UNBUILT[trigger.on]}），本版本尚不支持。请给本条加 planned = true。",
            "P030",
        )
    for name in trigger.hazards:
        if name not in pack.hazards:
            yield unknown(where, f"{field}.hazards", name, pack.hazards, "P015")
    levels = GRADES if trigger.on == "response" else LEVELS
    for name in trigger.levels:
        if name not in levels:
            yield unknown(where, f"{field}.levels", name, levels, "P016")
    for name in trigger.what:
        if name not in pack.reports:
            yield unknown(where, f"{field}.what", name, pack.reports, "P020")
    yield from _filters(where, field, trigger)
    yield from _days(pack, where, field, trigger)


def _filters(where: str, field: str, trigger: Trigger) -> Iterator[Fault]:
    """Words that the cause does not know, and filters that it does not have."""
    for name, causes in WORDS.items():
        value: str | tuple[str, ...] = getattr(trigger, name)
        words = (value,) if isinstance(value, str) else value
        known = causes.get(trigger.on, ())
        for word in words:
            if word and word not in known:
                yield unknown(where, f"{field}.{name}", word, known, "P040")
    if not 0 <= trigger.spread <= 1:
        yield Fault(where, f"{field}.spread", f"写了 {trigger.spread}，应为 0 到 1 之间的乡镇比例。", "P016")


def _days(pack: Pack, where: str, field: str, trigger: Trigger) -> Iterator[Fault]:
    if trigger.ahead and not SPAN.fullmatch(trigger.ahead):
        yield from _by(where, f"{field}.ahead", trigger.ahead)
    if trigger.on == "calendar" and not trigger.days:
        yield Fault(
            where,
            f"{field}.days",
            "没有写。日历触发须写日期，例如 05-15、monthly-05、quarterly-10、holiday:春节。",
            "P038",
        )
    holidays = sorted({name.partition(":")[2] for name in pack.almanac.holidays})
    for day in trigger.days:
        kind, _, name = day.partition(":")
        if kind == "holiday" and name not in holidays:
            yield unknown(where, f"{field}.days", name, holidays, "P038")
        elif kind != "holiday" and not DAY.fullmatch(day):
            yield Fault(
                where,
                f"{field}.days",
                f"写了“{day}”，不是日期。应如 05-15、monthly-05、quarterly-10、holiday:春节。",
                "P038",
            )


# ── ladders 阶梯 ──────────────────────────────────────────────────────────────


def _ladder(name: str, ladder: Ladder) -> Iterator[Fault]:
    field = f"ladder.{name}"
    if not ladder.basis:
        yield Fault("tables.toml", f"{field}.basis", "没有写。请写这些时刻由谁定。", "P021")
    if isinstance(ladder.steps, dict):
        for level in ladder.steps:
            if level not in LEVELS:
                yield unknown("tables.toml", f"{field}.steps", level, LEVELS, "P016")
    yield from _by("tables.toml", f"{field}.again", ladder.again)
    for step in _steps(ladder):
        yield from _by("tables.toml", f"{field}.steps", step.at or "空")
        for channel in step.channels:
            if channel not in CHANNELS:
                yield unknown("tables.toml", f"{field}.steps", channel, CHANNELS, "P034")


def _resends(pack: Pack) -> Iterator[Fault]:
    """What waits for an answer must know how long, and who set it."""
    if "doubt" not in pack.resends:
        yield Fault("tables.toml", "resend.doubt", "没有写，包链中也无人写。", "P002")
    for name, resend in pack.resends.items():
        if not resend.basis:
            yield Fault("tables.toml", f"resend.{name}.basis", "没有写。请写这个间隔由谁定。", "P021")
        if not re.fullmatch(r"[1-9]\d*(m|h)", resend.first):
            problem = f"写了“{resend.first}”，应为至少一分钟的时间长度，例如 1m、5m、1h。"
            yield Fault("tables.toml", f"resend.{name}.first", problem, "P024")


def _steps(ladder: Ladder) -> list[LadderStep]:
    if isinstance(ladder.steps, dict):
        return [step for steps in ladder.steps.values() for step in steps]
    return list(ladder.steps)


def _units(
    pack: Pack, where: str, field: str, words: Iterable[str], more: Mapping[str, str]
) -> Iterator[Fault]:
    """Words that stand for no unit. ``more``: words that a mechanism knows besides units and groups."""
    for word in words:
        if not pack.group(word) and word not in more:
            known = labelled({**GROUPS, **more})
            yield Fault(
                where, field, f"写了“{word}”，没有这类单位。可用：{known}，或 units.toml 里的单位。", "P014"
            )


def squeeze(text: str) -> str:
    """A text without any white space: quotes are compared so."""
    return "".join(text.split())
