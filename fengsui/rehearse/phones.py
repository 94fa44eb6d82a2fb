"""虚构的手机 Phones: a page of the rehearsal, not of the product — what the centre delivered to each phone, and answering.

Besides: how fast time runs, whether the cast answers by itself, and the logins and the PIN of the visit. Without script
it is a page to reload; with it the messages renew themselves and what is being typed stays.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode

from django.template import Engine
from django.utils.safestring import SafeString

from fengsui.core import calendar, suspension
from fengsui.core.directory import Post
from fengsui.rehearse.people import Invented
from fengsui.rehearse.stage import Heard, Stage

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

SPEEDS = (1.0, 10.0, 60.0)
SHOWN = 60
"""Phones in the list; a search finds the others."""
LINES = 40
"""Newest lines of the open phone."""
LONGEST = 335
"""Most characters of an answer: five parts."""
PLACE = "/rehearse"
KEYS = (("1", "收到"), ("2", "已再传播"), ("3", "需支援"), ("0", "非本人"))
NAMES = {"public": "公众名单", "schools": "学校名单", "sites": "工地名单"}
HEAD = re.compile(r"^(【[^】]*】)*([^。：]{2,12}气象台\d+年\d+月\d+日\d+时\d+分)?")
"""How every text begins: the list shows what comes behind it."""
LINK = re.compile(r"https?://[!-~]+")
POLICY = b"default-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
FOLDER = Path(__file__).with_name("templates")


class Login(NamedTuple):
    """A ready login: its name, and whose role it is."""

    name: str
    title: str


class Ready(NamedTuple):
    """What is ready for a visitor: logins, the password of all of them, the PIN of everybody who may decide."""

    logins: tuple[Login, ...] = ()
    password: str = ""
    pin: str = ""


class Line(NamedTuple):
    """A line of a phone. kind: in, out, mail; pieces: (words, whether they are a link)."""

    kind: str
    at: str
    source: str
    subject: str
    parts: int
    pieces: tuple[tuple[str, bool], ...]


class Phone(NamedTuple):
    """A phone in the list: whose it is, what its holder is, and its newest line."""

    number: str
    name: str
    place: str
    posts: str
    decides: bool
    count: int
    at: str
    last: str


class Asked(NamedTuple):
    """What a request asks for: a search, and the phone that is open."""

    wanted: str
    number: str

    @property
    def address(self) -> str:
        """The page that shows it."""
        given = {"q": self.wanted, "phone": self.number}
        return f"{PLACE}?{urlencode({k: v for k, v in given.items() if v})}".rstrip("?")


class Phones:
    """Stands in front of the product's application and keeps ``/rehearse`` for itself."""

    def __init__(self, stage: Stage, application: Application, ready: Ready | None = None) -> None:
        """ready: shown on the page, since this is a rehearsal."""
        self.stage, self.application, self.ready = stage, application, ready or Ready()
        self.speed = 1.0
        self._engine = Engine(dirs=[str(FOLDER)])
        self._posts: dict[str, list[Post]] = {}
        for post in stage.population.posts:
            self._posts.setdefault(post.holder, []).append(post)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        path = scope["path"] if scope["type"] == "http" else ""
        if path == f"{PLACE}/phones.css":
            await _answer(send, (FOLDER / "phones.css").read_bytes(), b"text/css; charset=utf-8")
        elif path in (PLACE, f"{PLACE}/live"):
            await self._page(scope, receive, send)
        else:
            await self.application(scope, receive, send)

    async def _page(self, scope: Message, receive: Receive, send: Send) -> None:
        given = parse_qs(scope["query_string"].decode("latin-1"))
        asked = Asked(_one(given, "q"), _one(given, "phone"))
        live = any(name == b"hx-request" for name, _ in scope["headers"])
        form = (
            parse_qs((await _body(receive)).decode("utf-8", "replace")) if scope["method"] == "POST" else {}
        )
        sent = self._do(form, asked.number)
        if form and not live:
            await _redirect(send, asked.address)
            return
        context = self._context(asked)
        changed = not form and context["have"] != _one(given, "have")
        context |= {"live": live, "sent": sent, "typed": _one(form, "typed"), "changed": changed}
        kept = (
            () if sent or changed else ((b"hx-reswap", b"none"),)
        )  # what did not change stays under the pointer
        await _answer(send, self._render("live.html" if live else "phones.html", context), more=kept)

    def _render(self, name: str, context: dict[str, Any]) -> bytes:
        from django.template import Context  # noqa: PLC0415 - asks Django for its settings, which need a place

        text: SafeString = self._engine.get_template(name).render(Context(context))
        return str(text).encode()

    def _do(self, form: dict[str, list[str]], number: str) -> bool:
        """What a form says; whether an answer was sent."""
        speed, automatic, text = (_one(form, name) for name in ("speed", "automatic", "text"))
        if speed in {f"{s:g}" for s in SPEEDS}:
            self.speed = float(speed)
        if automatic:
            self.stage.automatic = automatic == "yes"
        if not (text.strip() and number in self.stage.cast.by_number):
            return False
        self.stage.answer(number, text.strip()[:LONGEST])
        return True

    # ── what is shown ────────────────────────────────────────────────────────

    def _context(self, asked: Asked) -> dict[str, Any]:
        stage = self.stage
        found = [number for number in self._sorted(asked.wanted) if self._matches(number, asked.wanted)]
        now = calendar.local(stage.clock.now(), stage.pack.zone)
        open_ = asked.number if asked.number in stage.cast.by_number else ""
        return {
            "asked": asked,
            "have": f"{self._mark()} {asked.number} {asked.wanted}",
            "phones": [self._phone(number) for number in found[:SHOWN]],
            "more": max(0, len(found) - SHOWN),
            "heard": len(stage.phones),
            "phone": self._phone(open_) if open_ else None,
            "lines": list(self._lines(open_))[:LINES] if open_ else [],
            "speeds": [(f"{s:g}", s == self.speed) for s in SPEEDS],
            "automatic": stage.automatic,
            "clock": f"{now.month}月{now.day}日 {now:%H:%M:%S}",
            "keys": KEYS,
            "ready": self.ready,
        }

    def _mark(self) -> int:
        """Grows with whatever a phone shows."""
        return sum(map(len, self.stage.phones.values())) + self.stage.mailbox.count

    def _sorted(self, wanted: str) -> list[str]:
        """Phones that have heard something, the latest first; behind them, where somebody is sought, the others."""
        heard = sorted(self.stage.phones, key=lambda number: -self.stage.phones[number][-1].at)
        return heard + [n for n in self.stage.cast.by_number if wanted and n not in self.stage.phones]

    def _matches(self, number: str, wanted: str) -> bool:
        phone = self._phone(number)
        words = f"{number} {phone.name} {phone.place} {phone.posts}"
        return all(word in words for word in wanted.split())

    def _phone(self, number: str) -> Phone:
        person, heard = self.stage.cast.by_number[number], self.stage.phones.get(number, [])
        held = self._posts.get(person.id, [])
        roles = dict.fromkeys(self._area(p) + self.stage.pack.roles[p.role] for p in held)
        return Phone(
            number,
            person.name,
            self._place(person),
            "、".join(roles) or NAMES.get(person.list, ""),
            any(p.role in suspension.DECIDERS for p in held),
            sum(not h.mine for h in heard),
            self._time(heard[-1].at)[:5] if heard else "",
            HEAD.sub("", heard[-1].text)[:60] if heard else "",
        )

    def _place(self, person: Invented) -> str:
        unit = self.stage.pack.units.get(person.unit)
        return unit.name if unit else self.stage.pack.areas[person.area].name

    def _area(self, post: Post) -> str:
        """The village that a post answers for."""
        area = self.stage.pack.areas[post.area]
        return area.name if area.kind == "village" else ""

    def _time(self, at: int) -> str:
        return f"{calendar.local(at, self.stage.pack.zone):%H:%M:%S}"

    def _lines(self, number: str) -> Iterator[Line]:
        """Everything that came to a phone's holder and went out from him, the newest first."""
        email = self.stage.cast.by_number[number].email
        letters = [x for x in self.stage.mailbox.letters if email and x.to == email]
        found = [(h.at, self._message(h)) for h in self.stage.phones.get(number, [])]
        found += [
            (x.at, Line("mail", self._time(x.at), "", x.subject, 1, tuple(_pieces(x.text)))) for x in letters
        ]
        return (line for _, line in sorted(found, key=lambda one: one[0], reverse=True))

    def _message(self, heard: Heard) -> Line:
        kind = "out" if heard.mine else "in"
        return Line(kind, self._time(heard.at), heard.source, "", heard.parts, tuple(_pieces(heard.text)))


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """A text cut where it has links."""
    at = 0
    for found in LINK.finditer(text):
        yield text[at : found.start()], False
        yield found[0], True
        at = found.end()
    yield text[at:], False


def _one(form: dict[str, list[str]], name: str) -> str:
    return form.get(name, [""])[0]


async def _body(receive: Receive, most: int = 4096) -> bytes:
    body = b""
    while len(body) <= most:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return body[:most]


async def _answer(
    send: Send,
    body: bytes,
    kind: bytes = b"text/html; charset=utf-8",
    more: tuple[tuple[bytes, bytes], ...] = (),
) -> None:
    headers = [
        (b"content-type", kind), (b"content-security-policy", POLICY), (b"cache-control", b"no-store"),
        (b"content-length", str(len(body)).encode()), *more,
    ]  # fmt: skip
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _redirect(send: Send, target: str) -> None:
    headers = [(b"location", target.encode())]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
