"""文本命令 Text command: ``fengsui text read`` — what issued warning texts say, as JSON lines or in plain words."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from fengsui.core.levels import LEVELS
from fengsui.core.tables import Hazard
from fengsui.formats import packs
from fengsui.formats.texts import source
from fengsui.formats.texts.reading import Reading, Validity, read

COLOURS = dict(zip(LEVELS, ("蓝色", "黄色", "橙色", "红色"), strict=True))
NOTHING = "（文中没有）"


def add(commands: Any) -> None:
    """Put ``text`` under the command line's words."""
    texts = commands.add_parser("text", help="读预警文本：谁、何时、何种信号、何处、多久").add_subparsers(
        required=True, metavar="动作"
    )
    command = texts.add_parser("read", help="逐条读出；文中没有的一律为空，不猜")
    command.add_argument(
        "file", metavar="文件", help="每行一条文本，或每行一个带 text 的 JSON 对象；- 为标准输入"
    )
    command.add_argument("--json", action="store_true", help="每条文本输出一行 JSON 对象，次序不变")
    command.add_argument(
        "--pack", default="yunzhou", metavar="包", help="灾种名称所依据的数据包（名称或目录）"
    )
    command.set_defaults(run=_read)


def _read(arguments: argparse.Namespace) -> None:
    content = sys.stdin.buffer.read() if arguments.file == "-" else Path(arguments.file).read_bytes()
    hazards = packs.load(arguments.pack).hazards
    for text in source.texts(content):
        reading = read(text, hazards)
        said = msgspec.json.encode(reading).decode() if arguments.json else _plain(reading, hazards)
        sys.stdout.write(f"{said}\n")


def _plain(reading: Reading, hazards: Mapping[str, Hazard]) -> str:
    """A reading for a person, one field a line."""
    signals = [
        f"信号　{hazards[w.hazard].name if w.hazard in hazards else w.hazard}{COLOURS.get(w.level or '', '（未写颜色）')}"
        f"：{'、'.join(w.areas) or NOTHING}"
        for w in reading.hazards
    ]
    lines = [
        f"发布　{reading.issuer or NOTHING}",
        f"动作　{reading.action or NOTHING}{'（演练）' if reading.drill else ''}",
        f"时间　{reading.time or NOTHING}",
        *(signals or [f"信号　{NOTHING}"]),
        f"有效　{_valid(reading.valid)}",
    ]
    return "\n".join(lines) + "\n"


def _valid(valid: Validity | None) -> str:
    if valid is None:
        return NOTHING
    ends = f"{valid.begin or '…'} 至 {valid.end or '…'}" if valid.begin or valid.end else ""
    hours = f"{valid.hours} 小时内" if valid.hours else ""
    return "，".join(part for part in (ends, hours) if part)
