"""The document and the pack that executes it agree: every word quoted stands there, every duty-bearing word is quoted."""

import re
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from fengsui.core.levels import LEVELS
from fengsui.core.lint import squeeze
from fengsui.formats import geo, packs

SHARED = Path(__file__).resolve().parents[3] / "shared" / "domain"
LIVE = {"2.1.3", "2.3.a", "2.3.b", "2.4.1", "2.4.2", "2.4.3", "4.2.b"}
CLAUSES = [
    "1", "2.1.1", "2.1.2", "2.1.3", "2.1.4", "2.2", "2.3.a", "2.3.b", "2.4.1", "2.4.2", "2.4.3", "2.5",
    "3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "4.1", "4.2.a", "4.2.b", "4.3",
]  # fmt: skip
MEMBERS = {
    "natural_resources", "water", "agriculture", "emergency", "fire_rescue", "meteorology", "transport", "traffic_police",
    "forestry", "ecology", "culture_tourism", "media", "headquarters_office", "education", "housing", "industry", "health",
}  # fmt: skip
TOWNSHIPS = ["西坪镇", "倍加造镇", "周士庄镇", "吉家庄乡", "峰峪乡", "杜庄乡", "党留庄乡", "聚乐乡", "许堡乡"]


@cache
def pack():
    return packs.load("yunzhou")


def quotes():
    return [squeeze(quote) for clause in pack().clauses.values() for quote in clause.quotes]


def inside(x, y, ring):
    sides = zip(ring, (*ring[1:], ring[0]), strict=True)
    return (
        sum((b > y) != (d > y) and x < (c - a) * (y - b) / (d - b) + a for (a, b), (c, d) in sides) % 2 == 1
    )


def leaves(tree):
    if tree is None:
        return []
    branches = tree.get("any", tree.get("all"))
    return [tree] if branches is None else [found for branch in branches for found in leaves(branch)]


# ── the document 原文 ─────────────────────────────────────────────────────────


def test_every_clause_is_there_once_and_only_the_live_ones_open_duties():
    assert sorted(pack().clauses) == CLAUSES
    assert {c.id for c in pack().clauses.values() if not c.planned} == LIVE


def test_every_quote_stands_in_the_document_word_for_word():
    text = squeeze(pack().document.text)

    assert [quote for quote in quotes() if quote not in text] == []


def test_every_line_of_responsible_units_is_quoted_by_as_many_clauses_as_it_binds():
    lines = [squeeze(line) for line in pack().document.text.splitlines() if line.startswith("责任单位")]

    assert len(lines) == 10
    assert set(lines) == {quote for quote in quotes() if quote.startswith("责任单位")}


def test_every_sentence_that_demands_something_is_quoted_or_excused():
    excused = {squeeze(line["quote"]) for line in pack().document.not_executable if line["reason"]}
    sentences = [
        s
        for line in pack().document.text.splitlines()
        for s in re.split("[。；]", squeeze(line))
        if re.search("[应要]", s)
    ]

    assert len(sentences) > 20
    assert [s for s in sentences if s not in excused and not any(s in quote for quote in quotes())] == []


@pytest.mark.parametrize(
    ("clause", "count"), [("2.1.1", 6), ("2.1.2", 10), ("2.1.3", 5), ("2.1.4", 9), ("2.2", 6), ("2.4.3", 2)]
)
def test_responsible_are_exactly_the_units_of_the_line(clause, count):
    found = pack().clauses[clause]
    line = next(quote for quote in found.quotes if quote.startswith("责任单位"))
    named = [name.removeprefix("区") for name in line.removeprefix("责任单位：").split("、")]

    assert [pack().units[unit].name.removeprefix("区") for unit in found.responsible] == named
    assert len(named) == count


def test_every_number_says_who_set_it():
    duties = [duty for clause in pack().clauses.values() for duty in clause.duty]

    assert len(duties) == 54
    assert [duty.name for duty in duties if duty.within and not duty.within_basis] == []
    assert not re.search(r"\d+(分钟|小时)", pack().document.text)


def test_a_call_for_support_is_a_duty_of_the_headquarters_office():
    support = next(duty for duty in pack().clauses["2.4.1"].duty if duty.name == "support")

    assert (support.who, support.within, support.evidence, support.haste) == (
        ("headquarters_office",), "10m", ("support_settled",), "urgent",
    )  # fmt: skip
    assert [(t.on, t.what) for t in support.triggers] == [("report", ("support",))]


# ── hazards 灾种 ──────────────────────────────────────────────────────────────


def test_counts_of_hazards_levels_leaves_and_guide_items():
    national, all_of_them = packs.hazards("national"), pack().hazards
    first = {**all_of_them, **national}  # the rainstorm as the nation has it
    signals = [signal for hazard in first.values() for signal in hazard.levels.values()]
    tests = [leaf for signal in signals for leaf in leaves(signal.criterion)]

    assert (len(national), len(all_of_them), len(signals)) == (14, 22, 68)
    assert sum(len(hazard.levels) for hazard in national.values()) == 44
    assert (len(tests), sum("var" in leaf for leaf in tests)) == (160, 148)
    assert sum(len(signal.guide) for signal in signals) == 243


def test_the_shanxi_rainstorm_replaces_the_national_one_and_leaves_two_values_open():
    signals = pack().hazards["rainstorm"].levels
    tests = [leaf for signal in signals.values() for leaf in leaves(signal.criterion)]

    assert (list(signals), len(tests)) == (list(LEVELS), 13)
    assert [leaf["config"] for leaf in tests if "value" not in leaf] == [
        "shanxi.rain.orange.1h",
        "shanxi.rain.red.1h",
    ]
    assert packs.hazards("national")["rainstorm"] != pack().hazards["rainstorm"]


def test_nothing_from_memory_or_inference_passes_for_verified():
    doubtful = [
        (hazard.id, level)
        for hazard in pack().hazards.values()
        for level, signal in hazard.levels.items()
        if signal.verified
        and (not re.search(r"S\d", signal.source) or re.search("记忆|推断|拟定|未查到|大意", signal.source))
    ]

    assert doubtful == []


def test_every_hazard_has_a_code_of_12379_and_joint_ones_two_issuers():
    assert [h.id for h in pack().hazards.values() if not any(c["scheme"] == "cma" for c in h.codes)] == []
    assert {h.id: len(h.issuers) for h in pack().hazards.values() if h.issuers} == {
        "geohazard": 2, "flash_flood_risk": 2, "forest_fire": 2, "heavy_pollution": 2,
    }  # fmt: skip
    codes = {c["value"] for h in pack().hazards.values() for c in h.codes if c["scheme"] == "cma"}
    assert not {f"11B{n}" for n in range(73, 100)} & codes  # inventions of a plug-in


# ── units and areas 单位与区域 ────────────────────────────────────────────────


def test_seventeen_members_nine_townships_and_the_railway_as_a_guest():
    assert set(pack().group("members")) == MEMBERS
    assert len(MEMBERS) == 17
    assert list(pack().group("townships")) == TOWNSHIPS
    assert pack().units["railway"].groups == ()
    assert not any(unit.verified for unit in pack().units.values())


def test_superiors_lead_to_the_district_government():
    units = pack().units

    assert {units[name].superior for name in TOWNSHIPS} == {"headquarters_office"}
    assert {units[name].superior for name in MEMBERS - {"headquarters_office"}} == {"government"}
    assert units["headquarters_office"].superior == "headquarters"  # which decides on what it has consulted
    assert units["headquarters"].superior == "government"
    assert {units[name].area for name in MEMBERS} == {"140215"}


def test_areas_are_one_district_nine_townships_and_140_villages():
    standing = [area for area in pack().areas.values() if not area.valid_to]

    assert Counter(area.kind for area in standing) == {"district": 1, "township": 9, "village": 140}
    assert [pack().units[name].area for name in ("西坪镇", "倍加造镇")] == ["140215100", "140215101"]
    gone = [area for area in pack().areas.values() if area.valid_to]
    assert [(area.name, area.successor) for area in gone] == [("瓜园乡", "140215100")]


def test_every_township_has_a_point_inside_the_district_with_its_basis():
    standing = [a for a in pack().areas.values() if a.kind == "township" and not a.valid_to]
    (border,) = geo.read(packs.SHIPPED / "yunzhou/boundary.geojson")

    assert all(inside(a.lon, a.lat, border.rings[0]) and a.point_basis for a in standing)
    assert pack().areas["140215209"].point_basis == "乡内区域自动站 B5121（西关村）"
    assert "665121" in pack().areas["140215209"].source


def test_the_same_digits_mean_two_townships_in_the_two_schemes():
    by_code = {
        (code.scheme, code.value.removesuffix("000")): area.name
        for area in pack().areas.values()
        for code in area.codes
    }

    assert by_code["nbs", "140215205"] == "党留庄乡"
    assert by_code["mca", "140215205"] == "聚乐乡"


# ── texts 文本 ────────────────────────────────────────────────────────────────


def test_a_warning_of_common_length_fits_three_messages():
    texts = pack().texts
    real = {
        "issuer": texts.issuer, "date": "2027年7月17日", "time": "14时40分", "action": "发布", "hazard": "暴雨", "level": "红色",
        "cause": "受强对流云系影响，聚乐乡、峰峪乡过去2小时降雨量已达80毫米，",
        "forecast": "预计未来3小时降雨仍将持续，累计降雨量将达100毫米以上。", "areas": "聚乐乡、峰峪乡",
    }  # fmt: skip

    message = texts.signature + texts.templates["alert"].format(**real)

    assert message == (
        "【云州气象】云州区气象台2027年7月17日14时40分发布暴雨红色预警信号：受强对流云系影响，聚乐乡、峰峪乡过去2小时降雨量已达80毫米，"
        "预计未来3小时降雨仍将持续，累计降雨量将达100毫米以上。预警区域：聚乐乡、峰峪乡。请做好防范。"
        "回复1收到，2已再传播，3需支援，0非本人。"
    )
    assert len(message) <= 201


if SHARED.is_dir():

    @pytest.mark.shared
    def test_the_document_is_the_reference_byte_for_byte():
        copy = packs.SHIPPED / "yunzhou" / "document.txt"

        assert copy.read_bytes() == (SHARED / "mechanism.txt").read_bytes()

    @pytest.mark.shared
    def test_clauses_and_hazards_are_those_of_the_reference():
        clauses = re.findall(
            r"^- id: '?([\w.]+)'?$",
            (SHARED / "clauses.yaml").read_text().partition("\nclauses:")[2],
            re.MULTILINE,
        )
        hazards = re.findall(
            r"^- id: (\w+)$", (SHARED / "signals.yaml").read_text().partition("\nhazards:")[2], re.MULTILINE
        )

        assert (sorted(clauses), sorted(hazards)) == (CLAUSES, sorted(pack().hazards))

else:
    sys.stderr.write("shared material is not beside the project: two comparisons with it are not collected\n")
