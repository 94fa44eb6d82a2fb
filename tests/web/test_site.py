"""The tests' own district: what it shows is what its first lines say."""

from __future__ import annotations

from fengsui.core import board
from tests.web.site import FENGYU, INCIDENT, JULE


def test_the_busy_night_has_a_unit_that_did_everything_and_one_that_did_nothing(busy):
    state = busy.state()
    rows = board.rows(state).values()

    assert state.alert.holds
    assert state.received[JULE] == state.received[FENGYU] == 1
    assert {r.status for r in rows if r.unit == JULE and r.duty == "2.4.1/acknowledge"} == {"done"}
    assert any(r.desk and r.unit == FENGYU for r in rows if r.stream == INCIDENT)
    assert state.suspension[JULE].stops == ("classes", "work")


def test_every_role_has_a_browser(quiet):
    assert quiet.client("leader").get("/own").status_code == 200
    assert quiet.client("media").get("/own").status_code == 200
