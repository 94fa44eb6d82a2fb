"""对外报文 CAP pages: the public feed, a page for each message, the certificates that others pin. No login, no persons.

Whatever is asked for, the bytes are those of the archive. Drills and rehearsals stand in feeds of their own.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from functools import lru_cache

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.views.decorators.http import require_safe
from lxml import etree

from fengsui.core import calendar, cap_forms
from fengsui.core.cap import Alert
from fengsui.core.series import Series
from fengsui.formats.cap import parse, write
from fengsui.formats.cap.read import read
from fengsui.store import archive, caps, signet
from fengsui.store.caps import Cap
from fengsui.store.sql import archive as open_archive
from fengsui.web import here

ATOM = "http://www.w3.org/2005/Atom"
CAP = "application/cap+xml"
SHOWN = 100
"""Messages in a feed, the newest."""
FRESH = "public, max-age=30"
FOREVER = "public, max-age=31536000, immutable"
"""A message never changes: what changes is another message."""
SERIES: dict[str, tuple[Series, str]] = {
    "feed": ("actual", "预警信息"),
    "exercise": ("exercise", "演练信息（不是真实预警）"),
    "test": ("test", "模拟信息（不是真实预警）"),
}
"""Feed → the series that stands in it, and what it is called."""


@require_safe
def cap(request: HttpRequest, name: str, form: str) -> HttpResponse:
    """A feed as ``.atom`` or ``.json``, or a message as ``.xml`` or ``.json`` by its identifier."""
    if name in SERIES and form in ("atom", "json"):
        return _feed(request, name, form)
    if form in ("xml", "json"):
        return _message(request, name, form)
    raise Http404


def _feed(request: HttpRequest, name: str, form: str) -> HttpResponse:
    """The newest messages of a series."""
    series, title = SERIES[name]
    found = caps.newest(here.session(), series, SHOWN)
    entries = [(cap, alert) for cap in found if (alert := _alert(cap.digest))]
    last = _changed(found)
    if form == "json":
        body = msgspec.json.encode({"alerts": [_linked(request, c, write.plain(a)) for c, a in entries]})
        return _answer(request, body, "application/json", _digest(body), last)
    body = _atom(request, name, title, entries)
    return _answer(request, body, "application/atom+xml; charset=utf-8", _digest(body), last)


def _message(request: HttpRequest, identifier: str, form: str) -> HttpResponse:
    """One message: its bytes as they were signed, or the same as JSON."""
    found = caps.find(here.session(), identifier)
    if found is None:
        raise Http404
    try:
        content = _content(found.digest)
    except archive.Erased:
        return HttpResponse("已按规定删除。", status=410, content_type="text/plain; charset=utf-8")
    if form == "xml":
        return _answer(request, content, CAP, found.digest, found.second, keep=FOREVER)
    alert = _alert(found.digest)
    body = msgspec.json.encode(write.plain(alert)) if alert else b"{}"
    return _answer(request, body, "application/json", f"{found.digest}-json", found.second, keep=FOREVER)


@require_safe
def certificates(request: HttpRequest) -> HttpResponse:
    """The certificates of everything that may sign now or signed before: to be pinned by whoever receives."""
    found = signet.load(here.house().vault.directory)
    body = b"".join(one.pem for one in reversed(found))
    last = found[-1].begins // 1_000_000 if found else 0
    return _answer(request, body, "application/x-pem-file", _digest(body), last)


# ── answers 应答 ──────────────────────────────────────────────────────────────


def _answer(
    request: HttpRequest, body: bytes, kind: str, digest: str, at: int, *, keep: str = FRESH
) -> HttpResponse:
    """The body, or that whoever asks has it already. at: UTC seconds of its last change, 0 = unknown."""
    etag = f'"{digest}"'
    response = HttpResponse(body, content_type=kind)
    found = get_conditional_response(request, etag, at or None, response) or response
    found.headers["ETag"] = etag
    found.headers["Cache-Control"] = keep
    found.headers["Access-Control-Allow-Origin"] = "*"
    if at:
        found.headers["Last-Modified"] = http_date(at)
    return found


def _changed(found: Sequence[Cap]) -> int:
    """UTC seconds: an older message may have been made later than a newer one."""
    papers = open_archive()
    try:
        return archive.changed(papers, [cap.digest for cap in found]) // calendar.SECOND
    finally:
        papers.close()


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]


def _content(digest: str) -> bytes:
    papers = open_archive()
    try:
        return archive.get(papers, digest)
    finally:
        papers.close()


@lru_cache(maxsize=512)
def _alert(digest: str) -> Alert | None:
    """A message read from its bytes; None where they were erased."""
    try:
        return read(parse.parse(_content(digest)))[0]
    except (archive.Erased, archive.Missing):
        return None


def _linked(request: HttpRequest, cap: Cap, alert: dict[str, object]) -> dict[str, object]:
    return {"url": _url(request, cap), **alert}


def _url(request: HttpRequest, cap: Cap) -> str:
    return request.build_absolute_uri(reverse("cap", args=[cap.identifier, "xml"]))


# ── Atom ─────────────────────────────────────────────────────────────────────


def _atom(request: HttpRequest, name: str, title: str, entries: list[tuple[Cap, Alert]]) -> bytes:
    root = etree.Element(f"{{{ATOM}}}feed", nsmap={None: ATOM})
    url = request.build_absolute_uri(reverse("cap", args=[name, "atom"]))
    issuer = here.pack().texts.issuer
    _say(root, "id", url)
    _say(root, "title", f"{issuer}{title}")
    _say(root, "updated", _time(max((c.second for c, _ in entries), default=0)))
    _say(_say(root, "author"), "name", issuer)
    _say(root, "link", rel="self", type="application/atom+xml", href=url)
    for cap, alert in entries:
        entry = _say(root, "entry")
        info = alert.infos[0]
        _say(entry, "id", _url(request, cap))
        _say(entry, "title", info.headline)
        _say(entry, "updated", cap_forms.written(alert.sent) if alert.sent else _time(cap.second))
        _say(entry, "summary", info.description)
        _say(entry, "category", term=alert.msg_type)
        _say(entry, "link", rel="alternate", type=CAP, href=_url(request, cap))
    etree.indent(root, space=" ")
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _say(parent: etree._Element, name: str, text: str = "", **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
    element.text = text or None
    return element


def _time(second: int) -> str:
    return f"{dt.datetime.fromtimestamp(second, dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
