"""Every page can be reached: by a link, a button or a form that some role is shown. A page that nobody finds is no page."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from fengsui.web import rights
from fengsui.web.urls import urlpatterns
from tests.flow.office import cap
from tests.web import described
from tests.web.site import Site, night
from tests.web.test_issue import form, trust
from tests.web.test_letters import heard, settled

FIRST = ("/", "/own")
UNLINKED = rights.PUBLIC
"""Pages of a message's link, of the login, and pictures."""
ELSEWHERE = {
    "issue_places": "the map asks it: test_places",
    "issue_take": "beside a draft that somebody else is writing: test_drafting",
    "issue_upgrade": "red can not be raised: test_verbs",
    **dict.fromkeys(
        ("simulation", "simulation_live", "simulation_report", "simulation_stop"),
        "of a drill that was begun: test_drills",
    ),
    **dict.fromkeys(
        ("drill", "drill_turn", "drill_report", "drill_paper"), "of a drill of real people: test_drill"
    ),
    "review": "after somebody signed alone: test_review",
}
"""Pages that the night of this test offers nobody, with what offers them and the test that goes there."""


class Browser:
    """A role's browser as ``described`` wants one."""

    def __init__(self, site: Site, role: str) -> None:
        self._client = site.client(role)

    def get(self, path: str) -> str:
        answer: Any = self._client.get(quote(path, safe="/?&=%|+"), follow=True)
        html = answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html")
        return str(answer.content.decode()) if html else ""


def test_every_page_can_be_reached_by_what_pages_show(quiet: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(described, "EACH", 1)
    site = night(quiet)
    words = "听不懂的话"
    heard(site, site.holder("峰峪乡/duty_officer/1"), words)
    settled(site, words)
    assert trust(site, "forecaster").post("/issue", form(site, zone=["140215211"])).status_code == 303

    site.house.reception.keep(cap(code=("", "140215202")), "province")
    site.house.reception.look()

    found = {
        name
        for role in rights.ROLES
        for name in described.visited(Browser(site, role), FIRST)  # type: ignore[arg-type]
        if rights.may(role, name)
    }

    assert {str(p.name) for p in urlpatterns} - found - UNLINKED - ELSEWHERE.keys() - {"home"} == set()
