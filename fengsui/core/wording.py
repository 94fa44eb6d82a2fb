"""文本 Wording: the words people read, filled from the pack's templates — deterministic, no names, no numbers.

A text depends on the telling and on why somebody is called, never on who he is: the same words for the same reason.
"""

from __future__ import annotations

import math
import re

import msgspec

from fengsui.core import calendar
from fengsui.core.alerts import area_of, left
from fengsui.core.clauses import Pack, pick
from fengsui.core.facts import Call, InsertionOrdered, Notified, Plan
from fengsui.core.levels import GONE, LEVELS, Action, Level
from fengsui.core.series import Series, mark
from fengsui.core.state import AlertPart, State, World
from fengsui.core.tables import touches

FORMS = {"crawl": "滚动字幕", "badge": "预警角标", "anchor": "主持人口播"}
ASKING = ("remind", "deputy", "visit")
"""Steps whose text says how to answer, where they are taken for a post; for a unit they are a reminder."""
SEVERAL = ("changed", "corrected")
"""Changes whose text names all zones in force, each with its level."""
GRAVITY = ("bulletin", "supervise", "visit", "deputy", "remind", "superior", "due", "desk")
PACE = 4
"""Characters that an announcer says in a second."""
LONGEST = 40
"""Seconds that an announcement should last at most (本系统缺省，待核实)."""
ALOUD = re.compile(r"[^\W_]")
"""What is said aloud: no punctuation."""
GUIDE = 3
"""Items of a guide that a text carries at most."""
SHOWN = 6
"""How many missing items one message lists before it says 等N项."""


class Draft(msgspec.Struct, frozen=True):
    """What a forecaster writes of a warning: cause and forecast, each a whole sentence or empty.

    Its canonical JSON is the paper that an Alerted names by digest. others: the forecast for zones at another level than
    the strongest, where it differs.
    """

    cause: str = ""
    forecast: str = ""
    others: dict[str, str] = {}


def draft(paper: bytes) -> Draft:
    """A draft from a paper; nothing written = empty."""
    return msgspec.json.decode(paper, type=Draft) if paper else Draft()


def paper(draft: Draft) -> bytes:
    """A draft as the bytes that are archived and named by digest."""
    return msgspec.json.encode(draft, order="deterministic")


def render(notified: Notified, calls: tuple[Call, ...], world: World, paper: bytes) -> str:
    """The text of a telling: for list members and plain recipients ``calls`` is empty.

    paper: the bytes the warning's Alerted names. Raises KeyError if the pack lacks the template.
    """
    series = world.at(notified.stream).series
    return begin(world.pack, series) + said(notified, calls, world, paper) + mark(series)


def said(notified: Notified, calls: tuple[Call, ...], world: World, paper: bytes) -> str:
    """The same text with nothing at either end: neither who sends it nor that it is not in earnest."""
    written = draft(paper)
    parts = [
        _filled(notified, name, some, world, (written, *_spoken_of(notified, some, world)))
        for name, some in _reasons(notified, calls)
    ]
    return "".join(parts)


Spoken = tuple[Draft, str, tuple[str, ...]]
"""What a forecaster wrote, and the level and zones a text names."""


def _filled(notified: Notified, name: str, calls: tuple[Call, ...], world: World, spoken: Spoken) -> str:
    state = world.at(notified.stream)
    fields = _warning(notified, state, world.pack, spoken) | _called(notified, calls, state, world)
    fields |= _drilled(state, notified.at, world.pack)
    templates, guide = world.pack.texts.templates, _guide(state.warning, world.pack, spoken[1])
    if name == "order":
        fields |= _ordered(state) | {"text": _guided(templates["crawl"], fields, guide)}
    return _guided(templates[name], fields, guide)


def seconds(text: str) -> int:
    """How long it takes to say a text."""
    return math.ceil(len(ALOUD.findall(text)) / PACE)


def _guided(template: str, fields: dict[str, str], guide: tuple[str, ...]) -> str:
    """The text with as many items of the guide as can be said in time, and the first in any case."""
    items = [item.rstrip("；。") for item in guide[:GUIDE]]
    said = ["；".join(items[:count]) + "。" for count in range(len(items), 0, -1)] or [""]
    texts = [template.format(**fields | {"guide": one}) for one in said]
    return next((text for text in texts if seconds(text) <= LONGEST), texts[-1])


def _guide(alert: AlertPart, pack: Pack, level: str) -> tuple[str, ...]:
    """What is said aloud is said to people at home: no item that speaks to offices."""
    hazard = pack.hazards[alert.hazard] if alert.hazard else None
    signal = hazard.levels.get(level) if hazard else None
    return pack.guide(signal, "village") if signal else ()


def _drilled(state: State, now: int, pack: Pack) -> dict[str, str]:
    """What a drill's own tellings say of it."""
    known = pack.drills.get(state.drill.scenario)
    begins = state.drill.begins
    return {
        "drill": known.title if known else state.drill.scenario,
        "begin": _by(begins, now, pack) if begins else "",
    }


def public(notified: Notified, world: World, paper: bytes) -> str:
    """The text for informed lists: they are told, not asked."""
    template = "alert_public" if notified.template == "alert" else notified.template
    spoken = (draft(paper), notified.level, _standing(notified.zones, world.pack))
    series = world.at(notified.stream).series
    return begin(world.pack, series) + _filled(notified, template, (), world, spoken) + mark(series)


def _spoken_of(notified: Notified, calls: tuple[Call, ...], world: World) -> tuple[str, tuple[str, ...]]:
    """Level and zones that a text names: those of whoever is called for, of what was lifted, of the telling's level."""
    alert = world.at(notified.stream).warning
    zones = alert.now.zones or alert.before.zones
    if notified.change in GONE:
        return notified.level, _standing(tuple(left(alert, world.pack)), world.pack)
    if notified.zones and not notified.lists:
        return notified.level, notified.zones
    if notified.change in SEVERAL:
        return notified.level, tuple(sorted(zones, key=lambda z: -LEVELS.index(zones[z])))
    areas = {area for c in calls if (area := area_of(c.holder, world))}
    near = {z: level for z, level in zones.items() if any(touches(a, z) for a in areas)}
    level = max(near.values(), key=LEVELS.index) if near else notified.level
    return level, tuple(z for z, at in zones.items() if at == level and (not near or z in near))


def _standing(zones: tuple[str, ...], pack: Pack) -> tuple[str, ...]:
    """Zones without places that were abolished, unless there is no other."""
    return tuple(z for z in zones if z not in pack.areas or not pack.areas[z].valid_to) or zones


def begin(pack: Pack, series: Series) -> str:
    """What every message begins with: the sender's signature, and 【演练】 or 【模拟】 where nothing is in earnest."""
    return pack.texts.signature + mark(series)


def _reasons(notified: Notified, calls: tuple[Call, ...]) -> list[tuple[str, tuple[Call, ...]]]:
    """The texts that make up one message, gravest first, each with the calls it speaks of.

    A person is told once, but 通报 does not drown in a reminder, and who is to answer for a post reads how to.
    """
    if notified.template != "call":
        return [(notified.template, calls)]
    found: dict[tuple[str, str], list[Call]] = {}
    for call in calls:
        unit, post = call.holder.partition("/")[::2]
        name = ("due" if not post else call.do) if call.do in ASKING else call.do
        found.setdefault((name, unit if name in ASKING else ""), []).append(call)
    order = sorted(found, key=lambda reason: GRAVITY.index(reason[0]))
    return [(reason[0], tuple(found[reason])) for reason in order]


def bulletin(part: AlertPart, pack: Pack, action: Action, spoken: Spoken) -> str:
    """The words of a version for everybody, about its zones at one level: what other systems get (CAP)."""
    corrected = "corrected" if part.holds else "retracted"
    name = {"cancel": "all_clear", "correct": corrected}.get(action, "alert_public")
    fields = _said(part, pack, spoken, part.at, pack.texts.verbs[action])
    return _guided(pack.texts.templates[name], fields, _guide(part, pack, spoken[1]))


def _warning(notified: Notified, state: State, pack: Pack, spoken: Spoken) -> dict[str, str]:
    action = pack.texts.actions.get(notified.change or "new", "")
    if foreign := state.foreign.part.version and state.foreign:
        return _said(foreign.part, pack, spoken, foreign.sent, action) | {"source": foreign.sender}
    return _said(state.alert, pack, spoken, state.alert.at or notified.at, action) | {
        "source": pack.texts.issuer
    }


def _said(alert: AlertPart, pack: Pack, spoken: Spoken, at: int, action: str) -> dict[str, str]:
    written, level, zones = spoken
    zones = zones or tuple(alert.now.zones or alert.before.zones)
    hazard = pack.hazards[alert.hazard] if alert.hazard else None
    return {
        "issuer": pack.texts.issuer,
        "date": _date(at, pack),
        "time": clock(at, pack),
        "action": action,
        "hazard": hazard.name if hazard else "",
        "level": pack.texts.levels.get(level, ""),
        "cause": written.cause,
        "was": _by(alert.was, alert.at, pack) if alert.was else "",
        "forecast": written.others.get(level, written.forecast),
        "areas": places(zones, alert.now.zones, pack),
    }


def places(zones: tuple[str, ...], levels: dict[str, Level], pack: Pack) -> str:
    """Names of zones; where they are at several levels, each level with its own: 红色：聚乐乡；橙色：峰峪乡."""
    found: dict[str, list[str]] = {}
    for zone in zones:
        if zone in pack.areas:
            found.setdefault(levels.get(zone, ""), []).append(pack.areas[zone].name)
    if len(found) < 2:
        return "、".join(name for names in found.values() for name in names)
    return "；".join(f"{pack.texts.levels[level]}：{'、'.join(names)}" for level, names in found.items())


def _called(notified: Notified, calls: tuple[Call, ...], state: State, world: World) -> dict[str, str]:
    pack = world.pack
    fields = {
        "unit": "",
        "post": "",
        "items": "",
        "clause": "",
        "subject": "",
        "deadline": "",
        "form": "",
        "every": "",
    }
    if notified.subject in state.consultations:
        organiser = state.consultations[notified.subject].unit
        fields["unit"] = pack.units[organiser].name if organiser in pack.units else ""
    fields["deadline"] = _by(_deadline(notified, calls, state), notified.at, pack)
    if not calls:
        return fields
    units = dict.fromkeys(c.holder.split("/")[0] for c in calls)
    clauses = dict.fromkeys(pack.clauses[c.key.split("/")[0]].cite for c in calls)
    return fields | {
        "unit": _some([pack.units[u].name for u in units if u in pack.units]),
        "post": _some(list(dict.fromkeys(_place(c.holder, world) + post(c.holder, pack) for c in calls))),
        "items": _some(list(dict.fromkeys(item(c, pack, _place(c.holder, world)) for c in calls))),
        "clause": "、".join(clauses),
        "subject": _subject(state, pack),
    }


def _some(names: list[str]) -> str:
    shown = "、".join(names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown}等{len(names)}项"


def item(call: Call, pack: Pack, place: str = "") -> str:
    """One thing that is missing: whose (place: the village of a post that has one), and what."""
    unit = pack.units.get(call.holder.split("/")[0])
    thread = call.key.split("/", 2)[2:]
    about = f"{title(thread[0], pack)}的" if thread and thread[0].split("/")[0] in pack.clauses else ""
    return f"{unit.name if unit else ''}{place}{post(call.holder, pack)}{about}{title(call.key, pack)}"


def _place(holder: str, world: World) -> str:
    """Where a post answers for less than its unit: the name of that area."""
    found = world.directory.posts.get(holder)
    unit = world.pack.units.get(holder.split("/", 1)[0])
    if found is None or unit is None or found.area == unit.area or found.area not in world.pack.areas:
        return ""
    return world.pack.areas[found.area].name


def post(holder: str, pack: Pack) -> str:
    """The Chinese name of a post's role; "" for a unit."""
    parts = holder.split("/")
    return pack.roles.get(parts[1], "") if len(parts) > 1 else ""


def _subject(state: State, pack: Pack) -> str:
    alert = state.warning
    if not alert.hazard:
        return "责任人名单"
    strongest = max((alert.now.zones or alert.before.zones).values(), key=LEVELS.index)
    return f"{state.foreign.sender}{pack.hazards[alert.hazard].name}{pack.texts.levels[strongest]}预警"


def _deadline(notified: Notified, calls: tuple[Call, ...], state: State) -> int:
    keys = [(c.key, c.holder) for c in calls]
    if notified.template in ("summons", "order"):
        keys = [
            (k, h)
            for k, d in state.duties.items()
            for h, s in d.shares.items()
            if s.open and _used(s.plan, notified)
        ]
    found = [
        state.duties[k].shares[h].deadline
        for k, h in keys
        if k in state.duties and h in state.duties[k].shares
    ]
    return min(found, default=notified.at)


def _used(plan: Plan, notified: Notified) -> bool:
    if notified.template == "order" and notified.change in GONE:
        return any(word.startswith("off_air_") for word in plan.evidence)
    wanted = "consultation" if notified.template == "summons" else "insertion"
    return plan.use is not None and plan.use.mechanism == wanted


def _ordered(state: State) -> dict[str, str]:
    orders: list[InsertionOrdered] = [o for o in state.orders.values() if o.version == state.alert.version]
    every = min((o.every for o in orders if o.every), default=0)
    return {
        "form": "、".join(FORMS.get(o.form, o.form) for o in orders) or "撤下字幕和角标",
        "every": f"字幕每{every // calendar.MINUTE}分钟一次" if every else "全程",
    }


def _date(at: int, pack: Pack) -> str:
    moment = calendar.local(at, pack.zone)
    return f"{moment.year}年{moment.month}月{moment.day}日"


def _by(deadline: int, now: int, pack: Pack) -> str:
    """A deadline as people say it: the time alone today, with its date on any other day."""
    then, here = calendar.local(deadline, pack.zone), calendar.local(now, pack.zone)
    day = "" if then.date() == here.date() else f"{then.month}月{then.day}日"
    return day + clock(deadline, pack)


def number(series: str, year: int, count: int, pack: Pack) -> str:
    """The number of a signal as the pack writes it; the how manieth of its series and year it is."""
    return pack.texts.numbers.get(series, "{year}-{number:04d}").format(year=year, number=count)


def clock(at: int, pack: Pack) -> str:
    """A moment as 2时13分 in the pack's zone."""
    moment = calendar.local(at, pack.zone)
    return f"{moment.hour}时{moment.minute:02d}分"


def title(duty: str, pack: Pack) -> str:
    """The Chinese title of a duty by its key."""
    clause, name = duty.split("/")[:2]
    return next((d.title for d in pack.clauses[clause].duty if d.name == name), name)


def within(duty: str, level: str, pack: Pack) -> str:
    """How long a duty may take at a level, and who set it: ``15m（本区约定（待核实））``."""
    clause, name = duty.split("/")[:2]
    found = next(d for d in pack.clauses[clause].duty if d.name == name)
    return f"{pick(found.within, level)}（{found.within_basis}）"
