"""听候 Listen: on PostgreSQL, know at once that another process has committed. Only a hint: every loop scans anyway."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from fengsui.store.sql import Errors, Session

log = logging.getLogger(__name__)

CHANNEL = "fengsui"
LOOK = 1.0
"""Seconds after which it looks whether it should stop, or connects again."""


class Listener:
    """Calls ``heard`` in a thread of its own after each commit of another process, until stopped."""

    def __init__(self, heard: Callable[[], None]) -> None:
        self._heard = heard
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def start(self) -> None:
        """Begin; on SQLite there is nothing to hear and the thread ends at once."""
        self._thread.start()

    def stop(self) -> None:
        """End, within about a second."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                session = Session()
                if session.vendor != "postgresql":
                    session.close()
                    return
                self._listen(session)
            except Errors as error:
                log.warning("数据库的通知连接断开，正在重连：%s [R050]", type(error).__name__)
                self._stopping.wait(LOOK)

    def _listen(self, session: Session) -> None:
        try:
            session.run(f"LISTEN {CHANNEL}")
            while not self._stopping.is_set():
                for _ in session.raw.notifies(timeout=LOOK, stop_after=1):
                    self._heard()
        finally:
            session.close()
