"""叫应 Calls: the page of one call, the plain page of one's own duty, and the sheet of everybody still to be rung."""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from fengsui.core.board import Row
from fengsui.core.state import World
from fengsui.flow.inputs import Answer
from fengsui.store import archive
from fengsui.store.accounts import Account
from fengsui.store.archive import Paper
from fengsui.store.sql import archive as open_archive
from fengsui.web import calling, here, numbers, paths, sentences, tasks
from fengsui.web.calling import Asked, Contact, Note
from fengsui.web.numbers import Card
from fengsui.web.pages.login import account_of
from fengsui.web.pages.trouble import missing

KIND = "call"
LONGEST = 500
"""Characters of what was said."""
PAST = 300
"""Calls looked back at for the earlier ones of a row."""
OUTCOMES = {"answered": "已签收", "done": "已办结", "promised": "接通，尚未办结", "none": "未接通"}


class Known(NamedTuple):
    """A contact as the page shows him."""

    it: Contact
    name: str
    number: str
    whole: bool
    tried: str


class Past(NamedTuple):
    """An earlier call for the same row."""

    at: int
    who: str
    outcome: str
    words: str
    heard: str


@require_http_methods(["GET", "POST"])
def call(request: HttpRequest, row: str) -> HttpResponse:
    """Ring somebody for a row of the board, and say what came of it."""
    return _page(request, row, "call.html")


@require_http_methods(["GET", "POST"])
def do(request: HttpRequest, row: str) -> HttpResponse:
    """Do one's own duty: what is asked, until when, and the button that says it is done."""
    account, found = account_of(request), tasks.find(row, here.world())
    if found is not None and found.unit != account.unit and account.role not in tasks.DESK:
        return missing(request)
    return _page(request, row, "do.html")


def _page(request: HttpRequest, id_: str, template: str) -> HttpResponse:
    world = here.world()
    row = tasks.find(id_, world)
    if row is None:
        return missing(request)
    if request.method == "POST" and "show" in request.POST:
        return render(request, template, _view(request, row, world, shown=request.POST["show"]))
    if request.method == "POST":
        wrong, said = _take(request, row, world)
        if not wrong:
            return _onwards(request, row, said)
        return render(request, template, {"wrong": wrong} | _view(request, row, here.world()), status=409)
    return render(request, template, _view(request, row, world))


# ── showing ──────────────────────────────────────────────────────────────────


def _view(request: HttpRequest, row: Row, world: World, *, shown: str = "") -> dict[str, Any]:
    account, state = account_of(request), world.at(row.stream)
    past, found = _past(row), calling.contacts(row, world)
    cards = numbers.cards(here.session(), [c.person for c in found])
    may = numbers.whole(account.role)
    if may and any(c.person == shown for c in found):
        numbers.unmasked(account, [shown], row.id)
    else:
        shown = ""
    known = [_known(c, cards.get(c.person), c.person == shown, past) for c in found]
    wants = calling.asked(row, world)
    there = [k for k in known if not wants.vacant or _belongs(k.it.person, row.unit, world)]
    return {
        "row": row,
        "whose": sentences.holder(row.holder, world),
        "title": sentences.title(row.duty, world),
        "alert": state.warning,
        "rank": tasks.rank(row, here.now()),
        "ended": row.ended is not None,
        "words": calling.words(row, world),
        "contacts": known,
        "chosen": request.POST["person"] if "person" in request.POST else _next(there),
        "asked": wants,
        "stops": [(s, sentences.STOPS.get(s, s)) for s in wants.stops],
        "past": [_shown(n, cards, world) for n in past],
        "unreached": bool(past) and past[0].outcome == "none",
        "may_show": may,
        "form": request.POST.get("form") or secrets.token_hex(8),
        "kept": request.POST,
        "ticked": request.POST.getlist("stops"),
        "said": request.GET.get("said", ""),
        "counts": {c.it.person: c.it.counts for c in known},
    }


def _known(contact: Contact, card: Card | None, whole: bool, past: list[Note]) -> Known:
    tried = next((n for n in past if n.person == contact.person), None)
    numbers_ = "、".join(card.numbers) if card and whole else card.mask if card else ""
    return Known(
        contact, card.name if card else "", numbers_, whole, OUTCOMES[tried.outcome] if tried else ""
    )


def _belongs(person: str, unit: str, world: World) -> bool:
    """Whether a person is of a unit: for a vacant post nobody above it is taken for whoever answered there."""
    known = world.directory.persons.get(person)
    return known is not None and known.unit == unit


def _next(known: list[Known]) -> str:
    """Whom to ring now: the first who has not been rung in vain."""
    fresh = [k for k in known if not k.tried and k.number]
    return (fresh or known)[0].it.person if known else ""


def _shown(note: Note, cards: dict[str, Card], world: World) -> Past:
    card = cards.get(note.person)
    who = f"{note.who} {card.name}" if card else note.who or sentences.person(note.person, world)
    return Past(note.at, who, OUTCOMES[note.outcome], note.words, note.heard)


def _past(row: Row) -> list[Note]:
    """Earlier calls for a row, newest first."""
    session = open_archive()
    try:
        found = [msgspec.json.decode(body, type=Note) for body in archive.listed(session, KIND, PAST)]
    finally:
        session.close()
    return [note for note in found if note.row == row.id]


# ── taking ───────────────────────────────────────────────────────────────────


def _take(request: HttpRequest, row: Row, world: World) -> tuple[str, str]:
    """Record what came of a call or a duty: (what was wrong, what has been done)."""
    account, post = account_of(request), request.POST
    outcome, wants = post.get("outcome", ""), calling.asked(row, world)
    if wrong := _wrong(post, outcome, wants):
        return wrong, ""
    parts = {c.person: c.part for c in calling.contacts(row, world)}
    person = post.get("person", "")
    note = Note(
        at=here.now(),
        row=row.id,
        by=account.person or calling.DESK,
        person=person if person in parts else "",
        who=parts.get(person, "他人"),
        outcome=msgspec.convert(outcome, calling.Outcome),
        words=post.get("words", "").strip(),
        heard=post.get("heard", "").strip(),
        form=post.get("form", ""),
    )
    paper = Paper(KIND, msgspec.json.encode(note, order="deterministic"))
    stops = tuple(s for s in wants.stops if s in post.getlist("stops"))
    fact = calling.fact(row, note, world, paper=paper.digest, stops=stops)
    if fact is None:
        if not any(n.form == note.form for n in _past(row)):
            numbers.keep(paper)
        return "", "unreached" if outcome == "none" else "promised"
    answer = here.record(fact, form=note.form, papers=[paper])
    return _refused(answer), outcome


def _wrong(post: Any, outcome: str, wants: Asked) -> str:
    if outcome not in OUTCOMES:
        return "请选择通话结果。[W110]"
    if len(post.get("words", "")) > LONGEST:
        return f"通话内容不超过 {LONGEST} 字，请删减。[W111]"
    if outcome == "answered" and not wants.answer:
        return "此项不能以签收了结，请登记办结或记为未办结。[W112]"
    if outcome == "answered" and wants.vacant and not post.get("words", "").strip():
        return "此岗位由您代签，须写明谁接的电话、什么职务、答应了什么。[W116]"
    if outcome == "done" and not (wants.report or wants.stops or wants.lifts):
        return "此项不能代为登记，请由责任单位在自己的页面办理。[W113]"
    if outcome == "done" and not post.get("words", "").strip() and (wants.paper or _goes_on(post, wants)):
        return "须写明内容：不停的理由，或书面材料要点。[W114]"
    return ""


def _goes_on(post: Any, wants: Asked) -> bool:
    """Whether a decision to stop nothing is being recorded: it needs a reason."""
    return bool(wants.stops) and not post.getlist("stops")


def _refused(answer: Answer) -> str:
    return "" if answer.ok else f"没有记录：{answer.text}。请核对后再提交。[{answer.code}]"


def _onwards(request: HttpRequest, row: Row, said: str) -> HttpResponse:
    """To the next of the same duty who must be rung, else to the desk; not reached: the same page, the next contact."""
    account = account_of(request)
    if said == "unreached":
        return _see(f"{request.path}?{urlencode({'said': said})}")
    if said == "promised" or request.resolver_match is None or request.resolver_match.url_name != "call":
        return _see(f"{reverse('desk')}?{urlencode({'said': said})}")
    after = _following(account, row)
    if after:
        return _see(f"{reverse('call', args=[after])}?{urlencode({'said': said})}")
    return _see(f"{reverse('desk')}?{urlencode({'said': said})}")


def _following(account: Account, row: Row) -> str:
    world, now = here.world(), here.now()
    for task in tasks.tasks(account, world, now):
        if (task.stream, task.duty, task.unit) == (row.stream, row.duty, row.unit) and task.rank != "open":
            return task.rows[0].id
    return ""


def _see(url: str) -> HttpResponse:
    return HttpResponseRedirect(url, status=303)


# ── the sheet ────────────────────────────────────────────────────────────────


class Entry(NamedTuple):
    """A line of the call sheet."""

    number: int
    unit: str
    whose: str
    deadline: int
    late: bool
    people: tuple[tuple[str, str, str], ...]  # part, name, number
    url: str


@require_GET
def sheet(request: HttpRequest) -> HttpResponse:
    """Everybody who has not acknowledged yet, to be printed; whole numbers only for who may see them, and recorded."""
    account, world, now = account_of(request), here.live(), here.now()
    found = calling.silent(world, now)
    people = {r.id: calling.both(r, world) for r in found}
    everyone = [p for both in people.values() for p, _ in both]
    cards = numbers.cards(here.session(), everyone)
    whole = numbers.whole(account.role)
    if whole and everyone:
        numbers.unmasked(account, everyone, "叫应电话单")
    entries = [
        Entry(
            n,
            sentences.unit(r.unit, world),
            sentences.holder(r.holder, world),
            r.deadline,
            r.deadline < now,
            tuple((part, *_named(cards.get(p), whole)) for p, part in people[r.id]),
            paths.to(account.role, "call", r.id),
        )
        for n, r in enumerate(found, start=1)
    ]
    said = calling.words(found[0], world) if found else ""
    return render(request, "sheet.html", {"entries": entries, "whole": whole, "words": said, "at": now})


def _named(card: Card | None, whole: bool) -> tuple[str, str]:
    if card is None:
        return "不在名录", ""
    return card.name, "、".join(card.numbers) if whole else card.mask
