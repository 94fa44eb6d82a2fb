"""读取 Read: an element of CAP → the struct that it is. A time or number that means nothing is None and said, with its line.

Driven by tables made from the structs themselves: for each, its elements by name and how each is read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import NoneType
from typing import Any, NamedTuple, get_args, get_origin

import msgspec
from lxml import etree

from fengsui.core import cap_forms
from fengsui.core.cap import Alert, Area, Info, Moment, Named, Resource, Version
from fengsui.core.cap_rules import MOST, Finding
from fengsui.formats.cap.parse import namespace

VERSIONS: dict[str, Version] = {
    "urn:oasis:names:tc:emergency:cap:1.2": "1.2",
    "urn:oasis:names:tc:emergency:cap:1.1": "1.1",
    "http://www.incident.com/cap/1.0": "1.0",
}
"""Namespace → version."""

FORMS: dict[Any, tuple[Callable[[str], Any], str]] = {
    Moment: (cap_forms.moment, "时间，应为 2026-07-17T14:40:00+08:00：到秒，带数字时区，不用 Z，不带小数"),
    int: (cap_forms.integer, "整数"),
    float: (cap_forms.decimal, "数"),
}
"""Type of a field → how its text is read, and what it should have been."""


class Slot(NamedTuple):
    """How an element is read: as which field, alone or with namesakes, by which function."""

    place: int
    many: bool
    value: Callable[[_Reader, etree._Element], Any]


class Table(NamedTuple):
    """The elements of a struct by their full names: plain texts that occur once, and all others; and a struct of none."""

    texts: dict[str, int]
    others: dict[str, Slot]
    empty: tuple[Any, ...]


def read(root: etree._Element) -> tuple[Alert, list[Finding]]:
    """The message that an ``alert`` element is, and what in it could not be read."""
    reader = _Reader(_tables(namespace(root)))
    alert: Alert = reader.struct(root, Alert)
    return alert, reader.faults


class _Reader:
    """Reads one message; keeps what it could not read, and what it has read: a time stands in many places."""

    def __init__(self, tables: dict[Any, Table]) -> None:
        self.faults: list[Finding] = []
        self.known: dict[Any, dict[str, Any]] = {kind: {} for kind in FORMS}
        self._tables = tables

    def struct(self, element: etree._Element, kind: Any) -> Any:
        """The struct that an element is. The innermost loop of the house: it is written for speed."""
        texts, others, empty = self._tables[kind]
        values, lists = list(empty), []
        for child in element[:]:  # a list at once is quicker than one after the other
            tag = child.tag
            if tag in texts:
                values[texts[tag]] = child.text or ""
            elif tag in others:
                place, many, value_of = others[tag]
                value = value_of(self, child)
                if not many:
                    values[place] = value
                elif values[place]:
                    values[place].append(value)
                else:
                    values[place] = [value]
                    lists.append(place)
        for place in lists:
            values[place] = tuple(values[place])
        return kind(*values)


def _text(_: _Reader, element: etree._Element) -> str:
    return element.text or ""


def _present(*_: Any) -> bool:
    return True


def _named(_: _Reader, element: etree._Element) -> Named:
    """A named value: two elements, or one text ``name=value`` as CAP 1.0 writes it."""
    try:
        first, second = element[:]
    except ValueError:
        *name, value = (element.text or "").rsplit("=", 1)
        return Named("".join(name), value)
    return Named(first.text or "", second.text or "")


def _formed(kind: Any) -> Callable[[_Reader, etree._Element], Any]:
    form, expected = FORMS[kind]

    def value(reader: _Reader, element: etree._Element) -> Any:
        text = element.text or ""
        known = reader.known[kind]
        if text in known:
            return known[text]
        found = known[text] = form(text)
        if found is None and len(reader.faults) < MOST:
            name = etree.QName(element).localname
            problem = f"{name} 写了“{text.strip()[:60]}”，应为{expected}。"
            reader.faults.append(Finding("X313", problem, line=element.sourceline or 0))
        return found

    return value


def _struct(kind: Any) -> Callable[[_Reader, etree._Element], Any]:
    def value(reader: _Reader, element: etree._Element) -> Any:
        return reader.struct(element, kind)

    return value


@cache
def _tables(place: str) -> dict[Any, Table]:
    """A table for each struct, of the elements of a namespace."""
    prefix = f"{{{place}}}" if place else ""
    blank = {
        Alert: Alert(version=VERSIONS.get(place, "1.2")),
        Info: Info(),
        Area: Area(),
        Resource: Resource(),
    }
    return {kind: _table(prefix, kind, msgspec.structs.astuple(empty)) for kind, empty in blank.items()}


def _table(prefix: str, kind: Any, empty: tuple[Any, ...]) -> Table:
    texts, others = {}, {}
    for place, field in enumerate(msgspec.structs.fields(kind)):
        tag = prefix + field.encode_name
        one = next((option for option in get_args(field.type) if option not in (NoneType, ...)), field.type)
        if field.type is str:
            texts[tag] = place
        elif field.name != "version":
            others[tag] = Slot(place, get_origin(field.type) is tuple, _reading(one))
    return Table(texts, others, empty)


def _reading(kind: Any) -> Callable[[_Reader, etree._Element], Any]:
    """How a value of this type is read from its element."""
    if kind in FORMS:
        return _formed(kind)
    if kind in (Info, Area, Resource):
        return _struct(kind)
    return _named if kind is Named else _present if kind is bool else _text
