"""来信 Letters: replies that no program understood — their own words before a person, who says what they mean."""

from __future__ import annotations

import secrets
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from fengsui.core import replies
from fengsui.core.facts import Fact
from fengsui.formats import sms
from fengsui.store import inbox, people
from fengsui.store.archive import Paper
from fengsui.store.inbox import Waiting
from fengsui.web import here, numbers
from fengsui.web.pages.login import account_of

MEANINGS: dict[str, tuple[str, replies.Answer]] = {
    "1": ("收到", "received"),
    "2": ("已再传播", "relayed"),
    "3": ("需支援", "support"),
    "0": ("不归他", "disowned"),
}
"""What a person may find a reply to mean, by the digit he should have sent."""
NOTHING = "none"
"""Nothing has to follow from it: thanks, a wrong number, an advertisement."""


class Shown(NamedTuple):
    """A letter as the page shows it: whose it probably is, and its words."""

    it: Waiting
    name: str
    unit: str
    mask: str


@require_http_methods(["GET", "POST"])
def letters(request: HttpRequest) -> HttpResponse:
    """The letters that wait, one after the other; settling one brings the next."""
    said = ""
    if request.method == "POST":
        said = _settle(request)
        if not said:
            return redirect("letters")
    session, vault = here.session(), here.house().vault
    waiting = inbox.waiting(session, vault)
    holders = people.owners(session, vault, map(_address, waiting))
    cards = numbers.cards(session, [p for found in holders.values() for p in found])
    world = here.world()
    shown = []
    for one in waiting:
        person = next(iter(holders[_address(one)]), "")
        known = world.directory.persons.get(person)
        name = cards[person].name if person in cards else "名录中没有这个号码"
        shown.append(Shown(one, name, known.unit if known else "", sms.mask(one.sender)))
    meanings = [(digit, word) for digit, (word, _) in MEANINGS.items()]
    total = inbox.waits(session)
    context = {"letters": shown, "total": total, "rest": total - len(shown), "meanings": meanings}
    context |= {"said": said, "form": secrets.token_hex(12)}
    return render(request, "letters.html", context, status=409 if said else 200)


def _address(one: Waiting) -> tuple[str, str]:
    """By which channel it came, and from which number or address."""
    lanes = {lane.name: lane.gateway.channel for lane in here.house().lanes}
    return lanes.get(one.gateway, "sms"), one.sender


def _persons(one: Waiting) -> tuple[str, ...]:
    """Persons with that number or address."""
    return people.find(here.session(), here.house().vault, *_address(one))


def _settle(request: HttpRequest) -> str:
    """Record what a person says a letter means; why it could not be, "" if it is done."""
    chosen, id_ = request.POST.get("meaning", ""), request.POST.get("letter", "")
    found = [w for w in inbox.waiting(here.session(), here.house().vault) if w.id == id_]
    if not found:
        return ""  # somebody else has settled it
    if chosen != NOTHING and chosen not in MEANINGS:
        return "请选择这条回复的意思。[W115]"
    if chosen != NOTHING:
        for number, fact in enumerate(_facts(found[0], chosen)):
            answer = here.record(
                fact, form=f"letter/{id_}/{number}", papers=[_read(request, found[0], chosen)]
            )
            if not answer.ok:
                return f"{answer.text}（{answer.code}）"
    here.house().writer.settle_letter(id_, "read").result(here.WAIT)
    return ""


def _facts(one: Waiting, chosen: str) -> list[Fact]:
    at = here.now()
    return [
        fact
        for person in _persons(one)
        for fact in replies.meaning(MEANINGS[chosen][1], person, here.world(), at=at)
    ]


def _read(request: HttpRequest, one: Waiting, chosen: str) -> Paper:
    """Who found a letter to mean what, kept with the facts that followed."""
    account = account_of(request)
    return Paper("letter", f"{one.id} 由 {account.person or account.pk} 判为“{MEANINGS[chosen][0]}”".encode())
