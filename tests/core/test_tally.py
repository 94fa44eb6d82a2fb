"""Counted again by anybody from facts alone: every duty once, and the sums agree."""

import random

import pytest

from fengsui.core import board, tally
from fengsui.core.tally import Counts
from tests.core.histories import play
from tests.core.worlds import INCIDENT, JULE, District, a_directory, an_alert, at, only


def district():
    d = District(a_directory("聚乐乡"), only("2.4.2", "4.2.b"))
    units = [u.id for u in d.pack.units.values() if "members" in u.groups]
    d.post(an_alert("red", JULE))
    for unit in units:
        d.report("extreme_weather_response", unit, at("02:20"))
    return d, len(units)


def test_in_time_late_supervised_and_waiting_are_told_apart():
    d, others = district()
    assert tally.count(d.facts)["2.4.2"] == Counts(triggered=2 * others + 2, done=others, waiting=others + 2)

    d.wait(at("03:10"))
    d.report("extreme_weather_response", "聚乐乡", at("03:11"))
    counts = tally.count(d.facts)
    assert counts["2.4.2"] == Counts(triggered=2 * others + 2, done=others, late=1, supervised=others + 1)
    assert counts["4.2.b"].triggered == counts["4.2.b"].waiting == others + 2


def test_what_went_with_the_warning_before_its_term_is_counted_apart():
    d, others = district()
    d.post(an_alert("", version=2, time="02:30"))

    assert tally.count(d.facts)["2.4.2"] == Counts(
        triggered=others + 1, done=others, waiting=1, dropped=others + 1
    )


def test_a_duty_that_a_newer_version_replaced_while_open_is_one_and_one_that_was_done_counts():
    d = District(a_directory("聚乐乡"), only("2.4.1"))
    d.post(an_alert("yellow", JULE))
    before = tally.count(d.facts)["2.4.1"].triggered
    d.report("relay", "聚乐乡", at("02:20"))
    d.post(an_alert("orange", JULE, version=2, time="02:30"))

    counts = tally.count(d.facts)["2.4.1"]
    assert counts.done == 1
    assert counts.triggered == before + 1 + 1  # the relay asked again, and the leader's post that orange adds


def test_a_reception_counts_for_the_term():
    d = District(a_directory("聚乐乡"), only("2.3.a", "2.4.2"))
    d.post(an_alert("red", JULE))
    d.reach("聚乐乡-duty_officer", "delivered", at("02:14"))
    d.report(
        "extreme_weather_response", "聚乐乡", at("02:50")
    )  # by issue + 10 min it would have been in time

    assert tally.count(d.facts)["2.4.2"].late == 1


@pytest.mark.parametrize("seed", range(8))
def test_the_sums_agree_with_each_other_and_with_the_board(seed):
    d = District(a_directory("聚乐乡", "峰峪乡", "media", "meteorology", "headquarters_office"))
    for _ in play(d, random.Random(seed), 40):
        pass
    counts = tally.count(d.facts)

    for c in counts.values():
        assert c.triggered == c.done + c.late + c.supervised + c.waiting
    rows = [r for s in d.streams.values() for r in board.rows(s).values()]
    assert sum(c.triggered + c.dropped for c in counts.values()) >= len(rows)
    assert set(counts) == {r.clause for r in rows}


def test_other_streams_and_other_facts_do_not_matter():
    d, _ = district()
    kept = [f for f in d.facts if f.stream == INCIDENT]

    assert tally.count(kept + d.of("notified")) == tally.count(kept)
