"""The demonstration as a visitor tries it by hand: a second warning from the draft to the all-clear, in a real browser.

One house, one browser, many people; the story is one test, because each step needs the one before.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
)
FENGYU, JULE = "140215202", "140215209"
pytestmark = pytest.mark.foreign


class Visit(NamedTuple):
    """Where the demonstration serves, and what it printed for its visitors."""

    address: str
    password: str
    pin: str


@pytest.fixture(scope="module")
def visit() -> Iterator[Visit]:
    """``fengsui demo --visit`` as a program of its own, ended as a visitor ends it."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("FENGSUI_")}
    words = (sys.executable, "-m", "fengsui", "demo", "--visit", "--people", "120", "--port", "0")
    running = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean)
    assert running.stdout is not None
    said = ""
    while "/rehearse" not in said:
        line = running.stdout.readline()
        assert line, running.communicate()[1]
        said += line
    found = [re.search(p, said) for p in (r"可以参观：(\S+)", r"\n口令都是：(\S+)", r"决定口令都是：(\d+)")]
    yield Visit(*(m[1] for m in found if m))
    running.send_signal(signal.SIGINT)
    errors = running.communicate(timeout=20)[1]
    assert running.returncode == 0
    assert "Traceback" not in errors


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        yield play.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))


class People:
    """Who takes part, each in a browser window of his own."""

    def __init__(self, browser: Browser, at: Visit) -> None:
        self.browser, self.at = browser, at
        self.errors: list[str] = []

    def window(self, **options: object) -> BrowserContext:
        context = self.browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai", **options)  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        return context

    def page(self, path: str, **options: object) -> Page:
        page = self.window(**options).new_page()
        page.on("console", lambda m: self.errors.append(f"{path}: {m.text}") if m.type == "error" else None)
        page.goto(path if path.startswith("http") else self.at.address + path)
        return page

    def logged_in(self, role: str) -> Page:
        page = self.page("/login")
        page.fill("[name=username]", role)
        page.fill("[name=password]", self.at.password)
        page.press("[name=password]", "Enter")
        page.wait_for_url(re.compile(r"/(desk|media|own)"))
        return page


@pytest.fixture
def people(browser: Browser, visit: Visit) -> Iterator[People]:
    made = People(browser, visit)
    yield made
    for context in browser.contexts:
        context.close()
    assert made.errors == []


def drafted(forecaster: Page, address: str) -> str:
    """A red rainstorm warning for both townships, handed in; the page on which it is signed."""
    forecaster.goto(f"{address}/issue")
    forecaster.check("input[value='rainstorm/red']", force=True)
    expect(forecaster.locator("[name=forecast]")).to_have_value(re.compile("^预计未来"))
    for zone in (FENGYU, JULE):
        forecaster.check(f"input[name=zone][value='{zone}']", force=True)
    forecaster.fill("[name=cause]", "受强对流云团影响，")
    expect(forecaster.locator("#preview")).to_contain_text("签发后将发生")
    forecaster.click("button[value=submit]")
    forecaster.wait_for_url(re.compile(r"/issue/\d+$"))
    return forecaster.url


def signed(signer: Page, url: str, password: str) -> None:
    signer.goto(url)
    if signer.locator("[name=typed]").count():  # red is named before it is signed
        signer.fill("[name=typed]", "红色")
    signer.fill("form:has(button[value=sign]) [name=password]", password)
    signer.click("button[value=sign]")
    expect(signer.locator("main")).to_contain_text("已签发")


def opened(phones: Page, address: str, wanted: str) -> None:
    """Open the first phone that a search finds."""
    phones.goto(f"{address}/rehearse")
    phones.fill("#q", wanted)
    first = phones.locator("#phones li a").first
    expect(first).to_contain_text(wanted.split(maxsplit=1)[0])
    first.click()
    expect(phones.locator(".one h1")).to_be_visible()


def heard(phones: Page, words: str) -> None:
    """Wait until the newest message says this; time may run faster meanwhile."""
    expect(phones.locator("#heard article").first).to_contain_text(words, timeout=30_000)


def test_a_second_warning_from_the_draft_to_the_all_clear(people: People, visit: Visit) -> None:
    forecaster, signer = people.logged_in("forecaster"), people.logged_in("signer")
    phones, overlay = people.page("/rehearse"), people.page("/tv/overlay")
    expect(phones.locator(".one")).to_contain_text(visit.password)
    phones.click("#pace-automatic")
    expect(phones.locator("#pace")).to_contain_text("自动应答：否")

    signed(signer, drafted(forecaster, visit.address), visit.password)
    phones.click("#pace-60")
    expect(overlay.locator("#crawl")).to_contain_text("发布暴雨红色预警信号")
    expect(overlay.locator("#badges svg")).to_be_visible()

    _answers_from_a_phone(phones, visit)
    link, phone = _does_all_by_link(phones, people, visit)
    _types_a_telephone_answer(phones, forecaster, visit)
    _lifts(forecaster, signer, visit)

    expect(overlay.locator("#badges svg")).to_have_count(0)
    expect(overlay.locator("#bar")).to_be_hidden()
    phone.goto(link)
    expect(phone.locator("header")).to_contain_text("暴雨红色预警已解除")
    phone.fill("input[name=pin]", visit.pin)
    phone.click("text=复工复业复课")
    expect(phone.locator("main")).to_contain_text("✓ 已恢复")


def _answers_from_a_phone(phones: Page, visit: Visit) -> None:
    """What is typed survives what arrives meanwhile; one click answers."""
    opened(phones, visit.address, "聚乐乡 值班员")
    phones.fill("#text", "正在往村里赶")
    heard(phones, "发布暴雨红色预警信号")
    heard(phones, "催签收")
    assert phones.input_value("#text") == "正在往村里赶"
    phones.click("#pace-1")
    phones.click("#say button")
    heard(phones, "正在往村里赶")
    expect(phones.locator("#text")).to_have_value("")
    phones.click(".keys button:has-text('收到')")
    expect(phones.locator("#heard .out").first).to_contain_text("1")


def _does_all_by_link(phones: Page, people: People, visit: Visit) -> tuple[str, Page]:
    """All three steps on a small screen without script, the last with the PIN that the page shows."""
    opened(phones, visit.address, "峰峪乡 值班员")
    expect(phones.locator(".pin")).to_contain_text(visit.pin)
    link = phones.locator("#heard a").first.get_attribute("href") or ""
    phone = people.page(link, java_script_enabled=False, viewport={"width": 360, "height": 740})
    phone.click("button:text('收到')")
    expect(phone.locator("main")).to_contain_text("✓ 已签收")
    phone.check("input[value=loudspeaker]")
    phone.check("input[value=all]")
    phone.click("button:text('已再传播')")
    expect(phone.locator("main")).to_contain_text("✓ 峰峪乡人民政府已再传播")
    phone.check("input[value=classes]")
    phone.fill("input[name=pin]", visit.pin)
    phone.click("text=提交决定")
    expect(phone.locator("main")).to_contain_text("✓ 停课")
    return link, phone


def _types_a_telephone_answer(phones: Page, forecaster: Page, visit: Visit) -> None:
    """Nobody else answers: the ladder climbs to the desk, where somebody dials and types what he heard."""
    phones.click("#pace-60")
    forecaster.goto(f"{visit.address}/desk/tasks")
    call = climbed(forecaster)
    phones.click("#pace-1")
    forecaster.goto(call)
    forecaster.check("input[name=outcome][value=answered]")
    forecaster.fill("[name=words]", "本人接听，马上到岗")
    forecaster.click("button.primary")
    expect(forecaster.locator("main")).to_contain_text(re.compile("上一通已登记|已登记|已了结"))


def _lifts(forecaster: Page, signer: Page, visit: Visit) -> None:
    forecaster.goto(f"{visit.address}/desk")
    forecaster.locator("a[href$='/cancel']").first.click()
    forecaster.fill("[name=cause]", "降雨已明显减弱，")
    forecaster.click("button[value=submit]")
    forecaster.wait_for_url(re.compile(r"/issue/\d+$"))
    signed(signer, forecaster.url, visit.password)


def climbed(desk: Page) -> str:
    """The call page of a person who did not answer, as soon as the ladder has come to the desk."""
    end = time.monotonic() + 40
    while time.monotonic() < end:
        rows = (
            desk.locator("tr, li, .task")
            .filter(has_text="签收")
            .filter(has=desk.locator("a[href^='/call/']"))
        )
        if rows.count():
            return rows.first.locator("a[href^='/call/']").first.evaluate("link => link.href")
        desk.wait_for_timeout(500)
        desk.reload()
    raise AssertionError(desk.inner_text("main"))


def test_the_phones_work_without_script_and_on_a_small_screen(people: People, visit: Visit) -> None:
    page = people.page("/rehearse", java_script_enabled=False, viewport={"width": 360, "height": 740})
    page.fill("#q", "水务局 值班员")
    page.click("nav button")
    page.click("#phones li a")
    page.fill("#text", "收到了")
    page.click("#say button")

    assert "phone=100" in page.url
    expect(page.locator("#heard .out").first).to_contain_text("收到了")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
