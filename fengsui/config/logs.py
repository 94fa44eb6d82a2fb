"""日志 Logs: what of the web stands in the process's log — faults of ours, never a key."""

from __future__ import annotations

import logging
import re
from typing import Any


class Unnamed(logging.Filter):
    """The token of a link is a key: no line says it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, with the addresses of links cut short."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                re.sub(r"^/a/[^/]*", "/a/…", a) if isinstance(a, str) else a for a in record.args
            )
        return True


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"tokens": {"()": Unnamed}},
    # what a client does wrong he is told on the page; in the log it would only hide what we do wrong
    "loggers": {"django.request": {"level": "ERROR", "filters": ["tokens"]}},
}
