"""A test message: told to one person, answered on its own, mistaken for nothing."""

import msgspec

from fengsui.core import replies
from fengsui.core.facts import Exhausted, Notified, Reached, Recipient, Tried, UnitReceived
from fengsui.core.state import DISTRICT, Refusal
from tests.core.worlds import INCIDENT, JULE, District, a_directory, an_alert, at

OFFICER = "聚乐乡-duty_officer"


def a_district():
    return District(a_directory("聚乐乡"))


def tried(time="02:00", person=OFFICER, channel=""):
    return Tried(DISTRICT, at(time), person, "administrator", channel)


def test_a_test_tells_one_person_and_asks_for_nothing():
    facts = a_district().post(tried())

    assert facts[1:] == [
        Notified(
            DISTRICT, at("02:00"), f"trial/{OFFICER}/1", "trial", (Recipient(OFFICER, ("sms",)),), version=1
        )
    ]


def test_each_test_is_answered_by_itself():
    d = a_district()
    for version, time in ((1, "02:00"), (2, "02:10")):
        d.post(tried(time))
        answer = d.answer(OFFICER, at(time) + 1, version, DISTRICT)
        assert [type(f) for f in answer] == [Reached]
        assert d.world.at(DISTRICT).notices.people[OFFICER].acknowledged == version


def test_a_test_that_arrives_is_no_reception_of_a_warning():
    d = a_district()
    d.post(tried())

    facts = d.post(Reached(DISTRICT, at("02:01"), OFFICER, f"trial/{OFFICER}/1", "sms", "delivered", 1))

    assert not [f for f in facts if isinstance(f, UnitReceived)]


def test_nobody_is_tested_who_has_a_warning_to_answer():
    d = a_district()
    d.post(an_alert("red", JULE))

    assert d.post(tried("02:14")).code == "N08"

    d.answer(OFFICER, at("02:15"))
    assert not isinstance(d.post(tried("02:16")), Refusal)


def test_nobody_is_tested_who_is_unknown_or_has_no_way():
    d = a_district()
    assert d.post(tried(person="stranger")).code == "N06"
    assert d.post(tried(channel="fax")).code == "N07"

    mute = msgspec.structs.replace(d.directory.persons[OFFICER], channels=())
    d.directory = msgspec.structs.replace(d.directory, persons={**d.directory.persons, OFFICER: mute})
    assert d.post(tried()).code == "N07"


def test_the_answer_to_a_test_signs_for_no_warning():
    d = a_district()
    d.post(tried())
    d.post(an_alert("red", JULE))

    meant = replies.meaning("received", OFFICER, d.world, at=at("02:15"), named=(DISTRICT, 1))

    assert [f.stream for f in meant] == [DISTRICT]
    meant = replies.meaning("received", OFFICER, d.world, at=at("02:15"), named=(INCIDENT, 1))
    assert INCIDENT in [f.stream for f in meant]


def test_who_is_not_meant_says_so_and_the_roster_is_to_be_corrected():
    d = a_district()
    d.post(tried())

    facts = d.post(Exhausted(DISTRICT, at("02:05"), OFFICER, f"trial/{OFFICER}/1", "disowned"))

    assert [f.key for f in facts if hasattr(f, "clause")] == [f"2.3.b/correct/{OFFICER}"]
