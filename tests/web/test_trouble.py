"""Whatever is asked, the answer is a page in Chinese with a code and what to do; the log holds our faults and no key."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from fengsui.store import tokens
from fengsui.web import here, phone, rights
from fengsui.web.urls import urlpatterns
from tests.conftest import Database
from tests.web.site import INCIDENT, JULE, Site, site
from tests.web.test_issue import PASSWORD, trust

BROKEN = "multipart/form-data; boundary="


def said(answer: Any) -> str:
    page = str(answer.content.decode())
    assert "<h1>" in page
    assert "回到首页" in page
    return page


def test_an_address_that_only_a_button_calls_says_so_when_opened(quiet: Site) -> None:
    found = []
    for pattern in urlpatterns:
        names = pattern.pattern.converters
        address = reverse(pattern.name, kwargs=dict.fromkeys(names, 1))
        role = next(iter(sorted(rights.RIGHTS.get(pattern.name, {"clerk"}))))
        answer = quiet.client(role).get(address) if pattern.name != "logout" else Client().get("/none")
        if answer.status_code == 405:
            assert "[W035]" in said(answer), address
            assert answer.headers["Allow"] == "POST"
            found.append(pattern.name)

    assert {"person_number", "account_act", "gateway_act"} <= set(found)


def test_a_form_that_is_cut_off_is_told_so(quiet: Site) -> None:
    client = quiet.client("township")

    answer = client.generic("POST", f"/report/{INCIDENT}", b"x", content_type=BROKEN)

    assert (answer.status_code, "[W037]" in said(answer)) == (400, True)


def test_a_form_too_large_for_any_of_ours_is_told_so(quiet: Site) -> None:
    answer = quiet.client("township").post(f"/report/{INCIDENT}", {"text": "x" * 3_000_000})

    assert (answer.status_code, "[W037]" in said(answer)) == (400, True)


@pytest.fixture
def everywhere(database: Database) -> Iterator[Site]:
    with site(database) as made:
        yield made


def test_a_character_that_no_database_stores_is_refused_at_the_door(everywhere: Site) -> None:
    client = everywhere.client("administrator")

    paths = [
        client.get("/people/p%00"),
        client.get("/people?q=%00"),
        client.get("/ledger/a%00b"),
        client.get("/%00"),
    ]
    forms = [
        client.post("/accounts/new", {"username": "ab", "name": "\0", "role": "clerk"}),
        Client().post("/login", {"username": "\0", "password": "x"}),
    ]

    assert [a.status_code for a in paths] == [400, 400, 400, 404]
    assert [a.status_code for a in forms] == [400, 400]
    assert all("[W037]" in said(a) for a in paths[:3] + forms)


def test_the_token_of_a_link_stands_in_no_log(
    busy: Site, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = busy.house.vault.token(f"{busy.holder(f'{JULE}/duty_officer/1')}\n{INCIDENT}", tokens.LENGTH)
    client = Client(raise_request_exception=False)
    with caplog.at_level(logging.DEBUG):
        refused = client.post(f"/a/{token}/relay", {})
        monkeypatch.setattr(phone, "view", lambda *_, **__: 1 / 0)
        broken = client.get(f"/a/{token}/relay")

    assert (refused.status_code, broken.status_code) == (422, 500)
    assert "[W032]" in said(broken)
    assert "/a/…/relay" in caplog.text
    assert token not in caplog.text


def test_what_goes_wrong_inside_is_not_shown(quiet: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    client = trust(quiet, "clerk")
    client.raise_request_exception = False
    monkeypatch.setattr(here, "world", lambda: 1 / 0)

    answer = client.get("/people")

    assert (answer.status_code, "[W032]" in answer.content.decode()) == (500, True)
    assert "ZeroDivisionError" not in answer.content.decode()
    assert PASSWORD not in answer.content.decode()
