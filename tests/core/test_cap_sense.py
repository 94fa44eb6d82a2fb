"""Hazard and level of a received message, whatever its severity says; who disagrees is named."""

import msgspec
import pytest

from fengsui.core.cap import Alert, Info, Named
from fengsui.core.cap_sense import sense
from fengsui.formats import packs

PACK = packs.load("yunzhou")
DATONG = Info(
    language="zh-CN",
    event="大风",
    urgency="Unknown",
    severity="Minor",
    certainty="Unknown",
    headline="广灵县气象台发布大风蓝色预警[Ⅳ级/一般]",
)
ENGLISH = Info(
    language="en-US",
    event="gale",
    severity="Minor",
    headline="Guangling County Meteorological Station issued a blue gale warning [Level IV/general]",
)


def found(*infos, status="Actual"):
    said = sense(Alert(status=status, infos=infos), PACK)
    return [(d.hazard, d.level) for d in said.dangers], [r.code for r in said.remarks]


def info(**more):
    return msgspec.structs.replace(DATONG, **more)


def test_a_message_as_the_cma_sends_it():
    assert found(ENGLISH, DATONG) == ([("gale", "blue")], [])
    assert sense(Alert(infos=(DATONG,)), PACK).level == "blue"


@pytest.mark.parametrize(
    ("changed", "level", "codes"),
    [
        ({"severity": "Unknown"}, "blue", ["X523"]),
        ({"severity": ""}, "blue", ["X523"]),
        ({"severity": "Extreme"}, "blue", ["X524"]),
        ({"headline": "将大风黄色预警升级为大风红色预警", "severity": "Extreme"}, "red", []),
        ({"headline": "大风橙色预警降级为黄色预警", "severity": "Moderate"}, "yellow", []),
        ({"headline": "大风", "severity": "Severe"}, "orange", ["X521"]),
        ({"headline": "大风", "severity": "Unknown"}, None, ["X522"]),
        ({"headline": "", "event": "大风", "description": "发布大风Ⅱ级预警", "severity": "Unknown"}, "orange", ["X523"]),
        ({"headline": "大风", "parameters": (Named("level_color", "red"),), "severity": "Extreme"}, "red", []),
        ({"headline": "大风", "parameters": (Named("awareness_level", "3; orange; Severe"),), "severity": "Severe"}, "orange", []),
        ({"headline": "大风", "event_codes": (Named("CMA", "11B0604"),), "severity": "Extreme"}, "red", []),
        ({"headline": "大风预警", "description": "阵风可达7级，注意红旗桥路段", "severity": "Unknown"}, None, ["X522"]),
    ],
)  # fmt: skip
def test_the_level_is(changed, level, codes):
    dangers, said = found(info(**changed))

    assert (dangers[0][1], said) == (level, codes)


@pytest.mark.parametrize(
    ("changed", "hazard"),
    [
        ({"event": "雷雨大风", "headline": ""}, "thunderstorm_gale"),
        ({"event": "雷暴大风", "headline": ""}, "thunderstorm_gale"),
        ({"event": "沙尘暴", "headline": ""}, "sandstorm"),
        ({"event": "11B03", "headline": "", "event_codes": (Named("", "11B03"),)}, "rainstorm"),
        ({"event": "rain", "headline": "", "event_codes": (Named("", "11B0303"),)}, "rainstorm"),
        ({"event": "Rainstorm", "headline": ""}, "rainstorm"),
        ({"event": "气象", "headline": "发布道路结冰黄色预警"}, "road_ice"),
        ({"event": "Special Weather Statement", "headline": ""}, "Special Weather Statement"),
    ],
)
def test_the_hazard_is(changed, hazard):
    assert found(info(**changed))[0][0][0] == hazard


def test_a_headline_may_carry_several_colours():
    both = info(headline="发布暴雨橙色、雷暴大风蓝色预警", severity="Severe")

    assert found(both)[0] == [("rainstorm", "orange"), ("thunderstorm_gale", "blue")]
    assert sense(Alert(infos=(both,)), PACK).level == "orange"


@pytest.mark.parametrize(
    "text",
    ["【演练】发布大风蓝色预警", "应急演习：大风蓝色预警", "This is a test message: blue gale warning"],
)
def test_a_real_status_over_drill_words_is_a_contradiction(text):
    assert "X525" in found(info(headline=text))[1]
    assert "X525" not in found(info(headline=text), status="Exercise")[1]
