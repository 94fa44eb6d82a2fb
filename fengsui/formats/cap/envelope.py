"""信封 Envelope: the CAP messages in a file — alone, in Atom, EDXL-DE or any other XML, as text inside one, in JSON, or broken.

Each is handed on as bytes of its own, with where it was found. A message that stands alone is handed on as it is, byte for byte.
"""

from __future__ import annotations

import binascii
import copy
import re
from collections.abc import Iterator
from typing import Any

import msgspec
from lxml import etree

from fengsui.formats.cap import parse

OPENING = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?alert[\s>]")
MESSAGE = re.compile(
    rb"<([A-Za-z_][\w.-]*:)?alert[\s>].*?</\1?alert\s*>|<(?:[A-Za-z_][\w.-]*:)?alert[\s>].*", re.DOTALL
)
PROLOGUE = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<[?!](?:[^<]|<[^A-Za-z_])*)?")
"""What may stand before a message: declarations, instructions, comments, a document type; no text and no element."""
MOST = 500
"""Messages of one file that are looked at."""
DEEPEST = 3
"""Envelopes within envelopes."""
BASE64 = re.compile(r"\s*(?:PD94|PGFsZXJ0|PGNhcDph|77u/PD94)")
"""How ``<?xml``, ``<alert`` and ``<cap:a`` begin in base64 (content of an EDXL-DE object)."""


class Part(msgspec.Struct, frozen=True):
    """A message of a file. within: what it was found in, "" = the file itself. line: of the file, where it begins."""

    content: bytes
    within: str = ""
    line: int = 1


def parts(content: bytes) -> list[Part]:
    """The messages of a file, in their order; the file itself if none is found in it."""
    found: list[Part] = []
    for part in _parts(content, 0):
        found.append(part)
        if len(found) == MOST:
            break
    return found or [Part(content)]


def holds(content: bytes) -> bool:
    """Whether there is a message in a file, or a document in which there might be one: an empty feed is no fault."""
    found = parts(content)
    if len(found) > 1 or found[0].content != content or OPENING.search(content):
        return True
    try:
        return parse.local(parse.tree(content, parse.parser())) != "html"
    except parse.Refused:
        return False


def _parts(content: bytes, depth: int) -> Iterator[Part]:
    try:
        root = parse.tree(content, parse.parser())
    except parse.Refused:
        yield from _broken(content, depth)
        return
    if parse.local(root) == "alert":
        yield Part(content)
    elif depth < DEEPEST:
        yield from _inside(root, depth)


def _inside(root: etree._Element, depth: int) -> Iterator[Part]:
    """Messages that are elements of another document, and those that are texts of it."""
    kind = parse.local(root)
    elements = [e for e in root.iter("{*}alert") if not any(a.tag == e.tag for a in e.iterancestors())]
    for element in elements:
        yield Part(_alone(element), kind, element.sourceline or 1)
    for element in root.iter("*"):
        for inner in _texts(element.text or ""):
            for part in _parts(inner, depth + 1):
                yield Part(part.content, kind, element.sourceline or 1)


def _alone(element: etree._Element) -> bytes:
    """An element as a document of its own, with only the namespaces that it needs, as it was before it was put in."""
    alone = copy.deepcopy(element)
    alone.tail = None
    etree.cleanup_namespaces(alone)
    return etree.tostring(alone, encoding="utf-8")


def _texts(text: str) -> Iterator[bytes]:
    """What of a text may be a message: markup in it, or base64 of markup."""
    if OPENING.search(content := text.encode(errors="replace")):
        yield content.strip()
    elif BASE64.match(text):
        try:
            inner = binascii.a2b_base64(text.encode())
        except (binascii.Error, UnicodeError):
            return
        if OPENING.search(inner):
            yield inner


def _broken(content: bytes, depth: int) -> Iterator[Part]:
    """Messages of what is no XML: strings of JSON, or whatever begins like a message, to its end or the file's."""
    if content.lstrip()[:1] in (b"{", b"[") and depth < DEEPEST:
        strings = [inner for text in _strings(content) for inner in _texts(text)]
        yield from (Part(part.content, "JSON") for inner in strings for part in _parts(inner, depth + 1))
        if strings:
            return
    found = list(MESSAGE.finditer(content))
    if len(found) == 1 and PROLOGUE.fullmatch(content, 0, found[0].start()):
        yield Part(content)  # a broken message by itself
        return
    for one in found:
        yield Part(one[0], "", content.count(b"\n", 0, one.start()) + 1)


def _strings(content: bytes) -> Iterator[str]:
    """Every string of a JSON document."""
    try:
        waiting: list[Any] = [msgspec.json.decode(content)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    while waiting:
        match waiting.pop():
            case str(text):
                yield text
            case list(items):
                waiting += reversed(items)
            case dict(table):
                waiting += reversed(table.values())
