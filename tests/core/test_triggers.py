"""Which fact opens which duty for whom: the live clauses, one by one, as the document says."""

import msgspec
import pytest

from fengsui.core import triggers
from fengsui.core.clauses import Trigger
from fengsui.core.state import State
from tests.core.worlds import FENGYU, JULE, District, a_directory, an_alert, only, opened, yunzhou

LIVE = ("2.1.3", "2.3.a", "2.3.b", "2.4.1", "2.4.2", "2.4.3", "4.2.b")
OPENED = {
    "2.1.3": {"hold"}, "2.3.a": {"publish", "renew"}, "2.3.b": set(), "2.4.1": {"acknowledge", "relay", "measures"},
    "2.4.2": {"respond", "decide"}, "2.4.3": {"crawl", "badge", "anchor"}, "4.2.b": set(),
}  # fmt: skip


def test_the_live_clauses_are_these():
    assert sorted(i for i, c in yunzhou().clauses.items() if not c.planned) == sorted(LIVE)


@pytest.mark.parametrize("clause", LIVE)
def test_a_red_rainstorm_opens_what_the_clause_says(clause):
    d = District(a_directory("聚乐乡", "media", "meteorology"), only(clause))

    facts = d.post(an_alert("red", JULE))

    assert {key.split("/")[1] for _, key, _ in opened(facts)} == OPENED[clause]


def test_planned_clauses_open_nothing():
    d = District(a_directory("聚乐乡"))
    d.post(an_alert("red", JULE))

    assert {k.split("/")[0] for k in d.state().duties} <= set(LIVE)


@pytest.mark.parametrize("hazard", ["rainstorm", "snowstorm", "thunderstorm_gale"])
def test_stop_work_is_for_three_hazards(hazard):
    d = District(a_directory("聚乐乡"), only("2.4.2"))

    assert opened(d.post(an_alert("red", JULE, hazard=hazard)))


def test_and_not_for_a_cold_wave_or_an_orange_rainstorm():
    for more in ({"hazard": "cold_wave"}, {"zones": {JULE: "orange"}}):
        d = District(a_directory("聚乐乡"), only("2.4.2"))
        assert opened(d.post(an_alert("red", JULE, **more))) == set()


def test_units_outside_the_area_owe_nothing_and_district_units_always_do():
    d = District(a_directory("聚乐乡", "峰峪乡", "water"), only("2.4.1"))
    d.post(an_alert("red", JULE))
    holders = {h.split("/")[0] for duty in d.state().duties.values() for h in duty.shares}

    assert {"聚乐乡", "water"} <= holders
    assert not holders & {"峰峪乡", "许堡乡"}


def test_the_level_of_a_unit_is_that_of_its_own_zone():
    d = District(a_directory("聚乐乡", "峰峪乡"), only("2.4.1"))
    facts = d.post(an_alert(zones={JULE: "red", FENGYU: "yellow"}))

    assert {("聚乐乡", "2.4.1/relay", "02:38"), ("峰峪乡", "2.4.1/relay", "03:43")} <= opened(facts)
    assert ("峰峪乡", "2.4.1/measures") not in {o[:2] for o in opened(facts)}


def test_a_unit_that_two_triggers_name_owes_once():
    d = District(a_directory("headquarters_office"))
    towns = [a.id for a in d.pack.areas.values() if a.kind == "township" and not a.valid_to]

    facts = d.post(
        an_alert("yellow", *towns[:4], zones=dict.fromkeys(towns[:4], "yellow") | {towns[0]: "orange"})
    )

    assert [o for o in opened(facts) if o[1] == "2.1.3/hold"] == [
        ("headquarters_office", "2.1.3/hold", "02:43")
    ]


@pytest.mark.parametrize(
    ("trigger", "change", "level", "asks"),
    [
        (Trigger("alert"), "new", "red", True), (Trigger("alert"), "up", "blue", True),
        (Trigger("alert"), "same", "red", False), (Trigger("alert"), "down", "red", False),
        (Trigger("alert"), "gone", "red", False), (Trigger("alert", change=("gone",)), "gone", "red", True),
        (Trigger("alert", levels=("red",)), "new", "orange", False),
    ],
)  # fmt: skip
def test_without_a_word_on_change_only_new_and_up_ask(trigger, change, level, asks):
    assert triggers.asks(trigger, change, level) is asks


def test_words_stand_for_groups_units_the_unit_of_the_fact_or_what_a_mechanism_knows():
    pack, state = yunzhou(), State.blank("x")
    state = msgspec.structs.replace(state, on_air={"media/crawl": 1, "media/badge": 1})

    assert triggers.subjects(("media", "same", "on_air"), "water", state, pack) == ("media", "water")
    assert len(triggers.subjects(("townships",), "", state, pack)) == 9
    assert triggers.subjects(("same", "suspended", "invited"), "nowhere", state, pack) == ()


def test_the_order_of_clauses_is_irrelevant():
    pack = only(*LIVE)
    backwards = msgspec.structs.replace(pack, clauses=dict(reversed(pack.clauses.items())))
    one, other = (
        District(a_directory("聚乐乡", "media"), pack),
        District(a_directory("聚乐乡", "media"), backwards),
    )

    assert one.post(an_alert()) == other.post(an_alert())
