"""The desk: what waits stands first, what is in force is seen with its channels, a dead channel is louder than all."""

from __future__ import annotations

import html
import json
import re
import threading

import msgspec
import pytest

from fengsui.core import calendar
from fengsui.gateways.contract import Health
from fengsui.store.accounts import Draft
from fengsui.store.sql import Session
from fengsui.web import channels, here, numbers, outlook, tasks
from tests.web.site import FENGYU, INCIDENT, JULE


@pytest.fixture(autouse=True)
def _fresh():
    channels._Kept.house = None


def text(page) -> str:
    assert page.status_code == 200, page.status_code
    return page.content.decode()


def desk(at, role="forecaster", path="/desk") -> str:
    return text(at.client(role).get(path))


def cards(page: str) -> list[tuple[str, str, str]]:
    """(key, title, action) of each card, in order."""
    found = re.findall(r'<li class="task .*?</li>', page, re.DOTALL)
    return [
        (
            "".join(re.findall(r'data-key="(\w)"', card)),
            re.search(r"<b>(.*?)</b>", card).group(1),
            "".join(re.findall(r'data-key="\w">(.*?) <kbd>', card)),
        )
        for card in found
    ]


def test_in_a_quiet_district_the_desk_says_that_nothing_waits(quiet):
    page = desk(quiet)

    assert "没有等您处理的事项" in page
    assert "目前没有生效预警" in page
    assert cards(page) == []


def test_what_a_person_must_see_to_stands_first_each_with_one_action_and_its_number_key(busy):
    found = cards(desk(busy))

    assert [key for key, _, _ in found] == list("123456789")
    assert found[0] == ("1", f"{FENGYU} 签收", "打电话")
    assert {action for _, _, action in found} == {"打电话"}


def test_tasks_are_at_the_desk_then_supervised_then_overdue_then_by_deadline(busy):
    found = tasks.tasks(busy.account("clerk"), here.world(), busy.now)

    order = [(tasks.RANKS.index(t.rank), t.deadline) for t in found]
    assert order == sorted(order)
    assert {t.rank for t in found} >= {"desk", "overdue", "open"}


def test_a_township_sees_what_its_own_unit_owes_and_where_to_do_it(busy):
    found = tasks.tasks(busy.account("township"), here.world(), busy.now)

    assert {t.unit for t in found} == {JULE}
    assert all(t.url for t in found)


def test_a_leader_sees_what_waits_for_a_decision(busy):
    found = tasks.tasks(busy.account("leader"), here.world(), busy.now)

    assert {"2.4.2/decide", "2.1.3/hold"} <= {t.duty for t in found}
    assert "2.4.1/acknowledge" not in {t.duty for t in found if t.unit == FENGYU}


def test_a_warning_in_force_shows_how_many_units_were_reached_have_answered_and_relayed(busy):
    (warned,) = outlook.warned(here.world(), busy.now, {})

    assert (warned.hazard, warned.level, warned.areas) == ("暴雨", "red", "聚乐乡、峰峪乡")
    assert (warned.relayed, warned.received, warned.delivered, warned.units) == (1, 4, 19, 19)
    assert "滚动字幕 播出中" in [chip.text for chip in warned.chips]


def test_every_township_has_a_state_in_word_and_shape(busy):
    found = outlook.towns(busy.state(), here.world(), busy.now, "2027-07-21")

    assert len(found) == 9
    shown = {t.name: (t.shape, t.word) for t in found}
    assert shown[JULE] == ("✓✓", "已再传播")
    assert shown[FENGYU] == ("！", "超时")
    assert {s for n, s in shown.items() if n not in (JULE, FENGYU)} == {("", "未涉及")}


def test_the_sketch_says_that_it_is_one_and_names_the_state_of_each_township(busy):
    page = desk(busy)

    assert "示意图，不作界线依据" in page
    assert f"<title>{FENGYU}：超时，签收 0/43，再传播 待再传播。" in page
    jule = re.search(rf"<title>{JULE}：(.*?)</title>", page).group(1)
    assert jule.startswith("已再传播，签收 ")
    assert jule.endswith("。点位示意：乡内区域自动站 B5121（西关村）")
    assert "聚乐乡取乡内区域自动站 B5121（西关村）" in page
    assert "点位待补" not in page


def test_no_whole_number_ever_stands_on_the_desk(busy):
    for role in ("forecaster", "leader", "township", "supervisor"):
        page = desk(busy, role)
        assert not re.search(r"100\d{8}", page)
        assert ("100****" in page) is (role in ("forecaster", "leader"))


def test_the_log_is_what_happened_newest_first(busy):
    page = desk(busy)
    log = re.findall(r"<li><time class=\"num\">(.*?)</time><span>(.*?)</span>", page)

    assert [at for at, _ in log] == sorted((at for at, _ in log), reverse=True)
    assert "聚乐乡决定停课停工" in [said for _, said in log]


def test_only_three_things_sound_and_only_at_a_desk(busy):
    def alarms(role):
        found = re.search(r'data-alarms="(.*?)"', desk(busy, role)).group(1)
        return json.loads(html.unescape(found))

    wanted = alarms("forecaster")
    assert wanted[f"{INCIDENT}|2.4.1/acknowledge|{FENGYU}|desk"] == 43
    assert {key.rsplit("|", 1)[1] for key in wanted} == {"desk", "overdue"}
    assert alarms("township") == alarms("leader") == {}


def test_a_dead_channel_is_said_loudly_with_the_call_sheet_beside_it(busy):
    async def check():
        return Health(up=False, text="短信平台拒绝登录。请改正账号。[G021]")

    busy.way.check = check
    page = desk(busy, path="/desk/channels")

    assert "短信通道中断" in page
    assert "[G021]" in page
    assert 'href="/desk/sheet"' in page


def test_a_gateway_that_says_nothing_counts_as_dead(busy):
    async def check():
        raise OSError("gone")

    busy.way.check = check

    assert "[R043]" in desk(busy, path="/desk/channels")


def test_the_live_part_changes_with_what_is_committed(busy):
    before = desk(busy, path="/desk/live")
    busy.answer(busy.holder(f"{FENGYU}/responsible_person/2"))

    after = desk(busy, path="/desk/live")
    assert "0/43" in before
    assert "1/43" in after


def test_more_tasks_mean_no_more_queries(quiet, monkeypatch):
    asked: list[str] = []
    run, mine = Session.run, threading.get_ident()

    def counted(self, text, *values):
        if threading.get_ident() == mine:
            asked.append(text)
        return run(self, text, *values)

    monkeypatch.setattr(Session, "run", counted)
    quiet.issue()
    quiet.calm()
    quiet.deliver()
    counts = []
    for _ in range(2):
        assert quiet.client().get("/desk/live").status_code == 200
        counts.append(len([q for q in asked if "FROM ledger" not in q]))
        quiet.wait(25)
        asked.clear()
    # counts of the channels, letters that wait, names of the officers on duty; arrivals that wait, messages that did not leave
    assert counts == [5, 5]


def test_all_tasks_are_a_list_with_a_way_to_each(busy):
    page = desk(busy, path="/desk/tasks?q=" + FENGYU)

    assert "全部待办" in page
    assert page.count("/call/") >= 46


def test_names_for_the_desk_come_with_one_query(busy):
    wanted = list(here.world().directory.reachable)
    found = numbers.cards(here.session(), wanted)

    assert set(found) == set(wanted)
    assert all(card.name and card.mask.startswith("100****") for card in found.values())
    assert numbers.cards(here.session(), []) == {}


def test_the_shift_is_handed_over_with_remarks_and_stands_on_the_desk(busy):
    busy.account("clerk")
    form = {"form": "f1", "takes": "clerk", "remarks": "盯住峰峪乡，兼场村一直不通。"}
    client = busy.client()

    for _ in range(2):  # a double click is one handover
        answer = client.post("/desk/handover", form)
        assert (answer.status_code, answer["Location"]) == (303, "/desk?said=handover")

    page = desk(busy)
    assert "当班 指挥部办公室" in page
    assert desk(busy, path="/desk/handover").count("盯住峰峪乡") == 1


@pytest.mark.parametrize(("takes", "code"), [("", "W101"), ("forecaster", "W102"), ("township", "W101")])
def test_a_shift_is_given_to_somebody_else_who_keeps_the_desk(quiet, takes, code):
    quiet.account("township")
    answer = quiet.client().post("/desk/handover", {"form": "f", "takes": takes, "remarks": "都好"})

    assert answer.status_code == 409
    assert f"[{code}]" in answer.content.decode()
    assert "都好" in answer.content.decode()


def test_times_are_the_districts_own(busy):
    assert calendar.local(busy.now, here.pack().zone).hour == 2
    assert ">02:30:00<" in desk(busy)


def test_a_draft_that_waits_for_a_signature_is_the_signers_first_card(busy):
    author = busy.account("forecaster")
    body = msgspec.json.encode(
        {"hazard": "lightning", "zones": {"140215209": "yellow"}, "author": author.person}
    )
    Draft.objects.create(kind="alert", account=author.pk, body=body.decode(), at=busy.now, state="submitted")

    key, title, action = cards(desk(busy, "signer"))[0]
    assert (key, action) == ("1", "审核签发")
    assert title.startswith("发布雷电黄色预警")
    assert cards(desk(busy, "forecaster"))[0][2] == "打电话"


def test_a_township_nobody_answers_for_is_said_to_have_nobody(busy):
    busy.issue(1, "yellow", stream="incident-2", hazard="lightning", zones={"140215100": "yellow"})

    (town,) = [
        t for t in outlook.towns(busy.state("incident-2"), here.world(), busy.now, "2027-07-21") if t.level
    ]
    assert (town.name, town.delivered.text, town.answered.text) == ("西坪镇", "无人可通知", "无责任人")
    assert town.answered.kind == "late"
