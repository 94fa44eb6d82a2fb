"""叫应: who is called at which step, once for all that is missing, and what happens when nobody can be called."""

import msgspec

from fengsui.core import callup
from fengsui.core.directory import Directory, Person
from fengsui.core.facts import Call, DutyOpened, Notified, PlanStep, StepTaken, TimeReached
from tests.core.worlds import (
    ALERT,
    DESK,
    FENGYU,
    JULE,
    District,
    a_directory,
    an_alert,
    at,
    clock,
    kinds,
    notified,
    only,
    opened,
    steps,
    with_post,
)

ACK, POST, OFFICER = "2.4.1/acknowledge", "聚乐乡/duty_officer/1", "聚乐乡-duty_officer"


def district(directory=None, level="red", *, clauses=("2.3.a", "2.4.1", "4.2.b"), zones=(JULE,)):
    d = District(directory or a_directory("聚乐乡", "headquarters_office"), only(*clauses))
    d.post(an_alert(level, *zones))
    return d


def acknowledged(d, *persons):
    for person in persons:
        d.answer(person, at("02:13"))


def taken(d, post=POST, key=ACK):
    return [
        (clock(f.at), f.do)
        for f in d.facts
        if isinstance(f, StepTaken) and f.key == key and post in f.holders
    ]


def calls(d, person):
    return [
        (clock(f.at), [(c.do, c.key, c.holder) for c in r.calls])
        for f in d.facts
        if isinstance(f, Notified) and f.template == "call"
        for r in f.recipients
        if r.person == person
    ]


def test_red_climbs_seven_steps_and_repeats_the_last_until_somebody_answers():
    d = district()
    d.wait(at("02:55"))

    assert taken(d) == [
        ("02:16", "remind"), ("02:18", "deputy"), ("02:21", "superior"), ("02:23", "desk"), ("02:28", "visit"),
        ("02:38", "supervise"), ("02:43", "remind"), ("02:48", "remind"), ("02:53", "remind"),
    ]  # fmt: skip
    d.answer(OFFICER, at("02:56"))
    d.wait(at("09:00"))
    assert taken(d)[-1] == ("02:53", "remind")


def test_blue_reminds_once_and_then_a_person_at_the_desk_takes_over():
    d = district(level="blue")
    d.wait(at("09:00"))

    assert taken(d) == [("02:58", "remind"), ("03:13", "desk")]
    share = d.share(ACK, POST)
    assert (share.desk, share.next_at, share.open) == (True, None, True)


def test_each_step_tells_its_own_person():
    d = district(
        with_post(a_directory("聚乐乡", "headquarters_office"), "聚乐乡", "liaison", "聚乐乡-liaison")
    )
    d.post(an_alert("red", JULE, version=2, time="02:14"))
    for person in (
        "聚乐乡-leader",
        "聚乐乡-liaison",
        *(f"headquarters_office-{r}" for r in ("duty_officer", "leader")),
    ):
        d.answer(person, at("02:15"))
    d.wait(at("02:27"))
    called = {who: [c for _, cs in calls(d, who) for c in cs if c[1] == ACK] for who in sorted(d.told())}

    assert {who: [c[0] for c in cs] for who, cs in called.items() if cs} == {
        OFFICER: ["remind"], "聚乐乡-deputy": ["deputy"], "聚乐乡-leader": ["superior"]}  # fmt: skip
    d.wait(at("02:28"))
    assert ("02:28", [("visit", ACK, POST)]) in calls(d, "聚乐乡-liaison")


def test_nobody_is_called_after_answering():
    d = district()
    d.answer("聚乐乡-leader", at("02:14"))
    d.wait(at("02:16"))
    d.answer(OFFICER, at("02:17"))
    d.wait(at("02:25"))

    assert [c for c in calls(d, OFFICER) if c[0] > "02:17"] == []
    assert taken(d) == [("02:16", "remind")]


def test_a_deputys_answer_counts_for_the_post_and_a_superiors_does_not():
    d = district()
    d.wait(at("02:21"))

    d.answer("headquarters_office-leader", at("02:22"))
    assert d.share(ACK, POST).open
    d.answer("聚乐乡-deputy", at("02:22"))
    assert not d.share(ACK, POST).open


def test_the_next_step_counts_from_when_the_last_was_really_taken():
    d = district()
    d.post(
        msgspec.convert(
            {"kind": "time_reached", "stream": "incident-1", "at": at("02:40"), "due": at("02:16")},
            type=TimeReached,
        )
    )
    d.wait(at("02:46"))

    assert taken(d) == [("02:40", "remind"), ("02:42", "deputy"), ("02:45", "superior")]


def test_a_deputy_for_two_posts_gets_one_message_that_lists_both():
    d = district(
        with_post(a_directory("聚乐乡"), "聚乐乡", "liaison", "聚乐乡-liaison", deputy="聚乐乡-deputy")
    )
    acknowledged(d, "聚乐乡-leader")
    d.wait(at("02:18"))

    assert calls(d, "聚乐乡-deputy") == [
        ("02:18", [("deputy", ACK, POST), ("deputy", ACK, "聚乐乡/liaison/1")])
    ]
    d.answer("聚乐乡-deputy", at("02:19"))
    assert not d.share(ACK, POST).open
    assert not d.share(ACK, "聚乐乡/liaison/1").open


def test_a_post_without_a_deputy_is_not_passed_to_its_own_holder_but_to_the_next_step():
    d = district(a_directory("聚乐乡", deputies=False))
    acknowledged(d, "聚乐乡-leader")
    d.wait(at("02:18"))

    assert taken(d)[:3] == [("02:16", "remind"), ("02:18", "deputy"), ("02:18", "superior")]
    assert calls(d, OFFICER)[-1][0] == "02:16"


def test_a_vacant_post_is_chased_at_once_through_whoever_is_at_work():
    d = district(with_post(a_directory("聚乐乡"), "聚乐乡", "liaison", ""))

    assert taken(d, "聚乐乡/liaison/1") == [("02:13", "remind")]
    assert calls(d, OFFICER) == [("02:13", [("remind", ACK, "聚乐乡/liaison/1")])]


def test_where_nobody_at_all_can_be_told_the_desk_has_it_at_once():
    base = a_directory("聚乐乡", deputies=False, roles=("duty_officer",))
    d = district(Directory({**DESK, OFFICER: Person(OFFICER, "聚乐乡", ())}, base.posts, frozenset({"sms"})))

    assert taken(d) == [("02:13", "remind"), ("02:13", "deputy"), ("02:13", "superior"), ("02:13", "desk")]
    assert d.share(ACK, POST).desk


def test_unreachable_takes_the_next_step_at_once_and_only_when_the_last_told_is_lost():
    d = district(with_post(a_directory("聚乐乡"), "聚乐乡", "liaison", "聚乐乡-liaison"))
    d.wait(at("02:18"))
    before = taken(d)

    assert "step_taken" not in kinds(d.lose(OFFICER, at("02:19"), notice=ALERT))
    facts = d.lose("聚乐乡-deputy", at("02:19"))
    assert before == [("02:16", "remind"), ("02:18", "deputy")]
    assert steps(facts, ACK) == [("02:19", "superior", (POST,))]


def test_the_end_of_a_ladder_is_repeated_by_the_clock_alone_never_by_a_dead_number():
    d = district()
    d.wait(at("02:43"))
    assert taken(d)[-1] == ("02:43", "remind")

    assert "step_taken" not in kinds(d.lose(OFFICER, at("02:44")))
    d.wait(at("02:48"))
    assert taken(d)[-1] == ("02:48", "remind")


def test_a_ladder_that_is_over_does_not_supervise_twice():
    d = district(clauses=("2.4.2",))
    d.wait(at("03:30"))
    assert d.share("2.4.2/respond", "聚乐乡").next_at is None
    last = d.state().notices.asked["聚乐乡"]

    for person in last.persons:
        assert kinds(d.lose(person, at("03:31"), notice=last.notice)) == ["exhausted"]


def test_red_and_yellow_holders_of_one_duty_climb_their_own_ladders_even_in_one_moment():
    d = District(a_directory("聚乐乡", "峰峪乡", roles=("duty_officer",)), only("2.4.1"))
    d.post(an_alert(zones={JULE: "red", FENGYU: "yellow"}))
    other = "峰峪乡/duty_officer/1"
    d.wait(at("02:38"))
    assert taken(d)[:2] == [("02:16", "remind"), ("02:18", "deputy")]
    assert taken(d, other) == [("02:28", "remind"), ("02:38", "deputy")]

    base = with_post(d.directory, "聚乐乡", "leader", "聚乐乡-leader")  # and after an outage, in one moment
    e = District(base, only("2.4.1"))
    e.post(an_alert(zones={JULE: "red", FENGYU: "yellow"}))
    for moment in ("03:00", "03:20", "03:40"):
        e.post(
            msgspec.convert(
                {"stream": "incident-1", "at": at(moment), "due": at(moment), "kind": "time_reached"},
                type=TimeReached,
            )
        )
    assert taken(e) == [("03:00", "remind"), ("03:20", "deputy"), ("03:40", "superior")]
    assert taken(e, other) == [("03:00", "remind"), ("03:20", "deputy"), ("03:40", "desk")]
    assert not e.share(ACK, POST).desk
    assert e.share(ACK, other).desk


def test_supervision_tells_the_unit_and_opens_a_reply_that_is_not_itself_supervised():
    d = district()
    d.wait(at("02:38"))

    thread = f"4.2.b/reply_urgent/{ACK}"
    assert ("聚乐乡", thread, "03:08") in opened(d.facts)
    d.wait(at("09:00"))
    assert [do for _, do in taken(d, "聚乐乡", thread)] == ["superior", "bulletin"]
    share = d.share(thread, "聚乐乡")
    assert (share.open, share.desk, share.next_at) == (True, True, None)
    again = [f for f in d.facts if isinstance(f, DutyOpened) and f.key == thread and "聚乐乡" in f.holders]
    assert len(again) == 1


def test_one_person_and_moment_is_one_message_whatever_is_missing():
    d = district(clauses=("2.3.a", "2.4.1", "2.4.2", "4.2.b"))
    acknowledged(d, OFFICER, "聚乐乡-leader")
    d.wait(at("02:53"))

    for f in d.facts:
        if isinstance(f, Notified):
            assert len({r.person for r in f.recipients}) == len(f.recipients)
    assert calls(d, OFFICER)[-1] == (
        "02:43",
        [("remind", "2.4.2/decide", "聚乐乡"), ("remind", "2.4.2/respond", "聚乐乡")],
    )


def test_two_calls_at_the_same_moment_are_two_tellings():
    d = district()
    d.wait(at("02:16"))
    d.post(an_alert("red", JULE, FENGYU, version=2, time="02:16"))
    first = notified(d.facts, "call")
    e = District(with_post(d.directory, "聚乐乡", "liaison", "x"), d.pack)
    e.streams = dict(d.streams)
    reopened = msgspec.structs.replace(e.share("2.4.1/relay", "聚乐乡"), next_at=at("02:16"))
    duty = e.state().duties["2.4.1/relay"]
    duties = {
        **e.state().duties,
        "2.4.1/relay": msgspec.structs.replace(duty, shares=duty.shares.having({"聚乐乡": reopened})),
    }
    e.streams["incident-1"] = msgspec.structs.replace(e.state(), duties=duties)

    facts = e.wait(at("02:16")) or e.facts

    assert not set(notified(facts, "call")) & set(first)


def test_a_call_names_who_may_answer_and_a_report_upwards_names_nobody():
    d = district()
    d.wait(at("02:22"))
    recipients = {
        r.person: r for f in d.facts if isinstance(f, Notified) and f.template == "call" for r in f.recipients
    }

    assert recipients["聚乐乡-deputy"].holders == (POST,)
    above = [r for r in recipients.values() if {c.do for c in r.calls} == {"superior"}]
    assert above
    assert all(r.holders == () for r in above)
    assert Call("superior", ACK, POST) in [c for r in above for c in r.calls]


def test_a_post_whose_deputy_is_its_holder_has_the_units_officers_told_in_his_place():
    base = with_post(a_directory("聚乐乡"), "聚乐乡", "responsible_person", "某", deputy="某")
    d = district(base, clauses=("2.3.a", "2.4.1"))
    step = PlanStep(0, "deputy", ("sms",))

    assert callup.reach(step, "聚乐乡/responsible_person/1", d.state(), d.world) == [OFFICER]


def test_a_unit_whose_officer_is_his_own_deputy_has_its_duty_leader_told():
    base = a_directory("聚乐乡", roles=("duty_officer", "duty_leader"), deputies=False)
    own = msgspec.structs.replace(base.posts[POST], deputy=OFFICER)
    d = district(msgspec.structs.replace(base, posts={**base.posts, POST: own}))

    assert callup.reach(PlanStep(0, "deputy", ("sms",)), "聚乐乡", d.state(), d.world) == [
        "聚乐乡-duty_leader"
    ]
