"""The evaluator of criteria: the check case of the reference, each operator, and that what is missing never fires."""

from functools import cache

import pytest

from fengsui.core.criteria import Proposal, Reading, judge, propose
from fengsui.core.tables import Hazard, Signal
from fengsui.formats import packs


@cache
def known(profile):
    return packs.hazards(profile)


def rain(value, *, window_h, area="140215209", basis="observed", agg="sum", lead_h=None):
    return Reading(area, basis, "rain", value, "mm", agg, window_h, lead_h, continuing=basis == "observed")


def a_hazard(criterion, *, verified=True):
    return Hazard(
        "h", "灾种", "hazard", "Met", {"blue": Signal("text", "source", verified, criterion=criterion)}
    )


def leaf(op, value, **more):
    return {"basis": "product", "var": "x", "op": op, "value": value, **more}


def fires(criterion, *readings, confirmed=()):
    return judge(a_hazard(criterion), readings, confirmed) == "blue"


def x(value, **more):
    return Reading("a", "product", "x", value, **more)


@pytest.mark.parametrize(
    ("profile", "window_h", "level"),
    [("national", 12, "blue"), ("shanxi", 12, None), ("shanxi", 24, "blue"), ("national", 24, None)],
)
def test_55_mm_is_a_blue_rainstorm_only_under_the_window_of_the_profile(profile, window_h, level):
    assert judge(known(profile)["rainstorm"], [rain(55, window_h=window_h)]) == level


def test_the_strongest_level_wins():
    readings = [rain(60, window_h=12), rain(60, window_h=6), rain(104, window_h=3)]

    assert judge(known("national")["rainstorm"], readings) == "red"


def test_observed_rain_that_has_stopped_is_no_warning():
    over = Reading("a", "observed", "rain", 55, "mm", "sum", 12, continuing=False)

    assert judge(known("national")["rainstorm"], [over]) is None


@pytest.mark.parametrize(("lead_h", "level"), [(3, "red"), (2, "red"), (6, None), (None, None)])
def test_a_forecast_counts_only_within_its_lead(lead_h, level):
    assert (
        judge(known("national")["rainstorm"], [rain(100, window_h=3, basis="forecast", lead_h=lead_h)])
        == level
    )


def test_shanxi_yellow_needs_both_what_fell_and_what_will_fall():
    fell, soon = rain(50, window_h=6), rain(20, window_h=6, basis="forecast", lead_h=6)

    assert judge(known("shanxi")["rainstorm"], [fell]) is None
    assert judge(known("shanxi")["rainstorm"], [fell, soon]) == "yellow"


def test_an_intensity_whose_threshold_is_unknown_never_fires():
    burst = rain(500, window_h=1, basis="forecast", agg="max_intensity", lead_h=3)

    assert judge(known("shanxi")["rainstorm"], [burst]) == "blue"  # the 30 mm/h of blue, never orange or red


@pytest.mark.parametrize(
    ("op", "wanted", "yes", "no"),
    [
        ("≥", 5, 5, 4.9), ("≤", 5, 5, 5.1), (">", 5, 5.1, 5), ("<", 5, 4.9, 5), ("=", 3, 3, 2),
        ("in", [6, 7], 7, 7.1), ("in_half_open", [200, 500], 200, 500),
        ("one_of", ["扬沙", "浮尘"], "浮尘", "霾"), ("=", True, True, False),
    ],
)  # fmt: skip
def test_every_operator_holds_at_its_bound_and_not_beyond(op, wanted, yes, no):
    assert (fires(leaf(op, wanted), x(yes)), fires(leaf(op, wanted), x(no))) == (True, False)


@pytest.mark.parametrize(
    "criterion",
    [
        None,
        {"any": []},
        {"all": []},
        {"basis": "product", "var": "x", "op": "≥", "config": "unknown"},
        {"basis": "judgement", "text": "有较强雷电"},
        leaf("≥", 1, unit="mm"),
        leaf("≥", 1, window_h=3),
        leaf("≥", 1, agg="sum"),
        leaf("≥", 1, lead_h=3),
        leaf("≥", 1, continuing=True),
        leaf("≥", 1, phenomenon="雾"),
        leaf("≥", 1, agg="all_days", window_h=72),
        leaf("one_of", ["雾"]),
        {"basis": "observed", "var": "x", "op": "≥", "value": 1},
        {"all": [leaf("≥", 1), leaf("≥", 1, unit="mm")]},
    ],
)
def test_what_is_missing_is_false(criterion):
    assert not fires(criterion, x(9))


@pytest.mark.parametrize("value", [True, "9", (9.0, 9.0), float("nan")])
def test_a_value_of_another_sort_is_false(value):
    assert not fires(leaf("≥", 1), x(value))


def test_a_sentence_is_true_only_when_a_person_confirms_it():
    hail = known("national")["hail"]

    assert judge(hail, []) is None
    assert judge(hail, [], {"6小时内可能出现冰雹天气，并可能造成雹灾"}) == "orange"


@pytest.mark.parametrize(
    ("days", "expected"),
    [((35.0, 36.0, 37.0), True), ((35.0, 36.0), False), ((35.0, 34.9, 37.0), False), ((), False)],
)
def test_daily_values_must_all_reach_the_threshold_and_be_enough(days, expected):
    hot = Reading("a", "forecast", "tmax_daily", days, "℃", "all_days", 72, 72)

    assert (judge(known("national")["heat"], [hot]) == "yellow") is expected


@pytest.mark.parametrize("beside", [False, True])
def test_a_phenomenon_may_stand_with_the_value_or_beside_it(beside):
    sight = Reading(
        "a", "observed", "visibility", 300, "m", continuing=True, phenomenon="" if beside else "雾"
    )
    seen = Reading("a", "observed", "phenomenon", "雾")

    assert judge(known("national")["fog"], [sight, seen] if beside else [sight]) == "yellow"


def test_a_phenomenon_seen_elsewhere_does_not_count():
    sight = Reading("a", "observed", "visibility", 300, "m", continuing=True)
    elsewhere = Reading("b", "observed", "phenomenon", "雾")

    assert judge(known("national")["fog"], [sight, elsewhere]) is None


def test_areas_of_one_level_are_proposed_together_with_their_evidence():
    here, there, dry = (
        rain(55, window_h=24),
        rain(70, window_h=24, area="140215202"),
        rain(3, window_h=24, area="140215205"),
    )

    assert propose(known("shanxi").values(), [here, there, dry]) == (
        Proposal("rainstorm", "blue", ("140215202", "140215209"), verified=True, evidence=(there, here)),
    )


def test_proposals_stand_strongest_first_and_unverified_ones_say_so():
    confirmed = {"140215": {"2小时内出现冰雹可能性极大，并可能造成重雹灾"}}

    found = propose(known("shanxi").values(), [rain(55, window_h=24)], confirmed)

    assert [(p.hazard, p.level, p.areas, p.verified) for p in found] == [
        ("hail", "red", ("140215",), False),
        ("rainstorm", "blue", ("140215209",), True),
    ]
