"""The ledger of every release still decodes and folds to what it meant when it was written.

``ledger-0.1.jsonl``: two red nights, one answered and one silent, and a night of versions, a dead number and a closing.
A sample is never edited; a release adds its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from fengsui.core import board, mind, tally
from fengsui.core.facts import Fact, decode, encode, kind
from fengsui.core.state import State

HERE = Path(__file__).parent
SAMPLES = {
    "ledger-0.1.jsonl": (
        "cc02ea2e169db10f3148a3c48bda7d200dbe9c472c8b5460db36423818debda0",
        "2.1.3:4=3+0+1+0/1 2.3.a:8=5+0+2+1/0 2.3.b:1=0+1+0+0/0 2.4.1:84=20+1+63+0/6 2.4.2:44=16+0+28+0/18 2.4.3:11=5+0+6+0/0 4.2.b:88=0+0+78+10/0",
    ),
}


def facts(name: str) -> list[Fact]:
    return [decode(line) for line in (HERE / name).read_bytes().splitlines()]


def folded(found: Iterable[Fact]) -> dict[str, State]:
    states: dict[str, State] = {}
    for fact in found:
        states[fact.stream] = mind.fold(states.get(fact.stream) or State.blank(fact.stream), fact)
    return states


def digest(found: Iterable[Fact]) -> str:
    """What a ledger means: its boards, whom it told, what is on the air — not how a release keeps that in memory."""
    meaning = [
        (
            name, s.series, s.closed, s.alert.version, sorted(s.alert.now.zones.items()),
            [(r.id, r.opened, r.deadline, r.run_at, r.status, r.version) for _, r in sorted(board.rows(s).items())],
            sorted((p, c.version, c.acknowledged) for p, c in s.notices.people.items()),
            sorted(s.received.items()), sorted(s.on_air.items()), sorted(s.suspension), s.response,
        )
        for name, s in sorted(folded(found).items())
    ]  # fmt: skip
    return hashlib.sha256(msgspec.json.encode(meaning)).hexdigest()


def tallied(found: Iterable[Fact]) -> str:
    counts = tally.count(found)
    return " ".join(
        f"{clause}:{c.triggered}={c.done}+{c.late}+{c.supervised}+{c.waiting}/{c.dropped}"
        for clause, c in sorted(counts.items())
    )


@pytest.mark.parametrize(("name", "means"), SAMPLES.items())
def test_an_old_ledger_folds_to_what_it_meant(name, means):
    assert (digest(facts(name)), tallied(facts(name))) == means


@pytest.mark.parametrize("name", SAMPLES)
def test_an_old_ledger_is_written_again_byte_for_byte(name):
    lines = (HERE / name).read_bytes().splitlines()

    assert [encode(decode(line)) for line in lines] == lines


LATER = {"tried", "drill_set", "received"}
"""Kinds that came after the sample was written; the next release's own sample holds them."""


def test_the_sample_holds_every_kind_of_fact():
    every = {t.__struct_config__.tag for t in Fact.__args__}

    assert {kind(f) for f in facts("ledger-0.1.jsonl")} == every - LATER
