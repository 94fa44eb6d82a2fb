"""会话 A database connection for hand-written SQL: one text for both databases, as far as it goes.

Texts use ``?`` for values. ``{each}`` is a table ``j`` with one row for each element of a JSON array given as value
(``CAST(j.value->>0 AS BIGINT)`` reads an element's first item in both databases); ``{each_text}`` the same for
plain strings; ``{lock}`` locks the rows read where the database has row locks; ``{skip}`` skips locked ones.
``{join}`` after an array: join from the array outwards (SQLite would begin with the big table: measured).
``CAST({all}({row}(a, b)) AS TEXT)`` is every row as one JSON array of arrays, for ``gather``.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
import psycopg
from django import db
from django.conf import settings

Errors = (sqlite3.Error, psycopg.Error, db.Error)
"""Whatever either database raises; Django words it its own way where it connects."""
PASSING = (sqlite3.OperationalError, psycopg.OperationalError, db.OperationalError)
"""What may be over the next time: a full disk, a lock, a lost connection."""

Values = tuple[Any, ...]
T = TypeVar("T")

_SQLITE = {
    "{each}": "json_each(?) AS j",
    "{each_text}": "json_each(?) AS j",
    "{lock}": "",
    "{skip}": "",
    "{join}": "CROSS JOIN",
    "{all}": "json_group_array",
    "{row}": "json_array",
}
_POSTGRESQL = {
    "{each}": "jsonb_array_elements(CAST(? AS jsonb)) AS j(value)",
    "{each_text}": "jsonb_array_elements_text(CAST(? AS jsonb)) AS j(value)",
    "{join}": "JOIN",
    "{lock}": "FOR UPDATE",
    "{skip}": "FOR UPDATE SKIP LOCKED",
    "{all}": "json_agg",
    "{row}": "json_build_array",
}


@lru_cache(maxsize=512)
def translate(text: str, vendor: str) -> str:
    """A text in the dialect of a database ("sqlite" or "postgresql")."""
    for word, meaning in (_SQLITE if vendor == "sqlite" else _POSTGRESQL).items():
        text = text.replace(word, meaning)
    return text if vendor == "sqlite" else text.replace("%", "%%").replace("?", "%s")


def pack(rows: Iterable[Any]) -> str:
    """Rows as the JSON array that ``{each}`` reads."""
    return msgspec.json.encode(rows if isinstance(rows, list) else list(rows)).decode()


class Session:
    """One connection, in autocommit until ``begin``. Used by one thread at a time.

    One that the server has closed is replaced when it is used next, unless something had begun on it: a server that
    starts again must not stop whoever keeps a connection.
    """

    def __init__(self, alias: str = "default") -> None:
        self._alias = alias
        self._open()

    def _open(self) -> None:
        self._begun = False
        self._wrapper = db.connections.create_connection(self._alias)
        self._wrapper.ensure_connection()
        self.raw: Any = self._wrapper.connection
        self.vendor: str = self._wrapper.vendor

    def _whole(self) -> Any:
        """The connection, a new one if it is gone. Raises Errors if there is none to be had."""
        if self.vendor == "postgresql" and not self._begun and _gone(self.raw):
            self.reopen()
        return self.raw

    def run(self, text: str, *values: Any) -> list[Values]:
        """Run one statement; its rows, or none."""
        cursor = self._whole().execute(translate(text, self.vendor), values)
        return cursor.fetchall() if cursor.description else []

    def gather(self, decoder: msgspec.json.Decoder[T], text: str, *values: Any) -> T:
        """Run a statement that gives every row within one text: one step instead of one for each row.

        Between steps the driver lets go of the interpreter's lock, and a thread that computes keeps it for
        milliseconds (measured: a quarter of the time of sending).
        """
        return decoder.decode(self.run(text, *values)[0][0] or "[]")

    def count(self, text: str, *values: Any) -> int:
        """Run one statement; how many rows it changed."""
        return int(self._whole().execute(translate(text, self.vendor), values).rowcount)

    def begin(self) -> None:
        """Start a transaction that writes."""
        self._whole().execute("BEGIN IMMEDIATE" if self.vendor == "sqlite" else "BEGIN")
        self._begun = True

    def commit(self) -> None:
        """Make it durable. If this raises, ask ``open_transaction`` whether the outcome is known."""
        self.raw.execute("COMMIT")
        self._begun = False

    def open_transaction(self) -> bool:
        """Whether a transaction is certainly still open, hence certainly not committed."""
        if self.vendor == "sqlite":
            return bool(self.raw.in_transaction)
        return not self.raw.closed and self.raw.info.transaction_status != psycopg.pq.TransactionStatus.IDLE

    def rollback(self) -> None:
        """Undo what is open; harmless if nothing is, or if the connection took it along."""
        if self.open_transaction():
            self.raw.execute("ROLLBACK")
        self._begun = False

    def recover(self) -> None:
        """Be of use again after an error: undo what is open, on a new connection if need be, now or when it is used next."""
        try:
            self.rollback()
        except Errors:
            with contextlib.suppress(*Errors):
                self.reopen()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Begin, commit; roll back when something is raised."""
        self.begin()
        try:
            yield
            self.commit()
        finally:
            self.rollback()  # nothing is open any more once it is committed

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo only what happens inside when something is raised."""
        self.raw.execute("SAVEPOINT inner_part")
        whole = False
        try:
            yield
            whole = True
        finally:
            if not whole:
                self.raw.execute("ROLLBACK TO SAVEPOINT inner_part")
            self.raw.execute("RELEASE SAVEPOINT inner_part")

    def reopen(self) -> None:
        """Throw the connection away and take a new one: after an outcome that is not known."""
        self.close()
        self._open()

    def close(self) -> None:
        """Close it, from whatever thread; what was not committed is undone."""
        self.raw.close()
        self._wrapper.connection = None


def _gone(raw: psycopg.Connection[Any]) -> bool:
    """Whether the server has closed a connection on which nothing is open. Costs a microsecond and asks nothing."""
    if not raw.closed and raw.pgconn.transaction_status == psycopg.pq.TransactionStatus.IDLE:
        with contextlib.suppress(psycopg.Error):
            for _ in ("its last words", "that it has hung up"):
                raw.pgconn.consume_input()
    return raw.closed


def archive() -> Session:
    """A connection to the archive of papers: a file of its own on SQLite, the main database on PostgreSQL."""
    return Session("archive" if "archive" in settings.DATABASES else "default")
