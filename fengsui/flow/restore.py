"""恢复 Restore: a backup becomes an empty place's district — checked, under a new epoch, and with every lane held.

What was open when the backup was made may have gone out since. So nothing leaves by itself: a person looks, then
releases; what then goes out again is marked as a possible duplicate. Until all of that is done a mark stands in the
data directory, at which every command refuses: whatever interrupts a restore, half of one never runs.
"""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from pathlib import Path
from typing import NamedTuple

import msgspec

from fengsui.flow.backup import DUMP, FILES, KEYS, MANIFEST, BackupFault, Manifest, listed, tool
from fengsui.store import holds, leases, ledger, outbox, sealed, verify
from fengsui.store.sql import Session
from fengsui.store.vault import Vault

WHY = "由备份恢复，等待人工核对"
MARK = "restoring"
"""Stands in a data directory while it is being restored."""


class Half(BackupFault):
    """这个数据目录没有恢复完，不能使用。请清空它（PostgreSQL 另建一个空库），再执行 fengsui restore。[C060]"""


class Restored(NamedTuple):
    """What a restored place holds: facts, the new epoch, and how many rows wait in which lane."""

    facts: int
    epoch: int
    waiting: dict[str, int]


def read(source: Path) -> Manifest:
    """A backup's manifest, its files checked against it. Raises BackupFault."""
    try:
        manifest = msgspec.json.decode((source / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise BackupFault(f"“{source.name}”不是完整的备份：没有可读的 {MANIFEST}。[C054]") from error
    found = listed(source)
    wrong = [name for name, file in manifest.files.items() if found.get(name) != file]
    if wrong:
        raise BackupFault(f"备份文件与清单不符：{'、'.join(wrong)}。请换一份备份。[C055]")
    return manifest


def whole(data: Path) -> None:
    """Raises Half for a data directory whose restore was interrupted or failed."""
    if (data / MARK).exists():
        raise Half(Half.__doc__)


def unpack(
    source: Path, data: Path, manifest: Manifest, *, passphrase: str, url: str, keys: Path | None = None
) -> None:
    """Put files and keys into an empty data directory, under the mark that ``settle`` takes away. Raises BackupFault, Unsealed."""
    if data.exists() and any(data.iterdir()):
        raise BackupFault("数据目录不是空的，恢复不会覆盖。请把 FENGSUI_DATA 指向一个空目录。[C056]")
    if bool(url) != (manifest.vendor == "postgresql"):
        raise BackupFault(
            f"这份备份来自 {manifest.vendor}。恢复 PostgreSQL 须用 FENGSUI_DATABASE 指定一个空库，SQLite 则不设。[C057]"
        )
    opened = sealed.open_((keys or source / KEYS).read_bytes(), passphrase)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data / MARK).open("wb") as mark:
        os.fsync(mark.fileno())
    _lasting(data)
    _unsealed(opened, data / "keys")
    for name in manifest.files:
        if name not in (KEYS, DUMP):
            (data / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, data / name)
            if name in FILES.values():
                (data / name).chmod(0o600)
            _lasting(data / name)


def load(source: Path, url: str) -> None:
    """Read a dump into an empty database. Raises BackupFault."""
    session = Session()
    try:
        if session.run("SELECT 1 FROM pg_tables WHERE schemaname = 'public' LIMIT 1"):
            raise BackupFault("FENGSUI_DATABASE 所指的库不是空的，恢复不会覆盖。请另建一个空库。[C058]")
    finally:
        session.close()
    tool("pg_restore", url, "--no-owner", "--exit-on-error", "--single-transaction", str(source / DUMP))


def settle(vault: Vault, manifest: Manifest, now: int) -> Restored:
    """Hold every lane, check the chain against the manifest, begin a new epoch, put what is open in doubt: then the place
    may run.

    Raises BackupFault if the chain does not agree; every lane is held even then, and the mark stays.
    """
    session = Session()
    try:
        with session.transaction():
            holds.put(session, holds.EVERY, now, WHY)
        faults = [fault.text for fault in verify.verify(session, vault)]
        head = ledger.lock(session)
        if faults or (head.seq, head.hash) != (manifest.chain.seq, manifest.chain.hash):
            first = faults[0] if faults else "链头与清单不符"
            raise BackupFault(f"恢复出的台账核验不过：{first} 请换一份备份。[C059]")
        with session.transaction():
            head = ledger.Head(head.seq, head.hash, head.epoch + 1)
            session.run("UPDATE chain SET epoch = ? WHERE id = 1", head.epoch)
            ledger.seal(session, head, vault)
            _doubt(session, now)
        done = Restored(head.seq, head.epoch, holds.waiting(session))
    finally:
        session.close()
    (vault.directory / MARK).unlink(missing_ok=True)
    return done


def _doubt(session: Session, now: int) -> None:
    """Lists are fanned out to their end first, so that no row of an old telling is made later and counts as new."""
    while outbox.drain(session) or outbox.fan_out_slice(session, now)[0]:
        pass
    session.run("UPDATE delivery SET lease = 1, run_at = 0 WHERE state = 0")
    leases.expire_doubtful(session, now)


def _unsealed(body: bytes, folder: Path) -> None:
    """Keys as files that only their owner reads."""
    folder.mkdir(mode=0o700)
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        for member in tar.getmembers():
            content = tar.extractfile(member)
            if content is None or Path(member.name).name != member.name:
                continue
            handle = os.open(folder / member.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(content.read())
                file.flush()
                os.fsync(file.fileno())


def _lasting(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk and not only on their way there."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
