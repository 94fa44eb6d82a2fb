"""What a fact proves, for whom, up to which version."""

import pytest

from fengsui.core import evidence, plans
from fengsui.core.evidence import ANY, WORDS, Proof
from fengsui.core.facts import Aired, Consulted, Plan, PlanStep, Reported, ResponseSet, SuspensionDecided
from fengsui.core.state import Share
from tests.core.worlds import INCIDENT, District, a_directory, yunzhou

AT = 1


def share(*words, version=0):
    plan = Plan(10, words, (PlanStep(0, "desk"),), version=version)
    return plans.share(plan, opened=0, deadline=10)


def one(fact):
    (proof,) = evidence.proofs(fact, District(a_directory()).world)
    return proof


A = frozenset(("a",))
PROVED = [
    (Reported(INCIDENT, AT, "relay", "a", version=2), Proof("relay", A, 2)),
    (Reported(INCIDENT, AT, "relay", "a", duty="x/y"), Proof("relay", A, ANY, duty="x/y")),
    (SuspensionDecided(INCIDENT, AT, "a", "p", ("work",)), Proof("suspension_decided", A)),
    (SuspensionDecided(INCIDENT, AT, "a", "p", lifted=True), Proof("suspension_lifted", A)),
    (Aired(INCIDENT, AT, "a", "crawl", True, "p", 3), Proof("aired_crawl", A, 3)),
    (Aired(INCIDENT, AT, "a", "badge", False, "p", 3), Proof("off_air_badge", A)),
    (Consulted(INCIDENT, AT, "c-1", "trend", "held", "a"), Proof("held", A, thread="c-1")),
    (ResponseSet(INCIDENT, AT, "II", "a", "p"), Proof("response_set", A)),
]


@pytest.mark.parametrize(("fact", "proof"), PROVED, ids=[p.word for _, p in PROVED])
def test_a_fact_proves(fact, proof):
    assert one(fact) == proof
    assert proof.word in WORDS or isinstance(fact, Reported)


def test_a_called_consultation_proves_nothing():
    assert not [
        *evidence.proofs(Consulted(INCIDENT, AT, "c", "trend", "called", "a"), District(a_directory()).world)
    ]


@pytest.mark.parametrize(
    ("proof", "key", "share_", "covers"),
    [
        (Proof("relay", A), "c/relay", share("relay"), True),
        (Proof("relay", A), "c/relay", share("measures"), False),
        (Proof("relay", frozenset("b")), "c/relay", share("relay"), False),
        (Proof("relay"), "c/relay", share("relay"), True),
        (Proof("relay", A, 1), "c/relay", share("relay", version=1), True),
        (Proof("relay", A, 1), "c/relay", share("relay", version=2), False),
        (Proof("relay", A, 3), "c/relay", share("relay", version=2), True),
        (Proof("held", A, thread="t-1"), "c/hold/t-1", share("held"), True),
        (Proof("held", A, thread="t-2"), "c/hold/t-1", share("held"), False),
        (Proof("held", A, thread="t-2"), "c/hold", share("held"), True),
        (Proof("relay", A, duty="c/relay"), "c/relay", share("relay"), True),
        (Proof("relay", A, duty="c/other"), "c/relay", share("relay"), False),
    ],
)
def test_a_proof_covers_a_share(proof, key, share_, covers):
    assert isinstance(share_, Share)
    assert proof.covers(key, "a", share_) is covers


def test_all_evidence_that_live_clauses_ask_for_can_be_given():
    pack = yunzhou()
    wanted = {w for c in pack.clauses.values() for d in c.duty for w in d.evidence if not c.planned}

    assert wanted <= set(WORDS) | set(pack.reports)
