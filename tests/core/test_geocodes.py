"""A code means the township of its own list and no other; what no list settles is shown, not taken."""

from itertools import permutations

import msgspec
import pytest

from fengsui.core.cap import Named
from fengsui.core.geocodes import locate
from fengsui.formats import packs

DAY = "2026-07-17"
NBS, MCA = "CPEAS Geographic Code", "MCA"
PACK = packs.load("yunzhou")
TOWNSHIPS = [a for a in PACK.areas.values() if a.kind == "township" and not a.valid_to]


def digits(area, scheme):
    """The nine digits of a township in a list."""
    return next((c.value[:9] for c in area.codes if c.scheme == scheme), "")


COLLISIONS = [
    (nbs, mca, digits(nbs, "nbs"))
    for nbs, mca in permutations([a for a in PACK.areas.values() if a.kind == "township"], 2)
    if digits(nbs, "nbs") == digits(mca, "mca")
]
"""Pairs of townships that share digits, one by each list, computed from the pack."""


def names(value_name, value, day=DAY):
    return [place.name for place in locate([Named(value_name, value)], PACK, day).townships]


def test_the_district_has_collisions():
    """Four pairs: what this file is about. Were there none, the tests below would prove nothing."""
    assert {(n.name, m.name, code) for n, m, code in COLLISIONS} == {
        ("吉家庄乡", "峰峪乡", "140215201"),
        ("峰峪乡", "杜庄乡", "140215202"),
        ("党留庄乡", "聚乐乡", "140215205"),
    }


@pytest.mark.parametrize("length", [9, 12])
@pytest.mark.parametrize(("nbs", "mca", "code"), COLLISIONS, ids=lambda v: getattr(v, "name", v))
def test_colliding_digits_reach_the_township_of_their_list(nbs, mca, code, length):
    written = code.ljust(length, "0")

    for name, township, scheme in ((NBS, nbs, "nbs"), (MCA, mca, "mca")):
        found = locate([Named(name, written)], PACK, DAY)
        assert [(p.name, p.scheme, p.code) for p in found.townships] == [(township.name, scheme, written)]
        assert found.ambiguous == ()


@pytest.mark.parametrize("name", ["", "geocode", "FIPS6", "行政区划代码"])
@pytest.mark.parametrize(("nbs", "mca", "code"), COLLISIONS, ids=lambda v: getattr(v, "name", v))
def test_digits_of_no_named_list_are_refused_with_both_readings(nbs, mca, code, name):
    found = locate([Named(name, code)], PACK, DAY)

    assert found.townships == ()
    assert [(p.name, p.scheme, p.code) for p in found.ambiguous] == [
        (nbs.name, "nbs", code),
        (mca.name, "mca", code),
    ]
    assert nbs.name in found.remarks[0]
    assert mca.name in found.remarks[0]


@pytest.mark.parametrize("township", TOWNSHIPS, ids=lambda a: a.name)
@pytest.mark.parametrize(("name", "scheme"), [(NBS, "nbs"), (MCA, "mca")])
def test_every_township_is_reached_by_both_its_codes(township, name, scheme):
    assert names(name, digits(township, scheme)) == [township.name]
    assert names(name, digits(township, scheme) + "000") == [township.name]


def test_one_list_alone_is_not_proof():
    """211 stands only in the statistical list; but nobody said that the sender meant that list."""
    found = locate([Named("", "140215211")], PACK, DAY)

    assert (found.townships, [p.name for p in found.ambiguous]) == ((), ["许堡乡"])


def test_where_both_lists_agree_nothing_is_in_doubt():
    found = locate([Named("", "140215100000")], PACK, DAY)

    assert [p.name for p in found.townships] == ["西坪镇"]
    assert "两份表所指相同" in found.remarks[0]


@pytest.mark.parametrize("name", [NBS, " cpeas  geographic code ", MCA, "mca", "NBS", ""])
@pytest.mark.parametrize("code", ["140215", "140215000", "140215000000", "140200000000", "140000"])
def test_the_district_and_what_holds_it_are_all_its_townships(name, code):
    found = locate([Named(name, code)], PACK, DAY)

    assert [p.name for p in found.townships] == [a.name for a in TOWNSHIPS]
    assert any("9 个乡镇" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    "code",
    [
        "140212",
        "140212000000",
        "140223100000",
        "141000",
        "AKZ318",
        "14021",
        "1402152090001",
        "",
        "１４０２１５",
    ],
)
def test_what_is_elsewhere_is_not_ours(code):
    for name in (NBS, MCA, ""):
        assert locate([Named(name, code)], PACK, DAY) == locate([], PACK, DAY)


def test_a_village_is_its_township_and_that_is_said():
    found = locate([Named(NBS, "140215209200")], PACK, DAY)

    assert [p.name for p in found.townships] == ["聚乐乡"]
    assert "按全乡镇计" in found.remarks[0]


def test_a_village_of_one_list_is_not_the_township_of_the_other():
    assert names(NBS, "140215205201") == ["党留庄乡"]
    assert names(MCA, "140215205201") == ["聚乐乡"]


def test_a_township_that_was_merged_is_its_heir():
    assert names(NBS, "140215207000") == ["西坪镇"]
    assert "并入西坪镇" in locate([Named(NBS, "140215207000")], PACK, DAY).remarks[0]
    assert names(NBS, "140215207000", "2019-07-17") == ["瓜园乡"]


def test_an_unknown_code_of_the_district_is_said_not_guessed():
    found = locate([Named(NBS, "140215999000")], PACK, DAY)

    assert (found.townships, found.ambiguous) == ((), ())
    assert "不在本区" in found.remarks[0]


def test_a_township_named_twice_is_one():
    assert [
        p.name for p in locate([Named(NBS, "140215209000"), Named(MCA, "140215205")], PACK, DAY).townships
    ] == ["聚乐乡"]


def test_names_of_lists_are_the_packs():
    table = msgspec.structs.replace(PACK.geocodes, names={"行政区划代码": "mca"})
    pack = msgspec.structs.replace(PACK, geocodes=table)

    assert [p.name for p in locate([Named("行政区划代码", "140215205")], pack, DAY).townships] == ["聚乐乡"]
    assert locate([Named(NBS, "140215205")], pack, DAY).townships == ()
