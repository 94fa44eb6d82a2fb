"""脉象 Pulse: how a lane's gateway fares, judged by what it said of the last batch, and what a person must be told of it.

Connected or not is one question, answering another: a peer that takes everything and says nothing must neither be
hammered nor wake people again and again, so it is tried with one row at a time, as one that is not connected is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple

from fengsui.flow.verdicts import UNANSWERING
from fengsui.gateways.contract import Outcome, Result

PATIENCE = 10.0
"""Seconds of being not connected after which a person is told, and what waits may leave by another way."""

REST = 300.0
"""Seconds after which one that did not answer is given messages again, if nothing was due that would have shown."""

State = Literal["well", "down", "silent", "refused"]


class Trouble(NamedTuple):
    """What a person must be told: a stable code, and in Chinese what is and what to do."""

    code: str
    text: str


class Pulse:
    """state: well; down (nothing of the last batch reached the wire); silent (nothing of it was answered); refused
    (our account or settings are wrong). Moments are monotonic seconds.
    """

    def __init__(self) -> None:
        self.state: State = "well"
        self._since = 0.0
        self._trusted = True
        self._code = ""

    @property
    def down(self) -> bool:
        """Whether what is handed over now would not reach the wire."""
        return self.state in ("down", "refused")

    @property
    def ill(self) -> bool:
        """Whether one row at a time is enough, and the others had better leave by another way."""
        return not self._trusted

    def feel(self, results: Sequence[Result], unsent: Collection[int], now: float) -> None:
        """Judge by the answers for one batch; unsent: ids of the rows that never reached the wire."""
        codes = [p.code for r in results for p in r.parts if p.outcome is Outcome.REFUSED_CONFIG]
        said = {part.outcome for result in results if result.id not in unsent for part in result.parts}
        self._code = codes[0] if codes else "" if Outcome.ACCEPTED in said else self._code
        if codes and Outcome.ACCEPTED not in said:
            self._become("refused", now)
        elif said - {Outcome.UNKNOWN}:
            self._become("well", now)
        elif len(unsent) < len(results) or any(p.code == UNANSWERING for r in results for p in r.parts):
            self._become("silent", now)
        else:
            self._become("down", now)

    def look(self, *, up: bool, now: float) -> None:
        """Judge by whether the gateway says that it is connected, where nothing is due that would show. One that did not
        answer is well again when it is connected anew; until it has answered it is only tried.
        """
        if not up:
            self._become("down", now)
        elif self.state == "down":
            self._become("well", now)
        elif self.state == "silent":
            self._trusted = now - self._since >= REST

    def trouble(self, now: float) -> Trouble | None:
        """What has to be told now, None while there is nothing or it may still pass."""
        if self._code:
            return Trouble("R032", f"网关不接受本账号或设置（{self._code}），待发保留。请改正网关设置")
        if self.state == "silent":
            return Trouble(
                "R034",
                "网关收下消息却不应答，不知是否发出；现逐条试发，间隔逐次加倍，恢复应答后即补发。"
                "请联系运营商，急件请人工叫应",
            )
        if self.state == "down" and now - self._since >= PATIENCE:
            return Trouble(
                "R031", "网关未连接，待发保留，接通后自动发出，过了有效期的不再发出。请检查网络与网关"
            )
        return None

    def _become(self, state: State, now: float) -> None:
        if state != self.state or state == "silent":
            self.state, self._since = state, now
        self._trusted = state == "well"
