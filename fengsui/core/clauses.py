"""条款 Clauses: the vocabulary a pack is written in — clauses, duties, notices, ladders, audiences, units, areas.

Frozen structs that say what may stand in a pack; ``formats.packs`` reads the TOML, ``core.lint`` refuses what is
inconsistent. Nothing here decides anything. Vocabulary: ARCHITECTURE.md, "Clauses".
"""

from __future__ import annotations

from functools import cached_property
from typing import Literal, TypeVar

import msgspec

T = TypeVar("T")
Level = Literal["blue", "yellow", "orange", "red"]

LEVELS: tuple[Level, ...] = ("blue", "yellow", "orange", "red")
"""Levels from weak to strong (蓝 黄 橙 红); compare by index, never by name."""

Grade = Literal["I", "II", "III", "IV"]
Action = Literal["issue", "renew", "change", "upgrade", "downgrade", "cancel", "correct"]
"""发布 继续发布 变更 升级发布 降级发布 解除 更正: what a version of a warning does as a whole."""
Change = Literal["new", "up", "same", "changed", "down", "gone", "kept", "corrected", "retracted"]
"""What a version means for one area. changed: the strongest level stays, its zones do not; kept: nothing, nobody is told;
corrected and retracted: the version before was wrong, and something or nothing of it still holds here."""
GONE: tuple[Change, ...] = ("gone", "retracted")
"""Changes after which nothing is in force for an area any more."""
Do = Literal["remind", "deputy", "superior", "desk", "visit", "bulletin", "supervise"]
Haste = Literal["urgent", "office"]
Cause = Literal[
    "alert", "response", "consultation", "suspension", "dataset", "directory", "assignment",
    "pack", "closed", "step", "calendar", "report", "standing",
]  # fmt: skip

By = dict[str, str]
"""A span for each level or grade: ``{red = "10m", orange = "15m"}``."""


class Trigger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """因何 What starts a duty or a notice: a kind of fact, and filters on its fields (empty = any).

    ``change`` empty means new and up: a warning that holds or weakens only tells, it does not ask again.
    ``modes``: signed by one person alone, as a retraction or in an emergency.
    """

    on: Cause
    change: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    hazards: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    spread: float = 0.0  # share of the townships that the warning must touch
    stage: str = ""
    kinds: tuple[str, ...] = ()
    outcome: tuple[str, ...] = ()
    stops: bool | None = None
    state: str = ""
    do: str = ""
    haste: tuple[str, ...] = ()
    what: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    ahead: str = ""


class Use(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of a mechanism that needs code: which one a duty starts when it opens."""

    mechanism: Literal["consultation", "suspension", "insertion"]
    kind: str = ""
    invite: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    form: str = ""
    every: By | str = ""


class Duty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """职责 What somebody must do, by when, proved by what, and how he is chased."""

    name: str
    title: str
    trigger: Trigger | tuple[Trigger, ...]
    who: tuple[str, ...] = ()  # groups, units, or words of a mechanism; empty = the clause's responsible
    each: Literal["unit", "post"] = "unit"
    origin: Literal["trigger", "reception", "day", "due"] = msgspec.field(name="from", default="trigger")
    latest: By | str = ""
    within: By | str = ""
    within_basis: str = ""
    every: By | str = ""
    evidence: tuple[str, ...] = ()
    ladder: str = ""
    haste: Haste = "office"
    cancel: Literal["stay", "drop"] = "stay"
    use: Use | None = None

    @property
    def triggers(self) -> tuple[Trigger, ...]:
        """The triggers as a tuple, also where the pack names only one."""
        return self.trigger if isinstance(self.trigger, tuple) else (self.trigger,)


class Notice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """通知 Who is told when something happens; nobody owes anything for it."""

    name: str
    title: str
    trigger: Trigger
    who: tuple[
        str, ...
    ] = ()  # empty = the clause's responsible; ``reached``, ``misled``: see ``core.notices``
    audience: str = "responsible"
    template: str = ""  # empty = the notice's own name


class Clause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """条款 One paragraph of the document: its words, who answers for it, and what follows from it.

    ``planned``: loaded and listed, but its duties are not opened yet (a later release makes it live).
    """

    id: str
    cite: str
    title: str
    quotes: tuple[str, ...]
    responsible: tuple[str, ...]
    since: str
    verified: bool
    responsible_basis: str = ""
    lead: tuple[str, ...] = ()
    note: str = ""
    planned: bool = False
    duty: tuple[Duty, ...] = ()
    notice: tuple[Notice, ...] = ()


class LadderStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step of a ladder: when (offset from opening or deadline), what, by which channels."""

    at: str
    do: Do
    channels: tuple[str, ...] = ()


class Ladder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """阶梯 How whoever has not acted is chased; ``again`` repeats the last step until answered."""

    basis: str
    steps: tuple[LadderStep, ...] | dict[str, tuple[LadderStep, ...]]
    origin: Literal["opening", "deadline"] = msgspec.field(name="from", default="deadline")
    again: By | str = ""


class Audience(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """对象 Which roles are told through which channels in which order, and which lists besides; plain or by level."""

    basis: str
    roles: tuple[str, ...] | dict[str, tuple[str, ...]]
    channels: tuple[str, ...] | dict[str, tuple[str, ...]]
    lists: tuple[str, ...] | dict[str, tuple[str, ...]] = ()


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """报告 A kind of report that is evidence by itself; ``paper``: a document must be attached.

    ``other``: whoever signed the warning alone may not make it himself.
    """

    title: str
    paper: bool = False
    other: bool = False


class Resend(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """重发 How long a way out waits, the first time, before it sends again what it was not answered for; then twice as
    long each time. What works again waits for this long at most.
    """

    first: str
    basis: str


Reader = Literal["office", "village"]
"""Who reads a warning here: people of a government or another unit, people who answer for a village."""


class Addressee(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """防御指南的对象 Whom items of defence guides speak to, known by the words they open with.

    readers: which of our readers are meant by it.
    """

    title: str
    readers: tuple[Reader, ...]
    opens: tuple[str, ...]


class Unit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """单位 An office or government that holds duties.

    area: id of the area it serves; groups: the words clauses use for it (``members``, ``townships``).
    verified False shows 待核实; ``superior`` is the unit that is told when this one does not answer.
    """

    id: str
    name: str
    area: str
    basis: str
    verified: bool
    groups: tuple[str, ...] = ()
    superior: str = ""
    valid_from: str = ""
    valid_to: str = ""
    successor: str = ""
    note: str = ""


class Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place code is always a pair: the statistical (nbs) and civil-affairs (mca) lists collide."""

    scheme: Literal["nbs", "mca"]
    value: str


class Area(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """区域 A place: district, township or village. ``id`` is its nbs code without trailing groups of ``000``,
    so that a parent's id is a prefix of its child's and of no stranger's.
    """

    id: str
    name: str
    kind: Literal["district", "township", "village"]
    codes: tuple[Code, ...]
    source: str
    parent: str = ""
    valid_from: str = ""
    valid_to: str = ""
    successor: str = ""
    lon: float | None = None
    lat: float | None = None
    point_basis: str = ""


class Signal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """信号 One hazard at one level: the criterion in words and as a tree (or None: a person judges), and the guide."""

    criterion_text: str
    source: str
    verified: bool
    guide: tuple[str, ...] = ()
    criterion: dict[str, object] | None = None
    valid_hours: float | None = None
    note: str = ""


class Hazard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """灾种 A hazard with the levels that exist for it, and the codes others know it by."""

    id: str
    name: str
    name_en: str
    category: str
    levels: dict[str, Signal]
    codes: tuple[dict[str, str], ...] = ()  # {scheme, value, source}
    aliases: tuple[str, ...] = ()
    issuers: tuple[str, ...] = ()  # joint products: every unit that must sign
    relevance: str = ""
    standard: str = ""  # whose thresholds these are: national-2007, shanxi-2023, shanxi, joint


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """文本 Templates of what people read; placeholders in braces, filled by ``core.wording``."""

    signature: str
    issuer: str
    templates: dict[str, str]
    actions: dict[str, str]  # change → the word for it
    levels: dict[str, str]
    verbs: dict[str, str]  # action → its name
    causes: dict[str, tuple[str, ...]] = {}  # hazard ("any" = every) → causes that one click puts in
    ends: dict[
        str, tuple[str, ...]
    ] = {}  # hazard → causes of lifting; the first stands there from the beginning
    numbers: dict[str, str] = {}  # series → how its numbers are written, from {year} and {number}


class Almanac(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """日历 Days off and swapped workdays (ISO dates), and the first day off of named holidays ("2027:春节")."""

    basis: str
    verified: bool
    off: tuple[str, ...] = ()
    work: tuple[str, ...] = ()
    holidays: dict[str, str] = {}


class Right(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """签发权 Which units may issue and sign which levels, and how a joint product is co-signed; ``accounts`` names the roles of accounts (预报员, 签发人)."""

    basis: str
    issue: tuple[str, ...]
    sign: dict[str, tuple[str, ...]]  # level -> roles of accounts
    totp: tuple[str, ...] = ()  # levels signed only with a one-time code
    cosign: tuple[str, ...] = ()  # roles of another unit's accounts that sign for it
    accounts: dict[str, str] = {}


class Geocodes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """区域代码表 Which list of codes the name of a geocode (CAP ``valueName``) means; a name that is not here settles nothing."""

    basis: str
    names: dict[str, Literal["nbs", "mca"]]


class Rated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """级别写法 A level as other systems write it: Ⅰ级, its word, CAP's severity and kinds of response."""

    roman: str
    word: str
    severity: str
    response: tuple[str, ...]


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """通用警报 How this district's warnings are written as CAP.

    station: digits that begin every identifier. immediate_h, expected_h: a criterion that looks ahead at most so many
    hours is CAP's Immediate or Expected, a longer one Future. verbs_en: action → its English.
    """

    basis: str
    sender: str
    station: str
    issuer_en: str
    certainty: Literal["Observed", "Likely", "Possible", "Unlikely", "Unknown"]
    immediate_h: float
    expected_h: float
    verbs_en: dict[Action, str]
    levels: dict[Level, Rated]


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The document a pack executes: its words and since when it is in force."""

    title: str
    text: str
    since: str
    since_basis: str
    not_executable: tuple[dict[str, str], ...] = ()


class Pack(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """数据包 Everything a district brings: read once, checked, then never changed while the process runs.

    digest: sha-256 of the files it was read from, hexadecimal; named by every decision.
    reception: the delivery state that counts as 接收到 for a unit (delivered, read or acknowledged).
    """

    id: str
    version: str
    zone: str
    digest: str
    district: str
    reception: Literal["handed_over", "delivered", "read", "acknowledged"]
    document: Document
    clauses: dict[str, Clause]
    ladders: dict[str, Ladder]
    audiences: dict[str, Audience]
    reports: dict[str, Report]
    units: dict[str, Unit]
    areas: dict[str, Area]
    hazards: dict[str, Hazard]
    texts: Texts
    almanac: Almanac
    rights: Right
    geocodes: Geocodes
    cap: Profile
    roles: dict[str, str]
    sources: dict[str, str] = {}  # S1 … → what it is; texts named ``source`` cite these keys
    addressees: dict[str, Addressee] = {}
    resends: dict[str, Resend] = {}

    def guide(self, signal: Signal, reader: Reader) -> tuple[str, ...]:
        """Items of a signal's guide that concern a reader, in their order and words; all of it if none does."""
        others = tuple(o for a in self.addressees.values() if reader not in a.readers for o in a.opens)
        return tuple(item for item in signal.guide if not item.startswith(others)) or signal.guide

    @cached_property
    def rules(self) -> dict[str, tuple[tuple[Clause, Duty, Trigger], ...]]:
        """Duties of the live clauses by what triggers them, sorted by key so that the order of files is irrelevant."""
        found: dict[str, list[tuple[Clause, Duty, Trigger]]] = {}
        for clause in sorted(self.clauses.values(), key=lambda c: c.id):
            for duty in sorted(clause.duty, key=lambda d: d.name):
                for trigger in () if clause.planned else duty.triggers:
                    found.setdefault(trigger.on, []).append((clause, duty, trigger))
        return {cause: tuple(rules) for cause, rules in found.items()}

    @cached_property
    def notices(self) -> tuple[tuple[Clause, Notice], ...]:
        """Notices of the live clauses, sorted by key."""
        live = [(c, n) for c in self.clauses.values() if not c.planned for n in c.notice]
        return tuple(sorted(live, key=lambda pair: (pair[0].id, pair[1].name)))

    def group(self, word: str) -> tuple[str, ...]:
        """Ids of the units a word stands for: a unit's own id, or a group's members, in the pack's order."""
        if word in self.units:
            return (word,)
        return tuple(u.id for u in self.units.values() if word in u.groups)


def stands(thing: Unit | Area, day: str) -> bool:
    """Whether a unit or area exists on a day (ISO date); an empty bound is open, ``valid_to`` is the first day without it.

    >>> stands(Area("1", "瓜园乡", "township", (), "", valid_to="2021-10-31"), "2027-07-17")
    False
    """
    return thing.valid_from <= day and (not thing.valid_to or day < thing.valid_to)


def touches(area: str, zone: str) -> bool:
    """Whether an area and a warned zone share ground: one lies in the other (ids are prefixes).

    >>> touches("140215", "140215209"), touches("140215209201", "140215209"), touches("140215100", "140215101")
    (True, True, False)
    """
    return area.startswith(zone) or zone.startswith(area)


def pick(table: dict[str, str] | str, key: str) -> str:
    """The span for a level or grade; a table without the key has none."""
    return table if isinstance(table, str) else table.get(key, "")


def choose(table: tuple[T, ...] | dict[str, tuple[T, ...]], key: str) -> tuple[T, ...]:
    """The entries for a level, from a plain tuple or a table by level."""
    return table.get(key, ()) if isinstance(table, dict) else table
