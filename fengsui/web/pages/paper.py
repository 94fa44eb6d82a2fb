"""打印 Paper: the 预警信号发布单 (also as DOCX) and the 叫应电话单 as PDF — made by a job, so that a page waits and never a warning.

A plain link answers with the PDF. If it takes long, or too many pages wait already, a page says so and comes back by
itself; if characters are not in our fonts, a page says which before the paper is opened. No script is needed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import TimeoutError as Late
from urllib.parse import urlencode

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from fengsui.flow.jobs import Job, Task
from fengsui.formats import pdf
from fengsui.formats.pdf import Ink, Printed
from fengsui.store.archive import Paper
from fengsui.web import here, numbers, sheets
from fengsui.web.pages.login import account_of
from fengsui.web.pages.trouble import missing
from fengsui.web.sheets import Sheet

PROGRAM = "fengsui.formats.pdf"
WRITER = "fengsui.formats.docx"
DOCUMENT = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
KIND = "issue_form"
"""Printed forms of issue in the archive. Call sheets are not kept: their numbers would leave the vault."""
PATIENCE = 3.0
"""Seconds a page waits for its sheet before it says that it will come."""
_places = threading.BoundedSemaphore(2)
"""How many of the few threads for pages may wait for paper: signing needs them."""


@require_GET
def issue(request: HttpRequest, stream: str, version: int) -> HttpResponse:
    """The form of issue of one version; ``?ink=black`` for fax and copier."""
    ink: Ink = "black" if request.GET.get("ink") == "black" else "colour"
    made = _task(request, f"issue/{stream}/{version}/{ink}", lambda: sheets.issue(stream, version, ink))
    if made is None:
        return missing(request)
    printed = _printed(request, made, reverse("stream", args=[stream]))
    if isinstance(printed, HttpResponse):
        return printed
    numbers.keep(Paper(KIND, printed.pdf))
    return _opened(printed, made)


@require_GET
def document(request: HttpRequest, stream: str, version: int) -> HttpResponse:
    """The form of issue as a document to be edited."""
    made = _task(
        request, f"document/{stream}/{version}", lambda: sheets.issue(stream, version, "colour"), WRITER
    )
    if made is None:
        return missing(request)
    printed = _printed(request, made, reverse("signal", args=[stream, version]))
    if isinstance(printed, HttpResponse):
        return printed
    numbers.keep(Paper(KIND, printed.pdf))
    return _opened(printed, made, DOCUMENT)


@require_GET
def calls(request: HttpRequest) -> HttpResponse:
    """The call sheet; whole numbers only for whoever may see them, each printing recorded before it is shown."""
    account = account_of(request)
    whole = numbers.whole(account.role)
    made = _task(request, f"calls/{'whole' if whole else 'masked'}", lambda: sheets.calls(whole=whole))
    if made is None:
        return missing(request)
    printed = _printed(request, made, reverse("call_sheet"))
    if isinstance(printed, HttpResponse):
        return printed
    title, *shows = made.job.about
    if shows:
        numbers.unmasked(account, shows, f"打印{title}")
    return _opened(printed, made)


def opened(
    request: HttpRequest, stem: str, made: Callable[[], Sheet | None], page: str, *names: str
) -> HttpResponse:
    """Any other sheet, opened when it is made. stem: what its job is called; page, names: where to go back to."""
    task = _task(request, stem, made)
    if task is None:
        return missing(request)
    printed = _printed(request, task, reverse(page, args=names))
    return printed if isinstance(printed, HttpResponse) else _opened(printed, task)


def _task(
    request: HttpRequest, stem: str, made: Callable[[], Sheet | None], program: str = ""
) -> Task | None:
    """The job that a waiting page comes back for (``?at=``), else one for the ledger as it is now."""
    jobs = here.house().jobs
    if known := jobs.known(f"{stem}/{request.GET.get('at', '')}"):
        return known
    sheet = made()
    if sheet is None:
        return None
    job = Job(program or PROGRAM, msgspec.json.encode(sheet.order), (sheet.name, *sheet.shows))
    return jobs.later(job, f"{stem}/{sheet.order.sheet.seal.seq}")


def _printed(request: HttpRequest, task: Task, back: str) -> Printed | HttpResponse:
    """The sheet, or the page that stands in for it: it is still being made, it failed, it lacks characters."""
    _wait(task)
    asked = request.GET.dict() | {"at": task.key.rsplit("/", 1)[1]}
    said = {
        "title": task.job.about[0],
        "back": back,
        "again": f"{request.path}?{urlencode(asked)}",
        "seen": f"{request.path}?{urlencode(asked | {'seen': '1'})}",
        "afresh": f"{request.path}?{urlencode({k: v for k, v in asked.items() if k == 'ink'})}",
    }
    if not task.result.done():
        page = render(request, "paper.html", said | {"ahead": here.house().jobs.ahead(task)}, status=202)
        page.headers["Refresh"] = f"1; url={said['again']}"
        return page
    if error := task.result.exception():
        return render(request, "paper.html", said | {"wrong": str(error)}, status=503)
    printed = pdf.read(task.result.result())
    if printed.missing and "seen" not in request.GET:
        return render(request, "paper.html", said | _lacking(printed))
    return printed


def _wait(task: Task) -> None:
    """Give the job a little time, unless as many pages as may are waiting already."""
    if not _places.acquire(blocking=False):
        return
    try:
        task.result.exception(PATIENCE)
    except Late:
        pass
    finally:
        _places.release()


def _lacking(printed: Printed) -> dict[str, list[str]]:
    """Characters outside our fonts: those that stand on the paper in another font, and those that do not stand there."""
    named = [(char in printed.blank, f"{char}（U+{ord(char):04X}）") for char in printed.missing]
    return {"blank": [n for b, n in named if b], "borrowed": [n for b, n in named if not b]}


def _opened(printed: Printed, task: Task, kind: str = "application/pdf") -> HttpResponse:
    """The PDF, to be looked at and printed, or the document, to be saved; its name is Chinese."""
    answer = HttpResponse(printed.pdf, content_type=kind)
    name, ending = task.job.about[0], "docx" if kind == DOCUMENT else "pdf"
    answer.headers["Content-Disposition"] = content_disposition_header(ending == "docx", f"{name}.{ending}")
    return answer
