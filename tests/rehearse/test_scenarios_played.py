"""The other nights of the pack, each played whole by a program of its own: every duty comes to its end, nothing is lost."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from fengsui.formats import packs
from tests.rehearse.test_night import FIGURES, fengsui
from tests.rehearse.test_night_cap import left

PACK = packs.load("yunzhou")
LIVES = {
    "snow": [
        ("issue", {"blue": 9}),
        ("upgrade", {"blue": 5, "orange": 2, "red": 2}),
        ("downgrade", {"yellow": 2, "blue": 2}),
        ("cancel", {}),
    ],
    "gale": [
        ("issue", {"blue": 6}),
        ("upgrade", {"blue": 3, "orange": 1, "red": 2}),
        ("downgrade", {"blue": 4}),
        ("cancel", {}),
    ],
    "sand": [
        ("issue", {"yellow": 9}),
        ("upgrade", {"orange": 6, "red": 3}),
        ("downgrade", {"yellow": 9}),
        ("cancel", {}),
    ],
}
"""Scenario → what each version does and how many townships it leaves at which level."""
STOPPING = ("respond", "decide", "announce", "report", "resume")
"""Duties of 二（四）2, which the document attaches to red rain, snow and thunderstorm gales and to nothing else."""


@pytest.mark.parametrize("scenario", LIVES)
def test_a_whole_night(scenario: str, tmp_path: Path) -> None:
    words = ("demo", "--scenario", scenario, "--people", "200", "--seed", "5", "--json")
    first, again = fengsui(*words, data=tmp_path / "a"), fengsui(*words)
    assert first.returncode == 0, first.stderr
    assert again.stdout == first.stdout, "another process, another place, the same night"

    result = json.loads(first.stdout)
    assert result["lost"] == 0
    for clause in result["clauses"]:
        assert clause["triggered"] == clause["done"] + clause["late"] + clause["supervised"], clause["id"]
    figures = {c["id"]: [c[f] for f in FIGURES] for c in result["clauses"]}
    assert all(figures[id_][0] for id_ in ("2.1.3", "2.3.a", "2.4.1", "2.4.3"))
    shares = [result["answered_share"][m] for m in ("1", "3", "5", "10", "15")]
    assert shares == sorted(shares)
    assert shares[-1] > 0.5, "of those whom the first version asked"

    facts = ledger(tmp_path / "a")
    assert [(f["action"], Counter(f["zones"].values())) for f in facts if f["kind"] == "alerted"] == [
        (action, Counter(levels)) for action, levels in LIVES[scenario]
    ]
    duties = [f for f in facts if f["kind"] == "duty_opened"]
    assert not {f["clause"] for f in duties} & {c.id for c in PACK.clauses.values() if c.planned}
    stopping = {f["key"].split("/")[1]: f["holders"] for f in duties if f["clause"] == "2.4.2"}
    if scenario == "sand":
        assert stopping == {}, "the document stops work for three hazards, and this is none of them"
    else:
        assert set(stopping) == set(STOPPING)
        assert set(PACK.group("members")) <= set(stopping["decide"])
    assert "anchor" in {f["key"].split("/")[1] for f in duties if f["clause"] == "2.4.3"}
    assert left(tmp_path / "a") == len(LIVES[scenario])


def test_who_was_told_that_nothing_changed_for_him(tmp_path: Path) -> None:
    """Five townships stay blue when four others rise: nobody there hears of it until it ends for them."""
    done = fengsui("demo", "--scenario", "snow", "--people", "60", "--json", data=tmp_path)
    assert done.returncode == 0, done.stderr

    alerts = [f for f in ledger(tmp_path) if f["kind"] == "alerted"]
    stays = {area for area, level in alerts[1]["zones"].items() if level == "blue"}
    assert set(alerts[1]["kept"]) == stays
    assert not stays & set(alerts[2]["zones"])


def test_a_scenario_that_nobody_wrote_is_refused_in_words() -> None:
    done = fengsui("demo", "--scenario", "flood", "--json")

    assert (done.returncode, done.stdout) == (2, "")
    assert "没有“flood”这个演练情景。可用：" in done.stderr
    assert all(scenario.title in done.stderr for scenario in PACK.drills.values())


def ledger(place: Path) -> list[dict]:
    with contextlib.closing(sqlite3.connect(place / "fengsui.sqlite3")) as main:
        return [json.loads(body) for (body,) in main.execute("SELECT body FROM ledger ORDER BY seq")]
