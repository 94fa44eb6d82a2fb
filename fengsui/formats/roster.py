"""花名册 Roster: the list of responsible persons as a table (CSV) — its columns, its reading, everything wrong in it.

Pure. UTF-8 or GB 18030, as offices' spreadsheets save it. Nothing is guessed: what cannot be read is named with line,
column, what was found and what is expected, all of it at once.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from fengsui.core.clauses import Pack
from fengsui.core.directory import Post
from fengsui.formats import mail, sms

COLUMNS = ("编号", "单位", "姓名", "手机", "电话", "邮箱", "传真", "岗位", "B角")
CHANNELS = {"手机": "sms", "电话": "voice", "邮箱": "email", "传真": "fax"}
"""Column → the channel whose numbers stand there."""
NAMES = {channel: column for column, channel in CHANNELS.items()} | {
    "im": "即时通信",
    "dedicated_channel": "专用通道",
}
MEANING = {
    "编号": "系统给的编号。新人留空；留空而单位、姓名与在册的一人相同，即视为此人",
    "单位": "单位全称，必填",
    "姓名": "必填",
    "手机": "11 位号码，收短信；多个用“、”隔开，先写先用。在册号码可写成掩码（100****07），表示不变",
    "电话": "座机或手机，语音叫应用",
    "邮箱": "邮箱地址",
    "传真": "传真号码",
    "岗位": "所任岗位，多个用“、”隔开；村级写“应急责任人（某村）”，同岗第二人写“应急责任人（某村）2”",
    "B角": "代班的岗位，写法同“岗位”",
}
"""What each column holds; shown beside the upload. A blank cell or an absent column changes nothing, 无 empties it."""
NONE = "无"
MOST = 20_000
"""Rows of one table."""
PARTS = re.compile(r"[、；;，,\r\n]+")
_FORMS = {
    "sms": (re.compile(r"1\d{10}"), "11 位手机号，以 1 开头"),
    "voice": (re.compile(r"[\d-]{6,20}"), "电话号码，只含数字和连字符"),
    "fax": (re.compile(r"[\d-]{6,20}"), "传真号码，只含数字和连字符"),
}


class Wrong(NamedTuple):
    """Something that cannot be read: line of the file (0 = the whole), column, what was found, what is expected."""

    line: int
    column: str
    found: str
    expected: str


class Row(NamedTuple):
    """A person as the table has him. contacts: channel → values in order, absent = unchanged; posts, deputies: labels,
    None = unchanged.
    """

    line: int
    id: str
    unit: str
    name: str
    contacts: dict[str, tuple[str, ...]]
    posts: tuple[str, ...] | None
    deputies: tuple[str, ...] | None


def masked(channel: str, value: str) -> str:
    """An address as others may see it.

    >>> masked("sms", "10000000007"), masked("email", "wang@example.invalid")
    ('100****07', 'w****@example.invalid')
    """
    return mail.mask(value) if channel == "email" else sms.mask(value)


def checked(channel: str, value: str) -> str:
    """What is wrong with an address of a channel: what is expected instead, "" if nothing is.

    >>> checked("sms", "10000000007"), checked("sms", "1000")
    ('', '11 位手机号，以 1 开头')
    """
    if channel == "email":
        return "" if mail.is_address(value) else "邮箱地址，如 zhiban@example.cn"
    form, expected = _FORMS.get(channel, _FORMS["voice"])
    return "" if form.fullmatch(value) else expected


def decode(data: bytes) -> str:
    """The text of a file, as whichever office program saved it. Raises UnicodeDecodeError."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030")


def read(text: str, pack: Pack) -> tuple[list[Row], list[Wrong]]:
    """The rows that can be read and everything that is wrong with the others."""
    table = csv.reader(io.StringIO(text), strict=True)
    wrong: list[Wrong] = []
    lines: list[tuple[int, list[str]]] = []
    try:
        header = [cell.strip() for cell in next(table, [])]
        before = table.line_num
        for cells in table:
            lines.append((before + 1, cells))
            before = table.line_num
    except csv.Error as error:
        return [], [Wrong(table.line_num, "", f"{error}", "逗号分隔的表格，引号须成对")]
    if faults := list(_header(header)):
        return [], faults
    if len(lines) > MOST:
        return [], [Wrong(0, "", f"{len(lines)} 行", f"一次不超过 {MOST} 行，请分几个文件")]
    units = {u.name: u.id for u in pack.units.values()} | {u: u for u in pack.units}
    rows = []
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        found = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        faults = list(_faults(line, found, len(cells) - len(header), units))
        wrong += faults
        if not faults:
            rows.append(_row(line, found, units))
    return rows, wrong


def _header(header: Sequence[str]) -> Iterator[Wrong]:
    for name in ("单位", "姓名"):
        if name not in header:
            yield Wrong(1, name, "没有这一列", f"第一行为列名：{'、'.join(COLUMNS)}")
    for name in header:
        if name not in COLUMNS:
            yield Wrong(1, name or "（空）", "不认识的列", f"可用：{'、'.join(COLUMNS)}")
    if len(set(header)) < len(header):
        yield Wrong(1, "", "列名重复", "每列只出现一次")


def _faults(line: int, found: dict[str, str], surplus: int, units: dict[str, str]) -> Iterator[Wrong]:
    if surplus > 0:
        yield Wrong(line, "", f"多出 {surplus} 格", "格数与第一行相同；含逗号的内容须加引号")
    unit, name = found.get("单位", ""), found.get("姓名", "")
    if unit not in units:
        near = difflib.get_close_matches(unit, units, 1, 0.4) if unit else []
        yield Wrong(line, "单位", unit or "空", f"数据包中的单位全称{f'，是否“{near[0]}”' if near else ''}")
    if not 1 <= len(name) <= 30 or any(c.isdigit() for c in name):
        yield Wrong(line, "姓名", name or "空", "1 至 30 个字，不含数字")
    for column, channel in CHANNELS.items():
        for value in _values(channel, found.get(column, "")):
            if "****" not in value and (expected := checked(channel, value)):
                yield Wrong(line, column, value, expected)


def _row(line: int, found: dict[str, str], units: dict[str, str]) -> Row:
    contacts = {
        channel: tuple(_values(channel, found[column]))
        for column, channel in CHANNELS.items()
        if found.get(column)
    }
    posts, deputies = _labels(found.get("岗位", "")), _labels(found.get("B角", ""))
    return Row(line, found.get("编号", ""), units[found["单位"]], found["姓名"], contacts, posts, deputies)


def _values(channel: str, cell: str) -> list[str]:
    """The addresses of a cell, each once, in order."""
    if cell == NONE:
        return []
    parts = [bare for part in PARTS.split(cell.strip("'")) if (bare := "".join(part.split()))]
    return list(dict.fromkeys(sms.national(part) if channel == "sms" else part for part in parts))


def _labels(cell: str) -> tuple[str, ...] | None:
    if not cell:
        return None
    return (
        ()
        if cell == NONE
        else tuple(dict.fromkeys(bare for part in PARTS.split(cell) if (bare := part.strip())))
    )


def labels(posts: Iterable[Post], pack: Pack) -> dict[str, Post]:
    """Posts of one unit by how people call them: role, the village of one that has one, a number where several are alike."""
    found: dict[str, Post] = {}
    for post in sorted(posts, key=lambda p: (p.role, p.area, _number(p.id))):
        bare = label(
            post.role, post.area, pack.units[post.unit].area if post.unit in pack.units else "", pack
        )
        name, number = bare, 1
        while name in found:
            number += 1
            name = f"{bare}{number}"
        found[name] = post
    return found


def label(role: str, area: str, home: str, pack: Pack) -> str:
    """How a post is called: its role, and its area where that is not its unit's own."""
    place = pack.areas[area].name if area != home and area in pack.areas else ""
    return pack.roles.get(role, role) + (f"（{place}）" if place else "")


def _number(id_: str) -> int:
    last = id_.rpartition("/")[2]
    return int(last) if last.isdecimal() else 0
