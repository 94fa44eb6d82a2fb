"""Warnings of others, seen: at a desk and on a phone, nothing overflows, axe finds nothing serious."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flow.office import TEXT, cap, when
from tests.web.browser import chromium, entered, faults, overflowing, served
from tests.web.site import Site
from tests.web.test_eyes import WIDTHS

pytestmark = pytest.mark.foreign


def test_pages_of_what_was_received_are_fit_to_be_seen(busy: Site, request: pytest.FixtureRequest) -> None:
    kept = request.config.getoption("--shots")
    take = busy.house.reception.keep
    strange = cap(1, code=("", "140215202"))
    found = [
        *take(strange, "province"),
        *take(
            cap(2, expires=when(300), event="大风", headline="发布大风橙色预警", severity="Severe", scope=""),
            "city",
        ),
        *take(
            cap(3, expires=when(300), code=("CPEAS Geographic Code", "140215000000")), "province", bound=True
        ),
        *take(TEXT.encode(), "paste", form="text"),
        *take(cap(5, headline="【演练】发布暴雨红色预警"), "province"),
    ]
    busy.house.reception.look()
    busy.client("forecaster")
    paths = {"desk": "/desk", "received": "/received", "new": "/received/new"}
    paths |= {f"one-{n}": f"/received/{digest}" for n, digest in enumerate(found)}
    wrong: list[str] = []
    with served(busy) as address, chromium() as browser:
        page = entered(browser, address, busy, "forecaster", viewport={"width": 1440, "height": 900})
        for name, path in paths.items():
            for look, width in WIDTHS.items():
                page.set_viewport_size({"width": width, "height": 900})
                page.goto(address + path, wait_until="load")
                wrong += [f"{path} at {width}: {o}" for o in overflowing(page)]
                if kept:
                    page.screenshot(path=Path(kept) / f"{name}-{look}.png", full_page=True)
            wrong += [f"{path}: {f}" for f in faults(page)]

    assert wrong == [], "\n".join(wrong)
