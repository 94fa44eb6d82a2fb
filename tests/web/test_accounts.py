"""Accounts: a password is shown once and must be changed; nobody locks himself out; one administrator always remains."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from fengsui.store.accounts import Account, Attempt
from fengsui.web import audit, guard
from tests.web.site import Site


def text(answer, status=200):
    assert answer.status_code == status, (answer.status_code, answer.content.decode()[-800:])
    return answer.content.decode()


def fields(**more):
    return {"username": "wang", "name": "王一", "role": "clerk", "unit": "", "person": ""} | more


def created(at: Site, **more) -> str:
    page = text(at.client("administrator").post("/accounts/new", fields(**more)))
    return re.search(r"<code>([^<]+)</code>", page)[1]


def login(username: str, password: str) -> tuple[Client, str]:
    client = Client()
    answer = client.post("/login", {"username": username, "password": password})
    return client, answer.get("Location", str(answer.status_code))


def test_a_new_account_gets_a_password_that_is_shown_once_and_must_be_changed(quiet):
    password = created(quiet)
    account = Account.objects.get(username="wang")

    assert password not in text(quiet.client("administrator").get(f"/accounts/{account.pk}"))
    client, to = login("wang", password)
    assert to == "/"
    assert client.get("/people")["Location"] == "/own"
    text(
        client.post("/own", {"old": password, "new": "每天清晨六点半就起床", "again": "每天清晨六点半就起床"})
    )
    assert client.get("/people").status_code == 200


def test_a_name_is_locked_where_it_failed_and_everywhere_only_after_very_many(quiet):
    for _ in range(guard.TRIES):
        Client(REMOTE_ADDR="10.9.9.9").post("/login", {"username": "wang", "password": "x"})
    assert (guard.locked("wang", "10.9.9.9"), guard.locked("wang", "10.0.0.7")) == (True, False)

    more = range(guard.NAME_TRIES - guard.TRIES)
    Attempt.objects.bulk_create(
        Attempt(username="wang", client=f"10.8.{n // 250}.{n % 250}", at=quiet.now) for n in more
    )

    assert guard.locked("wang", "10.0.0.7")
    assert not guard.locked("li", "10.0.0.7")


def test_a_reset_ends_every_session_and_lifts_the_lock(quiet):
    created(quiet)
    account = Account.objects.get(username="wang")
    guard.set_password(account, "一个可以用的口令")
    inside, _ = login("wang", "一个可以用的口令")
    for _ in range(guard.TRIES):
        login("wang", "错")
    assert "锁定中" in text(quiet.client("administrator").get("/accounts/failures"))

    page = text(quiet.client("administrator").post(f"/accounts/{account.pk}/reset"))

    assert inside.get("/people")["Location"].startswith("/login")
    assert not Attempt.objects.filter(username="wang").exists()
    assert login("wang", re.search(r"<code>([^<]+)</code>", page)[1])[1] == "/"


def test_nobody_closes_himself_and_one_administrator_always_remains(quiet):
    client, me = quiet.client("administrator"), quiet.account("administrator")
    assert "W161" in text(client.post(f"/accounts/{me.pk}/close"), 400)
    mine = {"name": "我", "role": "clerk", "unit": "", "person": ""}
    assert "W161" in text(client.post(f"/accounts/{me.pk}", mine), 400)

    created(quiet, role="administrator")
    other = Account.objects.get(username="wang")
    assert client.post(f"/accounts/{other.pk}/close").status_code == 302
    Account.objects.filter(pk=other.pk).update(active=True)
    Account.objects.filter(pk=me.pk).update(role="forecaster")
    assert quiet.client("administrator").post(f"/accounts/{other.pk}/close").status_code == 403, (
        "no administrator any more"
    )
    Account.objects.filter(pk=me.pk).update(role="administrator", active=True)
    Account.objects.filter(pk=other.pk).update(active=False)
    assert client.post(f"/accounts/{other.pk}", fields(role="clerk")).status_code == 302, (
        "closed ones may change"
    )


def test_a_closed_account_is_out_and_may_come_back(quiet):
    password = created(quiet)
    account = Account.objects.get(username="wang")
    inside, _ = login("wang", password)

    quiet.client("administrator").post(f"/accounts/{account.pk}/close")
    assert inside.get("/own")["Location"].startswith("/login")
    assert login("wang", password)[1] == "403"

    quiet.client("administrator").post(f"/accounts/{account.pk}/open")
    assert login("wang", password)[1] == "/"


def test_one_time_codes_are_removed_for_whoever_lost_his_phone(quiet):
    password = created(quiet)
    account = Account.objects.get(username="wang")
    Account.objects.filter(pk=account.pk).update(
        totp=quiet.house.vault.encrypt("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "totp")
    )
    assert login("wang", password)[1] == "403"

    quiet.client("administrator").post(f"/accounts/{account.pk}/totp")

    assert login("wang", password)[1] == "/"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"username": "w"}, "W162"),
        ({"username": "王一"}, "W162"),
        ({"username": "administrator"}, "W163"),
        ({"role": "king"}, "W164"),
        ({"unit": "none"}, "W165"),
        ({"role": "township"}, "W166"),
        ({"person": "p-none"}, "W167"),
    ],
)
def test_what_is_wrong_is_said_at_the_field_and_nothing_is_made(quiet, given, code):
    quiet.client("administrator")
    count = Account.objects.count()

    page = text(quiet.client("administrator").post("/accounts/new", fields(**given)), 400)

    assert code in page
    assert 'value="王一"' in page
    assert Account.objects.count() == count


def test_an_account_acts_for_a_person_of_its_own_unit(quiet):
    person = quiet.holder("water/duty_officer/1")
    page = text(quiet.client("administrator").get(f"/accounts/new?person={person}"))
    assert f'name="person" value="{person}"' in page

    wrong = text(
        quiet.client("administrator").post("/accounts/new", fields(unit="media", person=person)), 400
    )
    assert "W168" in wrong
    created(quiet, role="liaison", unit="water", person=person)


def test_what_is_done_to_accounts_is_kept(quiet):
    created(quiet)
    account = Account.objects.get(username="wang")
    client = quiet.client("administrator")
    client.post(f"/accounts/{account.pk}", {"name": "王一", "role": "leader", "unit": "", "person": ""})
    client.post(f"/accounts/{account.pk}/close")

    said = [(n.account, n.about, n.what) for n in audit.notes("account")]
    assert set(said) == {
        ("administrator", "wang", "新建（指挥部办公室）"),
        ("administrator", "wang", "改角色（指挥部办公室→区领导）"),
        ("administrator", "wang", "关闭"),
    }
    assert "改角色（指挥部办公室→区领导）" in text(client.get("/accounts/deeds"))
