"""A drill of real people in a browser, from its announcement to its report, beside the live desk that shows nothing of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from fengsui.core.facts import DrillSet, Reached
from tests.conftest import Database
from tests.flow.ways import Way
from tests.web.browser import chromium, entered, seen, served, until
from tests.web.site import JULE, Site, site
from tests.web.test_issue import PASSWORD, trust

WIDE = {"viewport": {"width": 1440, "height": 900}}
UNITS = (JULE, "meteorology", "media")


@pytest.fixture
def earnest(place: Database) -> Iterator[Site]:
    """A house in earnest with a gateway for drills and one for the rest."""
    ways = [Way("drills", accepts=("exercise",)), Way("real", accepts=("actual",))]
    with site(place, ways=ways, series="actual") as at:
        yield at


def test_a_drill_in_a_browser_and_the_desk_in_earnest_beside_it(
    earnest: Site, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "fengsui.web.signing.code_required", lambda *_: False
    )  # no authenticator in a browser's test
    shots, client = request.config.getoption("--shots"), trust(earnest, "signer")
    earnest.client("forecaster")
    with served(earnest) as address, chromium() as chrome:
        page = entered(chrome, address, earnest, "forecaster", **WIDE)
        drill = begun(page, address, earnest, shots)
        draft = drafted(page, shots)
        signed(chrome, client, draft, shots)
        earnest.calm()
        (incident,) = [s for s in earnest.house.writer.world.streams.values() if s.alert.version]
        assert (incident.series, incident.drill.of) == ("exercise", drill.rsplit("/", 1)[1])

        answered(earnest, chrome, address)
        earnest.wait(3)
        page.goto(drill)
        until(page, "document.querySelector('aside b.num').innerText !== '0'")
        seen(page, shots, "drill-frame")
        live = entered(chrome, address, earnest, "forecaster", **WIDE)
        live.goto(f"{address}/desk")
        assert live.evaluate("document.documentElement.className") == "actual"
        assert live.inner_text(".calm") == "演练进行中：暴雨红色之夜"
        assert "红色" not in live.inner_text("main").replace("暴雨红色之夜", "")
        seen(live, shots, "live-frame")
        ended(page, shots)
        earnest.calm()
        late = chrome.new_page()
        answer = late.goto(f"{address}{min(links(earnest))}")
        assert answer.status < 500
        assert late.locator("button").count() == 0, "nothing is asked for any more"
        live.goto(f"{address}/desk")
        assert live.query_selector(".calm") is None
        live.goto(f"{address}/signals")
        assert "还没有签发过预警" in live.inner_text("main")

    assert [f.state for f in earnest.facts(DrillSet)] == ["announced", "started", "stopped"]
    assert {f.person for f in earnest.facts(Reached) if f.state == "acknowledged"}
    assert earnest.house.gateways[1].sent == []


def begun(page: Any, address: str, site: Site, shots: str) -> str:
    """Announced to three units, then begun; the drill's page."""
    page.goto(f"{address}/drills")
    page.click("text=发起真人演练")
    page.click("text=暴雨红色之夜")
    for box in page.query_selector_all('input[name="unit"]:checked'):
        box.evaluate("box => { box.checked = false }")
    for unit in UNITS:
        page.check(f'input[name="unit"][value="{unit}"]', force=True)
    with page.expect_navigation():
        page.click("text=看预告原文")
    seen(page, shots, "drill-announced")
    page.fill('input[name="typed"]', "演练")
    with page.expect_navigation():
        page.click('button[value="announce"]')
    site.calm()
    assert site.way.sent
    assert "已宣布，待开始" in page.inner_text("main")
    with page.expect_navigation():
        page.keyboard.press("b")
    return str(page.url)


def drafted(page: Any, shots: str) -> str:
    """What the scenario proposes, handed in as it stands; the draft's page."""
    with page.expect_navigation():
        page.keyboard.press("1")
    assert page.evaluate("document.documentElement.className") == "exercise"
    assert page.input_value('[name="cause"]')
    seen(page, shots, "drill-draft")
    with page.expect_navigation():
        page.click("#hand-in")
    return str(page.url)


def signed(chrome: Any, client: Any, draft: str, shots: str) -> None:
    """The other person types 演练 and signs."""
    context = chrome.new_context(locale="zh-CN", timezone_id="Asia/Shanghai", **WIDE)
    key, address = client.cookies["fengsui"].value, draft.split("/issue", maxsplit=1)[0]
    context.add_cookies([{"name": "fengsui", "value": key, "url": address}])
    page = context.new_page()
    page.goto(draft)
    assert "演练" in page.inner_text("button.big")
    seen(page, shots, "drill-sign")
    page.fill('input[name="typed"]', "演练")
    page.fill('input[name="password"]', PASSWORD)
    with page.expect_navigation():
        page.click('button[value="sign"]')


def links(site: Site) -> set[str]:
    """The addresses in what was sent, without the house."""
    texts = {"".join(text for _, _, text in handed.parts) for _, handed in site.way.sent}
    return {found[1] for text in texts if (found := re.search(r"warn\.invalid(/a/[^\s【]+)", text))}


def answered(site: Site, chrome: Any, address: str) -> None:
    """Two of three of those who got a link open it on their phones and press 收到, without a script."""
    screen = chrome.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False)
    page = screen.new_page()
    found = sorted(links(site))
    assert found
    for link in found[: len(found) * 2 // 3]:
        page.goto(f"{address}{link}")
        assert "演练：不是真实预警" in page.inner_text("body")
        page.locator("button").first.click()
        page.wait_for_load_state("networkidle")


def ended(page: Any, shots: str) -> None:
    """Ended, and its report read."""
    page.click("summary:has-text('结束演练')")
    with page.expect_navigation():
        page.click('button[value="stopped"]')
    page.click("text=演练报告")
    assert "随演练终止" in page.inner_text("main")
    seen(page, shots, "drill-report")
