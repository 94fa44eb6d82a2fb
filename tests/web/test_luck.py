"""Bad luck before people's eyes: the way back, a server that dies under an open desk, an account closed at its work."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Page

from fengsui.core.facts import Alerted, ResponseSet
from fengsui.store.accounts import Account
from fengsui.web import guard
from tests.conftest import Database
from tests.flow.district import issue, writing
from tests.web.browser import chromium, entered, served, until
from tests.web.process import free_port, serving
from tests.web.site import FENGYU, INCIDENT, Site, night, site
from tests.web.test_issue import PASSWORD, submitted, trust

pytestmark = pytest.mark.foreign
DESK = {"viewport": {"width": 1440, "height": 900}}
SILENCE = 30
"""Seconds of silence after which a page says how old it is."""


def test_who_goes_back_after_signing_sees_that_it_is_signed(quiet: Site) -> None:
    draft = submitted(quiet)
    trust(quiet, "signer")
    quiet.client("signer")
    with served(quiet) as address, chromium() as browser:
        page = entered(browser, address, quiet, "signer", **DESK)
        page.goto(f"{address}/desk")
        page.goto(f"{address}/issue/{draft.pk}")
        page.fill("form:has(button[value=sign]) input[name=typed]", "红色")
        page.fill("form:has(button[value=sign]) input[name=password]", PASSWORD)
        page.click("button[value=sign]")
        page.wait_for_url(f"**/issue/{draft.pk}")
        page.goto(f"{address}/desk")
        page.go_back()

        assert page.locator("button[value=sign]").count() == 0
        page.reload()  # what the browser would send again it does not send: the answer was another address
        assert "签发" in page.inner_text("main")
    assert len(quiet.facts(Alerted)) == 1


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_an_open_desk_says_how_old_it_is_and_comes_back_with_the_server(place: Database) -> None:
    with site(place) as made:
        night(made)
        guard.set_password(made.account("forecaster"), PASSWORD)
    port = free_port()
    with chromium() as browser:
        page = browser.new_context(**DESK).new_page()
        with serving(place, port, killed=True):
            page.goto(f"http://127.0.0.1:{port}/login?next=/desk")
            page.fill("input[name=username]", "forecaster")
            page.fill("input[name=password]", PASSWORD)
            page.click("main button.primary")
            page.wait_for_url("**/desk")
            page.evaluate("window.kept = 1")
            assert "第 1 版" in page.inner_text("#live")
            page.wait_for_timeout(1500)  # the stream is open
        died = time.monotonic()
        until(page, "!document.getElementById('stale').hidden", SILENCE + 20)
        assert time.monotonic() - died > SILENCE - 16, "a beat may have come just before"
        assert "数据截至" in page.inner_text("#stale")
        with writing(place) as writer:
            assert issue(writer, 2, "orange").ok
        with serving(place, port, killed=True):
            back = time.monotonic()
            until(page, "document.getElementById('stale').hidden", 70)
            until(page, "document.getElementById('live').textContent.indexOf('第 2 版') > 0", 15)
            assert page.evaluate("window.kept") == 1, "without a reload"
            assert time.monotonic() - back < 40


def test_who_is_shut_out_at_his_work_is_out_at_once(busy: Site) -> None:
    account: Any = busy.account("leader")
    busy.client("leader")
    with served(busy) as address, chromium() as browser:
        page = _at(busy, browser, address, "leader")
        _elsewhere(lambda: Account.objects.filter(pk=account.pk).update(active=False))
        busy.answer(busy.holder(f"{FENGYU}/responsible_person/2"))  # a commit: every open desk fetches

        page.wait_for_url("**/login?next=*desk*", timeout=15_000)
    busy.client("leader").post(f"/consult/{INCIDENT}", {"do": "respond", "grade": "I", "form": "x1"})
    assert busy.facts(ResponseSet) == []


def _elsewhere(do: Callable[[], object]) -> None:
    """In another thread: where a browser is driven, Django may not be asked."""
    with ThreadPoolExecutor(1) as other:
        other.submit(do).result(10)


def _at(at: Site, browser: Any, address: str, role: str) -> Page:
    page = entered(browser, address, at, role, **DESK)
    page.goto(f"{address}/desk")
    page.wait_for_timeout(1500)
    return page
