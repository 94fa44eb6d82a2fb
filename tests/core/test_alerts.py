"""The warning in force: what each version changed for whom, and when a version is refused."""

import msgspec
import pytest

from fengsui.core import alerts
from fengsui.core.facts import Closed
from fengsui.core.state import AlertPart, Zoned
from fengsui.core.tables import touches
from tests.core.worlds import (
    DRILL,
    FENGYU,
    INCIDENT,
    JULE,
    District,
    a_directory,
    an_alert,
    at,
    code,
    kinds,
    notified,
    opened,
    yunzhou,
)

VILLAGE, OTHER = f"{JULE}205", f"{JULE}216"


def district(*units, **more):
    return District(a_directory(*(units or ("聚乐乡", "峰峪乡")), **more))


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        ({}, {JULE: "red"}, ("new", "red")),
        ({JULE: "yellow"}, {JULE: "red"}, ("up", "red")),
        ({JULE: "red"}, {JULE: "yellow"}, ("down", "yellow")),
        ({JULE: "red"}, {JULE: "red", FENGYU: "blue"}, ("same", "red")),
        ({JULE: "red"}, {FENGYU: "red"}, ("gone", "red")),
        ({JULE: "red"}, {}, ("gone", "red")),
        ({FENGYU: "red"}, {}, None),
        ({"140215": "yellow"}, {"140215": "yellow", JULE: "red"}, ("up", "red")),
        ({VILLAGE: "red"}, {OTHER: "red"}, ("changed", "red")),
    ],
)
def test_before_and_after_say_what_changed_for_an_area(before, now, change):
    part = AlertPart(now=Zoned(now), before=Zoned(before))

    assert alerts.change(part, JULE) == change


def test_a_place_is_touched_by_what_contains_it_and_by_what_it_contains_but_by_no_neighbour():
    assert [touches(JULE, z) for z in ("140215", VILLAGE, FENGYU, "14021520")] == [True, True, False, True]


def test_spread_counts_the_townships_that_still_exist():
    d = district()
    d.post(an_alert("yellow", JULE, FENGYU, f"{JULE}205"))

    assert alerts.spread(d.state(), d.world) == pytest.approx(2 / 9)


REFUSED = [
    ({"replaces": 1}, "A01", "stale: the desk saw another version"),
    ({"version": 2, "replaces": 0}, "A01", "a version is skipped"),
    ({"signer": "forecaster"}, "A02", "author and signer are one"),
    ({"hazard": "earthquake"}, "A03", "a hazard nobody knows"),
    ({"zones": {"999": "red"}}, "A04", "a zone nobody knows"),
    ({"hazard": "cold_wave", "zones": {JULE: "purple"}}, "A05", "a level the hazard has not"),
    ({"zones": {}}, "A06", "nothing to cancel"),
    ({"expires": at("02:13")}, "A07", "over before it began"),
]


@pytest.mark.parametrize(("fields", "expected", "why"), REFUSED, ids=[f"{c}-{w}" for _, c, w in REFUSED])
def test_an_unsound_warning_is_refused(fields, expected, why):
    fact = an_alert()
    for name, value in fields.items():
        fact = msgspec.structs.replace(fact, **{name: value})

    assert code(district().post(fact)) == (expected, False)


def test_one_person_may_sign_alone_only_as_retraction_or_in_an_emergency():
    assert "alerted" in kinds(district().post(an_alert(signer="forecaster", mode="emergency")))


def test_of_two_desks_that_act_at_once_one_is_admitted_and_the_other_told_why_not():
    d = district()
    d.post(an_alert())

    assert "alerted" in kinds(d.post(an_alert(version=2, time="02:20", paper="desk-a")))
    refusal = d.post(an_alert(version=2, time="02:20", paper="desk-b"))
    assert code(refusal) == ("A01", False)
    assert "第 2 版" in refusal.text


def test_the_same_version_again_has_happened_already():
    d = district()
    d.post(an_alert())

    assert code(d.post(an_alert())) == ("A00", True)


def test_another_hazard_needs_a_stream_of_its_own():
    d = district()
    d.post(an_alert())

    assert code(d.post(an_alert(version=2, hazard="snowstorm"))) == ("A03", False)


def test_one_hazard_has_one_warning_in_an_area_and_series_do_not_meet():
    d = district()
    d.post(an_alert("red", JULE))

    assert code(d.post(an_alert("red", VILLAGE, stream="second"))) == ("A10", False)
    assert "alerted" in kinds(d.post(an_alert("red", FENGYU, stream="second")))
    assert "alerted" in kinds(
        d.drilled().post(an_alert("red", JULE, stream="third", series="exercise", drill=DRILL))
    )


def test_a_stream_closes_only_when_nothing_holds_and_nobody_is_chased_any_more():
    d = district()
    d.post(an_alert("blue", JULE))
    assert code(d.post(Closed(INCIDENT, at("02:14"), "desk"))) == ("A09", False)
    d.post(an_alert("", version=2, time="02:20"))
    assert code(d.post(Closed(INCIDENT, at("02:21"), "desk"))) == ("A11", False)

    d.wait(at("99:00"))
    assert kinds(d.post(Closed(INCIDENT, at("99:00"), "desk"))) == ["closed"]
    assert code(d.post(an_alert(version=3, time="99:01"))) == ("M002", False)


def test_cancelling_tells_the_told_minus_the_withdrawn_and_nobody_else():
    d = district()
    d.post(an_alert("red", JULE))
    told = set(d.told())

    facts = d.post(an_alert("", version=2, time="02:30", withdrawn=["聚乐乡-leader"]))

    assert notified(facts, "all_clear") == {
        "2.3.a/all_clear/2/red-gone": tuple(sorted(told - {"聚乐乡-leader"}))
    }


def test_who_was_told_at_any_step_of_any_version_gets_the_all_clear():
    d = district("聚乐乡", "峰峪乡", "headquarters_office")
    d.post(an_alert("red", JULE))
    d.wait(at("02:40"))
    assert {"聚乐乡-deputy", "headquarters_office-duty_officer"} <= set(d.told())
    d.post(an_alert("red", JULE, version=2, time="02:41"))

    facts = d.post(an_alert("", version=3, time="02:50"))

    assert set(*notified(facts, "all_clear").values()) == set(d.told(since=0))


def test_units_that_a_version_leaves_are_told_the_all_clear_and_those_that_stay_are_not():
    d = district()
    d.post(an_alert("red", JULE, FENGYU))

    facts = d.post(an_alert("red", JULE, version=2, time="02:30"))

    assert notified(facts) == {
        "2.3.a/alert/2/red-same": ("聚乐乡-duty_officer", "聚乐乡-leader"),
        "2.3.a/all_clear/2/red-gone": ("峰峪乡-duty_officer", "峰峪乡-leader"),
    }
    assert d.share("2.4.1/acknowledge", "峰峪乡/duty_officer/1").how == "cancelled"
    assert d.share("2.4.1/relay", "峰峪乡").open
    assert d.share("2.4.1/acknowledge", "聚乐乡/duty_officer/1").open


def test_an_upgrade_asks_again_and_an_update_only_tells():
    d = district()
    d.post(an_alert("yellow", JULE))

    same = d.post(an_alert("yellow", JULE, version=2, time="02:20"))
    up = d.post(an_alert("orange", JULE, version=3, time="02:30"))
    down = d.post(an_alert("blue", JULE, version=4, time="02:40"))

    ack = ("聚乐乡/duty_officer/1", "2.4.1/acknowledge")
    assert not {o for o in opened(same) if o[:2] == ack}
    assert (*ack, "02:45") in opened(up)
    assert not {o for o in opened(down) if o[:2] == ack}
    assert all(notified(f, "alert") for f in (same, up, down))


def test_whoever_was_told_red_is_told_that_it_sinks_although_the_lower_level_would_not_reach_him():
    d = district()
    d.post(an_alert("red", JULE))

    facts = d.post(an_alert("blue", JULE, version=2, time="02:30"))

    assert notified(facts, "alert") == {"2.3.a/alert/2/blue-down": ("聚乐乡-duty_officer", "聚乐乡-leader")}


def test_a_warning_may_start_anew_in_the_same_stream_after_it_was_cancelled():
    d = district()
    d.post(an_alert("red", JULE))
    d.post(an_alert("", version=2, time="02:30"))

    facts = d.post(an_alert("red", JULE, version=3, time="03:00"))

    assert ("聚乐乡/duty_officer/1", "2.4.1/acknowledge", "03:10") in opened(facts)


def test_every_level_of_the_pack_is_one_the_order_knows():
    assert {level for h in yunzhou().hazards.values() for level in h.levels} <= {
        "blue",
        "yellow",
        "orange",
        "red",
    }


@pytest.mark.parametrize("hand", ["author", "signer"])
def test_nobody_puts_his_name_to_a_warning_who_is_not_in_the_directory(hand):
    d = district()
    nameless = d.post(an_alert(**{hand: ""}))
    left = d.directory.persons.keys() - {{"author": "forecaster", "signer": "signer"}[hand]}
    d.directory = msgspec.structs.replace(d.directory, persons={p: d.directory.persons[p] for p in left})
    departed = d.post(an_alert())

    assert (code(nameless), code(departed)) == (("A17", False), ("A17", False))
    assert d.facts == []
