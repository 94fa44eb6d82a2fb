"""虚构的手机 Phones: a page of the rehearsal, not of the product — every message as the centre delivered it, and a
way to answer; how fast time runs; whether the cast answers by itself.
"""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from fengsui.core import calendar
from fengsui.rehearse.stage import Stage

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

SPEEDS = (1.0, 10.0, 60.0)
SHOWN = 60
"""Phones on the page; a filter finds the others."""
POLICY = b"default-src 'self'; style-src 'self'; form-action 'self'; frame-ancestors 'none'"


class Phones:
    """Stands in front of the product's application and keeps ``/rehearse`` for itself."""

    def __init__(self, stage: Stage, application: Application) -> None:
        self.stage, self.application = stage, application
        self.speed = 1.0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["path"] != "/rehearse":
            await self.application(scope, receive, send)
            return
        wanted = parse_qs(scope["query_string"].decode()).get("q", [""])[0]
        if scope["method"] == "POST":
            self._do(parse_qs((await _body(receive)).decode()))
            await _redirect(send, scope["query_string"])
        else:
            await _page(send, self._shown(wanted))

    def _do(self, form: dict[str, list[str]]) -> None:
        if "speed" in form and float(form["speed"][0]) in SPEEDS:
            self.speed = float(form["speed"][0])
        if "automatic" in form:
            self.stage.automatic = form["automatic"][0] == "yes"
        if "number" in form and form.get("text") and form["number"][0] in self.stage.cast.by_number:
            self.stage.answer(form["number"][0], form["text"][0][:70])

    def _shown(self, wanted: str) -> str:
        rows = sorted(self.stage.phones.items(), key=lambda item: -item[1][-1].at)
        found = [self._phone(number) for number, _ in rows if self._matches(number, wanted)]
        speeds = "".join(
            f'<button name="speed" value="{s:g}"{" disabled" if s == self.speed else ""}>×{s:g}</button>'
            for s in SPEEDS
        )
        other, words = ("no", "改为不自动应答") if self.stage.automatic else ("yes", "改为自动应答")
        return (
            '<h1>虚构的手机</h1><p class="note">模拟专用。短信由演练短信中心送达；号码以 100 开头，打不通。</p>'
            f'<form method="post" class="filter">时间快慢 {speeds}<span class="grow"></span>'
            f'<button name="automatic" value="{other}">{words}</button></form>'
            f'<form class="filter"><label>找人<input name="q" value="{html.escape(wanted)}"></label><button>找</button>'
            '<a href="/rehearse">全部</a><a href="/">到系统去</a></form>'
            f'<div class="columns">{"".join(found[:SHOWN]) or "<p class=empty>还没有短信。签发一条预警，短信就会出现在这里。</p>"}</div>'
        )

    def _matches(self, number: str, wanted: str) -> bool:
        person = self.stage.cast.by_number[number]
        unit = self.stage.pack.units.get(person.unit)
        return not wanted or wanted in f"{number} {person.name} {unit.name if unit else ''}"

    def _phone(self, number: str) -> str:
        person = self.stage.cast.by_number[number]
        unit = self.stage.pack.units.get(person.unit)
        place = unit.name if unit else self.stage.pack.areas[person.area].name
        heard = "".join(
            f"<li><time>{calendar.local(h.at, self.stage.pack.zone):%H:%M:%S}</time> {_linked(h.text)}</li>"
            for h in reversed(self.stage.phones[number][-4:])
        )
        letters = "".join(
            f"<li><small>邮件</small> {html.escape(letter.subject)}</li>"
            for letter in [x for x in self.stage.mailbox.letters if x.to == person.email][-2:]
            if person.email
        )
        keys = "".join(f'<button name="text" value="{d}">{d}</button>' for d in "1230")
        answer = (
            f'<form method="post" class="filter"><input type="hidden" name="number" value="{number}">{keys}</form>'
            f'<form method="post" class="filter"><input type="hidden" name="number" value="{number}">'
            f'<input name="text" aria-label="回复" placeholder="回复"><button>发送</button></form>'
        )
        return (
            f'<section class="card"><h3>{html.escape(place)} {html.escape(person.name)} <small>{number}</small></h3>'
            f"<ul>{heard}{letters}</ul>{answer}</section>"
        )


def _linked(text: str) -> str:
    """A message with its link to press."""
    words = html.escape(text)
    start = words.find("http://")
    if start < 0:
        return words
    end = next((i for i in range(start, len(words)) if words[i] in " 。，；"), len(words))
    return f'{words[:start]}<a href="{words[start:end]}">{words[start:end]}</a>{words[end:]}'


async def _body(receive: Receive, most: int = 4096) -> bytes:
    body = b""
    while len(body) <= most:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return body[:most]


async def _page(send: Send, body: str) -> None:
    text = (
        '<!doctype html><html lang="zh-CN" class="test"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="5">'
        '<title>虚构的手机</title><link rel="stylesheet" href="/static/fengsui.css">'
        f"<main>{body}</main></html>"
    ).encode()
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-security-policy", POLICY)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text})


async def _redirect(send: Send, query: bytes) -> None:
    target = b"/rehearse" + (b"?" + query if query else b"")
    await send({"type": "http.response.start", "status": 303, "headers": [(b"location", target)]})
    await send({"type": "http.response.body", "body": b""})
