"""独占 One ``serve`` for each data directory on SQLite. Short commands may write beside it; a second serve is refused."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Occupied(Exception):  # noqa: N818 - the condition is the name
    """这个数据目录已有一个 fengsui serve 在运行。请先停止它，或另用一个数据目录。[S030]"""


class Lock:
    """Held from construction until ``release`` or the end of the process, however it ends."""

    def __init__(self, directory: Path) -> None:
        self._file = (directory / "serve.lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.seek(0)
            holder = self._file.read().strip()
            self._file.close()
            raise Occupied(f"{Occupied.__doc__} 进程号 {holder}") from error
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Give it back."""
        self._file.close()
