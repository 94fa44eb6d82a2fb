"""What a drill came to, from its facts alone: who answered when, what was missed and how, and never who he is."""

from __future__ import annotations

import msgspec

from fengsui.core import drill_report
from fengsui.core.facts import Reached, Reported
from tests.core.worlds import DRILL, JULE, District, a_directory, a_drill, an_alert, at, only

OFFICER, LEADER = "聚乐乡-duty_officer", "聚乐乡-leader"


def night() -> District:
    """One township: its officer answers after two minutes, it passes on late; its leader never answers; ended at 03:00."""
    d = District(a_directory("聚乐乡", "峰峪乡"), only("2.3.a", "2.4.1")).drilled("聚乐乡")
    d.post(an_alert("red", JULE, series="exercise", drill=DRILL))
    d.wait(at("02:15"))
    d.post(Reached("incident-1", at("02:15"), OFFICER, "2.3.a/alert/1/red-new", "sms", "delivered", 1))
    d.post(Reached("incident-1", at("02:15"), OFFICER, "", "sms", "acknowledged", 1))
    d.wait(at("02:50"))
    d.post(Reported("incident-1", at("02:50"), "relay", "聚乐乡", version=1))
    d.wait(at("03:00"))
    d.post(a_drill("stopped", time="03:00"))
    return d


def test_who_answered_when_and_what_was_missed_and_how():
    made = drill_report.report(drill_report.within(night().facts, DRILL))

    assert [(a.post, a.minutes) for a in made.answers] == [
        ("聚乐乡/duty_officer/1", 2),
        ("聚乐乡/leader/1", None),
    ]
    assert made.shares == {1: 0.0, 3: 0.5, 5: 0.5, 10: 0.5, 15: 0.5}
    missed = {(m.holder, m.key.split("/")[1]): (m.how, m.minutes) for m in made.misses}
    assert missed["聚乐乡", "relay"] == ("late", 20)
    assert missed["聚乐乡/leader/1", "acknowledge"][0] in ("never", "supervised")
    assert made.reached == (at("02:15"), at("02:15"))
    assert (made.scenario, made.issued, made.ended, made.versions) == (
        "rainstorm",
        at("02:13"),
        at("03:00"),
        1,
    )


def test_a_late_duty_is_late_a_supervised_one_supervised_and_one_in_time_no_miss():
    made = drill_report.report(drill_report.within(night().facts, DRILL))
    clause = made.clauses["2.4.1"]

    assert clause.late + clause.supervised > 0
    late = [m for m in made.misses if m.clause == "2.4.1" and m.how == "late"]
    assert len(late) == clause.late
    assert not [m for m in made.misses if m.deadline > made.ended]


def test_a_report_names_posts_and_units_and_no_person():
    d = night()
    text = msgspec.json.encode(drill_report.report(drill_report.within(d.facts, DRILL))).decode()

    assert not [p for p in d.directory.persons if f'"{p}"' in text]


def test_what_happened_beside_a_drill_is_not_in_its_report():
    alone, beside = night(), night()
    beside.post(an_alert("red", stream="real", series="actual", time="02:14", version=1))
    beside.wait(at("04:00"))

    one, two = (drill_report.report(drill_report.within(d.facts, DRILL)) for d in (alone, beside))
    assert one == two


def test_a_drill_in_which_nothing_was_issued_has_an_empty_report():
    d = District(a_directory("聚乐乡")).drilled("聚乐乡")
    made = drill_report.report(drill_report.within(d.facts, DRILL))

    assert (made.issued, made.shares, made.answers, made.misses, made.reached) == (0, {}, (), (), None)
    assert made.told > 0
