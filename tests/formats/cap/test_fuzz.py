"""Bent messages: a few of a known seed with every check, a minute of new ones with every whole test."""

import time

import pytest

from tests.formats.cap import fuzz


def test_a_thousand_known_mutants_are_judged():
    outcomes = fuzz.run(1, count=1000)

    assert sum(outcomes.values()) == 1000
    assert (
        min(outcomes[layer] for layer in ("xml", "xsd", "semantic", "valid")) > 5
    )  # every door was knocked at


@pytest.mark.slow
def test_a_minute_of_new_mutants():
    outcomes = fuzz.run(time.time_ns() % 10**9, seconds=60)

    assert sum(outcomes.values()) > 1000


def test_a_mutant_that_breaks_something_is_kept(monkeypatch, capsys):
    def broken(content, pack, seen):
        raise fuzz.BrokenError("as if")

    monkeypatch.setattr(fuzz, "tried", broken)
    with pytest.raises(fuzz.BrokenError):
        fuzz.run(1, count=1)

    assert "kept: " in capsys.readouterr().err
