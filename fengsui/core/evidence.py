"""佐证 Evidence: what a fact proves — the one place where facts become the words that clauses name as evidence."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fengsui.core.facts import (
    Aired,
    Alerted,
    Consulted,
    Fact,
    Reached,
    Reported,
    ResponseSet,
    SuspensionDecided,
    Tallied,
)
from fengsui.core.state import Share, World

ANY = 1 << 62
"""A version no warning reaches: evidence that answers no particular version."""

WORDS = (
    "acknowledged", "suspension_decided", "suspension_lifted", "aired_crawl", "aired_badge", "aired_anchor",
    "off_air_crawl", "off_air_badge", "off_air_anchor", "held", "concluded", "response_set", "tallied", "alert",
)  # fmt: skip
"""Every word that a fact can give; a pack may name these or its own reports as evidence."""


class Proof(msgspec.Struct, frozen=True):
    """What is proved, for which holders (None: whoever owes it), up to which version, in which duty or thread ("" = any)."""

    word: str
    holders: frozenset[str] | None = None
    version: int = ANY
    duty: str = ""
    thread: str = ""

    def covers(self, key: str, holder: str, share: Share) -> bool:
        """Whether this proves a holder's share: an answer counts for the version it names or an earlier one."""
        if self.word not in share.plan.evidence or share.plan.version > self.version:
            return False
        if self.holders is not None and holder not in self.holders:
            return False
        parts = key.split("/", 2)
        if self.thread and len(parts) > 2 and parts[2] != self.thread:
            return False
        return not self.duty or self.duty == key


def proofs(fact: Fact, world: World) -> Iterator[Proof]:
    """What a fact proves; most prove nothing or one thing."""
    match fact:
        case Reached(state="acknowledged", holder=str(post)) if post:
            yield Proof("acknowledged", frozenset((post,)), fact.version)
        case Reached(state="acknowledged"):
            yield from _answered(fact, world)
        case Reported():
            yield Proof(fact.what, frozenset((fact.unit,)), fact.version or ANY, duty=fact.duty)
        case SuspensionDecided():
            word = "suspension_lifted" if fact.lifted else "suspension_decided"
            yield Proof(word, frozenset((fact.unit,)))
        case Aired(on=True):
            yield Proof(f"aired_{fact.form}", frozenset((fact.unit,)), fact.version or ANY)
        case Aired():  # off is off, whichever version it showed
            yield Proof(f"off_air_{fact.form}", frozenset((fact.unit,)))
        case Consulted(stage="held" | "concluded"):
            yield Proof(fact.stage, frozenset((fact.unit,)), thread=fact.consultation)
        case ResponseSet():
            yield Proof("response_set", frozenset((fact.unit,)))
        case Tallied():
            yield from _listed(fact, world)
        case Alerted():
            yield Proof("alert", version=fact.version - 1)


def _answered(fact: Reached, world: World) -> Iterator[Proof]:
    """An answer counts for whom its giver was told, up to the version of that telling: who once stood in for a post
    does not answer for it when a newer warning asks again.
    """
    contact = world.at(fact.stream).notices.people.get(fact.person)
    if contact is None:
        return
    for version in sorted(set(contact.told.values())):
        holders = frozenset(h for h, v in contact.told.items() if v == version)
        yield Proof("acknowledged", holders, min(fact.version, version))


def _listed(fact: Tallied, world: World) -> Iterator[Proof]:
    """A version is published when every channel of every telling of the warning is listed; calls do not count."""
    part = world.at(fact.stream).notices
    told = part.sent.get(fact.notice)
    if told is None or not told.change:
        return
    same = [key for key, n in part.sent.items() if n.change and n.version == told.version]
    if not any(part.pending.get(key) for key in same):
        yield Proof("tallied", version=told.version)
