"""The strict verdict on messages of others that may go with the product, layer by layer, with line and reason."""

import re

import pytest

from fengsui.core.cap import Area, Info, Moment, Named
from fengsui.formats.cap.verdict import verdict
from fengsui.rehearse.bench.cap import SAMPLES
from tests.formats.cap.forge import message

VALID = sorted((SAMPLES / "valid").iterdir())
INVALID = {
    "cap-library__xee.cap": ("xml", "X104", 3),
    "cap-library__earthquake.cap_6d4a0019.xml": ("xml", "X105", 88),
    "cap-library__canada_errors.cap": ("semantic", "X305", 7),
    "eden__Fiji_Water_Shortage_Suva.xml": ("xsd", "X203", 11),
    "foss-public-alert-server__alertswiss-TEST-1163.xml": ("xsd", "X203", 4),
    "foss-public-alert-server__gdacs-cap_1023542.xml": ("semantic", "X307", 98),
    "foss-public-alert-server__il.xml": ("semantic", "X308", 33),
    "hass-cap-alerts__test_cap_parser.py_str0.xml": ("xsd", "X203", 18),
    "hass-cap-alerts__test_cap_parser.py_str21.xml": ("xsd", "X203", 10),
    "meteoalarm__test_meteoalarm.py_str0.xml": ("xsd", "X203", 16),
}


@pytest.mark.parametrize("file", VALID, ids=lambda f: f.name)
def test_is_valid(file):
    said = verdict(file.read_bytes())

    assert [finding for finding in said.findings if finding.grave] == []
    assert said.alert
    assert said.alert.sent


@pytest.mark.parametrize("name", INVALID)
def test_is_invalid(name):
    said = verdict((SAMPLES / "invalid" / name).read_bytes())
    first = said.findings[0]

    assert (first.layer, first.code, first.line) == INVALID[name]
    assert not said.valid
    assert said.layers[first.layer] is False
    assert re.search(r"[\u4e00-\u9fff].*。$", first.text)


def test_every_invalid_sample_is_named():
    assert {file.name for file in (SAMPLES / "invalid").iterdir()} == set(INVALID)


def test_a_message_becomes_what_it_says():
    alert = verdict(message()).alert

    assert (alert.identifier, alert.msg_type, alert.version) == (
        "14021541600000_20260717144000",
        "Alert",
        "1.2",
    )
    assert alert.sent == Moment(1_784_270_400_000_000, 480)
    assert alert.infos == (
        Info(
            language="zh-CN",
            categories=("Met",),
            event="暴雨",
            urgency="Unknown",
            severity="Extreme",
            certainty="Unknown",
            event_codes=(Named("CMA", "11B03"),),
            expires=Moment(1_784_281_200_000_000, 480),
            headline="云州区气象台发布暴雨红色预警[Ⅰ级/特别严重]",
            areas=(Area(area_desc="聚乐乡", geocodes=(Named("CPEAS Geographic Code", "140215209000"),)),),
        ),
    )


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_the_same_message_reads_the_same_in_all_versions(version):
    """OASIS prints its thunderstorm in each specification."""
    folder = SAMPLES / "valid" / f"oasiscap__v1dot{version[-1]}_appendix_adot2.xml"
    alert = verdict(folder.read_bytes()).alert
    (info,) = alert.infos
    (area,) = info.areas

    assert alert.version == version
    assert (alert.identifier, info.event, info.severity) == (
        "KSTO1055887203",
        "SEVERE THUNDERSTORM",
        "Severe",
    )
    assert info.event_codes[0].value == "SVR"
    assert ("same" if version != "1.0" else "SAME", area.geocodes[0].value) in (
        ("same", "006109"),
        ("SAME", "006109"),
    )
    assert area.polygons[0].startswith("38.47,-120.14")


@pytest.mark.parametrize(
    ("what", "instead", "layer", "code", "said"),
    [
        ("<status>Actual", "<status>Real", "xsd", "X206", "只能是 'Actual'"),
        ("<sent>2026", "<sent>x2026", "xsd", "X207", "写法不对"),
        ("14:40:00+08:00</sent>", "14:40:00Z</sent>", "xsd", "X207", "2026-07-17T14:40:00Z"),
        ("<scope>Public</scope>", "", "xsd", "X203", "此处应为 source、scope"),
        ("<info>", '<info lang="zh">', "xsd", "X208", "lang"),
        ("<info>", "大风<info>", "xsd", "X205", "不得有文字"),
        ("<areaDesc>聚乐乡</areaDesc>", "", "xsd", "X203", "areaDesc"),
        ("<event>暴雨</event>", "<event>暴雨</event><event>大风</event>", "xsd", "X203", "event"),
        ("cap:1.2", "cap:1.3", "xsd", "X202", "cap:1.3"),
        ("</alert>", "", "xml", "X105", "XML"),
        ("<headline>", "<headline>&nbsp;", "xml", "X105", "XML"),
        ("Meteorological_Bureau", "Meteorological Bureau", "semantic", "X302", "不得含空白"),
        ("<msgType>Alert", "<msgType>Cancel", "semantic", "X305", "references"),
    ],
)  # fmt: skip
def test_is_refused_with_line_and_reason(what, instead, layer, code, said):
    text = message().decode()
    assert what in text
    changed = text.replace(what, instead, 1)
    found = [finding for finding in verdict(changed.encode()).findings if finding.grave]

    assert (found[0].layer, found[0].code) == (layer, code)
    assert said in found[0].text
    assert found[0].line > 0


def test_the_root_may_be_something_else():
    found = verdict(b"<feed xmlns='http://www.w3.org/2005/Atom'/>").findings

    assert [(f.layer, f.code) for f in found] == [("xsd", "X201")]


def test_later_layers_are_not_judged_on_what_earlier_ones_refuse():
    assert verdict(b"<alert").layers == {"xml": False, "xsd": None, "semantic": None, "signature": None}
    assert verdict(b"<alert/>").layers == {"xml": True, "xsd": False, "semantic": None, "signature": None}
    assert verdict(message()).layers == {"xml": True, "xsd": True, "semantic": True, "signature": None}


def test_a_comment_inside_a_text_hides_nothing():
    """A reader that takes a text up to the comment believes another sender."""
    text = message().decode().replace("Yunzhou_District", "Yunzhou<!-- x -->_<?x y?>District")

    assert verdict(text.encode()).alert.sender == "Yunzhou_District_Meteorological_Bureau"


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "gb18030", "utf-16"])
def test_a_declared_encoding_is_read(encoding):
    text = message().decode().replace("UTF-8", encoding).replace("utf-8", encoding)

    assert verdict(text.encode(encoding)).alert == verdict(message()).alert


def test_findings_are_bounded():
    many = message().decode().replace("<areaDesc>", "<polygon/>" * 100 + "<areaDesc>")

    assert len(verdict(many.encode()).findings) <= 50
