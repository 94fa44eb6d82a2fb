"""Whoever signed alone is reviewed by somebody else, at once on every desk, and not by himself."""

from __future__ import annotations

from typing import Any

from fengsui.core.facts import Reported
from fengsui.web import written
from tests.web.site import INCIDENT, Site
from tests.web.test_correct import alone
from tests.web.test_issue import trust

PAGE = f"/review/{INCIDENT}"


def retracted(site: Site) -> None:
    site.issue()
    site.calm()
    assert alone(site, reason="点错了一格").status_code == 303


def reviews(site: Site) -> list[Any]:
    return [f for f in site.facts(Reported) if f.what == "signature_review"]


def test_every_desk_is_told_at_once_that_somebody_signed_alone(quiet: Site) -> None:
    retracted(quiet)

    for role in ("forecaster", "signer", "clerk", "administrator"):
        page = quiet.client(role).get("/desk").content.decode()
        assert "由一人签发，待他人复核" in page, role
        assert "2.3.a/review" in page.split('data-alarms="')[1].split('"')[0], role
    assert f'href="{PAGE}" data-key="r"' in quiet.client("signer").get("/desk").content.decode()


def test_somebody_else_reads_text_and_reason_and_says_what_he_thinks(quiet: Site) -> None:
    retracted(quiet)
    signer = trust(quiet, "signer")

    page = signer.get(PAGE).content.decode()
    assert "点错了一格" in page
    assert "系误发，" in page
    token = page.split('name="form" value="')[1].split('"')[0]
    assert signer.post(PAGE, {"form": token, "opinion": "agree", "words": "属实"}).status_code == 303

    (fact,) = reviews(quiet)
    assert (fact.by, written.paper(fact.paper).decode()) == (quiet.account("signer").person, "同意。属实")
    assert quiet.state().duties["2.3.a/review"].shares["meteorology"].how == "done"
    assert "已复核" in signer.get(PAGE).content.decode()
    assert "由一人签发" not in signer.get("/desk").content.decode()


def test_to_differ_needs_a_word(quiet: Site) -> None:
    retracted(quiet)

    answer = trust(quiet, "signer").post(PAGE, {"form": "r1", "opinion": "differ"})

    assert ("W214" in answer.content.decode(), reviews(quiet)) == (True, [])


def test_whoever_signed_alone_cannot_review_himself_and_is_told_so(quiet: Site) -> None:
    retracted(quiet)
    author = trust(quiet, "forecaster")
    assert "须由他人复核" in author.get(PAGE).content.decode()

    answer = author.post(PAGE, {"form": "r1", "opinion": "agree"})

    assert ("D04" in answer.content.decode(), reviews(quiet)) == (True, [])


def test_a_second_opinion_finds_nothing_to_do(quiet: Site) -> None:
    retracted(quiet)
    signer = trust(quiet, "signer")
    signer.post(PAGE, {"form": "r1", "opinion": "agree"})

    answer = signer.post(PAGE, {"form": "r2", "opinion": "agree"})

    assert ("W138" in answer.content.decode(), len(reviews(quiet))) == (True, 1)
