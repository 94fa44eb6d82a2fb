"""命令行 The command line: parses, composes, and calls; no rules."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from fengsui.formats import packs
from fengsui.rehearse import demo


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is its answer: 0 well, 1 a fault found, 2 the command could not be carried out."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    try:
        return int(arguments.run(arguments) or 0)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fengsui", description="烽燧：气象灾害监测预报预警联动工作机制")
    commands = parser.add_subparsers(required=True, metavar="命令")
    command = commands.add_parser("demo", help="演一夜：暴雨红色预警（全部为模拟）")
    command.add_argument("--people", type=int, default=240, metavar="N", help="虚构人数")
    command.add_argument("--seed", type=int, default=1, metavar="S", help="随机种子：同样的种子，同样的一夜")
    command.add_argument("--json", action="store_true", help="只输出一个 JSON 对象")
    command.set_defaults(run=_demo)
    return parser


def _data() -> Path | None:
    named = os.environ.get("FENGSUI_DATA", "")
    return Path(named) if named else None


def _demo(arguments: argparse.Namespace) -> None:
    demo.demo(
        packs.load("yunzhou"),
        data=_data(),
        people=arguments.people,
        seed=arguments.seed,
        as_json=arguments.json,
    )


if __name__ == "__main__":
    sys.exit(main())
