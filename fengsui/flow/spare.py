"""余事 Spare: what may wait a moment — lists to fan out or to withdraw, leases in doubt, rows out of date. A little of it in
a round, so that first messages and answers do not wait for lists.
"""

from __future__ import annotations

from fengsui.flow import mailing
from fengsui.flow.round import Round
from fengsui.store import holds, leases, outbox, receipts

SLICE = 4000
"""Rows of a fan-out slice: small, so that an answer does not wait for it (measured: 2,000 to 10,000)."""
SWEEP = 1_000_000
"""µs between looks for what nobody announces: leases that ran out, what is out of date, rows given back too late."""
KEPT = 3 * 24 * 3600 * 1_000_000
"""µs for which a receipt without a row is kept."""


class Spare:
    """How far a writer is with it. left: there is more, as far as is known; set it when there may be."""

    def __init__(self) -> None:
        self.left = True
        self._began = False
        self._sliced = self._drained = False
        self._swept = 0

    def take(self, this: Round, *, busy: bool) -> bool:
        """A slice, if it is its turn: not in the round that issues, and while lanes are busy in every other round.
        Whether there is more of it.
        """
        if this.pending or (busy and self._sliced):
            self._sliced = this.pending
            self.left = self.left or this.pending
        else:
            self._sliced = True
            if not self._swept <= this.now < self._swept + SWEEP:
                self._swept = this.now
                self._sweep(this)
                self.left = True
            self.left = self.left and self._slice(this)
        return self.left

    def _sweep(self, this: Round) -> None:
        moved = leases.expire_doubtful(this.session, this.now)
        moved += outbox.expire(this.session, this.now, SLICE)
        if not self._began and this.setting.lanes and not _held(this):
            moved += leases.orphaned(this.session, this.setting.lanes)
            self._began = True
        receipts.forget_early(this.session, this.now - KEPT)
        this.take(mailing.news(this.session, moved, this.now))

    def _slice(self, this: Round) -> bool:
        """By turns: what is narrowed waits for the one, what is new for the other."""
        drained, self._drained = self._drained, False
        if drained and outbox.fan_out_slice(this.session, this.now, SLICE)[0]:
            return True
        if outbox.drain(this.session, SLICE):
            self._drained = True
            return True
        return not drained and bool(outbox.fan_out_slice(this.session, this.now, SLICE)[0])


def _held(this: Round) -> bool:
    """Whether everything is held, as after a restore: then nothing is judged yet."""
    return any(hold.lane == holds.EVERY for hold in holds.read(this.session))
