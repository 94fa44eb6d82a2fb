"""A simulated drill is a program of its own: started, watched, stopped, ended with the house, and never in the district's ledger."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from fengsui.flow import simulations as module
from fengsui.flow.simulations import Progress, Refused, Simulations, Wish
from fengsui.formats import packs
from tests.conftest import START

PACK = packs.load("yunzhou")
QUICK = Wish("rainstorm", people=40, seed=3, form="f1", by="clerk")
SLOW = msgspec.structs.replace(QUICK, pace=1, form="")
HANDS = 200.0


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A district's data directory: whatever stands in it must stand there afterwards."""
    (tmp_path / "fengsui.sqlite3").write_bytes(b"the ledger of the district")
    (tmp_path / "keys").mkdir()
    return tmp_path


@pytest.fixture
def simulations(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulations]:
    monkeypatch.setenv("PYTHONPATH", str(Path(module.__file__).parents[2]))
    made = Simulations(place, PACK, lambda: START)
    yield made
    made.close()


def until(met: Callable[[], object]) -> None:
    end = time.monotonic() + HANDS
    while not met():
        assert time.monotonic() < end, "it does not come about"
        time.sleep(0.05)


def state(simulations: Simulations, name: str) -> str:
    found = simulations.one(name)
    return found.state if found else ""


def test_it_is_played_to_its_end_and_remembered(simulations: Simulations, place: Path) -> None:
    one = simulations.start(QUICK)
    assert (one.title, one.state, one.wish) == ("暴雨红色之夜", "running", QUICK)
    until(lambda: state(simulations, one.id) != "running")

    again = Simulations(place, PACK, lambda: START)
    (known,) = again.all()
    assert (known.state, known.said, known.ended) == ("done", "", START)
    result = again.result(one.id)
    assert result is not None
    assert (result["people"], result["lost"]) == (40, 0)
    assert sum(c["triggered"] for c in result["clauses"]) > 50
    report = again.report(one.id)
    assert report is not None
    assert list(report.shares) == [1, 3, 5, 10, 15]
    assert report.answered > 10
    progress = again.progress(one.id)
    assert progress is not None
    assert progress.begin <= progress.at <= progress.end


def test_the_district_is_out_of_its_reach(
    simulations: Simulations, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the district's environment it is told nothing, and of the district's files it has none open and changes none."""
    monkeypatch.setenv("FENGSUI_DATA", str(place))
    monkeypatch.setenv("FENGSUI_DATABASE", "postgresql://district/ledger")
    monkeypatch.setenv("FENGSUI_SECRET", "of the district")
    before = {p: p.read_bytes() for p in place.rglob("*") if p.is_file()}

    one = simulations.start(SLOW)
    until(lambda: simulations.progress(one.id))
    child = simulations._child
    assert child is not None
    own = place / module.FOLDER / one.id
    variables = dict(
        line.split("=", 1)
        for line in Path(f"/proc/{child.pid}/environ").read_text().split("\0")
        if "=" in line
    )
    assert variables.keys() <= {*module.GIVEN, "FENGSUI_DATA", "FENGSUI_DATABASE"}
    assert (variables["FENGSUI_DATA"], variables["FENGSUI_DATABASE"]) == (str(own / "place"), "")
    opened = [str(f.readlink()) for f in Path(f"/proc/{child.pid}/fd").iterdir() if f.is_symlink()]
    assert any(f.startswith(str(own / "place")) for f in opened), "it has a ledger"
    assert [f for f in opened if f.startswith(str(place)) and not f.startswith(str(own))] == []
    assert os.getpriority(os.PRIO_PROCESS, child.pid) == 19
    simulations.stop(one.id)

    assert {p: p.read_bytes() for p in before} == before
    assert {p.name for p in place.iterdir()} == {"fengsui.sqlite3", "keys", module.FOLDER}


def test_it_is_stopped_and_what_it_had_come_to_stays(simulations: Simulations) -> None:
    one = simulations.start(SLOW)
    until(lambda: simulations.progress(one.id))
    with pytest.raises(Refused, match="R110"):
        simulations.start(msgspec.structs.replace(SLOW, form="another"))

    simulations.stop(one.id)

    assert state(simulations, one.id) == "stopped"
    assert (simulations.result(one.id), simulations.report(one.id)) == (None, None)
    assert simulations.progress(one.id)
    simulations.stop(one.id)
    assert state(simulations, one.id) == "stopped"
    second = simulations.start(SLOW)
    assert second.id == f"{one.id[:-1]}2"


def test_the_same_form_asks_once(simulations: Simulations) -> None:
    first = simulations.start(msgspec.structs.replace(SLOW, form="x"))

    assert simulations.start(msgspec.structs.replace(SLOW, form="x")).id == first.id
    assert len(simulations.all()) == 1


def test_what_cannot_be_played_says_why(simulations: Simulations) -> None:
    one = simulations.start(msgspec.structs.replace(QUICK, people=3))
    until(lambda: state(simulations, one.id) != "running")

    failed = simulations.one(one.id)
    assert failed is not None
    assert failed.state == "failed"
    assert "人数 3 太少" in failed.said
    assert "Traceback" not in failed.said


def test_it_ends_with_the_house(simulations: Simulations, place: Path) -> None:
    one = simulations.start(SLOW)
    until(lambda: simulations.progress(one.id))
    child = simulations._child
    simulations.close()

    assert child is not None
    assert child.poll() is not None
    assert state(Simulations(place, PACK, lambda: START), one.id) == "aborted"


HOUSE = """
import sys, time
from pathlib import Path
from fengsui.flow.simulations import Simulations, Wish
from fengsui.formats import packs
made = Simulations(Path(sys.argv[1]), packs.load("yunzhou"), lambda: 1815761580000000)
one = made.start(Wish("rainstorm", 40, 3, pace=1))
while not made.progress(one.id):
    time.sleep(0.05)
print(one.id, made._child.pid, flush=True)
time.sleep(600)
"""


def test_a_house_that_is_killed_leaves_nothing_running_and_says_so(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The power of the house goes; the program notices, and the next house knows that it was not played to its end."""
    monkeypatch.setenv("PYTHONPATH", str(Path(module.__file__).parents[2]))
    with subprocess.Popen(
        [sys.executable, "-c", HOUSE, str(place)], stdout=subprocess.PIPE, text=True
    ) as house:
        assert house.stdout is not None
        name, pid = house.stdout.readline().split()
        house.send_signal(signal.SIGKILL)
    until(lambda: not Path(f"/proc/{pid}").exists() or _dead(int(pid)))

    after = Simulations(place, PACK, lambda: START)
    assert state(after, name) == "running", "nobody has said otherwise yet"
    after.recover()
    assert state(after, name) == "aborted"
    assert isinstance(after.progress(name), Progress)


def _dead(pid: int) -> bool:
    """Gone but for its entry, which its parent's parent has yet to take away."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    except FileNotFoundError:
        return True


def test_a_file_of_another_release_or_cut_off_with_the_power_is_passed_over(
    simulations: Simulations, place: Path
) -> None:
    broken = place / module.FOLDER / "20270101-1"
    broken.mkdir(parents=True)
    (broken / "simulation.json").write_bytes(b'{"id": "2027')

    assert simulations.all() == []
    assert simulations.one("../keys") is None
    assert simulations.one("..") is None


def test_the_pack_that_is_played_is_the_one_in_force(tmp_path: Path) -> None:
    file = tmp_path / "pack.json"
    file.write_bytes(packs.frozen(PACK))

    assert packs.thawed(file) == PACK
    file.write_bytes(b"[]")
    with pytest.raises(packs.PackError, match="P003"):
        packs.thawed(file)
