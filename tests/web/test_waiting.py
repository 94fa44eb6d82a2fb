"""What waits stands in the order in which it must be seen to: in force first, one card for a unit, leftovers folded."""

from __future__ import annotations

import html
import json
import re

import pytest

from fengsui.web import channels, here, tasks, waiting
from tests.flow.district import MINUTE
from tests.web.site import FENGYU, INCIDENT, JULE

GALE, XIPING = "incident-2", "140215100"
FOLD = re.compile(r'<details class="leftover".*?</details>', re.DOTALL)


@pytest.fixture(autouse=True)
def _fresh():
    channels._Kept.house = None


@pytest.fixture
def lifted(busy):
    """The red night is over, what was owed of it is not; a new orange warning is in force for 聚乐乡."""
    busy.issue(2, "")
    busy.calm()
    busy.issue(1, "orange", stream=GALE, hazard="thunderstorm_gale", zones={"140215209": "orange"})
    busy.calm()
    return busy


def desk(at, role="forecaster", path="/desk") -> str:
    page = at.client(role).get(path)
    assert page.status_code == 200
    return page.content.decode()


def sorted_(at, role="forecaster") -> waiting.Sorted:
    world = here.world()
    return waiting.sort(tasks.groups(at.account(role), world, at.now), world, at.now)


def duties(groups) -> set[tuple[str, str]]:
    return {(g.rows[0].stream, g.rows[0].duty.split("/", 2)[1]) for g in groups}


def test_while_it_is_in_force_nothing_is_a_leftover(busy):
    assert sorted_(busy).left == ()
    assert "遗留" not in desk(busy)


def test_what_is_owed_of_a_lifted_warning_is_folded_behind_what_is_in_force(lifted):
    current, left = sorted_(lifted)

    assert {stream for stream, _ in duties(left)} == {INCIDENT}
    assert {"relay", "measures", "respond"} <= {duty for _, duty in duties(left)}
    page = desk(lifted)
    fold = FOLD.search(page).group(0)
    assert f"已解除过程的遗留（{len(left)}）" in fold
    assert " open" not in fold.split(">", 1)[0]
    assert page.index("<ol") < page.index(fold)
    assert f"{len(current)} 项，最急在前" in page


def test_what_the_lifting_itself_asks_for_is_no_leftover(lifted):
    current, left = duties(sorted_(lifted).current), duties(sorted_(lifted).left)

    assert {(INCIDENT, "crawl_off"), (INCIDENT, "resume")} <= current
    assert not {duty for _, duty in left} & {"crawl_off", "badge_off", "resume", "publish"}


def test_a_supervision_goes_where_what_it_supervises_goes(lifted):
    lifted.wait(40)
    groups = sorted_(lifted)

    supervised = {g.rows[0].duty for g in groups.left if "reply_urgent" in g.rows[0].duty}
    assert "4.2.b/reply_urgent/2.4.1/relay" in supervised
    pressing = {g.rows[0].duty for g in groups.current if "reply_urgent" in g.rows[0].duty}
    assert "4.2.b/reply_urgent/2.4.3/crawl_off" in pressing


def test_leftovers_make_no_sound(lifted):
    lifted.wait(20)
    found = re.search(r'data-alarms="(.*?)"', desk(lifted)).group(1)

    alarms = json.loads(html.unescape(found))
    assert alarms
    assert not [key for key in alarms if key.startswith(INCIDENT) and "_off" not in key]


def test_a_warning_that_ran_out_comes_after_those_in_force_but_for_its_renewal(busy):
    busy.issue(
        1, "yellow", stream=GALE, hazard="gale", zones={XIPING: "yellow"}, expires=busy.now + 5 * MINUTE
    )
    busy.wait(10)
    current = sorted_(busy).current

    streams = [g.rows[0].stream for g in current if "renew" not in g.rows[0].duty]
    assert streams == sorted(streams)  # all of incident-1 before all of incident-2
    renewal = next(n for n, g in enumerate(current) if g.rows[0].duty == "2.3.a/renew")
    assert current[renewal].rows[0].stream == GALE
    assert renewal < streams.index(GALE)
    assert "已过有效期，尚未处理" in desk(busy)


def test_one_card_stands_for_a_unit_with_its_count_and_opens(busy):
    page = desk(busy)
    (card,) = re.findall(
        rf'<li class="task [^>]*><div class="what"><b>{FENGYU} 签收</b>.*?</details></li>', page, re.DOTALL
    )

    owed = [g for g in sorted_(busy).current if g.rows[0].unit == FENGYU]
    assert len(owed) > 3
    assert f"<summary>共 {len(owed)} 项</summary>" in card
    assert card.count("<a ") == min(len(owed), 1 + waiting.OTHERS)
    assert card.count("data-key=") == 1
    units = re.findall(r'<li class="task [^>]*><div class="what"><b>(\S+) ', page)
    assert len(units) == len(set(units))


def test_every_card_has_one_action_with_its_number_key(busy, lifted):
    page = desk(busy)
    cards = re.findall(r'<li class="task .*?(?=<li class="task |</ol>)', page, re.DOTALL)

    assert [re.findall(r'data-key="(\d)"', card) for card in cards] == [
        [str(n)] for n in range(1, len(cards) + 1)
    ]
    assert 'data-key="y"' in FOLD.search(page).group(0)


def test_what_ones_own_unit_owes_stands_thing_by_thing(busy):
    page = desk(busy, "township")

    titles = re.findall(r'<li class="task [^>]*><div class="what"><b>(.*?)</b>', page)
    assert len(titles) == len(sorted_(busy, "township").current)
    assert all(title.startswith(JULE) for title in titles)
    assert 'class="others"' not in page


def test_with_two_warnings_a_card_says_which_it_is_about(busy):
    assert "<i>暴雨红色</i>" not in desk(busy)
    busy.issue(1, "orange", stream=GALE, hazard="thunderstorm_gale", zones={"140215209": "orange"})

    page = desk(busy)
    assert "<i>暴雨红色</i>" in page
    assert "<i>雷暴大风橙色</i>" in page


def test_the_list_of_all_names_the_warning_and_puts_leftovers_last(lifted):
    page = desk(lifted, path="/desk/tasks?csv=1")
    about = [line.split(",")[3] for line in page.splitlines()[1:]]

    assert set(about) >= {"暴雨红色（已解除）", "雷暴大风橙色"}
    first = about.index("暴雨红色（已解除）")
    assert set(about[first:]) == {"暴雨红色（已解除）"}
