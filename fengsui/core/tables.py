"""表 Tables: what a pack says besides its clauses — units, areas, hazards, texts, rights, codes, and how it is written as CAP.

Frozen structs; ``core.lint_tables`` refuses what is inconsistent. Clauses and the pack as a whole: ``core.clauses``.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from fengsui.core.levels import Action, Level


class Resend(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """重发 How long a way out waits, the first time, before it sends again what it was not answered for; then twice as
    long each time. What works again waits for this long at most.
    """

    first: str
    basis: str


Reader = Literal["office", "village"]
"""Who reads a warning here: people of a government or another unit, people who answer for a village or live there."""


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
    ends: dict[str, tuple[str, ...]] = {}  # hazard → causes of lifting, the first of them filled in
    numbers: dict[str, str] = {}  # series → how its numbers are written, from {year} and {number}


class Almanac(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """日历 Days off and swapped workdays (ISO dates), and the first day off of named holidays ("2027:春节")."""

    basis: str
    verified: bool
    off: tuple[str, ...] = ()
    work: tuple[str, ...] = ()
    holidays: dict[str, str] = {}


class Right(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """签发权 Which units may issue and sign which levels, and how a joint product is co-signed.

    accounts: names of the roles of accounts (预报员, 签发人).
    """

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
