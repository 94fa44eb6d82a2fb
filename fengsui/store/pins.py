"""决定口令 PINs: a few digits only their owner knows, so that whoever holds his link cannot decide in his name.

Five wrong ones in a row lock it for a quarter of an hour; a try is counted before it is checked, so that many at once
are no more than five. Only the argon2 hash is kept.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from django.contrib.auth.hashers import check_password, make_password
from django.db.models import F

from fengsui.store.accounts import Pin

SHORTEST, LONGEST = 4, 6
TRIES = 5
"""Wrong ones in a row after which it is locked."""
LOCKED = 15 * 60 * 1_000_000
"""µs for which it then is."""

Checked = Literal["right", "wrong", "locked", "none"]


def weak(digits: str) -> str:
    """Why these digits will not do, "" if they will.

    >>> weak("4071"), weak("1234"), weak("12a4"), weak("7777")
    ('', '不能是连续或相同的数字', '须为 4–6 位数字', '不能是连续或相同的数字')
    """
    if not (SHORTEST <= len(digits) <= LONGEST and digits.isascii() and digits.isdigit()):
        return f"须为 {SHORTEST}–{LONGEST} 位数字"
    steps = {int(b) - int(a) for a, b in pairwise(digits)}
    return "不能是连续或相同的数字" if len(steps) == 1 and steps <= {-1, 0, 1} else ""


def put(person: str, digits: str) -> None:
    """Set a person's PIN; what was wrong before is forgotten. Raises ValueError for digits that will not do."""
    if reason := weak(digits):
        raise ValueError(f"决定口令{reason}。[S050]")
    Pin.objects.update_or_create(
        person=person, defaults={"hash": make_password(digits), "failures": 0, "failed_at": 0}
    )


def known(person: str) -> bool:
    """Whether a person has one."""
    return bool(Pin.objects.filter(person=person).exists())


def remove(person: str) -> None:
    """Forget it: he left, or wants a new one."""
    Pin.objects.filter(person=person).delete()


def check(person: str, digits: str, now: int) -> Checked:
    """Whether these are his digits. now: UTC µs."""
    mine = Pin.objects.filter(person=person)
    mine.filter(failures__gte=TRIES, failed_at__lte=now - LOCKED).update(failures=0)
    counted = mine.filter(failures__lt=TRIES).update(failures=F("failures") + 1, failed_at=now)
    if not counted:
        return "locked" if mine.exists() else "none"
    if not check_password(digits, mine.values_list("hash", flat=True)[0]):
        return "wrong"
    mine.update(failures=0)
    return "right"


def left(person: str) -> int:
    """How many wrong ones are allowed before it is locked."""
    found = Pin.objects.filter(person=person).values_list("failures", flat=True).first()
    return max(0, TRIES - int(found or 0))
