"""How a lane's gateway fares, judged by its answers."""

from __future__ import annotations

from fengsui.flow.pulse import PATIENCE, REST, Pulse
from fengsui.gateways.contract import Outcome, PartResult, Result


def said(*outcomes, code=""):
    return [Result(n, (PartResult(0, outcome, "", code),)) for n, outcome in enumerate(outcomes)]


def felt(*batches):
    pulse = Pulse()
    for outcomes, unsent, at in batches:
        pulse.feel(said(*outcomes, code="0x0a"), range(unsent), at)
    return pulse


def test_one_answer_is_enough_to_be_well():
    pulse = felt(([Outcome.UNKNOWN, Outcome.RETRY], 0, 1.0))

    assert (pulse.state, pulse.ill, pulse.trouble(99.0)) == ("well", False, None)


def test_a_batch_without_any_answer_is_told_at_once_and_until_one_comes():
    pulse = felt(([Outcome.UNKNOWN] * 3, 0, 1.0))
    pulse.look(up=True, now=2.0)
    assert (pulse.ill, pulse.trouble(2.0).code) == (True, "R034")

    pulse.look(up=True, now=1.0 + REST)
    assert (pulse.ill, pulse.trouble(1.0 + REST).code) == (False, "R034"), "it is tried, and not yet believed"

    pulse.feel(said(Outcome.UNKNOWN), (), 400.0)
    assert pulse.ill
    pulse.look(up=True, now=401.0)
    assert pulse.ill

    pulse.feel(said(Outcome.REFUSED_CONTENT), (), 402.0)
    assert (pulse.ill, pulse.trouble(402.0)) == (False, None)


def test_what_went_back_unsent_says_nothing_for_one_that_does_not_answer():
    pulse = felt(([Outcome.RETRY, Outcome.RETRY, Outcome.UNKNOWN], 2, 1.0))
    assert pulse.state == "silent"

    pulse.feel(said(Outcome.RETRY, code="not answering"), (0,), 2.0)
    assert pulse.state == "silent"
    pulse.feel(said(Outcome.RETRY, code="not connected"), (0,), 3.0)
    assert pulse.state == "down"


def test_a_silent_one_is_well_when_it_is_connected_anew():
    pulse = felt(([Outcome.UNKNOWN], 0, 1.0))
    pulse.look(up=False, now=2.0)
    assert (pulse.down, pulse.trouble(3.0)) == (True, None)
    assert pulse.trouble(2.0 + PATIENCE).code == "R031"

    pulse.look(up=True, now=3.0)
    assert (pulse.ill, pulse.trouble(99.0)) == (False, None)


def test_a_wrong_account_is_told_at_once_and_a_single_odd_answer_stops_nobody():
    assert felt(([Outcome.REFUSED_CONFIG] * 2, 2, 1.0)).trouble(1.0).code == "R032"

    pulse = felt(([Outcome.REFUSED_CONFIG, Outcome.ACCEPTED], 0, 1.0))
    assert (pulse.ill, pulse.trouble(1.0).code) == (False, "R032")
    pulse.feel(said(Outcome.ACCEPTED), (), 2.0)
    assert pulse.trouble(2.0) is None
