"""账号 Accounts: who may log in, with sessions, failed attempts, drafts and arrivals — in a database file of their own.

Editing these never waits for the writer. An account names a person of the directory by id; his number stays there.
"""

from __future__ import annotations

from typing import Any

from django.db import models

Field = Any
"""Django's fields are what they hold to whoever reads them."""


def _text(**options: Any) -> Field:
    return models.TextField(default="", **options)


def _number() -> Field:
    return models.BigIntegerField(default=0)


def _flag() -> Field:
    return models.SmallIntegerField(default=0)


class Account(models.Model):
    """账号 One login: role, unit and person it acts for. password: argon2; totp, pin: encrypted or hashed, "" = none.

    stamp: changes when the password does, so that every session of the account ends.
    """

    username: Field = models.TextField(unique=True)
    name = _text()
    role = _text()
    unit = _text()
    person = _text(db_index=True)
    password = _text()
    stamp = _text()
    totp: Field = models.BinaryField(default=b"")
    active: Field = models.BooleanField(default=True)
    must_change: Field = models.BooleanField(default=False)

    class Meta:
        db_table = "account"

    def __str__(self) -> str:
        """Its login name."""
        return str(self.username)


class Attempt(models.Model):
    """登录失败 A failed login: under which name, from where, when (UTC µs)."""

    username = _text(db_index=True)
    client = _text()
    at = _number()

    class Meta:
        db_table = "attempt"


class Draft(models.Model):
    """草稿 A text being written: kind (alert, minutes …), whose, its fields as JSON; not part of any record."""

    kind = _text()
    account = _number()
    stream = _text()
    body: Field = models.TextField(default="{}")
    at = _number()
    state: Field = models.TextField(default="open")

    class Meta:
        db_table = "draft"


class Pin(models.Model):
    """决定口令 The few digits by which a person decides through a link. failures: in a row, the last one at failed_at."""

    person: Field = models.TextField(primary_key=True)
    hash = _text()
    failures = _number()
    failed_at = _number()

    class Meta:
        db_table = "pin"


class Arrival(models.Model):
    """来报 A message or text that came from elsewhere, and what became of it: see ``store.arrivals``."""

    digest: Field = models.TextField(primary_key=True)
    at = _number()
    source = _text()
    name = _text()
    form = _text()
    bound = _flag()
    state = _text()
    code = _text()
    why = _text()
    stream = _text()
    series = _text()
    sender = _text()
    identifier = _text()
    sent = _number()
    kind = _text()
    hazard = _text()
    level = _text()
    title = _text()
    expires = _number()
    valid = _flag()
    signer = _text()
    seen = _text()

    class Meta:
        db_table = "arrival"
        indexes = (models.Index("state", "at", name="arrival_state"), models.Index("at", name="arrival_at"))
