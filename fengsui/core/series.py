"""系列 Series: in earnest, a drill or a simulation — what it is called, and how every text that is not in earnest says so. Pure."""

from __future__ import annotations

import re
from typing import Literal

Series = Literal["actual", "exercise", "test"]
"""Status of everything that happens (CAP: Actual, Exercise, Test); a stream keeps the one it began with."""
NAMES: dict[Series, str] = {"actual": "实战", "exercise": "演练", "test": "模拟"}
DRILL = re.compile(r"演练|演习|\b(?:exercise|drill)\b|this is a test|\btest message\b", re.IGNORECASE)
"""Words by which a message that others wrote calls itself a drill."""


def word(series: Series) -> str:
    """What is not in earnest in one word; "" in earnest."""
    return "" if series == "actual" else NAMES[series]


def mark(series: Series) -> str:
    """What stands at both ends of every text: 【演练】 or 【模拟】; "" in earnest."""
    return f"【{NAMES[series]}】" if word(series) else ""


def marked(text: str, series: Series) -> str:
    """A text with its mark at both ends, whatever stands between is read or heard.

    >>> marked("暴雨红色预警", "exercise"), marked("暴雨红色预警", "actual")
    ('【演练】暴雨红色预警【演练】', '暴雨红色预警')
    """
    return f"{mark(series)}{text}{mark(series)}"
