"""命令行 The command line: parses, composes, and calls; no rules."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from fengsui import config, gateways
from fengsui.config import command, messages, site, text
from fengsui.flow import serve
from fengsui.flow.clock import Clock, database_wall
from fengsui.flow.inputs import Unwritten
from fengsui.formats import packs
from fengsui.rehearse import demo
from fengsui.rehearse.bench import command as bench
from fengsui.store import history, rebuild, vault, verify, ways
from fengsui.store.lock import Lock, Occupied
from fengsui.store.migrate import migrate
from fengsui.store.sql import Errors, Session

DATA = "data"
"""The data directory where FENGSUI_DATA names none."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is its answer: 0 well, 1 a fault found, 2 the command could not be carried out."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    try:
        return int(arguments.run(arguments) or 0)
    except (ValueError, OSError, Occupied, Unwritten, vault.KeyFault) as error:
        sys.stderr.write(f"{error}\n")
    except Errors as error:
        sys.stderr.write(
            f"数据库无法使用：{error}。请检查 FENGSUI_DATA 与 fengsui.toml 的 database。[C010]\n"
        )
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fengsui", description="烽燧：气象灾害监测预报预警联动工作机制")
    commands = parser.add_subparsers(required=True, metavar="命令")
    demonstration = commands.add_parser("demo", help="演一夜：暴雨红色预警，或另一个演练情景（全部为模拟）")
    demonstration.add_argument(
        "--scenario", default="rainstorm", metavar="ID", help="演练情景：数据包 drills/ 下的文件名"
    )
    demonstration.add_argument("--people", type=int, default=240, metavar="N", help="虚构人数")
    demonstration.add_argument(
        "--seed", type=int, default=1, metavar="S", help="随机种子：同样的种子，同样的一夜"
    )
    demonstration.add_argument("--json", action="store_true", help="只输出一个 JSON 对象")
    demonstration.add_argument(
        "--visit", action="store_true", help="演完后继续运行，打印网址和各角色的登录，Ctrl-C 结束"
    )
    demonstration.add_argument(
        "--port", type=int, default=8080, metavar="P", help="--visit 的端口，0 为任一空闲端口"
    )
    demonstration.add_argument("--pace", type=float, default=0, metavar="K", help="每秒演 K 秒，0 为尽快演完")
    demonstration.add_argument("--pack", default="yunzhou", metavar="包", help="数据包：随带的名称或文件夹")
    demonstration.add_argument(
        "--progress", type=Path, metavar="文件", help="随时写明演到哪里；标准输入一断即停（值班台用）"
    )
    demonstration.set_defaults(run=_demo)
    command.add(commands)
    messages.add(commands)
    text.add(commands)
    bench.add(commands)
    commands.add_parser("serve", help="运行：网页、发送、时钟").set_defaults(run=_serve)
    commands.add_parser("verify", help="核验台账：有改动则列出条号，退出码 1").set_defaults(run=_verify)
    commands.add_parser("rebuild", help="由台账重建看板").set_defaults(run=_rebuild)
    return parser


def _demo(arguments: argparse.Namespace) -> None:
    named, which = os.environ.get("FENGSUI_DATA", ""), arguments.pack
    demo.demo(
        packs.thawed(Path(which)) if which.endswith(".json") else packs.load(which),
        demo.Wish(
            scenario=arguments.scenario,
            people=arguments.people,
            seed=arguments.seed,
            data=Path(named) if named else None,
            as_json=arguments.json,
            port=arguments.port if arguments.visit else None,
            pace=arguments.pace,
            progress=arguments.progress,
        ),
    )


def _place() -> tuple[Path, site.Site, vault.Vault]:
    """The data directory with everything it needs, made where it was missing."""
    data = Path(os.environ.get("FENGSUI_DATA") or DATA)
    data.mkdir(parents=True, exist_ok=True)
    here = site.read(data)
    config.configure(data, os.environ.get("FENGSUI_DATABASE") or here.database)
    migrate()
    here = site.edited(data, here, ways.read())
    return data, here, vault.create(data, time.time_ns() // 1000)


def _verify(arguments: argparse.Namespace) -> int:
    del arguments
    _, _, keys = _place()
    session = Session()
    faults = 0
    for fault in verify.verify(session, keys):
        faults += 1
        sys.stdout.write(f"{fault.seq}\t{fault.text}\n")
    if not faults:
        sys.stdout.write(f"台账完整，共 {history.last_seq(session)} 条。\n")
    session.close()
    return 1 if faults else 0


def _rebuild(arguments: argparse.Namespace) -> None:
    del arguments
    data, here, _ = _place()
    session = Session()
    zone = packs.load(site.which(data, here)).zone
    sys.stdout.write(f"看板已由台账重建，与原看板不同 {rebuild.rebuild(session, zone)} 行。\n")
    session.close()


def _serve(arguments: argparse.Namespace) -> None:
    del arguments
    data, here, keys = _place()
    lock = None if os.environ.get("FENGSUI_DATABASE") or here.database else Lock(data)
    try:
        serve.run(_run(data, here, keys))
    finally:
        if lock:
            lock.release()


async def _run(data: Path, here: site.Site, keys: vault.Vault) -> None:
    last, wall = await asyncio.to_thread(_moments)
    clock = Clock(last, wall=wall)
    outs = [
        gateways.load(w.kind, w.settings, name=w.name, accepts=frozenset(w.accepts), clock=clock.now)
        for w in here.gateway
    ]
    house = serve.House(
        packs.load(site.which(data, here)), clock, keys, outs, address=here.address, feeds=here.feed
    )
    from fengsui.config.asgi import Application  # noqa: PLC0415 - pages need Django configured, which needs a place

    await house.start()
    application = Application(house, here.telephone, here.address)
    try:
        await house.install()
        await serve.serve(
            application, house.over, host=here.host, port=here.port, proxy=here.proxy,
            opened=partial(_opened, here), closing=application.leave,
        )  # fmt: skip
    finally:
        application.close()
        await house.stop()


def _opened(here: site.Site) -> None:
    sys.stdout.write(f"烽燧已启动：http://{here.host}:{here.port}　（Ctrl-C 结束）\n")
    sys.stdout.flush()


def _moments() -> tuple[int, serve.Wall]:
    """The moment of the last fact, and the wall clock of the database's host."""
    session = Session()
    found = history.last_at(session), database_wall(session)
    session.close()
    return found


if __name__ == "__main__":
    sys.exit(main())
