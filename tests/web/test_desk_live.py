"""The desk in a browser: it changes without a reload, a number key opens the call, sound is unlocked and silenced."""

from __future__ import annotations

import time

import pytest

from tests.web.browser import chromium, entered, served
from tests.web.site import FENGYU, JULE

pytestmark = pytest.mark.foreign
HANDS = 15.0


def _until(page, holds):
    """Until an expression holds; asked over and over, for the policy lets nothing be evaluated inside the page."""
    end = time.monotonic() + HANDS
    while not page.evaluate(holds):
        assert time.monotonic() < end, holds
        page.wait_for_timeout(50)


def test_the_desk_lives_sounds_and_is_worked_by_keys(busy):
    busy.client("forecaster")
    with served(busy) as address, chromium() as browser:
        page = entered(browser, address, busy, "forecaster", viewport={"width": 1440, "height": 900})
        page.goto(f"{address}/desk")
        page.evaluate("window.kept = 1")
        _until(page, "document.title.indexOf('（') === 0")  # something sounds: the title says how much

        page.keyboard.press("s")  # 开始值班: the key is the gesture that a browser asks for
        _until(page, "document.getElementById('duty-state').textContent === '声音已开'")
        assert not page.is_visible("#duty")
        page.keyboard.press("0")  # 知道了
        assert not page.is_visible("#hush")
        assert page.title() == "值班台 · 烽燧"

        busy.answer(busy.holder(f"{FENGYU}/responsible_person/2"))
        _until(page, "document.querySelector('.townlist').textContent.indexOf('1/43') > 0")
        assert page.evaluate("window.kept") == 1
        assert not page.is_visible("#hush")  # fewer of the same do not sound again

        page.keyboard.press("1")
        page.wait_for_url("**/call/**")


def test_what_was_unfolded_stays_so_and_keys_choose_a_warning(busy):
    busy.issue(2, "")
    for stream, hazard in (("incident-2", "gale"), ("incident-3", "lightning")):
        busy.issue(1, "yellow", stream=stream, hazard=hazard, zones={"140215209": "yellow"})
    busy.calm()
    busy.client("forecaster")
    with served(busy) as address, chromium() as browser:
        page = entered(browser, address, busy, "forecaster", viewport={"width": 1440, "height": 900})
        page.goto(f"{address}/desk")
        page.keyboard.press("y")  # 已解除过程的遗留
        _until(page, "document.getElementById('leftover').open")
        card = page.query_selector(".task .others")
        page.evaluate("document.querySelector('.task .others summary').click()")
        unit = card.get_attribute("id")

        before = page.inner_text("#live .log li:first-child")
        busy.answer(busy.holder(f"{JULE}/duty_officer/1"), stream="incident-2")
        _until(page, f"document.querySelector('#live .log li').innerText !== {before!r}")
        assert page.evaluate("document.getElementById('leftover').open")
        assert page.evaluate(f"document.getElementById({unit!r}).open")

        page.keyboard.press("b")
        page.wait_for_url("**/desk?of=incident-2")
        assert "大风黄色" in page.inner_text(".which [aria-current]")
