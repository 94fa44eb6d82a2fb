"""What a drill plays: clock times that pass midnight, readings judged as real ones are, sentences with the places in them."""

import datetime as dt
import itertools

import msgspec
import pytest

from fengsui.core import calendar
from fengsui.core.scenario import Scenario
from fengsui.formats import packs

PACK = packs.load("yunzhou")
RAIN = PACK.drills["rainstorm"]


def test_a_clock_time_is_the_first_one_from_the_start_on():
    late = msgspec.structs.replace(RAIN, start="2027-01-02T21:30")

    assert [late.after(clock) // calendar.MINUTE for clock in ("21:30", "23:59", "00:00", "21:29")] == [
        0, 149, 150, 1439,
    ]  # fmt: skip
    assert late.moment("06:05", "Asia/Shanghai") == calendar.utc(
        dt.datetime.fromisoformat("2027-01-03T06:05+08:00")
    )


def test_what_is_known_by_then_is_judged_the_newest_of_each_place():
    rain = PACK.hazards["rainstorm"]

    assert RAIN.zones(rain, "01:40") == {}
    assert RAIN.zones(rain, "02:09") == {"140215202": "red", "140215209": "red"}
    assert RAIN.zones(rain, "04:43") == {}, "the newer forecast of a place replaces the older one"


def test_places_stand_in_the_sentences():
    move = RAIN.version[0].filled("聚乐乡、峰峪乡")

    assert move.cause == "受对流云系影响，过去1小时聚乐乡、峰峪乡出现短时强降水，"
    assert move.forecast == RAIN.version[0].forecast


@pytest.mark.parametrize("scenario", PACK.drills.values(), ids=list(PACK.drills))
def test_a_shipped_scenario_stands_on_its_readings(scenario: Scenario):
    """Each version has a signal that the readings support and differs from the one before; each reading is one that
    some criterion of the hazard asks about; when it is lifted, nothing supports a signal any more."""
    hazard = PACK.hazards[scenario.hazard]
    zones = [scenario.zones(hazard, move.drafted) for move in scenario.version]

    assert all(zones)
    assert all(one != other for one, other in itertools.pairwise(zones))
    assert scenario.zones(hazard, scenario.cleared.drafted) == {}
    leaves = list(_leaves([signal.criterion for signal in hazard.levels.values()]))
    for reading in scenario.reading:
        given = (reading.basis, reading.var, reading.agg, reading.window_h, reading.unit)
        assert given in leaves, reading
    assert "虚构" in scenario.basis


def _leaves(trees):
    for tree in trees:
        if "var" in tree:
            yield tree["basis"], tree["var"], tree.get("agg", ""), tree.get("window_h"), tree.get("unit", "")
        yield from _leaves([*tree.get("any", ()), *tree.get("all", ())])
