"""Every list can be filtered, turned over, taken away, says what will stand there; no page asks more often for more rows.

Lists are found by walking the addresses: a new one is tested by being there.
"""

from __future__ import annotations

import csv
import html
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from fengsui.flow.simulations import Simulation, Wish
from fengsui.store import ways
from fengsui.store.accounts import Account, Attempt
from fengsui.store.sql import Session
from fengsui.store.ways import Stored
from fengsui.web import audit, lists, numbers, rights
from fengsui.web.urls import urlpatterns
from tests.flow.office import cap
from tests.web.site import FENGYU, INCIDENT, JULE, Site, night
from tests.web.test_issue import form, trust
from tests.web.test_letters import heard, settled
from tests.web.test_rights import values

NOWHERE = "没有这样的词"
OTHERWISE = {
    "desk": "one picture of now; its rows are desk_tasks and the ledger",
    "desk_live": "a part of the desk",
    "call_sheet": "printed whole: whoever is left out is not rung",
    "gateways": "the handful that a place has configured",
    "issue": "a form",
    "person_new": "a form",
    "drills_new": "a form",
    "people_import": "a preview of what was uploaded",
    "mechanism": "a document, to be read from its beginning",
}
"""Pages with a table that are no lists, and why."""
FEW = ("forecaster", "administrator")
"""Roles that open nearly everything."""


class Shown(NamedTuple):
    """A list as it is shown, with its address."""

    url: str
    page: str
    get: Callable[[str], Any]

    @property
    def rows(self) -> list[str]:
        table = self.page.split('<form class="filter"')[1].split("</table>")[0]
        return [r for r in table.split("<tr>") if "<td" in r]


def role(name: str) -> str:
    return next((r for r in FEW if rights.may(r, name)), min(rights.RIGHTS[name]))


def pages(site: Site) -> Iterator[tuple[str, Shown]]:
    """Every page of its own: those with a place in their address show one thing."""
    for pattern in urlpatterns:
        if pattern.pattern.converters or pattern.name in rights.PUBLIC | {"logout"}:
            continue
        client, url = site.client(role(pattern.name)), reverse(pattern.name)
        answer = client.get(url)
        if answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html"):
            yield pattern.name, Shown(url, answer.content.decode(), client.get)


def found(site: Site) -> dict[str, Shown]:
    return {name: shown for name, shown in pages(site) if 'role="search"' in shown.page}


@pytest.fixture
def late(quiet: Site) -> Site:
    """An hour after the warning, with something of everything."""
    return one_more(night(quiet, 60), 0)


def one_more(site: Site, number: int) -> Site:
    """One more of everything that a page may list."""
    hazard = ("gale", "lightning", "cold_wave")[number]
    site.issue(1, "yellow", stream=f"incident-{number + 2}", hazard=hazard, zones={"140215209": "yellow"})
    site.calm()
    account = Account.objects.create(username=f"more{number}", name="某人", role="clerk")
    Attempt.objects.create(username=account.username, client="10.0.0.1", at=site.now)
    numbers.unmasked(account, [site.holder(f"{JULE}/leader/1")], f"第 {number} 次")
    audit.note("account", account, "新建", account.username)
    ways.put(Stored(f"more_{number}", "sms_smpp", ("actual",), {"host": "smsc.invalid"}))
    drafted = form(site, form=f"more-{number}", zone=["140215211", "140215100", "140215101"][: number + 1])
    assert trust(site, "forecaster").post("/issue", drafted).status_code == 303
    handed = {"form": f"more-{number}", "takes": site.account("clerk").username, "remarks": "无"}
    assert site.client("forecaster").post("/desk/handover", handed).status_code == 303
    played = Simulation(
        f"20270701-{number + 1}", "暴雨红色之夜", Wish("rainstorm", 60, number), number, "done"
    )
    site.house.simulations.keep(played)
    words = f"听不懂的话第 {number} 句"
    heard(site, site.holder(f"{FENGYU}/responsible_person/{number + 1}"), words)
    settled(site, words)
    site.house.reception.keep(cap(number + 1, code=("", "140215202")), "province")
    site.house.reception.look()
    person = {
        "form": f"more-{number}",
        "name": "钱多",
        "unit": JULE,
        "channel-0": "sms",
        "value-0": f"1008888888{number}",
    }
    assert site.client("administrator").post("/people/new", person).status_code == 302
    return site


def test_every_page_of_rows_is_a_list_or_says_why_not(late: Site) -> None:
    tables = {name for name, shown in pages(late) if "<table" in shown.page}

    assert tables - found(late).keys() - OTHERWISE.keys() == set()
    assert OTHERWISE.keys() - {name for name, _ in pages(late)} == set()
    assert {"accounts", "desk_tasks", "ledger", "people", "supervision", "looks"} <= found(late).keys()


def test_a_word_that_stands_nowhere_leaves_nothing_and_shows_the_way_back(late: Site) -> None:
    for name, shown in found(late).items():
        page = shown.get(f"{shown.url}?q={NOWHERE}").content.decode()
        assert f'没有符合“{NOWHERE}”的条目。<a href="?">看全部</a>' in page, name
        assert f'value="{NOWHERE}"' in page, name


def test_a_word_of_a_row_keeps_that_row(late: Site) -> None:
    for name, shown in found(late).items():
        assert shown.rows, f"{name}: nothing to filter, see one_more"
        word = html.unescape(re.findall(r">([^<>\n]+)<", shown.rows[0])[0])
        page = shown.get(f"{shown.url}?q={word}").content.decode()
        kept = shown._replace(page=page).rows
        assert 0 < len(kept) <= len(shown.rows), (name, word)
        assert word in html.unescape(kept[0]), name


def test_pages_turn_over_everything_once_and_keep_the_filter(
    late: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, shown in found(late).items():
        table = list(csv.reader(shown.get(f"{shown.url}?csv=1").content.decode("utf-8-sig").splitlines()))
        monkeypatch.setattr(lists, "PAGE", max(1, len(table) // 3))
        url, rows = shown.url, 0
        while url:
            page = shown.get(url).content.decode()
            rows += len(shown._replace(page=page).rows)
            onward = re.search(r'href="([^"]*)" rel="next"', page)
            url = shown.url + html.unescape(onward[1]) if onward else ""
            assert not onward or "q=" in onward[1], name
        assert rows == len(table) - 1 > 0, name
        assert shown.get(f"{shown.url}?page=none").status_code == 200
        assert shown.get(f"{shown.url}?page=99999").status_code == 200


def test_what_is_taken_away_is_what_was_filtered(late: Site) -> None:
    for name, shown in found(late).items():
        columns = [html.unescape(c) for c in re.findall(r'<th scope="col">([^<]*)</th>', shown.page)]
        answer = shown.get(f"{shown.url}?csv=1&q={NOWHERE}")
        assert answer.headers["Content-Type"].startswith("text/csv"), name
        lines = list(csv.reader(answer.content.decode("utf-8-sig").splitlines()))
        assert lines == [columns[: len(lines[0])]], name
        link = re.search(r'href="(\?csv=1[^"]*)"', shown.get(f"{shown.url}?q={NOWHERE}").content.decode())
        assert link, name
        assert "&amp;q=" in link[1], name


def test_an_empty_list_says_what_will_stand_there(quiet: Site) -> None:
    empty = {}
    for name, shown in found(quiet).items():
        if not shown.rows:
            said = re.search(r'<p class="empty">([^<]*)</p>', shown.page)
            assert said, name
            empty[name] = said[1].strip()

    assert {"failures", "looks", "account_deeds", "supervision", "desk_tasks"} <= empty.keys()
    assert all(len(said) > 6 and said.endswith("。") for said in empty.values()), empty


def test_no_page_asks_more_often_for_more_rows(late: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    run, mine = Session.run, threading.get_ident()

    def counted(self: Session, text: str, *given: Any) -> Any:
        if threading.get_ident() == mine:  # the writer has a thread of its own
            asked.append(text)
        return run(self, text, *given)

    monkeypatch.setattr(Session, "run", counted)

    def counts() -> dict[str, list[str]]:
        return {name: _asked(late, url, who, asked) for name, url, who in _addresses(late)}

    few = counts()
    one_more(one_more(late, 1), 2)
    many = counts()

    more = {name: found for name in few if (found := _grown(few[name], many[name]))}
    assert more == {}


def _addresses(site: Site) -> list[tuple[str, str, str]]:
    state = site.state()
    site.rows = lambda: [f"{INCIDENT}|{k}|{h}" for k, d in state.duties.items() for h in d.shares]  # type: ignore[attr-defined]
    named = [p.name for p in urlpatterns if p.name not in rights.PUBLIC | {"logout"}]
    return [(n, reverse(n, kwargs=values(n, site)), role(n)) for n in named]


def _asked(site: Site, url: str, who: str, asked: list[str]) -> list[str]:
    """What a page asks the databases for."""
    client = site.client(who)
    asked.clear()
    with ExitStack() as all_:
        orm = [all_.enter_context(CaptureQueriesContext(connections[alias])) for alias in connections]
        client.get(url)
    return [*asked, *(q["sql"] for some in orm for q in some.captured_queries)]


def _grown(few: list[str], many: list[str]) -> dict[str, int]:
    """What is asked once more, or oftener, for each of the two more; what is kept for a moment may be asked once more."""
    before, after = Counter(map(_bare, few)), Counter(map(_bare, many))
    return {text: n - before[text] for text, n in after.items() if n - before[text] > 1}


def _bare(sql: str) -> str:
    """A query without its values."""
    return re.sub(r"\(\?(, \?)*\)", "(…)", re.sub(r"'[^']*'|\b\d+\b|%s", "?", sql))
