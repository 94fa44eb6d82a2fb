"""级别与动作 Levels: how strong a signal is, what a version of a warning does as a whole, and what it means for one area."""

from __future__ import annotations

from typing import Literal

Level = Literal["blue", "yellow", "orange", "red"]
LEVELS: tuple[Level, ...] = ("blue", "yellow", "orange", "red")
"""Levels from weak to strong (蓝 黄 橙 红); compare by index, never by name."""

Action = Literal["issue", "renew", "change", "upgrade", "downgrade", "cancel", "correct"]
"""发布 继续发布 变更 升级发布 降级发布 解除 更正: what a version of a warning does as a whole."""
Change = Literal["new", "up", "same", "changed", "down", "gone", "kept", "corrected", "retracted"]
"""What a version means for one area. changed: the strongest level stays, its zones do not; kept: nothing, nobody is told;
corrected and retracted: the version before was wrong, and something or nothing of it still holds here."""
GONE: tuple[Change, ...] = ("gone", "retracted")
"""Changes after which nothing is in force for an area any more."""
