"""建库 Bring a place's databases to the present tables; harmless when they are there already."""

from __future__ import annotations

from django.conf import settings
from django.core.management import call_command


def migrate() -> None:
    """Apply every migration to every database of the place."""
    for alias in settings.DATABASES:
        call_command("migrate", database=alias, verbosity=0, interactive=False)
