"""账号 Accounts: who may log in, with sessions, failed attempts and drafts — in a database file of their own.

Editing these never waits for the writer. An account names a person of the directory by id; his number stays there.
"""

from __future__ import annotations

from django.db import models

from fengsui.store import columns
from fengsui.store.columns import Field


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
