"""命令 The words of ``fengsui bench``; each prints one JSON object, progress goes to standard error."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fengsui.rehearse.bench import ack, cap, correct, decide, dispatch, kannel, live

Figures = dict[str, Any]


def add(commands: Any) -> None:
    """Put ``bench`` under the command line's words."""
    benches = commands.add_parser("bench", help="量测：吞吐与延迟，只在本机").add_subparsers(
        required=True, metavar="项目"
    )
    one = _bench(benches, "dispatch", "发送：从签发到最后一条回执入库", _dispatch)
    one.add_argument("--recipients", type=int, default=10_000, metavar="N", help="收件人数")
    one.add_argument("--responsible", type=int, default=None, metavar="R", help="其中责任人数，缺省 1000")
    one.add_argument("--against", choices=("kannel",), help="与 Kannel 对照（需 root、node、kannel）")
    one.add_argument(
        "--smpp", default="", metavar="DIR", help="npm 的 smpp 模块，缺省 tests/node_modules/smpp"
    )
    one = _bench(benches, "ack", "签收：众人同时点收到", _ack)
    one.add_argument("--clients", type=int, default=1000, metavar="N", help="同时连接数")
    one = _bench(benches, "live", "值班台：从提交到每一席显示，及打开一页", _live)
    one.add_argument("--desks", type=int, default=200, metavar="N", help="开着的值班台数")
    one.add_argument(
        "--changes", type=int, default=40, metavar="K", help="逐条提交的变化数，其后连续提交两倍"
    )
    one = _bench(benches, "correct", "更正：从按下到最后一部手机，逐人核对；并量签发", _correct)
    one.add_argument("--recipients", type=int, default=1000, metavar="N", help="责任人数")
    one = _bench(benches, "decide", "研判：台账越长，一次决定是否越慢", _decide)
    one.add_argument("--ledger", type=int, default=100_000, metavar="N", help="台账条数")
    two = benches.add_parser("cap", help="报文：解析、模式、规范条文、结构，对照 lxml 和 capvalidator")
    two.add_argument("--json", action="store_true", help="输出一个 JSON 对象（总是如此）")
    two.add_argument(
        "--corpus", type=Path, metavar="DIR", help="语料（其下 valid、invalid），缺省为随附或并列的"
    )
    two.add_argument("--rounds", type=int, default=40, metavar="N", help="轮数")
    two.set_defaults(run=lambda given: _say(cap.bench(given.corpus, rounds=given.rounds)))


def _bench(benches: Any, name: str, words: str, run: Callable[..., Figures]) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = benches.add_parser(name, help=words)
    command.add_argument("--json", action="store_true", help="输出一个 JSON 对象（总是如此）")
    command.add_argument(
        "--database", default="", metavar="URL", help="PostgreSQL 地址，须为空库；不设则 SQLite"
    )
    command.set_defaults(run=lambda given: _print(run, given))
    return command


def _print(run: Callable[..., Figures], given: argparse.Namespace) -> None:
    named = os.environ.get("FENGSUI_DATA", "")
    database = given.database or os.environ.get("FENGSUI_DATABASE", "")
    _say(run(given, Path(named) if named else None, database))


def _say(figures: Figures) -> None:
    sys.stdout.write(json.dumps(figures, ensure_ascii=False) + "\n")


def _dispatch(given: argparse.Namespace, data: Path | None, database: str) -> Figures:
    responsible = min(1000, given.recipients) if given.responsible is None else given.responsible
    if given.against:
        return kannel.bench(recipients=given.recipients, responsible=responsible, module=given.smpp)
    return dispatch.bench(data, database, recipients=given.recipients, responsible=responsible)


def _ack(given: argparse.Namespace, data: Path | None, database: str) -> Figures:
    return ack.bench(data, database, clients=given.clients)


def _live(given: argparse.Namespace, data: Path | None, database: str) -> Figures:
    return live.bench(data, database, desks=given.desks, changes=given.changes)


def _correct(given: argparse.Namespace, data: Path | None, database: str) -> Figures:
    return correct.bench(data, database, recipients=given.recipients)


def _decide(given: argparse.Namespace, data: Path | None, database: str) -> Figures:
    return decide.bench(data, database, ledger=given.ledger)
