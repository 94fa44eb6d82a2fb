"""收到的预警 Received: what came from elsewhere — the list, one message with both answers, bringing one in, registering it."""

from __future__ import annotations

import secrets
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fengsui.core.series import NAMES
from fengsui.formats.cap.parse import MAX_BYTES
from fengsui.store import archive, arrivals
from fengsui.store.arrivals import Arrival
from fengsui.web import arrived, audit, here, lists, pasted, paths, shared, written
from fengsui.web.arrived import Form
from fengsui.web.lists import Cell, Listing
from fengsui.web.pages.ledger import moment
from fengsui.web.pages.login import account_of

COLUMNS = ("到达", "级别", "预警", "发布单位", "种类", "发送", "失效", "校验", "状态", "原因", "来源")
EMPTY = "还没有收到过其他单位的预警。配置轮询源或监视文件夹后自动收取，也可以上传文件、粘贴文本登记。"
MOST = 2000
"""Arrivals that the list looks back on."""
FILES = 20
"""Files of one upload."""


@require_GET
def received(request: HttpRequest) -> HttpResponse:
    """Everything that came, newest first; ``?csv=1``."""
    session = arrivals.desk()
    try:
        found = arrivals.listed(session, "", MOST)
    finally:
        session.close()
    bring = paths.to(account_of(request).role, "received_new")
    actions = (Cell("登记收到的预警", "primary", bring),) if bring else ()
    note = f"{len(found)} 份；省、市、邻区的报文和文本，连同未登记的，原样留存"
    rows = [_cells(one) for one in found]
    return lists.show(request, Listing("收到的预警", COLUMNS, rows, EMPTY, note, actions), "received.html")


def _cells(one: Arrival) -> tuple[Cell, ...]:
    pack = here.pack()
    word, kind = arrived.STATES[one.state]
    url = reverse("received_one", args=[one.digest])
    level = pack.texts.levels.get(one.level, "")
    drill = f"（{NAMES[one.series]}）" if one.series in ("exercise", "test") else ""  # type: ignore[index]
    return (
        Cell(moment(one.at, pack), "", url),
        Cell(level),
        Cell(f"{one.hazard or one.title[:30] or '读不出'}{drill}", "", url),
        Cell(one.sender),
        Cell(one.kind or ("文本" if one.form == "text" else "")),
        Cell(moment(one.sent, pack) if one.sent else ""),
        Cell(moment(one.expires, pack) if one.expires else ""),
        Cell("" if one.form == "text" else "通过" if one.valid else "未通过", "" if one.valid else "late"),
        Cell(word, kind),
        Cell(f"{one.why[:60]}{f'[{one.code}]' if one.code else ''}"),
        Cell(arrived.SOURCES.get(one.source, one.source)),
    )


# ── one 一份 ──────────────────────────────────────────────────────────────────


@require_GET
def one(request: HttpRequest, digest: str) -> HttpResponse:
    """One message: what became of it, both answers, its words, its thread; ``?raw=1`` the bytes as they came."""
    if request.GET.get("raw"):
        _find(digest)
        answer = HttpResponse(_content(digest), content_type="application/octet-stream")
        answer.headers["Content-Disposition"] = f"attachment; filename={digest[:16]}.xml"
        return answer
    return _page(request, digest)


def _find(digest: str) -> Arrival:
    session = arrivals.desk()
    try:
        found = arrivals.find(session, digest)
    finally:
        session.close()
    if found is None:
        raise Http404
    return found


def _content(digest: str) -> bytes:
    try:
        return arrivals.content(digest)
    except (archive.Missing, archive.Erased) as error:
        raise Http404 from error


def _page(request: HttpRequest, digest: str, *, wrong: str = "", sent: Form | None = None) -> HttpResponse:
    role, world = account_of(request).role, here.world()
    it, content = _find(digest), _content(digest)
    both, found = here.house().reception.both(it, content)
    text = content.decode("utf-8", "replace")
    word, kind = arrived.STATES[it.state]
    held = [world.at(s) for s in it.stream.split()]
    settled = any(s.foreign.binding and s.foreign.part.paper == digest for s in held)
    takes = bool(paths.to(role, "received_new")) and not found.refused[0] and not settled
    context: dict[str, Any] = {
        "it": it,
        "word": word,
        "kind": kind,
        "source": arrived.SOURCES.get(it.source, it.source),
        "found": found,
        "verb": arrived.verb(found.action),
        "status": NAMES[found.series],
        "areas": [(d, arrived.named(d.zones, world)) for d in found.dangers],
        "valid": both.verdict.valid if both else None,
        "layers": arrived.layers(both.verdict) if both else [],
        "findings": arrived.findings(both.verdict.findings) if both else [],
        "reasons": both.reasons if both else found.doubts,
        "text": text[: arrived.LONGEST],
        "more": len(text) > arrived.LONGEST,
        "thread": [t for s in held for t in _thread(s.stream)],
        "held": [s for s in held if s.foreign.part.holds],
        "ledger": [(s.stream, url) for s in held if (url := paths.to(role, "stream", s.stream))],
        "takes": takes,
        "open": it.state in arrivals.OPEN and not it.seen,
        "acts": bool(paths.to(role, "received_new")),
        "forms": ([sent] if sent else arrived.forms(found)) if takes else [],
        "hazards": [(h.id, h.name) for h in world.pack.hazards.values()],
        "levels": list(world.pack.texts.levels.items())[::-1],
        "towns": written.towns(),
        "form": secrets.token_hex(12),
        "wrong": wrong,
        "said": request.GET.get("said", ""),
    }
    return render(request, "received_one.html", context, status=409 if wrong else 200)


def _thread(stream: str) -> list[Arrival]:
    session = arrivals.desk()
    try:
        return arrivals.of_stream(session, stream)
    finally:
        session.close()


@require_POST
def act(request: HttpRequest, digest: str, what: str) -> HttpResponse:
    """A person registers it (``take``), or has looked at what need not be registered (``seen``)."""
    account = account_of(request)
    by, way_in = account.person or str(account.pk), here.house().reception
    if what == "seen":
        _find(digest)
        way_in.seen(digest, by)
        audit.note("received", account, "已阅", digest[:16])
        shared.over()
        return _to(digest, "seen")
    if what != "take":
        raise Http404
    _find(digest)
    sent = arrived.given(request.POST.dict(), request.POST.getlist("zone"))
    chosen = arrived.choice(sent, here.world(), binding=request.POST.get("binding") == "1")
    if isinstance(chosen, str):
        return _page(request, digest, wrong=chosen, sent=sent)
    answer = way_in.register(digest, chosen, by, request.POST.get("form", "")[:64] or secrets.token_hex(12))
    if not answer.ok:
        return _page(request, digest, wrong=f"{answer.text.rstrip('。')}。[{answer.code}]", sent=sent)
    audit.note("received", account, "登记", digest[:16])
    shared.over()
    return _to(digest, "taken")


def _to(digest: str, said: str) -> HttpResponse:
    answer = redirect(f"{reverse('received_one', args=[digest])}?said={said}")
    answer.status_code = 303
    return answer


# ── in 收进 ───────────────────────────────────────────────────────────────────


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Files, or what was pasted: kept as they are, read, and shown; registering is the next step."""
    if request.method == "GET":
        return render(request, "received_new.html", {"size": MAX_BYTES >> 20})
    pasted_ = request.POST.get("text", "").strip()
    files = request.FILES.getlist("file")[:FILES]
    wrong = ""
    if not (pasted_ or files):
        wrong = "请选择文件，或粘贴报文、文本。[W245]"
    elif any((f.size or 0) > MAX_BYTES for f in files):
        wrong = f"文件超过 {MAX_BYTES >> 20} MB。[W246]"
    if wrong:
        return render(
            request,
            "received_new.html",
            {"size": MAX_BYTES >> 20, "wrong": wrong, "text": pasted_},
            status=409,
        )
    digests = [d for f in files for d in _kept(f.read(), "upload", f.name or "")]
    digests += _kept(pasted_.encode(errors="replace"), "paste", "") if pasted_ else []
    here.house().reception.look()
    audit.note("received", account_of(request), "收进", f"{len(digests)} 份")
    shared.over()
    return _to(digests[0], "kept") if len(digests) == 1 else redirect("received")


def _kept(content: bytes, source: str, name: str) -> list[str]:
    """A message where it has elements, else a text."""
    form = "cap" if content.lstrip()[:1] in (b"<", b"{") or b"alert" in content else "text"
    if form == "text":
        content = content[: pasted.LONGEST * 4]
    return here.house().reception.keep(content, source, name=name[:120], form=form)
