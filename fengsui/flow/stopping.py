"""停发 Stopping: what a version of a warning makes untrue goes out no more — stopped in the transaction that decides it.

Leases are taken under the same lock: what somebody holds at that moment counts as possibly gone out, the rest is provably
unsent, also where several processes send.
"""

from __future__ import annotations

import msgspec

from fengsui.core.facts import Alerted
from fengsui.store import outbox
from fengsui.store.sql import Session


def before(session: Session, fact: Alerted) -> Alerted:
    """Stop what waits of a warning that is lifted; the fact with those named of whom every row was withdrawn unsent."""
    if fact.zones:
        return fact
    return msgspec.structs.replace(fact, withdrawn=outbox.withdraw(session, fact.stream))
