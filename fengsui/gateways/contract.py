"""网关契约 Gateway contract: what a way out promises to a lane, and the closed set of its answers.

A lane hands batches of ``Handover`` to ``send`` and gets one ``Result`` for each. What comes back later — receipts
and replies — is delivered through ``Inbound.run``, whose ``deliver`` returns only after the commit, so that a peer
is acknowledged only for what is stored.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, Protocol, runtime_checkable

import msgspec

Status = Literal["actual", "exercise", "test"]


class Outcome(enum.Enum):
    """What a peer said of one handover; closed, so that every place that decides on it is found by the type checker."""

    ACCEPTED = "accepted"  # the peer took it
    RETRY = "retry"  # not taken, may be later
    THROTTLED = "throttled"  # not taken because we are too fast
    UNKNOWN = "unknown"  # sent, no answer: it may or may not have gone out
    REFUSED_ADDRESS = "refused_address"  # this number will never work
    REFUSED_CONFIG = "refused_config"  # our account or settings are wrong: the whole gateway is useless
    REFUSED_CONTENT = "refused_content"  # this text will never be taken


class Handover(msgspec.Struct, frozen=True, gc=False):
    """One message for one address, or those of its parts that the peer has not yet accepted.

    id: ours, unique per delivery, comes back in the Result. to: address in the channel's form (national number).
    parts: (index from 0, total, text) still to send; total 1 = a plain short message.
    reference: 0–255, the same for all parts of one message. expires: UTC µs after which it must not be delivered.
    source_suffix: digits appended to the source number so that a reply names what it answers ("" = none).
    """

    id: int
    to: str
    parts: tuple[tuple[int, int, str], ...]
    reference: int
    expires: int
    level: str
    source_suffix: str = ""


class PartResult(msgspec.Struct, frozen=True, gc=False):
    """The peer's answer for one part: its own message id if accepted, else a raw code worth showing."""

    index: int
    outcome: Outcome
    provider_id: str = ""
    code: str = ""


class Result(msgspec.Struct, frozen=True, gc=False):
    """The answers for all parts of one handover."""

    id: int
    parts: tuple[PartResult, ...]


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """回执 A delivery receipt: which accepted part, and what became of it.

    provider_id is normalised by the gateway (lower case, no leading zeros). state: delivered, failed
    (the phone will not get it), expired, or pending (an intermediate word, no end). code: the peer's raw error.
    at: UTC µs as the peer dates it, or 0. dead: the number itself is no longer in service.
    """

    provider_id: str
    state: Literal["delivered", "failed", "expired", "pending"]
    code: str = ""
    at: int = 0
    dead: bool = False


class Reply(msgspec.Struct, frozen=True, gc=False):
    """上行 A message from a phone: its number in national form, our number it wrote to, and its words."""

    sender: str
    recipient: str
    text: str


Inward = Receipt | Reply
Deliver = Callable[[Sequence[Inward]], Awaitable[None]]
"""Stores what came in; returns after the commit. Raises if it could not be stored: then nothing is acknowledged."""


class Health(msgspec.Struct, frozen=True):
    """Whether a gateway can take messages now, and in plain Chinese what to do if not."""

    up: bool
    text: str
    code: str = ""


class Field(msgspec.Struct, frozen=True):
    """One setting of a gateway, for forms, validation and redaction."""

    name: str
    label: str
    kind: Literal["text", "number", "secret", "flag"]
    help: str
    default: str = ""
    required: bool = False


class Gateway(Protocol):
    """A way out. Constructed from its settings (a mapping of the declared fields); ``accepts`` says which status may
    leave through this instance: an exercise cannot leave through one that does not accept it.
    """

    name: str
    channel: str
    fields: tuple[Field, ...]
    accepts: frozenset[Status]

    async def start(self) -> None:
        """Connect and keep connected; returns at once, reconnects by itself."""

    async def stop(self) -> None:
        """Stop taking messages, wait briefly for answers under way, close."""

    async def send(self, batch: Sequence[Handover]) -> Sequence[Result]:
        """Hand over; one Result per Handover, in any order. Never raises for what a peer says or fails to say."""

    async def check(self) -> Health:
        """Its health, without sending a message."""


@runtime_checkable
class Inbound(Protocol):
    """Optional capability: receipts and replies come back through this gateway."""

    async def run(self, deliver: Deliver) -> None:
        """Deliver what comes in until stopped; the peer is answered only after ``deliver`` returned."""
