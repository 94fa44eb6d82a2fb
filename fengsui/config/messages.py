"""报文命令 Message commands: judge CAP files, and read what others sent. They need no data directory and open nothing else."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fengsui.config import command, site
from fengsui.core.cap import Moment
from fengsui.core.cap_forms import EPOCH, loosely, written
from fengsui.core.cap_rules import Finding, Layer
from fengsui.core.geocodes import Place
from fengsui.formats import packs
from fengsui.formats.cap import trust
from fengsui.formats.cap.incoming import BEIJING, Incoming, Seen, incoming, replayed
from fengsui.formats.cap.parse import MAX_BYTES
from fengsui.formats.cap.verdict import Verdict, verdict

LAYERS: dict[Layer, str] = {"xml": "格式", "xsd": "模式", "semantic": "规范", "signature": "签名"}
STATES = {True: "通过", False: "不通过", None: "未判"}
REPLAYS = {
    "same": "重复报文，与前面一份相同。[X514]",
    "altered": "前面已有一份标识相同而内容不同的报文。[X515]",
}


def add(commands: Any) -> None:
    """The words of these commands."""
    cap = commands.add_parser("cap", help="CAP 报文").add_subparsers(required=True, metavar="项目")
    judge = cap.add_parser("validate", help="校验：XML、模式、规范条文、签名；有无效的则退出码 1")
    _words(judge)
    judge.set_defaults(run=_validate)
    take = commands.add_parser("import", help="读入别处来的报文：严格裁定与尽力读出，两者并列；不入库")
    _words(take)
    take.set_defaults(run=_import)


def _words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="文件")
    parser.add_argument(
        "--trust", type=Path, metavar="目录", help="受信证书（*.pem，自签的也算）；不给则只提及签名，不核验"
    )
    parser.add_argument(
        "--at",
        type=_moment,
        metavar="时间",
        help="按此刻判断证书是否有效，缺省为报文的发送时间；不写时区为北京时间",
    )
    parser.add_argument("--json", action="store_true", help="每份报文一行，一个 JSON 对象")


def _moment(text: str) -> int:
    """A time of the command line in UTC µs."""
    found = loosely(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"“{text}”不是时间，例如 2026-07-17T14:40:00+08:00。[X481]")
    return found.at


def _contents(files: list[Path]) -> Iterator[tuple[Path, bytes]]:
    """Files with their bytes, not more of each than will be looked at. Raises ValueError before the first, OSError."""
    for file in files:
        if not file.is_file():
            raise ValueError(f"没有文件“{file}”。[X480]")
    for file in files:
        with file.open("rb") as opened:
            yield file, opened.read(MAX_BYTES + 1)


def _print(found: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")


# ── validate 校验 ─────────────────────────────────────────────────────────────


def _validate(arguments: argparse.Namespace) -> int:
    pinned = trust.load(arguments.trust) if arguments.trust else None
    worst = 0
    for file, content in _contents(arguments.files):
        said = verdict(content, pinned, arguments.at)
        worst = worst if said.valid else 1
        if arguments.json:
            _print({"file": str(file), **_verdict(said)})
        else:
            sys.stdout.write("\n".join(_told(str(file), said)) + "\n")
    return worst


def _verdict(said: Verdict) -> dict[str, Any]:
    return {
        "valid": said.valid,
        "layers": said.layers,
        "signer": said.signer or None,
        "findings": [_finding(one) for one in said.findings],
    }


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "layer": one.layer, "line": one.line or None, "code": one.code, "reason": one.text, "grave": one.grave,
    }  # fmt: skip


def _told(name: str, said: Verdict) -> Iterator[str]:
    """A verdict for people."""
    states = "　".join(f"{LAYERS[layer]} {STATES[state]}" for layer, state in said.layers.items())
    yield f"{'有效' if said.valid else '无效'}　{name}　（{states}）"
    if said.signer:
        yield f"  签名人：{said.signer}"
    for one in said.findings:
        place = f"第 {one.line} 行　" if one.line else ""
        yield f"  {'' if one.grave else '提示　'}{place}{LAYERS[one.layer]}　{one.text}[{one.code}]"


# ── import 读入 ───────────────────────────────────────────────────────────────


def _import(arguments: argparse.Namespace) -> None:
    pinned = trust.load(arguments.trust) if arguments.trust else None
    place = command.data()
    pack = packs.load(site.which(place, site.read(place)))
    today = (EPOCH + dt.timedelta(microseconds=command.now()) + BEIJING).date().isoformat()
    seen: Seen = {}
    for file, content in _contents(arguments.files):
        for index, one in enumerate(incoming(content, pack, today=today, trust=pinned, at=arguments.at)):
            before = replayed(one, seen)
            if arguments.json:
                _print({"file": str(file), "index": index, **_read(one, before)})
            else:
                sys.stdout.write("\n".join(_shown(str(file), one, before)) + "\n")


def _read(one: Incoming, before: str) -> dict[str, Any]:
    """Both answers to a message."""
    alert = one.alert
    infos = alert.infos
    return {
        "within": one.part.within or None,
        "line": one.part.line,
        **_verdict(one.verdict),
        "replay": before or None,
        "version": alert.version,
        "identifier": alert.identifier.strip() or None,
        "sender": alert.sender.strip() or None,
        "senderName": next((i.sender_name.strip() for i in infos if i.sender_name.strip()), None),
        "sent": _time(alert.sent),
        "status": alert.status.strip() or None,
        "msgType": alert.msg_type.strip() or None,
        "references": alert.references.split(),
        "headline": next((i.headline.strip() for i in infos if i.headline.strip()), None),
        "effective": _time(next((i.effective for i in infos if i.effective), None)),
        "onset": _time(next((i.onset for i in infos if i.onset), None)),
        "expires": _time(max((i.expires for i in infos if i.expires), default=None)),
        "level": one.sense.level,
        "hazards": [{"hazard": d.hazard, "name": d.name, "level": d.level} for d in one.sense.dangers],
        "areas": list(dict.fromkeys(a.area_desc.strip() for i in infos for a in i.areas if a.area_desc.strip())),
        "townships": [_township(place) for place in one.located.townships],
        "ambiguous": [_township(place) for place in one.located.ambiguous],
        "reasons": [{"code": r.code, "reason": r.text, "grave": r.grave} for r in one.reasons],
    }  # fmt: skip


def _township(place: Place) -> dict[str, str]:
    return {"name": place.name, "scheme": place.scheme, "code": place.code}


def _time(when: Moment | None) -> str | None:
    return written(when) if when else None


def _shown(name: str, one: Incoming, before: str) -> Iterator[str]:
    """Both answers for people."""
    within = f"（在 {one.part.within} 内，第 {one.part.line} 行）" if one.part.within else ""
    yield from _told(f"{name}{within}", one.verdict)
    if before:
        yield f"  {REPLAYS[before]}"
    dangers = "、".join(f"{d.name}{f'（{d.level}）' if d.level else ''}" for d in one.sense.dangers)
    yield f"  读出：{one.alert.msg_type or '？'}　{dangers or '灾种不明'}　发送 {_time(one.alert.sent) or '不明'}"
    if one.located.townships:
        yield f"  乡镇：{'、'.join(place.name for place in one.located.townships)}"
    for remark in one.reasons:
        yield f"  {'须人工确认　' if remark.grave else ''}{remark.text}[{remark.code}]"
