"""演练短信中心的行为 How the rehearsal's short message centre behaves and misbehaves. Rehearsal only."""

from __future__ import annotations

import msgspec


class Plan(msgspec.Struct, forbid_unknown_fields=True):
    """How the centre behaves; may be changed while it runs. Times in seconds; "every n" counts submissions, 0 = never.

    failing: number → receipt error, "" delivered after all. fail_share: of all other numbers, chosen by the number.
    refuse: number → command_status. receipts: "text", "tlv" or "" for none. ids: "hex", or "mixed": hex in the answer
    and decimal in the receipt. early: the receipt goes out before the answer. elsewhere: receipts go to another login
    if there is one. window: receipts unanswered per login. hang: no answer to anything. close_every: hang up instead
    of answering.
    """

    password: str = "rehearse"  # noqa: S105 — a rehearsal's
    bind_status: int = 0
    receipts: str = "text"
    receipt_delay: float = 0.0
    early: bool = False
    elsewhere: bool = False
    failing: dict[str, str] = msgspec.field(default_factory=dict)
    fail_share: float = 0.0
    fail_code: str = "027"
    duplicate_every: int = 0
    unknown_every: int = 0
    throttle_every: int = 0
    close_every: int = 0
    refuse: dict[str, int] = msgspec.field(default_factory=dict)
    latency: float = 0.0
    hang: bool = False
    ids: str = "hex"
    window: int = 100
    heartbeat: float = 0.0
