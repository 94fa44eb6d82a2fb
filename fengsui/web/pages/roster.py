"""名册导入导出 Roster: the table of responsible persons out and in — previewed first, all of it or nothing.

What is uploaded waits encrypted until it is confirmed, for one account one table.
"""

from __future__ import annotations

import base64
import csv
import io
import secrets
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from fengsui.core.facts import DirectoryChanged
from fengsui.core.state import DISTRICT
from fengsui.formats import roster as table
from fengsui.formats.roster import Wrong
from fengsui.store import roster
from fengsui.store.accounts import Account, Draft
from fengsui.store.roster import Plan
from fengsui.web import here, lists, numbers
from fengsui.web.pages.login import account_of
from fengsui.web.pages.people import scope, seen

KIND = "roster"
LARGEST = 5_000_000
"""Bytes of a file."""
SHOWN = 200
"""Changes on the preview; all errors are shown."""
EXAMPLE = ("", "聚乐乡人民政府", "张三", "10000000001", "", "", "", "值班员", "")


@require_GET
def template(request: HttpRequest) -> HttpResponse:
    """An empty table with its columns and one invented row."""
    del request
    return _csv((EXAMPLE,), "责任人模板")


@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """Everybody as a table that can be imported again. ``?whole=1`` gives whole numbers to whoever may, and is kept."""
    account, world = account_of(request), here.world()
    own = scope(account)
    known = [e for e in roster.everyone(here.session(), here.house().vault) if own in ("", e.unit)]
    whole = bool(request.GET.get("whole")) and numbers.whole(account.role)
    if whole:
        numbers.unmasked(account, [e.id for e in known], "导出名册（完整号码）")
    return _csv(roster.table(known, world.directory, world.pack, whole=whole), "责任人名册")


def _csv(rows: Iterable[Sequence[str]], name: str) -> HttpResponse:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(table.COLUMNS)
    writer.writerows([lists.safe(cell) for cell in row] for row in rows)
    answer = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{_quoted(name)}.csv"
    return answer


def _quoted(name: str) -> str:
    return "".join(f"%{byte:02X}" for byte in name.encode())


@require_http_methods(["GET", "POST"])
def load(request: HttpRequest) -> HttpResponse:
    """Upload, look, confirm."""
    account = account_of(request)
    if request.method == "GET":
        return _page(request)
    if request.POST.get("do") == "confirm":
        return _confirmed(request, account)
    upload = request.FILES.get("file")
    if upload is None or not upload.size:
        return _page(request, wrong="请选择一个 CSV 文件。[W150]")
    if upload.size > LARGEST:
        return _page(request, wrong="文件超过 5 MB，请分几个文件导入。[W151]")
    try:
        text = table.decode(upload.read())
    except UnicodeDecodeError:
        return _page(request, wrong="不是 UTF-8 或 GB18030 的文本，请在电子表格中另存为 CSV 再传。[W152]")
    plan = _plan(account, text)
    if plan.edit is not None:
        _keep(account, text)
    wrong = "文件有错，没有写入任何内容。请按下列提示改正后重新上传。[W159]" if plan.wrong else ""
    return _page(request, plan=plan, wrong=wrong, name=upload.name or "")


def _plan(account: Account, text: str) -> Plan:
    world = here.world()
    found = table.read(text, world.pack)
    foreign = [
        Wrong(row.line, "单位", world.pack.units[row.unit].name, "本单位；您只能维护本单位的名册")
        for row in found[0]
        if not seen(account, row.unit)
    ]
    known = [e for e in roster.everyone(here.session(), here.house().vault) if seen(account, e.unit)]
    return roster.plan((found[0], [*found[1], *foreign]), known, world.directory, world.pack)


def _keep(account: Account, text: str) -> None:
    body = base64.b64encode(here.house().vault.encrypt(text, KIND)).decode()
    Draft.objects.filter(kind=KIND, account=account.pk).delete()
    Draft.objects.create(kind=KIND, account=account.pk, body=body, at=here.now())


def _confirmed(request: HttpRequest, account: Account) -> HttpResponse:
    draft = Draft.objects.filter(kind=KIND, account=account.pk).first()
    if draft is None:
        return _page(request, wrong="没有待确认的名册（可能已经导入）。请看名册，需要时重新上传。[W153]")
    plan = _plan(account, here.house().vault.decrypt(base64.b64decode(draft.body), KIND))
    if plan.edit is None:
        return _page(request, plan=plan, wrong="名册在预览之后变动过，请按下列提示改正后重新上传。[W154]")
    unit = scope(account)
    fact = DirectoryChanged(DISTRICT, here.now(), "corrected", unit, "")
    answer = here.record(fact, form=request.POST.get("form", ""), edit=plan.edit)
    if not answer.ok:
        return _page(request, plan=plan, wrong=f"没有导入：{answer.text}")
    draft.delete()
    return redirect("people")


def _page(request: HttpRequest, *, plan: Plan | None = None, wrong: str = "", name: str = "") -> HttpResponse:
    context: dict[str, Any] = {
        "columns": [(column, table.MEANING[column]) for column in table.COLUMNS],
        "wrong": wrong,
        "name": name,
        "form": secrets.token_hex(8),
        "whole": numbers.whole(account_of(request).role),
    }
    if plan is not None:
        new = sum(c.kind == "new" for c in plan.changes)
        context |= {
            "plan": plan,
            "new": new,
            "changed": len(plan.changes) - new,
            "shown": plan.changes[:SHOWN],
            "rest": max(0, len(plan.changes) - SHOWN),
            "lines": len({w.line for w in plan.wrong}),
        }
    return render(request, "people_import.html", context, status=400 if wrong else 200)
