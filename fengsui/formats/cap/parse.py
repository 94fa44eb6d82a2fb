"""解析 Parse: bytes → an XML tree, within bounds, or why not. Never opens a file or a connection, never expands an entity.

A document type declaration is refused before libxml2 sees it: whatever a DTD could do, it does not do here. Bounds: bytes and
tags here, depth (256) and the length of one text (10 MB) by libxml2, which is never told that a tree may be huge.
"""

from __future__ import annotations

import re

from lxml import etree

from fengsui.core.cap_rules import Finding

MAX_BYTES = 4 * 1024 * 1024
"""The largest message known (NOAA, 2025) has 1.7 MB; one with a minute of sound inside 1 MB."""
MAX_TAGS = 100_000
BRISK = 2 * 1024 * 1024
"""Below this size the number of tags needs no bound of its own."""

PLAIN = re.compile(
    rb"""(?:\xef\xbb\xbf)?(?:<\?xml\s+version\s*=\s*["']1\.0["'](?:\s+encoding\s*=\s*["'](?i:utf-8)["'])?"""
    rb"""(?:\s+standalone\s*=\s*["'](?:yes|no)["'])?\s*\?>)?\s*(?:<\?xml-[^?>]*+\?>\s*)*<[A-Za-z_]"""
)
"""How nearly every document begins: UTF-8, no comment, no DTD. Anything else is looked at twice."""
DOCTYPE = re.compile(rb"(?:\xef\xbb\xbf)?(?>\s+|<\?(?>.*?\?>)|<!--(?>.*?-->))*+<!DOCTYPE", re.DOTALL)
ENCODING = re.compile(rb"""(?:\xef\xbb\xbf)?(<\?xml[^>]*?)\s+encoding\s*=\s*["']([^"']*)["']""")
KNOWN = re.compile(
    rb"utf-?8|(us-)?ascii|iso-8859-\d+|windows-\d+|koi8-[ru]|tis-620|gbk|gb2312|gb18030|big5|shift_jis|euc-(jp|kr)",
    re.IGNORECASE,
)
"""Encodings in which a markup sign is its ASCII byte: who looks for ``<!DOCTYPE`` in the bytes is not deceived."""


MEANINGS = {
    4: "没有根元素", 5: "根元素之后还有内容", 9: "有不允许的字符", 26: "实体没有定义", 39: "属性值没有引号",
    40: "属性值的引号不成对", 42: "属性重复", 63: "CDATA 没有结束", 64: "XML 声明不在文件开头", 68: "有单独的 &",
    76: "首尾标签不配对", 77: "文件不完整，标签没有结束", 81: "字节与声明的编码不符", 114: "嵌套过深（上限 256 层）或文字过长",
    201: "命名空间前缀没有声明",
}  # fmt: skip
"""Error code of libxml2 → what it means."""


def parser(
    *, reading: bool = False, blank: bool = True, recover: bool = False, schema: etree.XMLSchema | None = None
) -> etree.XMLParser:
    """A parser that keeps to itself.

    reading: without comments and processing instructions, so that a text is whole even where one was put into it.
    blank: with the white space between elements. recover: make what can be made of what is not well-formed.
    schema: validate while reading.
    """
    return etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        collect_ids=False,
        remove_comments=reading,
        remove_pis=reading,
        remove_blank_text=not blank,
        recover=recover,
        schema=schema,
    )


_reading = parser(reading=True, blank=False)


class Refused(Exception):  # noqa: N818 - the condition is the name
    """The bytes are no XML that is read here; ``finding`` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.text)
        self.finding = finding


def parse(content: bytes) -> etree._Element:
    """The root of a document without comments, processing instructions, and white space between elements. Raises Refused."""
    return tree(content, _reading)


def namespace(root: etree._Element) -> str:
    """The namespace of an element, "" for none."""
    tag = str(root.tag)
    return tag[1:].partition("}")[0] if tag[:1] == "{" else ""


def local(element: etree._Element) -> str:
    """The name of an element without its namespace; lxml's own way refuses names that recovery lets through."""
    return str(element.tag).rpartition("}")[2]


def tree(content: bytes, using: etree.XMLParser) -> etree._Element:
    """The root of a document as a parser makes it. Raises Refused."""
    plain = len(content) <= BRISK and PLAIN.match(content)
    if not plain:
        content = admitted(content)
    try:
        root = etree.fromstring(content, using)
    except etree.XMLSyntaxError as error:
        raise Refused(
            Finding("X105", f"不是格式正确的 XML：{_said(error)}。", "xml", error.lineno or 0)
        ) from error
    if not plain and root.getroottree().docinfo.internalDTD is not None:
        raise Refused(_dtd(1))
    return root


def admitted(content: bytes) -> bytes:
    """The bytes that may be parsed, UTF-16 made UTF-8. Raises Refused for what can be told without parsing."""
    if len(content) > MAX_BYTES:
        raise Refused(
            Finding("X101", f"文件 {len(content):,} 字节，超过上限 {MAX_BYTES:,} 字节，未解析。", "xml")
        )
    if content.count(b"<") > 2 * MAX_TAGS:
        raise Refused(Finding("X102", f"标记超过 {MAX_TAGS:,} 个，未解析。", "xml"))
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        content = _narrowed(content)
    elif (found := ENCODING.match(content)) and not KNOWN.fullmatch(found[2]):
        name = found[2].decode("ascii", "replace")[:40]
        raise Refused(Finding("X103", f"编码“{name}”不受理，请改用 UTF-8。", "xml", 1))
    if found := DOCTYPE.match(content):
        raise Refused(_dtd(found[0].count(b"\n") + 1))
    return content


def _narrowed(content: bytes) -> bytes:
    """UTF-16 as UTF-8, with a declaration that does not say otherwise."""
    try:
        wide = content.decode("utf-16").encode()
    except UnicodeError as error:
        raise Refused(Finding("X105", "不是格式正确的 XML：UTF-16 编码有误。", "xml", 1)) from error
    return ENCODING.sub(rb"\1", wide, count=1)


def _dtd(line: int) -> Finding:
    return Finding(
        "X104", "含文档类型声明（DTD）。报文不需要它，它可以夹带外部文件和实体，一律不受理。", "xml", line
    )


def _said(error: etree.XMLSyntaxError) -> str:
    """What is wrong, in Chinese where it is one of the usual things, else in the words of libxml2."""
    return (
        MEANINGS.get(error.code or 0) or re.sub(r",? line \d+.*", "", error.msg or "", flags=re.DOTALL)[:200]
    )
