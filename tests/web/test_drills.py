"""Simulated drills from the desk: chosen, watched while they are played, stopped, and what they came to."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from fengsui.flow.simulations import Simulation, Wish
from tests.web import browser
from tests.web.browser import chromium, entered, seen, served
from tests.web.site import Site

GOOD = {"scenario": "gale", "people": "60", "seed": "3", "pace": "0", "form": "one"}
HANDS = 200.0


def until(met: Callable[[], object]) -> None:
    end = time.monotonic() + HANDS
    while not met():
        assert time.monotonic() < end, "it does not come about"
        time.sleep(0.1)


def played(site: Site, name: str) -> str:
    one = site.house.simulations.one(name)
    return one.state if one else ""


def test_one_is_chosen_played_and_listed(quiet: Site) -> None:
    client, before = quiet.client("clerk"), len(quiet.facts())
    page = client.get("/drills/new").content.decode()
    for scenario in quiet.house.pack.drills.values():
        assert scenario.title in page
        assert scenario.about in page
        assert scenario.basis in page
    assert '<html lang="zh-CN" class="test">' in page, (
        "the frame is that of a simulation whatever the district's is"
    )

    answer = client.post("/drills/new", GOOD)
    assert answer.status_code == 303
    name = answer["Location"].rpartition("/")[2]
    until(lambda: played(quiet, name) != "running")

    page = client.get(answer["Location"]).content.decode()
    assert "已演完" in page
    assert "hx-trigger" not in page.split('<div id="live"')[1].split(">")[0], "it asks no more"
    result = quiet.house.simulations.result(name)
    assert result is not None
    decided = next(c for c in result["clauses"] if c["id"] == "2.4.2")
    assert re.search(rf'二（四）2 [^<]+</th><td class="num">{decided["triggered"]}</td>', page)
    assert f"{result['answered_share']['15']:.0%}" in page
    assert "同一情景此前没有演完过" in page

    posts = list(
        csv.DictReader(
            client.get(f"{answer['Location']}/report?csv=1").content.decode("utf-8-sig").splitlines()
        )
    )
    assert {"应答", "未按时"} == {row["类别"] for row in posts}
    assert any((row["单位"], row["岗位"]) == ("周士庄镇", "周士庄镇值班员") for row in posts)

    (row,) = list(csv.DictReader(client.get("/drills?csv=1").content.decode("utf-8-sig").splitlines()))
    assert (row["编号"], row["种类"], row["情景"], row["状态"]) == (name, "模拟", "午后雷暴大风", "已演完")
    assert row["15 分钟应答"] == f"{result['answered_share']['15']:.0%}"
    assert len(quiet.facts()) == before, "nothing of it stands in the district's ledger"
    assert quiet.way.sent == [], "and nobody was told anything"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"scenario": "flood"}, "请选择一个情景。"),
        ({"scenario": ""}, "请选择一个情景。"),
        ({"people": "20"}, "人数须为 60 到 3000 的整数。"),
        ({"people": "９０"}, "人数须为 60 到 3000 的整数。"),
        ({"seed": "-1"}, "种子须为不超过九位的整数。"),
        ({"pace": "7"}, "请选择快慢。"),
    ],
)
def test_what_cannot_be_played_is_said_and_the_form_stays(
    quiet: Site, wrong: dict[str, str], said: str
) -> None:
    answer = quiet.client("clerk").post("/drills/new", GOOD | wrong)

    page = answer.content.decode()
    assert answer.status_code == 409
    assert said in page
    assert 'name="form" value="one"' in page
    assert quiet.house.simulations.all() == []


def test_one_at_a_time_and_it_can_be_stopped(quiet: Site) -> None:
    client = quiet.client("forecaster")
    slow = GOOD | {"pace": "20"}
    address = client.post("/drills/new", slow)["Location"]
    assert client.post("/drills/new", slow | {"form": "two"}).status_code == 409
    assert client.post("/drills/new", slow)["Location"] == address, "the same form is the same drill"
    assert "停止演练" in client.get(address).content.decode()
    assert "停止演练" not in quiet.client("leader").get(address).content.decode(), "he may look"

    assert client.post(f"{address}/stop").status_code == 303
    assert client.get(f"{address}/report").status_code == 404, "it was not played to its end"
    page = client.get(address).content.decode()
    assert "人工停止" in page
    assert "停止演练" not in page
    assert client.post(f"{address}/stop").status_code == 303, "once more changes nothing"
    assert client.get("/drills/simulated/20270101-9").status_code == 404
    assert client.post("/drills/simulated/20270101-9/stop").status_code == 404


def test_a_scenario_that_the_criteria_no_longer_support_is_not_offered(
    quiet: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = quiet.house.pack
    rain = pack.drills["rainstorm"]
    weak = msgspec.structs.replace(rain, reading=rain.reading[:2])
    monkeypatch.setitem(pack.drills, "rainstorm", weak)

    page = quiet.client("clerk").get("/drills/new").content.decode()
    assert "“暴雨红色之夜”到 02:09 的读数按现行判据不够任何级别" in page
    answer = quiet.client("clerk").post("/drills/new", GOOD | {"scenario": "rainstorm"})
    assert "D013" in answer.content.decode()


def past(site: Site, number: int, **more: Any) -> Simulation:
    """A simulation that was played to its end some day."""
    one = Simulation(
        f"20270701-{number}", "午后雷暴大风", Wish("gale", 60, 3), site.now - 9_000_000_000 + number
    )
    one = msgspec.structs.replace(one, state="done", **more)
    site.house.simulations.keep(one)
    return one


def test_it_is_compared_with_the_last_of_the_same_scenario(quiet: Site) -> None:
    older, one = past(quiet, 1), past(quiet, 2)
    past(quiet, 3, wish=Wish("snow", 60, 3))
    folder = quiet.house.vault.directory / "drills"
    for name, share in ((older.id, 0.25), (one.id, 0.5)):
        result = {"answered_share": {"5": share}, "clauses": [], "messages": 1, "lost": 0, "people": 60}
        (folder / name / "result.json").write_bytes(msgspec.json.encode(result))

    page = quiet.client("leader").get(f"/drills/simulated/{one.id}").content.decode()
    assert f"上次 {older.id}" in page
    assert page.index("50%") < page.index("25%")


def test_what_was_under_way_when_the_house_ended_says_so(quiet: Site) -> None:
    past(quiet, 1)
    left = msgspec.structs.replace(past(quiet, 2), state="running")
    quiet.house.simulations.keep(left)
    quiet.house.simulations.recover()

    page = quiet.client("leader").get("/drills").content.decode()
    assert page.count("随系统停止而中断") == 1
    assert page.count("已演完") == 1


@pytest.mark.foreign
def test_a_drill_in_a_browser(quiet: Site, request: pytest.FixtureRequest) -> None:
    """Chosen with the keyboard's help, seen to go on, stopped; another is played to its end, and its figures are read."""
    shots = request.config.getoption("--shots")
    quiet.client("clerk")
    with served(quiet) as address, chromium() as chrome:
        page = entered(chrome, address, quiet, "clerk", viewport={"width": 1440, "height": 900})
        page.goto(f"{address}/drills")
        assert "还没有演练过" in page.inner_text("main")
        page.click("text=新的模拟演练")
        page.click("text=暴雨红色之夜")
        page.click("text=一秒当二十秒")
        seen(page, shots, "drills-new")
        with page.expect_navigation():
            page.click("main button.primary")
        browser.until(page, "document.querySelector('#live b.num') !== null", HANDS)
        moment = page.inner_text("#live b.num")
        browser.until(page, f"document.querySelector('#live b.num').innerText !== '{moment}'", HANDS)
        browser.until(page, "document.querySelector('#live td.num').innerText.includes('%')", HANDS)
        seen(page, shots, "drills-live")
        with page.expect_navigation():
            page.keyboard.press("s")
        browser.until(page, "document.querySelector('main').innerText.includes('人工停止')", HANDS)

        page.goto(f"{address}/drills/new")
        page.click("text=春季沙尘暴")
        page.fill("input[name=people]", "60")
        with page.expect_navigation():
            page.click("main button.primary")
        browser.until(page, "document.querySelector('main').innerText.includes('已演完')", HANDS)
        words = page.inner_text("#live")
        assert "二（四）1" in words
        assert "二（四）2" not in words, "sand stops no work"
        seen(page, shots, "drills-done")
        with page.expect_navigation():
            page.keyboard.press("r")
        seen(page, shots, "drills-report")
        page.goto(f"{address}/drills")
        assert page.inner_text("tbody").count("模拟") == 2
        seen(page, shots, "drills-list")
