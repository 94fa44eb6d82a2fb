"""Fixtures: a district's database on SQLite and on PostgreSQL, made once as a template and copied for each test."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from fengsui.config import configure
from fengsui.store import vault
from fengsui.store.sql import Session
from tests.postgresql import Server

_number = itertools.count(1)
START = 1_772_000_000_000_000
"""A moment in UTC µs at which tests begin."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--shots", default="", help="folder for pictures of every page, see tests/web/test_eyes.py"
    )
    parser.addoption(
        "--fuzz", type=int, default=1, help="how many times as long, see tests/web/test_schema.py"
    )
    parser.addoption("--seed", type=int, default=1, help="another way through, see tests/web/test_schema.py")
    parser.addoption("--storms", type=int, default=30, help="how often servers are killed, see tests/storm")


class Database(NamedTuple):
    """Where a test's district lives, and its keys."""

    data: Path
    url: str
    vault: vault.Vault

    def session(self) -> Session:
        return Session()

    @property
    def vendor(self) -> str:
        return "postgresql" if self.url else "sqlite"


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite place with keys."""
    from fengsui.store.migrate import migrate

    place = tmp_path_factory.mktemp("template")
    configure(place)
    vault.create(place, START)
    migrate()
    session = Session()
    session.run("PRAGMA wal_checkpoint(TRUNCATE)")
    session.close()
    configure(place)
    return place


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One PostgreSQL server with a migrated template database."""
    from fengsui.store.migrate import migrate

    server = Server()
    try:
        configure(tmp_path_factory.mktemp("pg"), server.database("fengsui_template"))
        migrate()
        configure(tmp_path_factory.mktemp("away"))
        yield server
    finally:
        server.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.foreign)])
def database(request: pytest.FixtureRequest, tmp_path: Path, template: Path) -> Iterator[Database]:
    """A fresh district, on each database."""
    place = tmp_path / "place"
    shutil.copytree(template, place)
    url, name = "", f"t{next(_number)}"
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql")
        url = server.database(name, "fengsui_template")
    configure(place, url)
    yield Database(place, url, vault.load(place, START))
    configure(tmp_path)
    if url:
        server.drop(name)


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """One connection to the test's database."""
    opened = Session()
    yield opened
    opened.close()
