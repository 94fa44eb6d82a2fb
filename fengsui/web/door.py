"""门 Door: what the hot routes need of the rest of the house — look a link up, answer for whoever holds it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fengsui.core.state import State
from fengsui.flow.inputs import Unwritten
from fengsui.flow.links import Links
from fengsui.store.sql import Errors
from fengsui.web import phone, phone_html
from fengsui.web.hot import Busy


class LinkDoor:
    """The links of a running house. ready: whether it may be relied on; telephone: of the weather office, "" = none."""

    def __init__(self, known: Links, ready: Callable[[], bool], telephone: str = "") -> None:
        self._links, self.ready, self._telephone = known, ready, telephone

    async def look(self, token: str) -> str | None:
        """The page of a living token. Raises Busy if the database does not say whether it lives."""
        try:
            found = await self._links.find(token)
            return await self._page(token, *found) if found else None
        except Errors as error:
            raise Busy from error

    async def answer(self, token: str, version: int = 0) -> str | None:
        """Confirm the version seen (0 = the newest); the page as it is then. Raises Busy if it could not be stored."""
        try:
            found = await self._links.answer(token, version)
            return await self._page(token, *found[:2]) if found else None
        except (Unwritten, *Errors) as error:
            raise Busy from error

    async def _page(self, token: str, person: str, state: State) -> str:
        writer, paper = self._links.writer, state.alert.paper
        text = phone.known_text(paper)
        if text is None:
            text = await asyncio.to_thread(phone.text, paper)
        now = writer.clock.now()
        view = phone.view(person, state, writer.world, now, text=text, telephone=self._telephone)
        return phone_html.page(view, token)
