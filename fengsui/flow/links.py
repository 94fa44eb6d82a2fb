"""链接 Links: the opaque token of a message — one person, one warning — and what pressing its button does.

A token is 12 characters of a keyed hash; only its own hash is stored. It lives as long as the warning holds; for who may
decide for a unit that stopped something, until the stream is closed: he must be able to lift it.
"""

from __future__ import annotations

import asyncio
import threading

from fengsui.core import suspension
from fengsui.core.facts import Notified, Reached, Recipient
from fengsui.core.levels import LEVELS
from fengsui.core.state import State, World
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
        if not well_formed(token):
            return None
        key = tokens.mark(token)
        found = self._known.get(key)
        if found is None:
            found = await asyncio.to_thread(self._read, key)
            if found is None:
                return None
            self._known[key] = found
        return living(*found, self.writer.world)

    def _read(self, key: str) -> tuple[str, str] | None:
        with self._lock:
            if self._session is None:
                self._session = Session()
            return tokens.find(self._session, key)

    async def answer(self, token: str, seen: int = 0) -> tuple[str, State, bool] | None:
        """Confirm as a fact: (person, stream as it is then, whether it is recorded). None: the token is dead.

        A warning that is over needs no confirming: nothing is recorded. seen: the version that was read, which a page opened before an upgrade never exceeds; 0 = the newest. Raises Unwritten if nothing could be written.
        """
        found = await self.find(token)
        if found is None:
            return None
        person, state = found
        if not state.alert.holds:
            return person, state, False
        newest = state.notices.people[person].version
        version = min(seen, newest) if seen else newest
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


def well_formed(token: str) -> bool:
    """Whether it may be a token at all."""
    return len(token) == tokens.LENGTH and token.isascii() and token.isalnum()


def living(person: str, stream: str, world: World) -> tuple[str, State] | None:
    """Person and stream of a token while it opens anything, else None."""
    state = world.streams.get(stream)
    if state is None or person not in state.notices.people:
        return None
    return (person, state) if state.alert.holds or suspension.remains(person, state, world) else None


def known(session: Session, token: str, world: World) -> tuple[str, State] | None:
    """The same for a page that has a connection of its own."""
    found = tokens.find(session, tokens.mark(token)) if well_formed(token) else None
    return living(*found, world) if found else None


def again(person: str, state: State, world: World, at: int, most: int) -> Notified | None:
    """The warning once more to one person, with his link; None if he has no way open or was told ``most`` times again.

    It asks for those holders whom he was asked for by his newest telling, and counts as no telling of a version.
    """
    contact = state.notices.people[person]
    start = f"again/{person}/{contact.version}/"
    number = sum(key.startswith(start) for key in state.notices.sent)
    channels = world.directory.usable(person, ("sms",))
    if number >= most or not channels:
        return None
    holders = tuple(h for h, version in contact.told.items() if version == contact.version)
    levels = state.alert.now.zones.values()
    return Notified(
        state.stream, at, f"{start}{number}", "alert", (Recipient(person, channels, holders),),
        contact.version, max(levels, key=LEVELS.index),
    )  # fmt: skip
