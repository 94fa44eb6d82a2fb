"""责任人 People: who is responsible for what and can be reached how — vacant posts and mute units first.

Numbers are masked; whoever may see one asks for it, and each look is kept. A township or department sees its own people.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fengsui.core import calendar, wording
from fengsui.core.directory import Post
from fengsui.core.facts import DirectoryChanged, Notified, Tried
from fengsui.core.notices import TRIAL
from fengsui.core.state import DISTRICT, World
from fengsui.formats import roster as table
from fengsui.store import roster, traces
from fengsui.store.accounts import Account
from fengsui.store.people import Edit
from fengsui.store.roster import Entry, Way
from fengsui.web import guard, here, lists, numbers, rights, sentences
from fengsui.web.lists import Cell, Listing
from fengsui.web.pages.login import account_of

OWN = frozenset({"liaison", "township"})
"""Roles that see and keep the people of their own unit only."""
EMPTY = "名册还是空的。请从“批量导入”装入责任人表，或逐个“新增责任人”。"
COLUMNS = ("姓名", "单位", "岗位", "接收方式", "核实")


class Outcome(NamedTuple):
    """How far a test message to a person has got."""

    at: int
    ways: str
    text: str
    kind: str


def scope(account: Account) -> str:
    """The unit whose people an account may see, "" for all."""
    return account.unit or "-" if account.role in OWN else ""


def seen(account: Account, unit: str) -> bool:
    """Whether an account may see the people of a unit."""
    return scope(account) in ("", unit)


def entry(request: HttpRequest, id_: str) -> Entry:
    """A person whom this account may see. Raises Http404."""
    found = roster.everyone(here.session(), here.house().vault, id_) if id_ else []
    if not found or not seen(account_of(request), found[0].unit):
        raise Http404
    return found[0]


# ── the list ─────────────────────────────────────────────────────────────────


@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """Everybody; what is missing stands above."""
    account, world = account_of(request), here.world()
    own = scope(account)
    known = [e for e in roster.everyone(here.session(), here.house().vault) if own in ("", e.unit) and e.unit]
    stood: dict[str, list[str]] = {}
    for post in world.directory.posts.values():
        stood.setdefault(post.deputy, []).append(short(post, world))
    order = {unit: number for number, unit in enumerate(world.pack.units)}
    known.sort(key=lambda e: (not any(w.dead for w in e.ways), order.get(e.unit, 999)))
    rows = [_cells(e, stood, world) for e in known]
    actions = [
        Cell(title, kind, reverse(page))
        for page, title, kind in (
            ("person_new", "新增责任人", "primary"),
            ("people_import", "批量导入", ""),
            ("people_table", "导出名册", ""),
        )
        if rights.may(account.role, page)
    ]
    units = {e.unit for e in known}
    note = f"{len(known)} 人、{len(units)} 个单位；号码只显掩码"
    listing = Listing("责任人", COLUMNS, rows, EMPTY, note, tuple(actions))
    gaps = {
        "vacant": vacant(world, own),
        "mute": mute(world, own),
        "unchecked": sum(r[4].kind == "wait" for r in rows),
        "edits": rights.may(account.role, "post"),
    }
    return lists.show(request, listing, "people.html", **gaps)


def _cells(e: Entry, stood: dict[str, list[str]], world: World) -> tuple[Cell, ...]:
    posts = [short(p, world) for p in world.directory.held.get(e.id, ())]
    posts += [f"{name}（B角）" for name in stood.get(e.id, ())]
    ways = "　".join(f"{table.NAMES.get(w.channel, w.channel)} {mask(w)}" for w in e.ways)
    return (
        Cell(e.name, "", reverse("person", args=[e.id])),
        Cell(sentences.unit(e.unit, world)),
        Cell("、".join(posts) or "未任岗"),
        Cell(ways or "无接收方式", "" if ways else "late"),
        _checked(e.ways, world),
    )


def _checked(ways: Iterable[Way], world: World) -> Cell:
    ways = tuple(ways)
    if any(w.dead for w in ways):
        return Cell("空号", "late")
    if oldest := min((w.verified_at for w in ways), default=0):
        day = calendar.local(oldest, world.pack.zone)
        return Cell(f"{day.year}-{day.month:02d}-{day.day:02d} 核实", "ok")
    return Cell("待核实", "wait")


def mask(way: Way) -> str:
    """An address as anybody may see it."""
    return table.masked(way.channel, way.value)


def short(post: Post, world: World) -> str:
    """A post without its unit: role, and the village of one that has one."""
    unit = world.pack.units.get(post.unit)
    area = world.pack.areas.get(post.area)
    place = f"（{sentences.village(area.name)}）" if area and unit and unit.area != area.id else ""
    return wording.post(post.id, world.pack) + place


def vacant(world: World, own: str = "") -> list[tuple[str, str]]:
    """Posts without a holder: (id, how it is called)."""
    return [
        (p.id, sentences.holder(p.id, world))
        for p in sorted(world.directory.posts.values(), key=lambda p: p.id)
        if not p.holder and own in ("", p.unit)
    ]


def mute(world: World, own: str = "") -> list[tuple[str, str]]:
    """Units that clauses name and of which nobody can be reached: (name, why)."""
    found = []
    for unit in world.pack.units.values():
        if not unit.groups or unit.valid_to or own not in ("", unit.id):
            continue
        posts = world.directory.unit_posts.get(unit.id, ())
        if not posts:
            found.append((unit.name, "未设岗位"))
        elif not any(p.holder in world.directory.reachable for p in posts):
            found.append((unit.name, "无人可联系"))
    return found


# ── one person ───────────────────────────────────────────────────────────────


@require_GET
def person(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002 - the address's own word
    """One person: ways, posts, what was sent to him lately."""
    return _shown(request, entry(request, id))


@require_POST
def number(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002
    """The same page with whole numbers, once; the look is kept before they are shown."""
    found = entry(request, id)
    numbers.unmasked(account_of(request), [found.id], "查看责任人号码")
    return _shown(request, found, whole=True)


def _shown(request: HttpRequest, found: Entry, **more: Any) -> HttpResponse:
    account, world = account_of(request), here.world()
    ways = [(table.NAMES.get(w.channel, w.channel), w, mask(w)) for w in found.ways]
    posts = world.directory.held.get(found.id, ())
    stands = [p for p in world.directory.posts.values() if p.deputy == found.id]
    context = {
        "person": found,
        "ways": ways,
        "posts": [(p.id, short(p, world), p.deputy) for p in posts],
        "stands": [sentences.holder(p.id, world) for p in sorted(stands, key=lambda p: p.id)],
        "traces": traces.person(here.session(), here.house().vault, found.id),
        "trials": trials(found.id, world),
        "edits": rights.may(account.role, "person_edit"),
        "tests": rights.may(account.role, "person_test"),
        "looks": rights.may(account.role, "person_number"),
        "opens": rights.may(account.role, "account_new"),
        "done": DONE.get(request.GET.get("done", ""), ""),
    }
    return render(request, "person.html", context | more)


DONE = {
    "added": "已加入名册",
    "saved": "已保存，名录变动已记入台账",
    "same": "没有改动",
    "tried": "试通短信已交发送，结果见下",
}


@require_http_methods(["GET", "POST"])
def depart(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002
    """Somebody leaves: his posts fall vacant, his data go, his accounts close, his unit owes a correction of the roster."""
    if here.recorded(request.POST.get("form", "")):
        return _departed(request, id)
    found, world = entry(request, id), here.world()
    posts = [sentences.holder(p.id, world) for p in world.directory.held.get(found.id, ())]
    accounts = list(Account.objects.filter(person=found.id, active=True).values_list("username", flat=True))
    context = {"person": found, "posts": posts, "accounts": accounts, "form": secrets.token_hex(8)}
    if request.method == "POST" and guard.last_administrator(found.id):
        context["wrong"] = "此人的账号是最后一个在用的管理员账号，请先另设管理员，再办离任。[W169]"
    elif request.method == "POST":
        fact = DirectoryChanged(DISTRICT, here.now(), "departed", found.unit, found.id)
        answer = here.record(fact, form=request.POST.get("form", ""), edit=Edit(departed=(found.id,)))
        if answer.ok:
            return _departed(request, found.id)
        context["wrong"] = f"{answer.text}（{answer.code}）"
    return render(request, "person_depart.html", context)


def _departed(request: HttpRequest, person: str) -> HttpResponse:
    """Also on a second click: it ends what a first one that broke off has left open."""
    if person not in here.world().directory.persons:
        guard.retire(person, account_of(request))
    return redirect("people")


# ── a test message ───────────────────────────────────────────────────────────


@require_http_methods(["GET", "POST"])
def test(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002
    """Send a test message to a person's own number and see how far it gets."""
    found, world = entry(request, id), here.world()
    ways = [(c, table.NAMES.get(c, c)) for c in world.directory.usable(found.id, ())]
    context: dict[str, Any] = {"person": found, "ways": ways, "form": secrets.token_hex(8)}
    if request.method == "POST":
        account = account_of(request)
        fact = Tried(
            DISTRICT,
            here.now(),
            found.id,
            account.person or account.username,
            request.POST.get("channel", ""),
        )
        answer = here.record(fact, form=request.POST.get("form", ""))
        if answer.ok:
            return redirect("person_test", found.id)
        context["wrong"] = f"{answer.text}（{answer.code}）"
    context["trials"] = trials(found.id, here.world())
    name = "person_trials.html" if request.headers.get("HX-Request") else "person_test.html"
    return render(request, name, context)


def trials(id_: str, world: World) -> list[Outcome]:
    """The test messages to a person, newest first."""
    part = world.at(DISTRICT).notices
    told = [n for n in part.sent.values() if n.template == TRIAL and n.recipients[0].person == id_]
    return [_outcome(n, world) for n in reversed(told)]


def _outcome(told: Notified, world: World) -> Outcome:
    part, id_ = world.at(DISTRICT).notices, told.recipients[0].person
    contact = part.people[id_]
    ways = "、".join(table.NAMES.get(c, c) for c in told.recipients[0].channels)
    reach = contact.reach.get(told.key, "")
    if contact.acknowledged >= told.version:
        return Outcome(told.at, ways, "本人已回复", "ok")
    if id_ in part.disowned:
        return Outcome(told.at, ways, "答复不是本人，请更正名册", "late")
    if (told.key, id_) in part.exhausted:
        return Outcome(told.at, ways, "未能送达：号码失效或各渠道被拒", "late")
    if reach in ("delivered", "read"):
        return Outcome(told.at, ways, "已送达，本人未回复", "ok")
    return Outcome(told.at, ways, "已交网关，等待回执" if reach else "待发送", "wait")
