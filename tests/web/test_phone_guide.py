"""What to do now, by reader: a village's person reads what is said to people, an officer what is said to offices too."""

from __future__ import annotations

import pytest

from fengsui.web import here, phone
from tests.web.site import JULE


def guide(busy, post) -> tuple[str, ...]:
    return phone.view(busy.holder(f"{JULE}/{post}"), busy.state(), here.world(), busy.now).guide


def test_an_officer_reads_the_guide_as_it_begins(busy):
    assert guide(busy, "duty_officer/1")[0].startswith("地方各级人民政府")


def test_a_villages_person_reads_what_concerns_a_village(busy):
    found = guide(busy, "responsible_person/1")

    assert found[0] == "停止集会，停课、停业（除特殊行业外）；"
    assert found[-1].startswith("居住在病险水库下游")
    whole = here.pack().hazards["rainstorm"].levels["red"].guide
    assert set(found) < set(whole)


@pytest.mark.parametrize("post", ["duty_officer/1", "responsible_person/1"])
def test_there_is_no_guide_once_it_is_over(busy, post):
    busy.issue(2, "")

    assert guide(busy, post) == ()
