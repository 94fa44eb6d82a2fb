"""Fixtures of the flow's tests."""

from __future__ import annotations

import pytest

from fengsui.flow.clock import Jumping
from fengsui.flow.reception import Reception
from tests.flow.district import NIGHT, populate, writing
from tests.flow.office import Office


@pytest.fixture
def office(database):
    """An office that receives, in earnest."""
    populate(database)
    clock = Jumping(NIGHT)
    with writing(database, clock) as writer:
        yield Office(Reception(writer, clock, database.data), writer, clock)
