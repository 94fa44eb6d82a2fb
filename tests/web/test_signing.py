"""Signing: whoever signs proves that it is he, by what the level asks for, and means it."""

from __future__ import annotations

from collections.abc import Iterator

import pyotp
import pytest
from django.test import Client
from msgspec import structs

from fengsui.store.accounts import Attempt, Draft
from fengsui.web import guard, here, signing, written
from fengsui.web.written import Written
from tests.conftest import Database
from tests.flow.ways import Way
from tests.web.site import INCIDENT, Site, site
from tests.web.test_correct import alone
from tests.web.test_issue import (
    FENGYU,
    JULE,
    PASSWORD,
    alerts,
    change,
    form,
    seen,
    sign,
    submitted,
    trust,
)

SECRET = pyotp.random_base32()


@pytest.fixture
def earnest(place: Database) -> Iterator[Site]:
    """A running house in earnest, in which nothing has happened."""
    with site(place, ways=[Way(accepts=("actual",))], series="actual") as made:
        yield made


def enrolled(at: Site, role: str = "signer") -> str:
    """Turn one-time codes on for a role; the one that is right now."""
    account = at.account(role)
    account.totp = here.house().vault.encrypt(SECRET, "totp")
    account.save()
    return pyotp.TOTP(SECRET).now()


@pytest.mark.parametrize("level", ["orange", "red"])
def test_a_signer_without_codes_is_told_where_to_turn_them_on_and_the_draft_waits(
    earnest: Site, level: str
) -> None:
    draft, client = submitted(earnest, pair=f"rainstorm/{level}"), trust(earnest, "signer")
    page = client.get(f"/issue/{draft.pk}").content.decode()
    assert ("W210" in page, 'href="/own"' in page) == (True, True)

    answer = sign(client, draft)

    assert (answer.status_code, "W210" in answer.content.decode(), alerts(earnest)) == (403, True, [])
    draft.refresh_from_db()
    assert draft.state == "submitted"
    assert sign(client, draft, code=enrolled(earnest)).status_code == 303
    assert alerts(earnest)[0].series == "actual"


@pytest.mark.parametrize("level", ["blue", "yellow"])
def test_lesser_levels_ask_for_the_password_alone(earnest: Site, level: str) -> None:
    draft = submitted(earnest, pair=f"rainstorm/{level}")

    assert sign(trust(earnest, "signer"), draft).status_code == 303


def test_whoever_has_codes_gives_one_everywhere_and_a_wrong_one_counts_as_at_the_door(quiet: Site) -> None:
    draft, client, code = submitted(quiet, pair="rainstorm/yellow"), trust(quiet, "signer"), enrolled(quiet)
    assert 'name="code"' in client.get(f"/issue/{draft.pk}").content.decode()

    for given in ("", "12345", "没有"):
        assert "W135" in sign(client, draft, code=given).content.decode()

    assert (Attempt.objects.count(), alerts(quiet)) == (3, [])
    assert sign(client, draft, code=code).status_code == 303


def test_nobody_at_the_door_keeps_a_signer_from_signing(quiet: Site) -> None:
    draft, client, name = submitted(quiet, pair="rainstorm/yellow"), trust(quiet, "signer"), "signer"
    for address in ("10.9.9.9", "127.0.0.1"):
        for _ in range(guard.TRIES):
            Client(REMOTE_ADDR=address).post("/login", {"username": name, "password": "x"})
    assert guard.locked(name, "127.0.0.1")

    assert sign(client, draft).status_code == 303


def test_wrong_ones_of_a_session_lock_that_session_for_a_while(quiet: Site) -> None:
    draft, client = submitted(quiet, pair="rainstorm/yellow"), trust(quiet, "signer")
    for _ in range(guard.TRIES):
        assert "W135" in sign(client, draft, password="错").content.decode()
    assert "W040" in sign(client, draft).content.decode()

    quiet.house.clock.jump(quiet.now + guard.WINDOW)

    assert sign(client, draft).status_code == 303


@pytest.mark.parametrize("said", ["", "红", "橙色"])
def test_red_is_signed_only_with_its_name_typed(quiet: Site, said: str) -> None:
    draft, client = submitted(quiet), trust(quiet, "signer")

    answer = sign(client, draft, typed=said)

    assert (answer.status_code, "W211" in answer.content.decode(), alerts(quiet)) == (403, True, [])
    assert not Attempt.objects.exists()


def test_orange_asks_for_no_typing(quiet: Site) -> None:
    draft, client = submitted(quiet, pair="rainstorm/orange"), trust(quiet, "signer")
    assert 'name="typed"' not in client.get(f"/issue/{draft.pk}").content.decode()

    assert sign(client, draft, typed="").status_code == 303


def test_the_page_says_whether_it_is_in_earnest(earnest: Site) -> None:
    draft = submitted(earnest)

    page = trust(earnest, "signer").get(f"/issue/{draft.pk}").content.decode()

    assert "实战：签发后立即发往真实渠道" in page
    button = page.split('value="sign"')[1].split("</button>")[0]
    assert "【" not in button
    assert "签发：短信 " in button


def test_nobody_is_kept_from_taking_back_by_a_code_he_has_not(earnest: Site) -> None:
    earnest.issue(series="actual")
    earnest.calm()

    assert alone(earnest).status_code == 303

    assert not earnest.state(INCIDENT).alert.holds


@pytest.mark.parametrize(
    ("verb", "levels"),
    [("downgrade", {JULE: "blue", FENGYU: "blue"}), ("change", {JULE: "red", FENGYU: ""}), ("change", {JULE: "blue"})],
)  # fmt: skip
def test_lowering_red_and_leaving_a_red_place_out_ask_for_the_code_as_red_does(
    earnest: Site, verb: str, levels: dict[str, str]
) -> None:
    earnest.issue(series="actual")
    earnest.calm()
    fields = change(earnest, **levels) | {"verb": verb}
    fields |= {f"forecast-{level}": "预计未来3小时有雨。" for level in levels.values()}
    answer = trust(earnest, "forecaster").post(f"/issue/{INCIDENT}/{verb}", fields)
    assert answer.status_code == 303, answer.content.decode()
    draft, client = Draft.objects.get(), trust(earnest, "signer")

    assert "W210" in sign(client, draft).content.decode()
    assert earnest.state(INCIDENT).alert.version == 1
    assert sign(client, draft, code=enrolled(earnest)).status_code == 303

    assert earnest.state(INCIDENT).alert.version == 2, "what lowers red does not wait"


def test_whoever_may_not_sign_red_does_not_lift_it_by_naming_blue(
    quiet: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet.issue()
    rights = here.pack().rights
    pack = structs.replace(
        here.pack(), rights=structs.replace(rights, sign={**rights.sign, "red": ("leader",)})
    )
    monkeypatch.setattr(here, "pack", lambda: pack)
    signer = quiet.account("signer")

    lowered = Written(hazard="rainstorm", zones={JULE: "blue"}, stream=INCIDENT)
    assert (written.may_sign(signer, lowered), lowered.level) == (False, "blue")
    assert written.may_sign(signer, Written(hazard="rainstorm", zones={JULE: "blue"}))


def test_whoever_wrote_it_does_not_sign_it_after_another_has_taken_it_over(quiet: Site) -> None:
    writer, colleague = trust(quiet, "signer"), trust(quiet, "forecaster")
    writer.post("/issue/preview", form(quiet))
    assert colleague.post(f"/issue/{Draft.objects.get().pk}/take").status_code == 303
    colleague.post("/issue", form(quiet, form="token-2"))
    draft = Draft.objects.get()
    page = writer.get(f"/issue/{draft.pk}").content.decode()
    assert ('value="sign"' in page, "您写过这份稿件" in page) == (False, True)
    assert f"/issue/{draft.pk}" not in writer.get("/desk").content.decode()

    fields = {"do": "sign", "seen": signing.seen(draft), "password": PASSWORD, "typed": "红色"}
    answer = writer.post(f"/issue/{draft.pk}", fields)

    assert (answer.status_code, "W129" in answer.content.decode(), alerts(quiet)) == (403, True, [])


def test_whoever_wrote_a_joint_product_signs_it_for_no_unit(quiet: Site) -> None:
    draft, water = submitted(quiet, pair="flash_flood_risk/orange"), trust(quiet, "liaison")
    held = structs.replace(written.load(draft), held=((quiet.account("liaison").person, quiet.now),))
    Draft.objects.filter(pk=draft.pk).update(body=written.dump(held))
    draft.refresh_from_db()
    assert 'value="cosign"' not in water.get(f"/issue/{draft.pk}").content.decode()

    fields = {"do": "cosign", "seen": signing.seen(draft), "password": PASSWORD}
    answer = water.post(f"/issue/{draft.pk}", fields)

    assert (answer.status_code, "W129" in answer.content.decode()) == (403, True)
    assert not written.load(Draft.objects.get(pk=draft.pk)).cosigners


def test_in_an_emergency_red_still_asks_for_the_code(earnest: Site) -> None:
    draft, author = submitted(earnest), trust(earnest, "forecaster")
    fields = {"do": "emergency", "seen": seen(author, draft), "typed": "红色", "reason": "签发人三次未接"}
    fields["password"] = PASSWORD

    assert "W210" in author.post(f"/issue/{draft.pk}", fields).content.decode()
    fields["code"] = enrolled(earnest, "forecaster")
    assert author.post(f"/issue/{draft.pk}", fields).status_code == 303
