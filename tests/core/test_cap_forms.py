"""What CAP writes inside a text: times, rings, circles, references — and what is none of them."""

import datetime as dt
import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fengsui.core import cap_forms, cap_sense
from fengsui.core.cap import Moment

MINUTES = st.integers(-14 * 60, 14 * 60)
SECONDS = st.integers(-60_000_000_000, 250_000_000_000)
DEGREES = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@pytest.mark.parametrize("module", [cap_forms, cap_sense])
def test_examples_in_the_text_are_true(module):
    assert doctest.testmod(module).failed == 0


@given(SECONDS, MINUTES)
def test_a_time_is_read_as_it_was_written(seconds, offset):
    when = Moment(seconds * 1_000_000, offset)

    assert cap_forms.moment(cap_forms.written(when)) == when


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+14:00", "9999-12-31T24:00:00-14:00", "9999-12-31T23:59:59-14:00"]
)
def test_at_the_ends_of_the_calendar_there_are_no_times(text):
    assert (cap_forms.moment(text), cap_forms.loosely(text)) == (None, None)


def test_utc_is_written_as_the_specification_wants_it():
    assert cap_forms.written(Moment(0)) == "1970-01-01T00:00:00-00:00"
    assert (
        cap_forms.moment("1970-01-01T00:00:00+00:00")
        == cap_forms.moment("1970-01-01T00:00:00-00:00")
        == Moment(0)
    )


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-07-17", "2026-07-17T14:40:00", "2026-07-17T14:40:00Z", "2026-07-17T14:40:00z", "2026-07-17T14:40+08:00",
        "2026-07-17T14:40:00.000+08:00", "2026-07-17 14:40:00+08:00", "2026-02-30T14:40:00+08:00", "2026-07-17T25:00:00+08:00",
        "2026-07-17T14:40:00+0800", "2026-W29-5T14:40:00+08:00", "２０26-07-17T14:40:00+08:00", "2026-07-17T14:40:00,08:00",
        "2026-07-17T24:00:01+08:00", "2026-07-17T14:40:00+08:00x",
    ],
)  # fmt: skip
def test_is_no_time(text):
    assert cap_forms.moment(text) is None


def test_midnight_has_two_names():
    assert cap_forms.moment("2026-07-17T24:00:00+08:00") == cap_forms.moment("2026-07-18T00:00:00+08:00")


@given(st.text())
def test_no_text_breaks_a_reader(text):
    for read in (
        cap_forms.moment, cap_forms.loosely, cap_forms.points, cap_forms.circle, cap_forms.references,
        cap_forms.integer, cap_forms.decimal,
    ):  # fmt: skip
        read(text)


def test_a_loose_time_without_a_zone_is_beijings():
    beijing = dt.timezone(dt.timedelta(hours=8))
    expected = int(dt.datetime(2026, 7, 17, 14, 40, tzinfo=beijing).timestamp()) * 1_000_000

    for text in (
        "2026-07-17 14:40",
        "2026-07-17T14:40:00",
        "20260717T144000",
        "2026-07-17T06:40:00Z",
        "2026-07-17T14:40:00.5+08:00",
    ):
        assert cap_forms.loosely(text).at == expected, text


@given(st.lists(DEGREES))
def test_a_ring_is_read_number_by_number(corners):
    text = " ".join(f"{lat:f},{lon:f}" for lat, lon in corners)
    expected = tuple((float(f"{lat:f}"), float(f"{lon:f}")) for lat, lon in corners)

    assert cap_forms.points(text) == expected
    assert cap_forms.points(f"\n  {text.replace(' ', chr(10) + chr(9))} ") == expected


@pytest.mark.parametrize(
    "text",
    ["1", "1,2,3 4", "1,2,3,4 5,6", "1,2 3", "1, 2", "1,2],[3,4", "1e1,2", "NaN,1", "null,1", "1,2;3,4", "１,2", "1,\t2", "--1,2", "1.2.3,4", "[1,2]", "0x1,2"],
)  # fmt: skip
def test_is_no_ring(text):
    assert cap_forms.ring(text) == (None, False)


@pytest.mark.parametrize("text", ["91,0", "-90.001,0", "0,180.5", "0,-181", "113.5,40.1", f"{'9' * 400},0"])
def test_a_ring_off_the_earth_has_no_points(text):
    pairs, here = cap_forms.ring(text)

    assert pairs
    assert not here
    assert cap_forms.points(text) is None


@pytest.mark.parametrize("text", ["+40.1,.5", "007,1.", "40.1,113.2  39,112"])
def test_numbers_may_be_written_in_odd_ways(text):
    assert cap_forms.points(text)


def test_a_circle_has_a_centre_and_a_radius():
    assert cap_forms.circle(" 40.1,113.2 3.5\n") == cap_forms.Circle((40.1, 113.2), 3.5)
    assert [cap_forms.circle(text) for text in ("", "40,113", "40,113 2 3", "40 113 2", "40,113,2")] == [
        None
    ] * 5


def test_references_are_triples():
    found = cap_forms.references("a@b,1,2026-07-17T14:40:00+08:00\n a@b,2,2026-07-17T14:41:00+08:00")

    assert [one.identifier for one in found] == ["1", "2"]
    assert cap_forms.references("") == ()
    assert [cap_forms.references(t) for t in ("1", "a,1", "a,1,now", "a,,2026-07-17T14:40:00+08:00")] == [
        None
    ] * 4
