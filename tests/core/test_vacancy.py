"""空岗代签: the desk signs for a post that nobody could be told for, and for no other."""

import msgspec
import pytest

from fengsui.core.facts import DutyEnded, Reached, UnitReceived
from tests.core.worlds import (
    ALERT,
    FENGYU,
    INCIDENT,
    JULE,
    District,
    a_directory,
    an_alert,
    at,
    code,
    notified,
    only,
    with_post,
)

ACK = "2.4.1/acknowledge"
POST = "峰峪乡/duty_officer/1"
OTHER = "聚乐乡/duty_officer/1"


def empty_town() -> District:
    """聚乐乡 has people; 峰峪乡 has one post, which nobody holds."""
    base = with_post(a_directory("聚乐乡"), "峰峪乡", "duty_officer", "")
    d = District(base, only("2.3.a", "2.4.1"))
    d.post(an_alert("red", JULE, FENGYU))
    return d


def sign(d: District, time: str = "02:20", person: str = "", **more: object):
    fields = {"version": d.state().alert.version, "by": "desk", "holder": POST, "paper": "note"} | more
    fact = Reached(INCIDENT, at(time), person, "", "call", "acknowledged")
    return d.post(msgspec.structs.replace(fact, **fields))


def test_a_post_nobody_could_be_told_for_goes_to_the_desk_at_once_and_the_desk_signs_for_it():
    d = empty_town()
    assert d.share(ACK, POST).desk

    facts = sign(d)

    assert [f.holders for f in facts if isinstance(f, DutyEnded)] == [(POST,)]
    assert d.share(ACK, POST).how == "done"
    assert d.share(ACK, OTHER).open


def test_its_unit_has_received_from_then_on():
    d = empty_town()
    facts = sign(d)

    assert [(f.unit, f.version) for f in facts if isinstance(f, UnitReceived)] == [("峰峪乡", 1)]
    assert d.share("2.4.1/relay", "峰峪乡").deadline == at("02:35")


@pytest.mark.parametrize(
    ("wrong", "refused"),
    [
        ({"by": ""}, ("N09", False)),
        ({"paper": ""}, ("N09", False)),
        ({"state": "delivered"}, ("N09", False)),
        ({"person": "nobody"}, ("N06", False)),
        ({"holder": "峰峪乡/duty_officer/2"}, ("N10", False)),
        ({"holder": "峰峪乡"}, ("N10", False)),
        ({"version": 0}, ("N11", False)),
        ({"version": 2}, ("N11", False)),
        ({"holder": OTHER}, ("N12", False)),
    ],
)
def test_a_signature_that_says_too_little_or_stands_for_somebody_is_refused(wrong, refused):
    d = empty_town()

    assert code(sign(d, **wrong)) == refused
    assert d.share(ACK, POST).open


def test_signing_twice_is_already():
    d = empty_town()
    sign(d)

    assert code(sign(d, "02:22")) == ("N04", True)


def test_whoever_answered_is_told_by_it_and_hears_the_all_clear_but_still_owes_his_own():
    d = empty_town()
    sign(d, person="聚乐乡-leader")

    assert d.share(ACK, "聚乐乡/leader/1").open
    facts = d.post(an_alert("", version=2, time="03:00"))
    (cleared,) = notified(facts, "all_clear").values()
    assert "聚乐乡-leader" in cleared


def test_who_is_reached_by_telephone_alone_hears_the_all_clear():
    base = msgspec.structs.replace(
        empty_town().directory, posts={}, persons=a_directory("峰峪乡", "聚乐乡").persons
    )
    d = District(with_post(base, "峰峪乡", "duty_officer", ""), only("2.3.a", "2.4.1"))
    d.post(an_alert("red", FENGYU))
    sign(d, person="聚乐乡-leader")
    assert d.state().notices.people["聚乐乡-leader"].acknowledged == 1

    facts = d.post(an_alert("", version=2, time="03:00"))
    assert list(notified(facts, "all_clear").values()) == [("聚乐乡-leader",)]


def test_a_newer_warning_asks_again_and_the_old_signature_does_not_count_for_it():
    d = empty_town()
    d.post(an_alert("orange", JULE, FENGYU, version=2, time="02:15"))
    sign(d)
    d.post(an_alert("red", JULE, FENGYU, version=3, time="02:30"))

    assert d.share(ACK, POST).open
    assert code(sign(d, "02:32", version=1)) == ("N11", False)
    assert isinstance(sign(d, "02:33"), list)


def test_who_says_that_it_is_not_his_business_leaves_his_post_vacant():
    base = with_post(a_directory("聚乐乡"), "峰峪乡", "duty_officer", "峰峪乡-a")
    d = District(base, only("2.3.a", "2.4.1"))
    d.post(an_alert("red", JULE, FENGYU))
    assert code(sign(d)) == ("N12", False)

    d.lose("峰峪乡-a", at("02:15"), notice=ALERT, why="disowned")

    assert isinstance(sign(d), list)
    assert d.share(ACK, POST).how == "done"
