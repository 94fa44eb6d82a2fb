"""The demonstration's night as other systems get it: each version left, signed, and fits the OASIS schema."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from cryptography import x509
from lxml import etree

from fengsui.formats.cap import write
from fengsui.formats.cap.trust import pinned
from fengsui.formats.cap.verdict import verdict
from fengsui.store import signet
from tests.rehearse.test_night import fengsui

SCHEMA = Path(write.__file__).parent / "schema" / "CAP-v1.2.xsd"


def test_every_version_of_the_night_left_for_other_systems(tmp_path):
    done = fengsui("demo", "--people", "60", "--seed", "3", "--json", data=tmp_path)
    assert done.returncode == 0, done.stderr

    assert left(tmp_path) >= 2


def left(place: Path) -> int:
    """How many versions a place has issued: each left for other systems, signed, valid, and says what it is."""
    with contextlib.closing(sqlite3.connect(place / "fengsui.sqlite3")) as main:
        versions = main.execute("SELECT count(*) FROM ledger WHERE kind = 'alerted'").fetchone()[0]
        known = main.execute("SELECT identifier, digest, fault FROM cap ORDER BY second").fetchall()
    assert len(known) == versions
    assert {fault for _, _, fault in known} == {""}
    trust = tuple(pinned(x509.load_pem_x509_certificate(one.pem), "") for one in signet.load(place))
    schema = etree.XMLSchema(file=str(SCHEMA))
    with contextlib.closing(sqlite3.connect(place / "archive.sqlite3")) as papers:
        for identifier, digest, _ in known:
            (content,) = papers.execute("SELECT body FROM paper WHERE digest = ?", (digest,)).fetchone()
            schema.assertValid(etree.fromstring(content))
            said = verdict(content, trust)
            assert said.valid, said.findings
            assert (said.alert.identifier, said.alert.status) == (identifier, "Test")
            assert all(
                info.headline.startswith("【模拟】") for info in said.alert.infos if info.language == "zh-CN"
            )
    return int(versions)
