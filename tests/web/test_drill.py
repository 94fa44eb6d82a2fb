"""A drill of real people on the pages: announced in its own words, begun, drafted from proposals, signed, ended, reported."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import pytest
from django.test import Client

from fengsui.core.facts import Alerted, DrillSet, Notified, Reached
from fengsui.store.accounts import Draft
from fengsui.web import rights
from tests.conftest import Database
from tests.flow.ways import Way
from tests.web.site import JULE, Site, site
from tests.web.test_issue import sign, trust
from tests.web.test_signing import enrolled

DRILL = "drill-20270721-1"
UNITS = ("聚乐乡", "meteorology", "media")
LINE = "演练进行中：暴雨红色之夜"


@pytest.fixture
def earnest(place: Database) -> Iterator[Site]:
    """A house in earnest with a gateway for drills and one for the rest."""
    with site(
        place, ways=[Way("drills", accepts=("exercise",)), Way("real", accepts=("actual",))], series="actual"
    ) as at:
        yield at


def form(at: Site, **more: object) -> dict[str, object]:
    begins = f"2027-07-21T{2 + (13 + 10) // 60:02d}:{(13 + 10) % 60:02d}"
    return {
        "form": "f1", "scenario": "rainstorm", "area": ["140215209"], "unit": list(UNITS), "begins": begins,
        "do": "announce", "typed": "演练",
    } | more  # fmt: skip


def drafted(at: Site) -> Draft:
    """The scenario's first version as it is proposed, handed in."""
    client = at.client("forecaster")
    page = client.get(f"/drills/real/{DRILL}").content.decode()
    url = re.search(r'href="(/issue\?[^"]+)"', page)[1].replace("&amp;", "&")
    shown = client.get(url).content.decode()
    said = dict(re.findall(r'name="(cause|forecast)"[^>]*?(?:value="|>)([^"<]*)', shown))
    data = {
        "form": "d1", "pair": "rainstorm/red", "zone": ["140215209"], "drill": DRILL, "do": "submit",
        "expires": "2027-07-21T08:13", **said,
    }  # fmt: skip
    answer = client.post("/issue", data)
    assert answer.status_code == 303, answer.content.decode()
    return Draft.objects.get(kind="alert", state="submitted")


def announced(at: Site) -> None:
    answer = at.client("signer").post("/drills/real/new", form(at))
    assert answer.status_code == 303, answer.content.decode()
    at.calm()


def turned(at: Site, what: str) -> None:
    answer = at.client("forecaster").post(f"/drills/real/{DRILL}/turn", {"do": what, "form": what})
    assert answer.status_code == 303, answer.content.decode()
    at.calm()


def test_the_very_words_are_shown_before_anybody_is_told_and_the_word_is_typed(earnest: Site) -> None:
    client = earnest.client("forecaster")
    assert "发起真人演练" in client.get("/drills/real/new").content.decode()

    looked = client.post("/drills/real/new", form(earnest, do="look")).content.decode()
    text = re.search(r'class="bubble">([^<]+)<', looked)[1]
    refused = client.post("/drills/real/new", form(earnest, typed=""))
    assert (refused.status_code, "W260" in refused.content.decode()) == (422, True)
    assert earnest.facts(DrillSet) == []

    assert client.post("/drills/real/new", form(earnest)).status_code == 303
    earnest.calm()
    (told,) = earnest.facts(Notified)
    sent = {"".join(p for _, _, p in h.parts) for _, h in earnest.house.gateways[0].sent}
    assert sent == {text}
    assert text.startswith("【云州气象】【演练】")
    assert text.endswith("【演练】")
    assert f'发给 <b class="num">{len(told.recipients)}</b> 位责任人' in looked
    assert earnest.house.gateways[1].sent == []


def test_without_a_gateway_for_drills_none_is_announced(place: Database) -> None:
    with site(place, ways=[Way("real", accepts=("actual",))], series="actual") as at:
        answer = at.client("signer").post("/drills/real/new", form(at))

        assert (answer.status_code, "W262" in answer.content.decode()) == (422, True)
        assert at.facts(DrillSet) == []


def test_a_drill_from_announcement_to_report_and_nothing_of_it_among_what_is_in_earnest(
    earnest: Site,
) -> None:
    announced(earnest)
    turned(earnest, "started")
    draft = drafted(earnest)
    desk = earnest.client("forecaster").get("/desk").content.decode()
    assert (LINE in desk, f"/issue/{draft.pk}" in desk, "暴雨红色预警" in desk) == (True, False, False)

    code, signer = enrolled(earnest), trust(earnest, "signer")
    page = signer.get(f"/issue/{draft.pk}").content.decode()
    assert '<html lang="zh-CN" class="exercise">' in page
    assert "键入“演练”确认这是演练" in page
    assert sign(signer, draft, typed="红色", code=code).status_code == 403
    assert sign(signer, draft, typed="演练", code=code).status_code == 303
    earnest.calm()
    (alert,) = earnest.facts(Alerted)
    assert (alert.series, alert.drill) == ("exercise", DRILL)
    assert earnest.house.gateways[1].sent == []

    texts = {"".join(part for _, _, part in h.parts) for _, h in earnest.way.sent}
    assert [t for t in texts if not (t.startswith("【云州气象】【演练】") and t.endswith("【演练】"))] == []
    assert any("/a/" in t for t in texts)

    person = earnest.holder(f"{JULE}/duty_officer/1")
    earnest.wait(2)
    earnest.post(Reached(alert.stream, earnest.now, person, "", "sms", "acknowledged", 1))
    live = {
        path: earnest.client("forecaster").get(path).content.decode()
        for path in ("/desk", "/desk/tasks", "/signals", "/supervision", "/media", "/desk/sheet", "/issue")
    }
    for path, text in live.items():
        assert 'class="actual"' in text, path
        assert "暴雨" not in text.replace(LINE, "").replace("暴雨红色之夜", "") or path == "/issue", path
        assert LINE in text, path
    assert Client().get("/cap/feed.json").json()["alerts"] == []
    assert earnest.client("forecaster").get("/signals/figures/actual").status_code == 200
    drill = earnest.client("forecaster").get(f"/drills/real/{DRILL}").content.decode()
    assert 'class="exercise"' in drill
    assert "暴雨红色" in drill

    earnest.wait(20)
    turned(earnest, "stopped")
    assert "演练进行中" not in earnest.client("forecaster").get("/desk").content.decode()
    assert not [
        r for r in earnest.client("forecaster").get("/desk/tasks").content.decode().split() if "签收" in r
    ]
    report = earnest.client("leader").get(f"/drills/real/{DRILL}/report").content.decode()
    assert 'class="exercise"' in report
    rows = list(
        csv.reader(
            io.StringIO(
                earnest.client("leader").get(f"/drills/real/{DRILL}/report?csv=1").content.decode("utf-8-sig")
            )
        )
    )
    answers = [r for r in rows if r[0] == "应答"]
    assert ["应答", JULE, "聚乐乡值班员", "签收", "", "02:15", "已应答", "2"] in answers
    assert any(r[6] == "未应答" for r in answers)
    assert {r[1] for r in rows[1:]} <= {JULE, "区气象局", "区融媒体中心"}
    pdf = earnest.client("leader").get(f"/drills/real/{DRILL}/report.pdf")
    assert pdf.status_code in (200, 202), pdf.content.decode()[-900:]
    names = {h.name for h in earnest.house.writer.world.directory.persons.values() if hasattr(h, "name")}
    assert not [n for n in names if n in report]


def test_only_whoever_issues_warnings_begins_or_ends_a_drill(earnest: Site) -> None:
    announced(earnest)
    for role in rights.ROLES:
        answer = earnest.client(role).post(f"/drills/real/{DRILL}/turn", {"do": "started", "form": role})
        assert (answer.status_code == 403) is (role not in ("forecaster", "signer")), role
        page = earnest.client(role).get(f"/drills/real/{DRILL}")
        assert page.status_code == 200, role
        assert ('value="stopped"' in page.content.decode()) is (role in ("forecaster", "signer")), role
    assert [f.state for f in earnest.facts(DrillSet)] == ["announced", "started"]


def test_a_drill_does_not_disturb_a_draft_in_earnest(earnest: Site) -> None:
    announced(earnest)
    turned(earnest, "started")
    client = earnest.client("forecaster")
    data = {"form": "x", "pair": "gale/blue", "zone": ["140215209"], "cause": "受冷空气影响，"}
    assert client.post("/issue/preview", data).status_code == 200
    assert client.post("/issue/preview", data | {"drill": DRILL, "pair": "rainstorm/red"}).status_code == 200

    kept = client.get("/issue").content.decode()
    assert 'value="gale/blue" data-level="blue"' in kept
    assert re.search(r'value="gale/blue"[^>]*checked', kept)


@pytest.mark.parametrize(
    "wrong",
    [
        {"form": "\0"}, {"begins": "0001-01-01T00:00"}, {"begins": "9999-12-31T23:59"}, {"begins": "soon"},
        {"scenario": "\0"}, {"unit": ["nowhere\0"]}, {"unit": []},
    ],
)  # fmt: skip
def test_what_nobody_would_enter_is_answered_in_words(earnest: Site, wrong: dict[str, object]) -> None:
    answer = earnest.client("signer").post("/drills/real/new", form(earnest, do="look", **wrong))

    assert answer.status_code in (200, 400, 422), answer.status_code
    for path in ("/drills/real/%00", "/media?drill=%00", "/desk?drill=x", "/drills/real/x/report"):
        assert earnest.client("signer").get(path).status_code < 500, path
    assert earnest.facts(DrillSet) == []
