"""自检 Check: what would not work tonight, one line each with a stable code and what to do. Changes nothing.

Opens gateways for real with a short timeout, unless the district is running: a second login might throw out the first.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import ipaddress
import shutil
import stat
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from fengsui.core import calendar
from fengsui.core.clauses import Pack
from fengsui.flow import check_district, outside
from fengsui.flow.check_district import Finding, Kind, some
from fengsui.flow.feeds import Feed, FeedFault, Trouble, probe
from fengsui.flow.reception import PINNED
from fengsui.formats import pdf
from fengsui.formats.cap import trust
from fengsui.formats.packs import PackError
from fengsui.gateways.contract import Gateway, Health
from fengsui.gateways.settings import SettingsError
from fengsui.store import signet, vault

PATIENCE = 5.0
"""Seconds that a gateway gets to connect."""
ROOM = 2 << 30
"""Bytes of disk below which somebody must make room."""
SOON = 60
"""Days before its end at which a certificate is to be replaced."""


class Ground(NamedTuple):
    """What is checked: the data directory, its settings, and how to make its pack and gateways."""

    data: Path
    address: str
    host: str
    port: int
    pack: Callable[[], Pack]
    ways: tuple[tuple[str, Callable[[], Gateway]], ...]
    now: int
    connect: bool = False
    feeds: tuple[Feed, ...] = ()


def check(ground: Ground) -> Iterator[Finding]:
    """Everything, what everything else rests on first."""
    yield from _disk(ground)
    pack = yield from _pack(ground)
    keys = yield from _keys(ground)
    gateways = yield from _gateways(ground)
    yield from _feeds(ground)
    yield from _address(ground, bool(gateways))
    yield from _feed(ground, gateways)
    yield from _fonts()
    if (yield from check_district.database()):
        yield from check_district.district(keys, pack, frozenset(g.channel for g in gateways), ground.now)


# ── place and keys ────────────────────────────────────────────────────────────


def _disk(ground: Ground) -> Iterator[Finding]:
    room = shutil.disk_usage(ground.data).free
    if room < ROOM:
        yield Finding(
            "故障", "C035", f"数据目录所在磁盘只剩 {room >> 20} MB。请腾出空间或扩容，至少留 2 GB。"
        )
    else:
        yield Finding("正常", "C035", f"磁盘余 {room >> 30} GB。")


def _keys(ground: Ground) -> Generator[Finding, None, Any]:
    """Permissions and completeness of the keys; gives the vault if it opens."""
    folder = ground.data / "keys"
    if not folder.is_dir():
        yield Finding("故障", "C036", "没有 keys 目录。新站请执行 fengsui init；旧站请从备份恢复 keys。")
        return None
    open_ = [p.name for p in (folder, *sorted(folder.iterdir())) if stat.S_IMODE(p.stat().st_mode) & 0o077]
    if open_:
        yield Finding("故障", "C036", f"{some(open_)}可被他人读取。请执行 chmod 700 keys、chmod 600 keys/*。")
    try:
        keys = vault.load(ground.data, ground.now)
    except vault.KeyFault as fault:
        yield Finding("故障", "C036", str(fault))
        return None
    if not open_:
        yield Finding("正常", "C036", "密钥齐全，权限正确。")
    yield from _signets(ground)
    return keys


def _signets(ground: Ground) -> Iterator[Finding]:
    """Whether messages for other systems can be signed, and for how long."""
    for name in signet.unusable(ground.data):
        yield Finding("注意", "C046", f"签名密钥“{name}”不可用：已损坏、太短，或可被他人读取。")
    try:
        one = signet.signing(signet.load(ground.data), ground.now)
    except signet.NoSignet as fault:
        yield Finding("故障", "C046", str(fault))
        return
    days = (one.ends - ground.now) // calendar.DAY
    kind: Kind = "注意" if days < SOON else "正常"
    more = "请执行 fengsui keys --new，并把新证书交给接收方。" if days < SOON else ""
    yield Finding(kind, "C046", f"对外报文的签名证书还有 {days} 天到期。{more}")


def _address(ground: Ground, sending: bool) -> Iterator[Finding]:
    if not ground.address:
        kind: Kind = "注意" if sending else "正常"
        yield Finding(kind, "C037", "没有设公网地址 address，短信不带链接，签收只能回复短信。")
        return
    if _loopback(ground.address):
        yield Finding(
            "注意", "C037", f"公网地址 {ground.address} 只有本机打得开，短信里的链接别处不能用，只宜试用。"
        )
    elif ground.address.startswith("http://"):
        yield Finding(
            "故障",
            "C037",
            f"公网地址“{ground.address}”是 http：口令、登录和链接明文传送，登录也不设安全标志。"
            "请在前面加 HTTPS 反向代理，再把 fengsui.toml 的 address 改为 https://。",
        )
    elif problem := _unfit(ground.address):
        yield Finding(
            "故障", "C037", f"公网地址“{ground.address}”{problem}。请改正 fengsui.toml 的 address。"
        )
    else:
        yield Finding("正常", "C037", f"公网地址 {ground.address}（只核对了写法，请用手机流量打开一次）。")


def _feed(ground: Ground, gateways: Iterable[Gateway]) -> Iterator[Finding]:
    """Whether subscribers can fetch what the guide promises them; asked only of a district that runs."""
    if not any(g.channel == "cap" for g in gateways) or not running(ground.host, ground.port):
        return
    if not ground.address or (_unfit(ground.address) and not _loopback(ground.address)):
        return  # said already
    answers, wrong = outside.refusal(ground.address, PATIENCE)
    at = f"{ground.address}{outside.FEED}"
    if not wrong:
        yield Finding("正常", "C051", f"对外报文在 {at} 可以取到。")
    elif answers:
        yield Finding("故障", "C051", f"对外报文取不到：{at} {wrong}。请核对反向代理，须放行 /cap/。")
    else:
        yield Finding("注意", "C051", f"{at} 从本机{wrong}。本机不能经公网访问自己的，请从外面打开一次。")


def _loopback(address: str) -> bool:
    """Whether it is an http address of this machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        return parts.scheme == "http" and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        return False


def _unfit(address: str) -> str:
    """What is wrong with the form of a public address, "" if nothing is."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return "写法不对，应如 https://yj.example.gov.cn"
    if parts.scheme != "https" or not host:
        return "应以 https:// 开头"
    if parts.path or parts.query or parts.fragment:
        return "不应带路径或末尾斜杠"
    try:
        inner = not ipaddress.ip_address(host).is_global
    except ValueError:
        inner = "." not in host
    return "手机从公网打不开（内网地址）" if inner else ""


def _fonts() -> Iterator[Finding]:
    missing = [path.name for path in (pdf.FONTS, pdf.FORMS) if not path.is_dir() or not any(path.iterdir())]
    if missing:
        yield Finding(
            "故障", "C032", f"打印版式缺少 {'、'.join(missing)}，发布单和电话单无法生成。请重新安装。"
        )
    else:
        yield Finding("正常", "C032", "打印用的字体和版式齐全。")


# ── pack ──────────────────────────────────────────────────────────────────────


def _pack(ground: Ground) -> Generator[Finding, None, Any]:
    """Whether the pack loads, and how much of it nobody has verified; gives the pack."""
    try:
        pack = ground.pack()
    except PackError as error:
        for fault in error.faults:
            yield Finding("故障", "C038", f"数据包：{fault}")
        return None
    counts = {
        "条款": sum(not c.verified for c in pack.clauses.values()),
        "单位": sum(not u.verified for u in pack.units.values()),
        "判据": sum(not s.verified for h in pack.hazards.values() for s in h.levels.values()),
        "日历": int(not pack.almanac.verified),
    }
    words = "、".join(f"{name} {n} 项" for name, n in counts.items() if n)
    yield Finding("正常", "C038", f"数据包 {pack.id} 第 {pack.version} 版校验通过。")
    if words:
        yield Finding("注意", "C039", f"数据包中待核实：{words}。请逐项对照文件原文核实后改 verified。")
    return pack


# ── gateways ──────────────────────────────────────────────────────────────────


def _gateways(ground: Ground) -> Generator[Finding, None, Any]:
    """Settings, and a real connection; gives the gateways whose settings are right."""
    made: list[Gateway] = []
    for name, make in ground.ways:
        try:
            made.append(make())
        except SettingsError as error:
            yield Finding("故障", "C033", f"网关 {name}：{error}")
    if not ground.ways:
        yield Finding("故障", "C033", "没有配置网关，什么也发不出去。请在“网关”页面或 fengsui.toml 添加。")
    elif made and running(ground.host, ground.port) and not ground.connect:
        yield Finding(
            "注意", "C034", "系统正在运行，未另行登录网关；连接状态见“网关”页面，或加 --connect 强制试连。"
        )
    else:
        for gateway, health in zip(made, asyncio.run(_opened(made)), strict=True):
            kind: Kind = "正常" if health.up and not health.code else "注意" if health.up else "故障"
            yield Finding(kind, "C034", f"网关 {gateway.name}（{gateway.channel}）：{health.text}")
    return made


def _feeds(ground: Ground) -> Iterator[Finding]:
    """Where warnings of others come from: settings, one real look that keeps nothing, and whose signatures count."""
    for feed in ground.feeds:
        try:
            probe(feed, ground.data)
        except (FeedFault, Trouble) as error:
            yield Finding("故障", "C047", f"收报来源 {feed.name}：{error}")
            continue
        trusted = "，通道受信" if feed.trusted else ""
        plain = feed.url.startswith("http://") and feed.trusted
        more = "，但网址是 http，途中可被篡改：受信的来源请用 https" if plain else ""
        yield Finding("注意" if plain else "正常", "C047", f"收报来源 {feed.name} 可用{trusted}{more}。")
    if (ground.data / PINNED).is_dir():
        try:
            pinned = trust.load(ground.data / PINNED)
        except (trust.TrustFault, OSError) as error:
            yield Finding("故障", "C048", f"{PINNED} 文件夹：{error}。在改正之前，任何签名都不算受信。")
            return
        ended = [one.subject for one in pinned if one.ends < ground.now]
        kind: Kind = "注意" if ended else "正常"
        more = f"，其中已过期：{some(ended)}" if ended else ""
        yield Finding(kind, "C048", f"受信的签名证书 {len(pinned)} 张{more}。")


async def _opened(gateways: Iterable[Gateway]) -> list[Health]:
    return list(await asyncio.gather(*map(_tried, gateways)))


async def _tried(gateway: Gateway) -> Health:
    """Connect, ask until it is up or time is over, hang up."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    health = Health(up=False, text="对方没有应答。请检查地址、端口和网络。", code="C034")
    try:
        async with asyncio.timeout(PATIENCE * 2):
            await gateway.start()
            while not (health := await gateway.check()).up and loop.time() < end:  # noqa: ASYNC110 - it signals nobody
                await asyncio.sleep(0.1)
    except TimeoutError:
        pass
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await gateway.stop()
    return health


def running(host: str, port: int) -> bool:
    """Whether a district answers at this address."""
    near = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104 - where it would listen
    connection = http.client.HTTPConnection(near, port, timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status in (200, 503)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
