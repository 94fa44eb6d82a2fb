"""The demonstration as anybody runs it: a program of its own, the same night for the same seed on any machine."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

FENGSUI = (sys.executable, "-m", "fengsui")
FIGURES = ("triggered", "done", "late", "supervised")


def fengsui(*words: str, data: Path | None = None) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("FENGSUI_")}
    more = {"FENGSUI_DATA": str(data)} if data else {}
    return subprocess.run(
        [*FENGSUI, *words], capture_output=True, text=True, timeout=240, env=clean | more, check=False
    )


def night(people: int, seed: int) -> subprocess.CompletedProcess[str]:
    done = fengsui("demo", "--people", str(people), "--seed", str(seed), "--json")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def small() -> subprocess.CompletedProcess[str]:
    return night(120, 7)


@contextlib.contextmanager
def hogs(count: int) -> Iterator[None]:
    """Processes that take all the processor they get."""
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
        assert all(hog.poll() is None for hog in running)
    finally:
        for hog in running:
            hog.kill()
            hog.wait()


def test_the_same_seed_is_the_same_night(small):
    assert night(120, 7).stdout == small.stdout


def test_a_busy_machine_changes_nothing(small):
    with hogs(3 * (os.cpu_count() or 1)):
        assert night(120, 7).stdout == small.stdout


def test_standard_output_is_one_object_without_a_path(small):
    assert small.stdout.count("\n") == 1
    result = json.loads(small.stdout)
    assert set(result) == {"people", "messages", "lost", "answered_share", "clauses"}
    assert str(Path.home()) not in small.stdout
    for root in ("/tmp", "/home", "/usr", str(Path.cwd())):
        assert root not in small.stdout


def test_every_duty_of_the_night_came_to_an_end(small):
    result = json.loads(small.stdout)
    triggered = [c for c in result["clauses"] if c["triggered"]]
    assert len(triggered) >= 6
    assert result["lost"] == 0
    for clause in result["clauses"]:
        assert clause["triggered"] == clause["done"] + clause["late"] + clause["supervised"], clause["id"]
        assert clause["quote"]
    shares = [result["answered_share"][m] for m in ("1", "3", "5", "10", "15")]
    assert shares == sorted(shares)
    assert 0 < shares[-1] <= 1


def test_figures_follow_population_and_seed(small):
    few, many = json.loads(small.stdout), json.loads(night(480, 8).stdout)
    assert (few["people"], many["people"]) == (120, 480)
    assert many["messages"] > few["messages"] + 240
    assert many["lost"] == 0
    assert _table(few) != _table(many)
    assert few["answered_share"] != many["answered_share"]


def _table(result):
    return {c["id"]: [c[f] for f in FIGURES] for c in result["clauses"]}


def test_too_few_people_are_refused_in_words():
    done = fengsui("demo", "--people", "3", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "太少" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_night_is_kept_where_asked_verified_and_never_overwritten(tmp_path):
    place = tmp_path / "night"
    assert fengsui("demo", "--people", "60", "--seed", "1", "--json", data=place).returncode == 0

    again = fengsui("demo", "--people", "60", "--json", data=place)
    assert (again.returncode, again.stdout) == (2, "")
    assert "[D001]" in again.stderr
    assert "Traceback" not in again.stderr

    whole = fengsui("verify", data=place)
    assert whole.returncode == 0, whole.stderr
    assert "台账完整" in whole.stdout
    assert "不同 0 行" in fengsui("rebuild", data=place).stdout

    _changed_by_hand(place / "fengsui.sqlite3", 17)
    faulty = fengsui("verify", data=place)
    assert faulty.returncode == 1
    assert faulty.stdout.startswith("17\t")
    assert "[S103]" in faulty.stdout
    assert "Traceback" not in faulty.stderr


def _changed_by_hand(file: Path, seq: int) -> None:
    """As somebody who owns the file may: without the triggers."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        with pytest.raises(sqlite3.DatabaseError):
            connection.execute("UPDATE ledger SET at = at + 1 WHERE seq = ?", (seq,))
        triggers = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ledger'"
        )
        for (name,) in triggers.fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute("UPDATE ledger SET at = at + 1 WHERE seq = ?", (seq,))
        connection.commit()
