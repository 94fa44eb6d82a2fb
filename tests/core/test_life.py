"""The life of a signal: whatever desks do, a township has one live signal of a hazard, and whoever was told knows its end."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fengsui.core import alerts, wording
from fengsui.core.calendar import HOUR, MINUTE
from fengsui.core.directory import Directory
from fengsui.core.facts import Alerted, Notified
from fengsui.core.levels import GONE, Level
from fengsui.core.state import AlertPart, Refusal, Zoned
from fengsui.core.tables import touches
from tests.core.worlds import (
    DESK,
    FENGYU,
    INCIDENT,
    JULE,
    District,
    a_directory,
    an_alert,
    at,
    code,
    notified,
    only,
    opened,
    with_post,
    yunzhou,
)

VILLAGE, DISTRICT, XUBU = f"{JULE}205", "140215", "140215211"
TOWNSHIPS = [a.id for a in yunzhou().areas.values() if a.kind == "township"]
ZONES = st.dictionaries(
    st.sampled_from([JULE, FENGYU, VILLAGE, DISTRICT]),
    st.sampled_from(["yellow", "orange", "red"]),
    max_size=3,
)
ACTS = st.lists(
    st.tuples(st.sampled_from([INCIDENT, "second"]), ZONES, st.booleans(), st.booleans(), st.integers(0, 12)),
    min_size=1,
    max_size=8,
)


def everybody() -> Directory:
    """Two townships, a district office and a village; each with an officer, his deputy and a leader."""
    directory = a_directory("聚乐乡", "峰峪乡", "water")
    return with_post(directory, "聚乐乡", "responsible_person", "village-head", area=VILLAGE)


@settings(max_examples=100, deadline=None)
@given(ACTS)
def test_a_township_has_one_live_signal_and_whoever_was_told_knows_its_end(acts):
    d, now = District(everybody(), only("2.3.a", "2.4.1")), at("02:13")
    for stream, zones, corrects, keeps, minutes in acts:
        now += minutes * MINUTE
        d.wait(now)
        part = d.streams[stream].alert if stream in d.streams else AlertPart()
        action = "correct" if corrects else alerts.fitting(part.now, Zoned(zones), d.pack)
        kept = [z for z, level in zones.items() if part.now.zones.get(z) == level] if keeps else []
        d.post(
            an_alert(
                stream=stream, zones=zones, version=part.version + 1, at=now, action=action, kept=kept,
                expires=part.expires if kept else now + 6 * HOUR,
            )
        )  # fmt: skip
        assert doubly_warned(d) == []
        assert in_the_dark(d) == []
        assert lists_in_the_dark(d) == []
        assert half_told(d) == []


def doubly_warned(d: District) -> list[str]:
    """Townships with two live signals of one hazard."""
    live = [state.alert for state in d.streams.values() if state.alert.holds]
    return [
        town
        for town in TOWNSHIPS
        for hazard in {part.hazard for part in live}
        if sum(part.hazard == hazard and part.now.level(town) is not None for part in live) > 1
    ]


def in_the_dark(d: District) -> list[tuple[str, str]]:
    """(stream, person): told of a warning that has left all he answers for, and the last he heard of it was not its end."""
    zones = {(f.stream, f.version): f.zones for f in d.facts if isinstance(f, Alerted)}
    found = []
    for stream, state in d.streams.items():
        for person in state.notices.people:
            areas = areas_of(person, d)
            said = [
                f.change in GONE
                for f in d.facts
                if isinstance(f, Notified)
                and f.stream == stream
                and person in {r.person for r in f.recipients}
                if f.change
                or near(
                    areas, zones[stream, f.version]
                )  # a reminder of what is owed after the end is neither
            ]
            if not near(areas, state.alert.now.zones) and not said[-1]:
                found.append((stream, person))
    return found


def lists_in_the_dark(d: District) -> list[tuple[str, str, str]]:
    """(stream, list, township): the list was told there, nothing is in force there, and the last it heard was not the end."""
    found = []
    for stream, state in d.streams.items():
        told = [f for f in d.facts if isinstance(f, Notified) and f.stream == stream and f.lists]
        for town in TOWNSHIPS:
            heard: dict[str, bool] = {}
            for fact in told:
                if any(town.startswith(z) for z in fact.zones):
                    heard |= dict.fromkeys(fact.lists, fact.change in GONE)
            if state.alert.now.level(town) is None:
                found += [(stream, name, town) for name, ended in heard.items() if not ended]
    return found


def half_told(d: District) -> list[tuple[str, str, str]]:
    """(stream, person, place): a message about the newest version to somebody who answers for a place under a warning, which
    does not name all that is in force there.
    """
    found = []
    for stream, state in d.streams.items():
        alert = state.alert
        for fact in d.facts:
            if not (isinstance(fact, Notified) and fact.stream == stream and fact.version == alert.version):
                continue
            if fact.template != "alert" or fact.at != alert.at:
                continue
            for r in fact.recipients:
                text = wording.render(fact, r.calls, d.world, b"")
                near_by = {z for h in r.holders for z in alert.now.near(alerts.area_of(h, d.world))}
                found += [(stream, r.person, z) for z in near_by if d.pack.areas[z].name not in text]
    return found


def areas_of(person: str, d: District) -> set[str]:
    return {p.area for p in d.directory.held.get(person, ())} | {
        d.pack.units[d.directory.persons[person].unit].area
    }


def near(areas: set[str], zones: dict[str, Level]) -> bool:
    return any(touches(a, z) for a in areas for z in zones)


def test_a_verb_that_does_not_fit_what_is_done_is_refused_with_the_one_that_does():
    d = District(a_directory("聚乐乡", "峰峪乡"))
    d.post(an_alert("orange"))

    refusal = d.post(an_alert("red", version=2, time="02:20", action="renew"))

    assert code(refusal) == ("A12", False)
    assert "升级发布" in refusal.text


@pytest.mark.parametrize(
    ("zones", "offered"),
    [
        (None, ("issue",)),
        ({}, ("issue", "correct")),
        ({JULE: "blue"}, ("renew", "upgrade", "change", "cancel", "correct")),
        ({JULE: "blue", FENGYU: "red"}, ("renew", "upgrade", "downgrade", "change", "cancel", "correct")),
        ({JULE: "red"}, ("renew", "downgrade", "change", "cancel", "correct")),
    ],
)
def test_only_verbs_that_are_legal_are_offered(zones, offered):
    part = AlertPart() if zones is None else AlertPart(version=1, hazard="rainstorm", now=Zoned(zones))

    assert alerts.offered(part, yunzhou().hazards["rainstorm"]) == offered


def test_a_hazard_without_lower_levels_can_not_be_downgraded():
    part = AlertPart(version=1, hazard="drought", now=Zoned({JULE: "orange"}))

    assert "downgrade" not in alerts.offered(part, yunzhou().hazards["drought"])


# ── alone 一人 ────────────────────────────────────────────────────────────────

ALONE = {"signer": "forecaster", "mode": "retraction", "action": "correct", "expires": at("08:13")}
"""A correction of one person, which leaves the expiry of a warning of 02:13 as it is."""


@pytest.mark.parametrize(
    ("zones", "refused"),
    [
        ({}, None),
        ({JULE: "orange"}, None),
        ({JULE: "yellow", FENGYU: "orange"}, None),
        ({JULE: "red", FENGYU: "orange"}, "A13"),
        ({JULE: "orange", FENGYU: "orange", XUBU: "blue"}, "A13"),
    ],
)
def test_one_person_may_take_back_but_neither_raise_nor_widen(zones, refused):
    d = District(a_directory("聚乐乡", "峰峪乡"))
    d.post(an_alert("orange"))

    answer = d.post(an_alert(zones=zones, version=2, time="02:14", **ALONE))

    assert (code(answer)[0] if isinstance(answer, Refusal) else None) == refused


@pytest.mark.parametrize(
    ("zones", "expires", "refused"),
    [
        ({JULE: "orange"}, "08:13", None),
        ({JULE: "orange"}, "06:00", None),
        ({JULE: "orange"}, "08:14", "A13"),
        ({JULE: "yellow", FENGYU: "yellow"}, "08:14", "A13"),
        ({JULE: "orange", FENGYU: "orange"}, "08:13", "A13"),
        ({JULE: "orange", FENGYU: "orange"}, "06:00", "A13"),
        ({}, "23:59", None),
    ],
)
def test_one_person_neither_prolongs_nor_writes_other_words_alone(zones, expires, refused):
    d = District(a_directory("聚乐乡", "峰峪乡"))
    d.post(an_alert("orange"))

    answer = d.post(an_alert(zones=zones, version=2, time="02:14", **ALONE | {"expires": at(expires)}))

    assert (code(answer)[0] if isinstance(answer, Refusal) else None) == refused


@pytest.mark.parametrize(("expires", "refused"), [("08:13", None), ("09:00", "A13"), ("05:00", "A13")])
@pytest.mark.parametrize("wrong", ["red", "orange"])
def test_one_person_takes_a_version_back_to_what_held_before_as_long_as_it_would_have(
    wrong, expires, refused
):
    """An upgrade that ends sooner, a renewal that ends later: taken back, the first version holds again."""
    d = District(a_directory("聚乐乡", "峰峪乡"))
    d.post(an_alert("orange"))
    d.post(an_alert(wrong, version=2, time="02:20", expires=at("06:00" if wrong == "red" else "10:00")))

    answer = d.post(an_alert("orange", version=3, time="02:21", **ALONE | {"expires": at(expires)}))

    shorter = wrong == "red" and expires == "05:00"
    assert (code(answer)[0] if isinstance(answer, Refusal) else None) == (None if shorter else refused)


def test_whoever_took_back_a_renewal_does_not_bring_it_back_alone():
    d = District(a_directory("聚乐乡", "峰峪乡"))
    d.post(an_alert("orange"))
    d.post(an_alert("orange", version=2, time="02:20", expires=at("10:00")))
    assert isinstance(d.post(an_alert("orange", version=3, time="02:21", **ALONE)), list)

    answer = d.post(an_alert("orange", version=4, time="02:22", **ALONE | {"expires": at("10:00")}))

    assert code(answer) == ("A13", False)


def test_one_person_may_not_cancel_alone():
    d = District(a_directory("聚乐乡", "峰峪乡"))
    d.post(an_alert("orange"))

    assert code(d.post(an_alert("", version=2, time="02:14", **ALONE | {"action": "cancel"}))) == (
        "A13",
        False,
    )


@pytest.mark.parametrize("alone", [ALONE, {"signer": "forecaster", "mode": "emergency", "action": "issue"}])
def test_whoever_signs_alone_is_reviewed_by_somebody_else(alone):
    d = District(a_directory("聚乐乡", "峰峪乡", "meteorology"))
    version = 1
    if alone["action"] == "correct":
        d.post(an_alert("orange"))
        version = 2
    facts = d.post(an_alert("" if version == 2 else "red", version=version, time="02:14", **alone))

    assert ("meteorology", "2.3.a/review", "02:44") in opened(facts)
    assert code(d.report("signature_review", "meteorology", at("02:20"), by="forecaster")) == ("D04", False)
    d.report("signature_review", "meteorology", at("02:25"), by="meteorology-leader")
    assert d.share("2.3.a/review", "meteorology").how == "done"


def test_a_warning_of_two_persons_needs_no_review():
    d = District(a_directory("聚乐乡", "meteorology"))

    assert "2.3.a/review" not in {key for _, key, _ in opened(d.post(an_alert()))}


# ── corrected 更正 ────────────────────────────────────────────────────────────


def test_a_correction_goes_to_exactly_those_whom_the_wrong_version_told():
    d = District(a_directory("聚乐乡", "峰峪乡", "许堡乡"), only("2.3.a"))
    d.post(an_alert("orange", JULE, FENGYU))
    upgrade = {"zones": {JULE: "red", FENGYU: "orange"}, "kept": [FENGYU], "action": "upgrade"}
    misled = notified(d.post(an_alert(version=2, time="02:20", expires=at("08:13"), **upgrade)))

    righted = notified(d.post(an_alert("orange", JULE, FENGYU, version=3, time="02:21", **ALONE)))

    assert sorted(p for who in righted.values() for p in who) == sorted(
        p for who in misled.values() for p in who
    )
    assert set(righted) == {"2.3.a/corrected/3/orange-corrected"}


def test_a_correction_to_nothing_goes_to_all_who_ever_heard_of_it():
    d = District(a_directory("聚乐乡", "峰峪乡"), only("2.3.a"))
    d.post(an_alert("orange", JULE))
    d.post(
        an_alert(
            "orange", JULE, FENGYU, version=2, time="02:20", kept=[JULE], expires=at("08:13"), action="change"
        )
    )

    righted = notified(d.post(an_alert("", version=3, time="02:21", **ALONE)))

    assert {p for who in righted.values() for p in who} == set(d.directory.persons) - {
        *DESK,
        "聚乐乡-deputy",
        "峰峪乡-deputy",
    }


def test_lists_are_righted_where_they_were_misled():
    d = District(a_directory("聚乐乡", "峰峪乡"), only("2.3.a"))
    d.post(an_alert("red", JULE, FENGYU))

    facts = d.post(an_alert(zones={JULE: "red"}, version=2, time="02:14", **ALONE))

    listed = {f.key: (f.lists, f.zones) for f in facts if isinstance(f, Notified) and f.lists}
    lists = ("public", "schools", "sites")
    assert listed == {
        "2.3.a/corrected/2/red-corrected": (lists, (JULE,)),
        "2.3.a/retracted/2/red-retracted": (lists, (FENGYU,)),
    }


# ── joint 联合 ────────────────────────────────────────────────────────────────


def joint(**more):
    d = District(a_directory("聚乐乡", "natural_resources", "meteorology"))
    return d.post(an_alert("orange", JULE, hazard="geohazard", **more))


@pytest.mark.parametrize(
    "cosigners",
    [{}, {"natural_resources": "nobody"}, {"natural_resources": "meteorology-leader"}],
    ids=["none", "unknown", "of another unit"],
)
def test_a_joint_product_is_refused_without_a_signature_of_each_unit(cosigners):
    assert code(joint(cosigners=cosigners)) == ("A15", False)


def test_a_joint_product_signed_by_each_unit_is_issued():
    assert isinstance(joint(cosigners={"natural_resources": "natural_resources-leader"}), list)


def test_what_is_kept_must_be_as_it_was():
    d = District(a_directory("聚乐乡", "峰峪乡"))
    d.post(an_alert("orange", JULE, FENGYU))
    split = an_alert(
        zones={JULE: "red", FENGYU: "orange"}, version=2, time="02:20", kept=[FENGYU], action="upgrade"
    )

    assert code(d.post(split)) == ("A14", False)  # its expiry has moved


def test_persons_know_pairs_of_versions():
    """Each version's ``before`` is the ``now`` of the one it replaces."""
    d, parts = District(a_directory("聚乐乡")), []
    for version, level in enumerate(("orange", "red", "yellow"), 1):
        d.post(an_alert(level, JULE, version=version, time=f"02:{20 + version}"))
        parts.append(d.state().alert)

    assert all(b.before == a.now and b.was == a.at for a, b in pairwise(parts))
