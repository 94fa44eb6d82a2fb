"""When messages for other systems go wrong: warnings go on, the house does not end, and the desk is told."""

from __future__ import annotations

import pytest
from django.test import Client

from fengsui.flow import publish
from fengsui.formats.cap import write
from fengsui.store import caps
from fengsui.store.sql import Errors
from tests.flow.test_keys import sm2
from tests.web.site import INCIDENT, Site, site
from tests.web.test_cap import known, told, until

DAMAGED = '{"features": [{"geometry": {"type": "Polygon", "coordinates": [[[113.0, 40.0], [], [114, 41]]]}}]}'


class Odd(Exception):  # noqa: N818
    """What no library says that it raises."""


@pytest.fixture
def actual(place):
    with site(place, series="actual") as running:
        yield running


def heard(at: Site) -> list[str]:
    """The codes of all alarms from now on."""
    codes: list[str] = []
    at.house.writer.alarm.append(lambda alarm: codes.append(alarm.code))
    return codes


def desk(at: Site) -> str:
    return at.client().get("/desk/channels").content.decode()


def test_strange_files_beside_the_signet_change_nothing(actual):
    sm2(actual.house.vault.directory)
    (actual.house.vault.directory / "keys" / "signet-root.pem").mkdir(mode=0o700)
    actual.issue(series="actual")

    (cap,) = until(lambda: known(INCIDENT), bool)
    assert (bool(cap.digest), cap.fault) == (True, "")
    assert not actual.house.over.is_set()


def test_with_strange_files_alone_the_desk_is_told(actual):
    keys = actual.house.vault.directory / "keys"
    for file in keys.glob("signet-*.pem"):
        file.unlink()
    sm2(actual.house.vault.directory)
    codes = heard(actual)
    actual.issue(series="actual")

    until(lambda: known(INCIDENT), lambda found: found and "S025" in found[0].fault)
    until(lambda: "R061" in codes, bool)
    assert "S025" in desk(actual)
    assert actual.house.ready


def test_outlines_that_are_none_leave_out_the_polygons_not_the_warning(actual):
    own = actual.house.vault.directory / publish.OWN
    own.write_text(DAMAGED)
    codes = heard(actual)
    actual.issue(series="actual")
    (cap,) = told(actual, 1)

    assert b"<polygon>" not in Client().get(f"/cap/{cap.identifier}.xml").content
    assert cap.digest
    assert codes.count("R062") == 1
    assert "R062" in desk(actual)
    own.unlink()
    actual.issue(2, "orange", series="actual")
    assert told(actual, 2)[1].digest
    assert codes.count("R062") == 1
    assert "R062" not in desk(actual)


def test_a_version_that_ends_its_publishing_is_put_aside_and_the_next_leaves(actual, monkeypatch):
    leaving, codes = write.leaving, heard(actual)

    def odd(message, *more):
        if message.msg_type == "Alert":
            raise Odd("out of the blue")
        return leaving(message, *more)

    monkeypatch.setattr(write, "leaving", odd)
    actual.issue(series="actual")
    until(lambda: known(INCIDENT), bool)
    actual.issue(2, "orange", series="actual")
    first, second = told(actual, 2)

    assert (first.digest, "Odd: out of the blue" in first.fault) == ("", True)
    assert second.digest
    assert codes.count("R061") == 1
    assert "out of the blue" in desk(actual)
    assert actual.house.ready


def test_a_house_stops_to_its_end_whatever_publishing_does(place, monkeypatch):
    monkeypatch.setattr(publish, "LOOK", 60.0)
    with site(place, series="actual") as running:
        until(lambda: running.house.publisher._hand, lambda hand: hand is None)
        monkeypatch.setattr(caps, "waiting", lambda *_, **__: 1 / 0)
    assert not running.house.writer._thread.is_alive()
    assert not running.house._listener._thread.is_alive()


def test_what_goes_on_failing_is_told_at_the_desk_until_it_is_over(actual, monkeypatch):
    waiting, codes = caps.waiting, heard(actual)

    def broken(*_, **__):
        raise Errors[0]("disk I/O error")

    monkeypatch.setattr(publish, "PATIENCE", 0.2)
    monkeypatch.setattr(publish, "LOOK", 0.05)
    monkeypatch.setattr(caps, "waiting", broken)
    actual.issue(series="actual")
    until(lambda: codes.count("R061"), bool)
    assert "disk I/O error" in desk(actual)

    monkeypatch.setattr(caps, "waiting", waiting)
    assert told(actual, 1)[0].digest
    until(lambda: actual.house.publisher.troubles, lambda found: not found)
    assert codes.count("R061") == 1
