"""The ledger as people read it: by clause who owed what, how early or late; every fact; and the night again."""

from __future__ import annotations

import csv
import io
import re
import time

import pytest

from fengsui.core import board, mind
from fengsui.core.facts import Alerted
from fengsui.core.state import State
from fengsui.store import history
from fengsui.store.sql import Session
from fengsui.web import here, past, sentences
from tests.web.site import FENGYU, INCIDENT, JULE


def text(answer, status=200):
    assert answer.status_code == status, (answer.status_code, answer.content.decode()[-800:])
    return answer.content.decode()


def stream(at, query=""):
    return text(at.client("supervisor").get(f"/ledger/{INCIDENT}{query}"))


def lines():
    session = Session()
    try:
        return history.stream(session, INCIDENT)
    finally:
        session.close()


def test_the_list_names_every_stream_and_shows_the_end_of_the_chain(busy):
    page = text(busy.client("supervisor").get("/ledger"))

    session = Session()
    seq, hash_ = session.run("SELECT seq, hash FROM chain WHERE id = 1")[0]
    session.close()
    assert hash_ in page
    assert f'<b class="num">{seq}</b>' in page
    assert "暴雨红色预警" in page
    assert "名录、数据包、日常事项" in page


def test_an_empty_ledger_says_what_will_stand_there(quiet):
    page = text(quiet.client("leader").get("/ledger?q=没有"))

    assert "没有符合“没有”的条目" in page


def test_each_clause_stands_with_its_words_and_every_row_of_the_board(busy):
    page = stream(busy)

    shown = re.findall(r"<summary><b>(.*?)　(.*?)</b>", page)
    rows = board.rows(busy.state())
    pack = here.pack()
    assert {cite for cite, _ in shown} == {pack.clauses[r.clause].cite for r in rows.values()}
    assert pack.clauses["2.4.1"].quotes[0] in page
    assert len(re.findall(r"<tr><td>", page)) == len(rows)


def test_a_row_says_when_by_when_with_what_proof_and_how_early(busy):
    table = list(csv.reader(io.StringIO(stream(busy, "?csv=1").removeprefix("\ufeff"))))

    relay = [r for r in table if r[1] == "再传播" and r[2] == JULE]
    assert relay == [
        [
            "二（四）1",
            "再传播",
            JULE,
            "2027-07-21 02:13",
            "2027-07-21 02:28",
            "2027-07-21 02:15",
            "早 13 分",
            "再传播回执",
            "按时办结",
        ]
    ]
    silent = next(r for r in table if r[1] == "再传播" and r[2] == FENGYU)
    assert silent[5:] == ["", "已超 2 分", "", "已超时"]


def test_every_fact_is_a_sentence_and_filters_keep_what_they_name(busy):
    known = lines()
    page = stream(busy)
    first = sentences.sentence(known[0].fact, here.world())
    assert first in page
    assert f"{len(known)} 条" in page

    for query, keeps in (
        ("?kind=alerted", lambda f: isinstance(f, Alerted)),
        ("?clause=2.4.2", lambda f: past.clause(f) == "2.4.2"),
        (f"?unit={JULE}", lambda f: JULE in past.units(f, here.world())),
    ):
        wanted = [x.seq for x in known if keeps(x.fact)]
        page = stream(busy, query)
        assert f"<small>{len(wanted)} 条，已筛选" in page
        assert [int(n) for n in re.findall(r'<span class="seq num">(\d+)</span>', page)] == wanted[:200]


def test_the_night_at_any_fact_is_what_it_was_then(busy):
    known = lines()
    told = past.told(INCIDENT, known[-1].seq)

    for n in (1, 57, len(known) // 2, len(known)):
        state = State.blank(INCIDENT)
        for line in known[:n]:
            state = mind.fold(state, line.fact)
        assert told.at(n) == state
    assert told.at(len(known)) == busy.state()


def test_the_replay_works_without_script_and_swaps_only_the_state_with_it(busy):
    client = busy.client("leader")
    total = len(lines())
    page = text(client.get(f"/ledger/{INCIDENT}/replay?n=1"))

    assert f"第 1 / {total} 条" in page
    assert '<form class="player" method="get"' in page
    assert 'type="range"' in page
    assert 'href="?n=2" rel="next"' in page
    part = text(client.get(f"/ledger/{INCIDENT}/replay?n={total}", headers={"HX-Request": "true"}))
    assert part.startswith('<div id="state">')
    assert f"{JULE}" in part


@pytest.mark.parametrize(("given", "shown"), [("0", 1), ("999999", 0), ("x", 0), ("-3", 0), ("", 0)])
def test_a_moment_that_does_not_exist_is_the_nearest_or_the_last(busy, given, shown):
    page = text(busy.client("leader").get(f"/ledger/{INCIDENT}/replay?n={given}"))

    total = len(lines())
    assert f"第 {shown or total} / {total} 条" in page


def test_a_step_of_the_replay_is_quick(busy):
    client, total = busy.client("leader"), len(lines())
    client.get(f"/ledger/{INCIDENT}/replay")
    took = []
    for n in range(1, total, max(1, total // 20)):
        began = time.monotonic()
        client.get(f"/ledger/{INCIDENT}/replay?n={n}", headers={"HX-Request": "true"})
        took.append(time.monotonic() - began)

    assert sorted(took)[len(took) // 2] < 0.2


def test_a_stream_that_does_not_exist_is_not_there(quiet):
    assert quiet.client("leader").get("/ledger/none").status_code == 404
    assert quiet.client("leader").get("/ledger/none/replay").status_code == 404
