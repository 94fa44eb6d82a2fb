"""机制 Mechanism: the document, word for word, with the state of each clause beside its words; and one clause in full."""

from __future__ import annotations

from typing import NamedTuple

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from fengsui.core import tally
from fengsui.core.clauses import Clause, Duty, Pack
from fengsui.core.facts import Fact, decode
from fengsui.core.tally import Counts
from fengsui.store import streams
from fengsui.web import here, paths, plain
from fengsui.web.pages.ledger import proved
from fengsui.web.pages.login import account_of

FIRST = 50
"""Open duties on the page of a clause; all of them stand in the ledger."""
WORDS = (
    ("triggered", "触发", ""),
    ("done", "按时", "ok"),
    ("late", "逾期", "late"),
    ("supervised", "催办督办", "late"),
    ("waiting", "在办", "wait"),
    ("dropped", "随解除终止", ""),
)


class Side(NamedTuple):
    """A clause beside its words."""

    clause: Clause
    counts: list[tuple[str, str, int]]
    deadlines: list[tuple[str, str]]
    bases: list[tuple[str, bool]]


class Section(NamedTuple):
    """Lines of the document from one that a clause quotes to before the next, and the clauses that begin there."""

    lines: list[plain.Paragraph]
    sides: list[Side]


class Owed(NamedTuple):
    """A duty of a clause in words."""

    duty: Duty
    who: str
    triggers: list[str]
    deadline: str
    basis: str
    open: bool
    proofs: str
    ends: str
    climbs: list[plain.Climb]
    ladder_basis: str


@require_GET
def mechanism(request: HttpRequest) -> HttpResponse:
    """The document."""
    world = here.world()
    pack = world.pack
    counts = counted(world.at("district").series)
    sections: list[Section] = []
    for line in plain.document(pack):
        if line.starts or not sections:
            sections.append(Section([], [_side(pack.clauses[c], pack, counts.get(c)) for c in line.starts]))
        sections[-1].lines.append(line)
    live = sum(not c.planned for c in pack.clauses.values())
    context = {
        "document": pack.document,
        "pack": pack,
        "sections": sections,
        "live": live,
        "planned": len(pack.clauses) - live,
        "reasons": pack.document.not_executable,
    }
    return render(request, "mechanism.html", context)


def _side(clause: Clause, pack: Pack, counts: Counts | None) -> Side:
    deadlines = [(d.title, plain.spans(d.within, pack)) for d in clause.duty]
    bases = list(dict.fromkeys(plain.basis(d.within_basis) for d in clause.duty if d.within_basis))
    return Side(clause, _numbers(counts), deadlines, bases)


def _numbers(counts: Counts | None) -> list[tuple[str, str, int]]:
    if counts is None:
        return []
    return [(title, tint, n) for field, title, tint in WORDS if (n := getattr(counts, field))]


@require_GET
def clause(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002 - the address's own word
    """One clause: its words, who answers for it, its duties, how they are chased, who set what."""
    world = here.world()
    pack = world.pack
    found = pack.clauses.get(id)
    if found is None:
        raise Http404
    order, rows = list(pack.clauses), _open(found.id)
    place = order.index(id)
    context = {
        "it": found,
        "counts": _numbers(counted(world.at("district").series).get(id)),
        "responsible": plain.who(found.responsible, pack),
        "responsible_names": _names(found.responsible, pack),
        "basis": plain.basis(found.responsible_basis),
        "lead": plain.who(found.lead, pack),
        "duties": [_owed(d, found, pack) for d in found.duty],
        "notices": [
            (n.title, plain.who(n.who or found.responsible, pack), plain.trigger(n.trigger, pack))
            for n in found.notice
        ],
        "before": order[place - 1] if place else "",
        "after": order[place + 1] if place + 1 < len(order) else "",
        "rows": rows[:FIRST],
        "open": len(rows),
        "ledger": paths.to(account_of(request).role, "ledger"),
    }
    return render(request, "clause.html", context)


def _names(words: tuple[str, ...], pack: Pack) -> list[str]:
    """The units behind group words."""
    ids = dict.fromkeys(unit for word in words for unit in pack.group(word))
    return [pack.units[u].name for u in ids] if any(w in plain.GROUPS for w in words) else []


def _owed(duty: Duty, found: Clause, pack: Pack) -> Owed:
    ladder = pack.ladders.get(duty.ladder)
    basis, open_ = plain.basis(duty.within_basis)
    return Owed(
        duty,
        plain.who(duty.who or found.responsible, pack) + ("（逐岗）" if duty.each == "post" else ""),
        [plain.trigger(t, pack) for t in duty.triggers],
        plain.deadline(duty, pack),
        basis,
        open_,
        "、".join(proved(word, pack) for word in duty.evidence) or "—",
        "随解除终止" if duty.cancel == "drop" else "解除后仍须办结",
        plain.climbs(ladder, pack) if ladder else [],
        ladder.basis if ladder else "",
    )


def _open(clause_id: str) -> list[tuple[str, str, int, str]]:
    rows = [r for r in streams.open_rows(here.session()) if r.clause == clause_id]
    now = here.now()
    return [(r.duty, r.holder, r.deadline, "late" if r.deadline < now else "wait") for r in rows]


# ── counting ─────────────────────────────────────────────────────────────────

_counted: dict[tuple[int, str], tuple[int, dict[str, Counts]]] = {}
"""(house, stream) → last seq it was counted at, and its counts."""


def counted(series: str) -> dict[str, Counts]:
    """Counts by clause over every stream of a series; a stream that has not grown is not counted again."""
    house, session = id(here.house()), here.session()
    wanted = [s for s in streams.streams(session) if s.series == series]
    stale = [s for s in wanted if _counted.get((house, s.name), (0, {}))[0] != s.last]
    bodies = streams.duties(session, [s.name for s in stale])
    for s in stale:
        facts: list[Fact] = [decode(body) for body in bodies.get(s.name, ())]
        _counted[house, s.name] = (s.last, tally.count(facts))
    total: dict[str, Counts] = {}
    for s in wanted:
        for id_, counts in _counted[house, s.name][1].items():
            _add(total.setdefault(id_, Counts()), counts)
    return total


def _add(total: Counts, counts: Counts) -> None:
    for field, _, _ in WORDS:
        setattr(total, field, getattr(total, field) + getattr(counts, field))
