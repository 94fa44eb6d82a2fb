"""Supervision: what is under it, whose, since when, how late; each unit sees its own."""

from __future__ import annotations

import csv
import re

import pytest

from fengsui.web import lists
from tests.web.site import FENGYU, JULE, night


def text(answer, status=200):
    assert answer.status_code == status, (answer.status_code, answer.content.decode()[-800:])
    return answer.content.decode()


@pytest.fixture
def late(quiet):
    """An hour after the warning: whoever kept silent is under supervision."""
    return night(quiet, 60)


def units(page: str) -> list[str]:
    return re.findall(r'<th scope="rowgroup"[^>]*>([^<]+)', page)


def test_where_nothing_is_supervised_it_says_what_would_be(quiet):
    assert "没有在督事项" in text(quiet.client("supervisor").get("/supervision"))


def test_whoever_kept_silent_stands_there_with_what_is_owed_and_how_late(late):
    page = text(late.client("supervisor").get("/supervision"))

    assert FENGYU in units(page)
    own = page[page.index(f">{FENGYU}<") :].split("</tbody>")[0]
    assert "督办回复（应急）：再传播" in own
    assert "已超" in own


def test_a_reply_takes_it_off_the_list_and_is_counted(late):
    key = "4.2.b/reply_urgent/2.4.1/relay"
    late.report("supervision_reply", FENGYU, "已传达到村", duty=key)

    page = text(late.client("supervisor").get("/supervision"))

    own = page[page.index(f">{FENGYU}<") :].split("</tbody>")[0]
    assert "督办回复（应急）：再传播" not in own
    score = re.search(rf'<th scope="row">{FENGYU}</th>(.*?)</tr>', page)[1]
    assert re.findall(r'<td class="num">(?:<span class="mark late">)?(\d+)', score)[2:] in (
        ["1", "0"],
        ["0", "1"],
    )


def test_a_township_sees_only_its_own(late):
    assert set(units(text(late.client("township").get("/supervision")))) <= {JULE}
    assert "区水务局" not in text(late.client("township").get("/supervision"))


def test_the_list_goes_into_a_spreadsheet(late):
    page = text(late.client("supervisor").get("/supervision?csv=1"))

    assert page.removeprefix("\ufeff").startswith("单位,事项,责任,过程,起,时限,早晚,状态")
    assert "督办回复（应急）：再传播" in page


def test_a_unit_s_number_is_that_of_all_pages(late, monkeypatch):
    monkeypatch.setattr(lists, "PAGE", 3)
    client = late.client("supervisor")
    table = list(csv.reader(text(client.get("/supervision?csv=1")).splitlines()))

    first = re.search(
        r'<th scope="rowgroup" rowspan="3">([^<]+)<small>　(\d+) 项', text(client.get("/supervision"))
    )

    assert int(first[2]) == sum(row[0] == first[1] for row in table) > 3


def test_a_unit_replies_from_its_own_row(late):
    page = text(late.client("township").get("/supervision"))

    assert re.search(r'<a href="/report/[^"]+">登记回复</a>', page)
    assert "登记回复" not in text(late.client("supervisor").get("/supervision"))
