"""A forecaster alone at night, in a browser: clicks and seconds are counted, and the keyboard alone is enough.

``--shots DIR`` keeps a picture of every step; the guide shows them.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from fengsui.flow.clock import Jumping
from fengsui.store.accounts import Draft
from fengsui.web import written
from tests.web.browser import chromium, entered, faults, overflowing, served, until
from tests.web.site import INCIDENT, Site
from tests.web.test_issue import FENGYU, JULE, XUBAO

pytestmark = pytest.mark.foreign
HOUR = 3600 * 1_000_000
Shot = Callable[[Page, str], None]
SUBMITTED = re.compile(r"/issue/\d+$")


@pytest.fixture
def shot(request: pytest.FixtureRequest) -> Shot:
    """Looks at a page at both widths and keeps the pictures where that is asked for."""
    kept = request.config.getoption("--shots")

    def look(page: Page, name: str) -> None:
        for width, kind in ((360, "phone"), (1440, "wide")):
            page.set_viewport_size({"width": width, "height": 900})
            assert overflowing(page) == [], (name, width)
            if kept:
                Path(kept).mkdir(parents=True, exist_ok=True)
                page.screenshot(
                    path=Path(kept) / f"{name}-{kind}.png", full_page=kind == "phone", caret="initial"
                )
        assert faults(page) == [], name

    return look


@pytest.fixture
def desk(quiet: Site) -> Iterator[Page]:
    """The desk of a forecaster; an orange warning for three townships is in force, quiet otherwise."""
    zones = dict.fromkeys((JULE, FENGYU, XUBAO), "orange")
    quiet.issue(1, "orange", zones=zones, expires=quiet.now + 6 * HOUR)
    quiet.calm()
    quiet.client("forecaster")
    with served(quiet) as address, chromium() as browser:
        page = entered(browser, address, quiet, "forecaster", viewport={"width": 1440, "height": 900})
        wrong: list[str] = []
        page.on("pageerror", lambda e: wrong.append(str(e)))
        # htmx says so itself where a page is left while it asks; what the server refuses is said by the browser
        page.on(
            "console", lambda m: wrong.append(m.text) if m.type == "error" and "htmx:" not in m.text else None
        )
        page.goto(address + "/desk", wait_until="load")
        yield page
        assert wrong == []


def drafted() -> written.Written:
    """The one draft that has been handed in. Django may not be asked in the thread of a running browser."""
    found: list[Draft] = []
    thread = threading.Thread(target=lambda: found.extend(Draft.objects.filter(state="submitted")))
    thread.start()
    thread.join()
    (row,) = found
    return written.load(row)


def test_a_red_warning_takes_three_clicks_and_no_minute(desk: Page, shot: Shot) -> None:
    begun, clicks = time.monotonic(), 0
    for target in ("a[data-key=n]", 'input[value="gale/red"]', "#hand-in"):
        if target == "#hand-in":
            until(desk, "() => /签发后将发生/.test(document.getElementById('preview').textContent)")
            shot(desk, "issue-filled")
        desk.click(target, force=True)
        clicks += 1
    desk.wait_for_url(SUBMITTED)
    took = time.monotonic() - begun

    assert (clicks <= 3, took < 60) == (True, True), (clicks, took)
    draft = drafted()
    assert (draft.hazard, set(draft.zones.values()), draft.action) == ("gale", {"red"}, "issue")
    shot(desk, "issue-handed-in")


def test_a_red_warning_by_the_keyboard_alone(desk: Page) -> None:
    begun, keys = time.monotonic(), 0

    def press(key: str) -> None:
        nonlocal keys
        desk.keyboard.press(key)
        keys += 1

    press("n")
    desk.wait_for_url("**/issue")
    until(desk, "() => document.activeElement && document.activeElement.name === 'pair'")
    while not desk.evaluate("() => document.activeElement.value.startsWith('gale/')"):
        press("ArrowDown")
    press("1")
    until(desk, "() => /签发后将发生/.test(document.getElementById('preview').textContent)")
    press("Control+Enter")
    desk.wait_for_url(SUBMITTED)

    assert time.monotonic() - begun < 60
    assert keys < 30
    draft = drafted()
    assert (draft.hazard, draft.level) == ("gale", "red")


def test_two_of_three_townships_go_down_by_the_keyboard(desk: Page, shot: Shot) -> None:
    desk.keyboard.press("m")
    desk.wait_for_url(f"**/{INCIDENT}/change")
    until(desk, "() => document.activeElement && document.activeElement.name.startsWith('at-')")
    for area in (JULE, FENGYU):
        while not desk.evaluate(f"() => document.activeElement.name === 'at-{area}'"):
            before = desk.evaluate("() => document.activeElement.name")
            desk.keyboard.press("ArrowDown")
            if desk.evaluate("() => document.activeElement.name") == before:
                for _ in range(12):
                    desk.keyboard.press("ArrowUp")
        desk.keyboard.press("3")
    until(desk, "() => document.querySelector('[name=forecast-yellow]')")
    until(desk, "() => /不变，不再通知/.test(document.getElementById('preview').textContent)")
    shot(desk, "split-filled")
    desk.keyboard.press("Control+Enter")
    desk.wait_for_url(SUBMITTED)

    draft = drafted()
    assert draft.zones == {JULE: "yellow", FENGYU: "yellow", XUBAO: "orange"}
    assert set(draft.others) == {"yellow"}


@pytest.mark.parametrize(
    ("key", "verb", "level"), [("u", "upgrade", "red"), ("j", "downgrade", "yellow"), ("r", "renew", "orange"), ("q", "cancel", "")]
)  # fmt: skip
def test_other_verbs_are_two_presses(desk: Page, shot: Shot, key: str, verb: str, level: str) -> None:
    if verb == "upgrade":
        shot(desk, "desk-verbs")
    desk.keyboard.press(key)
    desk.wait_for_url(f"**/{INCIDENT}/{verb}")
    shot(desk, f"{verb}-filled")
    desk.keyboard.press("Control+Enter")
    desk.wait_for_url(SUBMITTED)

    draft = drafted()
    assert (draft.cancel, set(draft.zones.values())) == (verb == "cancel", {level} - {""})


def test_near_its_end_the_card_demands_and_past_it_says_so(desk: Page, quiet: Site, shot: Shot) -> None:
    for minutes, name, words in ((331, "desk-ending", "即将失效"), (30, "desk-over", "已过有效期，尚未处理")):
        assert isinstance(quiet.house.clock, Jumping)
        quiet.house.clock.jump(quiet.now + minutes * 60_000_000)
        desk.reload(wait_until="load")
        assert words in desk.inner_text(".inforce.pressing")
        assert desk.evaluate("() => document.title").startswith("（")
        shot(desk, name)


def test_the_draft_of_another_desk_and_a_pasted_text(desk: Page, quiet: Site, shot: Shot) -> None:
    desk.goto(desk.url.replace("/desk", "/issue/paste"))
    desk.fill(
        "textarea[name=text]", "云州区气象台2027年7月21日2时10分发布暴雨橙色预警信号，预警区域：聚乐乡。"
    )
    desk.click("main form button.primary")
    shot(desk, "issue-paste")


def test_a_phrase_and_a_township_are_one_click_each(desk: Page) -> None:
    desk.click("a[data-key=n]")
    desk.click('input[value="gale/red"]', force=True)
    until(desk, "() => document.querySelector('[data-put]:not([hidden])')")
    desk.click("[data-put]")
    desk.click(f'input[name=zone][value="{JULE}"]', force=True)
    until(desk, "() => /预警区域：聚乐乡/.test(document.getElementById('preview').textContent)")

    assert desk.evaluate("() => document.getElementById('cause').value").startswith("受")
    assert not desk.is_checked('input[name=zone][value="140215"]')
    assert "受" in desk.inner_text("#preview .bubble >> nth=0")


def test_what_is_drawn_on_the_map_is_ticked(desk: Page, shot: Shot) -> None:
    desk.click("a[data-key=n]")
    desk.wait_for_url("**/issue")
    desk.click('input[value="gale/red"]', force=True)
    desk.click("#drawing summary")
    until(
        desk,
        "() => document.getElementById('drawing').dataset.ready && document.querySelectorAll('.town-name').length > 7",
    )
    box = desk.evaluate("() => document.getElementById('map').getBoundingClientRect().toJSON()")
    desk.evaluate("() => document.getElementById('map').scrollIntoView()")
    box = desk.locator("#map").bounding_box()
    assert box
    for x, y in ((0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98)):
        desk.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
        desk.wait_for_timeout(350)
    until(desk, "() => /圈内：/.test(document.getElementById('map-said').textContent)")
    assert len(desk.locator("input[name=zone]:checked").all()) >= 8
    assert not desk.is_checked('input[name=zone][value="140215"]')
    shot(desk, "issue-map")
    desk.click("#map-clear")
