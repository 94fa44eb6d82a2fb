"""The page behind a link: steps ② and ③ once each, by whom they may be done, and on a small screen without script."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import socket
import threading
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from django.test import Client

from fengsui.config.asgi import Application
from fengsui.core.facts import DutyEnded, Notified, Reached, Reported, SuspensionDecided
from fengsui.formats import photos
from fengsui.store import archive, pins, tokens
from fengsui.store.sql import archive as open_archive
from fengsui.web import here
from fengsui.web.pages import phone as steps
from tests.flow.district import alert, everyone
from tests.web.browser import chromium
from tests.web.site import FENGYU, INCIDENT, JULE

PHOTOS = Path(__file__).parents[1] / "formats" / "photos"
PHONE = (PHOTOS / "phone.jpg").read_bytes()
"""A photo with position and device beside it."""
JPEG = photos.bare(PHONE)
PIN = "4071"


def token(site, person, stream=INCIDENT):
    return site.house.vault.token(f"{person}\n{stream}", tokens.LENGTH)


class Phone:
    """One person's browser, in which his link is open."""

    def __init__(self, site, person, *, key=""):
        self.site, self.person, self.key = site, person, key or token(site, person)
        self.client = Client(enforce_csrf_checks=True)

    def get(self, step="again"):
        return self.client.get(f"/a/{self.key}/{step}")

    def post(self, step, **fields: Any):
        return self.client.post(f"/a/{self.key}/{step}", fields)

    @property
    def text(self):
        return self.get().content.decode()


@pytest.fixture
def officer(busy):
    """The officer on duty of the township that has done nothing yet."""
    return Phone(busy, busy.holder(f"{FENGYU}/duty_officer/1"))


@pytest.fixture
def leader(busy):
    """The leader of that township, who has a PIN."""
    person = busy.holder(f"{FENGYU}/leader/1")
    pins.put(person, PIN)
    return Phone(busy, person)


def photo(body=JPEG, name="p.jpg"):
    file = BytesIO(body)
    file.name = name
    return file


def relays(site, person):
    return [f for f in site.facts(Reported) if f.what == "relay" and f.by == person]


def paper(digest):
    session = open_archive()
    try:
        return archive.get(session, digest)
    finally:
        session.close()


# ── looking ──────────────────────────────────────────────────────────────────


def test_looking_changes_nothing_whichever_address_is_asked(busy, officer):
    before = len(busy.facts())

    pages = [officer.get(step) for step in ("relay", "decide", "again")]
    heads = [officer.client.head(f"/a/{officer.key}/{step}") for step in ("relay", "decide", "again")]

    assert [p.status_code for p in pages + heads] == [200] * 6
    assert len({p.content for p in pages}) == 1
    assert len(busy.facts()) == before


def test_the_page_says_what_when_where_and_what_to_do(officer):
    page = officer.text

    for words in (
        "暴雨红色预警",
        "7月21日 02:13 发布",
        "7月21日 08:13",
        "聚乐乡、峰峪乡（红色）",
        "现在要做",
        "停课、停业",
    ):
        assert words in page
    assert "降雨量将达100毫米以上" in page, "the forecaster's own words"
    assert "<script" not in page
    assert "style=" not in page
    assert len(page.encode()) <= 30_000


def test_nobody_is_named(busy, officer):
    page = officer.text

    for human in everyone().people:
        assert human.name not in page
        assert human.contacts[0].value not in page
    assert officer.person not in page


def test_a_township_sees_which_villages_have_not_answered_an_office_does_not(busy, officer):
    assert "尚未签收的村" in officer.text
    assert "兼场村委会" in officer.text.partition("尚未签收的村")[2]
    assert "尚未签收的村" not in Phone(busy, busy.holder("water/duty_officer/1")).text
    assert "尚未签收的村" not in Phone(busy, busy.holder(f"{JULE}/duty_officer/1")).text, "all have"


@pytest.mark.parametrize("key", ["0" * 12, "x", "0' OR 1=1--", "A" * 400])
def test_a_forged_token_is_told_so(busy, key):
    for step in ("relay", "decide", "again"):
        asked, pressed = Client().get(f"/a/{key}/{step}"), Client().post(f"/a/{key}/{step}")
        assert (asked.status_code, pressed.status_code) == (404, 404)
        assert "[W004]" in asked.content.decode()


def test_a_token_dies_with_its_warning(busy, officer):
    busy.post(alert(2, "", at=busy.now))
    busy.calm()

    dead = officer.post("relay", means="call", village="all")

    assert dead.status_code == 404
    assert relays(busy, officer.person) == []


# ── ② ────────────────────────────────────────────────────────────────────────


def test_a_relay_is_recorded_with_means_villages_and_photos_and_answers_the_warning_too(busy, officer):
    answer = officer.post(
        "relay",
        means=["loudspeaker", "wechat"],
        village="all",
        photo=[photo(), photo((PHOTOS / "phone.heic").read_bytes())],
        version="1",
    )

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/a/{officer.key}#relay")
    (fact,) = relays(busy, officer.person)
    assert (fact.unit, fact.version) == (FENGYU, 1)
    said = json.loads(paper(fact.paper))
    assert said["means"] == ["loudspeaker", "wechat"]
    assert len(said["villages"]) == 13
    assert [paper(d)[:12] for d in said["photos"]] == [JPEG[:12], b"\0\0\0\x1cftypheic"]
    ended = [f for f in busy.facts(DutyEnded) if f.key == "2.4.1/relay" and FENGYU in f.holders]
    assert len(ended) == 1
    assert any(f.person == officer.person and f.state == "acknowledged" for f in busy.facts(Reached))
    page = officer.text
    assert "✓ 峰峪乡人民政府已再传播" in page
    assert "✓ 已签收" in page


def test_where_and_with_what_a_photo_was_taken_is_not_kept(busy, officer):
    assert b"Spyphone" in PHONE

    officer.post("relay", means="call", village="all", photo=photo(PHONE))

    (fact,) = relays(busy, officer.person)
    (digest,) = json.loads(paper(fact.paper))["photos"]
    assert paper(digest) == JPEG, "the digest is that of what is kept"
    assert b"Spyphone" not in paper(digest)
    session = open_archive()
    try:
        kept = [bytes(row[0]) for row in session.run("SELECT body FROM paper")]
    finally:
        session.close()
    assert not [body for body in kept if b"Spyphone" in body], "nowhere else either"


def test_pressing_twice_counts_once(busy, officer):
    for _ in range(3):
        answer = officer.post("relay", means="call", village="all")
        assert answer.status_code == 303

    assert len(relays(busy, officer.person)) == 1


def test_a_village_s_own_people_report_for_their_village(busy):
    person = busy.holder(f"{FENGYU}/responsible_person/1")
    phone = Phone(busy, person)
    assert "传播到：兼场村委会" in phone.text

    (area,) = {p.area for p in here.world().directory.held[person]}
    phone.post("relay", means="gong", village=area)

    (fact,) = relays(busy, person)
    assert json.loads(paper(fact.paper))["villages"] == [area]


def test_nobody_reports_for_villages_that_are_not_his(busy, officer):
    other = next(a.id for a in here.pack().areas.values() if a.parent == here.pack().units[JULE].area)

    answer = officer.post("relay", means="call", village=other)

    assert (answer.status_code, "[W172]" in answer.content.decode()) == (422, True)


def test_an_old_page_does_not_answer_for_the_upgrade(busy):
    """Who read version 1 and presses when version 2 is out has relayed version 1."""
    phone = Phone(busy, busy.holder(f"{FENGYU}/duty_officer/1"))
    for version, level in ((2, "orange"), (3, "red")):
        busy.post(alert(version, level, at=busy.now))
    busy.calm()

    phone.post("relay", means="call", village="all", version="1")

    assert [f for f in busy.facts(DutyEnded) if f.key == "2.4.1/relay" and FENGYU in f.holders] == []
    assert "已再传播</button>" in phone.text


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "W171"),
        ({"means": "smoke"}, "W171"),
        ({"means": "call"}, "W172"),
        ({"means": "call", "village": "all", "photo": [b"x" * 10]}, "W174"),
        ({"means": "call", "village": "all", "photo": [JPEG + b"\0" * steps.PHOTO]}, "W173"),
        ({"means": "call", "village": "all", "photo": [JPEG] * 5}, "W175"),
        ({"means": "call", "village": "all", "photo": [b"<svg onload=alert(1)>"]}, "W174"),
    ],
)
def test_what_will_not_do_is_said_beside_the_step_and_what_was_filled_in_stays(busy, officer, fields, code):
    fields = dict(fields)
    if "photo" in fields:
        fields["photo"] = [photo(body) for body in fields["photo"]]

    answer = officer.post("relay", **fields)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert f"[{code}]" in page.partition('id="relay"')[2].partition("</section>")[0]
    if fields.get("means") == "call":
        assert 'value="call" checked' in page
    assert relays(busy, officer.person) == []


def test_a_form_too_large_is_not_even_read(officer):
    answer = officer.client.generic(
        "POST", f"/a/{officer.key}/relay", b"", content_type="multipart/form-data; boundary=b",
        CONTENT_LENGTH=str(steps.BODY + 1),
    )  # fmt: skip

    assert (answer.status_code, "[W183]" in answer.content.decode()) == (413, True)


# ── ③ ────────────────────────────────────────────────────────────────────────


def decisions(site, unit=FENGYU):
    return [f for f in site.facts(SuspensionDecided) if f.unit == unit]


def test_who_knows_his_pin_decides_once(busy, leader):
    for _ in range(2):
        answer = leader.post(
            "decide", unit=FENGYU, stop=["classes", "work"], pin=PIN, replaces="0", respond="yes"
        )
        assert answer.status_code == 303, answer.content.decode()

    (fact,) = decisions(busy)
    assert (fact.stops, fact.by, fact.reason) == (("work", "classes"), leader.person, "")
    assert "✓ 停工、停课" in leader.text
    assert [
        f.by for f in busy.facts(Reported) if f.what == "extreme_weather_response" and f.unit == FENGYU
    ] == [leader.person]


def test_not_to_stop_needs_a_reason_which_is_kept_as_a_paper(busy, leader):
    refused = leader.post("decide", unit=FENGYU, stop="none", pin=PIN, replaces="0")
    assert (refused.status_code, "[W184]" in refused.content.decode()) == (422, True)

    leader.post(
        "decide", unit=FENGYU, stop="none", reason="夜间无学生在校，企业已停产。", pin=PIN, replaces="0"
    )

    (fact,) = decisions(busy)
    assert fact.stops == ()
    assert paper(fact.reason).decode() == "夜间无学生在校，企业已停产。"
    assert "✓ 不停" in leader.text


def test_a_decision_answers_the_one_its_maker_saw(busy, leader):
    leader.post("decide", unit=FENGYU, stop="work", pin=PIN, replaces="0")
    busy.wait(1)

    stale = leader.post("decide", unit=FENGYU, stop="classes", pin=PIN, replaces="1")
    fresh = leader.post("decide", unit=FENGYU, stop="classes", pin=PIN, replaces=str(decisions(busy)[0].at))

    assert (stale.status_code, "[S01]" in stale.content.decode()) == (422, True)
    assert fresh.status_code == 303
    assert [f.stops for f in decisions(busy)] == [("work",), ("classes",)]


def test_another_s_link_decides_nothing_without_his_pin(busy, leader):
    thief = Phone(busy, leader.person, key=leader.key)

    for digits in ("", "0000", "9999"):
        answer = thief.post("decide", unit=FENGYU, stop="work", pin=digits, replaces="0")
        assert answer.status_code == 422
    assert decisions(busy) == []


def test_five_wrong_pins_lock_it_for_a_quarter_of_an_hour_whatever_comes_next(busy, leader):
    codes = []
    for digits in ("1111",) * 5 + (PIN,):
        page = leader.post("decide", unit=FENGYU, stop="work", pin=digits, replaces="0").content.decode()
        codes.append("W178" if "[W178]" in page else "W177" if "[W177]" in page else "")
        assert digits not in page
    assert codes == ["W177"] * 5 + ["W178"]

    busy.wait(15)
    assert leader.post("decide", unit=FENGYU, stop="work", pin=PIN, replaces="0").status_code == 303


def test_who_has_no_pin_is_told_where_to_get_one(busy, officer):
    page = officer.post("decide", unit=FENGYU, stop="work", pin="4071", replaces="0").content.decode()

    assert "[W179]" in page
    assert "我的账号" in page


def test_who_may_not_decide_for_a_unit_is_not_asked_and_not_heard(busy, leader):
    village = Phone(busy, busy.holder(f"{FENGYU}/responsible_person/1"))
    pins.put(village.person, PIN)
    assert "停工停业停课" not in village.text

    for phone, unit in ((village, FENGYU), (leader, JULE), (leader, "nothing")):
        answer = phone.post("decide", unit=unit, stop="work", pin=PIN, replaces="0")
        assert (answer.status_code, "[W180]" in answer.content.decode()) == (422, True)
    assert decisions(busy) == []
    assert len(decisions(busy, JULE)) == 1


def test_two_pages_that_say_different_things_are_two_decisions(busy, leader):
    """The second page still names no decision before it: it must not be taken for a repetition of the first."""
    leader.post("decide", unit=FENGYU, stop="work", pin=PIN, replaces="0")

    other = leader.post("decide", unit=FENGYU, stop="classes", pin=PIN, replaces="0")

    assert (other.status_code, "[S01]" in other.content.decode()) == (422, True)
    assert [f.stops for f in decisions(busy)] == [("work",)]


@pytest.mark.parametrize(
    ("fields", "code"), [({}, "W176"), ({"stop": ["work", "none"]}, "W185"), ({"stop": "rain"}, "W176")]
)
def test_an_unclear_decision_is_none(busy, leader, fields, code):
    answer = leader.post("decide", unit=FENGYU, pin=PIN, replaces="0", **fields)

    section = answer.content.decode().partition('id="decide"')[2].partition("</section>")[0]
    assert (answer.status_code, f"[{code}]" in section) == (422, True)


# ── ③ 恢复 ────────────────────────────────────────────────────────────────────


@pytest.fixture
def still(busy, leader):
    """The leader of a township in which work and classes have stopped, after the all-clear."""
    leader.post("decide", unit=FENGYU, stop=["work", "classes"], pin=PIN, replaces="0")
    busy.wait(1)
    busy.post(alert(2, "", at=busy.now))
    busy.calm()
    return leader


def resumed(busy):
    return [f for f in busy.facts(DutyEnded) if f.key == "2.4.2/resume" and FENGYU in f.holders]


def lift(phone, **fields):
    seen = decisions(phone.site)[-1].at
    return phone.post("decide", **{"unit": FENGYU, "do": "lift", "pin": PIN, "replaces": str(seen)} | fields)


def test_after_the_all_clear_who_stopped_lifts_once(busy, still):
    page = still.text
    assert "暴雨红色预警已解除" in page
    assert "✓ 停工、停课" in page
    for gone in ("现在要做", "请确认收到", "尚未签收的村", "提交决定", "再发一次链接"):
        assert gone not in page
    assert len(page.encode()) <= 30_000

    (seen,) = decisions(busy)
    for _ in range(2):
        answer = lift(still, reason="已查校舍和工地，无险情。", replaces=str(seen.at))
        assert answer.status_code == 303, answer.content.decode()

    fact = decisions(busy)[-1]
    assert (len(decisions(busy)), fact.lifted, fact.stops, fact.by) == (2, True, (), still.person)
    assert paper(fact.reason).decode() == "已查校舍和工地，无险情。"
    assert len(resumed(busy)) == 1
    page = still.text
    assert "✓ 已恢复" in page, "and the link still says so"
    assert "复工复业复课</button>" not in page


def test_lifting_needs_the_pin_and_the_decision_that_was_seen(busy, still):
    wrong = lift(still, pin="9999", reason="查过")
    page = wrong.content.decode()
    assert (wrong.status_code, "[W177]" in page, "查过" in page, "9999" in page) == (422, True, True, False)

    stale = lift(still, replaces="1")
    assert (stale.status_code, "[S01]" in stale.content.decode()) == (422, True)
    assert resumed(busy) == []


def test_after_the_all_clear_nothing_else_opens_by_that_link(busy, still):
    facts = len(busy.facts())
    for step in ("relay", "again"):
        assert still.post(step, means="call", village="all").status_code == 404
    stop = still.post("decide", unit=FENGYU, stop="business", pin=PIN, replaces=str(decisions(busy)[-1].at))

    assert (stop.status_code, "[W190]" in stop.content.decode()) == (422, True)
    assert len(busy.facts()) == facts
    village = Phone(busy, busy.holder(f"{FENGYU}/responsible_person/1"))
    assert village.get().status_code == 404, "who may lift nothing has nothing left to do"


def test_the_all_clear_brings_the_link_to_who_has_to_lift(busy, still):
    texts = ["".join(t for _, _, t in h.parts) for _, h in busy.way.sent]

    lifted = [text for text in texts if "解除暴雨红色预警信号" in text]
    assert [text for text in lifted if f"/a/{still.key}" in text]
    assert [text for text in lifted if "/a/" not in text], "who has nothing to lift gets no link"


def test_while_the_warning_holds_lifting_is_offered_but_not_pressed_upon_anyone(busy, leader):
    assert "复工复业复课" not in leader.text, "nothing stands still"

    leader.post("decide", unit=FENGYU, stop="work", pin=PIN, replaces="0")
    assert "<summary>安全检查后恢复</summary>" in leader.text
    busy.wait(1)
    assert lift(leader).status_code == 303

    assert "✓ 已恢复" in leader.text
    busy.wait(1)
    again = lift(leader)
    assert (again.status_code, "[S03]" in again.content.decode()) == (422, True)


def test_a_downgrade_owes_lifting_by_a_deadline(busy, leader):
    leader.post("decide", unit=FENGYU, stop="work", pin=PIN, replaces="0")
    busy.post(alert(2, "orange", at=busy.now))
    busy.calm()

    section = leader.text.partition('id="decide"')[2].partition("</section>")[0]
    assert "前，余 7" in section
    assert section.index("复工复业复课</button>") < section.index("<details")
    assert lift(leader).status_code == 303
    assert len(resumed(busy)) == 1


def test_a_pin_is_set_on_ones_own_page_with_the_password(busy):
    from fengsui.web import guard

    account, client = busy.account("township"), busy.client("township")
    guard.set_password(account, "一句足够长的话语口令")
    session = client.session
    session["stamp"] = account.stamp
    session.save()

    def send(password, first, second):
        return client.post("/own", {"password": password, "pin": first, "pin_again": second}).content.decode()

    assert "[W186]" in send("不对", PIN, PIN)
    assert "[W187]" in send("一句足够长的话语口令", PIN, "4072")
    assert "[W188]" in send("一句足够长的话语口令", "1234", "1234")
    assert "决定口令已设置" in send("一句足够长的话语口令", PIN, PIN)
    assert pins.check(account.person, PIN, busy.now) == "right"
    assert "[W189]" in busy.client("administrator").post("/own", {"pin": PIN}).content.decode()


# ── 再发一次 ──────────────────────────────────────────────────────────────────


def test_a_link_is_sent_again_but_not_all_the_time(busy, officer):
    def again():
        return [f for f in busy.facts(Notified) if f.key.startswith("again/")]

    number = sum(h.to != "" for _, h in busy.way.sent)
    assert officer.post("again").status_code == 303
    assert officer.post("again").status_code == 303, "a double click"
    busy.calm()

    (fact,) = again()
    assert [r.person for r in fact.recipients] == [officer.person]
    assert len(busy.way.sent) == number + 1
    text = "".join(t for _, _, t in busy.way.sent[-1][1].parts)
    assert f"/a/{officer.key}" in text
    busy.wait(1)
    refused = officer.post("again")
    assert (refused.status_code, "[W181]" in refused.content.decode()) == (422, True)
    for _ in range(3):
        busy.wait(10)
        last = officer.post("again")
    assert len(again()) == 3
    assert "[W182]" in last.content.decode()


# ── on a small screen ────────────────────────────────────────────────────────


@contextlib.contextmanager
def served(site):
    """The whole application on a port of loopback."""
    application = Application(site.house, "03521009900")
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, log_level="warning", access_log=False))
    server.capture_signals = contextlib.nullcontext
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        application.close()
        here.bind(site.house)


def browse(address, site, seen):
    """Everything a person does, on 360 px, without JavaScript."""
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
             "--disable-background-networking", "--disable-component-update"]  # fmt: skip
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        context = browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False)
        page = context.new_page()
        page.goto(address)
        seen["requests"] = []
        page.on("request", lambda r: seen["requests"].append(r.url))
        seen["width"] = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        seen["low"] = page.evaluate(
            "[...document.querySelectorAll('button,.button,.box,summary')].map(e=>e.getBoundingClientRect().height)"
            ".filter(h=>h>0&&h<48)"
        )
        seen["font"] = page.evaluate("getComputedStyle(document.body).fontSize")
        page.dblclick("button:text('收到')")
        page.wait_for_selector("text=✓ 已签收")
        page.check("input[value=loudspeaker]")
        page.check("input[value=all]")
        page.set_input_files("input[type=file]", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": JPEG})
        page.dblclick("button:text('已再传播')")
        page.wait_for_selector("text=峰峪乡人民政府已再传播")
        page.check("input[value=classes]")
        page.fill("input[name=pin]", "9999")
        page.click("text=提交决定")
        seen["wrong"] = page.inner_text(".wrong")
        page.fill("input[name=pin]", PIN)
        page.click("text=提交决定")
        page.wait_for_selector("text=✓ 停课")
        seen["bytes"] = len(page.content().encode())
        lift = page.locator("details", has_text="安全检查后恢复")
        lift.locator("summary").click()
        lift.locator("input[name=pin]").fill(PIN)
        lift.locator("button").dblclick()
        page.wait_for_selector("text=✓ 已恢复")
        seen["url"] = page.url
        browser.close()


@pytest.mark.foreign
def test_all_three_steps_on_a_small_screen_without_script(busy):
    person = busy.holder(f"{FENGYU}/duty_officer/1")
    pins.put(person, PIN)
    seen: dict[str, Any] = {}
    with served(busy) as address:
        thread = threading.Thread(target=browse, args=(f"{address}/a/{token(busy, person)}", busy, seen))
        thread.start()  # playwright wants a thread without Django's connections
        thread.join()

    assert seen["width"] == [360, 360]
    assert seen["low"] == []
    assert seen["font"] == "17px"
    assert "[W177]" in seen["wrong"]
    assert seen["url"].endswith("#decide")
    assert all("/a/" in url for url in seen["requests"]), "nothing is loaded besides"
    assert len(relays(busy, person)) == 1
    assert seen["bytes"] <= 30_000
    assert [(f.stops, f.lifted) for f in decisions(busy)] == [(("classes",), False), ((), True)]


SEEN = ("phone.jpg", "phone.png", "phone.webp", "progressive.jpg")


@pytest.mark.foreign
@pytest.mark.parametrize("name", SEEN)
def test_a_browser_sees_the_same_picture_the_same_way_up(name):
    """Chromium draws both; HEIC it cannot."""
    body = (PHOTOS / name).read_bytes()
    with chromium() as browser:
        page = browser.new_page()
        seen = [page.evaluate(DRAWN, base64.b64encode(b).decode()) for b in (body, photos.bare(body))]

    assert seen[0] == seen[1]
    assert seen[0][:2] == ([48, 32] if name.endswith("webp") else [32, 48])


DRAWN = """async code => {
  const image = new Image();
  image.src = `data:image/*;base64,${code}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const pen = canvas.getContext('2d');
  pen.drawImage(image, 0, 0);
  return [canvas.width, canvas.height, ...pen.getImageData(0, 0, canvas.width, canvas.height).data];
}"""
