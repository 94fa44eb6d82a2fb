"""演练 Drill: real people, real time, not in earnest — announced, started, stopped; nobody is told who does not take part.

A drill is a stream of series ``exercise``; the incidents played in it are streams of that series that name it. What is
decided in any of them sees a district that consists of the participating units and has no lists: so nobody else can be
told, chased or owe anything. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fengsui.core.facts import Alerted, Closed, DrillSet, DutyEnded, Fact, Notified, Recipient
from fengsui.core.state import DrillPart, Refusal, State, World

replace = msgspec.structs.replace
SERIES = "exercise"
UNDER_WAY = ("announced", "started")
CHANNELS = ("sms", "email")
"""By which ways participants are told of the drill itself, where they have them; else by any they have."""
TEMPLATES = {"announced": "drill_announced", "stopped": "drill_stopped"}
"""What is told at which turn of a drill. That it starts is told by its first warning."""


# ── fold ─────────────────────────────────────────────────────────────────────


def folded(state: State, fact: DrillSet) -> State:
    """The drill's stream after a turn of it. What was announced stays known."""
    part = replace(state.drill, stage=fact.state)
    if fact.state == "announced":
        part = replace(
            part, scenario=fact.scenario, units=fact.units, areas=fact.areas, begins=fact.begins, by=fact.by
        )
    if fact.state == "started":
        part = replace(part, started=fact.at)
    return replace(state, series=SERIES, drill=part)


def joined(state: State, fact: Alerted) -> State:
    """The stream of a warning, which names the drill it is played in."""
    return replace(state, drill=replace(state.drill, of=fact.drill)) if fact.drill else state


# ── asking ───────────────────────────────────────────────────────────────────


def under_way(world: World) -> str:
    """The drill that is announced or started, "" if there is none."""
    return next((h.stream for h in world.heads.values() if h.stage in UNDER_WAY), "")


def incidents(drill: str, world: World) -> tuple[str, ...]:
    """Open streams played in a drill."""
    return tuple(sorted(h.stream for h in world.heads.values() if h.drill == drill))


def part_of(state: State, world: World) -> DrillPart | None:
    """The drill that a stream is or is played in; None = it is in no drill."""
    if state.drill.of:
        return world.at(state.drill.of).drill
    return state.drill if state.drill.stage else None


def seen(stream: str, world: World) -> World:
    """The world as what is decided in a stream sees it: of a drill, only those who take part, and no lists."""
    part = part_of(world.at(stream), world)
    if part is None:
        return world
    units = frozenset(part.units)
    return World(world.pack.within(units), world.directory.within(units), world.streams, world.heads)


def live(world: World) -> World:
    """The world without drills: what is in earnest."""
    return _only({name: s for name, s in world.streams.items() if part_of(s, world) is None}, world)


def played(drill: str, world: World) -> World:
    """The world with nothing but a drill: its own stream and its incidents."""
    names = {drill, *incidents(drill, world)}
    return _only({name: s for name, s in world.streams.items() if name in names}, world)


def _only(streams: dict[str, State], world: World) -> World:
    if len(streams) == len(world.streams):
        return world
    heads = {name: head for name, head in world.heads.items() if name in streams}
    return World(world.pack, world.directory, streams, heads)


def participants(units: tuple[str, ...], world: World) -> tuple[str, ...]:
    """Whoever may be told anything in a drill of these units: holders of their posts and stand-ins, who have a way."""
    directory = world.directory.within(frozenset(units))
    persons = {p for post in directory.posts.values() for p in (post.holder, post.deputy) if p}
    return tuple(sorted(persons & directory.reachable))


def told(drill: str, world: World) -> tuple[str, ...]:
    """Whoever was told anything in a drill, or that there will be one."""
    streams = (drill, *incidents(drill, world))
    return tuple(sorted({p for name in streams for p in world.at(name).notices.people}))


# ── admit ────────────────────────────────────────────────────────────────────


def admit(fact: Fact, world: World) -> Refusal | None:
    """Whether a drill may take this turn, and whether a warning may be played."""
    match fact:
        case DrillSet(state="announced"):
            return _unannounceable(fact, world)
        case DrillSet():
            return _out_of_turn(fact, world)
        case Alerted():
            return _unplayed(fact, world)
    return None


def _unannounceable(fact: DrillSet, world: World) -> Refusal | None:
    state = world.at(fact.stream)
    if state.drill.stage == fact.state:
        return Refusal("E00", "这场演练已经宣布", already=True)
    if state.last:
        return Refusal("E01", "这个编号已经用过，请刷新后重新发起演练")
    if other := under_way(world):
        return Refusal("E02", f"演练 {other} 正在进行，同时只能有一场。请先结束它")
    if fact.scenario not in world.pack.drills:
        return Refusal("E03", "数据包中没有这个情景，请从列表选择")
    if not fact.units or not set(fact.units) <= world.pack.units.keys():
        return Refusal("E04", "请从列表选择参演单位，至少一个")
    if not set(fact.areas) <= world.pack.areas.keys():
        return Refusal("E05", "演练区域不在数据包中，请从列表选择")
    if fact.begins < fact.at:
        return Refusal("E06", "演练开始的时间须晚于现在")
    if not participants(fact.units, world):
        return Refusal("E07", "参演单位没有一人可以通知，请先核对名录和网关")
    return _stranger(fact, world)


def _out_of_turn(fact: DrillSet, world: World) -> Refusal | None:
    stage = world.at(fact.stream).drill.stage
    if stage == fact.state:
        return Refusal("E00", f"这场演练已经{'开始' if stage == 'started' else '结束'}", already=True)
    if stage not in UNDER_WAY or (fact.state == "started" and stage != "announced"):
        return Refusal("E08", "演练须先宣布、再开始，结束后不能再开始")
    return _stranger(fact, world)


def _stranger(fact: DrillSet, world: World) -> Refusal | None:
    """A drill is a matter of those who issue warnings."""
    person = world.directory.persons.get(fact.by)
    if person is None or person.unit not in world.pack.rights.issue:
        return Refusal("E09", "演练由发布预警的单位发起和结束，请用该单位的账号")
    return None


def _unplayed(fact: Alerted, world: World) -> Refusal | None:
    """A stream keeps its series; a drill's warning needs a drill under way, and nothing else may name one."""
    state = world.at(fact.stream)
    if state.alert.version and fact.series != state.series:
        return Refusal("E10", "同一过程不能由实战改为演练，或由演练改为实战，请另建过程")
    drill = state.drill.of or fact.drill
    if fact.drill and (fact.series != SERIES or fact.drill != drill):
        return Refusal("E11", "只有演练中的预警才写明所属演练，且不能更改")
    if fact.series == SERIES and world.at(drill).drill.stage != "started":
        return Refusal("E12", "演练预警只能在已开始的演练中发布，请先在“演练”页发起并开始")
    return None


# ── decide ───────────────────────────────────────────────────────────────────


def decide(fact: Fact, world: World) -> Iterator[Fact]:
    """Announced: participants are told. Stopped: whoever was told is told its end, and all that is owed in it is dropped
    and its warnings are closed, so that nothing of it climbs or is told any more.
    """
    match fact:
        case DrillSet(state="announced"):
            yield from _telling(fact, participants(fact.units, world), world)
        case DrillSet(state="stopped"):
            whom = told(fact.stream, world)
            for name in incidents(fact.stream, world):
                yield from _dropped(world.at(name), fact)
                yield Closed(name, fact.at, fact.by)
            yield from _telling(fact, whom, world)


def _telling(fact: DrillSet, persons: tuple[str, ...], world: World) -> Iterator[Fact]:
    usable = world.directory.usable
    recipients = tuple(Recipient(p, ways) for p in persons if (ways := usable(p, CHANNELS)))
    if recipients:
        yield Notified(fact.stream, fact.at, f"drill/{fact.state}", TEMPLATES[fact.state], recipients)


def _dropped(state: State, fact: DrillSet) -> Iterator[Fact]:
    """What is still owed in a stream: cancelled, never done."""
    for key, duty in sorted(state.duties.items()):
        if owing := tuple(sorted(h for h, share in duty.shares.items() if share.open)):
            yield DutyEnded(state.stream, fact.at, key, owing, "cancelled", "drill")
