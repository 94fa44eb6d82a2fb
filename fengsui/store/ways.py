"""出口设置 Ways: configured gateways as rows edited by their form; their secrets stand apart in ``keys/``, mode 0600.

A row wins over a gateway of the same name in ``fengsui.toml``. Read when a process starts: a change takes effect then.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from django.conf import settings

from fengsui.store.sql import Session


class Stored(msgspec.Struct, frozen=True):
    """A gateway as configured. accepts: series that may leave through it; active False = configured, not started."""

    name: str
    kind: str
    accepts: tuple[str, ...]
    settings: dict[str, str]
    position: int = 0
    active: bool = True
    changed: int = 0


class SecretFault(ValueError):  # noqa: N818 - the condition is the name
    """网关密钥文件不可用。请执行 chmod 600，或在网关页面重新填写口令。[S023]"""


@contextmanager
def _desk() -> Iterator[Session]:
    session = Session("desk" if "desk" in settings.DATABASES else "default")
    try:
        yield session
    finally:
        session.close()


def read() -> list[Stored]:
    """Every row in order, without secrets."""
    with _desk() as session:
        rows = session.run(
            "SELECT name, kind, accepts, settings, position, active, changed FROM way ORDER BY position, name"
        )
    return [
        Stored(
            name,
            kind,
            msgspec.json.decode(accepts, type=tuple[str, ...]),
            msgspec.json.decode(given, type=dict[str, str]),
            position,
            bool(active),
            changed,
        )
        for name, kind, accepts, given, position, active, changed in rows
    ]


def put(way: Stored) -> None:
    """Add or replace a row. Secrets are none of it: see ``keep``."""
    with _desk() as session, session.transaction():
        session.run("DELETE FROM way WHERE name = ?", way.name)
        session.run(
            "INSERT INTO way (name, kind, accepts, settings, position, active, changed)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            way.name,
            way.kind,
            msgspec.json.encode(way.accepts).decode(),
            msgspec.json.encode(way.settings).decode(),
            way.position,
            way.active,
            way.changed,
        )


def drop(name: str) -> None:
    """Remove a row."""
    with _desk() as session, session.transaction():
        session.run("DELETE FROM way WHERE name = ?", name)


def place() -> Path:
    """The data directory of this process."""
    return Path(os.environ.get("FENGSUI_DATA") or "data")


def secrets(data: Path, name: str) -> dict[str, str]:
    """The secrets of a gateway; none where there is no file. Raises SecretFault for one that others may read."""
    file = _file(data, name)
    if not file.exists():
        return {}
    if file.stat().st_mode & 0o077:
        raise SecretFault(f"密钥文件“{file.name}”可被他人读取。请执行 chmod 600 后再启动。[S023]")
    try:
        return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), dict[str, str])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise SecretFault(f"密钥文件“{file.name}”已损坏。请在网关页面重新填写口令。[S024]") from error


def keep(data: Path, name: str, given: dict[str, str]) -> None:
    """Write the secrets of a gateway: whole or not at all, readable by this user only."""
    file = _file(data, name)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = file.with_suffix(f".{os.getpid()}.new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(b"".join(f"{key} = {_quoted(value)}\n".encode() for key, value in sorted(given.items())))
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)


def forget(data: Path, name: str) -> None:
    """Remove the secrets of a gateway that is no more."""
    _file(data, name).unlink(missing_ok=True)


def _file(data: Path, name: str) -> Path:
    return data / "keys" / f"gateway-{name}.toml"


def _quoted(value: str) -> str:
    """A basic string of TOML: JSON's escapes are among its own."""
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
