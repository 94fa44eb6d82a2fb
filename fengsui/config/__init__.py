"""配置 Settings, the ASGI entry and the URL root; ``configure`` points Django at a data directory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.conf import settings as live  # the name "settings" is our submodule
from django.db import connections


def configure(data_dir: Path | str, database_url: str = "") -> None:
    """Point Django at this data directory and database ("" = SQLite); set Django up the first time.

    May be called again with another place (a rehearsal has a database of its own): connections of this thread are
    closed; other threads must have closed theirs.
    """
    os.environ["FENGSUI_DATA"] = str(data_dir)
    os.environ["FENGSUI_DATABASE"] = database_url
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fengsui.config.settings")
    if not apps.ready:
        django.setup()
        return
    _point(Path(data_dir), database_url)


def _point(data_dir: Path, database_url: str) -> None:
    from fengsui.config.settings import Place, databases  # noqa: PLC0415 - reads the environment when imported

    connections.close_all()
    known: Any = connections  # Django has no public way to point elsewhere
    for alias in connections.settings:
        if hasattr(known._connections, alias):  # noqa: SLF001
            del connections[alias]
    live.DATABASES = databases(Place(data_dir, database_url))
    known._settings = None  # noqa: SLF001
    connections.__dict__.pop("settings", None)
