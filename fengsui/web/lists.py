"""列表 Lists: one way to show rows — filter, pages, CSV, and a sentence where there is nothing yet."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import xlsxwriter
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header

PAGE = 50
"""Rows on a page."""


class Cell(NamedTuple):
    """What one cell shows; ``kind`` names its look (ok, wait, late, plain), ``url`` makes it a link."""

    text: str
    kind: str = ""
    url: str = ""


Row = Sequence[Cell]


class Listing(NamedTuple):
    """A list: its title, column names, rows of cells, what to say when it is empty, and what stands above it.

    grouped: rows that follow one another with the same first cell stand under it together.
    """

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Row]
    empty: str
    note: str = ""
    actions: tuple[Cell, ...] = ()
    grouped: bool = False


def show(request: HttpRequest, listing: Listing, template: str = "list.html", **more: Any) -> HttpResponse:
    """The list as a page, or as CSV with ``?csv=1``, as XLSX with ``?xlsx=1``; ``?q=`` keeps rows in which the words stand."""
    wanted = request.GET.get("q", "").strip()
    rows = [r for r in listing.rows if not wanted or any(wanted in c.text for c in r)]
    if request.GET.get("csv"):
        return _csv(listing, rows)
    if request.GET.get("xlsx"):
        return _xlsx(listing, rows)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    groups = _groups(page, Counter(r[0].text for r in rows)) if listing.grouped else [("", 0, list(page))]
    shown = {"listing": listing, "page": page, "q": wanted, "groups": groups}
    return render(request, template, shown | more)


def _groups(page: Iterable[Row], sizes: Mapping[str, int]) -> list[tuple[str, int, list[Row]]]:
    """Rows under what they have in common, and how many there are of them on all pages."""
    return [(name, sizes[name], [r[1:] for r in some]) for name, some in groupby(page, lambda r: r[0].text)]


def _csv(listing: Listing, rows: Sequence[Row]) -> HttpResponse:
    """UTF-8 with a mark, so that the spreadsheet programs of offices read it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(listing.columns)
    writer.writerows([safe(c.text) for c in row] for row in rows)
    answer = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = "attachment; filename=list.csv"
    return answer


SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDTHS = (8, 60)
"""Characters of the narrowest and the widest column."""


def _xlsx(listing: Listing, rows: Sequence[Sequence[Cell]]) -> HttpResponse:
    """A workbook of texts: numbers stay as they are written, nothing is a formula or a link; the same rows, the same bytes."""
    body = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(body, options)
    book.set_properties({"title": listing.title, "created": dt.datetime(2000, 1, 1)})  # noqa: DTZ001 - not the moment of asking
    page = book.add_worksheet()
    head = book.add_format({"bold": True, "bottom": 1})
    table = [listing.columns, *([c.text for c in row] for row in rows)]
    for y, line in enumerate(table):
        for x, text in enumerate(line):
            page.write_string(y, x, text, head if y == 0 else None)
    for x, column in enumerate(zip(*table, strict=False)):
        least, most = WIDTHS
        page.set_column(x, x, min(max(least, *(2 * len(text) for text in column)), most))
    page.freeze_panes(1, 0)
    if rows:
        page.autofilter(0, 0, len(rows), len(listing.columns) - 1)
    book.close()
    answer = HttpResponse(body.getvalue(), content_type=SHEET)
    answer.headers["Content-Disposition"] = content_disposition_header(True, f"{listing.title}.xlsx")
    return answer


def safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text
