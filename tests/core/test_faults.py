"""Faults put in by hand: each must be caught by the walk or by the rule test named beside it, else those prove nothing."""

# ruff: noqa: ARG005  a wrong rule does not look at what it is given

import msgspec
import pytest

from fengsui.core import callup, duties, evidence, insertion, notices, plans, telling
from fengsui.core.evidence import Proof
from tests.core import test_callup, test_duties, test_insertion, test_notices, test_suspension
from tests.core.walk import Broken, Walk

replace = msgspec.structs.replace
coming, stepped, ended, message = plans.coming, duties._stepped, duties._ended, callup._message
reached_before, covers = telling._reached_before, Proof.covers


def told_at_first(clause, notice, state, world):
    found = reached_before(clause, notice, state, world)
    first = {r.person for n in state.notices.sent.values() if n.template == "alert" for r in n.recipients}
    return {group: {p: h for p, h in persons.items() if p in first} for group, persons in found.items()}


def twice(told, fact, state, world):
    once = message(told, fact, state, world)
    return replace(once, recipients=once.recipients + once.recipients[:1])


def walk_all():
    for walk, depth in ((Walk(), 2), (Walk(wide=False, lost=0), 12)):
        walk.run(depth)


def never(*_args):
    return iter(())


WALK = [
    ("red gives up after its last step", plans, "coming",
     lambda plan, step, at: None if step >= len(plan.steps) else coming(plan, step, at)),
    ("a step is never followed by another", plans, "coming", lambda plan, step, at: None),
    ("an ended duty is chased on", duties, "_ended", lambda s, f: replace(ended(s, f), next_at=s.next_at)),
    ("an answer does not end the duty", duties, "_ended", lambda s, f: s),
    ("the desk is forgotten", duties, "_stepped", lambda s, f: replace(stepped(s, f), desk=False)),
    ("supervision is forgotten", duties, "_stepped", lambda s, f: replace(stepped(s, f), supervised=False)),
    ("steps are skipped", duties, "_stepped", lambda s, f: replace(stepped(s, f), step=s.step + 3)),
    ("cancelling drops nothing", duties, "_dropped", never),
    ("the all-clear forgets who was told later", telling, "_reached_before", told_at_first),
    ("one person stands twice in a message", callup, "_message", twice),
    ("a deputy may not answer", callup, "ANSWERING", ("remind",)),
    ("the clock takes no step", duties, "_due", lambda state, at: []),
    ("only the first holder is climbed for", duties, "_due", lambda state, at, due=duties._due: due(state, at)[:1]),
    ("answers count for nobody", evidence, "_answered", never),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "module", "name", "wrong"), WALK, ids=[w[0].replace(" ", "-") for w in WALK]
)
def test_the_walk_finds(fault, module, name, wrong, monkeypatch):
    monkeypatch.setattr(module, name, wrong)

    with pytest.raises(Broken):
        walk_all()
    assert fault


def anything_goes(self, key, holder, share):
    return covers(replace(self, version=evidence.ANY), key, holder, share)


def received_again(state, fact):
    """A reception that moves the term also to later: the fault that an update lengthened what already ran."""
    state = replace(state, received={**state.received, fact.unit: fact.version})
    for key, duty in state.duties.items():
        share = duty.shares.get(fact.unit)
        if share and share.open and share.plan.latest >= 0:
            moved = min(fact.at, share.opened + share.plan.latest) + share.plan.within
            state = duties._put(state, key, duty.clause, {fact.unit: replace(share, deadline=moved)})
    return state


RULES = [
    ("an old answer signs for the upgrade", Proof, "covers", anything_goes,
     test_notices.test_an_answer_counts_for_its_version_or_an_earlier_one_never_for_a_later),
    ("an update lengthens a term", duties, "_received", received_again,
     test_duties.test_a_term_that_runs_is_never_lengthened_by_the_reception_of_an_update),
    ("an unreachable person is waited for", duties, "_unreached", lambda fact, world: [],
     test_callup.test_unreachable_takes_the_next_step_at_once_and_only_when_the_last_told_is_lost),
    ("a dead number repeats the ladder's end", duties, "_climbs", lambda share, *, post: share.open and (post or share.step),
     test_callup.test_the_end_of_a_ladder_is_repeated_by_the_clock_alone_never_by_a_dead_number),
    ("a vacant post waits like any other", duties, "_vacant", lambda fact, world: [],
     test_callup.test_a_vacant_post_is_chased_at_once_through_whoever_is_at_work),
    ("a list is cleared only where it was told last", telling, "_cleared", lambda state, pack: {},
     test_notices.test_lists_are_told_where_their_level_begins_and_cleared_everywhere_it_was),
    ("a report by 2 does not imply 1", notices, "implied", lambda fact, world: False,
     test_notices.test_who_reports_relaying_has_read_even_if_his_unit_had_reported_before),
    ("standing authority is ignored", test_suspension, "district", lambda standing=None, level="red",
     district=test_suspension.district: district(None, level),
     test_suspension.test_who_authorised_it_beforehand_stops_at_once_and_the_duty_is_done),
    ("what is spoken stays on the air", insertion, "MOMENTARY", "",
     test_insertion.test_a_spoken_text_is_over_when_it_was_spoken),
]  # fmt: skip


@pytest.mark.parametrize("seeded", RULES, ids=[r[0].replace(" ", "-") for r in RULES])
def test_a_rule_test_finds(seeded, monkeypatch):
    _, module, name, wrong, rule = seeded
    rule()
    monkeypatch.setattr(module, name, wrong)

    with pytest.raises((AssertionError, KeyError)):
        rule()
