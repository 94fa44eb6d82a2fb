"""What many desks ask for is made once: the same for whoever reads the same, and never one account's for another."""

from __future__ import annotations

import re

import pytest

from fengsui.core.clauses import LEVELS
from fengsui.store.accounts import Account, Draft
from fengsui.web import rights, shared
from fengsui.web.pages import desk
from tests.flow.district import MINUTE
from tests.web.site import INCIDENT

LIVE = re.compile(r'<div id="live"[^>]*>(.*)</div>\n<script', re.DOTALL)


@pytest.fixture(autouse=True)
def _fresh():
    shared._Kept.moment = None


def fragment(at, role="forecaster", of="") -> str:
    answer = at.client(role).get(f"/desk/live{of and f'?of={of}'}")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("role", rights.ROLES)
def test_the_part_that_changes_is_what_the_page_shows(busy, role):
    busy.issue(1, "yellow", stream="incident-2", hazard="lightning", zones={"140215100": "yellow"})
    for other in rights.ROLES:  # whatever was made for others before
        fragment(busy, other)

    for of in ("", "incident-2", "unknown"):
        page = busy.client(role).get(f"/desk?of={of}").content.decode()
        assert fragment(busy, role, of) == LIVE.search(page).group(1)


def test_it_is_made_once_and_anew_after_a_commit_or_a_second(busy, monkeypatch):
    made = []
    monkeypatch.setattr(desk.outlook, "warned", lambda *given: made.append(given) or [])
    for role in ("forecaster", "township", "leader", "forecaster"):
        fragment(busy, role)
    assert len(made) == 1

    busy.answer(busy.holder("峰峪乡/responsible_person/2"))
    fragment(busy)
    assert len(made) == 2

    busy.wait(1 / 60)
    fragment(busy)
    assert len(made) == 3


def test_a_moment_is_as_young_as_a_second_by_whichever_clock(busy, monkeypatch):
    first = shared.moment()
    assert shared.moment() is first
    busy.house.clock.jump(busy.now + MINUTE)
    second = shared.moment()
    assert second is not first
    monkeypatch.setattr(second, "_began", second._began - shared.KEPT)
    assert shared.moment() is not second


def test_a_draft_given_back_stands_at_once_on_its_authors_desk_and_on_no_other(busy):
    other = Account.objects.create(username="other", role="forecaster", stamp="s")
    mine = busy.account("forecaster")
    assert "退回待改" not in fragment(busy)

    Draft.objects.create(
        kind="alert", account=mine.pk, at=busy.now, state="returned",
        body=f'{{"hazard":"lightning","zones":{{"140215209":"{LEVELS[0]}"}},"author":"x"}}',
    )  # fmt: skip

    assert "退回待改" in fragment(busy)
    assert "退回待改" not in desk.fragment(other, "")
    assert busy.state(INCIDENT).alert.holds
