"""Rows derive from state alone, and the difference is what rows say before and after."""

import random

import pytest

from fengsui.core import board
from fengsui.core.facts import DutyEnded
from fengsui.core.state import State
from tests.core.histories import play
from tests.core.worlds import INCIDENT, JULE, District, a_directory, an_alert, at, only


@pytest.mark.parametrize("seed", range(12))
def test_the_difference_is_exactly_what_rows_say_before_and_after(seed):
    d = District(a_directory("聚乐乡", "峰峪乡", "media", "meteorology", "headquarters_office"))
    dice, shown = random.Random(seed), {}
    before = State.blank(INCIDENT)
    for _ in play(d, dice, 30):
        after = d.state()
        changed, gone = board.difference(before, after)
        old, new = board.rows(before), board.rows(after)
        assert {r.id: r for r in changed} == {i: r for i, r in new.items() if old.get(i) != r}
        assert set(gone) == set(old) - set(new)
        shown = {i: r for i, r in shown.items() if i not in gone} | {r.id: r for r in changed}
        before = after

    assert shown == board.rows(d.state())


def district():
    d = District(a_directory("聚乐乡"), only("2.4.1", "2.4.2"))
    d.post(an_alert("red", JULE))
    return d


def row(d, key="2.4.1/relay", holder="聚乐乡"):
    return board.rows(d.state())[f"{INCIDENT}|{key}|{holder}"]


def test_a_row_says_who_owes_what_by_when_and_when_the_clock_must_look():
    r = row(district(), "2.4.1/acknowledge", "聚乐乡/leader/1")

    assert (r.unit, r.holder, r.clause, r.status, r.desk, r.version, r.haste) == (
        "聚乐乡", "聚乐乡/leader/1", "2.4.1", "open", False, 1, "urgent")  # fmt: skip
    assert (r.opened, r.deadline, r.run_at) == (at("02:13"), at("02:23"), at("02:16"))


def test_a_status_is_one_word():
    d = district()
    words = [row(d).status]
    for moment in ("02:48", "02:53"):
        d.wait(at(moment))
        words.append(row(d).status)
    d.report("relay", "聚乐乡", at("02:54"))
    d.report("extreme_weather_response", "聚乐乡", at("02:14"))
    d.post(an_alert("", version=2, time="02:55"))
    words += [row(d).status, row(d, "2.4.2/respond").status, row(d, "2.4.2/decide").status]

    assert words == ["open", "desk", "supervised", "late", "done", "cancelled"]


def test_done_in_time_is_done_and_afterwards_late():
    d = district()
    share = d.share("2.4.1/relay", "聚乐乡")
    for moment, word in ((share.deadline, "done"), (share.deadline + 1, "late")):
        e = District(d.directory, d.pack)
        e.post(an_alert("red", JULE))
        e.post(DutyEnded(INCIDENT, moment, "2.4.1/relay", ("聚乐乡",), "done", "relay"))
        assert row(e).status == word
