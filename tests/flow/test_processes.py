"""Several processes on one database, one of them killed: what was answered is there once, and the chain holds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fengsui.store import rebuild
from fengsui.store.verify import verify
from tests.flow import district

ROOT = Path(__file__).parents[2]


def neighbour(database, name, count):
    words = [sys.executable, "-m", "tests.flow.neighbour", str(database.data), database.url, name, str(count)]
    return subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )


@pytest.mark.storm
def test_what_was_answered_is_there_once_though_a_process_was_killed(database, session):
    district.populate(database)
    victim, other = neighbour(database, "victim", 100_000), neighbour(database, "other", 150)
    answered = []

    def read() -> None:
        answered.extend(line.strip() for line in victim.stdout)

    reader = threading.Thread(target=read)
    reader.start()
    written = other.communicate(timeout=60)[0].split()
    victim.send_signal(signal.SIGKILL)
    victim.wait(10)
    reader.join(10)
    victim.stdout.close()

    again = neighbour(database, "victim", len(answered) + 3)
    assert len(again.communicate(timeout=60)[0].split()) == len(answered) + 3

    assert (other.returncode, again.returncode, len(written)) == (0, 0, 150)
    ids = [id_ for (id_,) in session.run("SELECT id FROM ledger WHERE cause = '' ORDER BY seq")]
    assert sorted(ids) == sorted({*written, *answered, *(f"victim-{n}" for n in range(len(answered) + 3))})
    assert len(answered) > 0
    assert list(verify(session, database.vault)) == []
    assert rebuild.rebuild(session, "Asia/Shanghai") == 0
