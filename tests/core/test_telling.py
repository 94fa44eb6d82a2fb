"""To whom a version is told, and what his message names: nobody is left with half of it."""

import msgspec
import pytest

from fengsui.core import wording
from fengsui.core.directory import Directory
from fengsui.core.facts import Notified, Reached
from fengsui.core.levels import Level
from tests.core.worlds import (
    ALERT,
    FENGYU,
    INCIDENT,
    JULE,
    District,
    a_directory,
    an_alert,
    at,
    only,
    with_post,
    yunzhou,
)

TOWNSHIPS = {a.id for a in yunzhou().areas.values() if a.kind == "township" and not a.valid_to}
OFFICER, DEPARTMENT = "聚乐乡-duty_officer", "water-duty_officer"
PAPER = wording.paper(wording.Draft("受强对流云团影响，", "预计未来3小时降雨量将达100毫米以上。"))


def district(directory: Directory | None = None) -> District:
    return District(directory or a_directory("聚乐乡", "峰峪乡", "water"), only("2.3.a", "2.4.1"))


def version(d: District, zones: dict[str, Level], action: str, **more) -> list[Notified]:
    """What a next version tells."""
    part = d.state().alert
    fact = an_alert(
        zones=zones, version=part.version + 1, time=f"03:{part.version:02}", action=action, **more
    )
    return [f for f in d.post(msgspec.structs.replace(fact, expires=part.expires)) if isinstance(f, Notified)]


def read(d: District, told: list[Notified], person: str) -> str:
    """The one message that a person gets."""
    (fact,) = [f for f in told if person in {r.person for r in f.recipients}]
    return wording.render(fact, (), d.world, PAPER)


# ── by telephone 电话 ────────────────────────────────────────────────────────


def test_who_was_told_by_telephone_while_no_message_left_is_told_the_end():
    d = district()
    d.post(an_alert("red", JULE))
    d.post(Reached(INCIDENT, at("02:20"), OFFICER, ALERT, "phone", "acknowledged", 1, by="desk"))

    told = version(d, {}, "cancel", withdrawn=(OFFICER, "聚乐乡-deputy"))

    assert "解除暴雨红色预警" in read(d, told, OFFICER)


def test_who_provably_heard_nothing_is_not_told_the_end():
    d = district()
    d.post(an_alert("red", JULE))

    told = version(d, {}, "cancel", withdrawn=(OFFICER,))

    assert OFFICER not in {r.person for f in told for r in f.recipients}


# ── several levels 多个级别 ──────────────────────────────────────────────────


def test_a_department_reads_every_place_with_its_level():
    d = district()
    d.post(an_alert("yellow", JULE))

    told = version(d, {JULE: "red", FENGYU: "orange"}, "upgrade")

    assert "预警区域：红色：聚乐乡；橙色：峰峪乡。" in read(d, told, DEPARTMENT)
    assert "预警区域：聚乐乡。" in read(d, told, OFFICER)


def test_who_answers_for_two_townships_reads_of_both_before_one_answer_counts_for_both():
    base = a_directory("聚乐乡", "峰峪乡")
    person = "聚乐乡-duty_officer"
    both = with_post(base, "峰峪乡", "leader", person)
    d = district(both)

    told = [f for f in d.post(an_alert(zones={JULE: "red", FENGYU: "orange"})) if isinstance(f, Notified)]

    assert "红色：聚乐乡；橙色：峰峪乡" in read(d, told, person)


def test_words_are_shared_by_all_who_are_near_the_same_places():
    d = district(a_directory("聚乐乡", "峰峪乡", "water", "education", "housing"))

    told = [f for f in d.post(an_alert(zones={JULE: "red", FENGYU: "orange"})) if isinstance(f, Notified)]

    assert len({f.key for f in told}) == len(told) == 3


# ── places that are left 移出 ────────────────────────────────────────────────


def test_two_townships_lifted_out_of_the_district_are_what_the_end_names():
    d = district()
    d.post(an_alert("red", "140215"))
    rest: dict[str, Level] = dict.fromkeys(TOWNSHIPS - {JULE, FENGYU}, "red")

    told = version(d, rest, "change", kept=tuple(rest))

    said = read(d, told, OFFICER)
    assert "解除" in said
    assert "预警区域：聚乐乡、峰峪乡。" in said or "预警区域：峰峪乡、聚乐乡。" in said


def test_lists_of_townships_lifted_out_of_the_district_are_told_the_end_there():
    d = district()
    d.post(an_alert("red", "140215"))
    rest: dict[str, Level] = dict.fromkeys(TOWNSHIPS - {JULE, FENGYU}, "red")

    (ended,) = [f for f in version(d, rest, "change", kept=tuple(rest)) if f.lists]

    assert (ended.change, ended.lists) == ("gone", ("public", "schools", "sites"))
    assert {z for z in ended.zones if z in TOWNSHIPS} == {JULE, FENGYU}
    assert "预警区域：峰峪乡、聚乐乡。" in wording.public(ended, d.world, PAPER)


# ── kept and then corrected 维持之后更正 ─────────────────────────────────────


@pytest.mark.parametrize("now", ["blue", "yellow"])
def test_who_was_kept_at_a_level_is_told_when_that_is_corrected(now):
    d = district()
    d.post(an_alert("red", JULE, FENGYU))
    version(d, {JULE: "red", FENGYU: "orange"}, "downgrade", kept=(JULE,))

    told = version(d, {JULE: now, FENGYU: "orange"}, "correct")

    assert "更正" in read(d, told, OFFICER)
    assert any(JULE in f.zones for f in told if f.lists)


def test_who_was_kept_and_whose_level_stays_hears_nothing_of_a_correction_elsewhere():
    d = district()
    d.post(an_alert("red", JULE, FENGYU))
    version(d, {JULE: "red", FENGYU: "orange"}, "downgrade", kept=(JULE,))

    told = version(d, {JULE: "red", FENGYU: "yellow"}, "correct")

    assert OFFICER not in {r.person for f in told for r in f.recipients}


def test_a_correction_goes_to_lists_where_the_wrong_version_told_them_and_nowhere_else():
    d = district()
    d.post(an_alert(zones={JULE: "red", FENGYU: "orange"}))

    told = version(d, {JULE: "yellow", FENGYU: "yellow"}, "correct")

    assert {(f.lists, f.zones) for f in told if f.lists} == {
        (("public", "schools", "sites"), (JULE,)),
        (("schools", "sites"), (FENGYU,)),
    }


def test_a_correction_that_narrows_is_taken_back_where_nothing_is_in_force_any_more():
    d = district()
    d.post(an_alert("red", "140215"))

    told = [f for f in version(d, {JULE: "red"}, "correct") if f.lists]

    assert [f.zones for f in told if f.change == "corrected"] == [(JULE,)]
    (back,) = [f for f in told if f.change == "retracted"]
    assert {z for z in back.zones if z in TOWNSHIPS} == TOWNSHIPS - {JULE}
