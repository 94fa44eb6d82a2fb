"""The document word for word, each clause beside its words; nothing that was not confirmed looks confirmed."""

from __future__ import annotations

import html
import re

import pytest

from fengsui.core import tally
from fengsui.web import here, plain
from tests.flow.district import yunzhou
from tests.web.site import INCIDENT


def text(answer, status=200):
    assert answer.status_code == status, (answer.status_code, answer.content.decode()[-800:])
    return html.unescape(answer.content.decode())


def bare(words: str) -> str:
    return "".join(words.split())


def test_the_document_loses_no_word_and_gains_none():
    pieces = "".join(p.text for line in plain.document(yunzhou()) for p in line.pieces)

    assert bare(pieces) == bare(yunzhou().document.text)


def test_every_clause_begins_somewhere_and_every_quote_is_marked():
    lines = plain.document(yunzhou())
    starts = [c for line in lines for c in line.starts]

    assert sorted(starts) == sorted(yunzhou().clauses)
    for clause in yunzhou().clauses.values():
        marked = bare("".join(p.text for line in lines for p in line.pieces if clause.id in p.clauses))
        assert all(bare(q) in marked for q in clause.quotes), clause.id


def test_a_line_that_many_clauses_quote_is_marked_where_each_means_it():
    lines = plain.document(yunzhou())
    whole = ["".join(p.text for p in line.pieces) for line in lines]
    place = {c: n for n, line in enumerate(lines) for c in line.starts}
    who = [n for n, line in enumerate(whole) if line.startswith("责任单位：气象灾害应急指挥部成员单位")]

    for clause in ("2.4.1", "2.4.2"):
        quoted = [n for n in who if any(clause in p.clauses for p in lines[n].pieces)]
        assert quoted == [min(n for n in who if n > place[clause])]
    goals = [n for n, line in enumerate(lines) if any("4.2.b" in p.clauses for p in line.pieces)]
    assert len(goals) == 1, "both parts of one sentence"


def test_planned_clauses_say_so_and_counts_are_those_of_the_tally(busy):
    page = text(busy.client("township").get("/mechanism"))

    planned = [c for c in here.pack().clauses.values() if c.planned]
    assert page.count('<span class="mark">待实现</span>') == len(planned)
    counts = tally.count(f for f in busy.facts() if f.stream == INCIDENT)["2.4.1"]
    side = page[page.index("二（四）1　再传播与防灾避险") :]
    assert f"触发 {counts.triggered}</span>" in side[:900]
    assert f"按时 {counts.done}</span>" in side[:900]


def test_who_set_a_deadline_stands_beside_it(busy):
    page = text(busy.client("media").get("/mechanism"))

    assert "时限依据：本区约定（<b>待核实</b>）" in page


@pytest.mark.parametrize("clause", sorted(yunzhou().clauses))
def test_every_clause_has_a_page_without_a_word_of_the_vocabulary(quiet, clause):
    page = text(quiet.client("liaison").get(f"/mechanism/{clause}"))

    found = here.pack().clauses[clause]
    for quote in found.quotes:
        assert quote in page
    for duty in found.duty:
        assert duty.title in page
    shown = re.sub(r"<small>\w+</small>", "", page[page.index("原文") :])  # a duty's own id
    shown = re.sub(r"<[^>]+>", " ", shown)
    assert (
        re.findall(
            r"\b(?:alert|members|townships|same|invited|reached|on_air|\d+wd|monthly|quarterly|holiday)\b",
            shown,
        )
        == []
    )


def test_a_clause_that_does_not_exist_is_not_there(quiet):
    assert quiet.client("leader").get("/mechanism/9.9").status_code == 404
