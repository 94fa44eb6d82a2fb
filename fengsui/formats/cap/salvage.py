"""抢救 Salvage: what can be read of a message that is not right — broken XML, wrong bytes, misplaced or misnamed elements.

For a person, and with every liberty named: a neighbour's malformed red warning is shown and marked, never dropped. Nothing
here makes a message valid, and no DTD, entity, file or connection is opened for it either.
"""

from __future__ import annotations

import re

import msgspec
from lxml import etree

from fengsui.core.cap import Alert, Area, Info, Named, Resource
from fengsui.core.cap_sense import Remark
from fengsui.formats.cap import parse
from fengsui.formats.cap.read import VERSIONS, read, tags

CAP = next(iter(VERSIONS))
INFO, AREA = set(tags(Info)), set(tags(Area))
NAMES = (*tags(Alert), *INFO, *AREA, *tags(Resource), *tags(Named), "alert")
KNOWN = {name.casefold(): name for name in NAMES} | {"reference": "references"}
"""Names that others write → names of the specification."""
HOLDERS = {"alert", "info", "area", "resource", "eventCode", "parameter", "geocode"}
LEAVES = set(NAMES) - HOLDERS
SUBSET = re.compile(rb"<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>", re.DOTALL)
DECLARED = re.compile(rb"^(?:\xef\xbb\xbf)?\s*<\?xml[^>]*\?>\s*")


def salvage(content: bytes) -> tuple[Alert | None, list[Remark]]:
    """The message in some bytes as far as it can be read, None if there is none, and the liberties taken."""
    remarks: list[Remark] = []
    root = _tree(content, remarks)
    if root is None or not len(root):
        return None, [*remarks, Remark("X501", "读不出报文的任何内容。", grave=True)]
    _drop_entities(root, remarks)
    version = VERSIONS.get(parse.namespace(root), "1.2")
    _rename(root, remarks)
    _hoist(root, remarks)
    alert, faults = read(root, loose=True)
    remarks += [Remark(fault.code, f"{fault.text}已尽量按其意思读出。") for fault in faults]
    return msgspec.structs.replace(alert, version=version), remarks


# ── bytes 字节 ────────────────────────────────────────────────────────────────


def _tree(content: bytes, remarks: list[Remark]) -> etree._Element | None:
    """The root of what can be parsed at all."""
    if len(content) > parse.MAX_BYTES or content.count(b"<") > 2 * parse.MAX_TAGS:
        return None
    text = _text(content, remarks)
    body = DECLARED.sub(b"", text.encode())
    while parse.DOCTYPE.match(body):
        shorter = SUBSET.sub(b"", body, count=1)
        remarks.append(Remark("X502", "去掉了文档类型声明（DTD），其中的实体没有展开。", grave=True))
        if shorter == body:
            return None
        body = shorter
    try:
        root = etree.fromstring(body, parse.parser(reading=True, blank=False, recover=True))
    except etree.XMLSyntaxError:
        return None
    if root is None or root.getroottree().docinfo.internalDTD is not None:
        return None
    return root


def _text(content: bytes, remarks: list[Remark]) -> str:
    """The text of a file whose declared encoding may not be true: as declared, else UTF-8, GB 18030, Windows-1252."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    found = parse.ENCODING.match(content)
    declared = found[2].decode("ascii", "replace") if found else "utf-8"
    known = (declared,) if parse.KNOWN.fullmatch(declared.encode(errors="replace")) else ()
    for name in (*known, "utf-8", "gb18030"):
        try:
            text = content.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
        if name == "gb18030" and not _chinese(content):
            break
        if name != declared:
            remarks.append(Remark("X503", f"编码与声明的“{declared[:20]}”不符，按 {name} 读。"))
        return text.removeprefix("\ufeff")
    remarks.append(Remark("X503", f"编码与声明的“{declared[:20]}”不符，按 Windows-1252 读。"))
    return content.decode("cp1252", "replace")


def _chinese(content: bytes) -> bool:
    """Whether the bytes beyond ASCII mostly come in pairs, as in GB 2312; in western alphabets an accent stands alone."""
    runs = re.findall(rb"[\x80-\xff]+", content)
    return sum(len(run) for run in runs if len(run) % 2 == 0) > sum(len(run) for run in runs) / 2


# ── shape 结构 ────────────────────────────────────────────────────────────────


def _drop_entities(root: etree._Element, remarks: list[Remark]) -> None:
    """References to entities go; what is written after them stays part of the text."""
    names = {entity.text or "" for entity in root.iter(etree.Entity)}
    etree.strip_elements(root, etree.Entity, with_tail=False)
    if names:
        remarks.append(Remark("X507", f"去掉了没有定义的实体：{'、'.join(sorted(names))[:80]}。"))


def _rename(root: etree._Element, remarks: list[Remark]) -> None:
    """Every element by its name in the specification, whatever its namespace and case."""
    place = parse.namespace(root)
    odd: set[str] = set()
    for element in root.iter("*"):
        name = parse.local(element).rpartition(":")[2]
        known = KNOWN.get(name.casefold())
        if known and parse.namespace(element) in (place, CAP, ""):
            odd |= {name} - {known}
            element.tag = f"{{{CAP}}}{known}"
    if place not in VERSIONS:
        remarks.append(Remark("X504", f"命名空间“{place[:60]}”不是 CAP 的，按 CAP 1.2 读。"))
    if odd:
        remarks.append(Remark("X505", f"元素名写法不对，按近似的名称读：{'、'.join(sorted(odd))[:80]}。"))


def _hoist(root: etree._Element, remarks: list[Remark]) -> None:
    """Elements that stand too deep, or one or two levels too high, go where they belong."""
    moved = _spill(root) | _gather(root, "info", INFO | AREA)
    for info in root.findall(f"{{{CAP}}}info"):
        moved |= _gather(info, "area", AREA)
    if moved:
        remarks.append(Remark("X506", f"元素位置不对，按所属读：{'、'.join(sorted(moved))[:80]}。"))


def _spill(root: etree._Element) -> set[str]:
    """Move elements out of those that hold only text (one that was not closed swallows what follows); their names."""
    spilt: set[str] = set()
    for element in list(root.iterdescendants("*")):
        inside = list(element.iterchildren("*"))
        if inside and parse.local(element) in LEAVES:
            spilt |= {parse.local(child) for child in inside}
            for child in reversed(inside):
                element.addnext(child)
    return spilt


def _gather(parent: etree._Element, name: str, belongs: set[str]) -> set[str]:
    """Move those children that belong one level down into the first child that holds such; their names."""
    lost = [child for child in parent.iterchildren("*") if parse.local(child) in belongs]
    if not lost:
        return set()
    holder = parent.find(f"{{{CAP}}}{name}")
    if holder is None:
        holder = etree.SubElement(parent, f"{{{CAP}}}{name}")
    holder.extend(lost)
    return {parse.local(child) for child in lost}
