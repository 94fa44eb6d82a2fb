"""The exhaustive walk of a small world: nobody required is ever left without a next step, nobody is called after answering.

The rules are in ``walk.judge`` and hold at every transition; here is only how far each walk goes. What was walked is
printed.
"""

import pytest

from tests.core.walk import Walk, vacant_directory


def walked(walk, depth, capsys):
    walk.run(depth)
    with capsys.disabled():
        print(  # noqa: T201  the size of the walk is part of its result
            f"\nwalk of {walk.states} states, {walk.transitions} transitions, depth {walk.deepest}, "
            f"{walk.most_steps} ladder steps",
            end="",
        )
    return walk


@pytest.mark.parametrize(
    ("what", "walk", "depth", "least"),
    [
        (
            "silence, answers and the end, over the whole red ladder and its repetition",
            Walk(wide=False, lost=0),
            12,
            7000,
        ),
        ("one person lost at any moment", Walk(wide=False, lost=1), 7, 3000),
        ("anybody lost at any moment", Walk(wide=False), 5, 1000),
        ("updates, old answers, strangers, a yellow town beside a red one", Walk(), 3, 200),
        (
            "posts nobody holds, signed for by the desk or not",
            Walk(directory=vacant_directory(), wide=False, lost=1, signs=True),
            9,
            4000,
        ),
        (
            "the same with updates and strangers: who says 不归我 leaves his post vacant",
            Walk(directory=vacant_directory(), signs=True),
            4,
            900,
        ),
    ],
    ids=["silence", "lost", "all-lost", "wide", "vacant", "vacant-wide"],
)
def test_every_order_of_events_keeps_the_rules(what, walk, depth, least, capsys):
    assert what
    done = walked(walk, depth, capsys)
    assert done.states >= least
    assert done.most_steps > 7 or depth < 8  # the seven steps and the repetition
    assert done.signed > 0 or not done.signs


@pytest.mark.slow
@pytest.mark.parametrize(
    ("walk", "depth"),
    [
        (Walk(wide=False, lost=0), 30),
        (Walk(wide=False, lost=2), 10),
        (Walk(wide=False), 7),
        (Walk(), 5),
        (Walk(directory=vacant_directory(), signs=True), 6),
    ],
    ids=["silence", "two-lost", "all-lost", "wide", "vacant"],
)
def test_and_deeper(walk, depth, capsys):
    walked(walk, depth, capsys)
