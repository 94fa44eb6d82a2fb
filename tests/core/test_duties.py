"""The engine of all clauses: what opens, what ends, from when time runs, and that nothing ends silently."""

import msgspec
import pytest

from fengsui.core import duties, mind
from fengsui.core.clauses import Ladder, LadderStep, Trigger
from fengsui.core.facts import Alerted, DirectoryChanged, Reported, TimeReached
from tests.core.worlds import (
    FENGYU,
    INCIDENT,
    JULE,
    District,
    a_directory,
    an_alert,
    at,
    clock,
    code,
    kinds,
    only,
    opened,
    steps,
    with_post,
)

RELAY, MEASURES, RESPOND = "2.4.1/relay", "2.4.1/measures", "2.4.2/respond"
OFFICER = "聚乐乡-duty_officer"


def district(*clauses, units=("聚乐乡", "峰峪乡"), level="red", zones=(JULE, FENGYU), **more):
    d = District(a_directory(*units), only(*clauses))
    d.post(an_alert(level, *zones, **more))
    return d


def deadline(d, key, holder="聚乐乡"):
    return clock(d.share(key, holder).deadline)


def test_the_red_response_is_owed_from_reception_and_at_the_latest_from_issue_plus_ten_minutes():
    d = district("2.3.a", "2.4.2")
    assert deadline(d, RESPOND) == "02:53"

    d.reach(OFFICER, "delivered", at("02:17"))

    assert deadline(d, RESPOND) == "02:47"
    assert deadline(d, RESPOND, "峰峪乡") == "02:53"


def test_a_reception_after_the_latest_moment_changes_nothing():
    d = district("2.3.a", "2.4.2")
    d.reach(OFFICER, "delivered", at("02:40"))

    assert deadline(d, RESPOND) == "02:53"


def test_a_term_that_runs_is_never_lengthened_by_the_reception_of_an_update():
    d = district("2.3.a", "2.4.1", "2.4.2")
    d.reach(OFFICER, "delivered", at("02:15"))
    d.post(an_alert(version=2, time="02:16"))
    d.reach(OFFICER, "delivered", at("02:20"), notice="2.3.a/alert/2/red-same", version=2)

    assert deadline(d, RESPOND) == "02:45"


def test_the_reception_of_an_old_version_does_not_start_a_newer_ones_term():
    d = district("2.3.a", "2.4.1", "2.4.2", level="yellow")
    d.post(an_alert("red", version=2, time="02:20"))

    d.reach(OFFICER, "delivered", at("02:21"), notice="2.3.a/alert/1/yellow-new", version=1)
    assert deadline(d, RESPOND) == "03:00"
    d.reach(OFFICER, "delivered", at("02:22"), notice="2.3.a/alert/2/red-up", version=2)
    assert deadline(d, RESPOND) == "02:52"


def test_the_first_version_received_starts_the_term_of_an_earlier_one():
    d = district("2.3.a", "2.4.2")
    d.post(an_alert(version=2, time="02:15"))

    d.reach(OFFICER, "delivered", at("02:16"), notice="2.3.a/alert/2/red-same", version=2)

    assert deadline(d, RESPOND) == "02:46"


def test_a_reception_moves_the_ladder_that_starts_at_the_deadline_unless_it_has_begun():
    d = district("2.3.a", "2.4.2")
    d.reach(OFFICER, "delivered", at("02:17"))
    d.wait(at("02:48"))

    assert [s for s in steps(d.facts, RESPOND) if "聚乐乡" in s[2]] == [("02:47", "remind", ("聚乐乡",))]


def test_measures_are_owed_again_two_hours_after_each_report_while_the_warning_holds():
    d = district("2.3.a", "2.4.1")
    d.reach(OFFICER, "delivered", at("02:15"))
    d.report("measures", "聚乐乡", at("03:00"), version=1)
    assert deadline(d, MEASURES) == "05:00"

    d.reach("聚乐乡-leader", "delivered", at("03:05"))
    assert deadline(d, MEASURES) == "05:00"
    d.report("measures", "聚乐乡", at("04:00"), version=1)
    assert deadline(d, MEASURES) == "06:00"


def test_what_is_owed_again_goes_with_the_warning_and_what_was_never_reported_stays():
    d = district("2.3.a", "2.4.1")
    d.report("measures", "聚乐乡", at("03:00"), version=1)

    d.post(an_alert("", version=2, time="03:30"))

    assert d.share(MEASURES, "聚乐乡").how == "cancelled"
    assert d.share(MEASURES, "峰峪乡").open
    d.report("measures", "峰峪乡", at("03:40"))
    assert d.share(MEASURES, "峰峪乡").how == "done"


def test_the_same_report_twice_ends_only_what_it_reported():
    d = district("2.4.1")
    d.report("measures", "聚乐乡", at("03:00"), version=1)

    assert code(d.report("measures", "聚乐乡", at("03:00"), version=1)) == ("D03", True)


def test_drop_ends_as_cancelled_and_never_as_done_and_stay_is_owed_to_the_end():
    d = district("2.4.1", "2.4.2")
    d.post(an_alert("", version=2, time="02:20"))

    assert d.share("2.4.2/decide", "聚乐乡").how == "cancelled"
    assert d.share(RESPOND, "聚乐乡").open
    assert d.share(RELAY, "聚乐乡").open


def test_ends_come_before_openings_so_a_newer_version_does_not_end_what_it_opens():
    d = district("2.3.a", units=("meteorology",))
    facts = d.post(an_alert(version=2, time="02:20", expires=at("10:00")))

    assert d.share("2.3.a/renew", "meteorology").open
    order = [k for k in kinds(facts) if k.startswith("duty")]
    assert order == sorted(order)  # duty_ended < duty_opened
    assert deadline(d, "2.3.a/renew", "meteorology") == "09:30"


def test_an_expiring_warning_must_be_renewed_and_ends_in_front_of_a_person_never_silently():
    d = district("2.3.a", units=("meteorology",), expires=at("04:00"))
    assert deadline(d, "2.3.a/renew", "meteorology") == "03:30"

    d.wait(at("04:00"))

    assert d.share("2.3.a/renew", "meteorology").desk
    assert d.state().alert.holds


def test_a_warning_shorter_than_the_notice_it_needs_is_renewed_at_the_latest_when_it_expires():
    d = district("2.3.a", units=("meteorology",), expires=at("02:33"))

    assert deadline(d, "2.3.a/renew", "meteorology") == "02:33"


def test_a_newer_version_that_asks_again_replaces_the_share_and_its_ladder_starts_anew():
    d = district("2.3.a", "2.4.1", level="yellow")
    d.wait(at("02:40"))
    key, post = "2.4.1/acknowledge", "聚乐乡/duty_officer/1"
    assert d.share(key, post).step == 2

    d.post(an_alert("red", version=2, time="02:41"))

    share = d.share(key, post)
    assert (share.step, clock(share.next_at), clock(share.deadline), share.plan.version) == (
        0,
        "02:44",
        "02:51",
        2,
    )


def test_reports_say_what_is_wrong_with_them():
    d = district("2.4.1", "2.4.2", "4.2.b")

    assert code(d.report("gossip", "聚乐乡", at("02:14"))) == ("D01", False)
    assert code(d.report("relay", "nowhere", at("02:14"))) == ("D01", False)
    assert code(d.report("suspension_notice", "聚乐乡", at("02:14"))) == ("D02", False)
    assert "duty_ended" in kinds(d.report("relay", "聚乐乡", at("02:14")))
    assert code(d.report("relay", "聚乐乡", at("02:15"))) == ("D03", True)


def test_a_moment_counts_only_if_something_waits_for_it():
    d = district("2.4.1")

    assert code(d.post(TimeReached(INCIDENT, at("02:14"), at("02:14")))) == ("D00", True)
    d.wait(at("02:16"))
    assert code(d.post(TimeReached(INCIDENT, at("02:16"), at("02:16")))) == ("D00", True)


def test_a_report_that_names_its_duty_ends_that_one_alone():
    d = district("2.4.1", "2.4.2", "4.2.b")
    d.wait(at("03:40"))
    threads = sorted(k for k in d.state().duties if k.startswith("4.2.b/"))
    assert len(threads) > 1

    d.report("supervision_reply", "聚乐乡", at("03:41"), paper="p", duty=threads[0])
    assert [d.share(k, "聚乐乡").open for k in threads] == [False] + [True] * (len(threads) - 1)
    d.report("supervision_reply", "聚乐乡", at("03:42"), paper="p")
    assert not any(d.share(k, "聚乐乡").open for k in threads)


def test_support_opens_a_task_at_the_headquarters_once_and_is_settled_there():
    d = district("2.4.1")
    facts = d.report("support", "聚乐乡", at("02:20"))

    assert opened(facts) == {("headquarters_office", "2.4.1/support/聚乐乡", "02:30")}
    assert code(d.report("support", "聚乐乡", at("02:21"))) == ("D03", True)
    d.report("support_settled", "headquarters_office", at("02:25"))
    assert d.share("2.4.1/support/聚乐乡", "headquarters_office").how == "done"


def correction(change, person, time, unit="聚乐乡"):
    return DirectoryChanged("district", at(time), change, unit, person)


def test_a_departure_opens_a_correction_and_a_second_change_of_the_same_person_opens_none_until_it_is_done():
    d = District(a_directory("聚乐乡"))

    assert opened(d.post(correction("departed", "a", "09:00"))) == {("聚乐乡", "2.3.b/correct/a", "33:00")}
    assert opened(d.post(correction("bounced", "a", "09:05"))) == set()
    assert opened(d.post(correction("bounced", "b", "09:05"))) == {("聚乐乡", "2.3.b/correct/b", "33:05")}
    assert opened(d.post(correction("added", "c", "09:06"))) == set()
    d.post(Reported("district", at("10:00"), "roster_confirmed", "聚乐乡"))
    assert all(s.how == "done" for duty in d.state("district").duties.values() for s in duty.shares.values())
    assert opened(d.post(correction("bounced", "a", "10:05"))) == {("聚乐乡", "2.3.b/correct/a", "34:05")}


def test_an_uncorrected_list_is_reminded_daily_and_supervised_after_three_days_and_then_still_reminded():
    d = District(a_directory("聚乐乡"))
    d.post(correction("departed", "a", "09:00"))
    d.wait(at("200:00"))

    days = [(int(t[: t.index(":")]) // 24, do) for t, do, _ in steps(d.facts, "2.3.b/correct/a")]
    assert days[:7] == [
        (1, "remind"),
        (2, "remind"),
        (3, "remind"),
        (4, "supervise"),
        (5, "remind"),
        (6, "remind"),
        (7, "remind"),
    ]
    assert ("聚乐乡", "4.2.b/reply/2.3.b/correct/a") in {o[:2] for o in opened(d.facts)}


def test_a_closed_stream_waits_for_nothing():
    d = district("2.4.1")

    assert duties.due(d.state()) == at("02:16")
    assert duties.due(msgspec.structs.replace(d.state(), closed=True)) is None


def test_every_responsible_unit_owes_each_duty_exactly_once():
    d = district("2.4.1", "2.4.2")
    units = {u.id for u in d.pack.units.values() if "members" in u.groups} | {"聚乐乡", "峰峪乡"}

    for key in (RELAY, MEASURES, RESPOND):
        assert set(d.state().duties[key].shares) == units
    assert set(d.state().duties["2.4.1/acknowledge"].shares) == set(d.directory.posts)


def test_a_person_holding_several_posts_owes_one_answer_and_gives_one_for_all():
    d = District(with_post(a_directory("聚乐乡"), "聚乐乡", "liaison", OFFICER), only("2.3.a", "2.4.1"))
    d.post(an_alert("red", JULE))

    d.answer(OFFICER, at("02:14"))

    shares = d.state().duties["2.4.1/acknowledge"].shares
    assert {h: s.open for h, s in shares.items()} == {
        "聚乐乡/duty_officer/1": False, "聚乐乡/leader/1": True, "聚乐乡/liaison/1": False}  # fmt: skip


def test_folding_needs_neither_pack_nor_directory():
    d = district("2.3.a", "2.4.1", "2.4.2", "2.4.3", "4.2.b")
    d.reach(OFFICER, "delivered", at("02:15"))
    d.wait(at("03:00"))
    d.post(an_alert("", version=2, time="03:10"))
    state = mind.State.blank(INCIDENT)
    for fact in d.facts:
        state = mind.fold(state, fact)

    assert state == d.state()


def test_a_pack_that_triggers_itself_is_stopped_and_named():
    d = district("2.4.1")
    duty = next(x for x in d.pack.clauses["4.2.b"].duty if x.name == "reply_urgent")
    endless = msgspec.structs.replace(
        duty, trigger=Trigger("step", do="supervise"), ladder="mad", within="0m", evidence=("acknowledged",)
    )
    clause = msgspec.structs.replace(d.pack.clauses["4.2.b"], planned=False, duty=(endless,))
    mad = Ladder("", (LadderStep("0m", "supervise"),), "opening")
    d.pack = msgspec.structs.replace(
        d.pack, clauses={**d.pack.clauses, "4.2.b": clause}, ladders={**d.pack.ladders, "mad": mad}
    )

    with pytest.raises(mind.Endless, match="M001"):
        d.wait(at("03:00"))


def test_who_did_what_is_a_chain_of_causes():
    d = district("2.4.1")
    decision = mind.consider(an_alert(version=2, time="02:20"), "input", d.world)
    assert isinstance(decision, mind.Decision)

    ids = [e.id for e in decision.entries]
    assert len(set(ids)) == len(ids)
    assert decision.entries[0].cause == ""
    assert isinstance(decision.entries[0].fact, Alerted)
    assert all(e.cause in ids[:n] for n, e in enumerate(decision.entries) if n)
