"""静态文件 Static files, held in memory as they stood when the process began.

An upgrade beneath a running process changes nothing in it: what is served has the length that was promised, and fits
the pages that ask for it.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.http import parse_etags

ICON = "icon.svg"
"""What browsers get that ask for ``/favicon.ico`` by themselves."""
AGE = "max-age=60, public"
"""Seconds for which a browser need not ask again."""


class File(NamedTuple):
    """One file in memory: what it is, and the digest by which a browser knows that it has it."""

    kind: str
    etag: str
    body: bytes


def files() -> Iterator[tuple[str, File]]:
    """Every static file by its address."""
    for finder in finders.get_finders():
        for path, storage in finder.list(None):
            body = Path(storage.path(path)).read_bytes()
            kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
            words = "; charset=utf-8" if kind.startswith("text/") else ""
            file = File(kind + words, f'"{hashlib.sha256(body).hexdigest()[:32]}"', body)
            yield f"{settings.STATIC_URL}{path}", file
            if path == ICON:
                yield "/favicon.ico", file


class Static:
    """Answers for static files; everything else goes on."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponse]) -> None:
        self.respond = respond
        self.files = dict(files())

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """One request."""
        file = self.files.get(request.path_info)
        if file is None or request.method not in ("GET", "HEAD"):
            return self.respond(request)
        headers = {"ETag": file.etag, "Cache-Control": AGE}
        if file.etag in parse_etags(request.headers.get("If-None-Match", "")):
            return HttpResponseNotModified(headers=headers)
        headers["Content-Length"] = str(len(file.body))
        return HttpResponse(file.body, content_type=file.kind, headers=headers)
