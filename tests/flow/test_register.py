"""The register of signals: numbers of a series and year without a gap, no second twice, and nothing that the ledger does not say."""

from __future__ import annotations

import pytest

from fengsui.core import calendar
from fengsui.flow.clock import Jumping
from fengsui.flow.inputs import Input
from fengsui.store import rebuild, signals
from tests.flow import district
from tests.flow.district import DRILL, NIGHT, alert, drilled, issue, writing

ZONE = "Asia/Shanghai"
NEW_YEAR = calendar.utc(calendar.local(NIGHT, ZONE).replace(month=12, day=31, hour=23, minute=59, second=59))


@pytest.fixture(autouse=True)
def populated(database):
    district.populate(database)


def registered(session):
    return [(s.series, s.year, s.number, s.action, s.level) for s in signals.every(session)]


def test_each_series_counts_for_itself_and_no_second_is_given_twice(database, session):
    with writing(database) as writer:
        drilled(writer)
        for number, series in enumerate(("test", "exercise", "test")):
            # one instant for all: three desks at once
            fact = alert(
                stream=f"incident-{number}",
                series=series,
                drill=DRILL if series == "exercise" else "",
                hazard=("rainstorm", "hail", "gale")[number],
            )
            assert writer.post(Input(f"form-{number}", fact)).result(10).ok

    assert registered(session) == [
        ("test", 2027, 1, "issue", "red"),
        ("exercise", 2027, 1, "issue", "red"),
        ("test", 2027, 2, "issue", "red"),
    ]
    first = NIGHT // calendar.SECOND
    assert [s.second for s in signals.every(session)] == [first, first + 1, first + 2]
    assert rebuild.rebuild(session, ZONE) == 0


def test_a_version_is_found_with_what_it_lifted(database, session):
    with writing(database) as writer:
        issue(writer)
        issue(writer, 2, "", action="cancel")

    found = signals.find(session, "incident-1", 2)
    assert found is not None
    assert (found.action, found.level, found.number) == ("cancel", "red", 2)
    assert found.areas == tuple(sorted(district.ZONES))
    assert [s.version for s in signals.thread(session, "incident-1")] == [1, 2]


def test_a_year_begins_in_the_zone_of_the_pack(database, session):
    with writing(database, Jumping(NEW_YEAR)) as writer:
        issue(writer, expires=NEW_YEAR + calendar.HOUR)
        writer.clock.jump(NEW_YEAR + calendar.SECOND)
        issue(writer, 2, expires=NEW_YEAR + calendar.HOUR)

    assert [(s.year, s.number) for s in signals.every(session)] == [(2027, 1), (2028, 1)]


def test_a_ledger_from_before_there_was_a_register_is_registered_at_the_start(database, session):
    with writing(database) as writer:
        issue(writer)
    before = signals.every(session)
    session.run("DELETE FROM signal")

    with writing(database):
        pass

    assert signals.every(session) == before != []
