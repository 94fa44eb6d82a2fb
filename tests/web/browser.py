"""Debian's Chromium, driven over the debugging protocol: what people see, measured — never around the strict policy."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from fengsui.config.asgi import Application
from tests.web.site import Site

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
AXE = Path(__file__).parents[1] / "node_modules/axe-core/axe.min.js"
OVERFLOW = """() => [...document.querySelectorAll('body *')].filter(e => {
  const s = getComputedStyle(e);
  return e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && s.display !== 'inline'
    && !['auto', 'scroll'].includes(s.overflowX) && s.overflowX !== 'hidden' && e.tagName !== 'INPUT' && e.tagName !== 'SELECT';
}).map(e => e.tagName + '.' + e.className + ': ' + e.textContent.trim().slice(0, 40))"""
"""Elements whose content is wider than they are, although nobody said it may be."""


@contextlib.contextmanager
def served(site: Site) -> Iterator[str]:
    """The pages of a running house on a free loopback port; the address."""
    application = Application(site.house)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = uvicorn.Config(application, host="127.0.0.1", port=port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), name="pages", daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
        application.close()


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """One browser."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


def entered(browser: Browser, address: str, site: Site, role: str, **options: Any) -> Page:
    """A page in which a role is logged in. options: of the context (viewport, java_script_enabled …)."""
    context = browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai", **options)
    key = site.client(role).cookies["fengsui"].value
    context.add_cookies([{"name": "fengsui", "value": key, "url": address}])
    return context.new_page()


def until(page: Page, expression: str, seconds: float = 15.0) -> None:
    """Ask over the protocol until it is so: playwright's own waiting evaluates text in the page, which the policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(20)


def overflowing(page: Page) -> list[str]:
    """What is wider than its place, and the page itself if it scrolls sideways."""
    wide = page.evaluate(
        "() => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"
    )
    found: list[str] = page.evaluate(OVERFLOW)
    return (["the page scrolls sideways"] if wide else []) + found


def faults(page: Page) -> list[str]:
    """What axe finds serious, in its own words."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    result = page.evaluate("() => axe.run({resultTypes: ['violations']})")
    return [
        f"{v['id']}: {v['nodes'][0]['html'][:120]}"
        for v in result["violations"]
        if v["impact"] in ("serious", "critical")
    ]


def seen(page: Page, shots: str | None, name: str) -> None:
    """Nothing overflows on a wide screen or a phone, axe finds nothing serious; kept where asked."""
    for look, width in (("phone", 360), ("wide", 1440)):
        page.set_viewport_size({"width": width, "height": 900})
        assert overflowing(page) == [], name
        if shots:
            Path(shots).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=Path(shots) / f"{name}-{look}.png", full_page=True)
    assert faults(page) == [], name
