"""How many kills, and what they came to."""

from __future__ import annotations

from collections import Counter

import pytest

KILLS = 5
"""Kills of one district before it may come to rest."""
FEWEST = 25
TALLY: Counter[str] = Counter()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "storm_seed" in metafunc.fixturenames:
        wanted = max(metafunc.config.getoption("storms"), FEWEST)
        metafunc.parametrize("storm_seed", range(-(-wanted // (2 * KILLS))))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TALLY:
        terminalreporter.write_line("storm: " + ", ".join(f"{n} {TALLY[n]}" for n in sorted(TALLY)))
