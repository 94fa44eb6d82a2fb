"""The benches run, are honest about what they lost, and are not slow.

The bounds are half of what is claimed (docs/benchmarks.md) or less, because other programs share the machine; what
those do not change, the CPU time of a message and of a decision, is held to about twice its figure.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fengsui.rehearse.bench import cap

MODULE = Path(__file__).parents[1] / "node_modules" / "smpp"
DISPATCH = {
    "recipients", "responsible", "delivered", "messages_per_s", "first_ms", "lost", "duplicates", "rss_mb",
    "cpu_us", "parts", "characters", "reached_facts", "database",
}  # fmt: skip


def bench(*words, data=None, database=""):
    """The command as anybody runs it; nothing but its JSON on standard output."""
    environment = {k: v for k, v in os.environ.items() if k not in ("FENGSUI_DATA", "FENGSUI_DATABASE")}
    environment |= {"FENGSUI_DATA": str(data)} if data else {}
    done = subprocess.run(
        [sys.executable, "-m", "fengsui", "bench", *words, "--json", *(["--database", database] if database else [])],
        capture_output=True, text=True, check=False, timeout=280, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def best(run, good, tries=3):
    """A figure of a shared machine: the first run that is good enough, else the last one."""
    for _ in range(tries):
        found = run()
        if good(found):
            break
    return found


def test_dispatch_loses_nothing_and_doubles_nothing():
    found = best(
        lambda: bench("dispatch", "--recipients", "4000"),
        lambda f: f["messages_per_s"] >= 2500 and f["first_ms"] < 500 and f["cpu_us"] < 150,
    )
    assert found.keys() == DISPATCH
    assert (found["recipients"], found["responsible"], found["delivered"]) == (4000, 1000, 4000)
    assert (found["lost"], found["duplicates"], found["parts"], found["characters"]) == (0, 0, 1, 52)
    assert found["reached_facts"] == 2000  # handed over and delivered, for each responsible person
    assert found["messages_per_s"] >= 2500
    assert found["first_ms"] < 500
    assert found["cpu_us"] < 150
    assert found["rss_mb"] < 400


@pytest.mark.foreign
def test_dispatch_on_postgresql(postgresql):
    found = bench("dispatch", "--recipients", "2000", database=postgresql.database("bench_dispatch"))
    assert (found["database"], found["delivered"], found["lost"], found["duplicates"]) == (
        "postgresql",
        2000,
        0,
        0,
    )


def test_every_answer_through_the_link_is_a_fact():
    found = best(
        lambda: bench("ack", "--clients", "100"), lambda f: f["answers_per_s"] >= 800 and f["p99_ms"] < 500
    )
    assert found.keys() == {
        "clients", "answers_per_s", "p50_ms", "p99_ms", "errors", "answers", "facts", "rss_mb", "database",
    }  # fmt: skip
    assert (found["clients"], found["answers"], found["facts"], found["errors"]) == (100, 500, 500, 0)
    assert found["answers_per_s"] >= 800
    assert found["p99_ms"] < 500


def test_a_change_stands_on_every_open_desk():
    found = best(
        lambda: bench("live", "--desks", "40", "--changes", "10"),
        lambda f: f["p99_ms"] < 1000 and f["storm_p99_ms"] < 2000 and f["desk_page_p99_ms"] < 300,
    )
    assert found.keys() == {
        "desks", "people", "warnings", "changes", "p50_ms", "p99_ms", "storm_p50_ms", "storm_p99_ms",
        "desk_page_p50_ms", "desk_page_p99_ms", "cpu_ms", "errors", "fetches", "fragment_kb", "facts", "rss_mb", "database",
    }  # fmt: skip
    assert (found["desks"], found["people"], found["warnings"]) == (40, 1000, 3)
    assert (found["changes"], found["facts"], found["errors"]) == (30, 30, 0)
    assert found["p99_ms"] < 1000
    assert found["storm_p99_ms"] < 2000
    assert found["desk_page_p99_ms"] < 300
    assert found["rss_mb"] < 400


@pytest.mark.parametrize("words", [("--desks", "0"), ("--changes", "334")])
def test_a_bench_of_no_desks_or_of_too_many_changes_says_so(words):
    done = subprocess.run(
        [sys.executable, "-m", "fengsui", "bench", "live", *words],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "B005" in done.stderr


def test_a_decision_does_not_cost_more_when_the_ledger_grows():
    found = best(
        lambda: bench("decide", "--ledger", "10000"), lambda f: max(f["alert_growth"], f["ack_growth"]) < 2
    )
    assert found.keys() == {
        "ledger", "alert_ms", "alert_p99_ms", "ack_ms", "alert_cpu_ms", "ack_cpu_ms", "ack_p99_ms", "base", "alert_growth", "ack_growth", "facts",
        "rss_mb", "database",
    }  # fmt: skip
    assert found["facts"] > found["ledger"] == 10_000
    assert found["base"]["ledger"] == 1000
    assert max(found["alert_growth"], found["ack_growth"]) < 2


def test_a_correction_reaches_exactly_those_who_were_told_within_a_minute():
    found = best(
        lambda: bench("correct", "--recipients", "1000"),
        lambda f: f["sign_ms"] < 300 and f["first_ms"] < 1000,
    )
    assert found.keys() == {
        "recipients", "draft_page_ms", "sign_page_ms", "sign_ms", "printing", "correct_page_ms", "correct_ms",
        "first_ms", "last_ms", "told", "corrected", "missing", "strangers", "same_set", "twice", "database",
    }  # fmt: skip
    assert (found["told"], found["corrected"], found["missing"], found["strangers"]) == (1000, 1000, 0, 0)
    assert (found["same_set"], found["twice"]) == (True, 0)
    assert found["printing"] > 0  # sheets were being printed while it was signed
    assert found["last_ms"] < 60_000
    assert found["first_ms"] < 3000
    assert found["sign_ms"] < 1000  # 300 on a machine of its own, see docs/benchmarks.md


def test_a_place_in_use_is_left_alone(tmp_path):
    bench("dispatch", "--recipients", "10", data=tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "fengsui", "bench", "dispatch", "--recipients", "10"],
        capture_output=True, text=True, check=False, timeout=60, env=os.environ | {"FENGSUI_DATA": str(tmp_path)},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "B001" in done.stderr
    assert str(tmp_path) not in done.stderr


@pytest.mark.foreign
@pytest.mark.slow
def test_against_kannel():
    assert shutil.which("bearerbox", path="/usr/sbin"), "Kannel 没有安装。请执行：sh tests/system.sh"
    found = best(
        lambda: bench("dispatch", "--recipients", "3000", "--against", "kannel", "--smpp", str(MODULE)),
        lambda f: f["ratio"] > 0.4,
    )
    assert found.keys() == DISPATCH | {"kannel", "ratio", "runs", "centre"}
    assert (found["lost"], found["duplicates"], found["kannel"]["lost"]) == (0, 0, 0)
    assert found["kannel"]["characters"] == found["characters"] == 52
    assert found["ratio"] > 0.4  # the ratio itself needs a quiet machine


def test_cap_messages_are_judged_at_a_rate_worth_the_name():
    found = best(lambda: bench_cap("--rounds", "10"), lambda f: f["ratio_lxml"] > 0.35)
    assert found.keys() == {
        "corpus", "documents", "bytes", "valid", "rounds", "documents_per_s", "lxml_per_s", "capvalidator_per_s",
        "capvalidator_schema_per_s", "ratio_lxml", "ratio_capvalidator", "largest_bytes", "peak_mb", "process_mb",
    }  # fmt: skip
    assert (found["documents"], found["valid"]) == (29, 19)
    assert found["ratio_lxml"] > 0.35  # the figure itself needs the whole corpus and a quiet machine
    assert found["ratio_capvalidator"] > 3
    assert found["largest_bytes"] > 1_600_000
    assert found["peak_mb"] < 40


def bench_cap(*words):
    """The CAP bench over the samples that go with the product."""
    done = subprocess.run(
        [sys.executable, "-m", "fengsui", "bench", "cap", "--json", "--corpus", str(cap.SAMPLES), *words],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.mark.parametrize(("words", "code"), [(["--corpus", "none"], "B011"), (["--rounds", "0"], "B012")])
def test_a_cap_bench_that_cannot_be(words, code):
    done = subprocess.run(
        [sys.executable, "-m", "fengsui", "bench", "cap", *words],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert code in done.stderr
