"""来源 Source: a file of texts — JSON lines with ``text``, or one plain text a line; UTF-8 or GB 18030."""

from __future__ import annotations

import msgspec

from fengsui.formats import roster


class TextFault(ValueError):  # noqa: N818 - the condition is the name
    """文件读不了。"""


class _Line(msgspec.Struct):
    text: str


def texts(content: bytes) -> list[str]:
    """The texts of a file, in order; empty lines are none. Raises TextFault.

    Where the first line is a JSON object every line must be one, with ``text``; such a text may hold line breaks.
    """
    try:
        lines = [(n, line) for n, line in enumerate(roster.decode(content).split("\n"), 1) if line.strip()]
    except UnicodeDecodeError as error:
        raise TextFault("文件不是 UTF-8 或 GB 18030 编码的文字，请另存为 UTF-8。[T001]") from error
    if not lines or not lines[0][1].lstrip().startswith("{"):
        return [line.strip() for _, line in lines]
    return [_text(number, line) for number, line in lines]


def _text(number: int, line: str) -> str:
    try:
        return msgspec.json.decode(line, type=_Line).text
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise TextFault(
            f'第 {number} 行不是带“text”的 JSON 对象：{error}。每行一个对象，如 {{"text": "…"}}。[T002]'
        ) from error
