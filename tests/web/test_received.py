"""Warnings of others: brought in by file or by paste, judged and read side by side, registered by a person, shown beside ours."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from fengsui.core.facts import DutyOpened, Received
from fengsui.flow.feeds import Feed, Running
from fengsui.store import arrivals
from tests.flow.office import TEXT, cap, when
from tests.web.site import INCIDENT, Site


def taken(site: Site, content: bytes, *, bound: bool = True, form: str = "cap") -> str:
    """What came by a feed; its digest."""
    digest = site.house.reception.keep(content, "province", bound=bound, form=form)[0]
    site.house.reception.look()
    return digest


def page(site: Site, path: str, role: str = "forecaster") -> str:
    answer: Any = site.client(role).get(path)
    assert answer.status_code == 200, answer
    return str(answer.content.decode())


def filled(html: str, **changed: Any) -> dict[str, Any]:
    """The form of registration as the page offers it."""
    part = html.split('id="take"')[1].split("</form>", maxsplit=1)[0]
    found: dict[str, Any] = dict(
        re.findall(r'<input[^>]*name="(form|sender|until)"[^>]*value="([^"]*)"', part)
    )
    for name in ("hazard", "level", "ending"):
        select = part.split(f'name="{name}"')[1].split("</select>")[0]
        found[name] = (re.findall(r'value="([^"]*)" selected', select) or ["0" if name == "ending" else ""])[
            0
        ]
    found["zone"] = re.findall(r'name="zone" value="([0-9]+)" checked', part)
    found["binding"] = "1"
    return found | changed


def test_it_stands_beside_ours_and_can_begin_a_draft(quiet: Site) -> None:
    taken(quiet, cap(headline="山西省气象台发布大风橙色预警", event="大风", severity="Severe"))
    desk = page(quiet, "/desk")
    card = desk.split('aria-label="其他单位的预警"')[1].split("</section>")[0]
    assert all(word in card for word in ("山西省气象台", "大风橙色预警", "聚乐乡", "失效", "据此拟稿"))
    url = re.search('href="(/issue[?][^"]+)"', card)[1].replace("&amp;", "&")  # type: ignore[index]
    begun = page(quiet, url)
    assert re.search('value="gale/orange"[^>]* checked', begun)
    assert re.findall('name="zone" value="([0-9]+)" checked', begun) == ["140215209"]
    assert (
        "据此拟稿"
        not in page(quiet, "/desk", "clerk").split('aria-label="其他单位的预警"')[1].split("</section>")[0]
    )


def test_where_ours_is_in_force_no_second_one_is_offered(busy: Site) -> None:
    taken(busy, cap(sent=10, expires=when(300)))
    card = page(busy, "/desk").split('aria-label="其他单位的预警"')[1].split("</section>")[0]
    assert "暴雨红色预警" in card
    assert "据此拟稿" not in card
    assert busy.state(INCIDENT).alert.holds


def test_its_end_takes_it_from_the_desk_and_is_said(quiet: Site) -> None:
    taken(quiet, cap(1))
    assert "其他单位的预警" in page(quiet, "/desk")
    taken(quiet, cap(2, sent=1, refers=1, msgType="Cancel"))
    desk = page(quiet, "/desk")
    assert "其他单位的预警" not in desk
    assert "收到解除：山西省气象台暴雨预警" in desk


def test_a_malformed_one_says_so_everywhere(quiet: Site) -> None:
    digest = taken(quiet, cap(scope=""), bound=False)
    card = page(quiet, "/desk").split('aria-label="其他单位的预警"')[1]
    assert "未通过校验" in card
    assert "来源不受信，只作显示" in card
    shown = page(quiet, f"/received/{digest}")
    assert "未通过校验" in shown
    assert "模式 不通过" in shown
    assert "第 " in shown.split("逐层校验")[1], "with its line"
    assert "&lt;alert" in shown


def test_what_is_not_settled_is_a_card_until_somebody_has_looked(quiet: Site) -> None:
    digest = taken(quiet, cap(code=("", "140215202")))
    desk = page(quiet, "/desk")
    assert "收到的预警待核对：山西省气象台暴雨" in desk
    assert f"/received/{digest}" in desk
    assert "arrival|" in desk.split("data-alarms")[1][:400], "and it sounds"
    shown = page(quiet, f"/received/{digest}")
    assert "峰峪乡（统计 140215202）、杜庄乡（民政 140215202）" in shown
    sent = filled(shown, zone=["140215204"])
    answer = quiet.client("forecaster").post(f"/received/{digest}/take", sent)
    assert answer.status_code == 303
    assert quiet.client("forecaster").post(f"/received/{digest}/take", sent).status_code == 303, (
        "a second click"
    )
    (fact,) = quiet.facts(Received)
    assert (fact.zones, fact.by) == ({"140215204": "red"}, quiet.account("forecaster").person)
    desk = page(quiet, "/desk")
    assert "待核对" not in desk
    assert "涉及本区：杜庄乡" in desk


def test_what_need_not_be_registered_is_seen_and_gone(quiet: Site) -> None:
    digest = taken(quiet, cap(headline="【演练】发布暴雨红色预警"))
    assert "收到的预警不采用" in page(quiet, "/desk")
    shown = page(quiet, f"/received/{digest}")
    assert "自相矛盾" in shown
    assert "作为收到的预警登记" not in shown
    assert quiet.client("forecaster").post(f"/received/{digest}/seen", {}).status_code == 303
    assert "不采用" not in page(quiet, "/desk")
    assert "自相矛盾" in page(quiet, "/received")


def test_a_pasted_text_becomes_a_warning_beside_ours(quiet: Site) -> None:
    client = quiet.client("forecaster")
    assert "作为收到的预警登记" in client.post("/issue/paste", {"text": TEXT}).content.decode()
    answer = client.post("/received/new", {"text": TEXT})
    assert answer.status_code == 303
    digest = answer["Location"].split("/")[2].split("?")[0]
    shown = page(quiet, f"/received/{digest}")
    sent = filled(shown)
    assert (sent["sender"], sent["hazard"], sent["level"], sent["zone"]) == (
        "山西省气象台", "rainstorm", "red", ["140215"],
    )  # fmt: skip
    assert client.post(f"/received/{digest}/take", sent).status_code == 303
    assert "涉及本区：全区" in page(quiet, "/desk")
    assert {f.key for f in quiet.facts(DutyOpened)} >= {"2.4.1/relay", "2.4.2/decide"}
    assert "山西省气象台暴雨红色" in page(quiet, "/desk/tasks")


def test_only_shown_where_the_person_does_not_answer_for_it(quiet: Site) -> None:
    digest = taken(quiet, TEXT.encode(), form="text", bound=False)
    sent = filled(page(quiet, f"/received/{digest}"))
    del sent["binding"]
    assert quiet.client("forecaster").post(f"/received/{digest}/take", sent).status_code == 303
    assert quiet.facts(DutyOpened) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"hazard": "none"}, "W240"),
        ({"sender": " "}, "W241"),
        ({"level": "purple"}, "W242"),
        ({"zone": []}, "W243"),
        ({"zone": ["999"]}, "W243"),
        ({"until": "x"}, "W244"),
        ({"until": "2020-01-01T00:00"}, "Y15"),
    ],
)
def test_a_form_that_says_nothing_registers_nothing(quiet: Site, wrong: dict[str, Any], said: str) -> None:
    digest = taken(quiet, cap(code=("", "140215202")))
    sent = filled(page(quiet, f"/received/{digest}"), zone=["140215204"]) | wrong
    answer = quiet.client("forecaster").post(f"/received/{digest}/take", sent)
    assert (answer.status_code, said in answer.content.decode()) == (409, True)
    assert quiet.facts(Received) == []


def test_files_are_uploaded_and_kept_as_they_are(quiet: Site) -> None:
    client = quiet.client("forecaster")
    files = [SimpleUploadedFile(f"{n}.xml", cap(n), "text/xml") for n in (1, 2)]
    assert client.post("/received/new", {"file": files}).status_code == 302
    assert client.post("/received/new", {}).status_code == 409
    session = arrivals.desk()
    found = arrivals.listed(session, "", 10)
    session.close()
    assert {(a.name, a.source, a.bound) for a in found} == {("1.xml", "upload", 0), ("2.xml", "upload", 0)}
    raw = quiet.client("forecaster").get(f"/received/{found[0].digest}?raw=1")
    assert raw.content in (cap(1), cap(2))
    listed = page(quiet, "/received")
    assert "由人收进，核对后登记" in listed
    assert quiet.facts(Received) == [], "nothing before a person says so"
    assert "山西省气象台" in quiet.client("forecaster").get("/received?csv=1").content.decode()
    assert "没有符合" in page(quiet, "/received?q=没有这样的词")


def test_a_feed_that_brings_nothing_is_loud_at_the_desk_and_named_beside_the_gateways(quiet: Site) -> None:
    feed = Feed("province", url="http://127.0.0.1:1/cap", timeout=1)
    running = Running(
        feed, quiet.house.reception, quiet.house.vault.directory, quiet.house.clock.now, lambda _: None
    )
    quiet.house.feeds.append(running)
    assert "刚启动" in page(quiet, "/gateways")
    running.look()
    assert "收报来源 province 异常" in page(quiet, "/desk")
    assert 'data-down="feed-province"' in page(quiet, "/desk/channels")
    assert "R093" in page(quiet, "/gateways")
    running.stop()


def test_an_empty_list_says_what_will_stand_there(quiet: Site) -> None:
    assert "还没有收到过" in page(quiet, "/received")
    assert "收到的预警" in page(quiet, "/signals")


def test_pages_of_its_stream_speak_of_whoever_sent_it(quiet: Site) -> None:
    digest = taken(quiet, cap())
    (stream,) = [s for s in quiet.house.writer.world.streams if s.startswith("received-")]
    assert "山西省气象台暴雨红色预警" in page(quiet, "/ledger")
    assert "收到：山西省气象台暴雨红色预警（聚乐乡）" in page(quiet, f"/ledger/{stream}")
    assert "PDF" not in page(quiet, f"/ledger/{stream}").split("<main")[1], "there is no sheet of ours"
    row = next(
        f"{stream}|{k}|{h}" for k, d in quiet.state(stream).duties.items() for h in d.shares if h == "聚乐乡"
    )
    assert "山西省气象台2时12分发布的暴雨红色预警" in page(quiet, f"/call/{row}")
    assert page(quiet, f"/report/{stream}", "township")
    assert page(quiet, f"/suspend/{stream}", "township")
    assert "同一预警的各份" in page(quiet, f"/received/{digest}")
