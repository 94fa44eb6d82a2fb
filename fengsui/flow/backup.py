"""备份 Backup of a district while it runs, and the parcel it makes: databases, site, sealed keys, a manifest of digests.

The main database is copied before the archive: papers are stored before the facts that name them, so every paper that
a copied fact names is in the copy. Written beside its place and renamed, so that half a backup is never taken for one.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import sqlite3
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from fengsui import __version__
from fengsui.flow.publish import OWN
from fengsui.store import sealed
from fengsui.store.sql import Session

MANIFEST = "manifest.json"
KEYS = "keys.sealed"
DUMP = "main.dump"
FILES = {"default": "fengsui.sqlite3", "archive": "archive.sqlite3", "desk": "desk.sqlite3"}
"""Databases of a place on SQLite in the order in which they are copied: alias → file."""
SITE = ("fengsui.toml", "site", "trust", OWN)
"""What else a data directory holds that cannot be made anew."""
BLOCK = 1 << 20


class Chain(msgspec.Struct, frozen=True):
    """The end of the chain as it was copied."""

    seq: int
    hash: str
    epoch: int


class File(msgspec.Struct, frozen=True):
    """A file's size and sha-256."""

    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds. at: UTC µs; vendor: of the database; keys: whether the sealed keys lie beside it."""

    release: str
    at: int
    vendor: str
    chain: Chain
    files: dict[str, File]
    keys: bool = True


class BackupFault(OSError):  # noqa: N818 - the condition is the name
    """备份或恢复没有完成，没有留下可误用的半成品。[C050]"""


def backup(
    data: Path, target: Path, *, url: str, passphrase: str, now: int, keys: Path | None = None
) -> Manifest:
    """Copy a place into a directory that is not there yet or is empty. url: of PostgreSQL, "" = SQLite.

    keys: the file for the sealed keys if they are to lie elsewhere. Raises BackupFault, or ValueError for a passphrase.
    """
    parcel = sealed.close(_keys(data), passphrase)
    if target.exists() and any(target.iterdir()):
        raise BackupFault(f"目录“{target.name}”已有内容，备份不会覆盖。请另给一个新目录。[C051]")
    work = target.with_name(f"{target.name}.partial")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700, parents=True)
    chain = _dump(url, work) if url else _copy(work)
    _site(data, work)
    _write(keys or work / KEYS, parcel)
    manifest = Manifest(
        __version__, now, "postgresql" if url else "sqlite", chain, listed(work), keys is None
    )
    _write(work / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest, order="deterministic")))
    if target.exists():
        target.rmdir()
    work.rename(target)
    return manifest


def _copy(work: Path) -> Chain:
    for alias, name in FILES.items():
        session = Session(alias)
        try:
            session.run("VACUUM INTO ?", str(work / name))
        finally:
            session.close()
        _synced(work / name)
    copied = sqlite3.connect(f"file:{work / FILES['default']}?mode=ro", uri=True)
    try:
        return Chain(*copied.execute("SELECT seq, hash, epoch FROM chain WHERE id = 1").fetchone())
    finally:
        copied.close()


def _dump(url: str, work: Path) -> Chain:
    """pg_dump of one exported snapshot, so that the chain's head is the one in the dump."""
    session = Session()
    try:
        session.run("BEGIN ISOLATION LEVEL REPEATABLE READ")
        snapshot = session.run("SELECT pg_export_snapshot()")[0][0]
        chain = Chain(*session.run("SELECT seq, hash, epoch FROM chain WHERE id = 1")[0])
        options = ("--format=custom", "--no-owner", f"--snapshot={snapshot}", f"--file={work / DUMP}")
        tool("pg_dump", url, *options)
        session.rollback()
    finally:
        session.close()
    _synced(work / DUMP)
    return chain


def tool(program: str, url: str, *options: str) -> None:
    """Run one of PostgreSQL's programs against a database; its password travels in the environment. Raises BackupFault."""
    found = shutil.which(program)
    if not found:
        raise BackupFault(f"没有 {program}，不能处理 PostgreSQL。请安装 postgresql-client 后重试。[C052]")
    place = urlsplit(url)
    words = {
        "PGHOST": place.hostname,
        "PGPORT": place.port,
        "PGUSER": place.username,
        "PGPASSWORD": place.password,
    }
    given = {name: unquote(str(value)) for name, value in words.items() if value}
    done = subprocess.run(  # noqa: S603 - our own program with our own words
        (found, *options, f"--dbname={unquote(place.path.lstrip('/'))}"),
        env=os.environ | given, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise BackupFault(f"{program} 失败：{done.stderr.strip()[:300]}。请按提示处理后重试。[C053]")


def _keys(data: Path) -> bytes:
    """The keys directory as one tar file."""
    parcel = io.BytesIO()
    with tarfile.open(fileobj=parcel, mode="w") as tar:
        for path in sorted((data / "keys").iterdir()):
            if path.is_file():
                tar.add(path, arcname=path.name, recursive=False)
    return parcel.getvalue()


def _site(data: Path, work: Path) -> None:
    for name in SITE:
        if (data / name).is_dir():
            shutil.copytree(data / name, work / name)
        elif (data / name).is_file():
            shutil.copy2(data / name, work / name)


def listed(folder: Path) -> dict[str, File]:
    """Size and digest of every file of a folder but the manifest, by relative name."""
    return {
        path.relative_to(folder).as_posix(): File(path.stat().st_size, digest(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def digest(path: Path) -> str:
    """sha-256 of a file."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            found.update(block)
    return found.hexdigest()


def _synced(path: Path) -> None:
    path.chmod(0o600)
    handle = os.open(path, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def _write(path: Path, body: bytes) -> None:
    with _private(path) as handle:
        os.write(handle, body)
        os.fsync(handle)


@contextmanager
def _private(path: Path) -> Iterator[int]:
    """A new file that only its owner reads."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)
