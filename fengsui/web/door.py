"""门 Door: what the hot routes need of the rest of the house — look a link up, answer for whoever holds it."""

from __future__ import annotations

from collections.abc import Callable

from fengsui.core import wording
from fengsui.core.clauses import Pack
from fengsui.core.state import State
from fengsui.flow import links
from fengsui.flow.inputs import Unwritten
from fengsui.flow.links import Links
from fengsui.web.hot import Asked, Busy


class LinkDoor:
    """The links of a running house. ready: whether its state is loaded."""

    def __init__(self, known: Links, ready: Callable[[], bool]) -> None:
        self._links, self.ready = known, ready

    async def look(self, token: str) -> Asked | None:
        """The warning that a living token asks about."""
        found = await self._links.find(token)
        if found is None:
            return None
        person, state = found
        contact = state.notices.people[person]
        return self._asked(state, "已收到您的签收" if contact.acknowledged >= contact.version else "")

    async def answer(self, token: str) -> Asked | None:
        """Confirm; the page that says so. Raises Busy if it could not be stored."""
        try:
            found = await self._links.answer(token)
        except Unwritten as error:
            raise Busy from error
        if found is None:
            return None
        _, state, recorded = found
        return self._asked(
            state, wording.clock(self._links.writer.clock.now(), self._pack) if recorded else ""
        )

    @property
    def _pack(self) -> Pack:
        return self._links.writer.world.pack

    def _asked(self, state: State, answered: str) -> Asked:
        title, text = links.shown(state, self._pack)
        return Asked(title, text, answered)
