"""读取 Read: an element of CAP → the struct that it is. A time or number that means nothing is None and said, with its line.

Driven by tables made from the structs themselves: for each, its elements by name and how each is read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import NoneType
from typing import Any, NamedTuple, get_args, get_origin

import msgspec
from lxml import etree

from fengsui.core import cap_forms
from fengsui.core.cap import Alert, Area, Info, Moment, Named, Resource, Version
from fengsui.core.cap_rules import MOST, Finding
from fengsui.formats.cap.parse import local, namespace

VERSIONS: dict[str, Version] = {
    "urn:oasis:names:tc:emergency:cap:1.2": "1.2",
    "urn:oasis:names:tc:emergency:cap:1.1": "1.1",
    "http://www.incident.com/cap/1.0": "1.0",
}
"""Namespace → version."""

Form = Callable[[str], Any]
FORMS: dict[Any, tuple[Form, Form, str]] = {
    Moment: (
        cap_forms.moment,
        cap_forms.loosely,
        "时间 2026-07-17T14:40:00+08:00：到秒，带数字时区，不用 Z，不带小数",
    ),
    int: (cap_forms.integer, cap_forms.integer, "整数"),
    float: (cap_forms.decimal, cap_forms.decimal, "数"),
}
"""Type of a field → how its text is read, how it is understood at need, and what it should have been."""


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


def read(root: etree._Element, *, loose: bool = False) -> tuple[Alert, list[Finding]]:
    """The message that an ``alert`` element is, and what in it is written wrongly.

    loose: times and numbers that are written wrongly but can be understood are read all the same.
    """
    reader = _Reader(_tables(namespace(root), loose))
    alert: Alert = reader.struct(root, Alert)
    return alert, reader.faults


def tags(kind: Any) -> tuple[str, ...]:
    """Names of the elements of a struct, in the order of the schema."""
    return tuple(field.encode_name for field in msgspec.structs.fields(kind) if field.name != "version")


class _Reader:
    """Reads one message; keeps what it could not read, and what it has read: a time stands in many places."""

    def __init__(self, tables: dict[Any, Table]) -> None:
        self.faults: list[Finding] = []
        self.known: dict[Any, dict[str, Any]] = {kind: {} for kind in FORMS}
        self._tables = tables

    def fault(self, element: etree._Element, text: str, expected: str) -> None:
        """Note a text that does not have its form."""
        if len(self.faults) < MOST:
            said = f"{local(element)} 写了“{text.strip()[:60]}”"
            self.faults.append(Finding("X313", f"{said}，应为{expected}。", line=element.sourceline or 0))

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
        name, given, value = (element.text or "").partition("=")
        return Named(name, value) if given else Named("", name)
    return Named(first.text or "", second.text or "")


def _named_loosely(_: _Reader, element: etree._Element) -> Named:
    """A named value whose parts may stand in any order, and beside others."""
    parts = {local(child): child.text or "" for child in reversed(element[:])}
    return Named(parts.get("valueName", ""), parts.get("value", "")) if parts else _named(_, element)


def _formed(kind: Any, *, loose: bool) -> Callable[[_Reader, etree._Element], Any]:
    form, understood, expected = FORMS[kind]

    def value(reader: _Reader, element: etree._Element) -> Any:
        text = element.text or ""
        known = reader.known[kind]
        if text in known:
            return known[text]
        found = form(text)
        if found is None:
            found = understood(text) if loose else None
            reader.fault(element, text, expected)
        known[text] = found
        return found

    return value


def _struct(kind: Any) -> Callable[[_Reader, etree._Element], Any]:
    def value(reader: _Reader, element: etree._Element) -> Any:
        return reader.struct(element, kind)

    return value


@lru_cache(16)
def _tables(place: str, loose: bool) -> dict[Any, Table]:
    """A table for each struct, of the elements of a namespace."""
    prefix = f"{{{place}}}" if place else ""
    blank = {
        Alert: Alert(version=VERSIONS.get(place, "1.2")),
        Info: Info(),
        Area: Area(),
        Resource: Resource(),
    }
    return {kind: _table(prefix, empty, loose=loose) for kind, empty in blank.items()}


def _table(prefix: str, empty: msgspec.Struct, *, loose: bool) -> Table:
    texts, others = {}, {}
    for place, field in enumerate(msgspec.structs.fields(empty)):
        tag = prefix + field.encode_name
        one = next((option for option in get_args(field.type) if option not in (NoneType, ...)), field.type)
        if field.type is str:
            texts[tag] = place
        elif field.name != "version":
            others[tag] = Slot(place, get_origin(field.type) is tuple, _reading(one, loose=loose))
    return Table(texts, others, msgspec.structs.astuple(empty))


def _reading(kind: Any, *, loose: bool) -> Callable[[_Reader, etree._Element], Any]:
    """How a value of this type is read from its element."""
    if kind in FORMS:
        return _formed(kind, loose=loose)
    if kind in (Info, Area, Resource):
        return _struct(kind)
    if kind is Named:
        return _named_loosely if loose else _named
    return _present if kind is bool else _text
