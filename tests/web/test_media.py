"""The editor's queue, the badges, and what units record of themselves."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fengsui.core.facts import Aired, Consulted, Reported, ResponseSet, SuspensionDecided
from fengsui.formats import badges
from fengsui.store import archive
from fengsui.web import written
from tests.flow.district import yunzhou
from tests.web.site import INCIDENT, JULE, Site

MINUTE = 60 * 1_000_000


def page(site: Site, role: str, url: str) -> str:
    answer = site.client(role).get(url)
    assert answer.status_code == 200
    return str(answer.content.decode())


def press(site: Site, role: str, url: str, **fields: Any) -> Any:
    return site.client(role).post(url, fields)


def aired(**more: Any) -> dict[str, Any]:
    return {"stream": INCIDENT, "unit": "media", "what": "badge", "on": "1", "form": "air-1"} | more


# ── 插播 ──────────────────────────────────────────────────────────────────────


def test_the_editor_sees_what_to_air_until_when_and_how_long_it_takes_to_read(busy: Site) -> None:
    text = page(busy, "media", "/media")

    assert "各位观众" in text
    assert re.search(r"口播约 <b class=\"num\">\d+</b> 秒", text)
    assert "02:23 前播出" in text
    assert text.count("已播出") >= 2
    assert "播出中" in text


def test_what_was_aired_is_recorded_once_whoever_clicks_twice(busy: Site) -> None:
    before = len(busy.facts(Aired))
    for _ in range(2):
        assert press(busy, "media", "/media", **aired()).status_code == 303

    assert len(busy.facts(Aired)) == before + 1
    assert busy.state().on_air["media/badge"] == 1


def test_the_editor_may_say_when_it_really_was_but_not_before_the_order_nor_later_than_now(
    busy: Site,
) -> None:
    for at, code in (
        (busy.now + 5 * MINUTE, 422),
        (busy.now - 60 * MINUTE, 422),
        (busy.now - 3 * MINUTE, 303),
    ):
        answer = press(busy, "media", "/media", **aired(at=written.local(at), form=f"air-{at}"))
        assert answer.status_code == code

    assert busy.facts(Aired)[-1].at == busy.now - 3 * MINUTE


def test_once_lifted_it_must_come_off(busy: Site) -> None:
    busy.issue(2, "")
    busy.calm()

    text = page(busy, "media", "/media")
    assert "已解除，须撤下" in text
    assert press(busy, "media", "/media", **aired(what="crawl", on="0")).status_code == 303

    assert "media/crawl" not in busy.state().on_air
    assert "现在没有插播单" in page(busy, "media", "/media")


def test_nothing_is_aired_that_was_not_ordered(quiet: Site) -> None:
    assert press(quiet, "media", "/media", **aired()).status_code == 404


# ── 角标 ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("hazard", sorted(yunzhou().hazards))
def test_a_badge_says_in_words_what_its_colour_says_and_needs_nothing_else(hazard: str) -> None:
    signal = yunzhou().hazards[hazard]
    for level in signal.levels:
        svg = badges.badge(hazard, level, signal.name, signal.name_en)
        assert badges.WORD[level] in re.findall(r">(.)</text>", svg)
        assert all(char in re.findall(r">(.)</text>", svg) for char in signal.name)
        assert not re.search(r"style=|<script|href|url\(|\{line\}|\{ground\}", svg)
        assert len(svg) < 3500


def test_only_badges_of_signals_that_exist_are_given_and_to_anybody(quiet: Site) -> None:
    client = quiet.client("township")
    client.cookies.clear()

    assert client.get("/badge/rainstorm/red.svg")["Content-Type"].startswith("image/svg+xml")
    assert client.get("/badge/heat/blue.svg").status_code == 404
    assert client.get("/badge/nothing/red.svg").status_code == 404


# ── 停工停业停课 ──────────────────────────────────────────────────────────────


def test_not_to_stop_needs_a_reason_that_is_kept(busy: Site) -> None:
    url = f"/suspend/{INCIDENT}"
    assert "W134" in press(busy, "liaison", url, do="go", form="s1", seen="0").content.decode()

    assert press(busy, "liaison", url, do="go", form="s1", seen="0", text="夜间无作业").status_code == 303

    (fact,) = [f for f in busy.facts(SuspensionDecided) if f.unit == "water"]
    assert (fact.stops, written.paper(fact.reason).decode()) == ((), "夜间无作业")


def test_stopping_opens_notice_and_report_and_is_lifted_after_a_check(busy: Site) -> None:
    url, before = f"/suspend/{INCIDENT}", busy.state().suspension[JULE]
    text = page(busy, "township", url)
    assert "停工、停课" in text
    assert "停工停业停课通告" in text

    stale = press(busy, "township", url, do="lift", form="s2", seen="7", text="已检查")
    assert "S01" in stale.content.decode()
    done = press(busy, "township", url, do="lift", form="s3", seen=str(before.at), text="已检查")

    assert done.status_code == 303
    assert busy.state().suspension[JULE].lifted
    assert "已恢复" in page(busy, "township", url)


# ── 报告 ──────────────────────────────────────────────────────────────────────


def test_a_unit_reports_what_it_owes_with_a_paper_where_one_is_asked_for(busy: Site) -> None:
    url = f"/report/{INCIDENT}"
    key = next(k for k in busy.state().duties if k.endswith("/announce"))
    assert "停工停业停课通告" in page(busy, "township", url)

    bare = press(busy, "township", url, what="suspension_notice", duty=key, form="r1")
    assert (bare.status_code, "W134" in bare.content.decode()) == (422, True)
    full = press(busy, "township", url, what="suspension_notice", duty=key, form="r1", text="自2时起停课")

    assert full.status_code == 303
    fact = busy.facts(Reported)[-1]
    assert (fact.what, fact.unit, fact.duty) == ("suspension_notice", JULE, key)
    assert not busy.state().duties[key].shares[JULE].open


def test_a_unit_does_not_report_for_another(busy: Site) -> None:
    answer = press(busy, "supervisor", f"/report/{INCIDENT}", what="relay", duty="2.4.1/relay", form="r2")

    assert answer.status_code == 422


def test_an_unknown_stream_has_no_pages(quiet: Site) -> None:
    for name in ("report", "suspend", "consult"):
        role = "clerk"
        assert quiet.client(role).get(f"/{name}/nothing").status_code == 404


# ── 会商与响应 ────────────────────────────────────────────────────────────────


def test_a_consultation_is_held_concluded_with_minutes_and_the_leader_answers(busy: Site) -> None:
    url, name = f"/consult/{INCIDENT}", next(iter(busy.state().consultations))
    given = {"consultation": name}
    assert "登记：已召开" in page(busy, "clerk", url)
    assert press(busy, "clerk", url, do="held", form="c1", **given).status_code == 303

    bare = press(busy, "clerk", url, do="concluded", outcome="activate", form="c2", **given)
    assert "C02" in bare.content.decode()
    minutes = press(
        busy, "clerk", url, do="concluded", outcome="activate", form="c2", text="建议启动", **given
    )
    assert minutes.status_code == 303
    assert "结论：建议启动响应" in page(busy, "clerk", url)

    assert "W121" in press(busy, "clerk", url, do="respond", grade="III", form="c3").content.decode()
    assert press(busy, "leader", url, do="respond", grade="III", form="c3").status_code == 303
    assert [f.stage for f in busy.facts(Consulted)][-2:] == ["held", "concluded"]
    assert busy.facts(ResponseSet)[-1].grade == "III"
    assert "III 级应急响应中" in page(busy, "leader", url)


def test_three_orders_of_a_warning_read_its_paper_once(busy: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[list[str]] = []
    real = archive.several
    monkeypatch.setattr(
        archive, "several", lambda session, wanted: (read.append(list(wanted)), real(session, read[-1]))[1]
    )

    assert page(busy, "media", "/media").count('class="card order') == 3
    assert read == [[busy.state().alert.paper]]
