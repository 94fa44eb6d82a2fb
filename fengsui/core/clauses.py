"""条款 Clauses: the vocabulary a pack is written in — clauses, duties, notices, ladders, audiences — and the pack itself.

Frozen structs that say what may stand in a pack, units and other tables in ``core.tables``; ``formats.packs`` reads the TOML, ``core.lint`` refuses what is
inconsistent. Nothing here decides anything. Vocabulary: ARCHITECTURE.md, "Clauses".
"""

from __future__ import annotations

from functools import cached_property
from typing import Literal, TypeVar

import msgspec

from fengsui.core.scenario import Scenario
from fengsui.core.tables import (
    Addressee,
    Almanac,
    Area,
    Geocodes,
    Hazard,
    Profile,
    Reader,
    Resend,
    Right,
    Signal,
    Texts,
    Unit,
)

T = TypeVar("T")
Grade = Literal["I", "II", "III", "IV"]
Do = Literal["remind", "deputy", "superior", "desk", "visit", "bulletin", "supervise"]
Haste = Literal["urgent", "office"]
Cause = Literal[
    "alert", "received", "response", "consultation", "suspension", "dataset", "directory", "assignment",
    "pack", "closed", "step", "calendar", "report", "standing",
]  # fmt: skip

By = dict[str, str]
"""A span for each level or grade: ``{red = "10m", orange = "15m"}``."""


class Trigger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """因何 What starts a duty or a notice: a kind of fact, and filters on its fields (empty = any).

    ``change`` empty means new and up: a warning that holds or weakens only tells, it does not ask again.
    ``modes``: signed by one person alone, as a retraction or in an emergency. ``received``: a warning of another office came
    in, from a source that is trusted or by a person who answers for it.
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
    """通知 Who is told when something happens; nobody owes anything for it.

    who: empty = the clause's responsible; ``reached`` and ``misled``: see ``core.telling``.
    """

    name: str
    title: str
    trigger: Trigger
    who: tuple[str, ...] = ()
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
    drills: dict[str, Scenario] = {}

    def within(self, units: frozenset[str]) -> Pack:
        """The same pack where only these units exist and nobody is told by list."""
        if units not in self._within:
            some = {id_: unit for id_, unit in self.units.items() if id_ in units}
            told = {name: msgspec.structs.replace(a, lists=()) for name, a in self.audiences.items()}
            self._within[units] = msgspec.structs.replace(self, units=some, audiences=told)
        return self._within[units]

    @cached_property
    def _within(self) -> dict[frozenset[str], Pack]:
        return {}

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


def pick(table: dict[str, str] | str, key: str) -> str:
    """The span for a level or grade; a table without the key has none."""
    return table if isinstance(table, str) else table.get(key, "")


def choose(table: tuple[T, ...] | dict[str, tuple[T, ...]], key: str) -> tuple[T, ...]:
    """The entries for a level, from a plain tuple or a table by level."""
    return table.get(key, ()) if isinstance(table, dict) else table
