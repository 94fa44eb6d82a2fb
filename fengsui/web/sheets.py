"""纸单 Sheets: what stands on paper — a warning's 发布单 from its facts, the 叫应电话单 from the world of one commit.

A sheet is a function of a position of the ledger (and of the names that belong to it) and knows of no clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from fengsui.core import alerts, drill, insertion, wording
from fengsui.core.board import Row
from fengsui.core.clauses import Pack
from fengsui.core.facts import Aired, Alerted, Fact, InsertionOrdered, Notified, Reached, Tallied
from fengsui.core.levels import LEVELS, Level
from fengsui.core.state import AlertPart, State, World
from fengsui.formats import badges, pdf
from fengsui.store import history, people, signals, streams
from fengsui.store.history import Line
from fengsui.store.signals import Signal
from fengsui.web import calling, here, numbers, sentences, written
from fengsui.web.foreseen import LISTS
from fengsui.web.numbers import Card

TELLING = ("alert", "all_clear", "corrected", "retracted")
"""Templates of the tellings that are the warning itself."""
ENDS = "，；：、,; "


class Sheet(NamedTuple):
    """An order for the printer. name: of its file; shows: persons whose whole numbers stand on it."""

    order: pdf.Order
    name: str
    shows: tuple[str, ...] = ()


# ── 预警信号发布单 ────────────────────────────────────────────────────────────


class Version(NamedTuple):
    """One version of a warning: its line, what it left in force, the version it replaced (0 = none); every line of its stream."""

    line: Line
    fact: Alerted
    part: AlertPart
    replaced: int
    lines: Sequence[Line]

    @property
    def lifts(self) -> bool:
        """Whether it ends the warning."""
        return not self.part.holds

    @property
    def zones(self) -> dict[str, Level]:
        """The zones it names: those in force, on lifting those it lifts."""
        return self.part.now.zones or self.part.before.zones

    @property
    def level(self) -> Level:
        """The strongest of its levels."""
        return max(self.zones.values(), key=LEVELS.index)

    def facts(self) -> Iterator[Fact]:
        """The facts of the stream, in order."""
        return (line.fact for line in self.lines)


def issue(stream: str, version: int, ink: pdf.Ink) -> Sheet | None:
    """The 发布单 of a version as of the newest fact of its stream; None if there is no such version."""
    lines = history.stream(here.session(), stream)
    one = _version(lines, version)
    if one is None:
        return None
    world = here.world()
    form = _form(one, world, seal(lines[-1].seq, world.pack))
    name = f"预警信号发布单 {form.number} {form.signal.removesuffix('信号')}{form.action}"
    return Sheet(pdf.Order(form, ink), name)


def _version(lines: Sequence[Line], version: int) -> Version | None:
    part, replaced = AlertPart(), 0
    for line in lines:
        if isinstance(fact := line.fact, Alerted):
            part = alerts.fold(part, fact)
            if fact.version == version:
                return Version(line, fact, part, replaced, lines)
            replaced = fact.version
    return None


def _form(one: Version, world: World, seal: pdf.Seal) -> pdf.IssueForm:
    pack, fact, level = world.pack, one.fact, one.level
    hazard, colour = pack.hazards[fact.hazard], pack.texts.levels[level]
    said = wording.draft(written.paper(fact.paper))
    signal = hazard.levels.get(level)
    numbered = {s.version: number(s, pack) for s in signals.thread(here.session(), fact.stream)}
    return pdf.IssueForm(
        number=numbered[one.fact.version],
        office=pack.texts.issuer,
        signal=f"{hazard.name}{colour}预警信号",
        level=level,
        action=pack.texts.actions[_change(one)],
        series=fact.series,
        issued=fact.at,
        begins=fact.at,
        expires=0 if one.lifts else fact.expires,
        areas=_areas(one.zones, pack),
        observed=_whole(said.cause),
        forecast=_whole(said.forecast),
        guide=signal.guide if signal and not one.lifts else (),
        receivers=_receivers(one, world),
        author=_named(fact.author),
        signer=_named(fact.signer),
        channels=(*_ways(one), *_answers(one), *_insertions(one)),
        seal=seal,
        badge=badges.badge(fact.hazard, level, hazard.name, hazard.name_en),
        replaces=numbered.get(one.replaced, ""),
        note={"emergency": "紧急单人签发，须事后补审。", "retraction": "一人撤回，须事后复核。"}.get(
            fact.mode, ""
        ),
    )


def number(signal: Signal, pack: Pack) -> str:
    """The number of a signal as the pack writes it: never another one later on."""
    return wording.number(signal.series, signal.year, signal.number, pack)


def _change(one: Version) -> str:
    zone = next(z for z, level in one.zones.items() if level == one.level)
    changed = alerts.change(one.part, zone)
    return changed[0] if changed else "new"


def _areas(zones: dict[str, Level], pack: Pack) -> dict[str, tuple[str, ...]]:
    """Chinese name of a level → its places, strongest first."""
    found: dict[Level, list[str]] = defaultdict(list)
    for zone, level in zones.items():
        found[level].append(pack.areas[zone].name if zone in pack.areas else zone)
    order = sorted(found, key=LEVELS.index, reverse=True)
    return {pack.texts.levels[level]: tuple(found[level]) for level in order}


def _whole(words: str) -> str:
    """A sentence of its own, where in a short message it runs on."""
    return f"{words.rstrip(ENDS)}。" if words[-1:] and words[-1] in ENDS else words


def _receivers(one: Version, world: World) -> tuple[str, ...]:
    """Units whose persons were told, in the pack's order; then the lists."""
    units: set[str] = set()
    lists: dict[str, None] = {}
    for told in _tellings(one, (*TELLING, "order")):
        lists |= dict.fromkeys(told.lists)
        for r in told.recipients:
            person = world.directory.persons.get(r.person)
            units |= {h.split("/", 1)[0] for h in r.holders} or ({person.unit} if person else set())
    named = [u.name for u in world.pack.units.values() if u.id in units]
    return (*named, *(f"{LISTS.get(name, name)}名单" for name in lists))


def _tellings(one: Version, templates: Iterable[str] = TELLING) -> list[Notified]:
    return [
        f
        for f in one.facts()
        if isinstance(f, Notified) and f.version == one.fact.version and f.template in templates
    ]


def _named(person: str) -> str:
    """A name; room to write it where it has been erased."""
    return people.name(here.session(), here.house().vault, person)


def _ways(one: Version) -> Iterator[pdf.Channel]:
    """Each way out: done once every telling on it has been handed over or given up, with what came of it."""
    told = {n.key: n for n in _tellings(one)}
    using: dict[str, set[str]] = defaultdict(set)
    for notice in told.values():
        listed = notice.channels if notice.lists else ()
        for channel in dict.fromkeys((*(c for r in notice.recipients for c in r.channels), *listed)):
            using[channel].add(notice.key)
    tallied = {(f.notice, f.channel): f for f in one.facts() if isinstance(f, Tallied) and f.notice in told}
    for channel, keys in using.items():
        found = [tallied[key, channel] for key in keys if (key, channel) in tallied]
        done = max(f.at for f in found) if len(found) == len(keys) else 0
        yield pdf.Channel(sentences.CHANNELS.get(channel, channel), done, _sum(found) if done else "正在发送")


def _sum(tallies: Iterable[Tallied]) -> str:
    total: dict[str, int] = defaultdict(int)
    for one in tallies:
        for word, count in one.counts.items():
            total[word] += count
    return sentences.counts(total)


def _answers(one: Version) -> Iterator[pdf.Channel]:
    """How many of the responsible persons it has reached, and how many have answered: of a lifting nobody must."""
    tellings = _tellings(one)
    persons = {r.person for n in tellings for r in n.recipients}
    keys, reached, answered, done = {n.key for n in tellings}, set[str](), set[str](), 0
    goal = reached if one.lifts else answered
    for fact in one.facts():
        if not isinstance(fact, Reached) or fact.person not in persons or len(goal) == len(persons):
            continue
        if fact.state == "acknowledged" and fact.version >= one.fact.version:
            answered.add(fact.person)
            reached.add(fact.person)
        elif fact.state != "handed_over" and fact.notice in keys:
            reached.add(fact.person)
        done = fact.at if len(goal) == len(persons) else 0
    if not persons:
        return
    note = f"应收 {len(persons)}，送达 {len(reached)}"
    if one.lifts:
        yield pdf.Channel("责任人送达", done, note)
    else:
        yield pdf.Channel("责任人签收", done, f"{note}，签收 {len(answered)}")


def _insertions(one: Version) -> Iterator[pdf.Channel]:
    """Forms that were ordered, or that had to come off the air, and when a person said that they were."""
    after = [f for f in one.facts() if isinstance(f, Aired) and f.at >= one.fact.at]
    if one.lifts:
        for unit, form in _on_air(one):
            off = next((f.at for f in after if (f.unit, f.form) == (unit, form) and not f.on), 0)
            yield pdf.Channel(f"撤下{wording.FORMS.get(form, form)}", off, "已撤下" if off else "待撤下")
        return
    for order in one.facts():
        if isinstance(order, InsertionOrdered) and order.version == one.fact.version:
            on = next((f.at for f in after if (f.unit, f.form) == (order.unit, order.form) and f.on), 0)
            yield pdf.Channel(wording.FORMS.get(order.form, order.form), on, "已播出" if on else "待播")


def _on_air(one: Version) -> list[tuple[str, str]]:
    """What was on the air when the version was signed."""
    found: dict[tuple[str, str], bool] = {}
    for fact in one.facts():
        if fact is one.fact:
            break
        if isinstance(fact, Aired) and fact.form != insertion.MOMENTARY:
            found[fact.unit, fact.form] = fact.on
    return [place for place, on in found.items() if on]


# ── 叫应电话单 ───────────────────────────────────────────────────────────────


def calls(*, whole: bool) -> Sheet:
    """Everybody who has not acknowledged, as of the last commit. whole: with whole numbers."""
    world, seq = here.house().writer.position
    world = drill.live(world)
    stamp = seal(seq, world.pack)
    found = calling.silent(world, stamp.at)
    both = {row.id: calling.both(row, world) for row in found}
    cards = numbers.cards(here.session(), [p for two in both.values() for p, _ in two])
    about = _subjects(found, world)
    rows = tuple(
        pdf.CallRow(
            unit=sentences.unit(row.unit, world),
            post=wording.post(row.holder, world.pack),
            people=tuple(_callee(part, cards.get(person), whole=whole) for person, part in both[row.id]),
            about=about[row.stream],
            level=calling.level(row, world),
            deadline=row.deadline,
        )
        for row in found
    )
    said = {about[row.stream]: calling.words(row, world, "您") for row in reversed(found)}
    series = {world.at(row.stream).series for row in found}
    sheet = pdf.CallSheet(
        office=world.pack.texts.issuer,
        series=series.pop() if len(series) == 1 else world.at("district").series,
        words=dict(reversed(said.items())),
        rows=rows,
        seal=stamp,
        whole=whole,
    )
    shows = tuple(sorted(p for p, card in cards.items() if whole and card.numbers))
    return Sheet(pdf.Order(sheet), f"叫应电话单 台账第{seq}条", shows)


def _callee(part: str, card: Card | None, *, whole: bool) -> pdf.Callee:
    if card is None:
        return pdf.Callee(part, "（不在名录）", ())
    return pdf.Callee(part, card.name, card.numbers if whole else tuple(filter(None, (card.mask,))))


def _subjects(found: Iterable[Row], world: World) -> dict[str, str]:
    """What each stream is called on the sheet, no two alike."""
    names: dict[str, str] = {}
    for stream in dict.fromkeys(row.stream for row in found):
        title = _subject(world.at(stream), world.pack)
        count = sum(name.split("（")[0] == title for name in names.values())
        names[stream] = f"{title}（{count + 1}）" if count else title
    return names


def _subject(state: State, pack: Pack) -> str:
    alert = state.warning
    if not alert.hazard:
        return "日常事项"
    levels = (alert.now.zones or alert.before.zones).values()
    return f"{state.foreign.sender}{pack.hazards[alert.hazard].name}{pack.texts.levels[max(levels, key=LEVELS.index)]}预警"


def seal(seq: int, pack: Pack) -> pdf.Seal:
    """What ties a sheet to the ledger as of a seq."""
    hash_, at = streams.place(here.session(), seq)
    return pdf.Seal(seq=seq, hash=hash_, at=at, zone=pack.zone)
