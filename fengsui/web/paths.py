"""去处 Paths: the address of a page, if it is there and opens for a role — so that no page offers what it cannot keep."""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse

from fengsui.web import rights


def to(role: str, page: str, *args: str | int) -> str:
    """The address of a page by its name, "" where there is none or it does not open for the role."""
    if not rights.may(role, page):
        return ""
    try:
        return reverse(page, args=args)
    except NoReverseMatch:
        return ""


def first(role: str, *wanted: tuple[str, ...]) -> str:
    """The first of several (page, *args) that opens, "" if none does."""
    return next((url for name, *args in wanted if (url := to(role, name, *args))), "")
