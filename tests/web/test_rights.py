"""Who may open what: every address times every role, as the one table says — generated, so that no new page escapes it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from fengsui.web import rights
from fengsui.web.urls import urlpatterns
from tests.web.site import INCIDENT, Site

HOT = {"phone"}
"""Pages of the raw entry, which have no address among the others."""
WORDS = {
    "form": "xml", "stream": INCIDENT, "post": "聚乐乡/duty_officer/1", "name": "sms_1", "what": "none", "token": "aaaaaaaaaaaa",
    "hazard": "rainstorm", "level": "red", "number": 1, "draft": 1, "version": 1, "series": "exercise", "digest": "0" * 64,
}  # fmt: skip
"""What stands in an address, by the name of its place."""


def values(page: str, at: Site) -> dict[str, object]:
    pattern = next(p for p in urlpatterns if p.name == page).pattern
    own = WORDS | {
        "id": "2.4.1" if page == "clause" else at.holder("聚乐乡/duty_officer/1"),
        "row": next(iter(at.rows()), "none"),
    }
    missing = pattern.converters.keys() - own.keys()
    assert not missing, f"{page}: say in WORDS what stands for {missing}"
    return {name: own[name] for name in pattern.converters}


@pytest.fixture
def at(busy: Site) -> Site:
    state = busy.state()
    busy.rows = lambda: [f"{INCIDENT}|{k}|{h}" for k, d in state.duties.items() for h in d.shares]
    return busy


def test_every_address_has_a_row_and_every_row_an_address():
    pages = {p.name for p in urlpatterns}

    assert pages - rights.RIGHTS.keys() - rights.PUBLIC == set(), "pages that open for nobody"
    assert (rights.RIGHTS.keys() | rights.PUBLIC) - pages - HOT == set(), "rows without a page"
    assert all(roles <= rights.ROLES.keys() for roles in rights.RIGHTS.values())


def test_every_page_opens_for_exactly_the_roles_of_the_table(at: Site):
    found = []
    for page in sorted(p.name for p in urlpatterns if p.name not in rights.PUBLIC | {"logout"}):
        address = reverse(page, kwargs=values(page, at))
        for role in rights.ROLES:
            answer = at.client(role).get(address)
            refused = answer.status_code == 403 and "W030" in answer.content.decode()
            away = answer.status_code in (302, 303) and answer["Location"].startswith("/login")
            if refused is rights.may(role, page) or away or answer.status_code >= 500:
                found.append((page, role, answer.status_code))

    assert found == []


def test_who_is_not_logged_in_is_asked_to_and_comes_back(at: Site):
    for page in sorted(p.name for p in urlpatterns if p.name not in rights.PUBLIC):
        address = reverse(page, kwargs=values(page, at))
        answer = Client().get(address)
        assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/login"), page


def test_public_pages_ask_for_no_login(at: Site):
    for page in sorted(p.name for p in urlpatterns if p.name in rights.PUBLIC):
        answer = Client().get(reverse(page, kwargs=values(page, at)))
        assert answer.status_code not in (302, 403), page


def test_whoever_must_change_his_password_can_do_nothing_else(at: Site):
    account = at.account("clerk")
    client = at.client("clerk")
    account.must_change = True
    account.save()

    assert client.get("/people")["Location"] == "/own"
    assert client.get("/own").status_code == 200


def test_a_closed_account_is_out_at_once(at: Site):
    client = at.client("clerk")
    account = at.account("clerk")
    assert client.get("/people").status_code == 200

    account.active = False
    account.save()

    assert client.get("/people")["Location"].startswith("/login")
