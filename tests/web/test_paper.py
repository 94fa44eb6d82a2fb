"""Paper: a plain link answers with the PDF of the ledger as it is; whole numbers only for who may see them, recorded."""

from __future__ import annotations

import contextlib
import hashlib
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote, urlencode
from urllib.request import Request, urlopen

import msgspec
import pytest

from fengsui.core.facts import Aired, DirectoryChanged
from fengsui.core.state import DISTRICT
from fengsui.flow.jobs import Job
from fengsui.rehearse.visit import POSTS
from fengsui.store import archive, people
from fengsui.store.people import Edit, Human
from fengsui.store.sql import archive as open_archive
from fengsui.web import calling, channels, here, sheets
from fengsui.web.pages import paper
from tests.web.browser import chromium, entered, faults, overflowing, served
from tests.web.site import FENGYU, INCIDENT, JULE, Site
from tests.web.test_issue import PASSWORD, submitted, trust

pytestmark = pytest.mark.foreign
FORM, CALLS = f"/paper/{INCIDENT}/1.pdf", "/desk/sheet.pdf"
NUMBER = re.compile(r"100\d{8}")


def words(answer: Any) -> str:
    """The words on all pages of a PDF, without spaces and breaks."""
    assert answer.status_code == 200, answer.content.decode()
    assert answer["Content-Type"] == "application/pdf", answer.content.decode()
    done = subprocess.run(
        ("pdftotext", "-raw", "-", "-"), input=answer.content, check=True, capture_output=True
    )
    return "".join(done.stdout.decode().replace("\u200b", "").split())


def printed(at: Site, address: str = FORM, role: str = "clerk") -> str:
    return words(at.client(role).get(address))


def named(answer: Any) -> str:
    """The file's name as a browser saves it."""
    return unquote(re.search(r"filename\*=utf-8''(\S+)", answer["Content-Disposition"]).group(1))


def looks() -> list[dict[str, Any]]:
    session = open_archive()
    try:
        return [msgspec.json.decode(body) for body in archive.listed(session, "unmask", 100)]
    finally:
        session.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages wait for nothing."""
    monkeypatch.setattr(paper, "PATIENCE", 0.0)


# ── what stands there ────────────────────────────────────────────────────────


def test_the_form_of_issue_says_what_was_signed_and_how_far_it_has_got(busy: Site) -> None:
    page = printed(busy)

    fact, person = busy.state().alert, lambda p: people.name(here.session(), busy.house.vault, p)
    posts = busy.house.writer.world.directory.posts
    assert fact.version == 1
    for said in (
        "编号：云气预警模拟〔2027〕1号", "暴雨红色预警信号", "动作发布", "2027年7月21日02时13分", "峰峪乡、聚乐乡",
        "受强对流云团影响", "降雨量将达100毫米以上。", "居住在病险水库下游", "聚乐乡人民政府", "学校名单",
        f"制作人：{person(posts[POSTS['forecaster']].holder)}", "短信02:13应发", "滚动字幕02:15已播出",
        "预警角标未完成待播", "责任人签收未完成应收139，送达138，签收31", "第1页，共1页",
    ):  # fmt: skip
        assert said in page, said


def test_a_lifting_says_why_and_what_came_off_the_air(busy: Site) -> None:
    anchor = Aired(INCIDENT, busy.now, "media", "anchor", True, busy.holder("media/duty_officer/1"), 1)
    busy.post(anchor)
    busy.issue(2, "")
    busy.calm()
    busy.deliver()

    page = printed(busy, f"/paper/{INCIDENT}/2.pdf")

    for said in (
        "动作解除",
        "编号：云气预警模拟〔2027〕2号",
        "原编号云气预警模拟〔2027〕1号",
        "解除原因",
        "已解除，即刻生效",
        "撤下滚动字幕未完成",
    ):
        assert said in page, said
    assert "防御指南" not in page
    assert "口播" not in page, "what was said is over"
    assert re.search(r"责任人送达\d\d:\d\d应收(\d+)，送达\1", page)
    assert "动作发布" in printed(busy), "the first version still says what it said"


def test_a_sheet_names_the_position_of_the_ledger_that_it_knows(busy: Site) -> None:
    for address in (FORM, CALLS):
        page = printed(busy, address)
        seq, hash_ = re.search(r"台账第(\d+)条([0-9a-f]{64})", page).groups()
        assert here.session().run("SELECT hash FROM ledger WHERE seq = ?", int(seq)) == [(hash_,)]
        assert "模拟】非真实预警" in page


def test_the_call_sheet_lists_whoever_is_silent_in_the_order_of_the_screen(busy: Site) -> None:
    page = printed(busy, CALLS)
    screen = busy.client("clerk").get("/desk/sheet").content.decode()

    rows = calling.silent(here.world(), busy.now)
    assert f"共{len(rows)}项未签收" in page
    assert FENGYU in {row.unit for row in rows}
    assert JULE not in {row.unit for row in rows}
    on_screen = NUMBER.findall(screen)
    assert len(on_screen) > len(rows), "stand-ins, too"
    assert [n for n in NUMBER.findall(page) if n in on_screen] == on_screen
    assert page.count("您还没有签收") == 1, "what to say is said once"


def test_the_strongest_warning_comes_first_on_screen_and_paper(busy: Site) -> None:
    busy.issue(1, "blue", stream="incident-2", hazard="gale", zones={"140215202": "blue"})
    busy.calm()

    levels = [calling.level(row, here.world()) for row in calling.silent(here.world(), busy.now)]
    page = printed(busy, CALLS)

    assert set(levels) == {"red", "blue"}
    assert levels == sorted(levels, key=("red", "blue").index)
    assert page.index("蓝大风蓝色预警") > page.rindex("红暴雨红色预警")
    assert "区域峰峪乡" in page


def test_the_file_has_a_chinese_name(busy: Site) -> None:
    client = busy.client("clerk")

    assert named(client.get(FORM)) == "预警信号发布单 云气预警模拟〔2027〕1号 暴雨红色预警发布.pdf"
    assert re.fullmatch(r"叫应电话单 台账第\d+条\.pdf", named(client.get(CALLS)))
    assert client.get(FORM)["Content-Disposition"].startswith("inline;")


def test_what_was_never_issued_has_no_form(busy: Site) -> None:
    client = busy.client("clerk")

    assert client.get(f"/paper/{INCIDENT}/9.pdf").status_code == 404
    assert client.get("/paper/incident-9/1.pdf").status_code == 404
    assert client.get(f"/paper/{DISTRICT}/1.pdf").status_code == 404


# ── whose numbers ────────────────────────────────────────────────────────────


def test_whole_numbers_only_for_who_may_see_them_and_each_printing_is_recorded(busy: Site) -> None:
    for role in ("signer", "leader"):
        page = printed(busy, CALLS, role)
        assert not NUMBER.search(page)
        assert "100****" in page
        assert "本单号码不完整" in page
    assert looks() == []

    page = printed(busy, CALLS)
    assert NUMBER.search(page)
    busy.house.clock.jump(busy.now + 1)
    printed(busy, CALLS)

    one, other = looks()
    assert one["of"] == other["of"] == sorted(sheets.calls(whole=True).shows)
    assert one["account"] == "clerk"
    assert re.fullmatch(r"打印叫应电话单 台账第\d+条", one["reason"])
    assert not NUMBER.search(msgspec.json.encode(one).decode())


def test_no_mask_is_passed_by_asking_for_another_role_s_sheet(busy: Site) -> None:
    whole = busy.client("clerk").get(CALLS)
    seq = re.search(r"第(\d+)条", named(whole)).group(1)

    page = printed(busy, f"{CALLS}?at={seq}", "signer")

    assert not NUMBER.search(page)


# ── the same bytes ───────────────────────────────────────────────────────────


def test_the_same_position_gives_the_same_bytes_and_a_form_is_kept_by_its_digest(busy: Site) -> None:
    first = busy.client("clerk").get(FORM).content
    busy.house.jobs._known.clear()  # as after a restart
    again = busy.client("leader").get(FORM).content

    assert first == again
    session = open_archive()
    try:
        assert archive.get(session, hashlib.sha256(first).hexdigest()) == first
    finally:
        session.close()

    busy.answer(busy.holder(f"{FENGYU}/duty_officer/1"))
    assert busy.client("clerk").get(FORM).content != first


def test_a_call_sheet_is_not_kept_where_its_numbers_would_stand_in_clear(busy: Site) -> None:
    body = busy.client("clerk").get(CALLS).content

    session = open_archive()
    try:
        with pytest.raises(archive.Missing):
            archive.get(session, hashlib.sha256(body).hexdigest())
    finally:
        session.close()


# ── what cannot be set ───────────────────────────────────────────────────────


def rename(at: Site, post: str, name: str) -> None:
    person, unit = at.holder(post), post.partition("/")[0]
    ways = people.numbers(here.session(), at.house.vault, person)
    edit = Edit(people=(Human(person, unit, name, ways),))
    at.post(DirectoryChanged(DISTRICT, at.now, "corrected", unit, person), edit=edit)


def test_characters_that_our_fonts_lack_are_named_before_the_paper_is_opened(busy: Site) -> None:
    rename(busy, f"{FENGYU}/duty_officer/1", "甲\ue0de")

    answer = busy.client("clerk").get(CALLS)
    page = answer.content.decode()
    (onwards,) = re.findall(r'class="button primary" href="([^"]+)" data-key="p"', page)

    assert answer.status_code == 200
    assert "字库缺 \ue0de（U+E0DE）" in page
    assert not NUMBER.search(page)
    assert looks() == [], "nothing has been shown yet"
    opened = printed(busy, onwards.replace("&amp;", "&"))
    assert "甲〓" in opened
    assert "U+E0DE" in opened
    assert len(looks()) == 1


def test_a_form_without_such_characters_is_opened_at_once(busy: Site) -> None:
    rename(busy, f"{FENGYU}/duty_officer/1", "甲\ue0de")

    assert "暴雨红色" in printed(busy)


# ── when it takes long, or goes wrong ────────────────────────────────────────


def test_a_page_that_waits_comes_back_by_itself_for_the_same_sheet(busy: Site, impatient: None) -> None:
    client = busy.client("clerk")
    first = client.get(CALLS)
    address = first["Refresh"].split("url=")[1]
    busy.answer(busy.holder(f"{FENGYU}/duty_officer/1"))  # the ledger moves on meanwhile

    assert first.status_code == 202
    assert "正在排版" in first.content.decode()
    assert looks() == []
    end = time.monotonic() + 20
    while (later := client.get(address)).status_code == 202 and time.monotonic() < end:
        assert later["Refresh"] == first["Refresh"]
        time.sleep(0.05)
    assert re.search(r"第(\d+)条", named(later)).group(1) == address.split("at=")[1]
    assert re.search(
        r"第(\d+)条", named(client.get(CALLS)) if client.get(CALLS).status_code == 200 else "第0条"
    )


def test_without_script_the_waiting_page_becomes_the_paper(busy: Site, impatient: None) -> None:
    busy.client("signer")
    with served(busy) as address, chromium() as browser:
        page = entered(browser, address, busy, "signer", java_script_enabled=False, accept_downloads=True)
        seen: list[tuple[int, str]] = []
        page.on("response", lambda r: seen.append((r.status, r.headers.get("content-type", ""))))
        page.goto(address + FORM, wait_until="load")
        end = time.monotonic() + 20
        while (200, "application/pdf") not in seen:
            assert time.monotonic() < end, seen
            page.wait_for_timeout(50)

    assert seen[0] == (202, "text/html; charset=utf-8")


def test_the_page_that_stands_before_the_paper_is_fit_to_be_seen(busy: Site) -> None:
    rename(busy, f"{FENGYU}/duty_officer/1", "甲\ue0de𠮷")
    busy.client("clerk")
    wrong: list[str] = []
    with served(busy) as address, chromium() as browser:
        for width in (1440, 360):
            page = entered(browser, address, busy, "clerk", viewport={"width": width, "height": 900})
            page.goto(address + CALLS, wait_until="load")
            wrong += overflowing(page) + faults(page)
            assert page.evaluate("() => document.activeElement.textContent").startswith("知道了，打开 PDF")

    assert wrong == []


def test_no_more_than_two_pages_wait_for_paper(busy: Site) -> None:
    with paper._places, paper._places:
        began = time.monotonic()
        answer = busy.client("clerk").get(FORM)

    assert answer.status_code == 202
    assert time.monotonic() - began < paper.PATIENCE / 2
    assert printed(busy)


def test_a_sheet_that_cannot_be_made_says_what_to_do_and_the_screen_is_there(
    busy: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "PROGRAM", "fengsui.nothing")
    answer = busy.client("clerk").get(CALLS)
    page = answer.content.decode()

    assert answer.status_code == 503
    assert "R070" in page
    assert 'href="/desk/sheet"' in page
    monkeypatch.undo()
    (afresh,) = re.findall(r'class="button primary" href="([^"]+)"', page)
    assert "叫应电话单" in printed(busy, afresh)


# ── never in front of sending ────────────────────────────────────────────────

SHEETS = 20
BOUND = 1.0
"""Seconds from the click on 签发 to the first message handed over while sheets are made; on a quiet machine 0.3, as in
peace. Where other programs keep the machine busy, twice what it took in peace just before."""
ZONES = ("140215209", "140215202", "140215211", "140215204")


def asked(address: str, key: str, form: dict[str, str] | None = None, cookie: str = "") -> tuple[str, str]:
    """One request over HTTP as a browser sends it: body, and the first cookie that was set."""
    body = urlencode(form).encode() if form else None
    request = Request(address, body, {"Cookie": f"fengsui={key}; {cookie}", "Referer": address})
    with urlopen(request, timeout=60) as answer:
        return answer.read().decode(errors="replace"), (answer.headers["Set-Cookie"] or "").split(";")[0]


def test_a_warning_is_signed_and_sent_while_twenty_sheets_are_printed(busy: Site) -> None:
    """Over HTTP: the few threads for pages, the writer, the lane and the printer all at once. The first of three that
    is quick enough counts.
    """
    drafts = [
        submitted(busy, form=f"token-{zone}", zone=[zone], pair="gale/orange", forecast="有大风。")
        for zone in ZONES
    ]
    keys = {role: trust(busy, role).cookies["fengsui"].value for role in ("clerk", "signer")}
    with served(busy) as address:
        peace, *printed_ = (f"{address}/issue/{draft.pk}" for draft in drafts)
        bound = max(BOUND, 2 * signing(busy, peace, keys["signer"]))
        took: list[float] = []
        with printing(busy, address, keys["clerk"]) as over:
            for page in printed_:
                took.append(signing(busy, page, keys["signer"]))
                assert not over(), "the printer was at work all the time"
                if took[-1] < bound:
                    break

    assert took[-1] < bound, (bound, took)


def signing(at: Site, address: str, key: str) -> float:
    """Sign a draft; seconds until the page has answered and the first message has been handed over."""
    page, cookie = asked(address, key)
    fields = ("csrfmiddlewaretoken", "seen")
    form = {n: re.search(rf'name="{n}" value="([^"]+)"', page).group(1) for n in fields}
    before, began = len(at.way.sent), time.monotonic()
    page, _ = asked(address, key, form | {"do": "sign", "password": PASSWORD}, cookie)
    signed = time.monotonic() - began
    assert "已签发，第 1 版" in page
    while len(at.way.sent) == before:
        assert time.monotonic() - began < 30
        time.sleep(0.002)
    return max(signed, at.way.sent[before][0] - began)


@contextlib.contextmanager
def printing(at: Site, address: str, key: str) -> Iterator[Callable[[], bool]]:
    """Twenty long sheets are ordered, and twenty people ask for a page more; ``over``: whether the long ones are made."""
    tasks = [at.house.jobs.later(big(n), f"big {n}") for n in range(SHEETS)]
    asking = [threading.Thread(target=asked, args=(f"{address}{FORM}", key)) for _ in range(SHEETS)]
    for one in asking:
        one.start()
    time.sleep(0.3)
    try:
        yield lambda: all(t.result.done() for t in tasks)
    finally:
        for one in asking:
            one.join()


def big(number: int) -> Job:
    """A call sheet of 300 rows."""
    order = sheets.calls(whole=True).order
    rows = (order.sheet.rows * 300)[:300]
    seal = msgspec.structs.replace(order.sheet.seal, seq=number)
    sheet = msgspec.structs.replace(order.sheet, rows=rows, seal=seal)
    return Job(paper.PROGRAM, msgspec.json.encode(msgspec.structs.replace(order, sheet=sheet)))


# ── where it is offered ──────────────────────────────────────────────────────


def test_the_buttons_stand_where_people_look(busy: Site) -> None:
    stream = busy.client("supervisor").get(f"/ledger/{INCIDENT}").content.decode()
    sheet = busy.client("leader").get("/desk/sheet").content.decode()

    assert f'href="{FORM}"' in stream
    assert f'href="{FORM}?ink=black"' in stream
    assert f'href="{CALLS}"' in sheet
    for role in ("forecaster", "signer", "clerk", "leader"):
        assert f'href="{FORM}"' in busy.client(role).get("/desk/live").content.decode(), role
    assert FORM not in busy.client("township").get("/desk/live").content.decode()


def test_a_dead_channel_is_one_click_from_the_sheet(busy: Site) -> None:
    busy.way.dead, channels._Kept.house = True, None
    page = busy.client("forecaster").get("/desk/channels").content.decode()

    assert "短信通道中断" in page
    assert f'href="{CALLS}"' in page
    assert CALLS not in busy.client("township").get("/desk/channels").content.decode()


def test_whoever_has_signed_finds_the_form_there(quiet: Site) -> None:
    draft = submitted(quiet)
    signer = trust(quiet, "signer")
    page = signer.get(f"/issue/{draft.pk}").content.decode()
    seen = page.split('name="seen" value="')[1].split('"')[0]
    signer.post(f"/issue/{draft.pk}", {"do": "sign", "seen": seen, "password": PASSWORD, "typed": "红色"})

    (address,) = re.findall(r'href="(/paper/[^"?]+)"', signer.get(f"/issue/{draft.pk}").content.decode())

    assert "签发人" in words(signer.get(address))
