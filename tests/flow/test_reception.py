"""What comes from elsewhere: kept first, registered if it is settled, put before a person if it is not, never lost."""

from __future__ import annotations

import contextlib
import hashlib
import time

import pytest

from fengsui.core.facts import DutyOpened, Notified, Received
from fengsui.flow.reception import Choice, Reception
from fengsui.formats.arrivals import message as formats_message
from fengsui.formats.arrivals import text as formats_text
from fengsui.store import arrivals
from tests.core.test_geocodes import COLLISIONS
from tests.flow.district import MINUTE, NIGHT, yunzhou
from tests.flow.office import DUZHUANG, JULE, SENDER, TEXT, cap, when
from tests.formats.cap import forge, fuzz


def test_a_trusted_red_warning_is_registered_and_opens_what_the_clauses_say(office):
    one = office.take(cap())
    assert (one.state, one.valid, one.hazard, one.level) == ("registered", 1, "暴雨", "red")
    (fact,) = office.facts(Received)
    assert (fact.sender, fact.hazard, fact.zones, fact.binding, fact.valid) == (
        SENDER, "rainstorm", {JULE: "red"}, True, True,
    )  # fmt: skip
    assert fact.paper == one.digest == hashlib.sha256(cap()).hexdigest()
    assert arrivals.content(one.digest) == cap(), "the bytes as they came"
    assert {f.key for f in office.facts(DutyOpened)} == {
        "2.4.1/relay",
        "2.4.1/measures",
        "2.4.2/respond",
        "2.4.2/decide",
    }


def test_from_a_source_that_nobody_trusts_it_is_shown_and_asks_nobody(office):
    one = office.take(cap(), bound=False)
    assert one.state == "registered"
    assert [s.foreign.binding for s in office.in_force] == [False]
    assert office.facts(DutyOpened, Notified) == []


def test_the_signature_of_a_pinned_certificate_is_trust_enough(office, database):
    key = forge.key()
    shown = forge.certificate(key, begins=forge.SENT, ends=forge.SENT + forge.YEAR * 5)
    (database.data / "trust").mkdir()
    (database.data / "trust" / "province.pem").write_bytes(forge.pem(shown))
    signed = forge.sign(cap(), key, shown)
    one = office.take(signed, bound=False)
    assert (one.state, one.signer) == ("registered", "CN=bureau")
    assert [s.foreign.binding for s in office.in_force] == [True]


def test_an_unknown_signature_is_no_better_than_none_and_an_altered_one_is_a_persons(office, database):
    key, other = forge.key(), forge.key(name="other")
    known = forge.certificate(key, begins=forge.SENT, ends=forge.SENT + forge.YEAR * 5)
    strange = forge.certificate(other, "other", begins=forge.SENT, ends=forge.SENT + forge.YEAR * 5)
    (database.data / "trust").mkdir()
    (database.data / "trust" / "province.pem").write_bytes(forge.pem(known))
    one = office.take(forge.sign(cap(1), other, strange), bound=False)
    assert one.state == "registered"
    assert not office.in_force[0].foreign.binding
    altered = (
        forge.sign(cap(2), key, known).replace("橙色".encode(), "红色".encode()).replace(b"Extreme", b"Minor")
    )
    two = office.take(altered)
    assert two.state == "waiting", "even by a trusted channel"
    assert two.code == "X513"


def test_the_same_bytes_again_write_nothing(office):
    office.take(cap())
    before = len(office.facts(object))
    assert office.take(cap(), source="another").source == "province"
    assert len(office.facts(object)) == before


def test_the_same_bytes_by_a_trusted_way_bind_although_a_stranger_was_quicker(office):
    office.take(cap(), source="mirror", bound=False)
    assert office.facts(DutyOpened) == []
    one = office.take(cap(), source="province", bound=True)
    assert (one.state, one.source, one.bound) == ("registered", "province", 1)
    assert [f.binding for f in office.facts(Received)] == [False, True]
    assert office.facts(DutyOpened)
    office.take(cap(), source="mirror", bound=False)
    assert office.row(one.digest).bound == 1
    assert len(office.facts(Received)) == 2


def test_what_a_person_brings_in_waits_for_his_word(office):
    office.take(cap(1))
    two = office.take(cap(2), source="upload", bound=False)
    end = office.take(cap(3, sent=1, refers=1, msgType="Cancel"), source="upload", bound=False)
    assert [(a.state, a.code) for a in (two, end)] == [("waiting", "Y19")] * 2
    ending = Choice("rainstorm", {}, 0, SENDER, ending=True)
    assert office.reception.register(end.digest, ending, "p-1", "f1").ok
    assert office.in_force == []


def test_other_bytes_under_the_same_identifier_are_refused_kept_and_named(office):
    office.take(cap())
    two = office.take(cap(headline="山西省气象台发布暴雨蓝色预警", severity="Minor"))
    assert (two.state, two.code) == ("refused", "Y02")
    assert "内容不同" in two.why
    assert arrivals.content(two.digest)
    assert office.in_force[0].foreign.part.now.zones == {JULE: "red"}


def test_an_update_stays_in_its_stream_and_a_cancellation_ends_it(office):
    office.take(cap(1))
    two = office.take(
        cap(2, sent=1, refers=1, msgType="Update", headline="山西省气象台变更暴雨橙色预警", severity="Severe")
    )
    (state,) = office.in_force
    assert state.foreign.part.now.zones == {JULE: "orange"}
    assert two.stream == state.stream
    three = office.take(
        cap(3, sent=2, refers=2, msgType="Cancel", headline="山西省气象台解除预警", severity="Unknown")
    )
    assert (three.state, three.stream) == ("registered", state.stream)
    assert office.in_force == []
    assert any(f.template == "forwarded_end" for f in office.facts(Notified))


def test_a_warning_that_moves_away_is_over_for_us(office):
    office.take(cap(1))
    office.take(cap(2, sent=1, refers=1, msgType="Update", code=("CPEAS Geographic Code", "140311000000")))
    assert office.in_force == []


def test_an_unsigned_end_by_an_untrusted_way_waits_for_a_person(office):
    office.take(cap(1))
    two = office.take(cap(2, sent=1, refers=1, msgType="Cancel"), bound=False)
    assert (two.state, two.code) == ("waiting", "Y09")
    assert office.in_force, "nobody is unwarned by a stranger"


def test_a_malformed_red_warning_is_registered_and_marked(office):
    one = office.take(cap(sent=-1, scope="").replace(b"+08:00</sent>", b"</sent>"))
    assert (one.state, one.valid, one.level) == ("registered", 0, "red")
    assert not office.in_force[0].foreign.valid


def test_what_is_broken_altogether_is_kept_for_a_person(office):
    one = office.take(
        b"<alert><info><headline>\xe6\x9a\xb4\xe9\x9b\xa8\xe7\xba\xa2\xe8\x89\xb2\xe9\xa2\x84\xe8\xad\xa6"
    )
    assert one.state == "waiting"
    assert one.level == "red"


def test_a_drill_in_earnest_is_refused_and_shown(office):
    one = office.take(cap(headline="【演练】山西省气象台发布暴雨红色预警"))
    assert (one.state, one.code) == ("refused", "X525")
    assert office.facts(Received) == []


def test_a_drill_is_no_warning_until_a_person_says_so(office):
    one = office.take(cap(status="Exercise", headline="【演练】山西省气象台发布暴雨红色预警"))
    assert (one.state, one.code) == ("waiting", "Y17")


@pytest.mark.parametrize("name", ["", "行政区划代码"])
def test_digits_of_no_named_list_wait_with_both_readings(office, name):
    one = office.take(cap(code=(name, "140215202")))
    assert one.state == "waiting"
    assert "峰峪乡（统计 140215202）" in one.why
    assert "杜庄乡（民政 140215202）" in one.why


@pytest.mark.parametrize(("nbs", "mca", "code"), COLLISIONS, ids=lambda v: getattr(v, "name", v))
def test_the_same_digits_reach_the_township_of_their_list_and_no_other(office, nbs, mca, code):
    office.take(cap(1, code=("CPEAS Geographic Code", code)))
    office.take(cap(2, code=("MCA", code)))
    three = office.take(cap(3, code=("", code)))
    assert sorted(s.foreign.part.now.zones.popitem()[0] for s in office.in_force) == sorted((nbs.id, mca.id))
    assert three.state == "waiting"
    assert nbs.name in three.why
    assert mca.name in three.why


def test_a_message_that_breaks_the_reader_is_a_persons_and_stops_nobody(office, monkeypatch):
    from fengsui.formats import arrivals as formats

    def broken(*_args):
        raise RecursionError("as if")

    with monkeypatch.context() as wrong:
        wrong.setattr(formats, "message", broken)
        one = office.take(cap(1))
    assert (one.state, one.code) == ("refused", "R106")
    assert office.take(cap(2)).state == "registered"


def test_mutants_are_proposals_too_and_nobody_waits():
    pack = yunzhou()
    for number, content in enumerate(fuzz.mutants(7)):
        began = time.process_time()
        formats_message(content, pack, NIGHT, forge.pin(forge.certificate(forge.key())))
        formats_text(content, pack, NIGHT)
        assert time.process_time() - began < 2
        if number == 300:
            break


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (cap(code=("CPEAS Geographic Code", "310115000000")), "Y16"),
        (cap(status="System"), "X537"),
        (cap(msgType="Ack"), "X538"),
        (cap(expires=when(-0.5)), "Y15"),
        (cap(sender="14021541600000"), "X544"),
        (cap(msgType="Cancel"), "Y13"),
    ],
)
def test_what_does_not_concern_us_is_put_aside_and_kept(office, content, code):
    one = office.take(content)
    assert (one.state, one.code) == ("aside", code)
    assert office.facts(Received) == []


def test_the_districts_own_codes_and_those_above_mean_all_of_it(office):
    office.take(cap(code=("CPEAS Geographic Code", "140000000000")))
    assert office.in_force[0].foreign.part.now.zones == {"140215": "red"}


def test_its_own_time_ends_it(office):
    office.take(cap())
    office.clock.jump(NIGHT + 181 * MINUTE)
    office.reception.look()
    assert [f.action for f in office.facts(Received)] == ["issue", "expire"]
    assert office.in_force == []
    office.reception.look()
    assert len(office.facts(Received)) == 2


def test_a_crash_between_keeping_and_reading_loses_nothing(office, database):
    office.reception.keep(cap(), "province", bound=True)
    again = Reception(office.writer, office.clock, database.data)
    again.look()
    assert len(office.facts(Received)) == 1
    assert again.keep(cap(), "province", bound=True)
    again.look()
    assert len(office.facts(Received)) == 1


def test_a_person_registers_what_waits_and_answers_for_it(office):
    one = office.take(cap(code=("", "140215202")))
    choice = Choice("rainstorm", {DUZHUANG: "red"}, office.now + 60 * MINUTE, SENDER)
    assert office.reception.register(one.digest, choice, "p-1", "f1").ok
    assert office.reception.register(one.digest, choice, "p-1", "f1").ok, "a second click"
    (fact,) = office.facts(Received)
    assert (fact.by, fact.binding, fact.zones) == ("p-1", True, {DUZHUANG: "red"})
    assert office.row(one.digest).state == "registered"
    assert office.facts(DutyOpened)


def test_a_person_does_not_make_a_contradiction_true(office):
    one = office.take(cap(headline="演练：山西省气象台发布暴雨红色预警"))
    choice = Choice("rainstorm", {JULE: "red"}, office.now + 60 * MINUTE, SENDER)
    assert office.reception.register(one.digest, choice, "p-1", "f1").code == "X525"


def test_a_text_waits_for_a_person_and_its_end_finds_its_beginning(office):
    one = office.take(TEXT.encode(), form="text", source="paste", bound=False)
    assert (one.state, one.sender, one.level, one.hazard) == ("waiting", SENDER, "red", "暴雨")
    choice = Choice("rainstorm", {"140215": "red"}, one.expires, one.sender)
    assert office.reception.register(one.digest, choice, "p-1", "f1").ok
    end = office.take(
        "山西省气象台2027年7月21日2时12分解除暴雨红色预警信号。".encode(),
        form="text",
        source="paste",
        bound=False,
    )
    ending = Choice("rainstorm", {}, office.now, SENDER, ending=True)
    assert office.reception.register(end.digest, ending, "p-1", "f2").ok
    assert office.in_force == []


def test_many_messages_of_one_file_are_arrivals_of_their_own(office):
    inner = b"".join(b"<entry>" + cap(n).partition(b"?>\n")[2] + b"</entry>" for n in (1, 2))
    inner = inner or b""
    digests = office.reception.keep(
        b"<feed xmlns='http://www.w3.org/2005/Atom'>" + inner + b"</feed>", "province"
    )
    assert len(digests) == 2
    with contextlib.suppress(StopIteration):
        office.reception.look()
    assert {office.row(d).state for d in digests} == {"registered"}


def test_what_no_database_can_keep_holds_up_nothing_behind_it(office):
    """A NUL in a pasted text is kept with its bytes, and read without it."""
    odd = office.take(TEXT.replace("发布", "发\0布").encode(), form="text")
    assert odd.state in arrivals.OPEN
    assert "\0" not in odd.title + odd.sender + odd.why
    assert arrivals.content(odd.digest) == TEXT.replace("发布", "发\0布").encode()

    assert office.take(cap()).state == "registered"
