"""The page of invented phones: what it shows of a rehearsal, and what its forms do."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import quote

import pytest

from fengsui.config import configure
from fengsui.formats import packs
from fengsui.rehearse import night, visit
from fengsui.rehearse.phones import POLICY, Login, Phones, Ready

PACK = packs.load("yunzhou")
RAIN = PACK.drills["rainstorm"]


async def ask(
    phones: Phones, path: str, query: str = "", form: str | None = None, *, live: bool = False
) -> Any:
    """One request; status, headers, words."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": (form or "").encode()}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "path": path, "method": "GET" if form is None else "POST",
        "query_string": query.encode(), "headers": [(b"hx-request", b"true")] if live else [],
    }  # fmt: skip
    await phones(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"].decode()


async def elsewhere(scope: Any, receive: Any, send: Any) -> None:
    del scope, receive
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Runs a story on a stage where the night has been played as far as the warning's first minutes."""
    place = tmp_path_factory.mktemp("night")

    def run(story: Any) -> None:
        asyncio.run(_run(story, tmp_path_factory.mktemp("place")))

    yield run
    configure(place)


async def _run(story: Any, place: Any) -> None:
    stage = await night.begin(place, PACK, RAIN, people=60, seed=3, address="http://127.0.0.1:9")
    try:
        await stage.play(RAIN.moment("02:20", PACK.zone), lambda _: None)
        ready = Ready((Login("signer", "签发人"),), "moni-x", visit.PIN)
        await story(stage, Phones(stage, elsewhere, ready))
    finally:
        await stage.stop()


def test_each_phone_shows_what_the_centre_delivered(told: Any) -> None:
    async def story(stage: Any, phones: Phones) -> None:
        status, headers, page = await ask(phones, "/rehearse")
        assert (status, headers[b"content-security-policy"]) == (200, POLICY)
        assert "moni-x" in page
        number = re.search(r"phone=(\d+)", page)[1]

        _, _, page = await ask(phones, "/rehearse", f"phone={number}")

        for heard in stage.phones[number]:
            if not heard.mine:
                assert f"来自 {heard.source}" in page
                assert heard.text.split("http")[0].split("。")[-2] in page
                assert heard.parts == 1 or f"{heard.parts} 段" in page
        assert page.count('href="http://127.0.0.1:9/a/') == sum("/a/" in h.text for h in stage.phones[number])

    told(story)


def test_a_phone_is_found_by_its_holder_and_one_that_heard_nothing_too(told: Any) -> None:
    async def story(stage: Any, phones: Phones) -> None:
        silent = next(n for n in stage.cast.by_number if n not in stage.phones)
        person = stage.cast.by_number[silent]
        assert silent not in (await ask(phones, "/rehearse"))[2]

        for wanted in (person.name, silent, f"{person.name} {silent}"):
            assert silent in (await ask(phones, "/rehearse", f"q={quote(wanted)}"))[2]
        assert "没有这样的手机" in (await ask(phones, "/rehearse", "q=nobody"))[2]
        assert "<script>" not in (await ask(phones, "/rehearse", "q=%3Cscript%3E"))[2].replace(
            "<script src", ""
        )

    told(story)


def test_who_may_decide_is_shown_with_his_pin_and_nobody_else(told: Any) -> None:
    async def story(stage: Any, phones: Phones) -> None:
        held = {p.holder: p.role for p in stage.population.posts if p.unit == "峰峪乡"}
        numbers = {stage.cast.by_id[person].number: role for person, role in held.items()}
        for number, role in numbers.items():
            page = (await ask(phones, "/rehearse", f"phone={number}"))[2]
            assert (visit.PIN in page.partition('class="keys"')[0]) == (
                role in ("leader", "duty_leader", "duty_officer")
            )

    told(story)


def test_what_changed_is_sent_and_what_did_not_stays_as_it_is(told: Any) -> None:
    async def story(stage: Any, phones: Phones) -> None:
        number = next(iter(stage.phones))
        page = (await ask(phones, "/rehearse", f"phone={number}"))[2]
        have = re.search(r'name="have" value="([^"]*)"', page)[1].replace(" ", "+")

        _, headers, same = await ask(phones, "/rehearse/live", f"phone={number}&have={have}", live=True)
        assert headers[b"hx-reswap"] == b"none"
        assert 'id="heard"' not in same
        assert 'id="pace"' in same, "the clock goes on"

        _, headers, answered = await ask(
            phones, "/rehearse", f"phone={number}", "text=%E5%A5%BD&typed=1", live=True
        )
        assert b"hx-reswap" not in headers
        assert 'id="heard"' in answered
        assert 'id="say"' in answered, "empty again"
        assert (stage.phones[number][-1].text, stage.phones[number][-1].mine) == ("好", True)

        _, _, news = await ask(phones, "/rehearse/live", f"phone={number}&have={have}", live=True)
        assert 'id="phones"' in news
        assert 'id="say"' not in news, "what is being typed is nobody's to take away"

    told(story)


def test_forms_do_what_they_say_and_nothing_else(told: Any) -> None:
    async def story(stage: Any, phones: Phones) -> None:
        status, headers, _ = await ask(phones, "/rehearse", "phone=1", "speed=60")
        assert (status, headers[b"location"], phones.speed) == (303, b"/rehearse?phone=1", 60.0)
        before = stage.centre.count["replies"]
        for form in ("speed=1000000", "speed=x", "text=1", "text=+", ""):
            await ask(phones, "/rehearse", "phone=1", form)
        assert (phones.speed, stage.centre.count["replies"]) == (60.0, before), "no such speed, no such phone"
        await ask(phones, "/rehearse", "", "automatic=no")
        assert stage.automatic is False
        assert (await ask(phones, "/desk"))[0] == 418
        assert (await ask(phones, "/rehearse/phones.css"))[1][b"content-type"].startswith(b"text/css")

    told(story)


def test_nobody_of_the_cast_acts_once_they_are_told_not_to(told: Any) -> None:
    async def story(stage: Any, phones: Phones) -> None:
        await ask(phones, "/rehearse", "", "automatic=no")
        before = stage.centre.count["replies"], len(stage.facts)
        await stage.play(RAIN.moment("02:27", PACK.zone), lambda _: None)

        assert stage.centre.count["replies"] == before[0]
        assert len(stage.facts) > before[1], "and the ladder climbs"

    told(story)
