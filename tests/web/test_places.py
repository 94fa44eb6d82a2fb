"""Two and three warnings at once: every township with all of them, one's own first, one of them alone on demand."""

from __future__ import annotations

import re

import pytest

from fengsui.core.levels import LEVELS
from fengsui.store.progress import Channel
from fengsui.web import atlas, channels, here, outlook, places
from tests.web.site import FENGYU, INCIDENT, JULE

DAY = "2027-07-21"
GALE, BOLT = "incident-2", "incident-3"
JULE_AREA, XIPING = "140215209", "140215100"


@pytest.fixture(autouse=True)
def _fresh():
    channels._Kept.house = None


@pytest.fixture
def three(busy):
    """Red rain over 聚乐乡 and 峰峪乡, an orange gale over 西坪镇, yellow lightning over 聚乐乡 and 西坪镇."""
    busy.issue(1, "orange", stream=GALE, hazard="thunderstorm_gale", zones={XIPING: "orange"})
    busy.issue(1, "yellow", stream=BOLT, hazard="lightning", zones={JULE_AREA: "yellow", XIPING: "yellow"})
    busy.calm()
    return busy


def looked(at):
    world = here.world()
    found = outlook.warned(world, at.now, {})
    return [(w, outlook.towns(world.at(w.stream), world, at.now, DAY)) for w in found]


def desk(at, role="forecaster", of="") -> str:
    page = at.client(role).get(f"/desk?of={of}")
    assert page.status_code == 200
    return page.content.decode()


def table(page: str) -> list[str]:
    body = re.search(r'<table class="townlist.*?</table>', page, re.DOTALL).group(0)
    return re.findall(r"<tr class=.*?</tr>", body, re.DOTALL)


def test_every_township_stands_once_with_its_highest_level_and_a_sign_for_each_hazard(three):
    found = {p.name: p for p in places.places(looked(three), "")}

    assert len(found) == 9
    assert [s.name for s in found[JULE].signs] == ["暴雨红色", "雷电黄色"]
    assert [s.name for s in found["西坪镇"].signs] == ["雷暴大风橙色", "雷电黄色"]
    assert {n: p.level for n, p in found.items() if p.level} == {
        FENGYU: "red", JULE: "red", "西坪镇": "orange",
    }  # fmt: skip
    assert found["杜庄乡"].signs == ()


def test_a_township_is_as_far_as_where_it_is_furthest_behind(three):
    found = {p.name: p for p in places.places(looked(three), "")}

    assert [t.state for t in found[JULE].towns] == ["relayed", "none", "planned"]
    assert (found[JULE].state, found[JULE].word) == ("planned", "待送达")
    assert found[JULE].said.startswith("暴雨：已再传播，签收 ")
    assert "；雷电：待送达，" in found[JULE].said
    assert found[JULE].call.startswith(f"{BOLT}|")


def test_trouble_stands_first_then_the_higher_level_and_ones_own_before_all(three):
    found = places.places(looked(three), "")
    keys = [(places.ORDER.index(p.state), -LEVELS.index(p.level) if p.level else 1) for p in found]
    assert keys == sorted(keys)
    assert found[0].name == FENGYU

    own = places.places(looked(three), "西坪镇")
    assert own[0].name == "西坪镇"
    assert [p.name for p in own[1:]] == [p.name for p in found if p.name != "西坪镇"]


def test_the_desk_shows_all_warnings_in_one_table_and_one_alone_on_demand(three):
    page = desk(three)
    assert "3 条生效预警合看" in page
    assert re.findall(r'<th scope="col">(\S+色)</th>', page) == ["暴雨红色", "雷暴大风橙色", "雷电黄色"]
    first = table(page)[0]
    assert first.count('<td class="cell') == 3
    assert "！ 超时" in first

    alone = desk(three, of=BOLT)
    assert "<small>雷电黄色预警</small>" in alone
    assert {re.search(r'row">(\S+?) ', row).group(1) for row in table(alone)[:2]} == {JULE, "西坪镇"}
    assert "<small>暴雨红色预警</small>" in desk(three, of=INCIDENT)


def test_each_choice_is_a_link_with_a_key_and_says_which_is_shown(three):
    def choices(page):
        nav = re.search(r'<nav class="which".*?</nav>', page, re.DOTALL).group(0)
        found = re.findall(r'<a href="\?of=(\S*?)"(.*?) data-key="(\w)">', nav)
        return [(key, of) for of, _, key in found], [of for of, more, _ in found if "aria-current" in more]

    keys, shown = choices(desk(three))
    assert keys == [("a", "all"), ("b", INCIDENT), ("c", GALE), ("d", BOLT)]
    assert shown == ["all"]
    assert choices(desk(three, of=GALE))[1] == [GALE]
    assert choices(desk(three, of="nonsense"))[1] == ["all"]


def test_one_warning_leaves_no_choice(busy):
    assert 'class="which"' not in desk(busy)
    assert "<small>暴雨红色预警</small>" in desk(busy)


def test_a_township_sees_its_own_warnings_and_its_own_row_first(three):
    page = desk(three, "township")  # of 聚乐乡, which the gale does not touch

    assert re.findall(r"<h3>(\S+?)预警信号", page) == ["暴雨红色", "雷电黄色", "雷暴大风橙色"]
    assert "2 条生效预警合看" in page
    assert "本乡镇 2 条" in page
    assert JULE in table(page)[0]
    whole = desk(three, "township", of="all")
    assert "3 条生效预警合看" in whole
    assert JULE in table(whole)[0]


def test_a_township_with_one_warning_sees_that_one(busy):
    busy.issue(1, "orange", stream=GALE, hazard="thunderstorm_gale", zones={XIPING: "orange"})

    page = desk(busy, "township")
    assert "<small>暴雨红色预警</small>" in page
    assert "本乡镇" not in page
    assert JULE in table(page)[0]


def test_a_township_no_warning_touches_sees_them_all(busy):
    busy.issue(2, "red", zones={"140215202": "red"})
    busy.issue(1, "orange", stream=GALE, hazard="thunderstorm_gale", zones={XIPING: "orange"})
    gone = [t for _, towns in looked(busy) for t in towns if t.name == JULE and t.level]

    assert gone == []
    assert "2 条生效预警合看" in desk(busy, "township")


def test_the_sketch_bears_every_sign_and_no_words_leave_it_or_cover_a_point(three):
    found = atlas.sketch(places.places(looked(three), ""), here.pack())
    spots = {s.town.name: s for s in found.spots}

    assert [s.name for _, _, s in spots[JULE].signs] == ["暴雨红色", "雷电黄色"]
    for spot in found.spots:
        left, top, right, bottom = spot.box
        assert 0 <= left < right <= found.width, spot.town.name
        assert 0 <= top < bottom <= found.height, spot.town.name
        covered = [
            o.town.name for o in found.spots if o is not spot and left < o.x < right and top < o.y < bottom
        ]
        assert covered == [], spot.town.name
    assert spots[JULE].basis == "乡内区域自动站 B5121（西关村）"
    assert [s.basis for s in found.spots if s.town.name != JULE] == [""] * 8


@pytest.mark.parametrize(
    ("counts", "said", "look"),
    [
        ((69, 69, 0, 0, 0), "邮件 待交出 69", "wait"),
        ((69, 20, 49, 0, 0), "邮件 待交出 20，已交出 49，尚无回执", "wait"),
        ((69, 0, 69, 0, 0), "邮件 已交出 69，尚无回执", "wait"),
        ((69, 0, 69, 60, 0), "邮件 已交出 69，送达 60", "wait"),
        ((69, 0, 69, 60, 2), "邮件 已交出 69，送达 60，未达 2", "wait"),
        ((69, 0, 69, 69, 0), "邮件 已交出 69，送达 69", "ok"),
        ((2, 0, 0, 0, 2), "邮件 未达 2", "wait"),
        ((2, 0, 0, 0, 0), "邮件 未交出", "wait"),
    ],
)
def test_a_channels_planned_handed_over_and_delivered_are_never_mixed(counts, said, look):
    assert list(outlook._channels([Channel("email", *counts)])) == [outlook.Mark(said, look)]


def test_who_answered_by_telephone_has_had_nothing_delivered(quiet):
    quiet.issue()
    quiet.calm()  # handed over, no receipt
    post = f"{FENGYU}/duty_officer/1"
    quiet.answer(quiet.holder(post))

    (town,) = [t for t in outlook.towns(quiet.state(), here.world(), quiet.now, DAY) if t.name == FENGYU]
    assert town.delivered.text.startswith("0/")
    assert not town.answered.text.startswith("0/")
    assert re.search(r"短信 已交出 \d+，尚无回执", desk(quiet))
