"""A double click, a way back, a reload: two of the same form at once are one deed, and whoever sent them reads a clear page.

Every page that takes a form stands here, or says why it need not.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse

from fengsui.core.facts import (
    Aired,
    Alerted,
    Consulted,
    DirectoryChanged,
    DrillSet,
    Notified,
    Reached,
    Received,
    Reported,
    ResponseSet,
    SuspensionDecided,
    Tried,
)  # fmt: skip
from fengsui.store import archive, arrivals, pins, tokens, ways
from fengsui.store.accounts import Account, Draft
from fengsui.store.sql import archive as open_archive
from fengsui.web import rights
from fengsui.web.pages import handover
from fengsui.web.urls import urlpatterns
from tests.flow.office import TEXT
from tests.web.site import FENGYU, INCIDENT, JULE, Site
from tests.web.test_gateways import GOOD
from tests.web.test_issue import PASSWORD, seen, submitted, trust
from tests.web.test_issue import form as drafted
from tests.web.test_letters import heard, settled, waiting
from tests.web.test_roster import HEADER, UNIT

PIN = "4071"
OFFICER = f"{FENGYU}/duty_officer/1"
OFTEN = 3
"""The same form this many times at once."""

HARMLESS = {
    "login": "opens a session; the second is another one",
    "logout": "ends a session that may have ended",
    "own": "asks for the password as it was, which the first has changed",
    "issue_preview": "records nothing; what it keeps is one draft for each person, stream and purpose",
    "issue_words": "records nothing",
    "issue_change": "hands in by the function of issue",
    **dict.fromkeys(
        ("issue_cancel", "issue_renew", "issue_upgrade", "issue_downgrade"),
        "hands in by the function of issue",
    ),
    "issue_correct": "its form counts once, or hands in by the function of issue: test_correct",
    "issue_take": "a draft that is gone is not taken twice: test_drafting",
    "issue_paste": "records nothing",
    "issue_places": "records nothing",
    "review": "a report counts once for its duty: test_review",
    "person_number": "each look is kept, as it must be",
    "drill_turn": "what has begun or ended has: test_drill",
    "simulation_stop": "what is stopped stays so: test_drills",
    "gateway_act": "holds what is held, releases what is free",
}
"""Pages that take forms and are not below, with the reason."""


class Deed(NamedTuple):
    """What is sent where by whom, and how often it has happened."""

    role: str
    url: str
    fields: dict[str, Any]
    count: Callable[[], int]


def facts(site: Site, of: type, **like: Any) -> Callable[[], int]:
    return lambda: sum(all(getattr(f, k) == v for k, v in like.items()) for f in site.facts(of))


def papers(kind: str, word: bytes) -> Callable[[], int]:
    def count() -> int:
        session = open_archive()
        try:
            return sum(word in body for body in archive.listed(session, kind, 100))
        finally:
            session.close()

    return count


def hidden(page: Any, *names: str) -> dict[str, str]:
    text = page.content.decode()
    return {n: re.search(rf'name="{n}" value="([^"]*)"', text)[1] for n in names}  # type: ignore[index]


def row(duty: str, holder: str) -> str:
    return quote(f"{INCIDENT}|{duty}|{holder}")


# ── what is done ─────────────────────────────────────────────────────────────


def _issue(site: Site) -> Deed:
    count = Draft.objects.filter(kind="alert", state="submitted").count
    return Deed("forecaster", "/issue", drafted(site, zone=["140215211"]), count)


def _sign(site: Site) -> Deed:
    draft = submitted(site, zone=["140215211"])
    mark = seen(trust(site, "signer"), draft)
    fields = {"do": "sign", "seen": mark, "typed": "红色", "password": PASSWORD}
    return Deed("signer", f"/issue/{draft.pk}", fields, facts(site, Alerted))


def _return(site: Site) -> Deed:
    draft = submitted(site, zone=["140215211"])
    count = Draft.objects.filter(pk=draft.pk, state="returned").count
    return Deed("signer", f"/issue/{draft.pk}", {"do": "return", "remark": "改"}, count)


def _handover(site: Site) -> Deed:
    takes = trust(site, "clerk") and site.account("clerk").username
    fields = {"form": "h1", "takes": takes, "remarks": "无"}
    return Deed("forecaster", "/desk/handover", fields, Draft.objects.filter(kind=handover.KIND).count)


def _answered(site: Site) -> Deed:
    fields = {"form": "c1", "outcome": "answered", "person": site.holder(OFFICER), "words": "已通知"}
    url = f"/call/{row('2.4.1/acknowledge', OFFICER)}"
    return Deed("forecaster", url, fields, facts(site, Reached, channel="call"))


def _promised(site: Site) -> Deed:
    fields = {"form": "c2", "outcome": "promised", "person": site.holder(OFFICER), "words": "十分钟后回话"}
    url = f"/call/{row('2.4.1/acknowledge', OFFICER)}"
    return Deed("forecaster", url, fields, papers("call", "十分钟后回话".encode()))


def _do(site: Site) -> Deed:
    mine = f"{JULE}/responsible_person/1"
    fields = {"form": "d1", "outcome": "promised", "person": site.holder(mine), "words": "这就去办"}
    duty = next(k for k in site.state().duties if k.endswith("/announce"))
    return Deed("township", f"/desk/do/{row(duty, JULE)}", fields, papers("call", "这就去办".encode()))


def _letter(site: Site) -> Deed:
    words = "正在路上，到了再说"
    heard(site, site.holder(OFFICER), words)
    settled(site, words)
    letter = waiting(site.client("clerk").get("/desk/letters"))[0]
    return Deed(
        "clerk", "/desk/letters", {"letter": letter, "meaning": "1"},
        facts(site, Reached, person=site.holder(OFFICER), state="acknowledged"),
    )  # fmt: skip


def _held(site: Site) -> Deed:
    fields = {"consultation": next(iter(site.state().consultations)), "do": "held", "form": "k1"}
    return Deed("clerk", f"/consult/{INCIDENT}", fields, facts(site, Consulted, stage="held"))


def _respond(site: Site) -> Deed:
    fields = {"do": "respond", "grade": "III", "form": "k2"}
    return Deed("leader", f"/consult/{INCIDENT}", fields, facts(site, ResponseSet))


def _suspend(site: Site) -> Deed:
    fields = {"do": "stop", "stops": ["work"], "form": "s1", "seen": "0"}
    return Deed("liaison", f"/suspend/{INCIDENT}", fields, facts(site, SuspensionDecided, unit="water"))


def _report(site: Site) -> Deed:
    duty = next(k for k in site.state().duties if k.endswith("/announce"))
    fields = {"what": "suspension_notice", "duty": duty, "form": "r1", "text": "自2时起停课"}
    return Deed("township", f"/report/{INCIDENT}", fields, facts(site, Reported, what="suspension_notice"))


def _aired(site: Site) -> Deed:
    fields = {"stream": INCIDENT, "unit": "media", "what": "badge", "on": "1", "form": "a1"}
    return Deed("media", "/media", fields, facts(site, Aired, form="badge"))


def _added(site: Site) -> Deed:
    fields = {"form": "p1", "name": "周全", "unit": JULE, "channel-0": "sms", "value-0": "10088888888"}
    return Deed("administrator", "/people/new", fields, facts(site, DirectoryChanged, change="added"))


def _edited(site: Site) -> Deed:
    url = f"/people/{site.holder(OFFICER)}/edit"
    fields = hidden(site.client("administrator").get(url), "form", "seen") | {"name": "周改", "unit": FENGYU}
    return Deed("administrator", url, fields, facts(site, DirectoryChanged, change="corrected"))


def _departed(site: Site) -> Deed:
    url = f"/people/{site.holder(OFFICER)}/depart"
    return Deed("administrator", url, {"form": "p2"}, facts(site, DirectoryChanged, change="departed"))


def _tested(site: Site) -> Deed:
    url = f"/people/{site.holder(f'{JULE}/leader/1')}/test"
    return Deed("administrator", url, {"form": "p3"}, facts(site, Tried))


def _appointed(site: Site) -> Deed:
    url = f"/posts/{OFFICER}"
    fields = hidden(site.client("administrator").get(url), "seen", "form")
    fields |= {"holder": site.holder(f"{FENGYU}/leader/1"), "deputy": site.holder(OFFICER)}
    return Deed("administrator", url, fields, facts(site, DirectoryChanged, change="corrected"))


def _imported(site: Site) -> Deed:
    from io import BytesIO

    file = BytesIO(f"{HEADER}\n,{UNIT},钱多,10000000091,,,,,\n".encode())
    file.name = "list.csv"
    page = site.client("administrator").post("/people/import", {"file": file})
    fields = hidden(page, "form") | {"do": "confirm"}
    return Deed("administrator", "/people/import", fields, facts(site, DirectoryChanged))


def _account(site: Site) -> Deed:
    fields = {"username": "wang", "name": "王", "role": "clerk", "unit": "", "person": ""}
    return Deed("administrator", "/accounts/new", fields, Account.objects.filter(username="wang").count)


def _role(site: Site) -> Deed:
    other = site.account("leader")
    fields = {"name": other.name, "role": "signer", "unit": other.unit, "person": other.person}
    return Deed("administrator", f"/accounts/{other.pk}", fields, papers("account", "区领导→签发人".encode()))


def _closed(site: Site) -> Deed:
    url = f"/accounts/{site.account('leader').pk}/close"
    return Deed("administrator", url, {}, papers("account", "关闭".encode()))


def _gateway(site: Site) -> Deed:
    return Deed("administrator", "/gateways/new", GOOD, lambda: len(ways.read()))


def _settings(site: Site) -> Deed:
    site.client("administrator").post("/gateways/new", GOOD)
    fields = GOOD | {"set-password": "another", "set-source": "1069111"}
    count = lambda: sum(w.settings["source"] == "1069111" for w in ways.read())  # noqa: E731
    return Deed("administrator", "/gateways/sms_mobile", fields, count)


def _link(site: Site, holder: str) -> str:
    return f"/a/{site.house.vault.token(f'{site.holder(holder)}{chr(10)}{INCIDENT}', tokens.LENGTH)}"


def _relayed(site: Site) -> Deed:
    fields = {"means": "call", "village": "all", "version": "1"}
    url = f"{_link(site, OFFICER)}/relay"
    return Deed("", url, fields, facts(site, Reported, what="relay", unit=FENGYU))


def _decided(site: Site) -> Deed:
    pins.put(site.holder(f"{FENGYU}/leader/1"), PIN)
    fields = {"unit": FENGYU, "stop": ["work"], "pin": PIN, "replaces": "0"}
    url = f"{_link(site, f'{FENGYU}/leader/1')}/decide"
    return Deed("", url, fields, facts(site, SuspensionDecided, unit=FENGYU))


def _sent_again(site: Site) -> Deed:
    url = f"{_link(site, OFFICER)}/again"
    return Deed("", url, {}, lambda: sum(f.key.startswith("again/") for f in site.facts(Notified)))


def _drill(site: Site) -> Deed:
    fields = {"scenario": "gale", "people": "60", "seed": "3", "pace": "20", "form": "m1"}
    return Deed("clerk", "/drills/new", fields, lambda: len(site.house.simulations.all()))


def _brought(site: Site) -> Deed:
    return Deed("forecaster", "/received/new", {"text": TEXT}, lambda: len(waits()))


def _registered(site: Site) -> Deed:
    digest = site.house.reception.keep(TEXT.encode(), "paste", form="text")[0]
    site.house.reception.look()
    fields = {
        "form": "y1", "sender": "山西省气象台", "hazard": "rainstorm", "level": "red", "zone": ["140215"],
        "until": "2027-07-21T06:00", "ending": "0", "binding": "1",
    }  # fmt: skip
    return Deed("forecaster", f"/received/{digest}/take", fields, facts(site, Received))


def waits() -> list[arrivals.Arrival]:
    session = arrivals.desk()
    try:
        return arrivals.waits(session)
    finally:
        session.close()


def _announced(site: Site) -> Deed:
    fields = {
        "scenario": "gale", "unit": [JULE, "meteorology"], "begins": "2027-07-22T09:00", "form": "r1",
        "do": "announce", "typed": "演练",
    }  # fmt: skip
    site.house.lanes[0].gateway.accepts = frozenset({"test", "exercise"})
    return Deed("signer", "/drills/real/new", fields, lambda: len(site.facts(DrillSet)))


DEEDS: dict[str, tuple[Callable[[Site], Deed], ...]] = {
    "issue": (_issue,), "issue_sign": (_sign, _return), "desk_handover": (_handover,), "call": (_answered, _promised),
    "desk_do": (_do,), "letters": (_letter,), "consult": (_held, _respond), "suspend": (_suspend,), "report": (_report,),
    "media": (_aired,), "person_new": (_added,), "person_edit": (_edited,), "person_depart": (_departed,),
    "person_test": (_tested,), "post": (_appointed,), "people_import": (_imported,), "account_new": (_account,),
    "account": (_role,), "account_act": (_closed,), "gateway_new": (_gateway,), "gateway": (_settings,),
    "phone_relay": (_relayed,), "phone_decide": (_decided,), "phone_again": (_sent_again,),
    "drills_new": (_drill,), "drill_new": (_announced,), "received_new": (_brought,), "received_act": (_registered,),
}  # fmt: skip
"""Page → what is done there."""


@pytest.mark.parametrize(
    "deed", [d for all_ in DEEDS.values() for d in all_], ids=lambda d: d.__name__.strip("_")
)
def test_the_same_form_at_once_and_again_is_one_deed(busy: Site, deed: Callable[[Site], Deed]) -> None:
    it = deed(busy)
    browser = trust(busy, it.role) if it.role else Client()
    before = it.count()

    at_once = _pressed(browser, it)
    back = browser.post(it.url, it.fields)

    assert it.count() == before + 1
    for answer in (*at_once, back):
        assert answer.status_code < 500
        _clear(answer)
    assert any(a.status_code < 400 for a in at_once)
    assert "他人" not in back.content.decode(), "it was he himself"
    assert back.status_code != 404


def _pressed(browser: Client, it: Deed) -> list[Any]:
    """The answers to the same form sent several times by one browser before it has read any."""
    answers: list[Any] = []
    start = threading.Barrier(OFTEN)
    browser.handler.load_middleware()  # one server for all of them, as in earnest

    def press() -> None:
        client = Client(raise_request_exception=False)
        client.cookies, client.handler = browser.cookies, browser.handler
        start.wait(10)
        answers.append(client.post(it.url, it.fields))

    threads = [threading.Thread(target=press) for _ in range(OFTEN)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == OFTEN
    return answers


def _clear(answer: Any) -> None:
    """Either it goes on, or the page says what has happened and what to do."""
    if answer.status_code >= 400:
        assert re.search(r"[A-Z]\d{2,3}", answer.content.decode()), answer.content.decode()[-1500:]


def test_every_page_that_takes_a_form_is_here(busy: Site) -> None:
    taking = set()
    for pattern in urlpatterns:
        roles = rights.RIGHTS.get(pattern.name, {"clerk"})
        address = reverse(pattern.name, kwargs=dict.fromkeys(pattern.pattern.converters, 1))
        answer = busy.client(min(roles)).options(address)
        if "POST" in answer.headers.get("Allow", ""):
            taking.add(pattern.name)

    assert taking - DEEDS.keys() - HARMLESS.keys() == set(), "pages without their double click"
    assert (DEEDS.keys() | HARMLESS.keys()) - taking == set(), "no such pages"
