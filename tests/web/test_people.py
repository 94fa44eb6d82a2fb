"""People: masked unless asked for and kept; one form is one edit; what is missing stands first; a number can be tested."""

from __future__ import annotations

import re
import threading

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from fengsui.core.facts import DirectoryChanged, DutyOpened, Reached, Tried
from fengsui.core.state import DISTRICT
from fengsui.store import people, pins, roster
from fengsui.store.accounts import Account
from fengsui.store.people import Contact, Edit, Human
from fengsui.store.sql import Session
from fengsui.web import audit, written
from fengsui.web.written import Written
from tests.web.site import JULE, Site

POST = f"{JULE}/duty_officer/1"


@pytest.fixture
def reading():
    session = Session()
    yield session
    session.close()


def text(answer, status=200):
    assert answer.status_code == status, (answer.status_code, answer.content.decode()[-800:])
    return answer.content.decode()


def one(at: Site, reading, post=POST):
    return roster.everyone(reading, at.house.vault, at.holder(post))[0]


def form(at: Site, id_, role="administrator"):
    """The fields of the edit form as a browser would send them back untouched."""
    page = text(at.client(role).get(f"/people/{id_}/edit"))
    fields = dict(re.findall(r'<input type="hidden" name="(form|seen)" value="([^"]*)"', page))
    fields["name"] = re.search(r'name="name" value="([^"]*)"', page)[1]
    fields["unit"] = re.search(r'<option value="([^"]*)" selected', page)[1]
    for box in ("holds", "stands"):
        fields[box] = re.findall(rf'name="{box}" value="([^"]*)" checked', page)
    return fields


def test_numbers_are_masked_everywhere_until_somebody_asks_for_one(quiet, reading):
    number = one(quiet, reading).ways[0].value
    id_ = quiet.holder(POST)
    pages = [
        f"/people?q={JULE}",
        f"/people/{id_}",
        f"/people/{id_}/edit",
        "/people/table.csv",
        f"/posts/{POST}",
    ]

    for path in pages:
        assert number not in text(quiet.client("administrator").get(path)), path

    assert number in text(quiet.client("administrator").post(f"/people/{id_}/number"))


def test_each_look_is_kept_and_listed_for_the_administrator(quiet):
    id_ = quiet.holder(POST)
    quiet.client("clerk").post(f"/people/{id_}/number")
    quiet.client("clerk").get("/people/table.csv?whole=1")

    found = audit.looks()
    assert [(n.account, len(n.of), n.reason) for n in found][1] == ("clerk", 1, "查看责任人号码")
    assert found[0].reason == "导出名册（完整号码）"
    assert "聚乐乡值班员" in text(quiet.client("administrator").get("/accounts/looks"))


def test_a_township_sees_and_keeps_its_own_people_only(quiet):
    client = quiet.client("township")

    page = text(client.get("/people"))
    assert JULE in page
    assert "峰峪乡" not in page
    foreign = quiet.holder("water/duty_officer/1")
    for path in (f"/people/{foreign}", f"/people/{foreign}/edit", "/posts/water/duty_officer/1"):
        assert client.get(path).status_code == 404
    assert "W142" in text(
        client.post("/people/new", {"name": "张三", "unit": "water", "value-0": "10000000001"}), 400
    )


def test_an_edit_keeps_what_it_does_not_show_and_is_recorded_with_its_fact(quiet, reading):
    before = one(quiet, reading)
    fields = form(quiet, before.id) | {
        "name": "赵新",
        "channel-0": "sms",
        "value-0": "10099999999",
        "check-new-0": "1",
    }

    answer = quiet.client("administrator").post(f"/people/{before.id}/edit", fields)

    assert answer["Location"] == f"/people/{before.id}?done=saved"
    after = one(quiet, reading)
    assert after.name == "赵新"
    assert [w.value for w in after.ways] == [before.ways[0].value, "10099999999"]
    assert [bool(w.verified_at) for w in after.ways] == [False, True]
    assert quiet.facts(DirectoryChanged)[-1].change == "corrected"
    assert quiet.holder(POST) == before.id, "posts that were ticked stay"


def test_a_form_that_changes_nothing_records_nothing(quiet):
    id_ = quiet.holder(POST)
    count = len(quiet.facts())

    assert (
        quiet.client("administrator")
        .post(f"/people/{id_}/edit", form(quiet, id_))["Location"]
        .endswith("same")
    )
    assert len(quiet.facts()) == count


def test_nobody_overwrites_what_he_has_not_seen(quiet, reading):
    id_ = quiet.holder(POST)
    stale = form(quiet, id_) | {"name": "甲"}
    quiet.client("administrator").post(f"/people/{id_}/edit", form(quiet, id_) | {"name": "乙"})

    page = text(quiet.client("administrator").post(f"/people/{id_}/edit", stale), 409)

    assert "W140" in page
    assert one(quiet, reading).name == "乙"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"name": "张3"}, "W141"),
        ({"value-0": "1234"}, "W145"),
        ({"drop-0": "1"}, "W144"),
        ({"channel-0": "email", "value-0": "王五"}, "W145"),
    ],
)
def test_what_is_wrong_is_said_at_the_field_and_what_was_typed_stays(quiet, given, code):
    id_ = quiet.holder(POST)

    page = text(quiet.client("administrator").post(f"/people/{id_}/edit", form(quiet, id_) | given), 400)

    assert code in page
    for value in given.values():
        assert value in page


def test_a_double_click_adds_a_person_once(quiet, reading):
    fields = {"form": "token-1", "name": "周全", "unit": JULE, "channel-0": "sms", "value-0": "10088888888"}
    for _ in range(2):
        assert quiet.client("administrator").post("/people/new", fields).status_code == 302

    assert len([e for e in roster.everyone(reading, quiet.house.vault) if e.name == "周全"]) == 1


def test_whoever_leaves_leaves_his_posts_vacant_and_his_unit_a_duty(quiet, reading):
    id_ = quiet.holder(POST)

    assert quiet.client("administrator").post(f"/people/{id_}/depart", {"form": "f"})["Location"] == "/people"

    assert quiet.holder(POST) == ""
    assert roster.everyone(reading, quiet.house.vault, id_) == []
    assert [f.key for f in quiet.facts(DutyOpened)] == [f"2.3.b/correct/{id_}"]
    page = text(quiet.client("administrator").get("/people"))
    assert page.index("空缺 1 个岗位") < page.index("<table")
    assert f"/posts/{POST}" in page.replace("%E8%81%9A%E4%B9%90%E4%B9%A1", JULE)


def test_whoever_leaves_can_neither_log_in_nor_sign_nor_decide_any_more(quiet):
    account, browser, clerk = quiet.account("signer"), quiet.client("signer"), quiet.client("clerk")
    pins.put(account.person, "4071")
    draft = Written(hazard="rainstorm", zones={JULE: "red"}, series="test")
    assert browser.get("/desk").status_code == 200
    assert written.may_sign(account, draft)
    assert account.username in text(clerk.get(f"/people/{account.person}/depart"))

    clerk.post(f"/people/{account.person}/depart", {"form": "f"})

    account.refresh_from_db()
    assert not account.active
    assert browser.get("/desk").status_code == 302
    assert not pins.known(account.person)
    assert (written.may_sign(account, draft), written.may_write(account)) == (False, False)
    assert [(n.about, n.what) for n in audit.notes("account")] == [(account.username, "关闭（离任）")]
    with pytest.raises(AssertionError, match="A17"):
        quiet.issue(author=quiet.account("forecaster").person, signer=account.person)


def test_the_second_click_on_leaving_closes_what_the_first_has_left_open(quiet):
    account, clerk = quiet.account("signer"), quiet.client("clerk")
    for _ in range(2):
        Account.objects.filter(pk=account.pk).update(active=True)  # as if the first click had broken off
        clerk.post(f"/people/{account.person}/depart", {"form": "f"})

    account.refresh_from_db()
    assert not account.active
    assert len(quiet.facts(DirectoryChanged)) == 1


def test_a_form_of_one_who_has_left_closes_nobody_elses_account(quiet):
    other, clerk = quiet.account("signer"), quiet.client("clerk")
    clerk.post(f"/people/{quiet.holder(POST)}/depart", {"form": "f"})
    clerk.post(f"/people/{other.person}/depart", {"form": "f"})

    other.refresh_from_db()
    assert other.active


def test_the_last_administrator_does_not_leave_before_there_is_another(quiet):
    account, person = quiet.account("administrator"), quiet.holder(POST)
    Account.objects.filter(pk=account.pk).update(person=person)
    quiet.client("administrator")

    assert "W169" in text(quiet.client("clerk").post(f"/people/{person}/depart", {"form": "f"}))

    assert quiet.holder(POST) == person
    account.refresh_from_db()
    assert account.active


def test_units_that_nobody_can_reach_stand_first(quiet):
    page = text(quiet.client("administrator").get("/people"))

    assert "西坪镇人民政府<small>未设岗位" in page
    assert page.index("联系不上") < page.index("<table")


def test_a_post_is_given_to_somebody_of_its_unit_and_not_twice(quiet):
    before, other = quiet.holder(POST), quiet.holder(f"{JULE}/leader/1")
    client = quiet.client("administrator")
    page = text(client.get(f"/posts/{POST}"))
    seen = re.search(r'name="seen" value="([^"]*)"', page)[1]

    fields = {"seen": seen, "form": "p1", "holder": other}
    assert "W148" in text(client.post(f"/posts/{POST}", fields | {"deputy": other}), 400)
    stranger = quiet.holder("water/duty_officer/1")
    assert "W147" in text(client.post(f"/posts/{POST}", fields | {"holder": stranger}), 400)
    assert client.post(f"/posts/{POST}", fields | {"deputy": before})["Location"] == "/people"

    assert quiet.holder(POST) == other
    assert "W146" in text(client.post(f"/posts/{POST}", fields | {"form": "p2"}), 400)


def test_a_deputy_who_rises_to_the_post_is_no_longer_his_own_deputy(quiet):
    post = quiet.house.writer.world.directory.posts[POST]
    assert post.deputy not in ("", post.holder)
    fields = form(quiet, post.deputy)
    fields["holds"] += [POST]
    assert POST in fields["stands"]

    answer = quiet.client("administrator").post(f"/people/{post.deputy}/edit", fields)

    assert answer["Location"].endswith("done=saved")
    after = quiet.house.writer.world.directory.posts[POST]
    assert (after.holder, after.deputy) == (post.deputy, "")


def test_nobody_becomes_the_deputy_of_a_post_that_he_holds(quiet):
    before = quiet.house.writer.world.directory.posts[POST]
    fields = form(quiet, before.holder)
    fields["stands"] += [POST]

    assert "W148" in text(quiet.client("administrator").post(f"/people/{before.holder}/edit", fields), 400)

    assert quiet.house.writer.world.directory.posts[POST] == before


def test_a_test_message_goes_out_and_what_became_of_it_is_shown(quiet):
    id_ = quiet.holder(POST)
    client = quiet.client("administrator")

    assert client.post(f"/people/{id_}/test", {"form": "t1"})["Location"] == f"/people/{id_}/test"
    quiet.calm()
    assert "已交网关，等待回执" in text(client.get(f"/people/{id_}/test"))
    quiet.deliver()
    assert "已送达，本人未回复" in text(client.get(f"/people/{id_}/test"))
    quiet.post(Reached(DISTRICT, quiet.now, id_, "", "sms", "acknowledged", 1))
    assert "本人已回复" in text(client.get(f"/people/{id_}/test"))

    assert [f.person for f in quiet.facts(Tried)] == [id_]
    body = quiet.way.sent[-1][1].parts[0][2]
    assert body.startswith("【云州气象】【模拟】通信试验")


def test_why_nobody_is_tested_is_said_where_one_is(busy):
    silent = busy.holder("峰峪乡/responsible_person/1")

    page = text(busy.client("administrator").post(f"/people/{silent}/test", {"form": "t2"}))

    assert "N08" in page


def test_a_dead_number_stays_dead_until_it_is_confirmed(quiet, reading):
    before = one(quiet, reading)
    with reading.transaction():
        reading.run("UPDATE address SET state = 'dead' WHERE person = ?", before.id)
        kept = tuple(Contact(w.channel, w.value, w.rank) for w in before.ways)
        people.apply(reading, quiet.house.vault, Edit(people=(Human(before.id, before.unit, "赵改", kept),)))
    assert one(quiet, reading).ways[0].dead

    quiet.client("administrator").post(f"/people/{before.id}/edit", form(quiet, before.id) | {"check-0": "1"})

    assert not one(quiet, reading).ways[0].dead


def test_the_list_asks_the_database_as_often_for_many_as_for_few(quiet, monkeypatch):
    asked, here = [], threading.get_ident()
    run = Session.run

    def counted(self, sql, *values):
        if threading.get_ident() == here:  # the writer has a thread of its own
            asked.append(sql)
        return run(self, sql, *values)

    monkeypatch.setattr(Session, "run", counted)
    client = quiet.client("administrator")
    client.get("/people")

    def count(path):
        asked.clear()
        with CaptureQueriesContext(connections["desk"]) as orm:
            text(client.get(path))
        return len(asked) + len(orm)

    assert count("/people?q=聚乐乡") == count("/people?q=区水务局") == count("/people")
