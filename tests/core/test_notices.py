"""Who is told, once, by which ways; how far a telling got; what an answer counts for."""

import msgspec
import pytest

from fengsui.core.directory import Directory, Person
from fengsui.core.facts import DirectoryChanged, Exhausted, Notified, Reached, Recipient, Tallied
from fengsui.core.notices import further
from tests.core.worlds import (
    ALERT,
    DESK,
    FENGYU,
    INCIDENT,
    JULE,
    District,
    a_directory,
    a_population,
    an_alert,
    at,
    code,
    kinds,
    notified,
    only,
    opened,
    with_post,
)

VILLAGE, OTHER = f"{JULE}205", f"{JULE}216"
OFFICER, LEADER = "聚乐乡-duty_officer", "聚乐乡-leader"
ACK = "2.4.1/acknowledge"


def told(facts, key):
    (found,) = [f for f in facts if isinstance(f, Notified) and f.key == key]
    return found


def villages():
    """Two villages of one township, each with a responsible person."""
    base = a_directory("聚乐乡")
    base = with_post(base, "聚乐乡", "responsible_person", "塔儿村-head", area=VILLAGE)
    return with_post(base, "聚乐乡", "responsible_person", "山自造村-head", area=OTHER)


def test_the_roles_of_the_level_are_told_through_the_channels_of_the_level_in_their_order():
    d = District(
        msgspec.structs.replace(
            a_directory("聚乐乡"),
            persons=DESK | {p: Person(p, "聚乐乡", ("fax", "voice", "sms")) for p in (OFFICER, LEADER)},
            ways=frozenset({"sms", "voice", "fax"}),
        )
    )

    facts = d.post(an_alert("red", JULE))

    ways = ("sms", "voice", "fax")
    assert told(facts, ALERT).recipients == (
        Recipient(OFFICER, ways, ("聚乐乡/duty_officer/1",)),
        Recipient(LEADER, ways, ("聚乐乡/leader/1",)),
    )


def test_a_person_without_the_wanted_channel_is_told_by_any_he_has_and_without_any_he_is_not_planned():
    base = a_directory("聚乐乡")
    people = {OFFICER: Person(OFFICER, "聚乐乡", ("im",)), LEADER: Person(LEADER, "聚乐乡", ())}
    d = District(Directory(DESK | people, base.posts, frozenset({"sms", "im"})))

    facts = d.post(an_alert("red", JULE))

    assert told(facts, ALERT).recipients == (Recipient(OFFICER, ("im",), ("聚乐乡/duty_officer/1",)),)


def test_only_whoever_answers_for_the_warned_area_is_told():
    d = District(villages())

    assert notified(d.post(an_alert("red", VILLAGE)), "alert") == {ALERT: ("塔儿村-head", OFFICER, LEADER)}


def test_a_village_that_an_update_adds_is_told_and_asked_although_its_township_was_warned_already():
    d = District(villages())
    d.post(an_alert("red", VILLAGE))

    facts = d.post(an_alert("red", VILLAGE, OTHER, version=2, time="02:20"))

    assert ("聚乐乡/responsible_person/2", ACK, "02:30") in opened(facts)
    assert ("聚乐乡/responsible_person/1", ACK, "02:30") not in opened(facts)
    assert notified(facts, "alert") == {
        "2.3.a/alert/2/red-new": ("山自造村-head",),
        "2.3.a/alert/2/red-same": ("塔儿村-head",),
        "2.3.a/alert/2/red-changed": (OFFICER, LEADER),
    }


def test_a_village_that_an_upgrade_leaves_is_told_the_all_clear_and_not_asked_again():
    d = District(villages())
    d.post(an_alert("red", VILLAGE))

    facts = d.post(an_alert("red", OTHER, version=2, time="02:20"))

    assert notified(facts, "all_clear") == {"2.3.a/all_clear/2/red-gone": ("塔儿村-head",)}
    assert "塔儿村-head" not in [p for ps in notified(facts, "alert").values() for p in ps]
    assert ("聚乐乡/responsible_person/1", ACK, "02:30") not in opened(facts)


def test_who_holds_posts_in_two_units_is_told_once_at_the_stronger_level_and_answers_for_both():
    base = a_directory("聚乐乡", "峰峪乡", roles=("duty_officer",))
    d = District(with_post(base, "峰峪乡", "liaison", OFFICER))

    facts = d.post(an_alert(zones={JULE: "red", FENGYU: "yellow"}))
    telling = told(facts, f"{ALERT}-1")
    assert telling.recipients == (
        Recipient(OFFICER, ("sms",), ("峰峪乡/liaison/1", "聚乐乡/duty_officer/1")),
    )
    assert telling.zones == (JULE, FENGYU)
    assert OFFICER not in {r.person for r in told(facts, ALERT).recipients}
    assert notified(facts)["2.3.a/alert/1/yellow-new"] == ("峰峪乡-duty_officer",)

    d.answer(OFFICER, at("02:14"))
    assert not d.share(ACK, "峰峪乡/liaison/1").open
    assert not d.share(ACK, "聚乐乡/duty_officer/1").open


def test_who_holds_a_post_where_the_warning_is_gone_and_one_it_never_touched_gets_the_all_clear():
    base = a_directory("聚乐乡", "峰峪乡", roles=("duty_officer",))
    d = District(with_post(base, "西坪镇", "liaison", OFFICER))
    d.post(an_alert("red", JULE, FENGYU))

    facts = d.post(an_alert("red", FENGYU, version=2, time="02:30"))

    assert notified(facts, "all_clear") == {"2.3.a/all_clear/2/red-gone": (OFFICER,)}


def test_lists_are_told_where_their_level_begins_and_cleared_everywhere_it_was():
    d = District(a_directory("聚乐乡"))

    first = told(d.post(an_alert("orange", JULE)), "2.3.a/alert/1/orange-new")
    second = d.post(an_alert(zones={JULE: "orange", FENGYU: "red"}, version=2, time="02:20"))
    down = told(d.post(an_alert("yellow", JULE, version=3, time="02:25")), "2.3.a/alert/3/yellow-down")
    end = d.post(an_alert("", version=4, time="02:30"))

    assert (first.lists, first.zones, first.channels) == (("schools", "sites"), (JULE,), ("sms",))
    fresh = told(second, "2.3.a/alert/2/red-new")
    assert (fresh.lists, fresh.zones) == (("public", "schools", "sites"), (FENGYU,))
    assert (down.lists, down.zones) == (("schools", "sites"), (JULE,))
    ends = [f for f in end if isinstance(f, Notified) and f.lists]
    assert [(f.lists, f.zones) for f in ends] == [
        (("public", "schools", "sites"), (FENGYU,)),
        (("schools", "sites"), (JULE,)),
    ], "nobody hears the end of what he was never told"


def test_a_list_in_a_zone_is_told_even_where_no_post_is_new():
    d = District(a_directory("聚乐乡"))
    d.post(an_alert("red", VILLAGE))

    facts = d.post(an_alert("red", VILLAGE, OTHER, version=2, time="02:20"))

    assert told(facts, "2.3.a/alert/2/red-new").zones == (OTHER,)
    assert told(facts, "2.3.a/alert/2/red-same").zones == (VILLAGE,)


def test_the_media_centre_gets_its_order_also_when_the_warning_ends():
    d = District(a_directory("聚乐乡", "media"))
    d.post(an_alert("red", JULE))

    facts = d.post(an_alert("", version=2, time="02:30"))

    assert notified(facts, "order") == {"2.4.3/media/2/red-gone": ("media-duty_officer",)}


def test_a_state_never_goes_back_and_counts_once():
    d = District(a_directory("聚乐乡"))
    d.post(an_alert("red", JULE))

    assert "reached" in kinds(d.reach(OFFICER, "read", at("02:14")))
    assert code(d.reach(OFFICER, "delivered", at("02:15"))) == ("N05", True)
    assert d.state().notices.people[OFFICER].reach == {ALERT: "read"}
    assert further("read", "delivered") == "read"


def test_the_unit_has_received_when_the_first_of_its_people_has_and_only_once_a_version():
    d = District(a_directory("聚乐乡"), only("2.3.a", "2.4.1"))
    d.post(an_alert("red", JULE))

    assert [f.__class__.__name__ for f in d.reach(OFFICER, "handed_over", at("02:14"))] == ["Reached"]
    assert [f.__class__.__name__ for f in d.reach(OFFICER, "delivered", at("02:15"))] == [
        "Reached",
        "UnitReceived",
    ]
    assert [f.__class__.__name__ for f in d.reach(LEADER, "delivered", at("02:16"))] == ["Reached"]
    assert d.state().received == {"聚乐乡": 1}


def test_who_is_told_for_another_unit_receives_for_that_unit_too():
    d = District(with_post(a_directory("聚乐乡"), "峰峪乡", "duty_officer", OFFICER))
    d.post(an_alert("red", JULE, FENGYU))

    d.reach(OFFICER, "delivered", at("02:15"))

    assert d.state().received == {"聚乐乡": 1, "峰峪乡": 1}


def test_an_answer_counts_for_its_version_or_an_earlier_one_never_for_a_later():
    d = District(a_directory("聚乐乡"))
    d.post(an_alert("yellow", JULE))
    d.post(an_alert("red", JULE, version=2, time="02:20"))

    d.answer(OFFICER, at("02:21"), version=1)
    assert d.share(ACK, "聚乐乡/duty_officer/1").open
    d.answer(OFFICER, at("02:22"), version=2)
    assert not d.share(ACK, "聚乐乡/duty_officer/1").open


def test_the_answer_to_an_update_signs_for_the_version_that_asked():
    d = District(a_directory("聚乐乡"))
    d.post(an_alert("red", JULE))
    d.post(an_alert("red", JULE, version=2, time="02:14"))

    d.answer(OFFICER, at("02:15"), version=2)

    assert not d.share(ACK, "聚乐乡/duty_officer/1").open


def test_who_once_stood_in_does_not_answer_for_the_post_when_a_newer_version_asks_again():
    d = District(with_post(a_directory("聚乐乡"), "聚乐乡", "liaison", "聚乐乡-deputy"))
    d.post(an_alert("yellow", JULE))
    d.wait(at("02:38"))
    assert "聚乐乡/duty_officer/1" in d.state().notices.people["聚乐乡-deputy"].holders
    d.post(an_alert("red", JULE, version=2, time="02:39"))

    d.answer("聚乐乡-deputy", at("02:40"), version=2)

    assert not d.share(ACK, "聚乐乡/liaison/1").open
    assert d.share(ACK, "聚乐乡/duty_officer/1").open


def test_a_second_answer_has_happened_already_and_a_strangers_counts_for_nothing():
    d = District(a_directory("聚乐乡"))
    d.post(an_alert("red", JULE))
    d.answer(OFFICER, at("02:14"))

    assert code(d.answer(OFFICER, at("02:15"))) == ("N04", True)
    assert code(d.answer("nobody", at("02:15"))) == ("N01", False)


def test_unreachable_and_listed_are_recorded_once():
    d = District(a_directory("聚乐乡"))
    d.post(an_alert("red", JULE))
    d.lose(OFFICER, at("02:14"), notice=ALERT)
    d.post(Tallied(INCIDENT, at("02:15"), ALERT, "sms", {"delivered": 1}))

    assert code(d.lose(OFFICER, at("02:15"), notice=ALERT)) == ("N02", True)
    assert code(d.lose("nobody", at("02:15"), notice=ALERT)) == ("N01", False)
    assert code(d.post(Tallied(INCIDENT, at("02:16"), ALERT, "sms", {}))) == ("N03", True)


@pytest.mark.parametrize(("why", "change"), [("address", "bounced"), ("disowned", "disowned")])
def test_a_dead_number_and_a_wrong_person_become_a_correction_task(why, change):
    d = District(a_directory("聚乐乡"))
    d.post(an_alert("red", JULE))

    facts = d.lose(OFFICER, at("02:14"), notice=ALERT, why=why)

    assert DirectoryChanged("district", at("02:14"), change, "聚乐乡", OFFICER) in facts
    assert ("聚乐乡", f"2.3.b/correct/{OFFICER}") in {o[:2] for o in opened(facts)}


def test_a_full_gateway_is_no_fault_of_the_directory():
    d = District(a_directory("聚乐乡"))
    d.post(an_alert("red", JULE))

    assert "directory_changed" not in kinds(d.lose(OFFICER, at("02:14"), notice=ALERT, why="refused"))


def test_who_says_not_mine_is_not_called_again_and_the_next_step_comes_at_once():
    d = District(a_directory("聚乐乡"))
    d.post(an_alert("red", JULE))

    facts = d.lose(OFFICER, at("02:14"), notice=ALERT, why="disowned")

    assert notified(facts, "call") == {f"call/{ALERT}/{OFFICER}": ("聚乐乡-deputy",)}
    d.answer("聚乐乡-deputy", at("02:15"))
    assert not d.share(ACK, "聚乐乡/duty_officer/1").open


def test_not_mine_counts_whichever_of_several_tellings_it_answers():
    d = District(a_directory("聚乐乡"))
    d.post(an_alert("red", JULE))
    d.wait(at("02:16"))

    facts = d.lose(OFFICER, at("02:17"), notice=ALERT, why="disowned")

    assert ("聚乐乡-deputy",) in notified(facts, "call").values()


def test_who_said_not_mine_by_mistake_may_still_answer():
    d = District(a_directory("聚乐乡"))
    d.post(an_alert("red", JULE))
    d.post(Exhausted(INCIDENT, at("02:14"), OFFICER, ALERT, "disowned"))
    d.post(Reached(INCIDENT, at("02:15"), OFFICER, ALERT, "sms", "acknowledged", 1))

    assert not d.share(ACK, "聚乐乡/duty_officer/1").open
    assert not d.state().notices.disowned


def test_who_reports_relaying_has_read_even_if_his_unit_had_reported_before():
    d = District(a_directory("聚乐乡"))
    d.post(an_alert("red", JULE))
    d.report("relay", "聚乐乡", at("02:14"), by=LEADER, version=1)
    assert not d.share(ACK, "聚乐乡/leader/1").open

    d.report("relay", "聚乐乡", at("02:15"), by=OFFICER, version=1)
    assert not d.share(ACK, "聚乐乡/duty_officer/1").open
    assert code(d.report("relay", "聚乐乡", at("02:16"), by=OFFICER, version=1)) == ("D03", True)


def test_a_version_is_published_when_every_channel_of_every_telling_is_listed_and_calls_do_not_count():
    d = District(a_directory("聚乐乡", "media", "meteorology"))
    d.post(an_alert("red", JULE))
    d.wait(at("02:16"))

    def listed(notice):
        d.post(Tallied(INCIDENT, at("02:17"), notice, "sms", {"delivered": 1}))
        return not d.share("2.3.a/publish", "meteorology").open

    call = next(k for k in d.state().notices.sent if k.startswith("call/"))
    assert [listed(n) for n in (call, ALERT, "2.4.3/media/1/red-new")] == [False, False, True]


def test_an_all_clear_on_the_dedicated_channel_goes_to_nobody_whose_order_never_left() -> None:
    district = District(a_population(120))
    district.post(an_alert("red"))
    officer = next(p.holder for p in district.directory.posts.values() if p.id == "media/duty_officer/1")

    district.post(an_alert("", version=2, time="03:00", withdrawn=[officer]))

    assert officer not in district.told(since=at("03:00"))
