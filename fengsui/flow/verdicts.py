"""结果 Verdicts: from a leased row to a handover, from a gateway's answers to what they mean for the row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fengsui.core.calendar import MINUTE, SECOND
from fengsui.gateways.contract import Handover, Outcome, PartResult, Result
from fengsui.store.leases import Leased, Verdict
from fengsui.store.states import State
from fengsui.store.subscribed import ENDPOINT
from fengsui.store.vault import KeyFault, Vault

PAUSES = (5 * SECOND, 15 * SECOND, 30 * SECOND, MINUTE)
"""How long a row waits after its first, second … refusal that may pass."""
BRIEF = (SECOND, 2 * SECOND, 5 * SECOND, 15 * SECOND, MINUTE)
"""The same after being told that we are too fast: the gateway slows down by itself."""
LONGEST = 12
"""How often a wait in doubt is doubled at most: from a minute to nearly three days."""
DISCONNECTED = "not connected"
UNANSWERING = "not answering"
UNSENT = frozenset({DISCONNECTED, UNANSWERING, "login refused", "expired"})
"""Codes with which a gateway says that it never put a part on the wire."""

ENDS = {
    Outcome.REFUSED_ADDRESS: int(State.REFUSED),
    Outcome.REFUSED_CONTENT: int(State.REFUSED),
    Outcome.UNKNOWN: int(State.UNKNOWN),
}
"""What ends a row, or leaves it in doubt; every other outcome is tried again until the warning expires."""
WORSE = (Outcome.RETRY, Outcome.THROTTLED, Outcome.REFUSED_CONFIG, *ENDS)
"""Of the parts of one row the outcome furthest right speaks for the row: doubt weighs more than a refusal."""


def handover(row: Leased, vault: Vault) -> Handover | None:
    """What the gateway gets of a row; None if there is no address to send it to any more.

    A subscriber is its gateway: what goes to it has no other address.
    """
    if row.recipient.startswith(ENDPOINT):
        return Handover(row.id, "", ((0, 1, row.body),), 0, row.expires, row.level)
    if row.cipher is None:
        return None
    try:
        to = vault.decrypt(row.cipher, "address")
    except KeyFault:
        return None
    return Handover(row.id, to, _parts(row), row.id & 0xFF, row.expires, row.level, row.suffix)


def _parts(row: Leased) -> tuple[tuple[int, int, str], ...]:
    """The parts that the peer has not yet taken."""
    if row.parts == 1:
        return ((0, 1, row.body),)
    return tuple((i, row.parts, text) for i, text in enumerate(row.texts) if not row.accepted >> i & 1)


def judged(
    results: Iterable[Result], rows: Mapping[int, Leased], token: int, *, now: int, doubt: int
) -> tuple[list[Verdict], list[int]]:
    """What a gateway's answers for a batch mean for its rows, and which rows never reached the wire.

    doubt: µs after which a row is sent again that was not answered for, the first time.
    """
    verdicts: list[Verdict] = []
    unsent: list[int] = []
    for result in results:
        if (
            len(result.parts) == 1 and (part := result.parts[0]).outcome is Outcome.ACCEPTED
        ):  # as nearly always
            taken = ((part.index, part.provider_id),)
            verdicts.append(Verdict(result.id, token, 1 << part.index, provider_ids=taken))
        elif never_sent(result):
            unsent.append(result.id)
        else:
            verdicts.append(verdict(result, rows[result.id], token, now=now, doubt=doubt))
    return verdicts, unsent


def never_sent(result: Result) -> bool:
    """Whether no part of a row was put on the wire."""
    return bool(result.parts) and all(
        p.code in UNSENT and p.outcome in (Outcome.RETRY, Outcome.REFUSED_CONFIG) for p in result.parts
    )


def verdict(result: Result, row: Leased, token: int, *, now: int, doubt: int) -> Verdict:
    """What a gateway's answers for the parts of one row mean for the row; no answer at all is doubt."""
    mask, provider_ids = 0, []
    worst: PartResult | None = None if result.parts else PartResult(0, Outcome.UNKNOWN)
    for part in result.parts:
        if part.outcome is Outcome.ACCEPTED:
            mask |= 1 << part.index
            provider_ids.append((part.index, part.provider_id))
        elif worst is None or WORSE.index(part.outcome) > WORSE.index(worst.outcome):
            worst = part
    if worst is None:
        return Verdict(result.id, token, mask, provider_ids=tuple(provider_ids))
    return Verdict(
        result.id,
        token,
        mask,
        end=ENDS.get(worst.outcome, 0),
        run_at=now + _pause(worst.outcome, row, doubt),
        code=worst.code or worst.outcome.value,
        provider_ids=tuple(provider_ids),
        dead=worst.outcome is Outcome.REFUSED_ADDRESS,
    )


def _pause(outcome: Outcome, row: Leased, doubt: int) -> int:
    """µs until a row is tried again. Whoever may have it already is not woken every minute: in doubt each wait is twice
    as long as the one before, until the lane works again and ``leases.revive`` ends it.
    """
    if outcome is Outcome.UNKNOWN:
        return doubt << min(row.doubtful, LONGEST)
    pauses = BRIEF if outcome is Outcome.THROTTLED else PAUSES
    return pauses[min(max(row.attempts, 1), len(pauses)) - 1]
