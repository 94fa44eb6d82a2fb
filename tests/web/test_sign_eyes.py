"""The card a leader signs on his phone, and two desks that see each step of a draft live."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connections
from playwright.sync_api import Page

from fengsui.flow.clock import Jumping
from fengsui.store.accounts import Draft
from fengsui.web import guard
from tests.web.browser import chromium, entered, faults, overflowing, served, until
from tests.web.site import INCIDENT, Site
from tests.web.test_correct import alone
from tests.web.test_issue import FENGYU, JULE, PASSWORD, submitted, trust

PHONE = {"width": 360, "height": 740}
pytestmark = pytest.mark.foreign


def shot(page: Page, name: str, request: pytest.FixtureRequest) -> None:
    if folder := request.config.getoption("--shots"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page="phone" not in name)


def bottom(page: Page, selector: str) -> float:
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["y"] + box["height"]


@pytest.mark.parametrize("script", [True, False])
def test_a_leader_signs_a_red_warning_from_one_screen_of_his_phone(
    quiet: Site, request: pytest.FixtureRequest, *, script: bool
) -> None:
    draft = submitted(quiet, zone=[JULE, FENGYU])
    trust(quiet, "signer")
    quiet.client("signer")
    with served(quiet) as address, chromium() as browser:
        page = entered(browser, address, quiet, "signer", viewport=PHONE, java_script_enabled=script)
        page.goto(f"{address}/issue/{draft.pk}")
        shot(page, f"sign-phone-{script}", request)
        if script:
            assert overflowing(page) == []
            assert faults(page) == []
        assert bottom(page, 'button[value="sign"]') <= PHONE["height"]
        assert page.locator('button[value="sign"]').bounding_box()["height"] >= 48
        for said in ("峰峪乡、聚乐乡", "预警信号：受强对流云团影响", "短信 "):
            assert page.locator(".first, h1, aside").filter(has_text=said).count(), said
        page.fill('input[name="typed"]', "红色")
        page.fill('input[name="password"]', PASSWORD)
        page.click('button[value="sign"]')
        assert page.locator("#fate h2").inner_text() == "已签发，第 1 版"
        shot(page, f"signed-phone-{script}", request)
        page.context.close()


@pytest.mark.parametrize("name", ["sign", "correct", "review"])
def test_signing_correcting_and_reviewing_fit_a_phone_and_a_desk(
    quiet: Site, request: pytest.FixtureRequest, name: str
) -> None:
    path = f"/{name}/{INCIDENT}" if name == "review" else f"/issue/{INCIDENT}/{name}"
    if name == "sign":
        path = f"/issue/{submitted(quiet, zone=[JULE, FENGYU]).pk}"
    else:
        quiet.issue()
        quiet.calm()
    if name == "review":
        assert alone(quiet).status_code == 303
    quiet.client("signer")
    with served(quiet) as address, chromium() as browser:
        for width in (360, 1440):
            page = entered(browser, address, quiet, "signer", viewport={"width": width, "height": 900})
            page.goto(address + path)
            shot(page, f"{name}-{width}", request)
            assert overflowing(page) == [], width
            assert faults(page) == [], width
            page.context.close()


def test_a_second_desk_sees_each_step_without_being_touched(quiet: Site) -> None:
    author, signer = quiet.account("forecaster"), trust(quiet, "signer")
    del signer
    guard.set_password(author, PASSWORD)
    quiet.client("signer")
    with served(quiet) as address, chromium() as browser:
        desk = entered(browser, address, quiet, "signer")
        desk.goto(f"{address}/desk")
        text = "document.querySelector('#tasks').textContent"
        until(desk, f"!{text}.includes('待签发')")

        with ThreadPoolExecutor(1) as apart:  # the browser has its loop in this thread
            draft = apart.submit(_drafted, quiet).result()
        until(desk, f"{text}.includes('待签发')", 4)
        page = entered(browser, address, quiet, "signer")
        page.goto(f"{address}/issue/{draft.pk}")
        page.fill('input[name="password"]', PASSWORD)
        page.click('button[value="sign"]')
        until(desk, f"{text}.includes('即将发出')", 4)
        page.keyboard.press("u")
        until(desk, f"{text}.includes('待签发')", 4)
        page.fill('input[name="password"]', PASSWORD)
        page.click('button[value="sign"]')
        until(desk, f"{text}.includes('即将发出')", 4)
        assert isinstance(quiet.house.clock, Jumping)
        quiet.house.clock.jump(quiet.now + 10_000_000)
        until(page, "document.querySelector('#fate').textContent.includes('已签发，第 1 版')", 5)
        until(desk, "document.querySelector('#live').textContent.includes('暴雨黄色预警信号')", 5)
        desk.context.close()
        page.context.close()


def _drafted(at: Site) -> Draft:
    try:
        return submitted(at, pair="rainstorm/yellow")
    finally:
        connections.close_all()
