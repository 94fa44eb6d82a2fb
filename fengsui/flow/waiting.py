"""等候 Waiting: what one round of the writer takes from its queues, and what is said when it cannot be written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import msgspec
import psycopg

from fengsui.flow.inputs import Answer, Input, Pending, Unwritten
from fengsui.flow.round import Round

PASSING = (sqlite3.OperationalError, psycopg.OperationalError)
"""What may be over the next time: a full disk, a lock, a lost connection."""
STOPPED = "系统正在停止，这一项没有记录，请稍后重试。[R013]"


class Job(msgspec.Struct):
    """Something that is done inside a round: given the round, returns what its waiter gets. last: after the others."""

    run: Callable[[Round], Any]
    future: Pending[Any]
    size: int
    last: bool = False


class Waiting(msgspec.Struct):
    """What one round takes from the queues."""

    inputs: list[tuple[Input, Pending[Answer]]]
    jobs: list[Job]

    @property
    def futures(self) -> list[Pending[Any]]:
        """Whoever waits for this round."""
        return [*(f for _, f in self.inputs), *(j.future for j in self.jobs)]

    def apart(self) -> list[Waiting]:
        """The same, each in a round of its own."""
        return [Waiting([one], []) for one in self.inputs] + [Waiting([], [job]) for job in self.jobs]


def storable(text: str) -> bool:
    """Whether both databases can keep it: no NUL, no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def said(error: Exception) -> str:
    """What to do about a database that does not write."""
    text = str(error)
    if "full" in text or "No space" in text:
        return f"磁盘已满，这一项没有记录。请腾出空间后重试。[R011]（{text}）"
    if "locked" in text or "busy" in text:
        return f"数据库被别的程序占用，这一项没有记录，请重试。[R012]（{text}）"
    return f"{Unwritten.__doc__}（{text}）"
