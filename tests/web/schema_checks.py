"""What schemathesis asks of every answer besides its own checks; it loads this file by itself."""

from __future__ import annotations

import re
from typing import Any

import schemathesis

CODE = re.compile(r"\[?[A-Z]\d{2,3}")
INSIDE = ("Traceback (most recent call last)", 'File "', "django.", "sqlite3.", "psycopg")


SLOW, PRINTED = 2.0, 20.0
"""Seconds an answer may take, with two visitors at once; and one that a niced process typesets."""


@schemathesis.check
def prompt(ctx: Any, response: Any, case: Any) -> None:
    """Nobody waits."""
    limit = PRINTED if case.path.endswith(".pdf") else SLOW
    assert response.elapsed < limit, f"took {response.elapsed:.1f} s"


@schemathesis.check
def clear(ctx: Any, response: Any, case: Any) -> None:
    """Nothing of the inside on any page; whoever is refused reads a code and what to do, in Chinese."""
    text = response.content.decode("utf-8", "replace")
    for word in INSIDE:
        assert word not in text, f"the page shows the inside: {word}"
    people = case.method in ("GET", "POST") and not case.path.startswith("/tv/")
    if response.status_code >= 400 and people:
        assert CODE.search(text), f"{response.status_code} without a code: {text[:200]}"
        assert re.search("[一-鿿]", text), "not in Chinese"
