"""Calls: what a person at the desk hears becomes the fact that ends the duty; numbers are shown one at a time, recorded."""

from __future__ import annotations

import re
from urllib.parse import quote

import msgspec
import pytest

from fengsui.core.directory import Post
from fengsui.core.facts import DirectoryChanged, Reached, Reported, SuspensionDecided
from fengsui.core.state import DISTRICT
from fengsui.store import archive
from fengsui.store.people import Edit
from fengsui.store.sql import archive as open_archive
from tests.web.site import FENGYU, INCIDENT

OFFICER = f"{FENGYU}/duty_officer/1"
ACK = f"{INCIDENT}|2.4.1/acknowledge|{OFFICER}"


def url(row: str) -> str:
    return f"/call/{quote(row)}"


def papers(kind: str) -> list[dict]:
    session = open_archive()
    try:
        return [msgspec.json.decode(body) for body in archive.listed(session, kind, 100)]
    finally:
        session.close()


def submit(at, row, *, role="forecaster", **form):
    return at.client(role).post(url(row), {"form": "f1"} | form)


def share(at, key, holder):
    return at.state().duties[key].shares[holder]


def test_the_page_of_a_call_says_whom_to_ring_in_order_and_what_to_say(busy):
    page = busy.client().get(url(ACK)).content.decode()
    parts = re.findall(r"</label></td><td>(.*?)</td>", page)

    assert parts[:2] == ["本人", "B角"]
    assert any(part.startswith("上级") for part in parts)
    assert "暴雨红色预警" in page
    assert not re.search(r"100\d{8}", page)


def test_who_confirms_on_the_telephone_has_acknowledged_by_the_desk(busy):
    holder = busy.holder(OFFICER)

    answer = submit(busy, ACK, outcome="answered", person=holder, words="值班员本人，已通知到村")

    assert answer.status_code == 303
    assert share(busy, "2.4.1/acknowledge", OFFICER).how == "done"
    (said,) = [f for f in busy.facts(Reached) if f.channel == "call"]
    assert (said.person, said.state, said.by) == (holder, "acknowledged", busy.account("forecaster").person)
    assert [p["words"] for p in papers("call")] == ["值班员本人，已通知到村"]


def test_after_one_answer_the_next_of_the_unit_who_is_silent_comes(busy):
    village = f"{FENGYU}/responsible_person/2"

    answer = submit(busy, ACK.replace(OFFICER, village), outcome="answered", person=busy.holder(village))

    assert answer["Location"] == f"{url(ACK)}?said=answered"


def test_whoever_was_sent_to_all_of_them_answers_for_all_of_them(busy):
    answer = submit(busy, ACK, outcome="answered", person=busy.holder(OFFICER))

    assert answer["Location"] == "/desk?said=answered"
    assert {s.how for h, s in busy.state().duties["2.4.1/acknowledge"].shares.items() if FENGYU in h} == {
        "done"
    }


def test_a_double_click_counts_once(busy):
    form = {"outcome": "answered", "person": busy.holder(OFFICER)}
    answers = [submit(busy, ACK, **form) for _ in range(2)]

    assert [a.status_code for a in answers] == [303, 303]
    assert len([f for f in busy.facts(Reached) if f.channel == "call"]) == 1


def test_whoever_stood_in_and_was_told_answers_for_the_post(busy):
    deputy = busy.house.writer.world.directory.posts[OFFICER].deputy

    submit(busy, ACK, outcome="answered", person=deputy)

    assert share(busy, "2.4.1/acknowledge", OFFICER).how == "done"
    assert [f.person for f in busy.facts(Reached) if f.channel == "call"] == [deputy]


def test_the_answer_of_somebody_who_was_never_told_counts_for_the_holder(busy):
    submit(busy, ACK, outcome="answered", person="", words="村里的会计接的，马上转告")

    assert share(busy, "2.4.1/acknowledge", OFFICER).how == "done"
    assert [f.person for f in busy.facts(Reached) if f.channel == "call"] == [busy.holder(OFFICER)]


def test_a_call_that_reaches_nobody_ends_nothing_and_names_the_next_to_ring(busy):
    answer = submit(busy, ACK, outcome="none", person=busy.holder(OFFICER))
    page = busy.client().get(answer["Location"]).content.decode()

    assert share(busy, "2.4.1/acknowledge", OFFICER).open
    assert "改打下一位" in page
    assert "请派人上门" in page
    now = re.search(r'<tr class="now">.*?</tr>', page, re.DOTALL).group(0)
    assert "<td>B角</td>" in now
    assert "未接通" in page


def test_a_promise_is_kept_and_the_duty_goes_on_waiting(busy):
    row = f"{INCIDENT}|2.4.1/relay|{FENGYU}"

    answer = submit(busy, row, outcome="promised", words="十分钟内通知到村")

    assert answer["Location"] == "/desk?said=promised"
    assert share(busy, "2.4.1/relay", FENGYU).open
    assert "十分钟内通知到村" in busy.client().get(url(row)).content.decode()


def test_a_report_by_telephone_ends_the_duty_and_names_its_note(busy):
    row = f"{INCIDENT}|2.4.1/relay|{FENGYU}"

    submit(busy, row, outcome="done", person=busy.holder(OFFICER), words="大喇叭已播，村干部入户")

    assert share(busy, "2.4.1/relay", FENGYU).how == "done"
    report = [f for f in busy.facts(Reported) if f.unit == FENGYU][-1]
    session = open_archive()
    try:
        assert "大喇叭已播" in archive.get(session, report.paper).decode()
    finally:
        session.close()


def test_a_decision_by_telephone_is_recorded_and_going_on_needs_a_reason(busy):
    row = f"{INCIDENT}|2.4.2/decide|{FENGYU}"

    refused = submit(busy, row, outcome="done")
    assert refused.status_code == 409
    assert "[W114]" in refused.content.decode()
    assert submit(busy, row, outcome="done", stops=["classes"]).status_code == 303
    assert [f.stops for f in busy.facts(SuspensionDecided) if f.unit == FENGYU] == [("classes",)]


@pytest.mark.parametrize(("form", "code"), [({}, "W110"), ({"outcome": "answered"}, "W112")])
def test_a_refused_form_keeps_what_was_written(busy, form, code):
    answer = submit(busy, f"{INCIDENT}|2.4.1/relay|{FENGYU}", words="写了一半", **form)

    assert answer.status_code == 409
    assert f"[{code}]" in answer.content.decode()
    assert "写了一半" in answer.content.decode()


def test_a_whole_number_is_shown_on_demand_and_the_look_is_kept(busy):
    holder = busy.holder(OFFICER)

    page = busy.client().post(url(ACK), {"show": holder}).content.decode()

    assert len(re.findall(r"100\d{8}", page)) == 1
    (look,) = papers("unmask")
    assert (look["account"], look["of"], look["reason"]) == ("forecaster", [holder], ACK)


def test_a_signer_cannot_have_a_whole_number_shown(busy):
    page = busy.client("signer").post(url(ACK), {"show": busy.holder(OFFICER)}).content.decode()

    assert not re.search(r"100\d{8}", page)
    assert papers("unmask") == []


def test_a_row_that_is_not_there_is_no_page(busy):
    assert busy.client().get(url(f"{INCIDENT}|2.4.1/acknowledge|nobody/1")).status_code == 404
    assert busy.client().get("/call/nonsense").status_code == 404


def test_the_sheet_lists_exactly_who_has_not_acknowledged(busy):
    page = busy.client().get("/desk/sheet").content.decode()
    silent = [s for s in busy.state().duties["2.4.1/acknowledge"].shares.values() if s.open]

    assert len(re.findall(r'<tr><td class="num">\d', page)) == len(silent)
    assert re.search(r"100\d{8}", page)
    assert papers("unmask")[0]["reason"] == "叫应电话单"


def test_a_leader_reads_the_sheet_without_whole_numbers(busy):
    page = busy.client("leader").get("/desk/sheet").content.decode()

    assert "不显示完整号码" in page
    assert not re.search(r"100\d{8}", page)


def test_a_township_does_its_own_duty_and_nobody_elses(busy):
    client = busy.client("township")
    own, other = f"{INCIDENT}|2.4.1/measures|聚乐乡", f"{INCIDENT}|2.4.1/measures|{FENGYU}"

    assert client.get(f"/desk/do/{quote(other)}").status_code == 404
    answer = client.post(f"/desk/do/{quote(own)}", {"form": "f", "outcome": "done", "words": "已转移12人"})

    assert answer["Location"] == "/desk?said=done"
    assert [f.what for f in busy.facts(Reported)][-1] == "measures"


XIPING = "西坪镇/duty_officer/1"
VACANT = f"{INCIDENT}|2.4.1/acknowledge|{XIPING}"


@pytest.fixture
def empty(quiet):
    """A red warning for 西坪镇, whose only post nobody holds."""
    post = Post(XIPING, "西坪镇", "duty_officer", "140215100")
    quiet.post(DirectoryChanged(DISTRICT, quiet.now, "added", "西坪镇", ""), edit=Edit(posts=(post,)))
    quiet.issue(zones={"140215100": "red"})
    quiet.calm()
    return quiet


def test_a_vacant_post_is_rung_for_and_the_desk_signs_with_who_answered_and_what_he_promised(empty):
    page = empty.client().get(url(VACANT)).content.decode()
    assert "此岗位没有能通知到的责任人" in page
    assert "由值班席代签" in page
    assert "并说明您的姓名、职务和怎么落实" in page
    assert re.search(r'value="" checked>他人', page)  # not the unit above, which is offered too
    assert "上级" in page

    said = "镇政府门卫接，报告刘副镇长，十分钟内通知到村"
    answer = submit(empty, VACANT, outcome="answered", person="", words=said)

    assert answer.status_code == 303
    assert share(empty, "2.4.1/acknowledge", XIPING).how == "done"
    (fact,) = [f for f in empty.facts(Reached) if f.state == "acknowledged"]
    assert (fact.holder, fact.person, fact.by) == (XIPING, "", empty.account("forecaster").person)
    session = open_archive()
    try:
        assert said in archive.get(session, fact.paper).decode()
    finally:
        session.close()
    assert "西坪镇值班员无人可通知，值班席打通电话后代签" in empty.client().get("/desk").content.decode()


def test_signing_for_a_vacant_post_without_saying_who_answered_is_refused(empty):
    answer = submit(empty, VACANT, outcome="answered", words=" ")

    assert answer.status_code == 409
    assert "[W116]" in answer.content.decode()
    assert share(empty, "2.4.1/acknowledge", XIPING).open


def test_a_post_with_somebody_told_for_it_is_not_offered_to_be_signed_for(busy):
    assert "代签" not in busy.client().get(url(ACK)).content.decode()
