"""账号 Accounts: who may log in, with sessions, failed attempts, drafts and arrivals — in a database file of their own.

Editing these never waits for the writer. An account names a person of the directory by id; his number stays there.
"""

from __future__ import annotations

from django.db import models

from fengsui.store import columns
from fengsui.store.columns import Field


def _flag() -> Field:
    return models.SmallIntegerField(default=0)


class Account(models.Model):
    """账号 One login: role, unit and person it acts for. password: argon2; totp, pin: encrypted or hashed, "" = none.

    stamp: changes when the password does, so that every session of the account ends.
    """

    username: Field = models.TextField(unique=True)
    name = columns.text()
    role = columns.text()
    unit = columns.text()
    person = columns.text(db_index=True)
    password = columns.text()
    stamp = columns.text()
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

    username = columns.text(db_index=True)
    client = columns.text()
    at = columns.number()

    class Meta:
        db_table = "attempt"


class Draft(models.Model):
    """草稿 A text being written: kind (alert, minutes …), whose, its fields as JSON; not part of any record."""

    kind = columns.text()
    account = columns.number()
    stream = columns.text()
    body: Field = models.TextField(default="{}")
    at = columns.number()
    state: Field = models.TextField(default="open")

    class Meta:
        db_table = "draft"


class Pin(models.Model):
    """决定口令 The few digits by which a person decides through a link. failures: in a row, the last one at failed_at."""

    person: Field = models.TextField(primary_key=True)
    hash = columns.text()
    failures = columns.number()
    failed_at = columns.number()

    class Meta:
        db_table = "pin"


class Arrival(models.Model):
    """来报 A message or text that came from elsewhere, and what became of it: see ``store.arrivals``."""

    digest: Field = models.TextField(primary_key=True)
    at = columns.number()
    source = columns.text()
    name = columns.text()
    form = columns.text()
    bound = columns.flag()
    state = columns.text()
    code = columns.text()
    why = columns.text()
    stream = columns.text()
    series = columns.text()
    sender = columns.text()
    identifier = columns.text()
    sent = columns.number()
    kind = columns.text()
    hazard = columns.text()
    level = columns.text()
    title = columns.text()
    expires = columns.number()
    valid = columns.flag()
    signer = columns.text()
    seen = columns.text()

    class Meta:
        db_table = "arrival"
        indexes = (models.Index("state", "at", name="arrival_state"), models.Index("at", name="arrival_at"))
