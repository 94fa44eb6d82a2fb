"""One page on a small phone, with everything that the browser fetches for it, is at most 30 kB."""

from __future__ import annotations

import pytest

from fengsui.store import pins, tokens
from tests.web.browser import chromium, overflowing, served
from tests.web.site import FENGYU, INCIDENT

MOST = 30_000
"""Bytes of bodies, unpacked."""


@pytest.mark.foreign
@pytest.mark.parametrize("post", ["duty_officer/1", "leader/1", "responsible_person/1"])
def test_a_page_behind_a_link_is_small_with_all_that_belongs_to_it(busy, post):
    person = busy.holder(f"{FENGYU}/{post}")
    pins.put(person, "4071")
    token = busy.house.vault.token(f"{person}\n{INCIDENT}", tokens.LENGTH)
    link = f"/a/{token}"
    with served(busy) as address, chromium() as browser:
        screen = browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False)
        page, fetched = screen.new_page(), []
        page.on("response", lambda answer: fetched.append(answer))  # noqa: PLW0108 - it wants a function
        for way in (link, f"{link}/again"):
            page.goto(f"{address}{way}", wait_until="networkidle")
            assert page.locator("button").count()
            sizes = {answer.url: len(answer.body()) for answer in fetched}
            assert 2_000 < sum(sizes.values()) <= MOST, sizes
            fetched.clear()
        page.locator("button").first.click()  # 收到: the page that says so
        page.wait_for_load_state("networkidle")
        assert sum(len(answer.body()) for answer in fetched) <= MOST
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert overflowing(page) == []
