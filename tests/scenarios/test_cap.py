"""Every version in the scenarios of a signal's life leaves as CAP that the OASIS schema and our own reader accept."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from fengsui.core import cap_out
from fengsui.formats.cap import write
from fengsui.formats.cap.verdict import verdict
from tests.core.cap_lives import versions
from tests.core.worlds import at, yunzhou
from tests.scenarios.test_scenarios import FILES, district, happen, read

LIVES = [file for file in FILES if file.parent.name == "life"]
SCHEMA = etree.XMLSchema(file=str(Path(write.__file__).parent / "schema" / "CAP-v1.2.xsd"))


@pytest.mark.parametrize("file", LIVES, ids=lambda f: f.stem)
def test_every_version_of_a_life_leaves_as_cap(file):
    scenario = read(file)
    d = district(scenario.given)
    for when in scenario.when:
        d.wait(at(when.at))
        happen(d, at(when.at), when.what)
    made = [cap_out.message(version, yunzhou(), {}) for version in versions(d.facts)]

    assert made
    for message in made:
        write.gate(message)
        content = write.write(message)
        SCHEMA.assertValid(etree.fromstring(content))
        assert verdict(content).alert == message
    assert len({m.identifier for m in made}) == len(made)
