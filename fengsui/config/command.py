"""站点命令 Site commands: make a place, check it, back it up, restore it, let it send again. Each says what it did."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from fengsui import config, gateways
from fengsui.config import init, site
from fengsui.core import calendar
from fengsui.flow import backup, restore
from fengsui.formats import packs
from fengsui.gateways.contract import Gateway
from fengsui.store import holds, signet, vault, ways
from fengsui.store.migrate import migrate
from fengsui.store.sql import Errors, Session

DATA = "data"
"""The data directory where FENGSUI_DATA names none."""
PASSPHRASE = "FENGSUI_BACKUP_PASSPHRASE"  # noqa: S105 - the name of a variable


def add(commands: Any) -> None:
    """The words of these commands."""
    command = commands.add_parser("init", help="建站：在空目录里生成设置、密钥、数据库和管理员")
    command.add_argument("--pack", default="yunzhou", metavar="包", help="本站数据包所依据的随带数据包")
    command.set_defaults(run=_init)
    command = commands.add_parser("check", help="自检：哪里不行、怎么办，一行一条；有故障则退出码 1")
    command.add_argument("--connect", action="store_true", help="系统运行时也另行登录网关试连")
    command.set_defaults(run=_check)
    command = commands.add_parser("backup", help="备份到一个新目录；系统运行时也可以")
    command.add_argument("directory", type=Path, metavar="目录")
    command.add_argument("--keys", type=Path, metavar="文件", help="加密的密钥另存于此，不与数据放在一起")
    command.set_defaults(run=_backup)
    command = commands.add_parser("restore", help="由备份恢复到空的数据目录；恢复后停发，待人核对")
    command.add_argument("directory", type=Path, metavar="目录")
    command.add_argument("--keys", type=Path, metavar="文件", help="另存的密钥文件")
    command.set_defaults(run=_restore)
    command = commands.add_parser(
        "keys", help="签名证书：列出对外报文所用的；--new 另加一把，旧的到期前仍有效"
    )
    command.add_argument("--new", action="store_true", help="另造一把，从此由它签名")
    command.add_argument(
        "--name", default="", metavar="名称", help="新证书上的单位名称，不写为数据包的发布单位"
    )
    command.set_defaults(run=_keys)
    command = commands.add_parser("release", help="解除停发：列出待发条数，此后照常发出")
    command.add_argument("lane", nargs="?", default="", metavar="车道", help="只解除这一条，不写为全部")
    command.set_defaults(run=_release)


def data() -> Path:
    """The data directory that the environment names."""
    return Path(os.environ.get("FENGSUI_DATA") or DATA)


def now() -> int:
    """The wall clock in UTC µs, for commands that run beside no house."""
    return time.time_ns() // 1000


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _url(here: site.Site) -> str:
    return os.environ.get("FENGSUI_DATABASE") or here.database


def _init(arguments: argparse.Namespace) -> None:
    place = data()
    init.write(place, arguments.pack, os.environ.get("FENGSUI_DATABASE", ""))
    here = site.read(place)
    vault.create(place, now())
    config.configure(place, _url(here))
    migrate()
    password = init.administrator()
    _say(f"已建站：数据目录 {place.name}，数据包 {init.PACK}（依据 {arguments.pack}）。")
    if password:
        _say(f"管理员登录名：{init.ADMINISTRATOR}")
        _say(f"一次性口令：{password}　（只显示这一次；首次登录须更改）")
    else:
        _say("数据库里已有账号，没有新建管理员。")
    _say("下一步：改 fengsui.toml，执行 fengsui check，再执行 fengsui serve。")


def _check(arguments: argparse.Namespace) -> int:
    place = data()
    if not (place / site.FILE).exists() and not any(place.glob("*.sqlite3")):
        _say(f"故障　数据目录“{place.name}”里没有站点。请执行 fengsui init，或设 FENGSUI_DATA。[C021]")
        return 1
    here = site.read(place)
    config.configure(place, _url(here))
    from fengsui.flow import check  # noqa: PLC0415 - asks Django for its settings, which need a place

    ground = check.Ground(
        data=place,
        address=here.address,
        host=here.host,
        port=here.port,
        pack=lambda: packs.load(site.which(place, here)),
        ways=_ways(place, here),
        now=now(),
        connect=arguments.connect,
        feeds=here.feed,
    )
    faults = 0
    for finding in check.check(ground):
        _say(str(finding))
        faults += finding.kind == "故障"
    _say(f"共 {faults} 项故障，请按上面逐条处理。" if faults else "没有发现故障。")
    return 1 if faults else 0


def _ways(place: Path, here: site.Site) -> tuple[tuple[str, Callable[[], Gateway]], ...]:
    """How to make each configured gateway; those of the form only where their table can be read."""
    with contextlib.suppress(*Errors):  # said of the database itself
        here = site.edited(place, here, ways.read())
    return tuple(
        (
            way.name,
            partial(
                gateways.load,
                way.kind,
                way.settings,
                name=way.name,
                accepts=frozenset(way.accepts),
                clock=now,
            ),
        )
        for way in here.gateway
    )


def _backup(arguments: argparse.Namespace) -> None:
    place = data()
    here = site.read(place)
    url = _url(here)
    config.configure(place, url)
    manifest = backup.backup(
        place,
        arguments.directory.absolute(),
        url=url,
        passphrase=os.environ.get(PASSPHRASE, ""),
        now=now(),
        keys=arguments.keys.absolute() if arguments.keys else None,
    )
    size = sum(f.size for f in manifest.files.values()) / 1e6
    _say(
        f"已备份：台账 {manifest.chain.seq} 条，{len(manifest.files)} 个文件，{size:.1f} MB，链头 {manifest.chain.hash[:16]}。"
    )
    _say("密钥已用口令加密。口令请另行保管：没有它，备份打不开。")


def _restore(arguments: argparse.Namespace) -> None:
    place, source = data(), arguments.directory.absolute()
    url = os.environ.get("FENGSUI_DATABASE", "")
    manifest = restore.read(source)
    restore.unpack(
        source, place, manifest, passphrase=os.environ.get(PASSPHRASE, ""), url=url,
        keys=arguments.keys.absolute() if arguments.keys else None,
    )  # fmt: skip
    config.configure(place, url)
    if url:
        _repoint(place / site.FILE, url)
        restore.load(source, url)
    migrate()
    done = restore.settle(vault.load(place, now()), manifest, now())
    _say(f"已恢复：台账 {done.facts} 条，核验无误，链进入第 {done.epoch} 纪元。")
    _say(f"全部车道停发。{_waiting(done.waiting)}")
    _say("这些可能在备份之后已经发出，放行后会标“可能重复”再发。核对后执行 fengsui release。")


def _keys(arguments: argparse.Namespace) -> None:
    place = data()
    pack = packs.load(site.which(place, site.read(place)))
    if arguments.new:
        made = signet.add(place, arguments.name or pack.texts.issuer, now())
        _say(
            f"已造 {made.id}，此后由它签名，无须重启。请备份 keys，并把新证书交给接收方：/cap/certificates.pem"
        )
    for one in signet.load(place):
        begins, ends = (f"{calendar.local(at, pack.zone):%Y-%m-%d}" for at in (one.begins, one.ends))
        state = "有效" if one.begins <= now() < one.ends else "已过期或未生效"
        _say(f"{one.id}　{one.certificate.subject.rfc4514_string()}　{begins} 至 {ends}　{state}")
    for file in signet.unusable(place):
        _say(f"{file}　不可用：已损坏、密钥太短，或可被他人读取")


def _repoint(file: Path, url: str) -> None:
    """Settings that named the database of old would start beside it: they name the new one from now on."""
    if file.exists():
        text = re.sub(
            r"(?m)^database\s*=.*$", lambda _: f"database = {json.dumps(url)}", file.read_text("utf-8")
        )
        file.write_text(text, encoding="utf-8")


def _release(arguments: argparse.Namespace) -> None:
    place = data()
    here = site.read(place)
    config.configure(place, _url(here))
    session = Session()
    try:
        _say(_waiting(holds.waiting(session)))
        gone = holds.lift(session, arguments.lane)
    finally:
        session.close()
    _say(f"已解除 {gone} 处停发，运行中的系统几秒内照常发出。" if gone else "没有停发的车道，没有改动。")


def _waiting(lanes: dict[str, int]) -> str:
    words = "、".join(f"{lane or '无车道'} {count} 条" for lane, count in lanes.items())
    return f"待发：{words}。" if words else "没有待发的。"
