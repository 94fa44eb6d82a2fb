"""停发 Stopping: what a version of a warning makes untrue goes out no more — stopped in the transaction that decides it.

Leases are taken under the same lock: what somebody holds at that moment counts as possibly gone out, the rest is provably
unsent, also where several processes send.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from fengsui.core import alerts, drill, outdated, reception
from fengsui.core.facts import Alerted, DrillSet, Fact, Notified, Received
from fengsui.core.levels import GONE
from fengsui.core.state import State, World
from fengsui.store import outbox
from fengsui.store.sql import Session

STOPPING = (Alerted, Received, DrillSet)
"""Facts that may stop something: undone with it if the decision fails."""


def before(session: Session, fact: Fact, world: World) -> Fact:
    """Stop what waits for whom an admitted version no longer touches, of a lifted warning all, of a drill that ends all that
    is played in it; the fact with those named of whom every row was withdrawn unsent: who is told that it is over depends
    on it.
    """
    match fact:
        case DrillSet(state="stopped"):
            for stream in (fact.stream, *drill.incidents(fact.stream, world)):
                outbox.withdraw(session, stream)
            return fact
        case Alerted():
            state = alerts.folded(world.at(fact.stream), fact)
        case Received():
            state = reception.folded(world.at(fact.stream), fact)
        case _:
            return fact
    left = outdated.left(state, world)
    if fact.zones:
        standing = [n for n in outdated.standing(state) if n.change not in GONE]
        outbox.stop(session, fact.stream, _told(standing, left))
    else:
        outbox.withdraw(session, fact.stream)
    if isinstance(fact, Received):
        return fact
    told = _told(state.notices.sent.values(), left)
    return msgspec.structs.replace(fact, withdrawn=outbox.unsent(session, fact.stream, told))


def after(session: Session, facts: Iterable[Fact], state: State) -> None:
    """Stop what waits of earlier versions for whoever is told something by this one; facts: what it makes follow."""
    now = [f for f in facts if isinstance(f, Notified) and f.change]
    persons, lists = outdated.said(now)
    standing = {n.key: n for n in outdated.standing(state)}
    outbox.stop(session, state.stream, _told(standing.values(), persons))
    informing = [n.key for n in standing.values() if n.lists]
    for id_, key, steps in outbox.informing(session, state.stream, informing):
        left = []
        for step in steps:
            told, ended = lists.get(step.list, ()), standing[key].change in GONE
            zones, but = outdated.still((step.zones, step.but), told, state, ended=ended)
            if zones:
                left.append(msgspec.structs.replace(step, zones=zones, but=but))
        if left != steps:
            outbox.narrow(session, id_, left)


def _told(tellings: Iterable[Notified], persons: Collection[str]) -> list[tuple[str, str]]:
    """(key of a telling, person) for whom of these persons each was told."""
    return [(n.key, r.person) for n in tellings for r in n.recipients if r.person in persons]
