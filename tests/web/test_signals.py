"""The archive of signals: every version is listed under its number, with what was sent then, whatever the pack says later."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import threading
import zipfile
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import docx
import msgspec
import pytest

from fengsui.core.facts import Alerted
from fengsui.store import archive, history
from fengsui.store.sql import Session
from fengsui.store.sql import archive as open_archive
from fengsui.web import here, sent
from fengsui.web.pages import paper
from tests.web.browser import chromium, entered, faults, overflowing, served
from tests.web.site import FENGYU, INCIDENT, JULE, Site

NUMBER = "云气预警模拟〔2027〕{}号"


def text(answer, status=200):
    assert answer.status_code == status, (answer.status_code, answer.content.decode()[-800:])
    return answer.content.decode()


def listed(at, query="", where="/signals"):
    return text(at.client("clerk").get(f"{where}{query}"))


def rows(page):
    body = page.split("<tbody>")[1].split("</tbody>")[0] if "<tbody>" in page else ""
    return re.findall(r'/signals/([^/"]+)/(\d+)">', body)


@pytest.fixture
def lived(busy: Site) -> Site:
    """Orange for one township, then the end; and a gale elsewhere."""
    busy.issue(2, "orange", zones={"140215209": "orange"}, action="change")
    busy.calm()
    busy.issue(3, "", action="cancel")
    busy.issue(1, "yellow", stream="incident-2", hazard="gale", zones={"140215209": "yellow"}, action="issue")
    busy.calm()
    return busy


# ── the list ─────────────────────────────────────────────────────────────────


def test_every_version_is_listed_under_its_number_newest_first(lived):
    page = listed(lived)

    assert rows(page) == [("incident-2", "1"), (INCIDENT, "3"), (INCIDENT, "2"), (INCIDENT, "1")]
    for number in range(1, 5):
        assert NUMBER.format(number) in page


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("?hazard=gale", 1), ("?level=orange", 2), ("?action=cancel", 1), ("?year=2027", 4), ("?year=2026", 0),
        ("?area=140215202", 1), ("?q=〕2号", 1), ("?hazard=rainstorm&level=red", 1), ("?year=none", 4),
        ("?hazard=' OR 1=1", 0),
    ],
)  # fmt: skip
def test_filters_keep_what_they_name(lived, query, kept):
    page = listed(lived, query)

    assert len(rows(page)) == kept, page
    assert bool(kept) is ("没有符合" not in page)


def test_an_empty_archive_says_what_will_stand_there_and_drills_have_their_own(quiet):
    assert "还没有签发过预警" in listed(quiet)
    drills = listed(quiet, where="/signals/in/exercise")
    assert "还没有演练过" in drills
    assert '<html lang="zh-CN" class="exercise">' in drills
    text(quiet.client("clerk").get("/signals/in/nothing"), 404)


def test_a_drill_never_stands_among_what_was_not_one(quiet):
    quiet.issue(1, "yellow", stream="incident-1", hazard="gale", series="exercise", action="issue")
    quiet.issue(1, "red", stream="incident-2", action="issue")
    quiet.calm()

    assert rows(listed(quiet)) == [("incident-2", "1")]
    assert rows(listed(quiet, where="/signals/in/exercise")) == [("incident-1", "1")]
    assert rows(listed(quiet, where="/signals/in/actual")) == []
    page = text(quiet.client("clerk").get("/signals/incident-1/1"))
    assert 'class="exercise"' in page
    assert "云气预警演练〔2027〕1号" in page


def test_what_is_taken_away_is_what_was_filtered(lived):
    table = list(csv.reader(io.StringIO(listed(lived, "?csv=1&level=orange").removeprefix("\ufeff"))))
    answer = lived.client("clerk").get("/signals?xlsx=1&level=orange")
    again = lived.client("clerk").get("/signals?xlsx=1&level=orange")

    assert [r[0] for r in table[1:]] == [NUMBER.format(3), NUMBER.format(2)]
    assert answer.content == again.content
    assert workbook(answer.content) == table


def workbook(body: bytes) -> list[list[str]]:
    """The texts of the first sheet, read without the library that wrote them."""
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(io.BytesIO(body)) as book:
        shared = [
            "".join(t.text or "" for t in si.iter(f"{space}t"))
            for si in ET.fromstring(book.read("xl/sharedStrings.xml"))
        ]
        sheet = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))
    return [
        [shared[int(c.find(f"{space}v").text)] for c in row.iter(f"{space}c")]
        for row in sheet.iter(f"{space}row")
    ]


# ── one version ──────────────────────────────────────────────────────────────


def test_a_version_shows_what_was_sent_byte_for_byte(busy):
    page = text(busy.client("supervisor").get(f"/signals/{INCIDENT}/1"))
    shown = re.findall(r'<p class="letter">(.*?)</p>', page, re.DOTALL)
    really = _bodies()
    assert len(shown) >= 3
    for body in shown:
        plain = body.replace("&#x27;", "'").replace("&quot;", '"')
        assert any(sent.LINK.sub(sent.PERSONAL, b) == plain for b in really), plain
    for digest in re.findall(r"<code>([0-9a-f]{64})</code>", page):
        assert any(
            hashlib.sha256(sent.LINK.sub(sent.PERSONAL, b).encode()).hexdigest() == digest for b in really
        )
    assert "不符" not in page


def _bodies():
    session = Session()
    try:
        return [str(r[0]) for r in session.run("SELECT body FROM text")]
    finally:
        session.close()


def test_no_link_of_anybody_stands_in_the_archive(busy):
    page = text(busy.client("supervisor").get(f"/signals/{INCIDENT}/1"))

    assert any("/a/" in b for b in _bodies())
    assert "warn.invalid" not in page
    assert sent.PERSONAL in page


def test_what_was_sent_stays_when_the_pack_words_it_otherwise(busy, monkeypatch):
    before = text(busy.client("clerk").get(f"/signals/{INCIDENT}/1"))
    pack = here.pack()
    other = msgspec.structs.replace(
        pack.texts, templates=dict.fromkeys(pack.texts.templates, "改了"), signature="【改】"
    )
    monkeypatch.setattr(here, "pack", lambda: msgspec.structs.replace(pack, texts=other))

    after = text(busy.client("clerk").get(f"/signals/{INCIDENT}/1"))
    letters = re.compile(r'<p class="letter">(.*?)</p>', re.DOTALL)
    assert letters.findall(after) == letters.findall(before) != []


def test_the_words_on_the_air_are_kept_with_the_version(busy):
    lines = [x for x in _lines() if isinstance(x.fact, Alerted)]
    aired = sent.of(lines[0], 1, _lines()).aired

    assert {w.title for w in aired} == {"滚动字幕", "预警角标", "主持人口播"}
    crawl = next(w for w in aired if w.title == "滚动字幕")
    assert JULE in crawl.body
    assert FENGYU in crawl.body


def _lines():
    session = Session()
    try:
        return history.stream(session, INCIDENT)
    finally:
        session.close()


def test_a_text_that_was_altered_is_marked(busy):
    session = Session()
    session.run("UPDATE text SET body = body || '改' WHERE body LIKE '%暴雨红色%'")
    session.close()

    assert "与存档摘要不符" in text(busy.client("clerk").get(f"/signals/{INCIDENT}/1"))


def test_each_channel_is_counted_by_its_states(busy):
    lines = _lines()
    ways = {
        w.name: w
        for w in sent.of(lines[[isinstance(x.fact, Alerted) for x in lines].index(True)], 1, lines).ways
    }

    sms_ = ways["短信"]
    assert sms_.planned >= sms_.handed >= sms_.delivered > 0
    assert sms_.acknowledged > 0
    assert f'<td class="num">{sms_.planned}</td>' in text(busy.client("clerk").get(f"/signals/{INCIDENT}/1"))


def test_versions_lead_to_one_another(lived):
    page = text(lived.client("clerk").get(f"/signals/{INCIDENT}/2"))

    assert f"上一版 {NUMBER.format(1)}" in page
    assert f"下一版 {NUMBER.format(3)}" in page
    assert f"/paper/{INCIDENT}/2.pdf" in page
    text(lived.client("clerk").get(f"/signals/{INCIDENT}/9"), 404)
    text(lived.client("clerk").get("/signals/nothing/1"), 404)


def test_the_form_of_issue_comes_as_a_document_that_stays_in_the_archive(busy, monkeypatch):
    monkeypatch.setenv(
        "PYTHONPATH", str(Path(__file__).parents[2])
    )  # the job's program is that of this checkout
    page = text(busy.client("clerk").get(f"/signals/{INCIDENT}/1"))
    answer = busy.client("clerk").get(f"/paper/{INCIDENT}/1.docx")

    assert f'href="/paper/{INCIDENT}/1.docx"' in page
    assert answer["Content-Type"] == paper.DOCUMENT
    assert unquote(answer["Content-Disposition"]).endswith(
        f"预警信号发布单 {NUMBER.format(1)} 暴雨红色预警发布.docx"
    )
    said = "".join(
        p.text
        for t in docx.Document(io.BytesIO(answer.content)).tables
        for c in t._cells
        for p in c.paragraphs
    )
    assert "暴雨红色预警信号" in said
    assert JULE in said
    session = open_archive()
    assert archive.get(session, hashlib.sha256(answer.content).hexdigest()) == answer.content
    session.close()
    assert busy.client("clerk").get(f"/paper/{INCIDENT}/9.docx").status_code == 404


# ── figures ──────────────────────────────────────────────────────────────────


def test_the_figures_count_versions_by_year_hazard_level_and_action(lived):
    table = list(
        csv.reader(io.StringIO(listed(lived, "?csv=1", "/signals/figures/test").removeprefix("\ufeff")))
    )
    counted = {tuple(r[:3]): dict(zip(table[0][3:], r[3:], strict=True)) for r in table[1:]}

    assert set(counted) == {("2027", "大风", "黄色"), ("2027", "暴雨", "红色"), ("2027", "暴雨", "橙色")}
    orange = counted["2027", "暴雨", "橙色"]
    assert (orange["变更发布"], orange["解除"], orange["合计"]) == ("1", "1", "2")
    assert counted["2027", "暴雨", "红色"]["过程"] == "1"
    assert counted["2027", "暴雨", "红色"]["平均生效"] == "0.3 小时"  # 02:13 to 02:30
    assert sum(int(r["合计"]) for r in counted.values()) == 4
    red = counted["2027", "暴雨", "红色"]
    shares = lived.state().duties["2.4.1/acknowledge"].shares.values()
    done, gone = (sum(s.how == how for s in shares) for how in ("done", "cancelled"))
    assert red["签收率"] == f"{done / (len(shares) - gone):.0%}"
    assert red["签收用时"].endswith(" 分钟")
    assert counted["2027", "大风", "黄色"]["签收率"] == "0%"


def test_figures_keep_series_apart_and_draw_bars(lived):
    page = listed(lived, where="/signals/figures/test?year=2027")

    assert page.count("<rect") == 3
    assert "没有可统计的" in listed(lived, where="/signals/figures/exercise")
    assert "没有可统计的" in listed(lived, where="/signals/figures/test?year=2026")
    text(lived.client("clerk").get("/signals/figures/none"), 404)


# ── one incident ─────────────────────────────────────────────────────────────


def test_the_thread_says_what_each_version_changed_for_whom(lived):
    page = text(lived.client("clerk").get(f"/signals/{INCIDENT}"))

    assert [page.index(NUMBER.format(n)) for n in (1, 2, 3)] == sorted(
        page.index(NUMBER.format(n)) for n in (1, 2, 3)
    )
    second = page.split(NUMBER.format(2))[1].split(NUMBER.format(3))[0]
    assert "降级" in second
    assert "解除" in second
    assert "停" in page.split(NUMBER.format(2))[0]  # 聚乐乡 decided to stop classes and work in between
    assert f"/ledger/{INCIDENT}/replay" in page


def test_no_page_asks_more_often_for_more(lived, monkeypatch):
    asked: list[str] = []
    run, mine = Session.run, threading.get_ident()

    def counted(self, words, *values):
        if threading.get_ident() == mine:  # the writer has a thread of its own
            asked.append(words)
        return run(self, words, *values)

    monkeypatch.setattr(Session, "run", counted)

    def count():
        found = []
        for address in ("/signals", f"/signals/{INCIDENT}", f"/signals/{INCIDENT}/1"):
            asked.clear()
            text(lived.client("clerk").get(address))
            found.append(len(asked))
        return found

    before = count()
    for hazard in ("lightning", "cold_wave", "heat"):
        lived.issue(1, "orange", stream=f"incident-{hazard}", hazard=hazard, action="issue")
    lived.calm()
    assert count() == before


@pytest.mark.foreign
def test_the_pages_are_fit_to_be_seen(lived, request):
    wrong = []
    shots = request.config.getoption("--shots")
    lived.client("clerk")
    with served(lived) as address, chromium() as browser:
        page = entered(browser, address, lived, "clerk")
        for name, path in {
            "signals": "/signals", "drills": "/signals/in/exercise", "signal": f"/signals/{INCIDENT}/1", "figures": "/signals/figures/test",
            "thread": f"/signals/{INCIDENT}",
        }.items():  # fmt: skip
            for width in (1440, 360):
                page.set_viewport_size({"width": width, "height": 900})
                page.goto(address + path)
                wrong += [f"{path} at {width}: {o}" for o in overflowing(page)]
                if shots:
                    page.screenshot(path=f"{shots}/{name}-{width}.png", full_page=True)
            wrong += [f"{path}: {f}" for f in faults(page)]
    assert wrong == []
