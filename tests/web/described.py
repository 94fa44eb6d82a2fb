"""The pages as an OpenAPI document, made from ``web.urls`` and from the forms as they are served: test data, no promise.

A visitor who is logged in follows links from his first pages, a few of each named page, and notes what every form asks
for and which values it offers. A new page describes itself by being linked; one that nobody links to still has its
address here, with invented words in it.
"""

from __future__ import annotations

import http.client
import re
from collections import deque
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, urlsplit

from django.urls import Resolver404, resolve

from fengsui.web import rights
from fengsui.web.urls import urlpatterns

EACH = 3
"""Addresses looked at for one named page."""
OFFERED = 6
"""Values of a field that are kept."""
LEFT_OUT = frozenset({"logout"})
"""It would end the session of the test. The streams, which never end their answer, have no name to begin with."""
RAW = {"phone": "a/<token>", "health": "health", "overlay": "tv/overlay"}
"""Addresses of the raw entry."""
OPEN = frozenset({"text", "search", "password", "tel", "datetime-local", "number", "date", "email", "url"})
"""Inputs into which anything can be typed; of the others only the values that they offer are right."""


@dataclass
class Page:
    """What is known of a named page: values in its address and its query, fields of its form, which are open or files."""

    places: dict[str, list[str]] = field(default_factory=dict)
    query: dict[str, list[str]] = field(default_factory=dict)
    fields: dict[str, list[str]] = field(default_factory=dict)
    typed: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    posted: bool = False


class Visitor(NamedTuple):
    """Somebody at a browser; the headers say who."""

    host: str
    headers: dict[str, str]

    def get(self, path: str) -> str:
        """A page's HTML, "" if it is none or does not open."""
        connection = http.client.HTTPConnection(self.host, timeout=10)
        try:
            connection.request("GET", quote(path, safe="/?&=%|+"), headers=self.headers)
            answer = connection.getresponse()
            kind = answer.getheader("content-type", "")
            return answer.read().decode() if answer.status == 200 and kind.startswith("text/html") else ""
        finally:
            connection.close()


class _Read(HTMLParser):
    """Links of a page; its forms go straight to what is known."""

    def __init__(self, pages: dict[str, Page], path: str) -> None:
        super().__init__()
        self._pages, self._path = pages, path
        self.links: list[str] = []
        self._open: list[Page] = []  # the page that takes the form, and those that htmx posts it to, too
        self._query = False
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and given.get("href", "").startswith(("/", "?")):
            self.links.append(self._address(given["href"]))
        if tag == "form":
            self._open, self._query = [], given.get("method", "get").lower() == "get"
            self._takes(given.get("action", ""))
        if "hx-get" in given:
            self.links.append(self._address(given["hx-get"]))
        if "hx-post" in given and self._open:
            self._takes(given["hx-post"])
        self._field(tag, given)

    def _address(self, given: str) -> str:
        return given if given.startswith("/") else self._path + given.partition("#")[0]

    def _takes(self, action: str) -> None:
        if (page := noted(self._pages, self._address(action))) is not None:
            page.posted |= not self._query
            self._open.append(page)

    def _field(self, tag: str, given: dict[str, str]) -> None:
        if tag == "select":
            self._select = given.get("name", "")
        name = self._select if tag == "option" else given.get("name", "")
        if not name or name == "csrfmiddlewaretoken":
            return
        kind = given.get("type", "text" if tag == "input" else "")
        for page in self._open:
            values = [given["value"]] if "value" in given else ["on"] if kind == "checkbox" else []
            _keep(page.query if self._query else page.fields, name, values)
            if tag == "textarea" or kind in OPEN:
                page.typed.add(name)
            if kind == "file":
                page.files.add(name)

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        if tag == "form":
            self._open = []


def visited(visitor: Visitor, first: tuple[str, ...]) -> dict[str, Page]:
    """What a visitor finds from his first pages on, by the name of the page."""
    pages: dict[str, Page] = {}
    queue, seen = deque(first), set(first)
    while queue:
        path = queue.popleft()
        read = _Read(pages, urlsplit(path).path)
        read.feed(visitor.get(path))
        for link in read.links:
            fresh = noted(pages, link) is not None and link not in seen
            if fresh and sum(_named(s) == _named(link) for s in seen) < EACH:
                seen.add(link)
                queue.append(link)
    return pages


def _named(address: str) -> str:
    path = urlsplit(address).path
    try:
        return resolve(path).url_name or ""
    except Resolver404:
        return "phone" if re.fullmatch(r"/a/[^/]+", path) else ""


def noted(pages: dict[str, Page], address: str) -> Page | None:
    """The page of an address, with what the address says of it; None if there is none."""
    url, name = urlsplit(address), _named(address)
    if not name:
        return None
    page = pages.setdefault(name, Page())
    places = {"token": url.path[3:]} if name == "phone" else resolve(url.path).kwargs
    for place, value in places.items():
        _keep(page.places, place, [str(value)])
    for key, value in parse_qsl(url.query, keep_blank_values=True):
        _keep(page.query, key, [value])
    return page


def _keep(known: dict[str, list[str]], key: str, values: list[str]) -> None:
    kept = known.setdefault(key, [])
    kept += [v for v in values if v not in kept][: OFFERED - len(kept)]


# ── the document ─────────────────────────────────────────────────────────────


def document(pages: dict[str, Page], role: str, seeds: dict[str, str]) -> dict[str, Any]:
    """The addresses that open for a role; without one those that ask for no login.

    seeds: what somebody knows who works here and no page offers (a password), by the name of the field.
    """
    routes = RAW | {str(p.name): str(p.pattern) for p in urlpatterns}
    public = rights.PUBLIC | RAW.keys()
    wanted = [
        n
        for n in routes
        if (n in public) != bool(role) and (n in public or rights.may(role, n)) and n not in LEFT_OUT
    ]
    paths = {
        "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", routes[name]): _item(routes[name], name, pages, seeds)
        for name in wanted
    }
    return {"openapi": "3.0.3", "info": {"title": "pages", "version": "1"}, "paths": paths}


def _item(route: str, name: str, pages: dict[str, Page], seeds: dict[str, str]) -> dict[str, Any]:
    page = pages.get(name, Page(posted=name not in RAW))
    places = [
        {"name": p, "in": "path", "required": True, "schema": _one(page.places.get(p, []), free=False)}
        for p in re.findall(r"<(?:\w+:)?(\w+)>", route)
    ]
    query = [{"name": k, "in": "query", "schema": _one(v, free=True)} for k, v in page.query.items()]
    answers = {"responses": {"default": {"description": "a page"}}}
    item = {"get": {"operationId": name, "parameters": places + query, **answers}}
    if page.posted:
        item["post"] = {
            "operationId": f"{name}!",
            "parameters": places + query,
            **_body(page, seeds),
            **answers,
        }
    return item


def _one(values: list[str], *, free: bool) -> dict[str, Any]:
    """One of the values offered; anything where nothing is, or where something else may be typed."""
    anything: dict[str, Any] = {"type": "string", "maxLength": 80}
    offered = {"type": "string", "enum": values}
    if not values:
        return anything
    return {"anyOf": [offered, anything]} if free else offered


def _body(page: Page, seeds: dict[str, str]) -> dict[str, Any]:
    if not page.fields:
        return {}
    fields: dict[str, Any] = {}
    for name, values in page.fields.items():
        offered = [*values, *([seeds[name]] if name in seeds else [])]
        one = _one(offered, free=name in page.typed)
        several = {"type": "array", "maxItems": 4, "items": one}
        fields[name] = one if len(offered) < 2 or name in page.typed else {"anyOf": [one, several]}
    fields |= {name: {"type": "string", "format": "binary", "maxLength": 2000} for name in page.files}
    kind = "multipart/form-data" if page.files else "application/x-www-form-urlencoded"
    schema = {"type": "object", "properties": fields, "required": list(fields)}
    return {"requestBody": {"content": {kind: {"schema": schema}}}}
