"""态势图景 Outlook: the warnings in force and how far every township has got with one of them, read from the world once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from fengsui.core import wording
from fengsui.core.board import Row
from fengsui.core.levels import LEVELS, Level
from fengsui.core.state import Contact, Share, State, World
from fengsui.core.tables import Unit, stands
from fengsui.store.progress import Channel
from fengsui.web import sentences, tasks

ACKNOWLEDGE, RELAY, DECIDE = "2.4.1/acknowledge", "2.4.1/relay", "2.4.2/decide"
REVIEW = "2.3.a/review"
"""Somebody signed alone: every desk hears of it."""
RENEW = "2.3.a/renew"
"""The end is near: somebody must decide."""
OFFICER = "duty_officer"
STATES = {
    "relayed": ("✓✓", "已再传播"), "received": ("✓", "已收到"), "delivered": ("…", "已送达"),
    "late": ("！", "超时"), "planned": ("○", "待送达"), "none": ("", "未涉及"),
}  # fmt: skip
"""State of a unit: its shape and its word."""
ORDER = ("late", "planned", "delivered", "received", "relayed", "none")
"""States, the worst first."""


class Mark(NamedTuple):
    """A word with its look (ok, wait, late, plain) and, where time runs, its deadline (UTC µs)."""

    text: str
    kind: str = ""
    deadline: int = 0


class Town(NamedTuple):
    """A township with one warning: its state, who is reached and has answered, what it has done."""

    unit: str
    name: str
    area: str
    state: str
    level: str
    delivered: Mark
    answered: Mark
    relay: Mark
    stops: Mark
    person: str
    call: str  # id of the board row to call for, "" = nothing is owed

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What a row of the table shows, in its order."""
        return self.delivered, self.answered, self.relay, self.stops

    @property
    def pressing(self) -> Mark | None:
        """What of it is due next and still open, with its name; None if nothing is."""
        named = (
            self.answered._replace(text=f"签收 {self.answered.text}"),
            self.relay,
            self.stops._replace(text=f"停工停课{self.stops.text}"),
        )
        return min((m for m in named if m.deadline), key=lambda m: m.deadline, default=None)

    @property
    def shape(self) -> str:
        """✓✓, ✓, … or ！."""
        return STATES[self.state][0]

    @property
    def word(self) -> str:
        """The state in Chinese."""
        return STATES[self.state][1]


class Warned(NamedTuple):
    """A warning in force as the desk shows it. relayed, received, delivered: how many of its units got so far at least."""

    stream: str
    hazard_id: str
    hazard: str
    hazard_en: str
    level: Level
    level_name: str
    number: str
    areas: str
    issued: int
    expires: int
    version: int
    relayed: int
    received: int
    delivered: int
    units: int
    people: tuple[int, int]  # answered, of all who were told
    chips: tuple[Mark, ...]


def warned(world: World, now: int, counts: dict[tuple[str, int], list[Channel]]) -> list[Warned]:
    """Every warning in force, strongest and newest first."""
    states = [s for s in world.streams.values() if s.alert.holds]
    states.sort(key=lambda s: (-LEVELS.index(strongest(s)), -s.alert.at))
    return [_warned(s, world, now, counts.get((s.stream, s.alert.version), [])) for s in states]


def strongest(state: State) -> Level:
    """The highest level of a warning that holds."""
    return max(state.alert.now.zones.values(), key=LEVELS.index)


def _warned(state: State, world: World, now: int, counts: list[Channel]) -> Warned:
    alert, level, pack = state.alert, strongest(state), world.pack
    hazard = pack.hazards[alert.hazard]
    answers = _answers(state)
    progress = (
        [_progress(u, state, answers[u]) for u in state.duties[RELAY].shares] if RELAY in state.duties else []
    )
    told = [p for p in state.notices.people.values() if p.told]
    return Warned(
        stream=state.stream,
        hazard_id=alert.hazard,
        hazard=hazard.name,
        hazard_en=hazard.name_en,
        level=level,
        level_name=pack.texts.levels[level],
        number=state.stream.rsplit("-", 1)[-1],
        areas=_areas(state, world),
        issued=alert.at,
        expires=alert.expires,
        version=alert.version,
        relayed=progress.count("relayed"),
        received=sum(p in ("relayed", "received") for p in progress),
        delivered=sum(p in ("relayed", "received", "delivered") for p in progress),
        units=len(progress),
        people=(sum(p.acknowledged >= 0 for p in told), len(told)),
        chips=(*_channels(counts), *_insertion(state, now), *_decisions(state, world, now)),
    )


def _areas(state: State, world: World) -> str:
    levels: dict[str, list[str]] = defaultdict(list)
    for zone, level in state.alert.now.zones.items():
        levels[level].append(world.pack.areas[zone].name if zone in world.pack.areas else zone)
    order = sorted(levels, key=lambda x: -LEVELS.index(x))
    if len(order) == 1:
        return "、".join(levels[order[0]])
    return "；".join(f"{world.pack.texts.levels[x]}：{'、'.join(levels[x])}" for x in order)


def _progress(unit: str, state: State, answers: list[tuple[str, Share]]) -> str:
    """How far a unit has got, leaving lateness aside."""
    relay = state.duties[RELAY].shares.get(unit) if RELAY in state.duties else None
    if relay is not None and relay.how == "done":
        return "relayed"
    if any(s.how == "done" for _, s in answers):
        return "received"
    return "delivered" if state.received.get(unit, 0) >= state.alert.version else "planned"


def _answers(state: State) -> defaultdict[str, list[tuple[str, Share]]]:
    """By unit who owes an answer: found in one pass, for there are many units and a thousand who owe."""
    found: defaultdict[str, list[tuple[str, Share]]] = defaultdict(list)
    duty = state.duties.get(ACKNOWLEDGE)
    if duty is not None:
        for holder, share in duty.shares.items():
            found[holder.split("/", 1)[0]].append((holder, share))
    return found


def _told(state: State) -> defaultdict[str, list[Contact]]:
    """By unit who was told for it, in one pass as well."""
    found: defaultdict[str, list[Contact]] = defaultdict(list)
    for person in state.notices.people.values():
        for unit in {holder.split("/", 1)[0] for holder in person.told}:
            found[unit].append(person)
    return found


# ── chips of a warning ───────────────────────────────────────────────────────


def _channels(counts: Iterable[Channel]) -> Iterator[Mark]:
    """Planned, handed over and delivered are three things: a channel whose peer sends no receipt never says 送达."""
    for c in counts:
        name = sentences.CHANNELS.get(c.channel, c.channel)
        parts = [f"待交出 {c.open}"] if c.open else []
        parts += [f"已交出 {c.handed}"] if c.handed else []
        parts += [f"送达 {c.delivered}"] if c.delivered else ["尚无回执"] if c.handed else []
        parts += [f"未达 {c.failed}"] if c.failed else []
        yield Mark(f"{name} {'，'.join(parts) or '未交出'}", "ok" if c.delivered == c.planned else "wait")


def _insertion(state: State, now: int) -> Iterator[Mark]:
    for place, order in sorted(state.orders.items()):
        if order.version > state.alert.version:
            continue
        name = wording.FORMS.get(order.form, order.form)
        share = _latest(state, f"2.4.3/{order.form}", order.unit)
        if place in state.on_air:
            yield Mark(f"{name} 播出中", "ok")
        elif share is not None and share.open:
            yield Mark(f"{name} 待播", _late(share.deadline, now), share.deadline)
        elif share is not None and share.how == "done":
            yield Mark(f"{name} 已播", "ok")


def _late(deadline: int, now: int) -> str:
    return "late" if deadline < now else "wait"


def _latest(state: State, key: str, holder: str) -> Share | None:
    duty = state.duties.get(key)
    return duty.shares.get(holder) if duty else None


def _decisions(state: State, world: World, now: int) -> Iterator[Mark]:
    duty = state.duties.get(DECIDE)
    if duty is not None and duty.shares:
        stopped = sum(bool(s.stops) and not s.lifted for s in state.suspension.values())
        open_ = [s for s in duty.shares.values() if s.open]
        text = f"停工停业停课 {len(duty.shares) - len(open_)}/{len(duty.shares)} 单位已定，{stopped} 家停"
        first = min((s.deadline for s in open_), default=0)
        yield Mark(text, _late(first, now) if open_ else "ok", first)
    for name, latest in state.consultations.items():
        del name
        word = {"called": "已召集，待召开", "held": "已召开，待结论", "concluded": "已有结论"}[latest.stage]
        yield Mark(f"应急会商 {word}", "ok" if latest.stage == "concluded" else "wait")
    response = state.response or world.at("district").response
    if response:
        yield Mark(f"{response} 级应急响应", "ok")


# ── townships ────────────────────────────────────────────────────────────────


def towns(state: State | None, world: World, now: int, day: str) -> list[Town]:
    """Every township that exists on a day (ISO), those with trouble first; without a warning all are uninvolved."""
    units = [u for u in world.pack.units.values() if "townships" in u.groups and stands(u, day)]
    if state is None:
        return [_aside(u, world) for u in units]
    owed: dict[str, list[Row]] = defaultdict(list)
    for row in tasks.rows_of(state):
        owed[row.unit].append(row)
    answers, told = _answers(state), _told(state)
    made = [_town(u, state, _Of(owed[u.id], answers[u.id], told[u.id]), world, now) for u in units]
    return sorted(made, key=lambda t: ORDER.index(t.state))


class _Of(NamedTuple):
    """What concerns a unit: open rows, who owes an answer, who was told."""

    owed: list[Row]
    answers: list[tuple[str, Share]]
    told: list[Contact]


def _aside(unit: Unit, world: World) -> Town:
    """A township that the warning does not concern."""
    blank, officers = Mark("—"), world.directory.holders(unit.id, OFFICER)
    name = sentences.unit(unit.id, world)
    return Town(unit.id, name, unit.area, "none", "", blank, blank, blank, blank, _first(officers), "")


def _town(unit: Unit, state: State, of: _Of, world: World, now: int) -> Town:
    level = state.alert.now.level(unit.area) or ""
    if not level and not of.answers:
        return _aside(unit, world)
    relay = _latest(state, RELAY, unit.id)
    worst = min(of.owed, key=lambda r: tasks.order(r, now), default=None)
    return Town(
        unit=unit.id,
        name=sentences.unit(unit.id, world),
        area=unit.area,
        state=_state(unit.id, state, of.answers, relay, now),
        level=level,
        delivered=_delivered(of.told),
        answered=_answered(of.answers, now),
        relay=_relay(relay, now),
        stops=_stops(unit.id, state, now),
        person=_first(world.directory.holders(unit.id, OFFICER)),
        call=worst.id if worst is not None else "",
    )


def _first(persons: tuple[str, ...]) -> str:
    return persons[0] if persons else ""


def _state(unit: str, state: State, answers: list[tuple[str, Share]], relay: Share | None, now: int) -> str:
    """Late where a relay is overdue, or nobody has answered in time; else how far it has got."""
    progress = _progress(unit, state, answers)
    if progress != "relayed" and relay is not None and relay.open and relay.deadline < now:
        return "late"
    silent = progress in ("delivered", "planned")
    if silent and any(s.open and s.deadline < now for _, s in answers):
        return "late"
    return progress


def _delivered(told: list[Contact]) -> Mark:
    """Persons told for the unit to whom a message was delivered, of all that were; an answer is none (notice "")."""
    if not told:
        return Mark("无人可通知", "late")
    reached = sum(any(n and r != "handed_over" for n, r in p.reach.items()) for p in told)
    return Mark(f"{reached}/{len(told)} 人", "ok" if reached == len(told) else "wait")


def _answered(answers: list[tuple[str, Share]], now: int) -> Mark:
    if not answers:
        return Mark("无责任人", "late")
    done = [s for _, s in answers if s.how == "done"]
    open_ = [s for _, s in answers if s.open]
    text = f"{len(done)}/{len(answers)}"
    if not open_:
        return Mark(text, "ok")
    first = min(s.deadline for s in open_)
    return Mark(text, _late(first, now), first)


def _relay(share: Share | None, now: int) -> Mark:
    if share is None:
        return Mark("—")
    if share.how == "done":
        return Mark("已再传播", "ok", 0)
    if not share.open:
        return Mark("随解除终止")
    return Mark("待再传播", _late(share.deadline, now), share.deadline)


def _stops(unit: str, state: State, now: int) -> Mark:
    decided, share = state.suspension.get(unit), _latest(state, DECIDE, unit)
    if decided is not None:
        words = "、".join(sentences.STOPS.get(s, s) for s in decided.stops)
        return Mark("已恢复" if decided.lifted else words or "不停（有理由）", "ok")
    if share is None or not share.open:
        return Mark("—")
    return Mark("待决定", _late(share.deadline, now), share.deadline)
