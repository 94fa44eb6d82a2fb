"""Signed drafts on their way out, on both databases: called back or gone, never both, and what fails says why."""

from __future__ import annotations

import pytest

from fengsui.store import departures
from fengsui.store.departures import KIND, REFUSED, Departure
from fengsui.store.sql import Session

NOW = 1_772_000_000_000_000
INSERT = "INSERT INTO draft (kind, account, stream, body, at, state) VALUES (?, ?, '', ?, ?, ?) RETURNING id"


@pytest.fixture
def session(database):
    opened = departures.desk()
    yield opened
    opened.close()


def leaving(session: Session, at: int = NOW) -> int:
    """A draft that leaves at a moment; its number."""
    draft = int(session.run(INSERT, "alert", 7, "{}", at, "leaving")[0][0])
    session.run(INSERT, KIND, draft, "what is posted", at, "open")
    return draft


def state(session: Session, draft: int) -> str:
    return str(session.run("SELECT state FROM draft WHERE id = ?", draft)[0][0])


def rows(session: Session, kind: str) -> list[tuple[int, str]]:
    return [(int(a), str(b)) for a, b in session.run("SELECT account, body FROM draft WHERE kind = ?", kind)]


def test_only_what_is_due_is_there_the_first_first(session):
    later, first = leaving(session, NOW), leaving(session, NOW - 1)
    leaving(session, NOW + 1)

    assert [d.draft for d in departures.due(session, NOW)] == [first, later]


def test_what_goes_is_signed_and_leaves_no_row(session):
    draft = leaving(session)
    (one,) = departures.due(session, NOW)

    assert departures.claim(session, one)
    assert departures.claim(session, one)  # again, after a crash
    departures.gone(session, one)

    assert (state(session, draft), rows(session, KIND)) == ("signed", [])


def test_what_was_called_back_does_not_go(session):
    draft = leaving(session)
    (one,) = departures.due(session, NOW)
    session.run("UPDATE draft SET state = 'submitted' WHERE id = ?", draft)

    assert not departures.claim(session, one)

    assert (state(session, draft), rows(session, KIND)) == ("submitted", [])


def test_what_could_not_go_waits_again_and_says_why(session):
    draft = leaving(session)
    (one,) = departures.due(session, NOW)
    assert isinstance(one, Departure)
    departures.claim(session, one)

    departures.back(session, one, "已有新版", NOW + 5)

    assert state(session, draft) == "submitted"
    assert (rows(session, KIND), rows(session, REFUSED)) == ([], [(draft, "已有新版")])
