"""Fixtures of the pages' tests: a district on SQLite (the pages' SQL is the store's, which is tested on both)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fengsui.config import configure
from fengsui.store import vault
from tests.conftest import START, Database

configure("nowhere")  # Django's tables can be imported once it has settings; no place is opened

from tests.web.site import Site, night, site  # noqa: E402


@pytest.fixture
def place(tmp_path: Path, template: Path) -> Iterator[Database]:
    """A fresh district on SQLite."""
    at = tmp_path / "place"
    shutil.copytree(template, at)
    configure(at)
    yield Database(at, "", vault.load(at, START))
    configure(tmp_path)


@pytest.fixture
def quiet(place: Database) -> Iterator[Site]:
    """A running house in which nothing has happened."""
    with site(place) as made:
        yield made


@pytest.fixture
def busy(quiet: Site) -> Site:
    """A running house in the middle of the red night, see ``tests.web.site``."""
    return night(quiet)
