"""站点 Site: what a process needs to know before it starts, read once from ``fengsui.toml`` of the data directory.

Unknown keys refuse to start. Gateways may also be configured by form (``store.ways``). A gateway's secrets stand in
``keys/gateway-<name>.toml`` (0600), never in this file.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from fengsui.flow import restore
from fengsui.flow.feeds import Feed
from fengsui.gateways.contract import Status
from fengsui.store.ways import Stored, secrets

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
    the pages behind links ("" = none). feed: where warnings of others come from. proxy: who may say by which way and for whom a request came, commas between.
    """

    pack: str = "yunzhou"
    host: str = "127.0.0.1"
    port: int = 8080
    address: str = ""
    telephone: str = ""
    database: str = ""
    proxy: str = "127.0.0.1"
    gateway: tuple[Way, ...] = ()
    feed: tuple[Feed, ...] = ()


class SiteFault(ValueError):  # noqa: N818 - the condition is the name
    """站点设置有误，未启动。请按提示改正 fengsui.toml。[C001]"""


def read(data: Path) -> Site:
    """The site of a data directory; defaults where there is no file. Raises SiteFault with key and expectation, Half for
    one that was never wholly restored.
    """
    restore.whole(data)
    file = data / FILE
    if not file.exists():
        return Site()
    try:
        site = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), Site)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SiteFault(f"{FILE}：{error}。{SiteFault.__doc__}") from error
    return msgspec.structs.replace(site, gateway=tuple(_with_secrets(data, way) for way in site.gateway))


def which(data: Path, site: Site) -> str | Path:
    """The pack of a site as ``packs.load`` takes it: a shipped one by its name, ``./site`` from the data directory."""
    return data / site.pack if "/" in site.pack else site.pack


def edited(data: Path, site: Site, rows: list[Stored]) -> Site:
    """The site with the gateways that were configured by form: a row wins over a gateway of the same name."""
    named = {row.name for row in rows}
    ways = [
        Way(row.name, row.kind, msgspec.convert(row.accepts, tuple[Status, ...]), row.settings)
        for row in rows
        if row.active
    ]
    written = tuple(way for way in site.gateway if way.name not in named)
    return msgspec.structs.replace(site, gateway=(*written, *(_with_secrets(data, way) for way in ways)))


def _with_secrets(data: Path, way: Way) -> Way:
    return msgspec.structs.replace(way, settings=way.settings | secrets(data, way.name))
