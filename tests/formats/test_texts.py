"""Issued warning texts are read by their grammar: texts really issued, texts written for this, texts drawn at random."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import re
import sys
import time
import unicodedata
from collections import Counter
from functools import cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fengsui.__main__ import main
from fengsui.formats import packs
from fengsui.formats.texts import times
from fengsui.formats.texts.reading import MOST, Reading, read
from fengsui.formats.texts.source import TextFault, texts

HERE = Path(__file__).parent / "texts"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
FIELDS = ("issuer", "action", "time", "hazards", "areas", "valid")


@cache
def hazards():
    return packs.load("yunzhou").hazards


def reading(text: str) -> Reading:
    return read(text, hazards())


# ── judging 评判 ──────────────────────────────────────────────────────────────


def moment(said: str | None) -> str | None:
    """17时 and 17时00分 are equal."""
    return f"{said}:00" if said and re.search(r"T\d\d$", said) else said


def span(said: dict | None) -> tuple | None:
    return said and (moment(said.get("from")), moment(said.get("to")), said.get("hours"))


def pairs(said: list[dict]) -> list[tuple[str, str]]:
    ids = {name: h.id for h in hazards().values() for name in (h.id, h.name, *h.aliases)}
    return sorted((ids.get(h["hazard"], h["hazard"]), h["level"] or "") for h in said)


AS = {"time": moment, "valid": span, "hazards": pairs, "areas": list}
"""Field → the form in which two readings of it are compared."""


def judge(samples: list[dict]) -> tuple[Counter, Counter, list[str]]:
    """Right and counted texts by field, and what is wrong. A wrong guess at nothing counts as one more text."""
    right, counted, wrong = Counter(), Counter(), []
    for sample in samples:
        got = json.loads(msgspec.json.encode(reading(sample["text"])))
        for field in FIELDS:
            form = AS.get(field, str)
            truths = [form(t) for t in (sample[field], *sample.get("alternatives", {}).get(field, []))]
            well = form(got[field]) in truths
            nothing = not sample[field]
            right[field] += well and not nothing
            counted[field] += not (well and nothing)
            if not well:
                wrong.append(f"{sample['text']}\n    {field}: {got[field]}, not {sample[field]}")
    return right, counted, wrong


def lines(name: str) -> list[dict]:
    return [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("name", ["issued.jsonl", "written.jsonl"])
def test_every_field_of_every_sample_is_read(name: str) -> None:
    _, counted, wrong = judge(lines(name))

    assert wrong == []
    assert min(counted.values()) >= 45, "samples that say nothing judge nothing"


def test_each_colour_has_its_own_areas() -> None:
    for sample in lines("issued.jsonl") + lines("written.jsonl"):
        if "areas" not in sample.get("alternatives", {}):
            said = [(h["level"], tuple(h["areas"])) for h in sample["hazards"]]
            assert [(w.level, w.areas) for w in reading(sample["text"]).hazards] == said


@pytest.mark.parametrize(
    "sample", [s for s in lines("written.jsonl") if s.get("joint")], ids=lambda s: s["issuer"]
)
def test_a_joint_product_names_each_unit(sample: dict) -> None:
    said = reading(sample["text"])

    assert (said.joint, list(said.issuers)) == (True, sample["issuers"])


def test_a_drill_is_told_from_the_real_thing() -> None:
    samples = lines("issued.jsonl") + lines("written.jsonl")

    assert [reading(s["text"]).drill for s in samples] == [s.get("drill", False) for s in samples]
    assert any(s.get("drill") for s in samples)
    assert not reading("大同市气象台7月1日8时发布暴雨红色预警信号，请各校组织演练。").drill


# ── other spellings of the same 异写 ──────────────────────────────────────────

HALF = str.maketrans("，：；（）！", ",:;()!")
FULL = str.maketrans("0123456789", "０１２３４５６７８９")


def spaced(text: str) -> str:
    return " ".join(text)


def plain(said: Reading) -> object:
    """A reading without where it was read, its words in one width."""
    whole = msgspec.json.encode(msgspec.structs.replace(said, marks=())).decode()
    return json.loads(unicodedata.normalize("NFKC", whole))


@pytest.mark.parametrize(
    "spelt", [lambda t: t.translate(HALF), lambda t: t.translate(FULL), spaced, lambda t: f"\n {t}\r\n"]
)
def test_width_and_blanks_change_nothing(spelt) -> None:
    for sample in lines("issued.jsonl"):
        assert plain(reading(spelt(sample["text"]))) == plain(reading(sample["text"]))


# ── drawn from the grammar 随机 ────────────────────────────────────────────────

PLACES = [
    "聚乐乡", "峰峪乡", "云州区", "和顺县", "平和县", "仁和区", "从江县", "天等县", "于都县", "望都县", "应县", "将乐县",
    "呼和浩特市", "阿拉善左旗", "忻州西部和东部山区", "大同南部", "城区（含开发区）", "太原以北山区", "达茂旗", "雷波县", "东湖区",
]  # fmt: skip
UNITS = ["气象台", "气象局", "水利局", "自然资源和规划局", "林业和草原局", "应急管理局"]
LEVELS = {"蓝色": "blue", "黄色": "yellow", "橙色": "orange", "红色": "red"}
VERBS = {
    "发布": "发布",
    "继续发布": "继续发布",
    "变更": "变更",
    "变更发布": "变更",
    "升级发布": "升级发布",
    "降级发布": "降级发布",
}


def names() -> list[tuple[str, str]]:
    return [(name, h.id) for h in hazards().values() for name in (h.name, *h.aliases)]


@st.composite
def moments(draw) -> tuple[str, str]:
    """A time as texts write it, and as it is read."""
    year, month, day = draw(st.integers(2000, 2099)), draw(st.integers(1, 12)), draw(st.integers(1, 28))
    hour, minute = draw(st.integers(0, 23)), draw(st.integers(0, 59))
    pad = draw(st.sampled_from(["{}", "{:02}"]))
    said = [
        (f"{year}年", f"{year}"),
        (f"{pad.format(month)}月", f"{month:02}"),
        (f"{pad.format(day)}日", f"{day:02}"),
    ]
    first = draw(st.integers(0, 2))
    date = "".join(s for s, _ in said[first:])
    iso = ("", "--", "---")[first] + "-".join(i for _, i in said[first:])
    exact = draw(st.booleans())
    clock = f"{pad.format(hour)}时" + (f"{pad.format(minute)}分" if exact else "")
    return date + clock, f"{iso}T{hour:02}" + (f":{minute:02}" if exact else "")


areas = st.lists(st.sampled_from(PLACES), min_size=2, max_size=6, unique=True)
counties = st.sampled_from(
    ["大同市", "云州区", "和林格尔县", "平和县", "临夏回族自治州", "山西省", "省", "市", "阿坝州"]
)


@st.composite
def units(draw) -> tuple[str, list[str]]:
    each = draw(st.lists(st.sampled_from(UNITS), min_size=1, max_size=3, unique=True))
    county = draw(counties)
    each = [county + unit for unit in each]
    joint = draw(st.sampled_from(["、", "和", "与"])) if len(each) == 2 else "、"
    return joint.join(each), each


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_what_the_grammar_builds_is_read_back(data) -> None:
    draw = data.draw
    issuer, each = draw(units())
    said_time, iso = draw(moments())
    verb, colour = draw(st.sampled_from(sorted(VERBS))), draw(st.sampled_from(sorted(LEVELS)))
    hazard, ident = draw(st.sampled_from(names()))
    where, hours = draw(areas), draw(st.integers(1, 72))
    together = "联合" if len(each) > 1 and verb == "发布" else ""
    listed = draw(st.sampled_from(["、", "，"])).join(where)
    text = draw(
        st.sampled_from([
            f"{issuer}{said_time}{together}{verb}{hazard}{colour}预警信号，预警区域：{listed}。预计未来{hours}小时将有{hazard}。",
            f"{said_time}，{issuer}{together}{verb}{hazard}{colour}预警：预计未来{hours}小时内，{'、'.join(where)}将出现{hazard}天气。",
            f"{issuer}于{said_time}{together}{verb}{hazard}{colour}预警[Ⅲ级/较重]：受冷空气影响，预计{hours}小时内{'、'.join(where)}可能有{hazard}，请注意防范。",
        ])
    )  # fmt: skip
    got = reading(text)

    assert (got.issuer, list(got.issuers)) == (issuer, each if len(each) > 1 else [])
    assert (got.action, got.time, got.valid and got.valid.hours) == (VERBS[verb], iso, hours)
    assert [(w.hazard, w.level, list(w.areas)) for w in got.hazards] == [(ident, LEVELS[colour], where)]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_what_becomes_of_a_signal_is_read_back(data) -> None:
    draw = data.draw
    issuer, _ = draw(units())
    said_time, iso = draw(moments())
    old, new = draw(st.lists(st.sampled_from(sorted(LEVELS)), min_size=2, max_size=2, unique=True))
    hazard, ident = draw(st.sampled_from(names()))
    where = draw(areas)
    shape, action, level = draw(
        st.sampled_from([
            (f"将{{}}{hazard}{old}预警信号升级为{new}", "升级发布", new),
            (f"将{{}}{hazard}{old}预警信号降级为{hazard}{new}预警信号", "降级发布", new),
            (f"解除{{}}{hazard}{old}预警信号", "解除", old),
        ])
    )  # fmt: skip
    got = reading(f"{issuer}{said_time}{shape.format('、'.join(where))}，请继续注意防范。")

    assert (got.issuer, got.action, got.time) == (issuer, action, iso)
    assert [(w.hazard, w.level, list(w.areas)) for w in got.hazards] == [(ident, LEVELS[level], where)]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_several_colours_keep_their_areas(data) -> None:
    levels = data.draw(st.lists(st.sampled_from(sorted(LEVELS)), min_size=2, max_size=4, unique=True))
    parts = [(level, data.draw(areas)) for level in levels]
    said = "，".join(f"{'、'.join(where)}发生山洪的可能性较大（{level}预警）" for level, where in parts)
    got = reading(
        f"省水利厅和省气象局8月7日17时联合发布山洪灾害气象风险预警。预计8月7日20时至8日20时，{said}。其他地区也可能发生山洪。"
    )

    assert [(w.hazard, w.level, list(w.areas)) for w in got.hazards] == [
        ("flash_flood_risk", LEVELS[level], where) for level, where in parts
    ]
    assert got.valid == msgspec.convert(
        {"from": "--08-07T20", "to": "--08-08T20", "hours": None}, type(got.valid)
    )


# ── any input 任意输入 ─────────────────────────────────────────────────────────


def sound(text: str) -> Reading:
    """A reading whose marks lie inside its text."""
    said = reading(text)
    assert all(0 <= m.start < m.end <= len(text) for m in said.marks)
    return said


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_no_text_is_too_strange(text: str) -> None:
    sound(text)


SCRAPS = [
    *"，。：；（）【】[]\n \0年月日时分至、和0十",
    "预计",
    "发布",
    "升级为",
    "解除",
    "橙色",
    "预警",
    "气象台",
    "31日24时",
    "等地",
    "𠮷",
    "\u200b",
]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(lines("issued.jsonl")), st.data())
def test_a_text_cut_and_patched_is_still_read(sample: dict, data) -> None:
    text = sample["text"]
    at, to = sorted(data.draw(st.tuples(*2 * [st.integers(0, len(text))])))
    patch = "".join(data.draw(st.lists(st.sampled_from(SCRAPS), max_size=5)))

    sound(text[:at] + patch + text[to:])


@pytest.mark.parametrize(
    "scrap",
    [
        "1", "一", "暴雨", "发布", "解除", "气象台", "（", "，", "云 州 ", "预警\n", "预计云州区有大风，", "将", "和平县和", "至28日",
        "受冷空气", "大同市气象台7月1日发布暴雨蓝色预警，", "暴雨蓝色预警升级为", "预警区域：", "云州区、", "橙色预警", "除云州区、",
        "部分地区", "大部", "东西", "1.", "7月17日14时至", "未来", "预计未来3小时", "\0", "发布单位：", "暴雨、",
    ],
)  # fmt: skip
def test_time_grows_with_length_only(scrap: str) -> None:
    text = "大同市气象台7月1日8时发布暴雨蓝色预警信号：预计" + scrap * (100_000 // len(scrap.encode()))
    before = time.process_time()

    sound(text)

    assert time.process_time() - before < 1
    assert len(text) > MOST or len(text.encode()) < 100_200


# ── marks 标示 ────────────────────────────────────────────────────────────────


def test_marks_point_at_the_words() -> None:
    text = "  云州区气象台 2023年7月30日16时发布暴雨橙色预警信号：预计未来3小时，聚乐乡、峰峪乡有大暴雨。【演练】"
    said = [(m.field, text[m.start : m.end]) for m in reading(text).marks]

    assert said == [
        ("issuer", "云州区气象台"), ("time", "2023年7月30日16时"), ("action", "发布"), ("hazard", "暴雨橙色预警信号"),
        ("valid", "未来3小时"), ("area", "聚乐乡"), ("area", "峰峪乡"), ("drill", "【演练】"),
    ]  # fmt: skip


# ── moments 时间 ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2021年7月17日14时40分", "2021-07-17T14:40"), ("08月14日3时", "--08-14T03"), ("24日11时19分", "---24T11:19"),
        ("10时39分", "T10:39"), ("2024年1月21日上午", "2024-01-21"), ("下午3点15分", "T15:15"), ("20：05", "T20:05"),
        ("二〇二三年七月三十日十八时", "2023-07-30T18"), ("2024-02-20 16：30", "2024-02-20T16:30"), ("8时半", "T08:30"),
        ("2022年06月06日03时38分37秒", "2022-06-06T03:38:37"), ("13年12月4日", "2013-12-04"), ("廿一日", "---21"),
    ],
)  # fmt: skip
def test_a_moment_is_as_precise_as_written(text: str, iso: str) -> None:
    (found,) = times.moments(text)

    assert found.iso() == iso


@pytest.mark.parametrize(
    "text", ["未来3日", "第5号台风", "16号台风", "6小时内", "13月40日", "25时", "8时次", "第十二号", "同时"]
)
def test_what_is_no_moment(text: str) -> None:
    assert times.moments(text) == []


@pytest.mark.parametrize(
    ("issued", "said", "ends"),
    [
        ("2023年12月31日17时", "31日20时至1日20时", ("2023-12-31T20", "2024-01-01T20")),
        ("8月31日17时", "31日20时至1日20时", ("--08-31T20", "--09-01T20")),
        ("2023年2月28日17时", "20时至次日20时", ("2023-02-28T20", "2023-03-01T20")),
        ("2023年7月1日17时", "今天20时到明天20时", ("2023-07-01T20", "2023-07-02T20")),
        ("2023年7月1日17时", "当前至2日09时", (None, "2023-07-02T09")),
        ("2023年7月1日17时", "10到11日", ("2023-07-10", "2023-07-11")),
        ("2023年7月1日17时", "2日夜间至4日白天", ("2023-07-02", "2023-07-04")),
        ("17时", "今天20时到明天20时", None),
        ("2023年7月1日17时", "今天夜间到明天白天", None),
    ],
)  # fmt: skip
def test_dates_left_out_come_from_the_text(issued: str, said: str, ends: tuple | None) -> None:
    valid = reading(f"大同市气象台{issued}发布大风蓝色预警信号：预计{said}，全市有大风。").valid

    assert (valid and (valid.begin, valid.end)) == ends


# ── files and the command 文件与命令 ───────────────────────────────────────────

ONE = "大同市气象台7月1日8时发布暴雨蓝色预警信号"


@pytest.mark.parametrize(
    "content",
    [
        f"{ONE}\n\n{ONE}\n".encode(), f"﻿{ONE}\r\n{ONE}".encode(), f"{ONE}\n{ONE}".encode("gb18030"),
        json.dumps({"text": ONE}).encode() + b"\n" + json.dumps({"id": 1, "text": ONE}).encode(),
    ],
)  # fmt: skip
def test_a_file_holds_lines_or_objects(content: bytes) -> None:
    assert texts(content) == [ONE, ONE]


@pytest.mark.parametrize(
    ("content", "code"), [(b"\xff\xfe\xff", "T001"), (b'{"text": "a"}\n{', "T002"), (b'{"text": 1}', "T002")]
)
def test_what_cannot_be_read_is_named(content: bytes, code: str) -> None:
    with pytest.raises(TextFault, match=code):
        texts(content)


def test_the_command_prints_one_object_a_text_in_order(tmp_path: Path, capsys) -> None:
    file = tmp_path / "texts.jsonl"
    file.write_text(
        "\n".join(json.dumps({"text": s["text"]}) for s in lines("issued.jsonl")), encoding="utf-8"
    )

    assert main(["text", "read", str(file), "--json"]) == 0
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [p["issuer"] for p in printed] == [s["issuer"] for s in lines("issued.jsonl")]
    assert {*FIELDS, "joint", "issuers", "drill", "marks"} == set(printed[0])


def test_the_command_speaks_to_a_person_too(tmp_path: Path, capsys) -> None:
    file = tmp_path / "texts.txt"
    file.write_text(
        "7月1日，省气象台将大风蓝色预警升级为大风黄色预警，预警区域：大同。预计未来24小时有大风。",
        encoding="utf-8",
    )

    assert main(["text", "read", str(file)]) == 0
    assert capsys.readouterr().out.split() == [
        "发布", "省气象台", "动作", "升级发布", "时间", "--07-01", "信号", "大风黄色：大同", "有效", "24", "小时内",
    ]  # fmt: skip


def test_the_command_ends_with_two_where_it_cannot_read(tmp_path: Path, capsys) -> None:
    file = tmp_path / "bad"
    file.write_bytes(b'{"text": ')

    assert main(["text", "read", str(file)]) == 2
    assert "T002" in capsys.readouterr().err


def test_the_command_reads_standard_input(monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(ONE.encode())))

    assert main(["text", "read", "-", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["time"] == "--07-01T08"


# ── the founders' material 共享材料 ────────────────────────────────────────────

if SHARED.is_dir():

    def shared() -> list[dict]:
        given, truths = (
            [json.loads(line) for line in (SHARED / "texts" / name).read_text(encoding="utf-8").splitlines()]
            for name in ("warning_texts.jsonl", "truth.jsonl")
        )
        return [{**truth, "text": one["text"]} for one, truth in zip(given, truths, strict=True)]

    @pytest.mark.shared
    def test_the_figures_of_the_issue() -> None:
        right, counted, wrong = judge(shared())
        share = {field: right[field] / counted[field] for field in FIELDS}

        assert len(shared()) == 73
        assert (share["hazards"], share["action"]) == (1, 1), wrong
        assert min(share["issuer"], share["time"]) >= 0.97, wrong
        assert min(share["areas"], share["valid"]) >= 0.9, wrong

    HEAD = "大同市气象台7月1日8时"
    SHAPES = [
        HEAD + "发布暴雨蓝色预警信号：预计未来6小时，{a}、{b}将出现暴雨。",
        HEAD + "发布暴雨蓝色预警信号，预警区域：{a}、{b}。预计未来6小时有暴雨。",
        HEAD + "发布大风蓝色预警信号：受冷空气影响，预计未来6小时内{a}和{b}有大风。",
        HEAD + "将{a}、{b}暴雨橙色预警信号降级为黄色。",
    ]

    def misread(names: list[str], count: int) -> float:
        """The share of texts about real places whose names are not read back."""
        draw = random.Random(4)
        wrong = 0
        for number in range(count):
            a, b = draw.sample(names, 2)
            wrong += list(reading(SHAPES[number % len(SHAPES)].format(a=a, b=b)).areas) != [a, b]
        return wrong / count

    @pytest.mark.shared
    def test_names_of_real_places_are_read_back() -> None:
        file = SHARED / "geo" / "national_townships_nbs2023.csv.gz"
        with gzip.open(file, "rt", encoding="utf-8") as table:
            towns = [row["name"] for row in csv.DictReader(table)]
        shapes = json.loads((SHARED / "geo" / "counties_osm.geojson").read_text(encoding="utf-8"))["features"]
        counties = [
            name for shape in shapes if re.fullmatch("[一-鿿]{2,}", name := shape["properties"]["name"])
        ]
        plain = [name for name in sorted(set(towns)) if re.search("[镇乡]$|街道$", name)]

        assert misread(sorted(set(counties)), 1200) <= 0.005
        assert misread(plain, 2000) <= 0.015

else:
    sys.stderr.write("shared material is not beside the project: two comparisons with it are not collected\n")
