"""Sentences: whatever stands in the ledger can be read aloud, and names no person and no number."""

from __future__ import annotations

import re
from typing import get_args

from fengsui.core.facts import Fact, Reached, Tallied
from fengsui.store import history
from fengsui.web import here, sentences


def test_every_fact_of_the_night_reads_as_a_sentence(busy):
    world = here.world()
    said = {type(f): sentences.sentence(f, world) for f in busy.facts()}

    assert len(said) >= 12
    assert set(said) <= set(get_args(Fact))
    for text in said.values():
        assert re.search(r"[\u4e00-\u9fff]", text)
        assert not re.search(r"100\d{8}|/duty_officer|None", text)


def test_a_run_of_the_same_is_one_line(busy):
    lines = history.page(here.session(), before=1 << 62, limit=2000)
    said = list(sentences.log(lines, here.world()))

    answers = [x.fact for x in lines if isinstance(x.fact, Reached) and x.fact.state == "acknowledged"]
    assert len(answers) == 31
    assert [x.text for x in said if "人已签收" in x.text] == ["区融媒体中心值班员等 31 人已签收"]


def test_a_log_leaves_out_what_only_says_the_same_again(busy):
    lines = history.page(here.session(), before=1 << 62, limit=2000)

    assert any(isinstance(x.fact, Tallied) for x in lines)
    assert len(list(sentences.log(lines, here.world()))) < len(lines) / 5
