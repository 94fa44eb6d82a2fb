"""应急会商: called by the warning, held and concluded in this order, with a recorded reason."""

from fengsui.core.facts import Consulted, ResponseSet
from tests.core.worlds import (
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
    only,
    opened,
)

HOME = "headquarters_office"
HOLD, CONCLUDE = "2.1.3/hold", "2.1.3/conclude/emergency-1"


def district(level="red", zones=(JULE,)):
    d = District(a_directory(HOME, "water", "emergency"), only("2.1.3"))
    d.post(an_alert(level, *zones))
    return d


def consulted(stage, time="02:30", **more):
    return Consulted(
        INCIDENT, at(time), more.pop("name", "emergency-1"), "emergency", stage, HOME, "desk", **more
    )


def test_orange_or_red_calls_an_emergency_consultation_and_summons_the_invited():
    d = district()

    assert {o[:2] for o in opened(d.facts)} == {(HOME, HOLD)}
    assert d.state().consultations["emergency-1"].invited == (
        "natural_resources", "water", "agriculture", "emergency", "meteorology")  # fmt: skip
    assert notified(d.facts) == {
        "summons/emergency-1": ("emergency-duty_officer", f"{HOME}-duty_officer", "water-duty_officer")
    }


def test_yellow_calls_it_only_when_a_third_of_the_townships_are_warned():
    towns = [a.id for a in district().pack.areas.values() if a.kind == "township" and not a.valid_to]

    assert opened(district("yellow", (JULE, FENGYU)).facts) == set()
    assert opened(district("yellow", tuple(towns[:3])).facts) == {(HOME, HOLD, "02:43")}


def test_an_upgrade_from_orange_calls_again_but_not_twice_for_one_version():
    d = district("orange")
    d.post(an_alert("red", JULE, version=2, time="02:20"))

    assert sorted(d.state().consultations) == ["emergency-1", "emergency-2"]


def test_held_opens_the_conclusion_and_concluded_to_activate_opens_the_decision_of_the_headquarters():
    d = district()

    assert opened(d.post(consulted("held"))) == {(HOME, CONCLUDE, "03:00")}
    assert d.share(HOLD, HOME).how == "done"
    facts = d.post(consulted("concluded", "02:45", outcome="activate", paper="p"))
    assert opened(facts) == {("headquarters", "2.1.3/activate/emergency-1", "03:15")}
    d.post(ResponseSet(INCIDENT, at("02:50"), "III", "headquarters", "a"))
    assert d.share("2.1.3/activate/emergency-1", "headquarters").how == "done"
    assert d.state().response == "III"


def test_concluding_not_to_activate_opens_nothing():
    d = district()
    d.post(consulted("held"))

    assert kinds(d.post(consulted("concluded", outcome="none", paper="p"))) == ["consulted", "duty_ended"]


def test_stages_follow_each_other_once_and_a_conclusion_needs_its_paper():
    d = district()

    assert code(d.post(consulted("called"))) == ("C00", True)
    assert code(d.post(consulted("concluded", paper="p"))) == ("C01", False)
    assert code(d.post(consulted("held", name="unknown"))) == ("C01", False)
    d.post(consulted("held"))
    assert code(d.post(consulted("held"))) == ("C00", True)
    assert code(d.post(consulted("concluded"))) == ("C02", False)


def test_the_invited_stay_known_when_a_later_stage_does_not_name_them():
    d = district()
    d.post(consulted("held"))

    assert "water" in d.state().consultations["emergency-1"].invited
