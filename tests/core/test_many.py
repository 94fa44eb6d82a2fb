"""A persistent map says what a dict would say, and leaves every map it was made from as it was."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fengsui.core.many import Many

changes = st.lists(st.dictionaries(st.integers(0, 60), st.integers(1, 9), max_size=5), max_size=60)


@given(changes)
@settings(deadline=None)
def test_it_says_what_a_dict_says_at_every_step(steps):
    plain: dict[int, int] = {}
    many: Many[int, int] = Many()
    seen = []
    for step in steps:
        seen.append((many, dict(plain)))
        plain.update(step)
        many = many.having(step)
        assert (len(many), list(many), list(many.items()), list(many.values())) == (
            len(plain),
            list(plain),
            list(plain.items()),
            list(plain.values()),
        )
        for key in (*step, 61):
            assert (many.get(key), many.get(key, 7), key in many) == (
                plain.get(key),
                plain.get(key, 7),
                key in plain,
            )
    assert many == plain
    assert all(before == then for before, then in seen)


def test_what_is_not_there_is_an_error():
    with pytest.raises(KeyError):
        Many({"a": 1})["b"]


def test_a_change_costs_little_more_among_many():
    """A dict would be copied: a hundred times as much among a hundred times as many."""

    def cost(size):
        many = Many(dict.fromkeys(map(str, range(size)), 1))
        began = time.process_time()
        for turn in range(2_000):
            many = many.having({str(turn % size): 2})
        return time.process_time() - began

    few = min(cost(300) for _ in range(5))
    assert min(cost(30_000) for _ in range(5)) < 25 * few
