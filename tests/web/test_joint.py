"""Joint products: each issuing unit signs with its own password before the weather office can send it out."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from fengsui.store.accounts import Draft
from fengsui.web import here
from tests.web.site import Site
from tests.web.test_issue import PASSWORD, alerts, seen, sign, submitted, trust

PAIR = "flash_flood_risk/orange"
"""Issued by the water office and the weather office."""


def joint(site: Site) -> Draft:
    return submitted(site, pair=PAIR)


def cosign(client: Client, draft: Draft, **more: Any) -> Any:
    fields = {"do": "cosign", "password": PASSWORD} | more
    return client.post(f"/issue/{draft.pk}", {"seen": more.get("seen") or seen(client, draft)} | fields)


def test_the_signer_has_no_button_until_the_other_unit_has_signed(quiet: Site) -> None:
    draft, signer = joint(quiet), trust(quiet, "signer")
    page = signer.get(f"/issue/{draft.pk}").content.decode()
    assert ("尚缺区水务局签发" in page, 'value="sign"' in page) == (True, False)

    fields = {"do": "sign", "seen": "x", "password": PASSWORD}
    answer = signer.post(f"/issue/{draft.pk}", fields)

    assert (answer.status_code, "W216" in answer.content.decode(), alerts(quiet)) == (409, True, [])


def test_two_units_sign_on_the_same_page_and_each_signature_is_kept(quiet: Site) -> None:
    draft, water, signer = joint(quiet), trust(quiet, "liaison"), trust(quiet, "signer")
    assert "联合签发" in water.get("/desk").content.decode()

    assert cosign(water, draft).status_code == 303
    assert "联合签发" not in water.get("/desk").content.decode()
    assert "已签" in signer.get(f"/issue/{draft.pk}").content.decode()
    assert alerts(quiet) == []
    assert sign(signer, draft).status_code == 303

    (fact,) = alerts(quiet)
    persons = quiet.account("liaison").person, quiet.account("signer").person
    assert fact.cosigners == {"water": persons[0]}
    rows = here.session().run("SELECT signer_person, mode FROM signature WHERE paper = ?", fact.paper)
    assert sorted(rows) == sorted((p, "") for p in persons)


def test_a_wrong_password_is_no_signature(quiet: Site) -> None:
    draft, water = joint(quiet), trust(quiet, "liaison")

    assert "W135" in cosign(water, draft, password="falsch").content.decode()

    assert "尚缺" in trust(quiet, "signer").get(f"/issue/{draft.pk}").content.decode()


@pytest.mark.parametrize("role", ["forecaster", "signer", "leader"])
def test_only_a_person_of_the_other_unit_signs_for_it(quiet: Site, role: str) -> None:
    draft = joint(quiet)

    answer = cosign(trust(quiet, role), draft, seen="x")

    assert (answer.status_code, "W215" in answer.content.decode()) == (403, True)


def test_another_units_liaison_sees_no_draft_that_is_not_his(quiet: Site) -> None:
    plain, draft, water = submitted(quiet), joint(quiet), trust(quiet, "liaison")

    assert water.get(f"/issue/{plain.pk}").status_code == 404
    account = quiet.account("liaison")
    account.unit = "forestry"
    account.save()
    assert water.get(f"/issue/{draft.pk}").status_code == 404


def test_what_was_changed_since_is_signed_anew_by_everybody(quiet: Site) -> None:
    draft, water = joint(quiet), trust(quiet, "liaison")
    assert cosign(water, draft).status_code == 303
    author = trust(quiet, "forecaster")
    author.post(f"/issue/{draft.pk}", {"do": "take"})

    again = submitted(quiet, pair=PAIR, form="token-2", cause="受低涡影响，")

    assert "尚缺区水务局签发" in trust(quiet, "signer").get(f"/issue/{again.pk}").content.decode()
