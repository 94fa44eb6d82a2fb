"""Static files: as they stood when the process began, once for each browser, and an icon for who asks by himself."""

from __future__ import annotations

import logging
import re

import pytest
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.finders import FileSystemFinder
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings

from fengsui.web.files import Static


@pytest.fixture
def folder(tmp_path, settings_static):
    (tmp_path / "a.css").write_text("body{}")
    settings_static(tmp_path)
    return tmp_path


@pytest.fixture
def settings_static(quiet, monkeypatch):
    """Makes a folder the only place of static files."""

    def use(folder):
        with override_settings(STATICFILES_DIRS=[folder]):
            finder = FileSystemFinder()
        monkeypatch.setattr(finders, "get_finders", lambda: [finder])

    return use


def passed(request):
    del request
    return HttpResponse("on", status=418)


def test_a_file_edited_beneath_a_running_process_is_served_as_it_was(folder):
    static = Static(passed)
    (folder / "a.css").write_text("body{color:red} /* longer than before */")

    answer = static(RequestFactory().get("/static/a.css"))

    assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (
        200, b"body{}", "text/css; charset=utf-8",
    )  # fmt: skip
    (folder / "a.css").unlink()
    assert static(RequestFactory().get("/static/a.css")).content == b"body{}"
    assert Static(passed)(RequestFactory().get("/static/a.css")).status_code == 418, (
        "the next process sees it"
    )


def test_a_browser_that_has_it_is_told_so(folder):
    static = Static(passed)
    etag = static(RequestFactory().get("/static/a.css")).headers["ETag"]

    for known, status in ((etag, 304), (f'"x", W/"y", {etag}', 304), ('"x"', 200)):
        answer = static(RequestFactory().get("/static/a.css", HTTP_IF_NONE_MATCH=known))
        assert (answer.status_code, answer.headers["ETag"]) == (status, etag)
        assert answer.headers["Cache-Control"] == "max-age=60, public"


def test_what_is_no_static_file_goes_on(folder):
    static = Static(passed)
    for path in ("/static/../a.css", "/static/b.css", "/a.css", "/static/"):
        assert static(RequestFactory().get(path)).status_code == 418
    assert static(RequestFactory().post("/static/a.css")).status_code == 418


def test_who_asks_for_an_icon_by_himself_gets_one_without_a_word_in_the_log(quiet, caplog):
    with caplog.at_level(logging.WARNING):
        answer = Client().get("/favicon.ico")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/svg+xml")
    assert answer.content.startswith(b"<svg")
    assert caplog.records == []


def test_every_file_a_page_names_is_there(quiet):
    page = quiet.client().get("/own").content.decode()
    named = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)

    assert len(named) >= 3
    for path in named:
        answer = Client().get(path)
        assert answer.status_code == 200
        assert int(answer.headers["Content-Length"]) == len(answer.content)
