"""校验（表） Lint of a pack's tables: units, areas, hazards, audiences, texts, rights, almanac. Pure; used by ``lint``."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from string import Formatter

import msgspec

from fengsui.core.clauses import Audience, Pack
from fengsui.core.criteria import AGGS, LEAF_KEYS, OPS
from fengsui.core.levels import LEVELS
from fengsui.core.series import NAMES
from fengsui.core.tables import Area, Hazard, Signal, Unit

CHANNELS = ("sms", "voice", "email", "fax", "im", "dedicated_channel", "call_sheet", "broadcast")
"""Channels that a pack may ask for: every gateway serves one of them."""

LISTS = ("schools", "sites", "public")
"""Informed lists: schools and kindergartens, building sites, the public."""

BASES = ("forecast", "observed", "judgement", "product")
KINDS = {"township": "district", "village": "township"}
CITED = re.compile(r"S\d+")

ALERT = frozenset("issuer date time action hazard level cause forecast areas guide".split())  # noqa: SIM905
DUTY = frozenset("unit post items subject clause deadline time action hazard level areas".split())  # noqa: SIM905
FORWARD = frozenset("issuer source date time action hazard level areas".split())  # noqa: SIM905

TEMPLATES: dict[str, frozenset[str]] = {
    "alert": ALERT,
    "alert_public": ALERT,
    "all_clear": ALERT,
    "forwarded": FORWARD,
    "forwarded_end": FORWARD,
    "corrected": ALERT | {"was"},
    "retracted": ALERT | {"was"},
    "remind": DUTY,
    "deputy": DUTY,
    "superior": DUTY,
    "visit": DUTY,
    "due": DUTY,
    "supervise": DUTY,
    "bulletin": DUTY,
    "summons": DUTY,
    "order": ALERT | {"form", "every", "deadline", "text"},
    "crawl": ALERT,
    "badge": ALERT,
    "anchor": ALERT,
    "trial": frozenset({"date", "time"}),
    "link": frozenset({"link"}),
    "drill_announced": frozenset({"drill", "begin", "issuer"}),
    "drill_stopped": frozenset({"drill", "begin", "issuer"}),
}
"""Templates a pack must have → the placeholders that ``wording`` fills in each. Others may use any of them."""

ACTIONS = ("new", "same", "changed", "up", "down", "gone", "corrected", "retracted")
VERBS = ("issue", "renew", "change", "upgrade", "downgrade", "cancel", "correct")


class Fault(msgspec.Struct, frozen=True):
    """Something wrong in a pack: the file as the reader knows it, the field, what is wrong and expected, a stable code."""

    where: str
    field: str
    problem: str
    code: str

    def __str__(self) -> str:
        return f"{self.where}「{self.field}」{self.problem}[{self.code}]"


SORTS = {
    "P014": "单位", "P015": "灾种", "P016": "级别", "P018": "阶梯", "P019": "对象", "P020": "报告", "P026": "区域",
    "P027": "区域", "P031": "文本", "P033": "岗位", "P034": "渠道", "P035": "词", "P036": "单位", "P038": "节日",
    "P040": "词", "P041": "名单",
}  # fmt: skip
"""Code of an unknown word → what it should have been the name of."""


def unknown(where: str, field: str, word: str, known: Iterable[str], code: str) -> Fault:
    """The fault of a word that nothing defines, with the words that could stand there."""
    words = "、".join(known) or "无"
    return Fault(where, field, f"写了“{word}”，没有这个{SORTS[code]}。可用：{words}。", code)


def labelled(words: Mapping[str, str]) -> str:
    """Words with what they mean, for an error text.

    >>> labelled({"members": "成员单位", "townships": "乡镇"})
    'members 成员单位、townships 乡镇'
    """
    return "、".join(f"{word} {meaning}" for word, meaning in words.items())


def table_faults(pack: Pack) -> Iterator[Fault]:
    """Everything wrong outside clauses and ladders."""
    yield from _head(pack)
    yield from _double("units.toml", "unit.name", [u.name for u in pack.units.values()])
    for unit in pack.units.values():
        yield from _unit(pack, unit)
    for area in pack.areas.values():
        yield from _area(pack, area)
    yield from _double(
        "areas.toml", "codes", [f"{c.scheme} {c.value}" for a in pack.areas.values() for c in a.codes]
    )
    yield from _double("hazards", "name", [n for h in pack.hazards.values() for n in (h.name, *h.aliases)])
    for hazard in pack.hazards.values():
        yield from _hazard(pack, hazard)
    for name, audience in pack.audiences.items():
        yield from _audience(pack, name, audience)
    yield from _texts(pack)
    yield from _rights(pack)
    yield from _almanac(pack)


def _double(where: str, field: str, names: Iterable[str]) -> Iterator[Fault]:
    for name, times in Counter(names).items():
        if times > 1:
            yield Fault(where, field, f"“{name}”出现了 {times} 次，不得重复。", "P032")


def _head(pack: Pack) -> Iterator[Fault]:
    if pack.district not in pack.areas:
        yield unknown("pack.toml", "district", pack.district, ["areas.toml 里的 id"], "P027")
    if pack.document.since and not _date(pack.document.since):
        yield Fault(
            "document.toml", "since", f"写了“{pack.document.since}”，应为日期，例如 2022-01-01。", "P028"
        )
    text = "".join(pack.document.text.split())
    for line in pack.document.not_executable:
        if (
            set(line) != {"quote", "reason"}
            or "".join(line["quote"].split()) not in text
            or not line["reason"]
        ):
            yield Fault(
                "document.toml", "not_executable", "须有 quote（原文里的话）和 reason（理由），各一。", "P025"
            )


# ── units and areas 单位与区域 ────────────────────────────────────────────────


def _unit(pack: Pack, unit: Unit) -> Iterator[Fault]:
    field = f"unit.{unit.id}"
    if unit.superior and unit.superior not in pack.units:
        yield unknown("units.toml", f"{field}.superior", unit.superior, pack.units, "P036")
    if unit.superior == unit.id:
        yield Fault("units.toml", f"{field}.superior", "写了自己，应为上一级单位。", "P036")
    if unit.area not in pack.areas:
        yield unknown("units.toml", f"{field}.area", unit.area, ["areas.toml 里的 id"], "P027")
    if not unit.basis:
        yield Fault("units.toml", f"{field}.basis", "没有写。请写依据什么列入。", "P021")
    for group in unit.groups:
        if group in pack.units:
            yield Fault(
                "units.toml", f"{field}.groups", f"“{group}”已是一个单位的 id，不能又是一类单位。", "P032"
            )
    yield from _validity("units.toml", field, unit, pack.units)


def _area(pack: Pack, area: Area) -> Iterator[Fault]:
    field = f"area.{area.id}"
    parent = pack.areas.get(area.parent)
    if area.kind == "district":
        if area.parent:
            yield Fault("areas.toml", f"{field}.parent", "区没有上级，请删去。", "P026")
    elif parent is None:
        yield unknown("areas.toml", f"{field}.parent", area.parent, ["areas.toml 里的 id"], "P026")
    elif parent.kind != KINDS[area.kind] or not area.id.startswith(parent.id):
        yield Fault(
            "areas.toml",
            f"{field}.parent",
            f"写了“{area.parent}”。上级的 id 须是本区域 id 的开头，且高一级。",
            "P026",
        )
    nbs = [code.value for code in area.codes if code.scheme == "nbs"]
    if nbs and short(nbs[0]) != area.id:
        yield Fault(
            "areas.toml",
            f"{field}.id",
            f"应为统计代码 {nbs[0]} 去掉末尾成组的 000，即 {short(nbs[0])}。",
            "P026",
        )
    yield from _validity("areas.toml", field, area, pack.areas)


def short(code: str) -> str:
    """An area's id from its 12-digit statistical code: trailing groups of ``000`` cut, the district's six digits kept.

    >>> short("140215000000"), short("140215100000"), short("140215101000")
    ('140215', '140215100', '140215101')
    """
    while len(code) > 6 and code.endswith("000"):
        code = code[:-3]
    return code


def _validity(where: str, field: str, thing: Unit | Area, known: Mapping[str, object]) -> Iterator[Fault]:
    for name in ("valid_from", "valid_to"):
        day: str = getattr(thing, name)
        if day and not _date(day):
            yield Fault(where, f"{field}.{name}", f"写了“{day}”，应为日期，例如 2021-10-31。", "P028")
    if thing.valid_to and thing.valid_from >= thing.valid_to:
        yield Fault(
            where,
            f"{field}.valid_to",
            f"写了“{thing.valid_to}”，应晚于 valid_from“{thing.valid_from}”。",
            "P028",
        )
    if thing.successor and (thing.successor not in known or not thing.valid_to):
        yield Fault(where, f"{field}.successor", "后继须是表中的 id，且本项须有 valid_to。", "P028")


def _date(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10


# ── hazards 灾种 ──────────────────────────────────────────────────────────────


def _hazard(pack: Pack, hazard: Hazard) -> Iterator[Fault]:
    where = f"灾种 {hazard.id}.toml"
    for unit in hazard.issuers:
        if unit not in pack.units:
            yield unknown(where, "issuers", unit, pack.units, "P014")
    for code in hazard.codes:
        if set(code) != {"scheme", "value", "source"}:
            yield Fault(where, "codes", "每个代码须有 scheme、value、source，各一。", "P035")
    if not hazard.levels:
        yield Fault(where, "levels", "没有写。灾种至少有一个级别。", "P016")
    for level, signal in hazard.levels.items():
        if level not in LEVELS:
            yield unknown(where, "levels", level, LEVELS, "P016")
        yield from _signal(pack, where, f"levels.{level}", signal)


def _signal(pack: Pack, where: str, field: str, signal: Signal) -> Iterator[Fault]:
    for key in CITED.findall(signal.source):
        if key not in pack.sources:
            yield Fault(where, f"{field}.source", f"引了“{key}”，sources.toml 里没有这个来源。", "P037")
    if signal.valid_hours is not None and signal.valid_hours <= 0:
        yield Fault(
            where, f"{field}.valid_hours", f"写了 {signal.valid_hours}，有效时间须大于 0 小时。", "P035"
        )
    if signal.criterion is not None:
        yield from _tree(where, f"{field}.criterion", signal.criterion)


def _tree(where: str, field: str, tree: object) -> Iterator[Fault]:
    """A criterion: ``{any = […]}``, ``{all = […]}`` or a leaf."""
    if not isinstance(tree, dict):
        yield Fault(where, field, "应为 { any = […] }、{ all = […] } 或一项条件。", "P035")
    elif set(tree) <= {"any", "all"}:
        branches = next(iter(tree.values()), None)
        if len(tree) != 1 or not isinstance(branches, list) or not branches:
            yield Fault(where, field, "any 与 all 只能有其一，后面是至少一项的列表。", "P035")
            return
        for number, branch in enumerate(branches):
            yield from _tree(where, f"{field}[{number}]", branch)
    else:
        yield from _leaf(where, field, tree)


def _leaf(where: str, field: str, leaf: dict[str, object]) -> Iterator[Fault]:
    for key in sorted(set(leaf) - LEAF_KEYS):
        yield unknown(where, field, key, sorted(LEAF_KEYS), "P035")
    for key, words in (("basis", BASES), ("op", tuple(OPS)), ("agg", AGGS)):
        if (key == "basis" or key in leaf) and leaf.get(key) not in words:
            yield unknown(where, f"{field}.{key}", str(leaf.get(key, "")), words, "P035")
    if "var" in leaf and ("op" not in leaf or ("value" not in leaf) != ("config" in leaf)):
        yield Fault(
            where,
            field,
            "写了 var，就须有 op，且 value（数值）与 config（未知，留待各地填写）二者居一。",
            "P035",
        )
    if "var" not in leaf and "text" not in leaf:
        yield Fault(where, field, "须有 var（可计算）或 text（由人判定）。", "P035")
    if str(leaf.get("op", "")).startswith("in") and "value" in leaf and not _interval(leaf["value"]):
        yield Fault(
            where, f"{field}.value", "op 为 in 或 in_half_open 时，value 须是由小到大的两个数。", "P035"
        )


def _interval(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and value[0] < value[1]


# ── audiences, texts, rights, almanac 对象、文本、签发权、日历 ─────────────────


def _audience(pack: Pack, name: str, audience: Audience) -> Iterator[Fault]:
    field = f"audience.{name}"
    if not audience.basis:
        yield Fault("tables.toml", f"{field}.basis", "没有写。请写由谁定。", "P021")
    for part, known, code in (
        ("roles", tuple(pack.roles), "P033"),
        ("channels", CHANNELS, "P034"),
        ("lists", LISTS, "P041"),
    ):
        table: tuple[str, ...] | dict[str, tuple[str, ...]] = getattr(audience, part)
        if isinstance(table, dict) and set(table) != set(LEVELS):
            yield Fault(
                "tables.toml", f"{field}.{part}", f"分级书写时，须恰好有 {'、'.join(LEVELS)} 四级。", "P022"
            )
        words = table if isinstance(table, tuple) else [w for level in table.values() for w in level]
        for word in dict.fromkeys(words):
            if word not in known:
                yield unknown("tables.toml", f"{field}.{part}", word, known, code)


def _texts(pack: Pack) -> Iterator[Fault]:
    texts = pack.texts
    for name, needed, given in (
        ("templates", tuple(TEMPLATES), texts.templates),
        ("actions", ACTIONS, texts.actions),
        ("verbs", VERBS, texts.verbs),
        ("levels", LEVELS, texts.levels),
    ):
        for key in needed:
            if not given.get(key):
                yield Fault("texts.toml", f"{name}.{key}", "没有写，系统要用到这句话。", "P039")
    yield from _numbers(texts.numbers)
    everything = frozenset().union(*TEMPLATES.values())
    for name, text in texts.templates.items():
        known = TEMPLATES.get(name, everything)
        holes = placeholders(text)
        if holes is None:
            yield Fault("texts.toml", f"templates.{name}", "花括号不成对。", "P031")
        for hole in sorted((holes or set()) - known):
            yield Fault(
                "texts.toml",
                f"templates.{name}",
                f"写了“{{{hole}}}”，此处没有这一项。可用：{'、'.join(sorted(known)) or '无'}。",
                "P031",
            )


def _numbers(numbers: dict[str, str]) -> Iterator[Fault]:
    """A number that leaves one of its parts out would be given twice."""
    for series, text in numbers.items():
        holes = placeholders(text)
        if series not in NAMES or holes != {"year", "number"}:
            yield Fault(
                "texts.toml", f"numbers.{series}", "编号须由 {year} 和 {number} 两项写成，系列为 actual、exercise、test。", "P031"
            )  # fmt: skip


def placeholders(text: str) -> set[str] | None:
    """The names in braces of a template, or None if its braces do not match."""
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        return None
    return {
        name + (f"!{conv}" if conv else "") + (f":{spec}" if spec else "")
        for _, name, spec, conv in parts
        if name is not None
    }


def _rights(pack: Pack) -> Iterator[Fault]:
    rights = pack.rights
    for unit in rights.issue:
        if unit not in pack.units:
            yield unknown("rights.toml", "issue", unit, pack.units, "P014")
    if set(rights.sign) != set(LEVELS):
        yield Fault("rights.toml", "sign", f"须恰好有 {'、'.join(LEVELS)} 四级。", "P022")
    known = {**rights.accounts, **pack.roles}
    named = [("sign", role) for roles in rights.sign.values() for role in roles]
    for field, role in dict.fromkeys([*named, *(("cosign", role) for role in rights.cosign)]):
        if role not in known:
            yield unknown("rights.toml", field, role, known, "P033")
    for level in rights.totp:
        if level not in LEVELS:
            yield unknown("rights.toml", "totp", level, LEVELS, "P022")


def _almanac(pack: Pack) -> Iterator[Fault]:
    almanac = pack.almanac
    for day in (*almanac.off, *almanac.work, *almanac.holidays.values()):
        if not _date(day):
            yield Fault(
                "almanac.toml", "off、work、holidays", f"写了“{day}”，应为日期，例如 2027-10-01。", "P028"
            )
    for day in sorted(set(almanac.off) & set(almanac.work)):
        yield Fault("almanac.toml", "off、work", f"“{day}”既休息又上班。", "P032")
    for name in almanac.holidays:
        if not re.fullmatch(r"\d{4}:.+", name):
            yield Fault("almanac.toml", "holidays", f"写了“{name}”，应为“年:节日”，例如 2027:春节。", "P038")
