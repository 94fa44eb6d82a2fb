"""分库 Which table lives in which file: papers in the archive, accounts and sessions beside the desk, the rest in main.

On PostgreSQL there is one database and everything lives in it.
"""

from __future__ import annotations

from django.conf import settings

DESK = ("account", "arrival", "attempt", "draft", "pin", "way")


def home(app: str, model: str | None) -> str:
    """The alias where a table lives on SQLite."""
    if app == "sessions" or (app == "store" and model in DESK):
        return "desk"
    return "archive" if app == "store" and model == "paper" else "default"


class Router:
    """Django's router."""

    def db_for_read(self, model: type, **_hints: object) -> str | None:
        """Where a model is read."""
        meta = model._meta  # type: ignore[attr-defined]  # noqa: SLF001 - Django's own name for it
        return self._there(home(meta.app_label, meta.model_name))

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **_hints: object) -> bool:
        """Whether a table is made in this database."""
        if "archive" not in settings.DATABASES:
            return True
        return db == home(app_label, model_name)

    def _there(self, alias: str) -> str | None:
        return alias if alias in settings.DATABASES else None
