"""设置 Django settings: computed from two environment variables, without a secret in them.

FENGSUI_DATA: the data directory. FENGSUI_DATABASE: a ``postgresql://`` URL, or empty for SQLite in the data directory.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from fengsui.config.logs import LOGGING as LOGGING  # noqa: PLC0414 - a setting of Django's

SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 5,  # seconds
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=5000;"
        "PRAGMA foreign_keys=ON; PRAGMA recursive_triggers=ON"
    ),
}
"""On every connection; without recursive_triggers INSERT OR REPLACE would pass the triggers of the ledger (measured)."""


POSTGRESQL_OPTIONS = {
    "connect_timeout": "5",  # seconds
    "tcp_user_timeout": "10000",  # milliseconds without an answer to what was sent
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
}
"""On every connection, unless the URL says otherwise: a network that swallows everything is noticed within half a minute.
Without them the system waits a quarter of an hour, and so does the writer.
"""


class Place(msgspec.Struct, frozen=True):
    """Where a district lives: its data directory, and the URL of its PostgreSQL database ("" = SQLite)."""

    data: Path
    database: str = ""


def here() -> Place:
    """The place that the environment names; the current directory's ``data`` without one."""
    return Place(Path(os.environ.get("FENGSUI_DATA", "data")), os.environ.get("FENGSUI_DATABASE", ""))


def databases(place: Place) -> dict[str, dict[str, Any]]:
    """Django's DATABASES for a place: on SQLite the archive is a file of its own, on PostgreSQL the same database.

    Raises ValueError for a URL that is not ``postgresql://``.
    """
    if not place.database:
        return {
            "default": _sqlite(place.data / "fengsui.sqlite3"),
            "archive": _sqlite(place.data / "archive.sqlite3"),
            "desk": _sqlite(place.data / "desk.sqlite3"),
        }
    url = urlsplit(place.database)
    if url.scheme not in {"postgresql", "postgres"}:
        raise ValueError(
            f"数据库地址须以 postgresql:// 开头，现在是“{url.scheme}”。请改正 FENGSUI_DATABASE。[S010]"
        )
    return {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(url.path.lstrip("/")),
            "USER": unquote(url.username or ""),
            "PASSWORD": unquote(url.password or ""),
            "HOST": url.hostname or "",
            "PORT": str(url.port or ""),
            "OPTIONS": POSTGRESQL_OPTIONS | dict(parse_qsl(url.query)),
        }
    }


def _sqlite(path: Path) -> dict[str, Any]:
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path), "OPTIONS": SQLITE_OPTIONS}


def secret(place: Place) -> str:
    """Django's secret: the newest ``web`` key of the place, or one for this process only."""
    keys = sorted((place.data / "keys").glob("web-*.key"))
    return keys[-1].read_text(encoding="utf-8") if keys else secrets.token_urlsafe(32)


def transport(address: str) -> dict[str, Any]:
    """What depends on how browsers reach the site. address: the public one; only ``https://`` makes cookies secure.

    Whether a request came by https says the proxy in front, to whom alone ``flow.serve`` listens in this.
    """
    https = address.startswith("https://")
    return {
        "SESSION_COOKIE_SECURE": https,
        "CSRF_COOKIE_SECURE": https,
        "CSRF_TRUSTED_ORIGINS": [address] if https else [],
    }


_place = here()

SECRET_KEY = secret(_place)
DATABASES = databases(_place)
DATABASE_ROUTERS = ["fengsui.store.router.Router"]
INSTALLED_APPS = ["django.contrib.sessions", "django.contrib.staticfiles", "fengsui.store", "fengsui.web"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "fengsui.web.middleware.policy",
    "fengsui.web.files.Static",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "fengsui.web.middleware.Turns",
    "fengsui.web.middleware.Gate",
]
ROOT_URLCONF = "fengsui.web.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": ["fengsui.web.context.frame"],
            "builtins": ["fengsui.web.templatetags.words"],
        },
    }
]
STATIC_URL = "/static/"
PASSWORD_HASHERS = ["fengsui.store.hashing.Argon2"]
SESSION_COOKIE_NAME = "fengsui"
SESSION_COOKIE_AGE = 12 * 3600  # one shift
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "fengsui_csrf"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "fengsui.web.pages.trouble.forged"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = (
    "same-origin"  # with no-referrer browsers send Origin: null, and every form is refused
)
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
LANGUAGE_CODE = "zh-hans"
USE_I18N = False
ALLOWED_HOSTS: list[str] = ["*"]
DEBUG = False
