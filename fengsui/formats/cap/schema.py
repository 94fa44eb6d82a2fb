"""模式 Schema: the OASIS schemas of CAP 1.0, 1.1 and 1.2, and what is wrong with a document, in Chinese.

The schemas are the founders' own files (``schema/``), compiled once. Where a namespace has none, that is the finding.
"""

from __future__ import annotations

import re
import threading
from functools import cache
from pathlib import Path

import msgspec
from lxml import etree

from fengsui.core.cap import Version
from fengsui.core.cap_rules import MOST, Finding
from fengsui.formats.cap.parse import local, namespace, parser
from fengsui.formats.cap.read import VERSIONS

FILES: dict[Version, str] = {"1.0": "cap-1.0.xsd", "1.1": "CAP-v1.1.xsd", "1.2": "CAP-v1.2.xsd"}
FOLDER = Path(__file__).parent / "schema"
SMALL = 16 * 1024
MANY = 4_000
"""Elements up to which faults are looked up with their lines, however many there are; and bytes that never hold more."""
CHUNK = 16 * 1024

NAME = re.compile(r"\{[^}]*\}")
SUBJECT = re.compile(r"Element '(?:\{[^}]*\})?([^']*)'")
EXPECTED = re.compile(r"Expected is (?:one of )?\( (.*) \)\.")
LISTED = re.compile(r"The value '(.*)' is not an element of the set \{(.*)\}", re.DOTALL)
VALUE = re.compile(r"^(?:\[facet '\w+'\] The value )?'([^']*)")
ATTRIBUTE = re.compile(r"The attribute '(.*?)' is not allowed")

_elements = etree.XPath("count(//*)")
_turn = threading.Lock()
"""A schema keeps the log of its last document: one at a time."""


def schema(name: str) -> etree.XMLSchema | None:
    """The schema of a namespace, None if there is none."""
    version = VERSIONS.get(name)
    return _compiled(version) if version else None


@cache
def _compiled(version: Version) -> etree.XMLSchema:
    return etree.XMLSchema(file=FOLDER / FILES[version])


def faults(root: etree._Element, content: bytes) -> list[Finding]:
    """What the schema of its namespace finds wrong with a document, in the order of its lines. content: what root was read from."""
    rules = schema(namespace(root))
    if rules is None:
        return [_stranger(root)]
    if len(content) > SMALL and _elements(root) > MANY and (found := _streamed(rules, content)):
        return found
    with _turn:
        if rules(root):
            return []
        return [_explained(entry) for entry in list(rules.error_log)[:MOST]]


def _streamed(rules: etree.XMLSchema, content: bytes) -> list[Finding]:
    """Faults of a long document that has very many of them, without their lines; none if a log with lines will do.

    lxml finds out for each fault how many siblings stand before it, which takes a minute for 75,000 faults in one area.
    """
    reader = parser(reading=True, schema=rules)
    for start in range(0, len(content), CHUNK):
        reader.feed(content[start : start + CHUNK])
        log = list(reader.feed_error_log)
        if len(log) > MOST:
            return [_explained(entry) for entry in log[:MOST]]
    return []


def _stranger(root: etree._Element) -> Finding:
    name = local(root)
    if name != "alert":
        return Finding(
            "X201", f"根元素是 {name[:40]}，不是 alert：这不是 CAP 报文。", "xsd", root.sourceline or 1
        )
    return Finding(
        "X202", f"命名空间“{namespace(root)[:80]}”不是 CAP 1.0、1.1 或 1.2 的。", "xsd", root.sourceline or 1
    )


def _explained(entry: etree._LogEntry) -> Finding:
    """One entry of libxml2's log. What it quotes of the document is cut short."""
    subject, _, said = entry.message.partition(": ")
    element = (SUBJECT.search(subject) or ["", ""])[1]
    found = _said(said)
    return msgspec.structs.replace(found, text=f"{element[:60]} {found.text}", layer="xsd", line=entry.line)


def _said(said: str) -> Finding:
    if said.startswith("Character content"):
        return Finding("X205", "内不得有文字，只能有下级元素。")
    if said.startswith("This element is not expected"):
        return Finding("X203", f"不应出现在此处{_expected(said, '，此处应为 ')}。")
    if said.startswith("Missing child element"):
        return Finding("X204", f"缺少下级元素{_expected(said, '：')}。")
    if found := LISTED.search(said):
        return Finding("X206", f"写了“{found[1][:60]}”，只能是 {found[2][:200]} 之一。")
    if found := VALUE.search(said):
        return Finding("X207", f"写了“{found[1][:60]}”，写法不对。")
    if found := ATTRIBUTE.search(said):
        return Finding("X208", f"不得有属性 {found[1][:60]}。")
    return Finding("X209", f"不合模式：{said[:200]}")


def _expected(said: str, before: str) -> str:
    """The elements that libxml2 would have taken, "" where it names none."""
    found = EXPECTED.search(said)
    return before + "、".join(NAME.sub("", found[1]).split(", ")[:12]) if found else ""
