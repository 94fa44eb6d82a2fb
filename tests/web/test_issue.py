"""Issuing: nothing goes out before a second person has signed, once, what he saw."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest
from django.test import Client

from fengsui.core import wording
from fengsui.core.facts import Alerted, DutyOpened, Notified
from fengsui.store.accounts import Account, Draft
from fengsui.web import begun, foreseen, guard, here, written
from tests.web.site import INCIDENT, Site

PASSWORD = "yige henchang de kouling"
JULE, FENGYU, XUBAO = "140215209", "140215202", "140215211"


def form(site: Site, **more: Any) -> dict[str, Any]:
    """A red rainstorm for 聚乐乡 as the page sends it."""
    fields = {
        "form": "token-1", "pair": "rainstorm/red", "zone": [JULE], "cause": "受强对流云团影响，",
        "forecast": "预计未来3小时降雨量将达100毫米以上。", "expires": written.local(site.now + 6 * 3600 * 1_000_000),
        "do": "submit",
    }  # fmt: skip
    return fields | more


def trust(site: Site, role: str) -> Client:
    """A browser of a role that knows its password."""
    account = site.account(role)
    if not account.password:
        guard.set_password(account, PASSWORD)
    client = Client()
    session: Any = client.session
    session["account"], session["stamp"] = account.pk, account.stamp
    session.save()
    return client


def submitted(site: Site, **more: Any) -> Draft:
    answer = trust(site, "forecaster").post("/issue", form(site, **more))
    assert answer.status_code == 303, answer.content.decode()
    return Draft.objects.get(pk=int(answer["Location"].rsplit("/", 1)[1]))


def seen(client: Client, draft: Draft) -> str:
    page = client.get(f"/issue/{draft.pk}").content.decode()
    return page.split('name="seen" value="')[1].split('"')[0]


def sign(client: Client, draft: Draft, **more: Any) -> Any:
    fields = {"do": "sign", "seen": seen(client, draft), "password": PASSWORD, "typed": "红色"}
    return client.post(f"/issue/{draft.pk}", fields | more)


def alerts(site: Site) -> list[Alerted]:
    return site.facts(Alerted)


# ── drafting ─────────────────────────────────────────────────────────────────


def test_submitting_issues_nothing(quiet: Site) -> None:
    draft = submitted(quiet)

    assert (draft.state, alerts(quiet)) == ("submitted", [])


def test_only_signals_that_exist_are_offered_and_unverified_ones_say_so(quiet: Site) -> None:
    page = trust(quiet, "forecaster").get("/issue").content.decode()

    assert 'value="rainstorm/red"' in page
    assert 'value="heat/blue"' not in page
    words = trust(quiet, "forecaster").post("/issue/words", {"pair": "rainstorm/red"}).content.decode()
    assert "待核实" in words


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"pair": ""}, "W120"),
        ({"zone": []}, "W120"),
        ({"cause": "受〔天气系统〕影响，"}, "W122"),
        ({"cause": "受强对流云团影响"}, "W123"),
        ({"forecast": ""}, "W124"),
        ({"expires": "2020-01-01T00:00"}, "W126"),
        ({"expires": "昨天"}, "W126"),
        ({"pair": "heat/blue"}, "A05"),
        ({"zone": ["999"]}, "A04"),
    ],
)
def test_what_is_unfinished_cannot_be_submitted_and_what_was_typed_stays(
    quiet: Site, wrong: dict[str, Any], code: str
) -> None:
    answer = trust(quiet, "forecaster").post("/issue", form(quiet, **wrong))

    page = answer.content.decode()
    assert (answer.status_code, code in page) == (422, True)
    assert wrong.get("forecast", "预计未来3小时降雨量将达100毫米以上。") in page
    assert not Draft.objects.filter(state="submitted").exists()


def test_a_double_click_hands_in_one_draft(quiet: Site) -> None:
    client = trust(quiet, "forecaster")

    first = client.post("/issue", form(quiet))
    again = client.post("/issue", form(quiet))

    assert first["Location"] == again["Location"]
    assert Draft.objects.count() == 1


def test_going_back_and_handing_in_the_same_words_is_the_same_draft(quiet: Site) -> None:
    draft = submitted(quiet)

    answer = trust(quiet, "forecaster").post("/issue", form(quiet, form="token-of-a-fresh-page"))

    assert answer["Location"] == f"/issue/{draft.pk}"
    assert Draft.objects.count() == 1


def test_a_look_ahead_that_comes_late_keeps_no_second_draft(quiet: Site) -> None:
    draft = submitted(quiet)
    trust(quiet, "forecaster").post("/issue/preview", form(quiet))

    assert [d.pk for d in Draft.objects.all()] == [draft.pk]


def test_what_is_being_written_is_there_again_on_another_machine(quiet: Site) -> None:
    trust(quiet, "forecaster").post("/issue/preview", form(quiet, cause="受低涡影响，"))

    page = trust(quiet, "forecaster").get("/issue").content.decode()

    assert "受低涡影响，" in page
    assert "已恢复您未提交的草稿" in page


def test_another_level_brings_other_words_but_leaves_what_somebody_typed(quiet: Site) -> None:
    cause, forecast, _ = written.filled("rainstorm", "red", quiet.now)
    fields = form(
        quiet,
        pair="rainstorm/blue",
        cause="受低涡影响，",
        forecast=forecast,
        was_cause=cause,
        was_forecast=forecast,
    )

    page = trust(quiet, "forecaster").post("/issue/words", fields).content.decode()

    assert "受低涡影响，" in page
    assert written.filled("rainstorm", "blue", quiet.now)[1] in page


def test_whoever_may_not_write_warnings_cannot(quiet: Site) -> None:
    assert trust(quiet, "clerk").post("/issue", form(quiet)).status_code == 403


# ── what would follow ────────────────────────────────────────────────────────


def test_the_look_ahead_says_what_then_really_follows_and_records_nothing(quiet: Site) -> None:
    draft = submitted(quiet)
    loaded = written.load(draft)
    ahead = foreseen.foresee(loaded, quiet.now)
    assert isinstance(ahead, foreseen.Foreseen)
    assert quiet.facts(Notified) == []

    assert sign(trust(quiet, "signer"), draft).status_code == 303
    quiet.calm()

    told = quiet.facts(Notified)
    assert {r.person for n in told for r in n.recipients} == set_of(ahead.persons, told)
    sent = [parts for _, h in quiet.way.sent for parts in [h.parts]]
    assert (ahead.phones, ahead.messages) == (len({h.to for _, h in quiet.way.sent}), sum(map(len, sent)))
    keys = {f.key.split("/")[1] for f in quiet.facts(DutyOpened) if f.stream.startswith("incident-")}
    assert len(ahead.duties) == len(keys)
    assert quiet.way.sent[0][1].to
    texts = {text.body for text in ahead.texts}
    assert any(text.startswith("【云州气象】【模拟】云州区气象台") for text in texts)


def set_of(count: int, told: list[Notified]) -> set[str]:
    persons = {r.person for n in told for r in n.recipients}
    assert len(persons) == count
    return persons


# ── signing ──────────────────────────────────────────────────────────────────


def test_the_signer_issues_what_he_saw(quiet: Site) -> None:
    draft = submitted(quiet)

    answer = sign(trust(quiet, "signer"), draft)

    assert answer.status_code == 303
    (fact,) = alerts(quiet)
    assert (fact.zones, fact.version, fact.series) == ({JULE: "red"}, 1, "test")
    assert fact.author == quiet.account("forecaster").person
    assert fact.signer == quiet.account("signer").person
    assert wording.draft(written.paper(fact.paper)) == wording.Draft(
        "受强对流云团影响，", "预计未来3小时降雨量将达100毫米以上。"
    )
    row = here.session().run("SELECT author_person, signer_person, mode FROM signature")
    assert row == [(fact.author, fact.signer, "")]


def test_the_button_says_what_it_does_and_that_it_is_a_rehearsal(quiet: Site) -> None:
    draft = submitted(quiet)

    page = trust(quiet, "signer").get(f"/issue/{draft.pk}").content.decode()

    button = page.split('value="sign">')[1].split("</button>")[0]
    assert button.startswith("【模拟】签发：短信 ")
    assert "插播" in button


@pytest.mark.parametrize("role", ["forecaster", "leader"])
def test_neither_the_author_nor_a_role_without_the_right_can_sign(quiet: Site, role: str) -> None:
    draft = submitted(quiet)
    mark = seen(trust(quiet, "signer"), draft)

    answer = trust(quiet, role).post(f"/issue/{draft.pk}", {"do": "sign", "seen": mark, "password": PASSWORD})

    assert (answer.status_code, alerts(quiet)) == (403, [])


def test_a_signer_does_not_sign_what_he_wrote_himself(quiet: Site) -> None:
    writer = trust(quiet, "signer")
    answer = writer.post("/issue", form(quiet))
    draft = Draft.objects.get(pk=int(answer["Location"].rsplit("/", 1)[1]))

    mark = written.Paper("draft", draft.body.encode()).digest[:16]
    answer = writer.post(f"/issue/{draft.pk}", {"do": "sign", "seen": mark, "password": PASSWORD})

    assert (answer.status_code, "W129" in answer.content.decode(), alerts(quiet)) == (403, True, [])


def test_a_wrong_password_signs_nothing_and_five_close_the_door(quiet: Site) -> None:
    draft, client = submitted(quiet), trust(quiet, "signer")
    for _ in range(5):
        assert "W135" in sign(client, draft, password="falsch").content.decode()

    assert "W040" in sign(client, draft).content.decode()
    assert alerts(quiet) == []


def test_of_two_signers_at_once_one_has_signed_and_the_other_sees_who(quiet: Site) -> None:
    draft = submitted(quiet)
    first = trust(quiet, "signer")
    second = Client()
    other = Account.objects.create(
        username="signer2", name="另一签发人", role="signer", unit="meteorology", stamp="s2",
        person=quiet.holder("meteorology/liaison/1"),
    )  # fmt: skip
    guard.set_password(other, PASSWORD)
    session: Any = second.session
    session["account"], session["stamp"] = other.pk, other.stamp
    session.save()
    marks = [seen(c, draft) for c in (first, second)]
    answers: dict[int, Any] = {}

    def press(number: int, client: Client) -> None:
        fields = {"do": "sign", "seen": marks[number], "password": PASSWORD, "typed": "红色"}
        answers[number] = client.post(f"/issue/{draft.pk}", fields)

    threads = [threading.Thread(target=press, args=(n, c)) for n, c in enumerate((first, second))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (fact,) = alerts(quiet)
    assert sorted(a.status_code for a in answers.values()) == [303, 409]
    loser = next(a for a in answers.values() if a.status_code == 409).content.decode()
    assert "W137" in loser
    assert fact.signer in (quiet.account("signer").person, other.person)


def test_going_back_and_signing_again_issues_nothing_twice(quiet: Site) -> None:
    draft, client = submitted(quiet), trust(quiet, "signer")
    mark = seen(client, draft)
    fields = {"do": "sign", "seen": mark, "password": PASSWORD, "typed": "红色"}

    client.post(f"/issue/{draft.pk}", fields)
    again = client.post(f"/issue/{draft.pk}", fields)

    assert (again.status_code, len(alerts(quiet))) == (409, 1)
    assert "已由" in again.content.decode()


def test_what_was_changed_after_the_signer_looked_is_not_signed(quiet: Site) -> None:
    draft, client = submitted(quiet), trust(quiet, "signer")
    old = seen(client, draft)
    trust(quiet, "forecaster").post(f"/issue/{draft.pk}", {"do": "take"})
    trust(quiet, "forecaster").post("/issue", form(quiet, form="token-2", zone=[JULE, XUBAO]))

    answer = client.post(
        f"/issue/{draft.pk}", {"do": "sign", "seen": old, "password": PASSWORD, "typed": "红色"}
    )

    assert ("W132" in answer.content.decode(), alerts(quiet)) == (True, [])


def test_after_a_session_has_ended_the_draft_is_still_there(quiet: Site) -> None:
    draft, client = submitted(quiet), trust(quiet, "signer")
    mark = seen(client, draft)
    client.cookies.clear()

    gone = client.post(f"/issue/{draft.pk}", {"do": "sign", "seen": mark, "password": PASSWORD})
    assert gone["Location"].startswith("/login?next=%2Fissue%2F")
    account = quiet.account("signer")
    back = client.post(
        "/login", {"username": account.username, "password": PASSWORD, "next": f"/issue/{draft.pk}"}
    )

    assert back["Location"] == f"/issue/{draft.pk}"
    assert sign(client, draft).status_code == 303


def test_a_draft_given_back_says_why_and_can_be_taken_up_again(quiet: Site) -> None:
    draft, signer = submitted(quiet), trust(quiet, "signer")

    assert "W133" in signer.post(f"/issue/{draft.pk}", {"do": "return"}).content.decode()
    signer.post(f"/issue/{draft.pk}", {"do": "return", "remark": "加上许堡乡"})
    author = trust(quiet, "forecaster")

    assert "加上许堡乡" in author.get(f"/issue/{draft.pk}").content.decode()
    assert author.post(f"/issue/{draft.pk}", {"do": "take"})["Location"] == "/issue"
    assert "预计未来3小时" in author.get("/issue").content.decode()


# ── in an emergency ──────────────────────────────────────────────────────────


def test_one_person_alone_issues_red_with_a_reason_that_is_kept(quiet: Site) -> None:
    draft, author = submitted(quiet), trust(quiet, "forecaster")
    fields = {"do": "emergency", "seen": seen(author, draft), "password": PASSWORD, "typed": "红色"}

    assert "W131" in author.post(f"/issue/{draft.pk}", fields).content.decode()
    assert author.post(f"/issue/{draft.pk}", fields | {"reason": "签发人三次未接"}).status_code == 303

    (fact,) = alerts(quiet)
    assert (fact.mode, fact.author == fact.signer) == ("emergency", True)
    ((reason,),) = here.session().run("SELECT reason FROM signature")
    assert written.paper(reason).decode() == "签发人三次未接"
    assert "紧急单人签发" in author.get(f"/issue/{draft.pk}").content.decode()


def test_nobody_alone_issues_less_than_red(quiet: Site) -> None:
    draft, author = submitted(quiet, pair="rainstorm/orange"), trust(quiet, "forecaster")
    mark = written.Paper("draft", draft.body.encode()).digest[:16]

    answer = author.post(
        f"/issue/{draft.pk}", {"do": "emergency", "seen": mark, "reason": "急", "password": PASSWORD}
    )

    assert ("W130" in answer.content.decode(), alerts(quiet)) == (True, [])


# ── in force ─────────────────────────────────────────────────────────────────


def change(site: Site, **levels: str) -> dict[str, Any]:
    fields = {
        "form": "token-c",
        "do": "submit",
        "replaces": "1",
        "expires": written.local(site.now + 3600 * 1_000_000),
    }
    fields |= {"cause": "受强对流云团影响，", "forecast": "预计未来3小时降雨量将达100毫米以上。"}
    return fields | {f"at-{area}": level for area, level in levels.items()}


def test_a_warning_is_split_by_area_and_the_signer_sees_what_changes(busy: Site) -> None:
    author, signer = trust(busy, "forecaster"), trust(busy, "signer")
    page = author.get(f"/issue/{INCIDENT}/change").content.decode()
    assert re.search('name="at-140215209" value="red"[^>]* checked', page)

    answer = author.post(f"/issue/{INCIDENT}/change", change(busy, **{JULE: "red", FENGYU: "orange"}))
    draft = Draft.objects.get(pk=int(answer["Location"].rsplit("/", 1)[1]))
    page = signer.get(f"/issue/{draft.pk}").content.decode()

    assert "<del>红色</del>" in page
    assert "<ins>橙色</ins>" in page
    assert sign(signer, draft).status_code == 303
    assert busy.state().alert.now.zones == {JULE: "red", FENGYU: "orange"}


def test_the_same_words_can_be_signed_again_for_the_next_version(busy: Site) -> None:
    author, signer = trust(busy, "forecaster"), trust(busy, "signer")
    for version in (1, 2):
        fields = change(busy, **{JULE: "red", FENGYU: "red"}) | {
            "replaces": str(version),
            "form": f"token-{version}",
        }
        answer = author.post(f"/issue/{INCIDENT}/change", fields)
        draft = Draft.objects.get(pk=int(answer["Location"].rsplit("/", 1)[1]))
        assert sign(signer, draft).status_code == 303

    assert busy.state().alert.version == 3


def test_a_change_of_a_version_that_is_no_more_says_so(busy: Site) -> None:
    fields = change(busy, **{JULE: "orange"})
    busy.issue(2, "orange", expires=busy.now + 3600 * 1_000_000)

    answer = trust(busy, "forecaster").post(f"/issue/{INCIDENT}/change", fields)

    assert ("A01" in answer.content.decode(), answer.status_code) == (True, 422)


def test_lifting_needs_a_reason_and_a_second_person_and_tells_who_was_told(busy: Site) -> None:
    author, signer = trust(busy, "forecaster"), trust(busy, "signer")
    told = set(busy.state().notices.people)
    fields = {"form": "token-x", "do": "submit", "cancel": "1", "replaces": "1", "cause": "降雨已明显减弱，"}

    assert (
        "W122"
        in author.post(
            f"/issue/{INCIDENT}/cancel", fields | {"cause": "〔天气现象〕已明显减弱，"}
        ).content.decode()
    )
    answer = author.post(f"/issue/{INCIDENT}/cancel", fields)
    draft = Draft.objects.get(pk=int(answer["Location"].rsplit("/", 1)[1]))
    assert f'<b class="num">{len(told)}</b> 人' in signer.get(f"/issue/{draft.pk}").content.decode()
    assert sign(signer, draft).status_code == 303

    assert not busy.state().alert.holds


def test_what_no_longer_holds_can_not_be_changed(quiet: Site) -> None:
    for page in begun.VERBS:
        assert trust(quiet, "forecaster").get(f"/issue/nothing/{page}").status_code == 404


def test_what_was_signed_is_called_what_it_was_and_not_what_it_would_be_now(quiet: Site) -> None:
    quiet.issue()
    fields = {"form": "token-y", "do": "submit", "cancel": "1", "replaces": "1", "cause": "降雨已明显减弱，"}
    answer = trust(quiet, "forecaster").post(f"/issue/{INCIDENT}/cancel", fields)
    draft = Draft.objects.get(pk=int(answer["Location"].rsplit("/", 1)[1]))
    signer = trust(quiet, "signer")
    assert sign(signer, draft).status_code == 303

    page = signer.get(f"/issue/{draft.pk}").content.decode()
    assert "<h1>解除暴雨预警（第 2 版）</h1>" in page
