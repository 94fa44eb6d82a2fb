"""Scenarios the office can read: given whom, when what happens, then who must have been told or must owe what, and what never.

One file is one scenario; ``WHENS`` and ``lines`` below are all the words there are. What a file says and no word here means is an error that
names the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from fengsui.core.calendar import HOUR, MINUTE
from fengsui.core.directory import Directory
from fengsui.core.facts import (
    Aired,
    Consulted,
    DirectoryChanged,
    DrillSet,
    DutyEnded,
    DutyOpened,
    Exhausted,
    Fact,
    InsertionOrdered,
    Notified,
    Reached,
    Reported,
    ResponseSet,
    StepTaken,
    SuspensionDecided,
    Tallied,
)
from fengsui.core.state import AlertPart, Refusal
from tests.core.worlds import INCIDENT, District, a_directory, an_alert, at, clock, only, with_post, yunzhou

HERE = Path(__file__).parent
FILES = sorted(HERE.rglob("*.toml"))
LEVELS = {"蓝色": "blue", "黄色": "yellow", "橙色": "orange", "红色": "red"}
ROLES = {name: id_ for id_, name in yunzhou().roles.items()} | {"B角": "deputy"}
UNITS = {u.name: u.id for u in yunzhou().units.values()} | {u.id: u.id for u in yunzhou().units.values()}
AREAS = {a.name: a.id for a in yunzhou().areas.values() if a.kind != "village"}
HAZARDS = {h.name: h.id for h in yunzhou().hazards.values()}
STEPS = {
    "催办": "remind",
    "找B角": "deputy",
    "报上级": "superior",
    "上值班台": "desk",
    "上门": "visit",
    "督办": "supervise",
    "通报": "bulletin",
}
FORMS = {"滚动字幕": "crawl", "预警角标": "badge", "主持人口播": "anchor"}
SCENARIOS = {s.title: id_ for id_, s in yunzhou().drills.items()}
REPORTS = {r.title: (id_, r.paper) for id_, r in yunzhou().reports.items()}
REPLIES = {"收到": "acknowledged", "送达": "delivered", "已读": "read"}
VERBS = {
    "发布": "issue",
    "更新": "",
    "继续发布": "renew",
    "变更发布": "change",
    "升级发布": "upgrade",
    "降级发布": "downgrade",
    "更正": "correct",
}
STOPS = {"停工": "work", "停业": "business", "停课": "classes"}


class Given(msgspec.Struct, forbid_unknown_fields=True):
    """Units that have people (a 值班员 with a B角, and a 主要负责人 each), further posts, clauses that are live.

    vacant: posts that nobody holds, "许堡乡 值班员"; their units need not have people.
    """

    units: list[str]
    clauses: list[str]
    roles: tuple[str, ...] = ("值班员", "主要负责人")
    posts: tuple[str, ...] = ()  # "聚乐乡 联络员"
    vacant: tuple[str, ...] = ()
    standing: dict[str, list[str]] = {}  # unit: what it stops by itself on red
    alone: bool = False  # the district has no other units


class When(msgspec.Struct, forbid_unknown_fields=True):
    """At a time (hours may exceed 24), something happens, said in few words; or it is refused, with this code."""

    at: str
    what: str
    refused: str = ""


class Then(msgspec.Struct, forbid_unknown_fields=True):
    """Facts that must have come about, "time who what", and in the end how many duties of a clause stand how."""

    facts: list[str] = []
    open: list[str] = []  # "unit duty": still owed when the scenario ends
    done: list[str] = []
    nothing_open: bool = False


class Scenario(msgspec.Struct, forbid_unknown_fields=True):
    """A scenario file. until: time passes to here at the end."""

    name: str
    given: Given
    when: list[When]
    then: Then
    until: str = ""
    never: list[str] = []


class Unclear(Exception):  # noqa: N818
    """A scenario file says something that means nothing here."""


def read(file: Path) -> Scenario:
    """A scenario. Raises Unclear with the file's name for what can not be understood."""
    try:
        scenario = msgspec.toml.decode(file.read_bytes(), type=Scenario)
    except msgspec.ValidationError as error:
        raise Unclear(f"{file.name}：{error}") from error
    if not scenario.when or not (scenario.then.facts or scenario.then.open or scenario.then.done):
        raise Unclear(f"{file.name}：须有 [[when]] 和 [then]")
    return scenario


# ── given ────────────────────────────────────────────────────────────────────


def district(given: Given) -> District:
    units = [UNITS[u] for u in given.units]
    roles = tuple(ROLES[r] for r in given.roles)
    base: Directory = a_directory(*units, roles=roles)
    for post in given.posts:
        unit, role = post.split()
        base = with_post(base, UNITS[unit], ROLES[role], person(f"{unit}{role}"))
    for post in given.vacant:
        unit, role = post.split()
        base = with_post(base, UNITS[unit], ROLES[role], "")
        units.append(UNITS[unit])
    standing = {UNITS[u]: tuple(STOPS[s] for s in stops) for u, stops in given.standing.items()}
    pack = only(*given.clauses)
    if given.alone:
        pack = msgspec.structs.replace(pack, units={u: pack.units[u] for u in pack.units if u in units})
    return District(msgspec.structs.replace(base, standing=standing), pack)


def person(words: str) -> str:
    """``聚乐乡值班员`` → the id of that person."""
    unit = max((u for u in UNITS if words.startswith(u)), key=len, default="")
    role = words.removeprefix(unit)
    if not unit or role not in ROLES:
        raise KeyError(words)
    return f"{UNITS[unit]}-{ROLES[role]}"


# ── when ─────────────────────────────────────────────────────────────────────


class Now(NamedTuple):
    """The district, the moment, and the version of the warning in force."""

    d: District
    at: int
    version: int


def happen(d: District, moment: int, what: str) -> Refusal | list[Fact]:
    """Post what a line of ``when`` says."""
    version = d.streams[INCIDENT].alert.version if INCIDENT in d.streams else 0
    for pattern, act in WHENS:
        if found := re.fullmatch(pattern, what):
            return d.post(act(Now(d, moment, version), *found.groups()))
    raise KeyError(what)


def _issue(now, verb, hazard, zones):
    """A warning by its verb. ``其余不变`` keeps the expiry and tells nobody where the level stays; ``一人`` signs alone, and
    corrects without prolonging.
    """
    parts = [p for p in zones.split("，") if p not in ("其余不变", "一人")]
    levels = {}
    for part in parts:
        level, names = part.split(" ", 1)
        levels |= {AREAS[z]: LEVELS[level] for z in names.split("、")}
    before = now.d.streams[INCIDENT].alert if INCIDENT in now.d.streams else AlertPart()
    kept = [z for z, at_ in levels.items() if before.now.zones.get(z) == at_] if "其余不变" in zones else []
    alone = (
        {"mode": "retraction" if verb == "更正" else "emergency", "signer": "forecaster"}
        if "一人" in zones
        else {}
    )
    return an_alert(
        zones=levels, hazard=HAZARDS[hazard], version=now.version + 1, at=now.at, action=VERBS[verb], kept=kept,
        expires=before.expires if kept or alone.get("mode") == "retraction" else now.at + 6 * HOUR, **alone,
    )  # fmt: skip


def _retract(now, zones):
    """The version in force was wrong as a whole, one person takes it back: to what held before, or to nothing."""
    return msgspec.structs.replace(_cancel(now), action="correct", mode="retraction", signer="forecaster")


def _short(now, minutes, hazard, zones):
    return msgspec.structs.replace(_issue(now, "更新", hazard, zones), expires=now.at + int(minutes) * MINUTE)


def _cancel(now):
    hazard = now.d.state().alert.hazard if INCIDENT in now.d.streams else "rainstorm"
    return an_alert("", version=now.version + 1, at=now.at, hazard=hazard, action="cancel")


def _reach(now, who, state):
    return Reached(
        INCIDENT, now.at, person(who), last(now.d, person(who)), "sms", REPLIES[state], now.version
    )


def _report(now, unit, what):
    id_, paper = REPORTS[what]
    return Reported(INCIDENT, now.at, id_, UNITS[unit], paper="paper" if paper else "")


def _relayed(now, who):
    unit = now.d.directory.persons[person(who)].unit
    return Reported(INCIDENT, now.at, "relay", unit, person(who), now.version)


def _signed(now, unit, role, words):
    """The desk signs for a post; who answered the call and what he promised is the note."""
    post = f"{UNITS[unit]}/{ROLES[role]}/1"
    return Reached(
        INCIDENT, now.at, "", "", "call", "acknowledged", now.version, by="desk", holder=post, paper=words
    )


def _lost(now, who, why):
    reason = {"打不通": "refused", "空号": "address", "不归我": "disowned"}[why]
    return Exhausted(INCIDENT, now.at, person(who), last(now.d, person(who)), reason)


def _stop(now, unit, what):
    before = now.d.state().suspension.get(UNITS[unit])
    stops = tuple(STOPS[s] for s in what.split("、")) if what != "不停" else ()
    reason = "" if stops else "paper"
    seen = before.at if before else 0
    return SuspensionDecided(INCIDENT, now.at, UNITS[unit], "a", stops, reason, replaces=seen)


def _resume(now, unit):
    before = now.d.state().suspension[UNITS[unit]]
    return SuspensionDecided(INCIDENT, now.at, UNITS[unit], "a", lifted=True, replaces=before.at)


def _air(now, how, form):
    return Aired(INCIDENT, now.at, "media", FORMS[form], on=how == "播出", by="onair", version=now.version)


def _consult(now, what):
    name = max(now.d.state().consultations)
    stage, outcome = {
        "召开": ("held", ""),
        "结论启动响应": ("concluded", "activate"),
        "结论不启动": ("concluded", "none"),
    }[what]
    paper = "paper" if outcome else ""
    return Consulted(
        INCIDENT, now.at, name, "emergency", stage, "headquarters_office", "a", (), outcome, paper
    )


def _respond(now, grade):
    return ResponseSet(INCIDENT, now.at, grade, "headquarters", "a")


def _listed(now):
    part = now.d.state().notices
    left = [(k, c) for k, channels in part.pending.items() for c in channels if part.sent[k].change]
    for key, channel in left[:-1]:
        now.d.post(Tallied(INCIDENT, now.at, key, channel, {"delivered": 1}))
    return Tallied(INCIDENT, now.at, *left[-1], {"delivered": 1})


def _moved(now, unit, who):
    return DirectoryChanged("district", now.at, "departed", UNITS[unit], person(who))


def _roster(now, unit):
    return Reported("district", now.at, "roster_confirmed", UNITS[unit])


def last(d: District, who: str) -> str:
    return (d.told().get(who) or [""])[-1]


DRILL = "drill-20270721-1"


def _announce(now, scenario, units):
    """A drill is announced by the weather office, to begin in ten minutes."""
    return DrillSet(
        DRILL, now.at, "announced", "meteorology-leader", SCENARIOS[scenario],
        tuple(UNITS[u] for u in units.split("、")), (), now.at + 10 * MINUTE,
    )  # fmt: skip


def _another(now, scenario, units):
    return msgspec.structs.replace(_announce(now, scenario, units), stream="drill-20270721-2")


def _turn(now, what):
    return DrillSet(DRILL, now.at, {"开始": "started", "结束": "stopped"}[what], "meteorology-leader")


def _played(now, hazard, zones):
    """A warning in the drill."""
    return msgspec.structs.replace(_issue(now, "发布", hazard, zones), series="exercise", drill=DRILL)


def _loose(now, hazard, zones):
    """A drill's warning that is in no drill."""
    return msgspec.structs.replace(_issue(now, "发布", hazard, zones), series="exercise")


WHENS = (
    (r"宣布演练(\S+)：(.+)", _announce),
    (r"另行宣布演练(\S+)：(.+)", _another),
    (r"演练(开始|结束)", _turn),
    (r"演练发布([^\d\s]+?)预警：(.+)", _played),
    (r"无演练而演练发布([^\d\s]+?)预警：(.+)", _loose),
    (r"(发布|更新|继续发布|变更发布|升级发布|降级发布|更正)([^\d\s]+?)预警：(.+)", _issue),
    (r"撤回预警，一人()", _retract),
    (r"发布(\d+)分钟内有效的(\S+?)预警：(.+)", _short),
    (r"解除预警", _cancel),
    (r"(\S+)(收到|送达|已读)", _reach),
    (r"值班席代签(\S+)的(\S+)：(.+)", _signed),
    (r"(\S+)已再传播", _relayed),
    (r"(\S+)报：(\S+)", _report),
    (r"(\S+?)(打不通|空号|不归我)", _lost),
    (r"(\S+)决定(不停|[停工业课、]+)", _stop),
    (r"(\S+)复工复业复课", _resume),
    (r"融媒体中心(播出|撤下)(\S+)", _air),
    (r"会商(召开|结论启动响应|结论不启动)", _consult),
    (r"启动(I|II|III|IV)级响应", _respond),
    (r"各渠道清单齐了", _listed),
    (r"(\S+)的(\S+)调离", _moved),
    (r"(\S+)反馈名单", _roster),
)


# ── then ─────────────────────────────────────────────────────────────────────


def lines(d: District) -> Iterator[str]:
    """Every fact in the words of ``then``: "02:16 催办 聚乐乡值班员（签收）"."""
    for f in d.facts:
        time = clock(f.at)
        match f:
            case DutyOpened():
                yield from (
                    f"{time} {name(d, h)} 应办 {title(d, f.key)}，时限{clock(f.deadline)}" for h in f.holders
                )
            case DutyEnded():
                how = "办结" if f.how == "done" else "随演练取消" if f.evidence == "drill" else "随解除取消"
                yield from (f"{time} {name(d, h)} {how} {title(d, f.key)}" for h in f.holders)
            case StepTaken():
                word = next(w for w, do in STEPS.items() if do == f.do)
                yield from (f"{time} {word} {name(d, h)} {title(d, f.key)}" for h in f.holders)
            case Notified():
                said = {
                    "alert": "收预警",
                    "all_clear": "收解除",
                    "order": "收插播单",
                    "summons": "收会商通知",
                    "call": "被叫",
                    "corrected": "收更正",
                    "retracted": "收撤回",
                    "drill_announced": "收演练预告",
                    "drill_stopped": "收演练结束",
                }[f.template]
                yield from (f"{time} {name_person(r.person)} {said}" for r in f.recipients)
                yield from (f"{time} 名单{listed} {said}" for listed in f.lists)
            case InsertionOrdered():
                form = next(w for w, x in FORMS.items() if x == f.form)
                yield f"{time} 融媒体中心 插播单 {form}"
            case SuspensionDecided(by="standing"):
                yield f"{time} {name(d, f.unit)} 自动停"
            case _:
                pass


def title(d: District, key: str) -> str:
    clause, duty = key.split("/")[:2]
    return next(x.title for x in d.pack.clauses[clause].duty if x.name == duty)


def name(d: District, holder: str) -> str:
    """A unit by its id's short name, a post as unit and role."""
    unit, *post = holder.split("/")
    return short(unit) + (d.pack.roles[post[0]] if post else "")


def short(unit: str) -> str:
    full = yunzhou().units[unit].name
    return unit if not unit.isascii() else full


def name_person(id_: str) -> str:
    unit, role = id_.rsplit("-", 1)
    return short(unit) + next(w for w, r in ROLES.items() if r == role)


def still_open(d: District) -> set[str]:
    return {
        f"{name(d, h)} {title(d, k)}"
        for s in d.streams.values()
        for k, x in s.duties.items()
        for h, y in x.shares.items()
        if y.open
    }


def run(scenario: Scenario, file: str = "") -> District:
    """Let it happen. Raises Unclear for a line that means nothing, AssertionError for one that was refused."""
    try:
        d = district(scenario.given)
        for step in scenario.when:
            d.wait(at(step.at))
            answer = happen(d, at(step.at), step.what)
            if step.refused:
                assert isinstance(answer, Refusal), f"{file} {step.at} {step.what}：应被拒绝"
                assert answer.code == step.refused, f"{file} {step.at} {step.what}：{answer.text}"
            else:
                assert isinstance(answer, list), f"{file} {step.at} {step.what}：{answer.text}"
    except KeyError as error:
        raise Unclear(f"{file}：不认识 {error}") from error
    if scenario.until:
        d.wait(at(scenario.until))
    return d


def judge(scenario: Scenario, file: str) -> None:
    """Hold what came about against what the scenario says."""
    d = run(scenario, file)
    said = list(lines(d))

    missing = [line for line in scenario.then.facts if line not in said]
    assert not missing, "\n".join([scenario.name, "没有发生：", *missing, "实际：", *said])
    forbidden = [line for pattern in scenario.never for line in said if pattern in line]
    assert not forbidden, "\n".join([scenario.name, "不应发生：", *forbidden])
    open_ = still_open(d)
    assert [x for x in scenario.then.open if x not in open_] == []
    assert [x for x in scenario.then.done if x in open_] == []
    assert not (scenario.then.nothing_open and open_)


@pytest.mark.parametrize("file", FILES, ids=[f.stem for f in FILES])
def test_scenario(file):
    judge(read(file), file.name)


@pytest.mark.parametrize("file", FILES, ids=[f.stem for f in FILES])
def test_a_scenario_can_fail(file):
    scenario = read(file)
    happened = scenario.then.facts[0]
    wrong = (
        {"then": msgspec.structs.replace(scenario.then, facts=[f"23:59{happened[5:]}"])},
        {"never": [happened]},
        {"then": msgspec.structs.replace(scenario.then, open=["某乡 签收"])},
    )
    for change in wrong:
        with pytest.raises(AssertionError):
            judge(msgspec.structs.replace(scenario, **change), file.name)


def test_every_verb_has_a_scenario_from_every_state_whole_and_split():
    states, extents = ("none", "whole", "split", "ended"), ("whole", "split")
    wanted = {f"{v}-{s}-{e}" for v in yunzhou().texts.verbs for s in states for e in extents}

    assert {f.stem for f in (HERE / "life").glob("*.toml")} == wanted


def test_every_live_clause_has_a_scenario():
    live = {i for i, c in yunzhou().clauses.items() if not c.planned}
    covered = {
        clause for file in FILES for clause in read(file).given.clauses if len(read(file).given.clauses) < 3
    }

    assert live <= covered


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("nam = 'x'", "x.toml"),
        (
            "name = 'x'\nwhen = [{at='02:13', what='发布', then=[]}]\n[given]\nunits=[]\nclauses=[]\n[then]\n",
            "x.toml",
        ),
        (
            "name = 'x'\nwhen = [{at='02:13', what='唱歌'}]\n[given]\nunits=[]\nclauses=[]\n[then]\nfacts=['x']",
            "x.toml：不认识",
        ),
        (
            "name = 'x'\nwhen = [{at='02:13', what='解除预警'}]\n[given]\nunits=['某乡']\nclauses=[]\n[then]\nfacts=['x']",
            "某乡",
        ),
        ("name = 'x'\nwhen = []\n[given]\nunits=[]\nclauses=[]\n[then]\nfacts=['x']", "须有"),
    ],
)
def test_what_a_file_says_wrongly_is_an_error_that_names_the_file(broken, said, tmp_path):
    file = tmp_path / "x.toml"
    file.write_text(broken, encoding="utf-8")

    with pytest.raises(Unclear, match=said):
        run(read(file), file.name)
