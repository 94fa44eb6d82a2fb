"""What people read: every template renders, and the texts themselves, to be read by a person in snapshots/*.txt."""

from pathlib import Path

import msgspec
import pytest

from fengsui.core import insertion, wording
from fengsui.core.facts import Aired, Call, Notified, SuspensionDecided
from tests.core.worlds import (
    ALERT,
    DRILL,
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

SNAPSHOTS = Path(__file__).parent / "snapshots"
PAPER = wording.paper(
    wording.Draft("受副热带高压外围暖湿气流影响，", "预计未来3小时聚乐乡降水量将达100毫米以上。")
)
UNITS = ("聚乐乡", "峰峪乡", "media", "meteorology", "headquarters_office", "water")
POST, ACK = "聚乐乡/duty_officer/1", "2.4.1/acknowledge"


def night(**more):
    base = with_post(a_directory(*UNITS), "聚乐乡", "responsible_person", "塔儿村-head", area=f"{JULE}205")
    d = District(with_post(base, "聚乐乡", "liaison", "聚乐乡-liaison", deputy="聚乐乡-deputy"))
    if more.get("series") == "exercise":
        d.drilled()
        more["drill"] = DRILL
    d.post(an_alert(more.pop("level", "red"), JULE, **more))
    return d


def text(d, wanted, person):
    """The newest text of this template (or call step) that a person got."""
    for fact in reversed(d.facts):
        for r in fact.recipients if isinstance(fact, Notified) else ():
            if r.person == person and wanted in (fact.template, *[c.do for c in r.calls]):
                return wording.render(fact, r.calls, d.world, PAPER)
    raise LookupError(wanted, person)


def alert_sms():
    return text(night(), "alert", "聚乐乡-duty_officer")


def public():
    d = night()
    (fact,) = [f for f in d.facts if isinstance(f, Notified) and f.key == ALERT]
    return wording.public(fact, d.world, PAPER)


def remind():
    d = night()
    d.wait(at("02:16"))
    return text(d, "remind", "聚乐乡-liaison")


def deputy():
    d = night()
    d.wait(at("02:18"))
    return text(d, "deputy", "聚乐乡-deputy")


def superior():
    d = night()
    d.wait(at("02:40"))
    return text(d, "superior", "headquarters_office-leader")


def visit():
    d = night()
    d.answer("聚乐乡-duty_officer", at("02:14"))
    d.wait(at("02:28"))
    return text(d, "visit", "聚乐乡-duty_officer")


def due():
    d = night()
    for person in ("duty_officer", "liaison", "leader"):
        d.answer(f"聚乐乡-{person}", at("02:14"))
    d.wait(at("02:45"))
    return text(d, "remind", "聚乐乡-duty_officer")


def supervise():
    d = night()
    for person in ("duty_officer", "liaison", "leader"):
        d.answer(f"聚乐乡-{person}", at("02:14"))
    d.answer("塔儿村-head", at("02:14"))
    d.wait(at("03:00"))
    return text(d, "supervise", "聚乐乡-leader")


def bulletin():
    d = night()
    for person in ("聚乐乡-duty_officer", "聚乐乡-liaison", "聚乐乡-leader", "塔儿村-head"):
        d.answer(person, at("02:14"))
    d.wait(at("04:05"))
    return text(d, "bulletin", "聚乐乡-leader")


def summons():
    return text(night(), "summons", "water-duty_officer")


def order():
    return text(night(), "order", "media-duty_officer")


def order_off():
    d = night()
    d.post(Aired(INCIDENT, at("02:15"), "media", "crawl", on=True, by="onair", version=1))
    d.post(an_alert("", version=2, time="05:20"))
    return text(d, "order", "media-duty_officer")


def all_clear():
    d = night()
    d.post(an_alert("", version=2, time="05:20"))
    return text(d, "all_clear", "聚乐乡-duty_officer")


def correction():
    d = night()
    d.lose("聚乐乡-duty_officer", at("02:14"), notice=ALERT, why="address")
    d.wait(at("60:00"))
    fact = next(f for f in reversed(d.facts) if isinstance(f, Notified) and f.stream == "district")
    return wording.render(fact, fact.recipients[0].calls, d.world, b"")


TEXTS = (alert_sms, public, remind, deputy, superior, visit, due, supervise, bulletin, summons, order, order_off,
         all_clear, correction)  # fmt: skip


@pytest.mark.parametrize("make", TEXTS, ids=lambda f: f.__name__)
def test_the_text_reads_as_it_was_approved(make):
    """After a wanted change of words: delete the file, run once, read what was written, commit it."""
    place = SNAPSHOTS / f"{make.__name__}.txt"
    if not place.exists():
        place.write_text(make() + "\n", encoding="utf-8")
        pytest.fail(f"{place.name} 是新写的，请读过再提交")

    assert make() + "\n" == place.read_text(encoding="utf-8")


def test_a_text_depends_on_the_reason_and_never_on_the_person():
    d = night()
    (fact,) = [f for f in d.facts if isinstance(f, Notified) and f.key == ALERT]

    assert len({wording.render(fact, r.calls, d.world, PAPER) for r in fact.recipients}) == 1


@pytest.mark.parametrize(("series", "mark"), [("actual", ""), ("exercise", "【演练】"), ("test", "【模拟】")])
def test_what_is_not_in_earnest_says_so_at_both_ends(series, mark):
    d = night(series=series)
    said = text(d, "alert", "聚乐乡-duty_officer")

    assert said.startswith(f"【云州气象】{mark}云州区气象台")
    assert said.endswith(f"0非本人。{mark}")


@pytest.mark.parametrize(
    ("before", "now", "action"),
    [
        ("", "red", "发布"),
        ("red", "red", "继续发布"),
        ("orange", "red", "升级发布"),
        ("red", "orange", "降级发布"),
    ],
)
def test_the_action_is_that_of_the_change(before, now, action):
    d = District(a_directory("聚乐乡"))
    if before:
        d.post(an_alert(before, JULE))
    d.post(an_alert(now, JULE, version=2 if before else 1, time="02:30"))

    assert f"{action}暴雨{'红' if now == 'red' else '橙'}色预警信号" in text(
        d, "alert", "聚乐乡-duty_officer"
    )


def test_each_reads_his_own_level_and_its_zones():
    d = District(a_directory("聚乐乡", "峰峪乡"))
    d.post(an_alert(zones={JULE: "red", FENGYU: "yellow"}))
    d.wait(at("02:28"))

    assert "暴雨黄色预警信号：" in text(
        d, "alert", "峰峪乡-leader" if "峰峪乡-leader" in d.told() else "峰峪乡-duty_officer"
    )
    assert "预警区域：峰峪乡。" in text(d, "alert", "峰峪乡-duty_officer")
    assert "预警区域：聚乐乡。" in text(d, "alert", "聚乐乡-duty_officer")
    assert "暴雨黄色预警（峰峪乡）" in text(d, "remind", "峰峪乡-duty_officer")


def test_those_whom_a_version_leaves_read_which_zones_it_left():
    d = District(a_directory("聚乐乡", "峰峪乡"))
    d.post(an_alert())
    d.post(an_alert("red", JULE, version=2, time="02:30"))

    assert "预警区域：峰峪乡。" in text(d, "all_clear", "峰峪乡-duty_officer")


def test_who_is_missing_is_named_with_the_village_and_long_lists_are_counted():
    villages = [a for a in yunzhou().areas.values() if a.parent == JULE]
    base = a_directory("聚乐乡", "headquarters_office")
    for v in villages[:8]:
        base = with_post(base, "聚乐乡", "responsible_person", f"{v.id}-head", area=v.id)
    d = District(base, only("2.3.a", "2.4.1"))
    d.post(an_alert("red", JULE))
    d.wait(at("02:21"))

    said = text(d, "superior", "聚乐乡-leader")
    assert f"聚乐乡人民政府{villages[0].name}应急责任人签收" in said
    assert "等9项" in said


def test_a_term_on_another_day_bears_its_date():
    assert "时限7月22日" in correction()
    assert "时限2时" in due()


def test_every_template_of_the_pack_renders_for_every_step():
    d = night()
    d.post(SuspensionDecided(INCIDENT, at("02:20"), "聚乐乡", "a", ("work",)))
    d.wait(at("09:00"))
    d.post(an_alert("", version=2, time="09:01"))
    told = [(f, r) for f in d.facts if isinstance(f, Notified) for r in f.recipients]
    texts = [wording.render(f, r.calls, d.world, PAPER) for f, r in told]

    assert not [t for t in texts if "{" in t or "None" in t or "，，" in t or "（）" in t]
    assert {"alert", "order", "summons", "call", "all_clear"} == {f.template for f, _ in told}
    assert {"remind", "deputy", "superior", "visit", "supervise", "bulletin"} == {
        c.do for _, r in told for c in r.calls
    }


def test_the_pack_uses_no_field_that_nobody_fills():
    d = night()
    (fact,) = [f for f in d.facts if isinstance(f, Notified) and f.key == ALERT]
    calls = (Call("remind", ACK, POST),)
    for name in set(yunzhou().texts.templates) - {"link"}:
        assert wording.render(msgspec.structs.replace(fact, template=name), calls, d.world, PAPER)


def test_a_draft_survives_its_paper_and_nothing_written_is_empty():
    assert wording.draft(PAPER).forecast == "预计未来3小时聚乐乡降水量将达100毫米以上。"
    assert wording.draft(b"") == wording.Draft()


def test_titles_and_terms_are_the_packs():
    assert wording.title("2.4.1/relay", yunzhou()) == "再传播"
    assert wording.title("2.4.1/support/聚乐乡", yunzhou()) == "需支援的处置"
    assert wording.within("2.4.1/relay", "red", yunzhou()) == "15m（本区约定（待核实））"


def test_an_announcer_says_four_characters_a_second():
    assert wording.seconds("字" * 160) == 40
    assert wording.seconds("，。" * 50) == 0


@pytest.mark.parametrize(("length", "said"), [(5, 3), (25, 2), (60, 1), (200, 1)])
def test_an_announcement_says_as_much_of_the_guide_as_fits_its_time_and_something_in_any_case(length, said):
    guide = tuple(str(n) * length for n in range(1, 5))
    pack = yunzhou()
    hazard = pack.hazards["rainstorm"]
    red = msgspec.structs.replace(hazard.levels["red"], guide=guide)
    hazard = msgspec.structs.replace(hazard, levels=hazard.levels | {"red": red})
    d = night(series="actual")
    d.pack = msgspec.structs.replace(pack, hazards=pack.hazards | {"rainstorm": hazard})

    text = insertion.words(d.streams[INCIDENT], "anchor", d.world, PAPER)

    assert [item in text for item in guide] == [n < said for n in range(4)]
    assert said == 1 or wording.seconds(text) <= 40
