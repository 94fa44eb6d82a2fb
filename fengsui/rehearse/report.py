"""结果 Report: what a rehearsed night came to — counted from ledger and deliveries, by nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from fengsui.core import tally
from fengsui.core.calendar import MINUTE
from fengsui.core.clauses import Pack
from fengsui.core.facts import Alerted, DutyEnded, DutyOpened, Fact, Reached
from fengsui.rehearse.cast import ACKNOWLEDGE
from fengsui.rehearse.people import Population

MARKS = (1, 3, 5, 10, 15)
"""Minutes after issue at which the share of answers is reported."""


def report(
    facts: Sequence[Fact], pack: Pack, population: Population, *, handed: int, lost: int
) -> dict[str, Any]:
    """The night as one JSON object. handed: deliveries handed over; lost: with neither a result nor an open task."""
    return {
        "people": len(population.people),
        "messages": handed,
        "lost": lost,
        "answered_share": {str(m): share for m, share in answered(facts, population).items()},
        "clauses": clauses(facts, pack),
    }


def clauses(facts: Sequence[Fact], pack: Pack) -> list[dict[str, Any]]:
    """Each clause with its words and how many of its duties were triggered, done, late, supervised so far."""
    counts = tally.count(facts)
    return [_clause(pack, id_, counts.get(id_, tally.Counts())) for id_ in sorted(pack.clauses)]


def _clause(pack: Pack, id_: str, counts: tally.Counts) -> dict[str, Any]:
    clause = pack.clauses[id_]
    return {
        "id": id_,
        "quote": list(clause.quotes),
        "triggered": counts.triggered,
        "done": counts.done,
        "late": counts.late,
        "supervised": counts.supervised,
        "planned": clause.planned,
    }


def answered(facts: Iterable[Fact], population: Population) -> dict[int, float]:
    """Share of the required persons who had answered so many simulated minutes after issue.

    A person is required if a post he holds owes an acknowledgement of the first version; he has answered when he
    did so himself, by message, link or telephone.
    """
    issued = 0
    asking = False
    required: set[str] = set()
    moments: dict[str, int] = {}
    holders = {p.id: p.holder for p in population.posts}
    for fact in facts:
        match fact:
            case Alerted():
                issued, asking = issued or fact.at, not issued
            case DutyOpened(key=key) if key == ACKNOWLEDGE and asking:
                required |= {holders[h] for h in fact.holders if holders.get(h)}
            case Reached(state="acknowledged"):
                moments.setdefault(fact.person, fact.at)
    return {
        mark: round(
            sum(moments.get(p, 1 << 62) <= issued + mark * MINUTE for p in required) / len(required), 4
        )
        if required
        else 0.0
        for mark in MARKS
    }


def unfinished(facts: Iterable[Fact]) -> dict[str, int]:
    """Clauses with duties that are neither ended nor climbing: a night must not end with any."""
    return {id_: c.waiting for id_, c in tally.count(facts).items() if c.waiting}


def show(result: dict[str, Any], pack: Pack, title: str, console: Console) -> None:
    """The table per clause, and the figures above it."""
    share = "　".join(f"{m} 分钟 {float(s):.0%}" for m, s in result["answered_share"].items())
    console.print(
        f"[bold]【模拟】{title}[/bold]　人数 {result['people']}　提交 {result['messages']} 条　丢失 {result['lost']} 条"
    )
    console.print(f"应答：{share}")
    table = Table(title="各条款办理情况（全部为模拟）", title_justify="left", expand=False)
    table.add_column("条款", no_wrap=True)
    table.add_column("原文", max_width=52)
    for name in ("触发", "按时", "逾期办结", "督办中"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in result["clauses"]:
        clause = pack.clauses[row["id"]]
        figures = [
            str(row[k]) if row["triggered"] else "–" for k in ("triggered", "done", "late", "supervised")
        ]
        table.add_row(
            clause.cite,
            _brief(clause.quotes),
            *figures,
            "待实现" if row["planned"] else "",
            style="dim" if row["planned"] else "",
        )
    console.print(table)


def _brief(quotes: Iterable[str], width: int = 50) -> str:
    """The beginning of the quote that says most, not of a heading or a line of responsible units."""
    quote = max((q for q in quotes if not q.startswith("责任单位")), key=len)
    return quote if len(quote) <= width else quote[: width - 1] + "…"


def ended(facts: Iterable[Fact]) -> int:
    """How many duties ended as done, for the progress line."""
    return sum(len(f.holders) for f in facts if isinstance(f, DutyEnded) and f.how == "done")
