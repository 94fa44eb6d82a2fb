"""分库 Which table lives in which file: papers in the archive, everything else in the main database."""

from __future__ import annotations

from django.conf import settings


class Router:
    """Django's router: on PostgreSQL there is one database and this says always yes."""

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **_hints: object) -> bool:
        """Whether a table is made in this database."""
        if "archive" not in settings.DATABASES:
            return True
        return (db == "archive") == (app_label == "store" and model_name == "paper")
