"""链接 Links: the opaque token of a message — one person, one warning — and what pressing its button does.

A token is 12 characters of a keyed hash; only its own hash is stored. It lives as long as the warning holds.
"""

from __future__ import annotations

import asyncio
import threading

from fengsui.core import calendar, wording
from fengsui.core.clauses import Pack
from fengsui.core.facts import Reached
from fengsui.core.state import State
from fengsui.flow.inputs import Input, Parked, Unwritten
from fengsui.flow.record import Writer
from fengsui.store import tokens
from fengsui.store.sql import Session


class Links:
    """Looks tokens up and answers for whoever holds them. Known tokens are kept in memory."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self._known: dict[str, tuple[str, str]] = {}  # mark -> person, stream
        self._lock = threading.Lock()
        self._session: Session | None = None

    async def find(self, token: str) -> tuple[str, State] | None:
        """Person and stream of a living token, else None."""
        if len(token) != tokens.LENGTH or not token.isascii() or not token.isalnum():
            return None
        key = tokens.mark(token)
        found = self._known.get(key)
        if found is None:
            found = await asyncio.to_thread(self._read, key)
            if found is None:
                return None
            self._known[key] = found
        person, stream = found
        state = self.writer.world.streams.get(stream)
        if state is None or not state.alert.holds or person not in state.notices.people:
            return None
        return person, state

    def _read(self, key: str) -> tuple[str, str] | None:
        with self._lock:
            if self._session is None:
                self._session = Session()
            return tokens.find(self._session, key)

    async def answer(self, token: str) -> tuple[str, State, bool] | None:
        """Confirm as a fact: (person, stream as it is then, whether it is recorded). None: the token is dead.

        Raises Unwritten if nothing could be written.
        """
        found = await self.find(token)
        if found is None:
            return None
        person, state = found
        version = state.notices.people[person].version
        fact = Reached(state.stream, self.writer.clock.now(), person, "", "link", "acknowledged", version)
        try:
            given = await self.writer.post(Input(f"link/{tokens.mark(token)}/{version}", fact))
        except Parked as error:
            raise Unwritten(str(error)) from error
        return person, self.writer.world.streams.get(state.stream, state), given.ok

    def close(self) -> None:
        """Close the reading connection."""
        with self._lock:
            if self._session is not None:
                self._session.close()
                self._session = None


def shown(state: State, pack: Pack) -> tuple[str, str]:
    """Title and text of a warning as a link shows them: no name, no number."""
    levels = list(state.alert.now.zones.values())
    strongest = max(levels, key=("blue", "yellow", "orange", "red").index)
    hazard = pack.hazards[state.alert.hazard]
    title = f"{wording.mark(state, pack)}{hazard.name}{pack.texts.levels[strongest]}预警"
    areas = "、".join(pack.areas[z].name for z in state.alert.now.zones)
    until = wording.clock(state.alert.expires, pack)
    issued = calendar.local(state.alert.at, pack.zone)
    guide = "".join(hazard.levels[strongest].guide[:2])
    return (
        title,
        f"{issued.month}月{issued.day}日{wording.clock(state.alert.at, pack)}发布，有效至{until}。区域：{areas}。{guide}",
    )
