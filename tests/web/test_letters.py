"""A reply that no program understands stands before a person in its own words, until he has said what it means."""

from __future__ import annotations

import re

from fengsui.gateways.contract import Reply
from fengsui.store import people
from fengsui.store.sql import Session
from tests.web.site import FENGYU, Site

WORDS = "正在往村里赶，路上有积水"
SILENT = f"{FENGYU}/duty_officer/1"


def heard(site: Site, person: str, text: str) -> None:
    """A person's phone wrote this."""
    session = Session()
    number = people.numbers(session, site.house.vault, person)[0].value
    session.close()
    site.house.writer.post_inbound(site.way.name, [Reply(number, "1009900", text)]).result(10)
    site.house.mailroom.wake()
    site.calm()


def waiting(page) -> list[str]:
    """Ids of the letters on a page."""
    return re.findall(r'name="letter" value="([0-9a-f]+)"', page.content.decode())


def settled(site: Site, text: str) -> None:
    for _ in range(200):
        if text in site.client("clerk").get("/desk/letters").content.decode():
            return
        site.calm()
    raise AssertionError(text)


def test_what_nobody_understands_waits_on_the_desk_in_its_own_words(busy: Site) -> None:
    heard(busy, busy.holder(SILENT), WORDS)

    settled(busy, WORDS)
    assert "看原话并登记" in busy.client("clerk").get("/desk").content.decode()
    assert WORDS not in busy.client("township").get("/desk").content.decode()


def test_a_person_says_what_it_means_and_it_counts_once(busy: Site) -> None:
    person = busy.holder(SILENT)
    heard(busy, person, WORDS)
    settled(busy, WORDS)
    client = busy.client("clerk")
    letter = waiting(client.get("/desk/letters"))[0]

    first = client.post("/desk/letters", {"letter": letter, "meaning": "1"})
    again = client.post("/desk/letters", {"letter": letter, "meaning": "1"})

    assert (first.status_code, again.status_code) == (302, 302)
    assert busy.state().duties["2.4.1/acknowledge"].shares[SILENT].how == "done"
    assert "没有看不懂的回复" in client.get("/desk/letters").content.decode()


def test_a_stranger_can_only_be_laid_aside(busy: Site) -> None:
    busy.house.writer.post_inbound(busy.way.name, [Reply("10099999999", "1009900", "退订")]).result(10)
    busy.house.mailroom.wake()
    settled(busy, "退订")
    client = busy.client("clerk")
    shown = client.get("/desk/letters")

    assert "不能代为登记" in shown.content.decode()
    assert "10099999999" not in shown.content.decode()
    client.post("/desk/letters", {"letter": waiting(shown)[0], "meaning": "none"})
    assert waiting(client.get("/desk/letters")) == []
