"""事件流 SSE: how a stream of server-sent events begins, what one event looks like, and how its end is known — raw ASGI."""

from __future__ import annotations

from fengsui.web.hot import Message, Receive, Send

HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


async def begin(send: Send, *, retry: int) -> None:
    """Answer with a stream. retry: ms after which a page that lost it asks again."""
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"retry: %d\n\n" % retry, "more_body": True})


def event(name: str, data: bytes, number: int | None = None) -> Message:
    """One event with a line of data; number: its id, which a page names when it asks again."""
    known = b"" if number is None else b"id: %d\n" % number
    body = b"event: %s\n%sdata: %s\n\n" % (name.encode(), known, data)
    return {"type": "http.response.body", "body": body, "more_body": True}


async def gone(receive: Receive) -> None:
    """Until the page has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
