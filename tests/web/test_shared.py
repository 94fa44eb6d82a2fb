"""What many desks ask for is made once: the same for whoever reads the same, and never one account's for another."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import re
from urllib.parse import urlsplit

import pytest

from fengsui.config import asgi
from fengsui.core.levels import LEVELS
from fengsui.flow.inputs import Change
from fengsui.store.accounts import Account, Draft
from fengsui.web import live, rights, shared
from fengsui.web.pages import desk
from tests.flow.district import MINUTE
from tests.web.browser import served
from tests.web.site import INCIDENT

LIVE = re.compile(r'<div id="live"[^>]*>(.*)</div>\n<script', re.DOTALL)


@pytest.fixture(autouse=True)
def _fresh():
    shared._Kept.moment = shared._Kept.told = None


def a_second_later() -> None:
    shared._Kept.moment = None


def fragment(at, role="forecaster", of="") -> str:
    answer = at.client(role).get(f"/desk/live{of and f'?of={of}'}")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("role", rights.ROLES)
def test_the_part_that_changes_is_what_the_page_shows(busy, role):
    busy.issue(1, "yellow", stream="incident-2", hazard="lightning", zones={"140215100": "yellow"})
    for other in rights.ROLES:  # whatever was made for others before
        fragment(busy, other)

    for of in ("", "incident-2", "unknown"):
        page = busy.client(role).get(f"/desk?of={of}").content.decode()
        assert fragment(busy, role, of) == LIVE.search(page).group(1)


def test_it_is_made_once_and_anew_after_a_commit_or_a_second(busy, monkeypatch):
    made = []
    monkeypatch.setattr(desk.outlook, "warned", lambda *given: made.append(given) or [])
    for role in ("forecaster", "township", "leader", "forecaster"):
        fragment(busy, role)
    assert len(made) == 1

    busy.answer(busy.holder("峰峪乡/responsible_person/2"))
    fragment(busy)
    assert len(made) == 2

    busy.wait(1 / 60)
    fragment(busy)
    assert len(made) == 3


def test_a_moment_is_as_young_as_a_second_by_whichever_clock(busy, monkeypatch):
    first = shared.moment()
    assert shared.moment() is first
    busy.house.clock.jump(busy.now + MINUTE)
    second = shared.moment()
    assert second is not first
    monkeypatch.setattr(second, "_began", second._began - shared.KEPT)
    assert shared.moment() is not second


def test_a_draft_given_back_stands_on_its_authors_desk_and_on_no_other(busy):
    other = Account.objects.create(username="other", role="forecaster", stamp="s")
    mine = busy.account("forecaster")
    assert "退回待改" not in fragment(busy)

    Draft.objects.create(
        kind="alert", account=mine.pk, at=busy.now, state="returned",
        body=f'{{"hazard":"lightning","zones":{{"140215209":"{LEVELS[0]}"}},"author":"x"}}',
    )  # fmt: skip

    assert "退回待改" in busy.client().get("/desk").content.decode()  # whoever opens it has it at once
    a_second_later()
    assert "退回待改" in fragment(busy)
    assert "退回待改" not in desk.fragment(other, "", shared.moment())
    assert busy.state(INCIDENT).alert.holds


# ── what is told, and what is fetched then ───────────────────────────────────


def heard(*seconds: float) -> list[tuple[float, bytes]]:
    """Commits at these seconds, and what an open desk hears of them, when."""

    async def listening() -> list[tuple[float, bytes]]:
        hub, said, loop = live.Hub(lambda _: True, "fengsui"), [], asyncio.get_running_loop()
        begun, gone = loop.time(), asyncio.Event()

        async def receive():
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            said.append((loop.time() - begun, message.get("body", b"")))

        stream = asyncio.create_task(hub({"headers": []}, receive, send))
        while not hub.open:  # noqa: ASYNC110 - before the clock starts
            await asyncio.sleep(0.001)
        begun = loop.time()
        for seq, at in enumerate(seconds, start=1):
            await asyncio.sleep(begun + at - loop.time())
            hub.changed(Change(seq, ("incident-1",), deliveries=False))
        await asyncio.sleep(live.APART + 0.1)
        gone.set()
        await stream
        return [(at, body) for at, body in said if b"change" in body]

    return asyncio.run(listening())


def test_a_change_is_told_at_once():
    ((at, body),) = heard(0.0)
    assert at < 0.25
    assert b"id: 1\n" in body
    assert shared._Kept.told == 1


def test_a_storm_is_told_twice_a_second_while_it_lasts_and_to_its_end():
    told = heard(*(n * 0.02 for n in range(60)))
    assert told[0][0] < 0.25
    assert len(told) <= 4
    assert b"id: 60\n" in told[-1][1]


def test_in_a_storm_all_fetch_what_was_told_last(busy):
    first = shared.moment()
    shared.told(busy.house.writer.position[1])
    busy.answer(busy.holder("峰峪乡/responsible_person/2"))
    assert shared.moment() is first

    shared.told(busy.house.writer.position[1])
    assert shared.moment() is not first


def fetched(
    at, address: str, role: str, method: str = "GET", path="/desk/live?of=incident-1", **headers: str
) -> http.client.HTTPResponse:
    line = http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)
    key = at.client(role).cookies["fengsui"].value
    line.request(method, path, headers={"Cookie": f"fengsui={key}"} | headers)
    answer = line.getresponse()
    answer.body = answer.read()
    line.close()
    return answer


@pytest.mark.parametrize("path", ["/desk/live?of=incident-1", "/desk/channels"])
def test_the_raw_route_answers_as_the_ordinary_page(busy, path):
    with served(busy) as address:
        raw = fetched(busy, address, "clerk", path=path)
        page = busy.client("clerk").get(path)
    assert (raw.status, raw.body) == (200, page.content)
    kept = {name.lower(): value for name, value in raw.getheaders()}
    assert kept["vary"].startswith(page.headers.pop("Vary"))
    assert {n.lower(): v for n, v in page.headers.items()}.items() <= kept.items()


def test_whoever_can_unpack_it_gets_it_packed(busy):
    with served(busy) as address:
        plain = fetched(busy, address, "clerk")
        packed = fetched(busy, address, "clerk", **{"Accept-Encoding": "gzip, deflate, br"})
    assert packed.getheader("Content-Encoding") == "gzip"
    assert plain.getheader("Content-Encoding") is None
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 3


def test_the_raw_route_opens_for_nobody_for_whom_the_page_does_not(busy, monkeypatch):
    account = busy.account("clerk")
    with served(busy) as address:
        assert fetched(busy, address, "clerk").status == 200
        assert fetched(busy, address, "clerk", Cookie="fengsui=forged").status == 302
        assert fetched(busy, address, "clerk", Cookie="").getheader("Location").startswith("/login")
        assert fetched(busy, address, "clerk", method="POST").status in (403, 405)

        account.must_change = True
        account.save()
        a_second_later()
        assert fetched(busy, address, "clerk").getheader("Location") == "/own"
        account.must_change = False
        account.save()
        a_second_later()

        busy.client("township").post("/logout")
        assert fetched(busy, address, "township").status == 302

        monkeypatch.setitem(rights.RIGHTS, "desk_live", frozenset({"signer"}))
        assert fetched(busy, address, "clerk").status == 403
        assert fetched(busy, address, "signer").status == 200
        monkeypatch.undo()

        account.stamp = "changed"  # the password was
        account.save()
        a_second_later()
        assert (
            fetched(busy, address, "clerk", **{"HX-Request": "true"})
            .getheader("HX-Redirect")
            .startswith("/login")
        )


def test_where_the_raw_route_cannot_read_the_ordinary_page_answers(busy, monkeypatch):
    def broken(*_):
        raise asgi.Errors[0]("the file is gone")

    key = busy.client("clerk").cookies["fengsui"].value
    with served(busy) as address:
        assert asgi.glance("desk_live", broken, key, b"") is None
        monkeypatch.setattr(live.Part, "_body", lambda *_: asgi.glance("desk_live", broken, key, b""))
        assert (
            fetched(busy, address, "clerk").body
            == busy.client("clerk").get("/desk/live?of=incident-1").content
        )
