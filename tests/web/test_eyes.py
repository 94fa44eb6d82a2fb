"""Every page of every role, seen: nothing overflows, axe finds nothing serious, no error stands in the console.

``--shots DIR`` keeps the pictures, also in grey and as a colour-blind person sees them.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.urls import Resolver404, resolve
from playwright.sync_api import Page

from fengsui.web import rights
from tests.web.browser import chromium, entered, faults, overflowing, served
from tests.web.site import Site

WIDTHS = {"wide": 1440, "phone": 360}
MOST = 60
"""Pages looked at for one role."""
pytestmark = pytest.mark.foreign


@pytest.fixture(params=sorted(rights.ROLES))
def role(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_page_is_fit_to_be_seen(busy: Site, role: str, request: pytest.FixtureRequest) -> None:
    kept = request.config.getoption("--shots")
    wrong: list[str] = []
    busy.client(role)  # logged in before a browser runs in this thread, where Django may not be asked
    with served(busy) as address, chromium() as browser:
        page = entered(browser, address, busy, role, viewport={"width": 1440, "height": 900})
        console: list[str] = []
        page.on("console", lambda m: console.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: console.append(str(e)))
        for name, path in _pages(page, address):
            for look, width in WIDTHS.items():
                page.set_viewport_size({"width": width, "height": 900})
                page.goto(address + path, wait_until="load")
                wrong += [f"{role} {path} at {width}: {o}" for o in overflowing(page)]
                if kept:
                    _keep(page, Path(kept), f"{role}-{name}-{look}")
            wrong += [f"{role} {path}: {f}" for f in faults(page)]
        wrong += [f"{role}: console: {c}" for c in console]

    assert wrong == [], "\n".join(wrong)


def _pages(page: Page, address: str) -> list[tuple[str, str]]:
    """One address for each named page that can be reached by links from the role's first page."""
    seen: dict[str, str] = {}
    queue = deque(["/own", "/"])
    visited: set[str] = set()
    while queue and len(seen) < MOST:
        path = queue.popleft()
        if path in visited:
            continue
        visited.add(path)
        answer = page.request.get(address + path)
        assert answer.status < 400, f"{path} answers {answer.status}"
        if "text/html" not in answer.headers["content-type"]:
            continue
        page.goto(address + path, wait_until="load")
        here = urlsplit(page.url).path
        name = _named(here)
        if name in seen:
            continue
        seen[name] = here
        links = page.eval_on_selector_all(
            "main a[href^='/'], nav a[href^='/']", "all => all.map(a => a.getAttribute('href'))"
        )
        queue.extend(link for link in links if "?" not in link and _named(urlsplit(link).path) not in seen)
    return [(name, path) for name, path in seen.items() if name]


def _named(path: str) -> str:
    try:
        return resolve(path).url_name or ""
    except Resolver404:
        return ""


def _keep(page: Page, folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", full_page=True)
    protocol = page.context.new_cdp_session(page)
    for kind in ("achromatopsia", "deuteranopia"):
        protocol.send("Emulation.setEmulatedVisionDeficiency", {"type": kind})
        page.screenshot(path=folder / f"{name}-{kind}.png", full_page=True)
    protocol.send("Emulation.setEmulatedVisionDeficiency", {"type": "none"})
