"""Spans and workdays in the pack's zone, with the days that were swapped."""

import datetime as dt

import pytest

from fengsui.core import calendar
from fengsui.core.tables import Almanac

ZONE = "Asia/Shanghai"
# National Day 2027 with a swap: 1–7 October off, Sunday 26 September and Saturday 9 October worked
ALMANAC = Almanac(
    "a test",
    verified=False,
    off=tuple(f"2027-10-0{n}" for n in range(1, 8)),
    work=("2027-09-26", "2027-10-09"),
)


def utc(text):
    return calendar.utc(dt.datetime.fromisoformat(text + "+08:00"))


@pytest.mark.parametrize(
    ("text", "minutes"), [("10m", 10), ("2h", 120), ("3d", 4320), ("-30m", -30), ("0d", 0)]
)
def test_a_span_is_minutes_hours_or_days_and_negative_is_before(text, minutes):
    assert calendar.span(text) == minutes * calendar.MINUTE


@pytest.mark.parametrize(
    ("start", "span", "end"),
    [
        ("2027-07-21T09:30", "1wd", "2027-07-22T09:30"),  # Wednesday
        ("2027-07-23T09:30", "1wd", "2027-07-26T09:30"),  # Friday
        ("2027-07-24T09:30", "1wd", "2027-07-26T09:30"),  # Saturday
        ("2027-07-26T09:30", "-1wd", "2027-07-23T09:30"),
        ("2027-09-30T16:00", "1wd", "2027-10-08T16:00"),  # over the holiday
        ("2027-10-08T16:00", "1wd", "2027-10-09T16:00"),  # into the swapped Saturday
        ("2027-10-08T16:00", "2wd", "2027-10-11T16:00"),
        ("2027-09-25T10:00", "1wd", "2027-09-26T10:00"),  # the swapped Sunday
        ("2027-07-21T09:30", "0wd", "2027-07-21T09:30"),
        ("2027-07-23T09:30", "1d", "2027-07-24T09:30"),  # plain days do not know weekends
    ],
)
def test_workdays_know_weekends_holidays_and_swaps(start, span, end):
    assert calendar.later(utc(start), span, ZONE, ALMANAC) == utc(end)


def test_the_day_is_the_zones_not_utcs():
    assert calendar.local(utc("2027-07-21T00:30"), ZONE).date() == dt.date(2027, 7, 21)


def test_microseconds_survive_the_way_there_and_back():
    moment = utc("2027-07-21T00:30") + 123_456

    assert calendar.utc(calendar.local(moment, ZONE)) == moment
