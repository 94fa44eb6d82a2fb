"""What an open page is told: that something changed, also what changed while it came."""

from __future__ import annotations

import asyncio

import pytest

from fengsui.flow.inputs import Change
from fengsui.web.live import Hub


def begun(query: bytes, *, seq: int) -> list[bytes]:
    """The first words of a stream that is opened after a commit as of seq, which nobody heard of."""

    async def night() -> list[bytes]:
        hub, said, gone = Hub(lambda _: True, "fengsui"), [], asyncio.Event()

        async def receive():
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            said.append(message.get("body", b""))

        scope = {"headers": [], "query_string": query}
        hub.changed(Change(seq, ("incident-1",), False))
        stream = asyncio.create_task(hub(scope, receive, send))
        await asyncio.sleep(0.01)
        gone.set()
        await stream
        return said

    return asyncio.run(night())


@pytest.mark.parametrize(
    ("query", "told"), [(b"since=6", True), (b"since=7", False), (b"", False), (b"since=x", False)]
)
def test_what_was_committed_while_a_page_came_is_told_as_soon_as_it_listens(query, told):
    assert any(b"event: change\nid: 7" in words for words in begun(query, seq=7)) == told
