"""A login that ends in the middle of the work: what was typed is still there, nothing is recorded twice or by itself."""

from __future__ import annotations

import html
import json
import re
from io import BytesIO
from typing import Any

import pytest
from django.test import Client

from fengsui.core.facts import Reported
from fengsui.web import resume
from tests.web.browser import chromium, entered, served
from tests.web.site import INCIDENT, Site
from tests.web.test_issue import PASSWORD, trust

REPORT = f"/report/{INCIDENT}"
WORDS = "已组织网格员入户，\n低洼处 12 户已转移"
FORM = {"what": "suspension_notice", "form": "r1", "text": WORDS}


@pytest.fixture
def gone(busy: Site) -> Client:
    """A township's browser whose login has just ended."""
    client = trust(busy, "township")
    client.cookies.clear()
    return client


@pytest.fixture
def form(busy: Site) -> dict[str, str]:
    return FORM | {"duty": next(k for k in busy.state().duties if k.endswith("/announce"))}


def fields(page: str) -> dict[str, str]:
    """The hidden fields of a page as a browser sends them back."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found if name != "csrfmiddlewaretoken"}


def log_in(client: Client, page: Any, role: str = "township", password: str = PASSWORD) -> Any:
    return client.post("/login", fields(page.content.decode()) | {"username": role, "password": password})


def notices(site: Site) -> list[Reported]:
    return [f for f in site.facts(Reported) if f.what == "suspension_notice"]


def test_what_was_typed_is_there_after_the_login_and_counts_once(
    busy: Site, gone: Client, form: dict
) -> None:
    asked = gone.post(REPORT, form)
    assert (asked.status_code, "[W036]" in asked.content.decode()) == (403, True)
    assert notices(busy) == []

    back = log_in(gone, asked)
    page = back.content.decode()
    assert WORDS.splitlines()[1] in page
    assert notices(busy) == [], "nobody has pressed yet"
    sent = {k: v for k, v in fields(page).items() if k in form}
    first, _ = [gone.post(REPORT, sent) for _ in range(2)]

    assert first.status_code == 303
    assert len(notices(busy)) == 1


def test_a_wrong_password_loses_nothing(gone: Client, form: dict) -> None:
    asked = gone.post(REPORT, form)

    again = log_in(gone, asked, password="falsch")

    assert "W041" in again.content.decode()
    assert WORDS.splitlines()[1] in log_in(gone, again).content.decode()


def test_who_may_not_send_it_is_not_offered_to(busy: Site, gone: Client, form: dict) -> None:
    trust(busy, "administrator")
    asked = gone.post(REPORT, form)

    assert log_in(gone, asked, "administrator").status_code == 302


def test_a_file_cannot_be_kept_and_that_is_said(gone: Client, form: dict) -> None:
    asked = gone.post(REPORT, form | {"file": BytesIO(b"%PDF")})

    page = log_in(gone, asked).content.decode()

    assert WORDS.splitlines()[1] in page
    assert "所附文件没有保留" in page
    assert "照原样提交" not in page


@pytest.mark.parametrize("carried", ["", "nonsense", "{}", '{"address": "/nowhere", "fields": []}',
                                     '{"address": "https://elsewhere.invalid/", "fields": []}',
                                     '{"address": "//elsewhere.invalid/report/x", "fields": []}'])  # fmt: skip
def test_only_a_form_of_ours_is_carried_on(quiet: Site, carried: str) -> None:
    trust(quiet, "township")

    answer = Client().post("/login", {"username": "township", "password": PASSWORD, "kept": carried})

    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_a_secret_is_never_carried(busy: Site, gone: Client) -> None:
    for secret in sorted(resume.SECRET):
        answer = gone.post("/own", {secret: "geheim-4711", "text": WORDS})
        assert (answer.status_code, answer["Location"]) == (302, "/login?next=%2Fown")


def test_after_the_login_one_is_where_one_was_not_where_a_button_leads(busy: Site) -> None:
    client = Client(headers={"referer": "http://testserver/people/p1?q=1"})
    elsewhere = Client(headers={"referer": "https://elsewhere.invalid/desk"})

    assert client.post("/people/p1/number")["Location"] == "/login?next=%2Fpeople%2Fp1%3Fq%3D1"
    assert elsewhere.post("/people/p1/number")["Location"] == "/login?next=%2Fpeople%2Fp1%2Fnumber"


def test_a_part_of_a_page_takes_the_reader_to_the_login_and_leaves_the_writer_writing(gone: Client) -> None:
    part = {"HX-Request": "true", "HX-Current-URL": "http://testserver/desk?of=x"}

    read = gone.get("/desk/live", headers=part)
    wrote = gone.post("/issue/preview", {"cause": "受"}, headers=part)

    assert (read.status_code, read["HX-Redirect"]) == (204, "/login?next=%2Fdesk%3Fof%3Dx")
    assert wrote.status_code == 401


def test_what_can_be_carried_is_limited(gone: Client) -> None:
    answer = gone.post(REPORT, FORM | {"text": "长" * resume.LARGEST})

    assert answer.status_code == 302


def test_what_is_carried_is_only_words(gone: Client, form: dict) -> None:
    carried = json.loads(
        fields(gone.post(REPORT, form | {"csrfmiddlewaretoken": "t"}).content.decode())["kept"]
    )

    assert dict(carried["fields"]) == form


@pytest.mark.foreign
def test_in_a_browser_the_report_is_sent_after_all(busy: Site) -> None:
    trust(busy, "township")
    busy.client("township")
    with served(busy) as address, chromium() as browser:
        page = entered(browser, address, busy, "township", viewport={"width": 360, "height": 740})
        page.goto(address + REPORT)
        box = page.locator("form", has_text="停工停业停课通告").locator("textarea").first
        box.fill(WORDS)
        page.context.clear_cookies(name="fengsui")
        box.locator("xpath=ancestor::form").locator("button").last.click()
        page.fill("input[name=username]", "township")
        page.fill("input[name=password]", PASSWORD)
        page.click("main button.primary")
        page.click("text=照原样提交")
        page.wait_for_selector(".done")

    assert len(notices(busy)) == 1
