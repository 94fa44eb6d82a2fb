"""Defence guides by reader: a village reads what the guide says to people, in its words and order, never more than it says."""

from __future__ import annotations

from functools import cache

import pytest

from fengsui.core.clauses import Pack
from fengsui.formats import packs

DROUGHT = {("drought", "orange"), ("drought", "red")}
"""Guides that speak to offices alone: a village is shown them whole."""


@cache
def pack() -> Pack:
    return packs.load("yunzhou")


SIGNALS = [(h.id, level, s) for h in pack().hazards.values() for level, s in h.levels.items()]


@pytest.mark.parametrize(("hazard", "level", "signal"), SIGNALS, ids=[f"{h}-{at}" for h, at, _ in SIGNALS])
def test_a_village_reads_items_of_the_guide_in_their_order_and_an_office_all_of_them(hazard, level, signal):
    village = pack().guide(signal, "village")

    assert pack().guide(signal, "office") == signal.guide
    assert [i for i in signal.guide if i in village] == list(village)
    assert bool(village) == bool(signal.guide)
    spoken = [i for i in village if i.startswith(("政府", "地方各级", "各级政府", "有关部门", "有关单位"))]
    assert bool(spoken) == ((hazard, level) in DROUGHT)


def test_a_village_under_a_red_rainstorm_reads_what_people_are_to_do():
    said = pack().guide(pack().hazards["rainstorm"].levels["red"], "village")

    assert [item[:5] for item in said] == ["停止集会，", "驾驶人员应", "个人不要外", "居住在病险"]


def test_no_opening_of_an_addressee_is_idle():
    items = [item for _, _, signal in SIGNALS for item in signal.guide]
    opens = [o for a in pack().addressees.values() for o in a.opens]

    assert len(opens) == len(set(opens))
    assert [o for o in opens if not any(item.startswith(o) for item in items)] == []
