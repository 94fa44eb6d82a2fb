"""A warning of another office: what follows from its reception, and what never does."""

from __future__ import annotations

import msgspec
import pytest

from fengsui.core import reception, wording
from fengsui.core.calendar import HOUR
from fengsui.core.facts import Alerted, DutyEnded, DutyOpened, Fact, Notified, PackInForce, Reached, Received
from fengsui.core.state import Refusal
from tests.core.worlds import FENGYU, JULE, District, a_directory, an_alert, at, yunzhou

FIRST = reception.key("14000000", "1400004160000_20270721020500", "paper-a")
STREAM = f"received-{FIRST}-rainstorm"


def received(
    level: str = "red", *zones: str, version: int = 1, time: str = "02:13", **more: object
) -> Received:
    fields = {
        "kind": "received", "stream": STREAM, "at": at(time), "version": version, "key": FIRST if version == 1 else f"k{version}",
        "sender": "山西省气象台", "sent": at(time) - 60_000_000, "hazard": "rainstorm",
        "zones": dict.fromkeys(zones or (JULE,), level) if level else {}, "expires": at(time) + 6 * HOUR,
        "paper": f"paper-{version}", "action": ("issue" if version == 1 else "update") if level else "cancel",
        "series": "test", "valid": True, "binding": True,
    }  # fmt: skip
    return msgspec.convert(fields | more, Received)


def place() -> District:
    return District(a_directory("聚乐乡", "峰峪乡", "water"))


def opened(facts: list[Fact]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for fact in facts:
        if isinstance(fact, DutyOpened):
            found.setdefault(fact.key, set()).update(fact.holders)
    return found


def code(answer: object) -> str:
    assert isinstance(answer, Refusal), answer
    return answer.code


def test_exactly_the_duties_that_the_document_attaches_to_reception_open():
    d = place()
    found = opened(d.post(received()))
    assert set(found) == {"2.4.1/relay", "2.4.1/measures", "2.4.2/respond", "2.4.2/decide"}
    assert "聚乐乡" in found["2.4.1/relay"]
    assert "峰峪乡" not in found["2.4.1/relay"], "the warning is not about it"
    assert "water" in found["2.4.1/relay"], "an office of the whole district is concerned by any part of it"
    live = {
        f"{c.id}/{duty.name}"
        for c in yunzhou().clauses.values()
        for duty in c.duty
        if duty.origin == "reception"
    }
    assert set(found) == live, "whatever runs from reception, and nothing else"


def test_below_red_only_what_is_not_for_red_opens():
    assert set(opened(place().post(received("orange")))) == {"2.4.1/relay"}


def test_who_owes_is_told_first_in_the_words_of_the_other_office():
    d = place()
    (telling,) = [f for f in d.post(received()) if isinstance(f, Notified)]
    assert telling.template == "forwarded"
    assert {r.person for r in telling.recipients} == {
        f"{unit}-{role}" for unit in ("聚乐乡", "water") for role in ("duty_officer", "leader")
    }
    assert telling.lists == (), "no list is told of what is not ours"
    said = wording.render(telling, (), d.world, b"")
    assert "云州区气象台转：山西省气象台" in said
    assert "2时12分发布暴雨红色预警信号，涉及我区聚乐乡。" in said
    assert said.startswith("【云州气象】【模拟】")


def test_time_runs_from_the_units_own_reception():
    d = place()
    telling = next(f for f in d.post(received()) if isinstance(f, Notified))
    d.wait(at("02:15"))
    d.post(Reached(STREAM, at("02:15"), "聚乐乡-duty_officer", telling.key, "sms", "delivered", 1))
    assert d.streams[STREAM].duties["2.4.1/relay"].shares["聚乐乡"].deadline == at("02:30")


def test_nothing_follows_from_a_source_that_nobody_trusts():
    assert [type(f) for f in place().post(received(binding=False))] == [Received]


def test_a_person_who_answers_for_it_makes_it_bind():
    d = place()
    d.post(received(binding=False))
    again = received(version=2, key=FIRST, paper="paper-1", time="02:20", by="p-1")
    assert "2.4.1/relay" in opened(d.post(again))
    assert code(d.post(msgspec.structs.replace(again, version=3))) == "Y00", "once is enough"


def test_whoever_was_told_gets_its_end_and_the_decision_is_dropped():
    d = place()
    d.post(received())
    facts = d.post(received("", version=2, time="03:00"))
    (end,) = [f for f in facts if isinstance(f, Notified)]
    assert end.template == "forwarded_end"
    assert {r.person for r in end.recipients} >= {"聚乐乡-duty_officer", "water-leader"}
    assert {f.key for f in facts if isinstance(f, DutyEnded)} == {"2.4.2/decide"}
    assert not d.streams[STREAM].foreign.part.holds


def test_what_nobody_ended_ends_by_its_own_word():
    d = place()
    d.post(received())
    assert reception.run_out(d.world, at("08:12")) == []
    (state,) = reception.run_out(d.world, at("08:13"))
    d.wait(at("08:13"))
    facts = d.post(reception.expired(state, at("08:13")))
    assert any(isinstance(f, Notified) and f.template == "forwarded_end" for f in facts)
    assert reception.in_force(d.world, at("08:13")) == []
    assert code(d.post(reception.expired(state, at("08:13")))) == "Y00"


def test_a_replay_writes_nothing_and_other_bytes_under_the_same_name_are_refused():
    d = place()
    d.post(received())
    again = d.post(received(version=2, key=FIRST, paper="paper-1"))
    assert isinstance(again, Refusal)
    assert (again.code, again.already) == ("Y00", True)
    altered = d.post(received(version=2, key=FIRST, paper="forged"))
    assert isinstance(altered, Refusal)
    assert (altered.code, altered.already) == ("Y02", False)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"version": 3}, "Y03"),
        ({"sent": at("01:00")}, "Y04"),
        ({"stream": "incident-9"}, "Y05"),
        ({"hazard": "gale"}, "Y06"),
        ({"series": "exercise"}, "Y07"),
        ({"binding": False}, "Y09"),
        ({"sender": "某地气象台"}, "Y10"),
        ({"zones": {"999999": "red"}}, "Y12"),
        ({"action": "cancel"}, "Y13"),
        ({"zones": {}, "action": "update"}, "Y14"),
        ({"expires": at("02:00")}, "Y15"),
    ],
)
def test_refused(wrong, expected):
    d = place()
    d.post(received())
    assert code(d.post(received(**({"version": 2, "time": "02:20"} | wrong)))) == expected


def test_an_end_without_a_beginning_is_none():
    assert code(place().post(received("", action="cancel"))) == "Y13"


def test_an_earnest_message_stays_out_of_a_district_that_rehearses():
    d = place()
    d.post(PackInForce("district", at("02:00"), "yunzhou", "1", "", "test"))
    assert code(d.post(received(series="actual"))) == "Y08"


def test_ours_and_theirs_stand_beside_each_other_and_do_not_mix():
    d = place()
    d.post(received())
    assert isinstance(d.post(an_alert(time="02:20")), list), "theirs is no reason against ours"
    assert [s.stream for s in reception.in_force(d.world, at("02:21"))] == [STREAM]
    ours = msgspec.structs.replace(an_alert(time="02:22"), stream=STREAM)
    assert isinstance(ours, Alerted)
    assert code(d.post(ours)) == "Y01"
    assert d.streams[STREAM].alert.version == 0, "no page that speaks of ours finds it"


def test_it_is_never_asked_whether_our_own_criteria_know_such_a_level():
    d = place()
    weak = msgspec.structs.replace(yunzhou().hazards["rainstorm"], levels={})
    d.pack = msgspec.structs.replace(yunzhou(), hazards={**yunzhou().hazards, "rainstorm": weak})
    assert "2.4.1/relay" in opened(d.post(received("orange")))


def test_messages_find_their_stream_by_what_they_refer_to_in_whatever_order_they_come():
    d = place()
    d.post(received())
    assert reception.stream("new", [FIRST], "rainstorm", d.world) == STREAM
    assert reception.stream("new", [FIRST], "gale", d.world) == f"received-{FIRST}-gale"
    late = District(a_directory("聚乐乡"))
    update = reception.stream("new", [FIRST], "rainstorm", late.world)
    assert update == reception.stream(FIRST, [], "rainstorm", late.world), (
        "the first one may come after its update"
    )


def test_a_message_is_named_by_its_sender_and_identifier_or_by_its_bytes():
    assert reception.key(" a ", "1", "x") == reception.key("a", "1", "y") != reception.key("b", "1", "x")
    assert reception.key("a", "", "x") != reception.key("a", "", "y")


def test_two_townships_at_two_levels():
    d = place()
    facts = d.post(received(zones={JULE: "red", FENGYU: "yellow"}))
    found = opened(facts)
    assert {"聚乐乡", "峰峪乡"} <= found["2.4.1/relay"]
    assert "峰峪乡" not in found["2.4.2/decide"]
