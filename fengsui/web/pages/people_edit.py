"""改责任人 Edit people: name, unit, ways and posts of one person; who holds a post and who stands in.

One form is one edit, written with its fact or not at all. Kept numbers need not be shown to be kept.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from fengsui.core.directory import Post
from fengsui.core.facts import DirectoryChanged
from fengsui.core.state import DISTRICT
from fengsui.flow.inputs import Answer
from fengsui.formats import roster as table
from fengsui.formats import sms
from fengsui.store import roster
from fengsui.store.people import Contact, Edit, Human
from fengsui.store.roster import Entry
from fengsui.web import here, numbers, sentences
from fengsui.web.pages.login import account_of
from fengsui.web.pages.people import entry, mask, scope, seen, short

BLANKS = 3
"""Rows for further numbers."""
CHANNELS = tuple((channel, column) for column, channel in table.CHANNELS.items())
OUTDATED = "此人刚被他人改过，以下是现在的内容，请核对后重新填写。[W140]"
SELF = "责任人与B角不能是同一人。[W148]"
Wrong = dict[str, str]
"""Field → what is wrong with it and what to do."""


class Place(NamedTuple):
    """A post as the form shows it: who holds it and stands in for it, other than this person."""

    id: str
    name: str
    holds: bool
    stands: bool
    holder: str
    deputy: str


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002 - the address's own word
    """Change a person."""
    found = entry(request, id)
    if request.method == "GET":
        return _form(request, found, {}, {})
    if here.recorded(request.POST.get("form", "")):
        return redirect(f"{reverse('person', args=[found.id])}?done=saved")
    if request.POST.get("seen") != _mark(found):
        return _form(request, found, {}, {"": OUTDATED}, status=409)
    human, wrong = _human(request, found)
    if _doubled(request.POST, found):
        wrong[""] = SELF
    if wrong:
        return _form(request, found, request.POST, wrong, status=400)
    return _saved(request, found, human)


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Add a person."""
    own = scope(account_of(request))
    blank = Entry("", own or request.GET.get("unit", ""), "", ())
    if request.method == "GET":
        return _form(request, blank, {}, {})
    human, wrong = _human(request, blank)
    if wrong:
        return _form(request, blank, request.POST, wrong, status=400)
    human = msgspec.structs.replace(human, id=roster.new_id())
    fact = DirectoryChanged(DISTRICT, here.now(), "added", human.unit, human.id)
    answer = here.record(fact, form=request.POST.get("form", ""), edit=Edit(people=(human,)))
    if not answer.ok:
        return _form(request, blank, request.POST, {"": _said(answer)}, status=400)
    return redirect("people")


def _saved(request: HttpRequest, found: Entry, human: Human) -> HttpResponse:
    posts = tuple(_moved(request.POST, found, human))
    done = reverse("person", args=[found.id])
    if not posts and _same(found, human):
        return redirect(f"{done}?done=same")
    fact = DirectoryChanged(DISTRICT, here.now(), "corrected", human.unit, human.id)
    change = Edit(people=() if _same(found, human) else (human,), posts=posts)
    answer = here.record(fact, form=request.POST.get("form", ""), edit=change)
    if not answer.ok:
        return _form(request, found, request.POST, {"": _said(answer)}, status=400)
    return redirect(f"{done}?done=saved")


def _said(answer: Answer) -> str:
    return answer.text if answer.code in answer.text else f"{answer.text}（{answer.code}）"


def _same(found: Entry, human: Human) -> bool:
    kept = [(w.channel, w.value) for w in found.ways]
    confirmed = any(c.verified_at for c in human.contacts)
    return not confirmed and (found.name, found.unit, kept) == (
        human.name,
        human.unit,
        [(c.channel, c.value) for c in human.contacts],
    )


def _mark(found: Entry) -> str:
    """What the form was made from, so that nobody overwrites what he has not seen."""
    directory = here.world().directory
    held = [(p.id, p.holder, p.deputy) for p in directory.unit_posts.get(found.unit, ())]
    return here.house().vault.token(repr((found, held)), 12)


# ── reading the form ─────────────────────────────────────────────────────────


def _human(request: HttpRequest, found: Entry) -> tuple[Human, Wrong]:
    data, wrong = request.POST, Wrong()
    name, unit = data.get("name", "").strip(), data.get("unit", found.unit)
    if not 1 <= len(name) <= 30 or any(c.isdigit() for c in name):
        wrong["name"] = "姓名为 1 至 30 个字，不含数字。[W141]"
    if unit not in here.pack().units or not seen(account_of(request), unit):
        wrong["unit"] = "请从列表选择单位。[W142]"
    contacts = [*_kept(data, found), *_added(data, wrong)]
    pairs = [(c.channel, c.value) for c in contacts]
    if len(set(pairs)) < len(pairs):
        wrong["ways"] = "同一号码填了两次，请删去一个。[W143]"
    if not contacts and not wrong:
        wrong["ways"] = "至少填一种接收方式，否则预警送不到；此人不再负责的，请用“离任”。[W144]"
    return Human(found.id, unit, name, tuple(contacts)), wrong


def _kept(data: QueryDict, found: Entry) -> Iterator[Contact]:
    now = here.now()
    for number, way in enumerate(found.ways):
        if not data.get(f"drop-{number}"):
            checked = now if data.get(f"check-{number}") else 0
            yield Contact(way.channel, way.value, way.rank, checked)


def _added(data: QueryDict, wrong: Wrong) -> Iterator[Contact]:
    known = dict(CHANNELS)
    for number in range(BLANKS):
        value, channel = data.get(f"value-{number}", "").strip(), data.get(f"channel-{number}", "sms")
        if not value:
            continue
        if channel == "sms":
            value = sms.national(value)
        expected = table.checked(channel, value) if channel in known else "从列表选择的渠道"
        if expected:
            wrong[f"value-{number}"] = f"“{value}”不是{expected}。[W145]"
            continue
        checked = here.now() if data.get(f"check-new-{number}") else 0
        yield Contact(channel, value, 100 + number, checked)


def _moved(data: QueryDict, found: Entry, human: Human) -> Iterator[Post]:
    """Posts that change hands; whoever goes to another unit leaves the posts of his old one."""
    stays = found.unit == human.unit
    for post in here.world().directory.unit_posts.get(found.unit, ()):
        holds = stays and post.id in data.getlist("holds")
        stands = stays and post.id in data.getlist("stands")
        holder, deputy = _given(holds, post.holder, human.id), _given(stands, post.deputy, human.id)
        if (holder, deputy) != (post.holder, post.deputy):
            yield msgspec.structs.replace(post, holder=holder, deputy=deputy)


def _doubled(data: QueryDict, found: Entry) -> bool:
    """Whether somebody is to stand in for himself. Whoever rises to a post only leaves its deputyship behind."""
    both = {*data.getlist("holds")} & {*data.getlist("stands")}
    posts = here.world().directory.unit_posts.get(found.unit, ())
    return any(p.id in both and p.deputy != found.id for p in posts)


def _given(ticked: object, now: str, person: str) -> str:
    if ticked:
        return person
    return "" if now == person else now


# ── showing the form ─────────────────────────────────────────────────────────


def _form(
    request: HttpRequest, found: Entry, data: Mapping[str, Any], wrong: Wrong, *, status: int = 200
) -> HttpResponse:
    pack, own = here.pack(), scope(account_of(request))
    units = [(u.id, u.name) for u in pack.units.values() if not u.valid_to and own in ("", u.id)]
    kept = [
        (n, w, table.NAMES.get(w.channel, w.channel), mask(w), data.get(f"drop-{n}"), data.get(f"check-{n}"))
        for n, w in enumerate(found.ways)
    ]
    blanks = [
        (
            n,
            data.get(f"channel-{n}", "sms"),
            data.get(f"value-{n}", ""),
            data.get(f"check-new-{n}"),
            wrong.get(f"value-{n}", ""),
        )
        for n in range(BLANKS)
    ]
    context = {
        "person": found,
        "name": data.get("name", found.name),
        "unit": data.get("unit", found.unit),
        "units": units,
        "kept": kept,
        "blanks": blanks,
        "channels": CHANNELS,
        "places": _places(found, data) if found.id else [],
        "wrong": wrong,
        "top": wrong.get(""),
        "seen": _mark(found),
        "form": data.get("form") if status == 400 else secrets.token_hex(8),
    }
    return render(request, "person_edit.html", context, status=status)


def _places(found: Entry, data: Mapping[str, Any]) -> list[Place]:
    world = here.world()
    posts = world.directory.unit_posts.get(found.unit, ())
    names = _names(posts, found.id)
    ticked = isinstance(data, QueryDict)
    places = []
    for post in posts:
        holds = post.id in data.getlist("holds") if ticked else post.holder == found.id  # type: ignore[attr-defined]
        stands = post.id in data.getlist("stands") if ticked else post.deputy == found.id  # type: ignore[attr-defined]
        holder, deputy = names.get(post.holder, ""), names.get(post.deputy, "")
        places.append(Place(post.id, short(post, world), holds, stands, holder, deputy))
    return places


def _names(posts: tuple[Post, ...], without: str) -> dict[str, str]:
    """Names of whoever holds these posts, by id."""
    wanted = {person for p in posts for person in (p.holder, p.deputy)} - {"", without}
    return {id_: card.name for id_, card in numbers.cards(here.session(), wanted).items()}


# ── one post ─────────────────────────────────────────────────────────────────


@require_http_methods(["GET", "POST"])
def post(request: HttpRequest, post: str) -> HttpResponse:
    """Who holds a post, and who stands in for him."""
    world = here.world()
    found = world.directory.posts.get(post)
    if found is None or not seen(account_of(request), found.unit):
        raise Http404
    people = [e for e in roster.everyone(here.session(), here.house().vault) if e.unit == found.unit]
    wrong = ""
    if request.method == "POST":
        wrong = _appointed(request.POST, found, {e.id for e in people})
        if not wrong:
            return redirect("people")
    context = {
        "post": found,
        "name": sentences.holder(found.id, world),
        "people": [(e.id, e.name, "　".join(mask(w) for w in e.ways)) for e in people],
        "holder": request.POST.get("holder", found.holder),
        "deputy": request.POST.get("deputy", found.deputy),
        "seen": here.house().vault.token(repr(found), 12),
        "form": secrets.token_hex(8),
        "wrong": wrong,
    }
    return render(request, "post.html", context, status=400 if wrong else 200)


def _appointed(data: QueryDict, found: Post, people: set[str]) -> str:
    """Appoint; "" or what is wrong."""
    if here.recorded(data.get("form", "")):
        return ""
    if data.get("seen") != here.house().vault.token(repr(found), 12):
        return "此岗位刚被他人改过，请核对后重新选择。[W146]"
    holder, deputy = data.get("holder", ""), data.get("deputy", "")
    if not {holder, deputy} <= people | {"", found.holder, found.deputy}:
        return "请从列表选择本单位人员。[W147]"
    if holder and holder == deputy:
        return SELF
    after = msgspec.structs.replace(found, holder=holder, deputy=deputy)
    if after == found:
        return ""
    fact = DirectoryChanged(DISTRICT, here.now(), "corrected", found.unit, holder)
    answer = here.record(fact, form=data.get("form", ""), edit=Edit(posts=(after,)))
    return "" if answer.ok else _said(answer)
