"""The link of a message end to end: a real server on loopback, a real writer behind it."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import logging
import socket
from typing import NamedTuple

import pytest
import uvicorn

from fengsui.core.facts import Reached
from fengsui.flow.clock import Jumping
from fengsui.flow.inputs import Input, Pending, Unwritten
from fengsui.flow.links import Links
from fengsui.store import history, tokens
from fengsui.store.sql import Session
from fengsui.web.door import LinkDoor
from fengsui.web.hot import GUESSES, Hot
from tests.flow import district
from tests.flow.district import NIGHT, alert
from tests.flow.ways import Way, _asking, ask, running, until

ADDRESS = "https://warn.invalid"


class Page(NamedTuple):
    status: int
    headers: dict[str, str]
    text: str


@pytest.fixture(autouse=True)
def populated(database):
    district.populate(database)


class Site:
    """A running house with its hot routes."""

    def __init__(self, house, way, port, now):
        self.house, self.way, self.port, self.now = house, way, port, now

    async def ask(self, method, path, body=None, **headers) -> Page:
        return await asyncio.to_thread(self._ask, method, path, body, headers)

    def _ask(self, method, path, body, headers) -> Page:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Page(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode())
        finally:
            connection.close()

    def person(self) -> str:
        """Somebody who has been told by now."""
        return min(self.house.writer.world.streams["incident-1"].notices.people)

    def token(self, person="") -> str:
        vault = self.house.writer._setting.vault
        return vault.token(f"{person or self.person()}\nincident-1", tokens.LENGTH)


@contextlib.asynccontextmanager
async def site(database, *, address=ADDRESS, ready=None):
    way, now = Way(), [0.0]
    async with running(database, way, clock=Jumping(NIGHT), address=address) as house:
        await house.writer.post(Input("form-1", alert()))
        await house.writer.settle()
        links = Links(house.writer)
        hot = Hot(LinkDoor(links, ready or (lambda: house.ready)), lambda: now[0])
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(hot, log_level="warning", access_log=False))
        server.capture_signals = contextlib.nullcontext  # the test's signals stay the test's
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            await until(lambda: server.started)
            yield Site(house, way, listening.getsockname()[1], now)
        finally:
            server.should_exit = True
            await serving
            listening.close()
            await asyncio.to_thread(links.close)


def acknowledged(person):
    def read():
        session = Session()
        try:
            return [
                x.fact
                for x in history.facts(session)
                if isinstance(x.fact, Reached) and x.fact.person == person and x.fact.state == "acknowledged"
            ]
        finally:
            session.close()

    return _asking.submit(read).result()


def test_only_the_button_confirms_and_only_once(database):
    async def visit():
        async with site(database) as here:
            person, path = here.person(), f"/a/{here.token()}"
            looked = [await here.ask("GET", path) for _ in range(3)] + [await here.ask("HEAD", path)]
            assert acknowledged(person) == []
            pressed = [await here.ask("POST", path) for _ in range(3)]
            return person, looked, pressed, await here.ask("GET", path)

    person, looked, pressed, after = asyncio.run(visit())
    assert [p.status for p in (*looked, *pressed, after)] == [200] * 8
    assert "<button>收到</button>" in looked[0].text
    assert len({p.text for p in pressed}) == 1, "the same answer to a repetition"
    assert "✓ 已签收" in pressed[0].text
    assert "<button>收到</button>" not in pressed[0].text
    assert "✓ 已签收" in after.text
    assert [(f.channel, f.version) for f in acknowledged(person)] == [("link", 1)]


def test_the_answer_is_given_after_the_commit(database):
    async def visit():
        async with site(database) as here:
            pages = []
            post = here.house.writer.post

            def full(_):
                future = Pending()
                future.set_exception(Unwritten("磁盘已满[R011]"))
                return future

            here.house.writer.post = full
            pages.append(await here.ask("POST", f"/a/{here.token()}"))
            assert acknowledged(here.person()) == []
            here.house.writer.post = post
            pages.append(await here.ask("POST", f"/a/{here.token()}"))
            return pages

    busy, then = asyncio.run(visit())
    assert (busy.status, then.status) == (503, 200)
    assert "W010" in busy.text
    assert "✓ 已签收" not in busy.text


def test_a_page_names_nobody_and_carries_no_script(database):
    async def visit():
        async with site(database) as here:
            return here.person(), await here.ask("GET", f"/a/{here.token()}")

    person, page = asyncio.run(visit())
    human = next(h for h in district.everyone().people if h.id == person)
    for secret in (person, human.name, human.contacts[0].value):
        assert secret not in page.text
    assert "暴雨红色预警" in page.text
    assert "【模拟】" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in page.headers
    assert "<script" not in page.text
    assert len(page.text.encode()) < 30_000


def test_a_token_dies_with_its_warning(database):
    async def visit():
        async with site(database) as here:
            path = f"/a/{here.token()}"
            alive = await here.ask("GET", path)
            await until(lambda: not ask("SELECT 1 FROM delivery WHERE state = 0"))
            cancelled = await here.house.writer.post(Input("form-2", alert(2, "", at=NIGHT + 1)))
            assert cancelled.ok
            return alive, await here.ask("GET", path), await here.ask("POST", path)

    alive, *dead = asyncio.run(visit())
    assert alive.status == 200
    assert [(p.status, "[W004]" in p.text) for p in dead] == [(404, True)] * 2


@pytest.mark.parametrize(
    "forged", ["000000000000", "x", "", "a" * 500, "%00", "../health", "%E7%83%BD", "0' OR 1=1--"]
)
def test_a_forged_token_is_not_found(database, forged):
    async def visit():
        async with site(database) as here:
            path = "/a/" + forged.replace(" ", "%20")
            return [await here.ask(method, path) for method in ("GET", "POST")]

    assert [p.status for p in asyncio.run(visit())] == [404, 404]


def test_guessing_is_slowed_and_ends_by_itself_and_keeps_nobody_from_his_own_link(database, caplog):
    async def visit():
        async with site(database) as here:
            guesses = [await here.ask("GET", f"/a/{n:012d}") for n in range(GUESSES + 3)]
            honest = [await here.ask(method, f"/a/{here.token()}") for method in ("GET", "POST")]
            here.now[0] = 61.0
            return guesses, honest, await here.ask("GET", "/a/000000000000")

    with caplog.at_level(logging.INFO):
        guesses, honest, later = asyncio.run(visit())
    assert [p.status for p in guesses] == [404] * GUESSES + [429] * 3
    assert "[W002]" in guesses[-1].text
    assert [p.status for p in honest] == [200, 200]
    assert later.status == 404


def test_a_body_is_not_wanted(database):
    async def visit():
        async with site(database) as here:
            path = f"/a/{here.token()}"
            small = await here.ask("POST", path, b"a=1")
            large = await here.ask("POST", path, b"x" * 2000)
            huge = await here.ask("POST", path, b"x" * 3_000_000)
            chunks = await here.ask("POST", path, iter([b"x" * 600] * 4))
            return here.person(), small, large, huge, chunks

    person, small, *large = asyncio.run(visit())
    assert small.status == 200
    assert [p.status for p in large] == [413] * 3
    assert len(acknowledged(person)) == 1


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
def test_other_methods_find_nothing(database, method):
    async def visit():
        async with site(database) as here:
            return here.person(), await here.ask(method, f"/a/{here.token()}")

    person, page = asyncio.run(visit())
    assert page.status in (400, 404, 405)  # 400: a method that the server itself does not know
    assert acknowledged(person) == []
    assert "Traceback" not in page.text


def test_health_says_whether_the_state_is_loaded(database):
    loaded = [False]

    async def visit():
        async with site(database, ready=lambda: loaded[0]) as here:
            before = await here.ask("GET", "/health")
            loaded[0] = True
            return before, await here.ask("GET", "/health"), await here.ask("GET", "/")

    before, after, nothing = asyncio.run(visit())
    assert (before.status, after.status, nothing.status) == (503, 200, 404)
    assert after.text == "正常"


@pytest.mark.parametrize(("address", "links"), [(ADDRESS, True), ("", False)])
def test_a_text_carries_a_link_only_with_a_public_address(database, address, links):
    async def visit():
        async with site(database, address=address) as here:
            await until(lambda: here.way.sent and not ask("SELECT 1 FROM delivery WHERE state = 0"))
            mine = f"{ADDRESS}/a/{here.token()}"
            texts = {"".join(t for _, _, t in h.parts) for _, h in here.way.sent}
            return mine, texts

    mine, texts = asyncio.run(visit())
    assert any(mine in text for text in texts) == links
    assert links or not any("http" in text for text in texts)
    assert tokens.LENGTH <= 12
    stored = ask("SELECT hash FROM token")
    assert bool(stored) == links
    assert all(mine.rpartition("/")[2] not in hash_ for (hash_,) in stored)


def test_garbage_on_the_wire_is_answered_without_a_traceback(database, caplog):
    async def visit():
        async with site(database) as here:
            answers = []
            for junk in (
                b"\x16\x03\x01junk\r\n\r\n",
                b"GET / HTTP/9.9\r\n\r\n",
                b"GET /a/\xff\xfe HTTP/1.1\r\n\r\n",
            ):
                reader, writer = await asyncio.open_connection("127.0.0.1", here.port)
                writer.write(junk)
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.5):
                        answers.append(await reader.read(4096))
                writer.close()
            return answers, await here.ask("GET", "/health")

    answers, health = asyncio.run(visit())
    assert health.status == 200
    assert not any(b"Traceback" in answer for answer in answers)
    assert not any(record.exc_info for record in caplog.records)
