"""事实 Facts: everything that can ever stand in the ledger, as frozen tagged structs.

``kind`` (the tag) is a permanent string; fields may only be added, with a default. ``at`` is UTC in microseconds.
Never a name, a number or a digest of a number: persons are opaque ids, texts are digests of papers.
A new kind is one struct here and one owner, which alone folds it (``core.mind.fold``).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from fengsui.core.clauses import Do, Haste, Use
from fengsui.core.levels import Action, Change, Level
from fengsui.core.series import Series

Reach = Literal["handed_over", "delivered", "read", "acknowledged"]
REACH: tuple[Reach, ...] = ("handed_over", "delivered", "read", "acknowledged")
"""States of a message to a person, weak to strong; planned is a row without any. A state never goes back."""

Arrival = Literal["issue", "update", "cancel", "expire"]
"""What a warning that comes from elsewhere does: begin, replace, end; expire: its time was over, and nobody had ended it."""


class Record(msgspec.Struct, frozen=True, tag_field="kind", omit_defaults=True):
    """What every fact has: the stream it belongs to and when it happened (UTC µs)."""

    stream: str
    at: int


# ── by people 人的行为 ────────────────────────────────────────────────────────


class Alerted(Record, frozen=True, tag="alerted"):
    """发布、继续、变更、升降级、解除、更正 The zones in force from now on, each with its level; none = none is in force.

    version counts from 1 in the stream; replaces is the version the desk saw (0 = none).
    paper: digest of the issued text. withdrawn: on cancelling, persons whose every delivery was provably unsent.
    mode: "" = two persons; retraction or emergency = one person, reviewed afterwards.
    action: what the author meant it to be, "" in ledgers of before 0.2; correct: the version it replaces was wrong.
    kept: zones for which nothing changed, so that nobody there is told again. cosigners: of a joint product, for each
    other unit the person who signed. drill: stream of the drill it is played in, "" = in none.
    """

    version: int
    hazard: str
    zones: dict[str, Level]
    expires: int
    author: str
    signer: str
    paper: str
    replaces: int = 0
    series: Series = "actual"
    mode: Literal["", "retraction", "emergency"] = ""
    withdrawn: tuple[str, ...] = ()
    action: Action | Literal[""] = ""
    kept: tuple[str, ...] = ()
    cosigners: dict[str, str] = {}
    drill: str = ""


class Reported(Record, frozen=True, tag="reported"):
    """报告 Evidence that is only a report: ``what`` is a name of the pack's report table.

    by: the person; version: the alert version it answers (0 = none); duty: the duty it names, where it names one.
    """

    what: str
    unit: str
    by: str = ""
    version: int = 0
    duty: str = ""
    paper: str = ""


class SuspensionDecided(Record, frozen=True, tag="suspension_decided"):
    """停工停业停课决定 What a unit stops (none: it goes on, with a reason), or that it lifts what it stopped.

    replaces: ``at`` of the decision the person saw (0 = none). reason: digest of a paper.
    """

    unit: str
    by: str
    stops: tuple[str, ...] = ()
    reason: str = ""
    lifted: bool = False
    replaces: int = 0


class Aired(Record, frozen=True, tag="aired"):
    """播出 A form of insertion (crawl, badge, anchor) went on the air or came off it."""

    unit: str
    form: str
    on: bool
    by: str
    version: int = 0


class Consulted(Record, frozen=True, tag="consulted"):
    """会商 A consultation was called, held or concluded; outcome: activate or not, of an emergency consultation."""

    consultation: str
    type: str
    stage: Literal["called", "held", "concluded"]
    unit: str
    by: str = ""
    invited: tuple[str, ...] = ()
    outcome: str = ""
    paper: str = ""


class ResponseSet(Record, frozen=True, tag="response_set"):
    """应急响应 The response level in force from now on (I to IV), "" = ended."""

    grade: str
    unit: str
    by: str


class Closed(Record, frozen=True, tag="closed"):
    """归档 A stream is over: nothing may be added to it."""

    by: str


class Tried(Record, frozen=True, tag="tried"):
    """试通 A person is to be sent a test message, which is no warning and asks for nothing.

    by: who asked for it; channel: by which way, "" = every way he has.
    """

    person: str
    by: str
    channel: str = ""


class DrillSet(Record, frozen=True, tag="drill_set"):
    """演练 A drill of real people is announced, started, or stopped; only the announcement says what it plays, with whom.

    units: those who take part. areas: where it plays. begins: when it is to start (UTC µs). by: the person.
    """

    state: Literal["announced", "started", "stopped"]
    by: str
    scenario: str = ""
    units: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    begins: int = 0


# ── from outside 外界 ─────────────────────────────────────────────────────────


class Received(Record, frozen=True, tag="received"):
    """收到 A warning of another office — province, city, a neighbour — as far as it concerns this district.

    zones: of ours, each with its level; none = it is over. key: of the message, see ``core.reception``; sender: as it calls
    itself; sent: UTC µs, by its own word; paper: digest of the bytes as they came. valid: it passed every layer of the strict
    verdict; binding: its source is trusted, or the person ``by`` answers for it, so that what the clauses attach to reception
    follows.
    """

    version: int
    key: str
    sender: str
    sent: int
    hazard: str
    zones: dict[str, Level]
    expires: int
    paper: str
    action: Arrival
    series: Series = "actual"
    valid: bool = False
    binding: bool = False
    by: str = ""


class Reached(Record, frozen=True, tag="reached"):
    """到达 The first time a message to a responsible person got this far.

    notice: key of the Notified; version: what the person was told and answers. by: who says so, if not the person
    himself (the desk after a call). holder: the post that the desk signs for, because nobody could be told for it;
    then person is who answered the call ("" = nobody of the directory) and paper the note of who he is and what he
    promised.
    """

    person: str
    notice: str
    channel: str
    state: Reach
    version: int = 0
    by: str = ""
    holder: str = ""
    paper: str = ""


class Exhausted(Record, frozen=True, tag="exhausted"):
    """无路可达 Every way to a person was refused for this notice: unreachable, a dead number, or not his business."""

    person: str
    notice: str
    why: Literal["none", "refused", "address", "disowned"]


class Tallied(Record, frozen=True, tag="tallied"):
    """清单 All deliveries of a notice on one channel have been handed over or given up: how many of each."""

    notice: str
    channel: str
    counts: dict[str, int]
    digest: str = ""


class DirectoryChanged(Record, frozen=True, tag="directory_changed"):
    """名录变动 Somebody left, was added, corrected, or a number died; digest: of the directory afterwards."""

    change: Literal["added", "corrected", "departed", "bounced", "disowned"]
    unit: str
    person: str
    digest: str = ""


class PackInForce(Record, frozen=True, tag="pack_in_force"):
    """数据包生效 From now on new streams follow this version of the pack; a rehearsal's district is a test throughout."""

    pack: str
    version: str
    digest: str
    series: Series = "actual"


class TimeReached(Record, frozen=True, tag="time_reached"):
    """到时 A moment that something waited for has come; ``due`` is that moment."""

    due: int


# ── decided 推出 ──────────────────────────────────────────────────────────────


class PlanStep(msgspec.Struct, frozen=True):
    """A step of a frozen ladder: µs after the step before it was really taken (the first: after the ladder's origin)."""

    gap: int
    do: Do
    channels: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """The frozen plan of a duty, so that folding needs neither pack nor directory. Spans in µs."""

    within: int
    evidence: tuple[str, ...]
    steps: tuple[PlanStep, ...]
    ladder: Literal["opening", "deadline"] = "deadline"
    again: int = 0  # 0: the last step is not repeated
    latest: int = -1  # ≥ 0: counted from the unit's reception, at the latest this long after opening
    every: int = 0  # > 0: owed again this long after each evidence
    haste: Haste = "office"
    cancel: Literal["stay", "drop"] = "stay"
    version: int = 0
    use: Use | None = None
    repeat: bool = False  # owed again after an evidence, see ``every``


class DutyOpened(Record, frozen=True, tag="duty_opened"):
    """职责开立 Holders (units or posts) owe a duty. key is clause/name[/thread]; a newer opening replaces a share."""

    key: str
    clause: str
    holders: tuple[str, ...]
    deadline: int
    plan: Plan


class UnitReceived(Record, frozen=True, tag="unit_received"):
    """单位接收 The first of a unit's persons got the warning: 二（四） counts from here."""

    unit: str
    version: int


class StepTaken(Record, frozen=True, tag="step_taken"):
    """催办一步 A ladder's step was taken for these holders of a duty; step counts from 0."""

    key: str
    holders: tuple[str, ...]
    do: Do
    step: int
    haste: Haste


class DutyEnded(Record, frozen=True, tag="duty_ended"):
    """职责了结 Done (with what as evidence), or dropped because the warning was cancelled."""

    key: str
    holders: tuple[str, ...]
    how: Literal["done", "cancelled"]
    evidence: str


class Call(msgspec.Struct, frozen=True):
    """Why somebody is called: which step, of which duty, for which holder."""

    do: Do
    key: str
    holder: str


class Recipient(msgspec.Struct, frozen=True, omit_defaults=True):
    """One person to tell: channels in order of preference, holders he may answer for, and calls if he is chased."""

    person: str
    channels: tuple[str, ...]
    holders: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()


class Notified(Record, frozen=True, tag="notified"):
    """通知 A telling: the only fact that creates deliveries, one for each person (or list member) and channel.

    template: which text of the pack; level and version: of the warning it speaks of (of a trial: the person's how
    manieth it is); lists: informed lists;
    zones: where list members must be. subject: what a template other than a warning's speaks of.
    """

    key: str
    template: str
    recipients: tuple[Recipient, ...]
    version: int = 0
    level: str = ""
    change: Change | Literal[""] = ""
    lists: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    subject: str = ""


class InsertionOrdered(Record, frozen=True, tag="insertion_ordered"):
    """插播单 The media centre is ordered to air a form; every: µs between repetitions (0 = throughout)."""

    unit: str
    form: str
    version: int
    level: str
    every: int = 0


Fact = (
    Alerted | Received | Reported | SuspensionDecided | Aired | Consulted | ResponseSet | Closed | Tried | DrillSet
    | Reached | Exhausted | Tallied | DirectoryChanged | PackInForce | TimeReached
    | DutyOpened | UnitReceived | StepTaken | DutyEnded | Notified | InsertionOrdered
)  # fmt: skip

_encoder = msgspec.json.Encoder(order="deterministic")
_decoder: msgspec.json.Decoder[Fact] = msgspec.json.Decoder(Fact)


def kind(fact: Fact) -> str:
    """The permanent name of a fact's kind: ``kind(Closed(...)) == "closed"``."""
    return str(fact.__struct_config__.tag)


def encode(fact: Fact) -> bytes:
    """A fact as canonical JSON; the same fact gives the same bytes."""
    return _encoder.encode(fact)


def decode(body: bytes | str) -> Fact:
    """A fact from its JSON. Raises msgspec.ValidationError for what no release ever wrote."""
    return _decoder.decode(body)
