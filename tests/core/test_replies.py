"""1 收到 · 2 已再传播 · 3 需支援 · 0 不归我; what is unclear is nobody's answer."""

import pytest

from fengsui.core import replies
from fengsui.core.facts import Exhausted, Reached, Reported
from tests.core.worlds import ALERT, INCIDENT, JULE, District, a_directory, an_alert, at

OFFICER = "聚乐乡-duty_officer"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        *[(t, "received") for t in ("1", "１", " 1 ", "1。", "一", "①", "收到", "收到！", "回1", "回复1", "1收到", "【1】", "好的，收到")],
        *[(t, "relayed") for t in ("2", "２", "二", "已转发", "2已再传播", "收到，已传达")],
        *[(t, "support") for t in ("3", "三", "需支援", "3需支援")],
        *[(t, "disowned") for t in ("0", "O", "零", "〇", "不归我", "0不归我", "打错了")],
        *[(t, "unclear") for t in ("", "没收到", "11", "12", "4", "1不归我", "?", "13800000000", "未收到，请重发", "收到1")],
    ],
)  # fmt: skip
def test_a_reply_means(text, answer):
    assert replies.read(text) == answer


def heard(answer, person=OFFICER, **more):
    d = District(a_directory("聚乐乡"))
    d.post(an_alert("red", JULE))
    return d, replies.meaning(answer, person, d.world, at=at("02:14"), **more)


def test_an_answer_becomes_the_inputs_it_stands_for():
    ack = Reached(INCIDENT, at("02:14"), OFFICER, "", "sms", "acknowledged", 1)

    assert heard("received")[1] == [ack]
    assert heard("relayed")[1] == [Reported(INCIDENT, at("02:14"), "relay", "聚乐乡", OFFICER, 1)]
    assert heard("support")[1] == [ack, Reported(INCIDENT, at("02:14"), "support", "聚乐乡", OFFICER, 1)]
    assert heard("disowned")[1] == [Exhausted(INCIDENT, at("02:14"), OFFICER, ALERT, "disowned")]
    assert heard("unclear")[1] == []
    assert heard("received", "nobody")[1] == []


def test_every_answer_is_admitted_and_relayed_implies_received():
    for answer in ("received", "relayed", "support", "disowned"):
        d, inputs = heard(answer)
        for fact in inputs:
            assert isinstance(d.post(fact), list)
        if answer != "disowned":
            assert not d.share("2.4.1/acknowledge", "聚乐乡/duty_officer/1").open


def test_an_answer_that_names_an_old_version_never_signs_for_the_upgrade():
    d = District(a_directory("聚乐乡"))
    d.post(an_alert("yellow", JULE))
    d.post(an_alert("red", JULE, version=2, time="02:20"))
    for fact in replies.meaning("received", OFFICER, d.world, at=at("02:21"), named=(INCIDENT, 1)):
        d.post(fact)

    assert d.share("2.4.1/acknowledge", "聚乐乡/duty_officer/1").open
