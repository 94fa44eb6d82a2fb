"""What other systems get: the public feed, a message's own bytes, and nothing when it cannot be signed."""

from __future__ import annotations

import html
import io
import time
from collections.abc import Callable
from pathlib import Path

import feedparser
import msgspec
import pytest
from cryptography import x509
from django.test import Client
from lxml import etree

from fengsui.core.cap_forms import references
from fengsui.formats.cap import write
from fengsui.formats.cap.trust import pinned
from fengsui.formats.cap.verdict import verdict
from fengsui.store import archive, caps
from fengsui.store.sql import Session
from fengsui.store.sql import archive as open_archive
from tests.web.site import INCIDENT, Site, site

SCHEMA = etree.XMLSchema(file=str(Path(write.__file__).parent / "schema" / "CAP-v1.2.xsd"))


@pytest.fixture
def actual(database):
    with site(database, series="actual") as running:
        yield running


def told(at: Site, count: int, stream: str = INCIDENT) -> list[caps.Cap]:
    """What became of a stream's versions, once there are so many."""
    return until(lambda: known(stream), lambda found: len(found) >= count)


def known(stream: str) -> list[caps.Cap]:
    session = Session()
    try:
        return caps.thread(session, stream)
    finally:
        session.close()


def until(ask: Callable, well: Callable, seconds: float = 15):
    end = time.monotonic() + seconds
    while not well(found := ask()):
        assert time.monotonic() < end, found
        time.sleep(0.02)
    return found


def body(cap: caps.Cap, form: str = "xml") -> bytes:
    answer = Client().get(f"/cap/{cap.identifier}.{form}")
    assert answer.status_code == 200, answer
    return answer.content


def test_feed_page_and_archive_give_the_same_signed_bytes(actual):
    actual.issue(series="actual")
    (cap,) = told(actual, 1)

    content = body(cap)
    papers = open_archive()
    assert archive.get(papers, cap.digest) == content
    papers.close()
    pem = Client().get("/cap/certificates.pem").content
    (certificate,) = x509.load_pem_x509_certificates(pem)
    said = verdict(content, (pinned(certificate, ""),))
    assert said.valid, said.findings
    assert said.alert.status == "Actual"
    SCHEMA.assertValid(etree.fromstring(content))
    assert cap.identifier == said.alert.identifier == "14021541600000_20270721021300"
    as_json = Client().get(f"/cap/{cap.identifier}.json").json()
    assert as_json["sent"] == "2027-07-21T02:13:00+08:00"
    assert as_json["info"][0]["area"][0]["geocode"][0]["valueName"] == "CPEAS Geographic Code"
    assert Client().get("/cap/feed.json").json()["alerts"][0]["identifier"] == cap.identifier


def test_an_atom_reader_finds_every_version_newest_first_and_they_refer_to_each_other(actual):
    actual.issue(series="actual")
    actual.issue(2, "orange", series="actual")
    actual.issue(3, "", series="actual")
    found = told(actual, 3)

    feed = feedparser.parse(io.BytesIO(Client().get("/cap/feed.atom").content))
    assert not feed.bozo
    assert [e.title for e in feed.entries] == [
        "云州区气象台解除暴雨橙色预警[Ⅱ级/严重]",
        "云州区气象台变更发布暴雨橙色预警[Ⅱ级/严重]",
        "云州区气象台发布暴雨红色预警[Ⅰ级/特别严重]",
    ]
    assert [link.type for e in feed.entries for link in e.links] == ["application/cap+xml"] * 3
    newest = Client().get(feed.entries[0].link.replace("http://testserver", ""))
    last = verdict(newest.content).alert
    assert last.msg_type == "Cancel"
    assert [r.identifier for r in references(last.references)] == [c.identifier for c in found[:2]]
    assert len({c.identifier for c in found}) == 3, "the same second is never given twice"


@pytest.mark.parametrize(("series", "feed"), [("exercise", "exercise"), ("test", "test")])
def test_drills_and_rehearsals_stand_in_feeds_of_their_own(database, series, feed):
    with site(database, series=series) as running:
        running.issue(series=series)
        (cap,) = told(running, 1)
        seen = {
            name: [a["identifier"] for a in Client().get(f"/cap/{name}.json").json()["alerts"]]
            for name in ("feed", "exercise", "test")
        }
        assert seen == {name: [cap.identifier] if name == feed else [] for name in seen}


def test_who_has_it_already_gets_no_second_copy(actual):
    actual.issue(series="actual")
    (cap,) = told(actual, 1)

    for path in ("/cap/feed.atom", "/cap/feed.json", f"/cap/{cap.identifier}.xml"):
        first = Client().get(path)
        assert first["Last-Modified"] == "Tue, 20 Jul 2027 18:13:00 GMT"
        assert "no-store" not in first["Cache-Control"]
        assert "Set-Cookie" not in first
        again = Client().get(path, headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
        assert Client().get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    actual.issue(2, "orange", series="actual")
    told(actual, 2)
    first = Client().get("/cap/feed.atom", headers={"If-None-Match": first["ETag"]})
    assert first.status_code == 200


def test_what_is_not_there_is_not_found(actual):
    for path in ("/cap/feed.xml", "/cap/14021541600000_20270721021300.xml", "/cap/other.atom"):
        assert Client().get(path).status_code == 404
    assert Client().post("/cap/feed.atom").status_code in (403, 405)
    assert feedparser.parse(io.BytesIO(Client().get("/cap/feed.atom").content)).entries == []


def test_nothing_of_persons_is_in_what_others_get(actual):
    actual.issue(series="actual")
    (cap,) = told(actual, 1)

    posts = actual.house.writer.world.directory.posts
    everything = body(cap) + body(cap, "json") + Client().get("/cap/feed.atom").content
    assert not [p.holder for p in posts.values() if p.holder.encode() in everything]


def test_without_a_key_nothing_leaves_the_desk_says_so_and_it_leaves_with_the_next_key(actual):
    from fengsui.store import signet

    place = actual.house.vault.directory
    alarms = []
    actual.house.writer.alarm.append(alarms.append)
    for file in (place / "keys").glob("signet-*.pem"):
        file.unlink()
    actual.issue(series="actual")
    (cap,) = until(lambda: known(INCIDENT), lambda found: bool(found and found[0].fault))

    assert cap.digest == ""
    assert "S025" in cap.fault
    assert until(lambda: [a.code for a in alarms if a.code == "R061"], bool) == ["R061"]
    assert Client().get(f"/cap/{cap.identifier}.xml").status_code == 404
    assert "对外报文" in actual.client().get("/desk").content.decode()

    signet.add(place, "x", actual.now)
    actual.house.publisher._wake.set()
    (cap,) = until(lambda: known(INCIDENT), lambda found: bool(found[0].digest))
    assert cap.fault == ""
    assert verdict(body(cap)).valid
    assert "对外报文" not in actual.client().get("/desk").content.decode()


def test_what_the_gate_refuses_does_not_leave_and_the_next_does(actual):
    from fengsui.core import wording
    from fengsui.store.archive import Paper
    from tests.flow.district import alert

    paper = Paper("alert", wording.paper(wording.Draft("", "这是一次演练。")))
    actual.post(alert(1, "red", at=actual.now, series="actual", paper=paper.digest), papers=[paper])
    actual.issue(2, "orange", series="actual")
    first, second = told(actual, 2)

    assert (first.digest, "X608" in first.fault) == ("", True)
    assert second.digest
    desk = actual.client().get("/desk").content.decode()
    assert "对外报文没有发出：暴雨橙色第 1 版" in desk, "a card, with its way"
    assert f'href="/signals/{INCIDENT}/1"' in desk
    page = actual.client().get(f"/signals/{INCIDENT}/1").content.decode()
    assert "没有发出" in page
    assert "X608" in page


def test_the_page_of_a_signal_leads_to_its_messages(actual):
    actual.issue(series="actual")
    (cap,) = told(actual, 1)

    assert f"/cap/{cap.identifier}.xml" in actual.client().get(f"/ledger/{INCIDENT}").content.decode()
    page = actual.client().get(f"/signals/{INCIDENT}/1").content.decode()
    assert html.unescape(page.split('<pre class="raw">')[1].split("</pre>")[0]).encode() == body(cap), (
        "byte for byte"
    )
    assert cap.digest in page


def test_a_draft_is_shown_as_others_would_get_it_or_why_they_would_not(actual):
    from fengsui.web import voices
    from fengsui.web.written import Written

    actual.issue(series="actual")
    told(actual, 1)
    draft = Written(
        stream=INCIDENT, replaces=1, hazard="rainstorm", zones={"140215209": "orange"},
        expires=actual.now + 3600_000_000, forecast="预计未来3小时降雨减弱。", author="forecaster", series="actual",
    )  # fmt: skip

    text, faults = voices.cap(draft, actual.now)
    assert faults == []
    shown = verdict(text.encode()).alert
    assert (shown.msg_type, shown.infos[0].severity) == ("Update", "Severe")
    assert "14021541600000_20270721021300" in shown.references
    text, faults = voices.cap(msgspec.structs.replace(draft, forecast="这是演练。"), actual.now)
    assert text
    assert "X608" in faults[0]
