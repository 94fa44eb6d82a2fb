"""投递状态 States of a delivery as stored: a state only ever rises, so an older word never undoes a newer one."""

from __future__ import annotations

import enum

from fengsui.core.levels import LEVELS


class State(enum.IntEnum):
    """Planned until a peer took it; unknown = may or may not have gone out, closed; the rest as the peer said."""

    PLANNED = 0
    UNKNOWN = 1
    HANDED_OVER = 2
    EXPIRED = 3
    REFUSED = 4
    FAILED = 5
    WITHDRAWN = 6
    DELIVERED = 7
    READ = 8


GIVEN_UP = (State.EXPIRED, State.REFUSED, State.FAILED)
"""A way that led nowhere; a person whose every way is one of these is exhausted."""

COLUMN = {
    State.UNKNOWN: "unknown",
    State.HANDED_OVER: "handed",
    State.EXPIRED: "expired",
    State.REFUSED: "refused",
    State.FAILED: "failed",
    State.WITHDRAWN: "withdrawn",
    State.DELIVERED: "delivered",
}
"""Where ``notice_channel`` counts a state."""

NAMES = {
    State.PLANNED: "计划",
    State.UNKNOWN: "不明",
    State.HANDED_OVER: "已提交",
    State.EXPIRED: "过期",
    State.REFUSED: "被拒",
    State.FAILED: "失败",
    State.WITHDRAWN: "已撤回",
    State.DELIVERED: "送达",
    State.READ: "已读",
}


def urgency(level: str) -> int:
    """0 for red to 3 for blue and for what has no level.

    >>> urgency("red"), urgency("blue"), urgency("")
    (0, 3, 3)
    """
    return 3 - LEVELS.index(level) if level in LEVELS else 3
