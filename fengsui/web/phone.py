"""手机页 Phone: what the page behind a link shows to one person — the warning, and the three steps he owes.

Derived from the state alone, so that it costs microseconds; names nobody but units and posts. Two people who owe the
same see the same, which is why a page can be kept as it was rendered (``phone_html``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from fengsui.core import calendar, replies, suspension, wording
from fengsui.core.alerts import area_of
from fengsui.core.clauses import Pack
from fengsui.core.facts import Reported, SuspensionDecided
from fengsui.core.levels import LEVELS, Level
from fengsui.core.state import Contact, Share, State, World, Zoned
from fengsui.core.tables import Reader, stands
from fengsui.store import archive
from fengsui.store.sql import archive as open_archive

OVERSEERS = (*suspension.DECIDERS, "liaison")
"""Posts of a township that see which of its villages has not answered."""
MEANS = {
    "loudspeaker": "大喇叭",
    "wechat": "微信工作群",
    "call": "电话通知",
    "visit": "入户告知",
    "gong": "铜锣、哨子",
    "screen": "电子屏",
}
"""How a warning is passed on: word of the form → its name."""
STOPS = {"work": "停工", "business": "停业", "classes": "停课"}
GUIDE = 4
"""Items of the guide on the page."""
SHOWN = 12
"""Places that have not answered, named one by one; the rest is a number."""
POSTS = 3
"""Posts by which the page speaks to its reader; the rest is a number."""
KEPT = 64
"""Texts of warnings kept in memory."""
PAUSE = 10 * calendar.MINUTE
"""µs before a link is sent again."""
AGAIN = 3
"""How often a link of one version is sent again."""


class Step(msgspec.Struct, frozen=True):
    """How a step stands: done (a sentence, "" = not yet), until when, what is left, and whether it is late."""

    done: str = ""
    until: str = ""
    left: str = ""
    late: bool = False


class Relay(msgspec.Struct, frozen=True):
    """② for which units, and to which villages (id, name) it may have been passed on."""

    step: Step
    units: tuple[str, ...]
    villages: tuple[tuple[str, str], ...] = ()


class Decide(msgspec.Struct, frozen=True):
    """③ of one unit: what may stop (nothing: too late for that), which decision (``at``) this one replaces, whether it
    also reports its response; whether something stands still that can be lifted, and whether that is owed now.
    """

    step: Step
    unit: str
    name: str
    stops: tuple[str, ...]
    replaces: int = 0
    respond: bool = False
    stopped: bool = False
    resume: bool = False


class View(msgspec.Struct, frozen=True):
    """Everything on the page. areas: (name of level, places), strongest first; missing: places that have not answered.

    over: the warning was lifted; what is left is what the person's units had stopped.
    """

    version: int
    series: str
    level: Level
    hazard: str
    english: str
    title: str
    issuer: str
    issued: str
    expires: str
    areas: tuple[tuple[str, str], ...]
    text: str
    guide: tuple[str, ...]
    who: str
    received: Step
    relay: Relay | None = None
    decide: tuple[Decide, ...] = ()
    missing: tuple[str, ...] = ()
    more: int = 0
    resent: str = ""
    telephone: str = ""
    over: bool = False


class _Owed(msgspec.Struct):
    """Shares of one person's holders and units, by what ends them."""

    acknowledge: list[Share] = []
    relay: dict[str, Share] = {}
    decide: dict[str, Share] = {}
    respond: dict[str, Share] = {}
    resume: dict[str, Share] = {}


def view(person: str, state: State, world: World, now: int, *, text: str = "", telephone: str = "") -> View:
    """What a person's link shows of a warning in force, or of one that is over. text: the forecaster's own words; now: UTC µs."""
    pack, contact = world.pack, state.notices.people[person]
    hazard = pack.hazards[state.alert.hazard]
    level = _level(person, contact, state, world)
    owed = _owed(contact, units(person, contact, world), state)
    over = not state.alert.holds
    missing = [] if over else _missing(person, state, world)
    signal = hazard.levels.get(level)
    return View(
        version=contact.version,
        series=state.series,
        level=level,
        hazard=hazard.name,
        english=hazard.name_en,
        title=f"{hazard.name}{pack.texts.levels[level]}预警{'已解除' if over else ''}",
        issuer=wording.begin(pack, state.series),
        issued=_day(state.alert.at, pack)
        + (f"　第{state.alert.version}版" if state.alert.version > 1 else ""),
        expires="" if over else _day(state.alert.expires, pack),
        areas=_areas(state, pack),
        text=f"{text.rstrip('，')}。" if over and text.endswith("，") else text,
        guide=pack.guide(signal, _reader(contact, world))[:GUIDE] if signal and not over else (),
        who=_who(person, contact, world),
        received=_received(contact, owed.acknowledge, now, pack),
        relay=None if over else _relay(person, owed, world, now),
        decide=tuple(_decides(person, owed, state, world, now)),
        missing=tuple(_counted(missing)[:SHOWN]),
        more=max(0, len(set(missing)) - SHOWN),
        resent=clock(at, pack) if (at := resent(person, state)) else "",
        telephone=telephone,
        over=over,
    )


def clock(at: int, pack: Pack) -> str:
    """A moment as 02:13 in the pack's zone."""
    return f"{calendar.local(at, pack.zone):%H:%M}"


def _day(at: int, pack: Pack) -> str:
    there = calendar.local(at, pack.zone)
    return f"{there.month}月{there.day}日 {there:%H:%M}"


def resent(person: str, state: State) -> int:
    """When his link was last sent again at his own wish, 0 = never."""
    start = f"again/{person}/"
    return max((n.at for key, n in state.notices.sent.items() if key.startswith(start)), default=0)


# ── who owes what ─────────────────────────────────────────────────────────────


def _level(person: str, contact: Contact, state: State, world: World) -> Level:
    """The level where this person answers for something; the strongest of all where the warning does not touch it."""
    known, there = world.directory.persons.get(person), _where(state)
    areas = [area_of(h, world) for h in contact.told or ([known.unit] if known else [])]
    found = [at for area in areas if area and (at := there.level(area))]
    return max(found or there.zones.values(), key=LEVELS.index)


def _where(state: State) -> Zoned:
    """The zones of the warning; those it had if it is over."""
    return state.alert.now if state.alert.holds else state.alert.before


def reports(person: str, state: State, world: World, at: int, version: int) -> list[Reported]:
    """What 已再传播 means coming from this person of a version he saw: the same as the short answer 2."""
    alone = World(world.pack, world.directory, {state.stream: state}, world.heads)
    facts = replies.meaning("relayed", person, alone, at=at, named=(state.stream, version))
    return [f for f in facts if isinstance(f, Reported)]


def units(person: str, contact: Contact, world: World) -> tuple[str, ...]:
    """Units that this person was asked for, and those of the posts he holds."""
    held = world.directory.held.get(person, ())
    return tuple(dict.fromkeys([h.split("/", 1)[0] for h in contact.told] + [p.unit for p in held]))


def _owed(contact: Contact, units: Iterable[str], state: State) -> _Owed:
    """One walk over the duties of the stream; of several shares of a unit the last one counts."""
    found = _Owed()
    for duty in state.duties.values():
        for holder in contact.told:
            share = duty.shares.get(holder)
            if share and "acknowledged" in share.plan.evidence:
                found.acknowledge.append(share)
        for unit in units:
            share = duty.shares.get(unit)
            if share is None:
                continue
            if "relay" in share.plan.evidence:
                found.relay[unit] = share
            elif share.plan.use and share.plan.use.mechanism == "suspension":
                found.decide[unit] = share
            elif "extreme_weather_response" in share.plan.evidence:
                found.respond[unit] = share
            elif "suspension_lifted" in share.plan.evidence:
                found.resume[unit] = share
    return found


def _step(shares: Iterable[Share], now: int, pack: Pack, done: str = "") -> Step:
    """Open as long as one share is; the nearest deadline counts."""
    open_ = [s.deadline for s in shares if s.open]
    if done or not open_:
        return Step(done)
    left, late = min(open_) - now, min(open_) < now
    minutes = abs(left) // calendar.MINUTE
    words = f"超 {minutes} 分钟" if late else f"余 {minutes} 分钟" if minutes else "余不足 1 分钟"
    return Step("", clock(min(open_), pack), words, late)


def _received(contact: Contact, shares: list[Share], now: int, pack: Pack) -> Step:
    ended = [s.ended for s in shares if s.ended and s.how == "done"]
    if contact.acknowledged >= contact.version:
        return Step(f"已签收{f'　{clock(max(ended), pack)}' if ended else ''}")
    return _step(shares, now, pack)


def _who(person: str, contact: Contact, world: World) -> str:
    """Unit and posts by which the page speaks to its reader."""
    known = world.directory.persons.get(person)
    posts = list(contact.told) or [p.id for p in world.directory.held.get(person, ())]
    unit = (posts[0].split("/", 1)[0] if posts else "") or (known.unit if known else "")
    named = world.pack.units.get(unit)
    roles = dict.fromkeys(
        village(p, world) + wording.post(p, world.pack) for p in posts if p.startswith(f"{unit}/")
    )
    first = "、".join(list(roles)[:POSTS])
    return f"{named.name if named else ''}{first}{f'等{len(roles)}岗' if len(roles) > POSTS else ''}"


def _reader(contact: Contact, world: World) -> Reader:
    """Who was told for posts of villages alone reads what a guide says to people, not what it says to offices."""
    return "village" if contact.told and all(village(p, world) for p in contact.told) else "office"


def village(post: str, world: World) -> str:
    """The village that a post answers for, "" for one of a whole unit."""
    found = world.directory.posts.get(post)
    area = world.pack.areas.get(found.area) if found else None
    return area.name if area and area.kind == "village" else ""


# ── ② and ③ ──────────────────────────────────────────────────────────────────


def _relay(person: str, owed: _Owed, world: World, now: int) -> Relay | None:
    if not owed.relay:
        return None
    pack = world.pack
    done = ""
    if all(s.ended for s in owed.relay.values()):
        last = max(s.ended or 0 for s in owed.relay.values())
        done = f"{'、'.join(pack.units[u].name for u in owed.relay)}已再传播　{clock(last, pack)}"
    places = () if done else tuple(_villages(person, tuple(owed.relay), world, now))
    return Relay(_step(owed.relay.values(), now, pack, done), tuple(owed.relay), places)


def _villages(person: str, units: tuple[str, ...], world: World, now: int) -> Iterator[tuple[str, str]]:
    """A village's own people see their village, a township's people all of theirs, offices none."""
    posts = [p for p in world.directory.held.get(person, ()) if p.unit in units]
    own = {p.area for p in posts if p.area in world.pack.areas and world.pack.areas[p.area].kind == "village"}
    whole = any(p.area not in own for p in posts)
    for unit in units:
        known = world.pack.units[unit]
        if "townships" in known.groups:
            for area, name in villages_of(known.area, world.pack, now):
                if whole or not own or area in own:
                    yield area, name


_known: dict[tuple[str, str, str], tuple[tuple[str, str], ...]] = {}


def villages_of(area: str, pack: Pack, now: int) -> tuple[tuple[str, str], ...]:
    """Id and name of the villages of a township today; walked once a day."""
    day = f"{calendar.local(now, pack.zone):%Y-%m-%d}"
    key = (pack.digest, area, day)
    if key not in _known:
        if len(_known) > 500:
            _known.clear()
        places = (a for a in pack.areas.values() if a.kind == "village" and a.parent == area)
        _known[key] = tuple((a.id, a.name) for a in places if stands(a, day))
    return _known[key]


def _decides(person: str, owed: _Owed, state: State, world: World, now: int) -> Iterator[Decide]:
    for unit in suspension.deciding(person, state, world):
        before, share = state.suspension.get(unit), owed.decide.get(unit)
        if share and (share.how == "cancelled" or not state.alert.holds):
            share = None  # too late to stop anything; what stands still can be lifted
        if not (share or (before and (before.stops or before.lifted))):
            continue
        resume, respond = owed.resume.get(unit), owed.respond.get(unit)
        open_ = [s for s in (share, resume) if s and s.open]
        said = "" if before is None or (share and share.open) else _said(before, world.pack)
        yield Decide(
            msgspec.structs.replace(_step(open_, now, world.pack), done=said),
            unit,
            world.pack.units[unit].name,
            share.plan.use.stops if share and share.plan.use else (),
            before.at if before else 0,
            respond.open if respond else False,
            suspension.stopped(state, unit),
            bool(resume and resume.open),
        )


def _said(fact: SuspensionDecided, pack: Pack) -> str:
    return f"{decided(fact.stops, lifted=fact.lifted)}　{clock(fact.at, pack)}"


def decided(stops: tuple[str, ...], *, lifted: bool = False) -> str:
    """A decision in words: 停工、停课; 不停; 已恢复."""
    return "已恢复" if lifted else "、".join(name for s, name in STOPS.items() if s in stops) or "不停"


def _missing(person: str, state: State, world: World) -> list[str]:
    """Villages of a township's officer from whose responsible persons no answer has come; one entry for each post."""
    towns = [
        p.unit
        for p in world.directory.held.get(person, ())
        if p.role in OVERSEERS and "townships" in world.pack.units[p.unit].groups
    ]
    if not towns:
        return []
    starts = tuple(f"{unit}/responsible_person/" for unit in dict.fromkeys(towns))
    return [
        village(holder, world) or wording.post(holder, world.pack)
        for duty in state.duties.values()
        for holder, share in duty.shares.items()
        if holder.startswith(starts) and share.open and "acknowledged" in share.plan.evidence
    ]


def _counted(places: list[str]) -> list[str]:
    return [f"{place}（{n}人）" if n > 1 else place for place, n in Counter(places).items()]


def _areas(state: State, pack: Pack) -> tuple[tuple[str, str], ...]:
    zones = _where(state).zones
    order = sorted(set(zones.values()), key=LEVELS.index, reverse=True)
    return tuple(
        (pack.texts.levels[level], "、".join(pack.areas[z].name for z, at in zones.items() if at == level))
        for level in order
    )


# ── the forecaster's words ────────────────────────────────────────────────────

_texts: dict[str, str] = {}


def known_text(digest: str) -> str | None:
    """The words of a warning's paper if they have been read before."""
    return _texts.get(digest)


def text(digest: str) -> str:
    """The words of a warning's paper, "" if it is not there or is something else; blocks once for each paper."""
    found = _texts.get(digest)
    if found is None:
        if len(_texts) >= KEPT:
            _texts.clear()
        found = _texts[digest] = _read(digest)
    return found


def _read(digest: str) -> str:
    papers = open_archive()
    try:
        written = wording.draft(archive.get(papers, digest)) if digest else wording.Draft()
    except (archive.Missing, archive.Erased, msgspec.MsgspecError):
        return ""
    finally:
        papers.close()
    return written.cause + written.forecast
