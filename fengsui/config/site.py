"""站点 Site: what a process needs to know before it starts, read once from ``fengsui.toml`` of the data directory.

Unknown keys refuse to start. A gateway's secrets stand in ``keys/gateway-<name>.toml`` (0600), never in this file.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from fengsui.gateways.contract import Status

FILE = "fengsui.toml"


class Way(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A configured gateway: its own name, its kind, which series may leave through it, its settings as text."""

    name: str
    kind: str
    accepts: tuple[Status, ...] = ("actual",)
    settings: dict[str, str] = {}


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A site. address: public web address without a final slash, "" = texts carry no link. database: "" = SQLite.

    pack: one that is shipped, or ``./site`` for a folder of the data directory. telephone: of the weather office, for
    the pages behind links ("" = none).
    """

    pack: str = "yunzhou"
    host: str = "127.0.0.1"
    port: int = 8080
    address: str = ""
    telephone: str = ""
    database: str = ""
    gateway: tuple[Way, ...] = ()


class SiteFault(ValueError):  # noqa: N818 - the condition is the name
    """站点设置有误，未启动。请按提示改正 fengsui.toml。[C001]"""


def read(data: Path) -> Site:
    """The site of a data directory; defaults where there is no file. Raises SiteFault with key and expectation."""
    file = data / FILE
    if not file.exists():
        return Site()
    try:
        site = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), Site)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SiteFault(f"{FILE}：{error}。{SiteFault.__doc__}") from error
    return msgspec.structs.replace(site, gateway=tuple(_with_secrets(data, way) for way in site.gateway))


def _with_secrets(data: Path, way: Way) -> Way:
    file = data / "keys" / f"gateway-{way.name}.toml"
    if not file.exists():
        return way
    if file.stat().st_mode & 0o077:
        raise SiteFault(f"密钥文件“{file.name}”可被他人读取。请执行 chmod 600 后再启动。[C002]")
    secrets = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), dict[str, str])
    return msgspec.structs.replace(way, settings=way.settings | secrets)
