"""限速 How fast parts may leave: a token bucket that gives way when the peer says it is too much.

Pure: every moment is an argument, monotone seconds. Rates are parts per second; a text of three parts is three.
After a throttling answer the rate is halved at most once a second (many answers of one window are one word), then
grows by a twentieth of where it was each second (additive increase, multiplicative decrease).
"""

from __future__ import annotations

SLOWEST = 1.0
"""Parts per second below which we never fall: someone must learn that the peer takes messages again."""
UNBOUND = 8.0
"""An unlimited gateway is unlimited again when it has grown to this multiple of where it was throttled."""


class Pace:
    """What may leave now."""

    def __init__(self, rate: float, now: float) -> None:
        """rate: most parts per second, 0 = no limit of ours."""
        self._most = rate
        self._rate = rate
        self._step = 0.0
        self._tokens = 1.0
        self._at = now
        self._cut_at = float("-inf")
        self._count = 0
        self._since = now

    @property
    def rate(self) -> float:
        """Parts per second at present, 0 = no limit."""
        return self._rate

    def grant(self, wanted: int, now: float) -> int:
        """How many of the wanted parts may leave now; they count as sent."""
        if now - self._since >= 1:
            self._count, self._since = 0, now
        granted = min(wanted, self._fill(now)) if self._rate else wanted
        self._tokens -= granted if self._rate else 0
        self._count += granted
        return granted

    def wait(self) -> float:
        """Seconds until the next part may leave."""
        return max(0.0, (1 - self._tokens) / self._rate) if self._rate else 0.0

    def slow(self, now: float) -> None:
        """The peer said: too fast."""
        if now - self._cut_at < 1:
            return
        before = self._rate or max(self._count / max(now - self._since, 0.1), 2 * SLOWEST)
        self._rate = max(before / 2, SLOWEST)
        self._step = max(before / 20, SLOWEST)
        self._tokens, self._at, self._cut_at = 0.0, now, now

    def _fill(self, now: float) -> int:
        """Whole tokens in the bucket, which holds a tenth of a second's worth but at least one."""
        passed, self._at = max(0.0, now - self._at), now
        self._grow(passed)
        self._tokens = (
            min(self._tokens + passed * self._rate, max(1.0, self._rate / 10)) if self._rate else self._tokens
        )
        return int(self._tokens) if self._rate else 1

    def _grow(self, passed: float) -> None:
        if not self._step:
            return
        self._rate += self._step * passed
        if self._most and self._rate >= self._most:
            self._rate, self._step = self._most, 0.0
        elif not self._most and self._rate >= UNBOUND * 20 * self._step:
            self._rate, self._step, self._tokens = 0.0, 0.0, 1.0
