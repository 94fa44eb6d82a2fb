"""停工停业停课: a decision is owed, never a stop; only who authorised it beforehand stops by himself."""

import msgspec

from fengsui.core.facts import SuspensionDecided
from tests.core.worlds import INCIDENT, JULE, District, a_directory, an_alert, at, code, kinds, only, opened

DECIDE, RESUME = "2.4.2/decide", "2.4.2/resume"


def district(standing=None, level="red"):
    base = msgspec.structs.replace(a_directory("聚乐乡"), standing=standing or {})
    d = District(base, only("2.4.2"))
    d.post(an_alert(level, JULE))
    return d


def decision(time="02:20", stops=("classes",), **more):
    return SuspensionDecided(INCIDENT, at(time), "聚乐乡", more.pop("by", "a"), tuple(stops), **more)


def test_a_stop_ends_the_duty_to_decide_and_opens_announcement_and_report():
    facts = district().post(decision())

    assert kinds(facts) == ["suspension_decided", "duty_ended", "duty_opened", "duty_opened"]
    assert opened(facts) == {("聚乐乡", "2.4.2/announce", "02:35"), ("聚乐乡", "2.4.2/report", "03:20")}


def test_going_on_needs_a_reason_and_opens_nothing():
    d = district()

    assert code(d.post(decision(stops=()))) == ("S02", False)
    assert kinds(d.post(decision(stops=(), reason="paper"))) == ["suspension_decided", "duty_ended"]


def test_the_same_decision_again_has_happened_already_and_one_on_a_stale_page_is_refused():
    d = district()
    d.post(decision())

    assert code(d.post(decision("02:21"))) == ("S00", True)
    assert code(d.post(decision("02:21", stops=("work",), by="b"))) == ("S01", False)


def test_the_same_choice_on_a_newer_warning_is_a_decision_of_its_own():
    d = district(level="red")
    d.post(decision(stops=(), reason="paper"))
    d.post(an_alert("yellow", JULE, version=2, time="02:30"))
    d.post(an_alert("red", JULE, version=3, time="02:40"))
    assert d.share(DECIDE, "聚乐乡").open

    d.post(decision("02:41", stops=(), reason="paper", replaces=at("02:20")))

    assert not d.share(DECIDE, "聚乐乡").open


def test_only_what_stands_still_can_be_resumed():
    d = district()
    assert code(d.post(decision(stops=(), lifted=True))) == ("S03", False)
    d.post(decision())
    d.post(an_alert("", version=2, time="03:00"))
    d.post(decision("04:00", stops=(), lifted=True, replaces=at("02:20")))

    assert d.share(RESUME, "聚乐乡").how == "done"
    assert code(d.post(decision("04:01", stops=(), lifted=True, replaces=at("04:00")))) == ("S03", False)


def test_who_stopped_owes_resumption_when_the_warning_sinks_or_ends_and_nobody_else():
    d = district()
    d.post(decision())

    facts = d.post(an_alert("yellow", JULE, version=2, time="03:00"))

    assert {o for o in opened(facts) if o[1] == RESUME} == {("聚乐乡", RESUME, "15:00")}


def test_who_authorised_it_beforehand_stops_at_once_and_the_duty_is_done():
    d = district({"聚乐乡": ("work", "classes")})

    share = d.share(DECIDE, "聚乐乡")
    assert (share.how, share.evidence) == ("done", "suspension_decided")
    assert d.state().suspension["聚乐乡"].by == "standing"
    assert d.share("2.4.2/announce", "聚乐乡").open


def test_without_authority_nothing_ever_stops_by_itself():
    d = district()
    d.wait(at("12:00"))

    assert d.of("suspension_decided") == []
    assert d.share(DECIDE, "聚乐乡").desk
