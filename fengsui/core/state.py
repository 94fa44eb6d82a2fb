"""态势 State: what is known of one stream — one shape for all streams, a part per mechanism, empty by default.

Also what rules that cross streams see: a head per open stream, and the world a decision is taken in.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from fengsui.core.clauses import Pack
from fengsui.core.directory import Directory
from fengsui.core.facts import Consulted, InsertionOrdered, Notified, Plan, Reach, SuspensionDecided
from fengsui.core.levels import LEVELS, Action, Level
from fengsui.core.many import Many
from fengsui.core.series import Series
from fengsui.core.tables import touches

DISTRICT = "district"
"""The stream of what belongs to no other: directory, packs."""


class Zoned(msgspec.Struct, frozen=True):
    """Zones in force with their levels, and the strongest level among those that an area touches."""

    zones: dict[str, Level] = {}

    @property
    def strongest(self) -> Level | None:
        """The strongest level anywhere, None where nothing holds."""
        return max(self.zones.values(), key=LEVELS.index, default=None)

    def level(self, area: str) -> Level | None:
        """The strongest level over an area, or None."""
        return max(self.near(area).values(), key=LEVELS.index, default=None)

    def near(self, area: str) -> dict[str, Level]:
        """The zones that an area touches."""
        return {zone: level for zone, level in self.zones.items() if touches(area, zone)}

    def over(self, area: str) -> dict[str, Level]:
        """What holds in an area, however its zones are cut: the area at the strongest level of those around it, and zones
        inside it that are stronger still.
        """
        around = [level for zone, level in self.zones.items() if area.startswith(zone)]
        level = max(around, key=LEVELS.index, default=None)
        found: dict[str, Level] = {area: level} if level else {}
        floor = LEVELS.index(level) if level else -1
        inside = {z: a for z, a in self.zones.items() if z != area and z.startswith(area)}
        return found | {z: a for z, a in inside.items() if LEVELS.index(a) > floor}


class AlertPart(msgspec.Struct, frozen=True):
    """The warning of a stream: version 0 = none yet; ``before`` are the zones of the version it replaced, issued at ``was``,
    in force until ``until``.

    alone: whoever signed a version by himself.
    """

    version: int = 0
    hazard: str = ""
    now: Zoned = Zoned()
    before: Zoned = Zoned()
    expires: int = 0
    at: int = 0
    paper: str = ""
    withdrawn: tuple[str, ...] = ()
    action: Action | Literal[""] = ""
    kept: tuple[str, ...] = ()
    was: int = 0
    until: int = 0
    alone: frozenset[str] = frozenset()

    @property
    def holds(self) -> bool:
        """Whether a warning is in force."""
        return bool(self.now.zones)


class Foreign(msgspec.Struct, frozen=True):
    """A warning of another office in a stream of its own: as it stands, who sent it when, every message of it by its key.

    valid, binding: of the newest message.
    """

    part: AlertPart = AlertPart()
    sender: str = ""
    sent: int = 0
    valid: bool = False
    binding: bool = False
    known: dict[str, str] = {}  # key of a message -> digest of its bytes


class Share(msgspec.Struct, frozen=True):
    """What one holder owes of a duty. Moments in UTC µs; ``step`` = ladder steps taken so far.

    next_at: when the next step is due (None: none is). desk: a person at the desk must see to it.
    """

    plan: Plan
    opened: int
    deadline: int
    next_at: int | None
    step: int = 0
    desk: bool = False
    supervised: bool = False
    ended: int | None = None
    how: str = ""
    evidence: str = ""

    @property
    def open(self) -> bool:
        """Whether it is still owed."""
        return self.ended is None


class Duty(msgspec.Struct, frozen=True):
    """A duty with the share of each holder."""

    key: str
    clause: str
    shares: Many[str, Share]


class Contact(msgspec.Struct, frozen=True):
    """What a person was told: newest version, for which holders (newest version of each), how far each notice got."""

    version: int = 0
    told: dict[str, int] = {}
    reach: dict[str, Reach] = {}
    acknowledged: int = -1  # newest version he answered

    @property
    def holders(self) -> tuple[str, ...]:
        """Units and posts he may answer for."""
        return tuple(self.told)


class Asked(msgspec.Struct, frozen=True):
    """Who was told last for a holder, and by which notice."""

    notice: str
    persons: tuple[str, ...]


class NoticePart(msgspec.Struct, frozen=True):
    """Tellings of a stream: by key, by person, by holder; channels not yet tallied; who could not be reached."""

    sent: dict[str, Notified] = {}
    people: Many[str, Contact] = Many()
    asked: dict[str, Asked] = {}
    lists: dict[str, tuple[str, ...]] = {}  # list -> zones in which it was told
    pending: dict[str, tuple[str, ...]] = {}
    exhausted: Many[tuple[str, str], bool] = Many()  # (notice, person)
    disowned: frozenset[str] = frozenset()  # persons who answered 不归我


class DrillPart(msgspec.Struct, frozen=True):
    """A drill, or what a warning knows of the drill it is played in: ``of`` names that drill's stream.

    units: those who take part; begins: as announced; started: when it really was (0 = not yet). stage "" = no drill.
    """

    of: str = ""
    stage: Literal["", "announced", "started", "stopped"] = ""
    scenario: str = ""
    units: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    begins: int = 0
    started: int = 0
    by: str = ""


class State(msgspec.Struct, frozen=True):
    """One stream. ``last``: the moment of its last fact; ``received``: unit → version it has received."""

    stream: str
    series: Series = "actual"
    last: int = 0
    closed: bool = False
    alert: AlertPart = AlertPart()
    duties: dict[str, Duty] = {}
    notices: NoticePart = NoticePart()
    received: dict[str, int] = {}
    on_air: dict[str, int] = {}  # "unit/form" -> version on the air
    orders: dict[str, InsertionOrdered] = {}  # "unit/form" -> latest order
    suspension: dict[str, SuspensionDecided] = {}
    consultations: dict[str, Consulted] = {}
    response: str = ""
    drill: DrillPart = DrillPart()
    foreign: Foreign = Foreign()

    @property
    def warning(self) -> AlertPart:
        """The warning that the stream is about, whoever issued it; ``alert`` is ours alone."""
        return self.foreign.part if self.foreign.part.version else self.alert

    @classmethod
    def blank(cls, stream: str) -> State:
        """A stream of which nothing is known yet."""
        return cls(stream=stream)


class Head(msgspec.Struct, frozen=True):
    """What other streams may know of an open one. drill: the one it is played in; stage: of a drill."""

    stream: str
    series: Series
    hazard: str
    zones: dict[str, Level]
    drill: str = ""
    stage: str = ""


class World(msgspec.Struct, frozen=True):
    """What a decision sees: pack, directory, the streams it concerns, the heads of all open ones."""

    pack: Pack
    directory: Directory
    streams: dict[str, State]
    heads: dict[str, Head]

    def at(self, stream: str) -> State:
        """The state of a stream; blank if nothing happened there yet."""
        return self.streams.get(stream) or State.blank(stream)

    def seen(self, state: State) -> World:
        """The same world with one stream in a new state."""
        return World(self.pack, self.directory, {**self.streams, state.stream: state}, self.heads)


class Refusal(msgspec.Struct, frozen=True):
    """Why an input may not happen. ``already``: it has happened before, nothing is to be written."""

    code: str
    text: str
    already: bool = False


def head(state: State) -> Head | None:
    """The head of a stream, None once it is closed."""
    if state.closed:
        return None
    alert, drill = state.alert, state.drill
    return Head(state.stream, state.series, alert.hazard, alert.now.zones, drill.of, drill.stage)
