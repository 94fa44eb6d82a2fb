"""收到的 Arrived: what came from elsewhere as screens show it — beside our own warnings, as tasks, one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from django.utils.safestring import SafeString, mark_safe

from fengsui.core import reception
from fengsui.core.cap_rules import Finding, Layer
from fengsui.core.facts import Arrival as Step
from fengsui.core.levels import LEVELS, Level
from fengsui.core.series import mark
from fengsui.core.state import State, World
from fengsui.flow.reception import Choice
from fengsui.formats import badges
from fengsui.formats.arrivals import Proposal, Threat
from fengsui.formats.cap.verdict import Verdict
from fengsui.store import arrivals, caps
from fengsui.store.arrivals import Arrival
from fengsui.store.caps import Cap
from fengsui.web import here, paths, tasks, waiting, written
from fengsui.web.shared import Moment
from fengsui.web.tasks import Task

STATES: dict[str, tuple[str, str]] = {
    "new": ("正在读", "wait"), "registered": ("已登记", "ok"), "waiting": ("待核对", "late"), "refused": ("不采用", "late"),
    "aside": ("未登记", ""),
}  # fmt: skip
"""State of an arrival → its word and look."""
SOURCES = {"upload": "上传", "paste": "粘贴"}
LAYERS: dict[Layer, str] = {"xml": "格式", "xsd": "模式", "semantic": "规范", "signature": "签名"}
JUDGED = {True: ("通过", "ok"), False: ("不通过", "late"), None: ("未判", "")}
LONGEST = 200_000
"""Characters of a message that its page shows; all of it can be fetched."""


class Beside(NamedTuple):
    """A warning of another office in force. draft: the form of issue with the same hazard, level and areas, "" = not offered;
    doubt: what must be said with it.
    """

    stream: str
    sender: str
    name: str
    level: Level
    badge: SafeString
    areas: str
    at: int
    sent: int
    expires: int
    doubts: tuple[str, ...]
    url: str
    draft: str


def beside(world: World, now: int, role: str) -> list[Beside]:
    """What is in force of others, the strongest first."""
    found = [_beside(state, world, role) for state in reception.in_force(world, now)]
    return sorted(found, key=lambda one: -LEVELS.index(one.level))


def _beside(state: State, world: World, role: str) -> Beside:
    pack, foreign = world.pack, state.foreign
    hazard, level = pack.hazards[foreign.part.hazard], foreign.part.now.strongest or "blue"
    doubts = [] if foreign.valid else ["未通过校验"]
    doubts += [] if foreign.binding else ["来源不受信，只作显示"]
    drawn = badges.badge(hazard.id, level, hazard.name, hazard.name_en)
    return Beside(
        state.stream, foreign.sender, f"{mark(state.series)}{hazard.name}{pack.texts.levels[level]}预警", level,
        mark_safe(drawn), named(foreign.part.now.zones, world), foreign.part.at, foreign.sent, foreign.part.expires,  # noqa: S308 - drawn by us
        tuple(doubts), paths.to(role, "received_one", foreign.part.paper), _draft(state, world, role),
    )  # fmt: skip


def named(zones: Mapping[str, Level], world: World) -> str:
    """Zones by name; where they are at several levels, each level with its own."""
    pack, found = world.pack, dict[str, list[str]]()
    for zone, level in sorted(zones.items(), key=lambda z: -LEVELS.index(z[1])):
        name = "全区" if zone == pack.district else pack.areas[zone].name if zone in pack.areas else zone
        found.setdefault(level, []).append(name)
    if len(found) < 2:
        return "、".join(name for names in found.values() for name in names)
    return "；".join(f"{pack.texts.levels[level]}：{'、'.join(names)}" for level, names in found.items())


def _draft(state: State, world: World, role: str) -> str:
    """Where a draft of ours begins with what they say; not where our district has no such signal, or has one in force."""
    part, url = state.foreign.part, paths.to(role, "issue")
    hazard, level = world.pack.hazards[part.hazard], part.now.strongest or ""
    ours = any(
        s.alert.holds and s.alert.hazard == hazard.id and s.series == state.series
        for s in world.streams.values()
    )
    if not url or ours or level not in hazard.levels or role not in ("forecaster", "signer"):
        return ""
    zones = [("zone", zone) for zone, at in part.now.zones.items() if at == level]
    return f"{url}?{urlencode([('new', '1'), ('hazard', hazard.id), ('level', level), *zones])}"


def tasks_of(role: str, at: Moment) -> list[Task]:
    """Cards of what came from elsewhere and is not settled, and of what of ours did not leave for other systems."""
    if role not in tasks.DESK:
        return []
    found = [_unsettled(one, role) for one in at.once("arrivals", _waits)]
    stuck = at.once("unsent", lambda: caps.faults(here.session(), at.now))
    return found + [_unsent(cap, role, at.world) for cap in stuck]


def _waits() -> list[Arrival]:
    session = arrivals.desk()
    try:
        return arrivals.waits(session)
    finally:
        session.close()


def _unsettled(one: Arrival, role: str) -> Task:
    title = f"收到的预警{STATES[one.state][0]}：{one.sender}{one.hazard}"
    url = paths.to(role, "received_one", one.digest)
    return Task(f"arrival|{one.digest}", "", "", "", (), "received", 0, title, one.why[:80], "查看核对", url)


def _unsent(cap: Cap, role: str, world: World) -> Task:
    """A version that the gate did not let out as a message: no subscriber has it."""
    title = f"对外报文没有发出：{waiting.label(cap.stream, world)}第 {cap.version} 版"
    url = paths.to(role, "signal", cap.stream, cap.version)
    return Task(
        f"cap|{cap.identifier}", cap.stream, "", "", (), "unsent", 0, title, cap.fault[:80], "看这一版", url
    )


# ── one message 一份 ──────────────────────────────────────────────────────────


class Judged(NamedTuple):
    """A layer of the strict verdict in words."""

    name: str
    word: str
    kind: str


class Told(NamedTuple):
    """A finding or a remark in words; line: 0 = none in particular."""

    where: str
    line: int
    text: str
    code: str
    grave: bool


def layers(said: Verdict) -> list[Judged]:
    """The verdict, layer by layer."""
    return [Judged(LAYERS[layer], *JUDGED[state]) for layer, state in said.layers.items()]


def findings(found: Sequence[Finding]) -> list[Told]:
    """What the layers found, by line."""
    return [Told(LAYERS[f.layer], f.line, f.text, f.code, f.grave) for f in found]


class Form(NamedTuple):
    """What a person would register, one for each hazard. Values as the fields of the form hold them."""

    hazard: str
    level: str
    zones: tuple[str, ...]
    until: str
    sender: str
    ending: bool
    name: str = ""


def forms(found: Proposal) -> list[Form]:
    """A form for each hazard that was read; an empty one where none was."""
    ends = found.action in reception.ENDS
    threats = found.dangers or (Threat("", "", {}),)
    return [
        Form(
            t.hazard, t.level, tuple(t.zones), written.local(found.expires), found.sender, ends,
            "" if t.hazard else t.name[:40],
        )
        for t in threats
    ]  # fmt: skip


def given(data: Mapping[str, str], zones: Sequence[str]) -> Form:
    """The form as somebody sent it."""
    text = {name: data.get(name, "").strip() for name in ("hazard", "level", "until", "sender")}
    return Form(
        text["hazard"],
        text["level"],
        tuple(zones),
        text["until"],
        text["sender"][:40],
        data.get("ending") == "1",
    )


def choice(form: Form, world: World, *, binding: bool) -> Choice | str:
    """What a form says, or what is wrong with it."""
    level = next((a for a in LEVELS if a == form.level), None)
    if form.hazard not in world.pack.hazards:
        return "请选择灾种。[W240]"
    if not form.sender:
        return "请填发布单位。[W241]"
    if form.ending:
        return Choice(form.hazard, {}, 0, form.sender, ending=True, binding=binding)
    if level is None:
        return "请选择级别。[W242]"
    if not form.zones or not set(form.zones) <= {area for area, _ in written.towns()}:
        return "请选择涉及本区的区域。[W243]"
    until = written.moment(form.until)
    if not until:
        return "请填失效时间。[W244]"
    zones = [world.pack.district] if world.pack.district in form.zones else form.zones
    return Choice(form.hazard, dict.fromkeys(zones, level), until, form.sender, binding=binding)


def verb(action: Step) -> str:
    """What a message does, in a word."""
    return {"issue": "发布", "update": "更新", "cancel": "解除", "expire": "到期"}[action]
