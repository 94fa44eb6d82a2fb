"""The prose of the specification, rule by rule: one message that keeps it, one that does not."""

import msgspec
import pytest

from fengsui.core.cap import Alert, Area, Info, Moment
from fengsui.core.cap_rules import judge

HOUR = 3_600_000_000
RING = "40,113 40,114 41,114 40,113"
GOOD = Alert(
    identifier="14021541600000_20260717144000",
    sender="Yunzhou_District_Meteorological_Bureau",
    sent=Moment(0, 480),
    status="Actual",
    msg_type="Alert",
    scope="Public",
    infos=(Info(areas=(Area(area_desc="聚乐乡", polygons=(RING,), circles=("40,113 1",)),)),),
)


def with_area(**more):
    return msgspec.structs.replace(GOOD, infos=(Info(areas=(Area(**more),)),))


def with_info(**more):
    return msgspec.structs.replace(GOOD, infos=(Info(**more),))


def but(**more):
    return msgspec.structs.replace(GOOD, **more)


def test_a_good_message_has_nothing_against_it():
    assert list(judge(GOOD)) == []


@pytest.mark.parametrize(
    ("alert", "codes"),
    [
        (but(identifier=""), ["X301"]),
        (but(sender=""), ["X301"]),
        *[(but(identifier=text), ["X302"]) for text in ("a b", "a,b", "a<b", "a&b", " a", "a\n", "a\u00a0b", "a\u3000b")],
        (but(sender="OB Self Test"), ["X302"]),
        (but(scope="Restricted"), ["X303"]),
        (but(scope="Restricted", restriction=" "), ["X303"]),
        (but(scope="Restricted", restriction="仅供内部"), []),
        (but(scope="Private"), ["X304"]),
        (but(scope="Private", addresses="a@b"), []),
        *[(but(msg_type=kind), ["X305"]) for kind in ("Update", "Cancel", "Ack", "Error")],
        (but(msg_type="Update", references="a,1,2026-07-17T14:40:00+08:00"), []),
        (but(references="earlier"), ["X306"]),
        (but(references="\n  "), []),
        (with_area(polygons=("40 113",)), ["X307"]),
        (with_area(polygons=("",)), ["X308"]),
        (with_area(polygons=("40,113 41,113 40,113",)), ["X308"]),
        (with_area(polygons=("40,113 40,114 41,114 41,113",)), ["X309"]),
        (with_area(polygons=("40,113 41,114",)), ["X308", "X309"]),
        (with_area(polygons=("40,113 40,181 41,114 40,113",)), ["X310"]),
        (with_area(polygons=("113,40 114,40 114,41 113,40",)), ["X310"]),
        (with_area(polygons=("40,113.0 40,114 41,114 40.0,113",)), []),
        (with_area(circles=("",)), ["X311"]),
        (with_area(circles=("40,113 -1",)), ["X311"]),
        (with_area(circles=("91,113 1",)), ["X310"]),
        (with_area(ceiling=1000.0), ["X312"]),
        (with_area(ceiling=1000.0, altitude=0.0), []),
        (with_info(expires=Moment(-HOUR)), ["X321"]),
        (with_info(onset=Moment(2 * HOUR), expires=Moment(HOUR)), ["X322"]),
        (with_info(expires=Moment(HOUR)), []),
    ],
)  # fmt: skip
def test_is_found(alert, codes):
    assert [finding.code for finding in judge(alert)] == codes


def test_the_order_of_times_is_no_error():
    found = list(judge(with_info(expires=Moment(-HOUR))))

    assert [finding.grave for finding in found] == [False]


def test_a_finding_says_where_it_stands():
    wrong = msgspec.structs.replace(GOOD, infos=(Info(), Info(areas=(Area(), Area(polygons=(RING, "x"))))))

    assert [finding.where for finding in judge(wrong)] == [("info", 1, "area", 1, "polygon", 1)]
