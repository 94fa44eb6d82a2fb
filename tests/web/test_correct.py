"""Correcting: what was wrong is taken back or put right by one person at once, for exactly those who were told."""

from __future__ import annotations

from typing import Any

import pytest

from fengsui.core.facts import DutyOpened, Notified
from fengsui.store.accounts import Draft
from fengsui.web import here, written
from tests.web.site import INCIDENT, Site
from tests.web.test_issue import FENGYU, JULE, PASSWORD, XUBAO, sign, trust

PAGE = f"/issue/{INCIDENT}/correct"
ALONE = {"form": "token-w", "choice": "withdraw", "do": "alone", "replaces": "1", "cause": "系误发，"}


def alone(site: Site, role: str = "forecaster", **more: Any) -> Any:
    return trust(site, role).post(PAGE, ALONE | {"reason": "点错", "password": PASSWORD} | more)


def right(site: Site, **more: Any) -> dict[str, Any]:
    """The other choice as its form says it. Zones: at-<area>."""
    fields = {"form": "token-r", "choice": "right", "do": "check", "replaces": "1", "cause": "预警区域有误，"}
    fields |= {
        "forecast": "预计未来3小时降雨量将达100毫米以上。",
        "expires": written.local(site.now + 3600 * 1_000_000),
    }
    return fields | {f"at-{area.strip('_')}": level for area, level in more.items()}


def told(site: Site, version: int) -> set[str]:
    return {r.person for n in site.facts(Notified) if n.version == version for r in n.recipients}


def test_one_person_takes_back_at_once_and_exactly_those_who_were_told_are_told(quiet: Site) -> None:
    quiet.issue()
    quiet.calm()
    before = {h.to for _, h in quiet.way.sent}
    count = len(quiet.way.sent)

    answer = alone(quiet)
    quiet.calm()

    assert answer.status_code == 303, answer.content.decode()
    alert = quiet.state().alert
    assert (alert.version, alert.action, alert.holds) == (2, "correct", False)
    assert {h.to for _, h in quiet.way.sent[count:]} == before
    assert told(quiet, 2) == told(quiet, 1)
    assert all("有误，予以撤回，系误发，" in said(h) for _, h in quiet.way.sent[count:] if "更正" in said(h))
    ((mode, reason),) = here.session().run("SELECT mode, reason FROM signature WHERE mode <> ''")
    assert (mode, written.paper(reason).decode()) == ("retraction", "点错")
    assert "2.3.a/review" in {f.key for f in quiet.facts(DutyOpened)}


def said(handover: Any) -> str:
    return "".join(text for _, _, text in handover.parts)


def test_the_correction_is_ready_with_its_words_and_numbers_when_the_page_opens(quiet: Site) -> None:
    quiet.issue()
    quiet.calm()

    page = trust(quiet, "forecaster").get(PAGE).content.decode()

    assert "更正：2时13分发布的暴雨红色预警信号有误，予以撤回，系误发，" in page
    assert f"【模拟】撤回：短信 {len({h.to for _, h in quiet.way.sent})} 人" in page


@pytest.mark.parametrize(
    ("wrong", "code", "status"),
    [
        ({"password": "falsch"}, "W135", 422),
        ({"reason": " "}, "W213", 422),
        ({"cause": "系误发"}, "W123", 422),
        ({"replaces": "0"}, "A01", 422),
    ],
)
def test_nothing_goes_out_without_password_reason_and_the_version_that_was_seen(
    quiet: Site, wrong: dict[str, Any], code: str, status: int
) -> None:
    quiet.issue()

    answer = alone(quiet, **wrong)

    assert (answer.status_code, code in answer.content.decode()) == (status, True)
    assert quiet.state().alert.version == 1
    assert not Draft.objects.exists()


def test_a_double_click_is_one_correction(quiet: Site) -> None:
    quiet.issue()

    first, again = alone(quiet), alone(quiet)

    assert first["Location"] == again["Location"]
    assert quiet.state().alert.version == 2


def test_taking_back_an_upgrade_leaves_what_held_before(quiet: Site) -> None:
    quiet.issue(1, "orange")
    expires = quiet.state().alert.expires
    quiet.issue(2, "red")
    quiet.calm()

    assert alone(quiet, replaces="2").status_code == 303

    alert = quiet.state().alert
    assert (set(alert.now.zones.values()), alert.expires) == ({"orange"}, expires)


def test_a_wrong_end_is_mended_by_two_persons(quiet: Site) -> None:
    quiet.issue()
    quiet.issue(2, "")
    assert "A13" in alone(quiet, replaces="2").content.decode()

    draft = handed_in(alone(quiet, do="submit", replaces="2"))
    assert sign(trust(quiet, "signer"), draft).status_code == 303

    assert set(quiet.state().alert.now.zones.values()) == {"red"}


def handed_in(answer: Any) -> Draft:
    assert answer.status_code == 303, answer.content.decode()
    return Draft.objects.get(pk=int(answer["Location"].rsplit("/", 1)[1]))


def test_narrowing_is_looked_at_once_and_then_goes_out_by_one_person(quiet: Site) -> None:
    quiet.issue()
    quiet.calm()
    client, fields = trust(quiet, "forecaster"), right(quiet, **{f"_{JULE}": "red"})

    page = client.post(PAGE, fields).content.decode()
    checked = page.split('name="checked" value="')[1].split('"')[0]
    proof = {"do": "alone", "checked": checked, "reason": "峰峪乡选错", "password": PASSWORD}
    other = client.post(PAGE, fields | proof | {f"at-{JULE}": "orange"})
    assert ("W212" in other.content.decode(), quiet.state().alert.version) == (True, 1)
    assert client.post(PAGE, fields | proof).status_code == 303

    quiet.calm()
    assert quiet.state().alert.now.zones == {JULE: "red"}
    assert told(quiet, 2) == told(quiet, 1)


def test_widening_is_never_one_persons_and_goes_to_the_signer_like_any_draft(quiet: Site) -> None:
    quiet.issue()
    client = trust(quiet, "forecaster")
    fields = right(quiet, **{f"_{JULE}": "red", f"_{FENGYU}": "red", f"_{XUBAO}": "red"})
    page = client.post(PAGE, fields).content.decode()
    fields["checked"] = page.split('name="checked" value="')[1].split('"')[0]
    assert "须由另一人签发" in page
    assert "A13" in client.post(PAGE, fields | {"do": "alone", "reason": "漏选"}).content.decode()

    draft = handed_in(client.post(PAGE, fields | {"do": "submit"}))
    page = trust(quiet, "signer").get(f"/issue/{draft.pk}").content.decode()
    assert "签发更正" in page
    assert sign(trust(quiet, "signer"), draft).status_code == 303

    assert quiet.state().alert.now.zones == {JULE: "red", FENGYU: "red", XUBAO: "red"}
    assert quiet.state().alert.action == "correct"


@pytest.mark.parametrize("renewed", [False, True])
def test_other_words_for_the_same_places_are_never_one_persons(quiet: Site, renewed: bool) -> None:
    """Not even where they are said to hold as long as the version before."""
    quiet.issue()
    expires = quiet.state().alert.expires
    if renewed:
        quiet.issue(2, "red", expires=expires + 3600 * 1_000_000)
    client, level = trust(quiet, "forecaster"), {f"_{JULE}": "red", f"_{FENGYU}": "red"}
    more = {
        "replaces": "2" if renewed else "1",
        "forecast": "请立即转移到县城体育馆。",
        "expires": written.local(expires),
    }
    fields = right(quiet, **level) | more
    page = client.post(PAGE, fields).content.decode()
    fields["checked"] = page.split('name="checked" value="')[1].split('"')[0]

    answer = client.post(PAGE, fields | {"do": "alone", "reason": "改", "password": PASSWORD})

    assert ("只改文字" in page, "A13" in answer.content.decode()) == (True, True)
    assert quiet.state().alert.version == (2 if renewed else 1)
    assert handed_in(client.post(PAGE, fields | {"do": "submit"})).state == "submitted"


@pytest.mark.parametrize(("days", "alone_"), [(0, True), (9, False)])
def test_narrowing_is_one_persons_only_if_it_prolongs_nothing(quiet: Site, days: int, alone_: bool) -> None:
    quiet.issue()
    expires = quiet.state().alert.expires + days * 86400 * 1_000_000

    fields = right(quiet, **{f"_{JULE}": "red"}) | {"expires": written.local(expires)}
    page = trust(quiet, "forecaster").post(PAGE, fields).content.decode()

    assert ('value="alone"' in page.split('id="right"')[1]) == alone_


def test_a_renewal_is_taken_back_by_one_person(quiet: Site) -> None:
    quiet.issue()
    expires = quiet.state().alert.expires
    quiet.issue(2, "red", expires=expires + 3600 * 1_000_000)

    assert alone(quiet, replaces="2").status_code == 303

    alert = quiet.state().alert
    assert (alert.version, alert.expires, alert.action) == (3, expires, "correct")


def test_a_correction_taken_back_from_the_signer_is_there_again(quiet: Site) -> None:
    quiet.issue()
    client = trust(quiet, "forecaster")
    fields = right(quiet, **{f"_{JULE}": "red"}) | {"forecast": "预计未来2小时降雨量将达90毫米。"}
    page = client.post(PAGE, fields).content.decode()
    fields["checked"] = page.split('name="checked" value="')[1].split('"')[0]
    draft = handed_in(client.post(PAGE, fields | {"do": "submit"}))

    back = client.post(f"/issue/{draft.pk}", {"do": "take"})

    assert back["Location"] == PAGE
    assert "预计未来2小时降雨量将达90毫米。" in client.get(PAGE).content.decode()
    assert "预计未来2小时降雨量将达90毫米。" not in client.get(f"/issue/{INCIDENT}/change").content.decode()


def test_it_is_one_key_away_from_the_desk_and_from_what_was_just_signed(quiet: Site) -> None:
    quiet.issue()

    page = trust(quiet, "forecaster").get("/desk").content.decode()

    assert f'href="{PAGE}" data-key="x"' in page
