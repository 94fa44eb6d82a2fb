"""更正量测 Correct bench: a warning signed and then taken back through the pages, timed to the last phone — the same phones.

House, web server, lane and SMPP are the product's. The audience are responsible persons; call sheets are printed while
the warning is drafted and signed. Times run from sending the form: password hash, rules, commit and all.
"""

from __future__ import annotations

import asyncio
import http.client
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from django.conf import settings

from fengsui.core.clauses import Pack
from fengsui.flow import serve
from fengsui.flow.clock import Clock
from fengsui.flow.jobs import Job
from fengsui.gateways.sms_smpp import SmsSmpp
from fengsui.rehearse.bench import ack, place
from fengsui.rehearse.bench.dispatch import way
from fengsui.rehearse.smsc import Centre
from fengsui.store.sql import Session
from fengsui.store.vault import Vault

PASSWORD = "liangce yong de kouling"  # noqa: S105 - of a place that is thrown away
CSRF = "a" * 32
PRINTING = 12
"""Call sheets that are being printed while the warning is signed."""
CALM = 30.0
"""Seconds without any message after which the rest counts as missing."""
SERVES = "fengsui.formats.pdf"


class Got(NamedTuple):
    """A message that arrived at a phone: whose, when (monotonic), its words."""

    number: str
    at: float
    text: str


class Form(NamedTuple):
    """An answer of a page: its status, where it leads, its words, ms from asking to the last byte."""

    status: int
    place: str
    text: str
    ms: float


def bench(data: Path | None, database: str, *, recipients: int) -> dict[str, Any]:
    """One run; its figures. Raises ValueError for numbers that make no sense, or where a page refuses."""
    if not 1 <= recipients <= 100_000:
        raise ValueError("recipients 应为 1–100000。[B006]")
    with place.empty(data, database) as keys:
        rules = place.pack()
        place.populate(keys, rules, responsible=recipients, members=0)
        _login("forecaster", place.AUTHOR)
        _login("signer", place.SIGNER)
        found = serve.run(_corrected(keys, rules, recipients))
    return {"recipients": recipients, **found}


def _login(role: str, person: str) -> None:
    """An account that knows its password."""
    from fengsui.store.accounts import Account  # noqa: PLC0415 - tables need Django configured, which needs a place
    from fengsui.web import guard  # noqa: PLC0415

    account = Account(username=role, name=role, role=role, unit="meteorology", person=person)
    guard.set_password(account, PASSWORD)


async def _corrected(keys: Vault, rules: Pack, recipients: int) -> dict[str, Any]:
    """Warn and take back; what the phones got, and when."""
    from fengsui.config.asgi import Application  # noqa: PLC0415 - pages need Django configured, which needs a place

    phones: list[Got] = []
    centre = Centre(on_message=lambda number, _, text, __: phones.append(Got(number, time.monotonic(), text)))
    clock = Clock()
    gateway = SmsSmpp("sms", way(await centre.start()), accepts=frozenset({"test"}), clock=clock.now)
    house = serve.House(rules, clock, keys, [gateway], address="http://127.0.0.1")
    await house.start()
    application = Application(house)
    try:
        await house.install("test")
        while not (await gateway.check()).up:  # noqa: ASYNC110 - before the clock starts
            await asyncio.sleep(0.01)
        await ack.warned(house, rules, 1)  # another warning has its duties open: what the sheets are full of
        await _over(phones, recipients)
        async with ack.door(application) as port:
            return await asyncio.to_thread(_played, port, house, phones, recipients)
    finally:
        application.close()
        await house.stop()
        await centre.stop()


def _played(port: int, house: serve.House, phones: list[Got], recipients: int) -> dict[str, Any]:
    """Both desks' work, on a thread of its own."""
    author, signer = _Desk(port, "forecaster"), _Desk(port, "signer")
    printed = _printing(house)
    page = author.get("/issue")
    draft = author.post("/issue", _warning(house))
    looked = signer.get(draft.place)
    proof = {"password": PASSWORD, "typed": "红色", "do": "sign", "seen": _field(looked.text, "seen")}
    signed = signer.post(draft.place, proof)
    pending = sum(not done() for done in printed)
    told = _arrived(phones, recipients, 1)
    stream = re.search(r'href="(/issue/[^"]+/correct)"', author.get(draft.place).text)
    if stream is None:
        raise ValueError(f"预警未签发：{signed.status}。[B007]")
    ready = author.get(stream[1])
    began = time.monotonic()
    answered = author.post(stream[1], _back(ready.text))
    again = _arrived(phones, recipients, 2)
    return {
        "draft_page_ms": page.ms,
        "sign_page_ms": looked.ms,
        "sign_ms": signed.ms,
        "printing": pending,
        "correct_page_ms": ready.ms,
        "correct_ms": answered.ms,
        "first_ms": _since(began, min((g.at for g in again), default=0.0)),
        "last_ms": _since(began, max((g.at for g in again), default=0.0)),
        "told": len({g.number for g in told}),
        "corrected": len({g.number for g in again if "撤回" in g.text}),
        "missing": len({g.number for g in told} - {g.number for g in again}),
        "strangers": len({g.number for g in again} - {g.number for g in told}),
        "same_set": {g.number for g in told} == {g.number for g in again if "撤回" in g.text},
        "twice": len(again) - len({g.number for g in again}),
        "database": _vendor(),
    }


def _warning(house: serve.House) -> dict[str, str]:
    from fengsui.web import written  # noqa: PLC0415 - tables need Django configured, which needs a place

    return {
        "form": "bench-1", "pair": "rainstorm/red", "zone": house.pack.district, "cause": "受强对流云团影响，",
        "forecast": "预计未来3小时降雨量将达100毫米以上。", "expires": written.local(house.clock.now() + 6 * place.HOUR),
        "do": "submit",
    }  # fmt: skip


def _back(page: str) -> dict[str, str]:
    """What somebody sends who presses the button of the first choice as it stands, his password typed."""
    return {
        "form": _field(page, "form"), "choice": "withdraw", "do": "alone", "replaces": _field(page, "replaces"),
        "cause": _field(page, "cause"), "reason": _field(page, "reason"), "password": PASSWORD,
    }  # fmt: skip


def _field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    return found[1] if found else ""


def _printing(house: serve.House) -> list[Callable[[], bool]]:
    """Have call sheets printed; for each whether it is done."""
    from fengsui.web import sheets  # noqa: PLC0415 - tables need Django configured, which needs a place

    sheet = sheets.calls(whole=True)
    if sheet is None:
        raise ValueError("没有叫应电话单可印。[B007]")
    job = Job(SERVES, msgspec.json.encode(sheet.order), (sheet.name,))
    return [house.jobs.later(job, f"bench/{n}").result.done for n in range(PRINTING)]


def _arrived(phones: list[Got], recipients: int, before: int) -> list[Got]:
    """What came after so many tellings of everybody, once everybody has it, or nothing has come for a while."""
    since, seen, moved = before * recipients, 0, time.monotonic()
    while len(phones) < since + recipients and time.monotonic() - moved < CALM:
        if len(phones) != seen:
            seen, moved = len(phones), time.monotonic()
        time.sleep(0.005)
    return phones[since:]


async def _over(phones: list[Got], wanted: int) -> None:
    end = time.monotonic() + CALM
    while len(phones) < wanted and time.monotonic() < end:  # noqa: ASYNC110 - before the clock starts
        await asyncio.sleep(0.01)


def _since(began: float, at: float) -> float:
    return round((at - began) * 1000, 1)


def _vendor() -> str:
    session = Session()
    try:
        return session.vendor
    finally:
        session.close()


class _Desk:
    """A browser in which somebody has logged in by the form."""

    def __init__(self, port: int, username: str) -> None:
        self._port = port
        self._known = {"Cookie": f"{settings.CSRF_COOKIE_NAME}={CSRF}", "X-CSRFToken": CSRF}
        answer = self._asked("POST", "/login", {"username": username, "password": PASSWORD})
        self._known["Cookie"] += f"; {settings.SESSION_COOKIE_NAME}={answer.text}"

    def get(self, address: str) -> Form:
        """A page."""
        return self._asked("GET", address, None)

    def post(self, address: str, fields: dict[str, str]) -> Form:
        """A form. Raises ValueError where the page refuses."""
        answer = self._asked("POST", address, fields)
        if answer.status != 303:
            wrong = re.findall(r'class="wrong"[^>]*>([^<]*)', answer.text)
            raise ValueError(f"{address} 未被接受：{' '.join(wrong)}[B007]")
        return answer

    def _asked(self, method: str, address: str, fields: dict[str, str] | None) -> Form:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        began = time.monotonic()
        try:
            kind = {"Content-Type": "application/x-www-form-urlencoded"} if fields else {}
            connection.request(method, address, urlencode(fields) if fields else None, self._known | kind)
            answer = connection.getresponse()
            body = answer.read().decode()
            ms = _since(began, time.monotonic())
            key = str(answer.getheader("set-cookie", "")).partition("fengsui=")[2].partition(";")[0]
            return Form(answer.status, answer.getheader("location", "") or "", key or body, ms)
        finally:
            connection.close()
