"""The verbs of a warning in force: each offered only where it fits, each ready to be handed in without a word typed."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import msgspec
import pytest

from fengsui.core import mind
from fengsui.core.directory import Person
from fengsui.core.facts import Notified
from fengsui.core.slips import Meant, found
from fengsui.core.state import World
from fengsui.store.accounts import Draft
from fengsui.web import audience, begun, foreseen, here, written
from tests.conftest import Database
from tests.flow.district import yunzhou
from tests.web.site import INCIDENT, Site, site
from tests.web.test_issue import FENGYU, JULE, XUBAO, sign, trust
from tests.web.test_leaving import later, until

HOUR = 3600 * 1_000_000
WHOLE = "140215"


def fields(page: str) -> dict[str, Any]:
    """A form as a browser sends it when nobody has touched it."""
    form = page.split('id="writing"')[1].split("</form>", maxsplit=1)[0]
    sent: dict[str, Any] = {"do": "submit"}
    for tag in re.findall("<input [^>]*>", form):
        name, value = (re.search(f'{key}="([^"]*)"', tag) for key in ("name", "value"))
        if name and ('type="hidden"' in tag or "datetime" in tag or " checked" in tag):
            sent[name[1]] = value[1] if value else ""
    return sent | dict(re.findall(r'<textarea name="([^"]+)"[^>]*>([^<]*)</textarea>', form))


def opened(site: Site, verb: str) -> dict[str, Any]:
    answer = trust(site, "forecaster").get(f"/issue/{INCIDENT}/{verb}")
    assert answer.status_code == 200, answer.content.decode()
    return fields(answer.content.decode())


def signed(site: Site, verb: str, **more: Any) -> None:
    """A verb handed in as its form stands, but for what is changed, and signed."""
    sent = opened(site, verb) | {key.replace("_", "-"): value for key, value in more.items()}
    answer = trust(site, "forecaster").post(f"/issue/{INCIDENT}/{verb}", sent)
    assert answer.status_code == 303, answer.content.decode()
    draft = Draft.objects.get(pk=int(answer["Location"].rsplit("/", 1)[1]))
    assert sign(trust(site, "signer"), draft).status_code == 303
    draft.refresh_from_db()
    if draft.state == "leaving":
        later(site, 10)
        until(lambda: Draft.objects.get(pk=draft.pk).state == "signed")
    site.calm()


def told(site: Site) -> dict[str, set[str]]:
    """Who is told by the newest version, by the change he is told of."""
    version, by = site.state().alert.version, dict[str, set[str]]()
    for one in site.facts(Notified):
        if one.version == version and one.template in ("alert", "all_clear"):
            by.setdefault(one.change, set()).update(r.person for r in one.recipients)
    return by


@pytest.fixture
def orange(quiet: Site) -> Site:
    """An orange warning for two townships."""
    quiet.issue(1, "orange", expires=quiet.now + 6 * HOUR)
    quiet.calm()
    return quiet


def test_renewing_needs_no_word_and_adds_the_signals_own_hours(orange: Site) -> None:
    before = orange.state().alert
    orange.wait(5)

    signed(orange, "renew")

    after = orange.state().alert
    hours = (yunzhou().hazards["rainstorm"].levels["orange"].valid_hours or 6) * HOUR
    assert (after.action, after.now) == ("renew", before.now)
    assert after.expires > before.expires
    assert after.expires >= orange.now // 60_000_000 * 60_000_000 + hours - 60_000_000
    assert set(told(orange)) == {"same"}


@pytest.mark.parametrize(
    ("verb", "level", "change"), [("upgrade", "red", "up"), ("downgrade", "yellow", "down")]
)
def test_a_step_takes_every_zone_with_the_forecast_of_its_level(
    orange: Site, verb: str, level: str, change: str
) -> None:
    expires = orange.state().alert.expires
    signed(orange, verb)

    alert = orange.state().alert
    assert (alert.action, set(alert.now.zones.values())) == (verb, {level})
    assert alert.expires == expires
    assert written.before(orange.state()).forecast == written.filled("rainstorm", level, orange.now)[1]
    assert set(told(orange)) == {change}


def test_lifting_has_its_cause_already(orange: Site) -> None:
    signed(orange, "cancel")

    assert not orange.state().alert.holds
    assert set(told(orange)) == {"gone"}


def test_two_townships_go_down_and_nobody_else_is_told(quiet: Site) -> None:
    quiet.issue(
        1, "orange", zones=dict.fromkeys((JULE, FENGYU, XUBAO), "orange"), expires=quiet.now + 6 * HOUR
    )
    quiet.calm()

    signed(quiet, "change", **{f"at_{JULE}": "yellow", f"at_{FENGYU}": "yellow"})

    alert = quiet.state().alert
    assert alert.now.zones == {JULE: "yellow", FENGYU: "yellow", XUBAO: "orange"}
    assert (alert.action, alert.kept) == ("downgrade", (XUBAO,))
    posts = quiet.house.writer.world.directory.posts.values()
    reached = set().union(*told(quiet).values())
    assert {p.holder for p in posts if p.area.startswith(XUBAO) and p.holder}.isdisjoint(reached)
    assert reached & {p.holder for p in posts if p.area.startswith(JULE)}


def test_a_district_is_split_into_its_townships_and_the_rest_keeps_quiet(quiet: Site) -> None:
    quiet.issue(1, "orange", zones={WHOLE: "orange"}, expires=quiet.now + 6 * HOUR)
    quiet.calm()

    signed(
        quiet,
        "downgrade",
        **{f"at_{area}": "orange" for area, _ in written.towns() if area not in (WHOLE, JULE)},
    )

    alert = quiet.state().alert
    assert alert.now.zones[JULE] == "yellow"
    assert set(alert.kept) == set(alert.now.zones) - {JULE}
    assert WHOLE not in alert.now.zones
    reached = set().union(*told(quiet).values())
    posts = quiet.house.writer.world.directory.posts.values()
    assert {p.holder for p in posts if p.area.startswith(XUBAO) and p.holder}.isdisjoint(reached)
    assert {p.holder for p in posts if p.area.startswith(JULE)} & reached


def test_a_district_that_stays_whole_stays_the_district(quiet: Site) -> None:
    quiet.issue(1, "orange", zones={WHOLE: "orange"}, expires=quiet.now + 6 * HOUR)

    signed(quiet, "upgrade")

    assert quiet.state().alert.now.zones == {WHOLE: "red"}


def test_each_level_of_a_split_has_its_own_forecast(orange: Site) -> None:
    said = {f"at_{JULE}": "red", "forecast_red": "预计未来3小时聚乐乡雨势极强。"}
    signed(orange, "change", **said)

    before = written.before(orange.state())
    assert before.forecast == "预计未来3小时聚乐乡雨势极强。"
    assert before.others == {"orange": "预计未来3小时聚乐乡、峰峪乡降雨量将达100毫米以上。"}


def test_what_stays_is_told_again_where_that_is_asked_for(orange: Site) -> None:
    signed(orange, "change", **{f"at_{JULE}": "red", "anew": "1"})

    assert orange.state().alert.kept == ()
    assert set(told(orange)) == {"up", "same"}


def test_what_it_means_is_said_for_each_place(orange: Site) -> None:
    sent = opened(orange, "change") | {f"at-{JULE}": "red", f"at-{FENGYU}": "", f"at-{XUBAO}": "yellow"}

    page = trust(orange, "forecaster").post("/issue/preview", sent).content.decode()

    lines = re.findall(r'<li class="(\w+)"><b>([^<]+)</b>.*?</span>\s*([^<]+)</li>', page)
    assert [(a, b, c.strip()) for a, b, c in lines] == [
        ("up", "升级", "聚乐乡"), ("new", "新增", "许堡乡"), ("gone", "解除", "峰峪乡"),
    ]  # fmt: skip
    assert "变更发布" in page


def test_nothing_changed_is_not_handed_in(orange: Site) -> None:
    answer = trust(orange, "forecaster").post(f"/issue/{INCIDENT}/change", opened(orange, "change"))

    assert answer.status_code in (303, 422)
    if answer.status_code == 422:
        assert "W225" in answer.content.decode()


def test_a_verb_that_does_not_fit_says_why_and_what_does(quiet: Site) -> None:
    quiet.issue(1, "red")
    client = trust(quiet, "forecaster")

    top = client.get(f"/issue/{INCIDENT}/upgrade")
    assert (top.status_code, "最高级别" in top.content.decode(), "W224" in top.content.decode()) == (
        409,
        True,
        True,
    )
    assert f"/issue/{INCIDENT}/downgrade" in top.content.decode()
    quiet.issue(2, "")
    gone = client.get(f"/issue/{INCIDENT}/renew")
    assert (gone.status_code, "已解除" in gone.content.decode()) == (409, True)
    assert f"/issue/{INCIDENT}/correct" in gone.content.decode()


@pytest.mark.parametrize("page", ["/desk", "/issue"])
def test_desk_and_form_offer_what_fits_and_nothing_else(orange: Site, page: str) -> None:
    client = trust(orange, "forecaster")
    verbs = {"renew", "upgrade", "downgrade", "change", "cancel", "correct"}

    def offered() -> set[str]:
        return set(re.findall(f'href="/issue/{INCIDENT}/(\\w+)"', client.get(page).content.decode()))

    assert offered() == verbs
    orange.issue(2, "red")
    assert offered() == verbs - {"upgrade"}


def test_one_verbs_draft_is_not_anothers(orange: Site) -> None:
    client = trust(orange, "forecaster")
    client.post("/issue/preview", opened(orange, "upgrade") | {"cause": "受低涡影响，"})

    assert "受低涡影响，" in client.get(f"/issue/{INCIDENT}/upgrade").content.decode()
    assert "受低涡影响，" not in client.get(f"/issue/{INCIDENT}/renew").content.decode()


# ── without typing ───────────────────────────────────────────────────────────


def test_every_signal_can_be_handed_in_as_it_stands(quiet: Site) -> None:
    client = trust(quiet, "forecaster")
    for hazard in here.pack().hazards.values():
        for level in hazard.levels:
            page = client.get(f"/issue?new=1&hazard={hazard.id}&level={level}").content.decode()
            assert "还不能提交" not in page or hazard.issuers, (
                hazard.id,
                level,
                page.split("还不能提交")[1][:200],
            )


def test_a_new_warning_is_for_the_whole_district_until_a_township_is_chosen(quiet: Site) -> None:
    page = trust(quiet, "forecaster").get("/issue").content.decode()

    assert re.search(f'name="zone" value="{WHOLE}" checked', page)
    assert page.count('name="zone"') - 1 == len(re.findall('name="zone" value="[0-9]+">', page))


def test_a_proposal_for_a_place_that_is_not_known_warns_nobody_else(quiet: Site) -> None:
    page = trust(quiet, "forecaster").get("/issue?hazard=rainstorm&level=red&zone=999").content.decode()

    assert not re.search('name="zone" value="[0-9]+" checked', page)


def test_phrases_are_for_hazards_that_exist() -> None:
    texts, hazards = yunzhou().texts, yunzhou().hazards
    for table in (texts.causes, texts.ends):
        assert set(table) <= set(hazards) | {"any"}
        assert all(
            written.SENTENCE.search(p) and not p.startswith("〔") for some in table.values() for p in some
        )


# ── slips ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "series", "code"),
    [
        ("发布暴雨红色预警，", "actual", "W220"),
        ("由橙色降为黄色，", "actual", ""),
        ("暴雪预警继续，", "actual", "W221"),
        ("地质灾害气象风险预警同时生效，", "actual", "W221"),
        ("并伴有雷电和短时强降雨，", "actual", ""),
        ("本次演练假定有强降雨，", "actual", "W222"),
        ("据数值模拟结果，", "actual", ""),
        ("测试信息，", "actual", "W222"),
        ("本次演练假定有强降雨，", "exercise", ""),
        ("这不是演练，", "exercise", "W223"),
    ],
)
def test_words_that_contradict_the_draft_are_found(text: str, series: str, code: str) -> None:
    wrong = found(text, Meant("rainstorm", frozenset({"orange", "yellow"}), series), yunzhou())

    assert [code in line for line in wrong] == ([True] if code else [])


def test_a_slip_blocks(orange: Site) -> None:
    sent = opened(orange, "renew") | {"forecast-orange": "预计未来3小时暴雪红色预警。"}

    page = trust(orange, "forecaster").post(f"/issue/{INCIDENT}/renew", sent)

    assert page.status_code == 422
    assert all(code in page.content.decode() for code in ("W220", "W221"))


# ── never a silent end ───────────────────────────────────────────────────────


def test_before_it_runs_out_the_desk_demands_a_decision_and_after_it_sounds(quiet: Site) -> None:
    quiet.issue(1, "orange", expires=quiet.now + HOUR)
    quiet.calm()

    def desk() -> str:
        return trust(quiet, "forecaster").get("/desk").content.decode()

    def alarms() -> dict[str, int]:
        found: dict[str, int] = json.loads(
            re.search('data-alarms="([^"]*)"', desk())[1].replace("&quot;", '"')
        )
        return found

    quiet.wait(29)
    assert "即将失效" not in desk()
    assert not any("renew" in key for key in alarms())
    quiet.wait(2)
    assert "即将失效" in desk()
    assert any("renew" in key for key in alarms())
    assert "继续、降级或解除" in desk()
    quiet.wait(30)
    assert "已过有效期，尚未处理" in desk()
    assert f"over|{INCIDENT}|1" in alarms()
    assert quiet.state().alert.holds

    signed(quiet, "cancel")
    assert not any("over" in key or "renew" in key for key in alarms())
    assert begun.VERBS


# ── every channel, and who ───────────────────────────────────────────────────


def ahead(site: Site, verb: str = "change", **more: str) -> foreseen.Foreseen:
    draft = begun.begun(verb, site.state(), site.account("forecaster").person)
    made = foreseen.foresee(msgspec.structs.replace(draft, **more), site.now)
    assert isinstance(made, foreseen.Foreseen), made
    return made


def test_the_last_message_leaves_after_parts_over_rate(orange: Site) -> None:
    orange.way.rate = 7.0
    try:
        seen = ahead(orange, "upgrade")
    finally:
        orange.way.rate = 0.0

    (load,) = seen.audience.loads
    assert (load.parts, load.rate, load.route) == (seen.messages, 7.0, orange.way.name)
    assert load.seconds == -(-seen.messages // 7)
    assert ahead(orange, "upgrade").audience.lasts == "未设限速，按对端的速度"


def test_who_is_counted_by_place_unit_and_role_and_each_once(orange: Site) -> None:
    seen = ahead(orange, "upgrade").audience

    towns, directory = dict(seen.towns), orange.house.writer.world.directory
    holders = {p.holder for p in directory.posts.values() if p.area.startswith(JULE) and p.holder}
    assert 0 < towns["聚乐乡"] <= len(holders)
    assert "许堡乡" not in towns
    assert dict(seen.roles)["值班员"] > 0
    (unit,) = [count for name, count in seen.units if name.startswith("聚乐乡")]
    assert unit == towns["聚乐乡"]


def test_whoever_has_no_number_is_named_before_anybody_signs(orange: Site) -> None:
    assert ahead(orange, "upgrade").audience.silent == []
    person = orange.holder("聚乐乡/duty_officer/1")
    world = orange.house.writer.world
    bare = msgspec.structs.replace(
        world.directory,
        persons={**world.directory.persons, person: Person(person, "聚乐乡", ())},
    )
    author, signer = (orange.account(role).person for role in ("forecaster", "signer"))
    fact = written.fact(begun.begun("upgrade", orange.state(), author), signer, orange.now)
    lent = mind.consider(fact, "x", World(world.pack, audience.equipped(bare), world.streams, world.heads))
    found = audience.silent((e.fact for e in lent.entries), bare, world)

    assert [(s.person, s.place) for s in found] == [(person, "聚乐乡值班员")]


def test_crawl_anchor_and_fax_say_what_the_form_says(orange: Site) -> None:
    voices = ahead(orange, "upgrade", cause="受低涡影响，").voices

    assert voices.crawl.startswith("【模拟】【红色预警】")
    assert "受低涡影响，" in voices.anchor
    assert voices.long == (voices.seconds > 40)
    assert dict(voices.page)["动作"] == "升级发布"
    assert dict(voices.page)["预警区域"] == "聚乐乡、峰峪乡"
    assert "成因" in dict(voices.page)
    lifted = ahead(orange, "cancel").voices
    assert (lifted.crawl, lifted.anchor, dict(lifted.page)["动作"]) == ("", "", "解除")


def test_a_drawn_ring_takes_in_the_townships_whose_points_lie_inside(quiet: Site) -> None:
    client = trust(quiet, "forecaster")
    known = {t["name"]: t["at"] for t in client.get("/issue/places").json()["towns"]}
    lat, lon = known["峰峪乡"]
    ring = [
        (lon - 0.01, lat - 0.01),
        (lon + 0.01, lat - 0.01),
        (lon + 0.01, lat + 0.01),
        (lon - 0.01, lat + 0.01),
    ]

    answer = client.post("/issue/places", {"ring": ring}, content_type="application/json")

    assert answer.json()["areas"] == [FENGYU]
    for wrong in ({"ring": ring[:2]}, {"ring": "x"}, {}, {"ring": [(0.0, 0.0)] * 501}):
        refused = client.post("/issue/places", wrong, content_type="application/json")
        assert (refused.status_code, "W226" in refused.json()["error"]) == (422, True)


def test_another_desk_goes_on_writing_and_the_draft_says_who_had_it(orange: Site) -> None:
    first, second = trust(orange, "forecaster"), trust(orange, "signer")
    first.post("/issue/preview", opened(orange, "upgrade") | {"cause": "受低涡影响，"})
    page = second.get(f"/issue/{INCIDENT}/upgrade").content.decode()
    url = re.search('action="(/issue/[0-9]+/take)"', page)[1]
    assert "别的席位正在写" in page
    assert "受低涡影响，" not in page.split('id="writing"')[1]

    answer = second.post(url)

    assert answer["Location"] == f"/issue/{INCIDENT}/upgrade"
    page = second.get(answer["Location"]).content.decode()
    assert "受低涡影响，" in page
    assert re.search("写到 [0-9:]+，由您接手", page)
    second.post("/issue/preview", fields(page) | {"cause": "受高空槽影响，"})
    draft = written.load(Draft.objects.get())
    assert [person for person, _ in draft.held] == [orange.account("forecaster").person]
    assert draft.author == orange.account("signer").person
    again = first.post(url)
    assert again.status_code == 303, "and back again"
    assert (second.post("/issue/999/take").status_code, first.post(url).status_code) == (409, 409)


def test_a_split_of_the_district_is_compared_township_by_township(quiet: Site) -> None:
    quiet.issue(1, "orange", zones={WHOLE: "orange"}, expires=quiet.now + 6 * HOUR)
    sent = opened(quiet, "change") | {f"at-{JULE}": "yellow"}

    page = trust(quiet, "forecaster").post("/issue/preview", sent).content.decode()

    lines = re.findall('<th scope="row">([^<]+)</th><td><del>([^<]+)</del></td><td><ins>([^<]+)</ins>', page)
    assert lines[0] == ("聚乐乡", "橙色", "黄色")
    assert [what for what, _, _ in lines] == ["聚乐乡", "黄色区域的预报"]


def test_a_thousand_people_are_looked_at_while_one_types(place: Database) -> None:
    with site(place, size=1000) as made:
        made.issue(1, "orange", zones={WHOLE: "orange"}, expires=made.now + 6 * HOUR)
        made.calm()
        client = trust(made, "forecaster")
        for path in ("/issue?hazard=gale&level=red", f"/issue/{INCIDENT}/upgrade"):
            client.get(path)
            times = []
            for _ in range(3):
                begun_at = time.perf_counter()
                assert client.get(path).status_code == 200
                times.append(time.perf_counter() - begun_at)
            assert sorted(times)[1] < 0.3, (path, times)
