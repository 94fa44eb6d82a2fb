"""演练报告 Drill reports: who answered when and what was missed, beside the last drill of the same scenario — page, CSV, PDF."""

from __future__ import annotations

from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from fengsui.core import calendar, drill_report
from fengsui.core.drill_report import Report
from fengsui.core.facts import DrillSet
from fengsui.core.state import World
from fengsui.formats import pdf
from fengsui.store import history
from fengsui.web import here, lists, sentences, sheets
from fengsui.web.lists import Cell, Listing
from fengsui.web.pages import drill
from fengsui.web.pages import paper as papers
from fengsui.web.sheets import Sheet

COLUMNS = ("类别", "单位", "岗位", "事项", "条款", "时刻或时限", "结果", "分钟")
EMPTY = "这场演练还没有发布演练预警，没有应答可统计。"
HOW = {"late": ("逾期办结", "late"), "supervised": ("督办仍未办", "late"), "never": ("未办", "late")}


class Sum(NamedTuple):
    """A clause's duties, now and the last time (None = there was none, or it was not triggered)."""

    cite: str
    title: str
    now: tuple[int, int, int, int, int]
    before: tuple[int, int, int, int, int] | None


@require_GET
def report(request: HttpRequest, stream: str) -> HttpResponse:
    """The report; ``?csv=1``, ``?xlsx=1``."""
    state, world = drill.found(stream), here.world()
    made = drill_report.report(drill.facts(stream))
    last = earlier(stream)
    before = drill_report.report(drill.facts(last)) if last else None
    marks = [(m, made.shares.get(m), before.shares.get(m) if before else None) for m in drill_report.MARKS]
    more = drill.framed() | {
        "it": state, "report": made, "title": drill.title(state.drill), "last": last, "before": before,
        "marks": marks, "sums": _sums(made, before, world), "first": _gap(made, 0), "slowest": _gap(made, 1),
    }  # fmt: skip
    title = f"演练报告　{drill.title(state.drill)}"
    return lists.show(request, Listing(title, COLUMNS, rows(made, world), EMPTY), "drill_report.html", **more)


def earlier(stream: str) -> str:
    """The last drill of the same scenario that was ended before this one was announced, "" if there was none."""
    facts = [x.fact for x in history.of_kind(here.session(), "drill_set")]
    turns = [f for f in facts if isinstance(f, DrillSet)]
    mine = next(f for f in turns if f.stream == stream)
    same = {f.stream for f in turns if f.scenario == mine.scenario}
    return next(
        (f.stream for f in reversed(turns) if f.stream in same and f.state == "stopped" and f.at <= mine.at),
        "",
    )


def _gap(made: Report, which: int) -> int | None:
    """Minutes from issue to the first or last message that got to a person."""
    return None if made.reached is None else -(-(made.reached[which] - made.issued) // calendar.MINUTE)


def _sums(made: Report, before: Report | None, world: World) -> list[Sum]:
    found = []
    for id_, counts in sorted(made.clauses.items()):
        clause = world.pack.clauses.get(id_)
        last = before.clauses.get(id_) if before else None
        found.append(
            Sum(clause.cite if clause else id_, clause.title if clause else "", _five(counts), _five(last) if last else None)
        )  # fmt: skip
    return found


def _five(counts: object) -> tuple[int, int, int, int, int]:
    names = ("triggered", "done", "late", "supervised", "dropped")
    one, two, three, four, five = (int(getattr(counts, name)) for name in names)
    return one, two, three, four, five


def rows(made: Report, world: World) -> list[tuple[Cell, ...]]:
    """What was missed, then every answer in the order in which they came."""
    return [*(_missed(m, world) for m in made.misses), *(_answer(a, world) for a in made.answers)]


def _missed(one: drill_report.Miss, world: World) -> tuple[Cell, ...]:
    word, look = HOW[one.how]
    minutes = Cell(f"+{one.minutes}") if one.minutes else Cell("")
    return (
        Cell("未按时"), *_whose(one.holder, world), Cell(sentences.title(one.key, world)), _cite(one.clause, world),
        Cell(_clock(one.deadline, world)), Cell(word, look), minutes,
    )  # fmt: skip


def _answer(one: drill_report.Answer, world: World) -> tuple[Cell, ...]:
    result = Cell("已应答", "ok") if one.answered is not None else Cell("未应答", "late")
    at = _clock(one.answered, world) if one.answered is not None else ""
    minutes = "" if one.minutes is None else str(one.minutes)
    return (Cell("应答"), *_whose(one.post, world), Cell("签收"), Cell(""), Cell(at), result, Cell(minutes))


def _whose(holder: str, world: World) -> tuple[Cell, Cell]:
    """The unit, and of a post its place and role: villages of a township are told apart."""
    unit = holder.split("/", 1)[0]
    return Cell(sentences.unit(unit, world)), Cell(sentences.holder(holder, world) if "/" in holder else "")


def _cite(clause: str, world: World) -> Cell:
    return Cell(world.pack.clauses[clause].cite if clause in world.pack.clauses else clause)


def _clock(at: int, world: World) -> str:
    return f"{calendar.local(at, world.pack.zone):%H:%M}"


# ── paper 打印 ───────────────────────────────────────────────────────────────


@require_GET
def paper(request: HttpRequest, stream: str) -> HttpResponse:
    """The report as PDF, by a job."""
    state = drill.found(stream)
    return papers.opened(
        request, f"drill/{stream}", lambda: _sheet(stream, drill.title(state.drill)), "drill_report", stream
    )


def _sheet(stream: str, title: str) -> Sheet:
    world, seq = here.house().writer.position
    made = drill_report.report(drill.facts(stream))
    last = earlier(stream)
    before = drill_report.report(drill.facts(last)) if last else None
    form = pdf.DrillSheet(
        office=world.pack.texts.issuer,
        title=title,
        series="exercise",
        facts=_said(stream, made, world),
        shares=tuple(
            (f"{m} 分钟", _percent(made.shares.get(m)), _percent(before.shares.get(m)) if before else "")
            for m in drill_report.MARKS
        ),
        clauses=tuple((s.cite, s.title, *(str(n) for n in s.now)) for s in _sums(made, before, world)),
        rows=tuple(tuple(c.text for c in row) for row in rows(made, world)),
        seal=sheets.seal(seq, world.pack),
    )
    return Sheet(pdf.Order(form), f"演练报告 {stream}")


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def _said(stream: str, made: Report, world: World) -> tuple[tuple[str, str], ...]:
    zone = world.pack.zone
    first, last = _gap(made, 0), _gap(made, 1)
    return (
        ("编号", stream),
        ("发布", pdf.moment(made.issued, zone) if made.issued else "没有发布"),
        ("截止", pdf.moment(made.ended, zone)),
        ("告知", f"{made.told} 人，其中 {made.unreached} 人无路可达"),
        ("应答", f"{made.answered} / {len(made.answers)} 个岗位"),
        ("送达", f"首个 {first} 分钟，末个 {last} 分钟" if first is not None else "没有送达回执"),
    )
