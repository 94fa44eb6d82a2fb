"""列 Columns: the three kinds that nearly every table is made of. Nothing is null: "" and 0 say that there is nothing."""

from __future__ import annotations

from typing import Any

from django.db import models

Field = Any
"""Django's fields are what they hold to whoever reads them."""


def text(**options: Any) -> Field:
    """Words, an id, JSON."""
    return models.TextField(default="", **options)


def number(default: int = 0) -> Field:
    """A count, or a moment in UTC microseconds."""
    return models.BigIntegerField(default=default)


def flag(default: int = 0) -> Field:
    """0 or 1, so that one SQL text serves both databases."""
    return models.SmallIntegerField(default=default)
