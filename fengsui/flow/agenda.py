"""到时 Agenda: the moments on the board that have come, and how long until the next. Asked of the database only when the
board may have changed.
"""

from __future__ import annotations

from fengsui.core.facts import TimeReached
from fengsui.flow.clock import Alarm
from fengsui.flow.inputs import Answer, Input
from fengsui.flow.round import Round
from fengsui.store import board, ledger
from fengsui.store.sql import Session

STUCK = 60_000_000
"""µs after which a moment that did not move on is tried, and told, again."""


class Agenda:
    """What a writer knows of the board's moments. All in UTC µs."""

    def __init__(self) -> None:
        self._soonest: int | None = None
        self._known = False
        self._taken = 0
        self._stuck: dict[str, int] = {}

    def forget(self) -> None:
        """The board may have changed."""
        self._known = False

    def wait(self, session: Session, now: int, most: float) -> float:
        """Seconds until something new is due, at most ``most``. What is still there was tried, and waits for something
        else.
        """
        soonest = self._next(session)
        if soonest is None or soonest <= self._taken:
            return most
        return min(most, max(0.0, (soonest - now) / 1_000_000))

    def come(self, session: Session, now: int) -> bool:
        """Whether something is due."""
        soonest = self._next(session)
        return soonest is not None and soonest <= now

    def take(self, this: Round, now: int) -> list[Alarm]:
        """Consider the moments that have come, one input for each stream; an alarm for what does not move on, and a
        pause.
        """
        self._taken = now
        if not self.come(this.session, now):
            return []
        due = [
            Input(f"{stream}@{at}", TimeReached(stream, now, at))
            for stream, at in board.due(this.session, now)
        ]
        self._stuck = {one.id: at for one in due if (at := self._stuck.get(one.id, 0)) > now}
        due = [one for one in due if one.id not in self._stuck]
        known = ledger.known(this.session, [one.id for one in due])
        stuck = [
            one.id
            for one, answer in zip(due, this.take(due), strict=True)
            if one.id in known or not isinstance(answer, Answer) or answer.code
        ]
        self._stuck.update(dict.fromkeys(stuck, now + STUCK))
        return [Alarm("R022", f"到时事项 {id_} 已处理但仍在看板上。[R022]", now) for id_ in stuck]

    def _next(self, session: Session) -> int | None:
        if not self._known:
            self._soonest, self._known = board.soonest(session), True
        return self._soonest
