"""表 Tables, for migrations and for pages that edit by form; everything hot is SQL in ``outbox`` and ``ledger``.

All times are UTC microseconds (0 = never). Flags are 0 or 1, so that one SQL text serves both databases.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from fengsui.store import columns


class Ledger(models.Model):
    """台账 Facts in their order; refuses change by trigger. pack, directory, release: of the decision, on its input only."""

    seq = models.BigIntegerField(primary_key=True)
    id = models.TextField(unique=True)
    series = columns.text()
    stream = columns.text()
    kind = columns.text()
    at = columns.number()
    cause = columns.text()
    schema = models.SmallIntegerField(default=1)
    body = columns.text()
    pack = columns.text()
    directory = columns.text()
    release = columns.text()
    prev = columns.text()
    hash = columns.text()

    class Meta:
        db_table = "ledger"
        indexes = (
            models.Index("stream", "seq", name="ledger_stream"),
            models.Index("kind", "seq", name="ledger_kind"),
        )


class Chain(models.Model):
    """链头 One row: the last seq and hash, signed with a key of ``keys/``. epoch rises with every restore."""

    id = models.SmallIntegerField(primary_key=True)
    seq = columns.number()
    hash = columns.text()
    epoch = columns.number()
    signature = columns.text()
    key = columns.text()

    class Meta:
        db_table = "chain"


class Person(models.Model):
    """人员 A responsible person; the name is encrypted."""

    id = models.TextField(primary_key=True)
    unit = columns.text()
    name = models.BinaryField(default=b"")

    class Meta:
        db_table = "person"


class Address(models.Model):
    """地址 One way to reach a person: encrypted, found by keyed hash. rank: preference within the channel."""

    person = columns.text(db_index=True)
    channel = columns.text()
    cipher = models.BinaryField()
    lookup = models.BinaryField()
    rank = columns.number()
    verified_at = columns.number()
    state = models.TextField(default="ok")

    class Meta:
        db_table = "address"
        indexes = (models.Index("lookup", name="address_lookup"),)
        constraints = (models.CheckConstraint(condition=Q(state__in=("ok", "dead")), name="address_state"),)


class Post(models.Model):
    """岗位 Who holds a post of a unit, and who stands in."""

    id = models.TextField(primary_key=True)
    unit = columns.text()
    role = columns.text()
    area = columns.text()
    holder = columns.text()
    deputy = columns.text()

    class Meta:
        db_table = "post"


class Member(models.Model):
    """名单成员 A member of an informed list: an area and an address, no name."""

    list = columns.text()
    area = columns.text()
    channel = models.TextField(default="sms")
    cipher = models.BinaryField()
    lookup = models.BinaryField()
    state = models.TextField(default="ok")

    class Meta:
        db_table = "member"
        indexes = (
            models.Index("list", "channel", "id", name="member_list"),
            models.Index("lookup", name="member_lookup"),
        )
        constraints = (models.UniqueConstraint("list", "channel", "lookup", name="member_once"),)


class Standing(models.Model):
    """授权 What a unit stops by itself on a red warning (JSON list)."""

    unit = models.TextField(primary_key=True)
    stops = models.TextField(default="[]")

    class Meta:
        db_table = "standing"


class Way(models.Model):
    """出口 A gateway configured by form: accepts and settings are JSON, secrets stand in ``keys/``. See ``ways``."""

    name = models.TextField(primary_key=True)
    kind = columns.text()
    accepts = models.TextField(default='["actual"]')
    settings = models.TextField(default="{}")
    position = columns.number()
    active = models.BooleanField(default=True)
    changed = columns.number()

    class Meta:
        db_table = "way"


class Paper(models.Model):
    """文书 Bytes by their sha-256; body is NULL once erased, digest and size stay."""

    digest = models.TextField(primary_key=True)
    kind = columns.text()
    at = columns.number()
    size = columns.number()
    body = models.BinaryField(null=True)
    erased_at = columns.number()

    class Meta:
        db_table = "paper"


class Signature(models.Model):
    """签发 Who wrote and who signed a paper; one person alone only in a retraction or an emergency, with a reason."""

    paper = models.TextField()
    author_person = models.TextField()
    signer_person = models.TextField()
    mode = models.TextField()
    reason = models.TextField()
    at = columns.number()

    class Meta:
        db_table = "signature"
        constraints = (
            models.UniqueConstraint("paper", "signer_person", name="signature_once"),
            models.CheckConstraint(
                condition=~Q(signer_person=models.F("author_person"))
                | (Q(mode__in=("retraction", "emergency")) & ~Q(reason="")),
                name="signature_two_persons",
            ),
        )


class Board(models.Model):
    """看板 What screens show and filter by: ``core.board.rows`` of every stream. Disposable."""

    id = models.TextField(primary_key=True)
    stream = columns.text(db_index=True)
    clause = columns.text()
    duty = columns.text()
    holder = columns.text()
    unit = columns.text(db_index=True)
    opened = columns.number()
    deadline = columns.number()
    run_at = models.BigIntegerField(null=True)
    status = columns.text()
    desk = columns.flag()
    version = columns.number()
    haste = columns.text()
    ended = models.BigIntegerField(null=True)
    evidence = columns.text()

    class Meta:
        db_table = "board"
        indexes = (models.Index("run_at", condition=Q(run_at__isnull=False), name="board_due"),)


class Signal(models.Model):
    """发布登记 Every version of every warning with its number and its second: see ``store.signals``. Disposable."""

    seq = models.BigIntegerField(primary_key=True)
    stream = columns.text()
    version = columns.number()
    series = columns.text()
    year = columns.number()
    number = columns.number()
    second = models.BigIntegerField(unique=True)
    at = columns.number()
    hazard = columns.text()
    level = columns.text()
    action = columns.text()
    mode = columns.text()
    zones = columns.text()
    expires = columns.number()
    author = columns.text()
    signer = columns.text()
    paper = columns.text()

    class Meta:
        db_table = "signal"
        constraints = (
            models.UniqueConstraint("stream", "version", name="signal_version"),
            models.UniqueConstraint("series", "year", "number", name="signal_number"),
        )


class Cap(models.Model):
    """对外报文 Each version of a warning as it left for other systems, or why it did not: see ``store.caps``."""

    identifier = models.TextField(primary_key=True)
    stream = columns.text()
    version = columns.number()
    series = columns.text()
    second = columns.number()
    expires = columns.number()
    digest = columns.text()
    fault = columns.text()

    class Meta:
        db_table = "cap"
        constraints = (models.UniqueConstraint("stream", "version", name="cap_version"),)
        indexes = (models.Index("series", "second", name="cap_series"),)


class Hold(models.Model):
    """停发 Lanes that send nothing until a person releases them, also after a restart; "*" = every lane."""

    lane = models.TextField(primary_key=True)
    since = columns.number()
    reason = columns.text()

    class Meta:
        db_table = "hold"


class Token(models.Model):
    """链接 An opaque link token, by its hash."""

    hash = models.TextField(primary_key=True)
    person = columns.text()
    stream = columns.text()
    version = columns.number()
    used_at = columns.number()

    class Meta:
        db_table = "token"


class Answer(models.Model):
    """答复 The first answer to an input, for whoever asks again."""

    id = models.TextField(primary_key=True)
    answer = columns.text()

    class Meta:
        db_table = "answer"


class Parked(models.Model):
    """搁置 An input whose decision failed: nothing of it happened; somebody must look."""

    id = models.TextField(primary_key=True)
    input = columns.text()
    error = columns.text()
    at = columns.number()

    class Meta:
        db_table = "parked"


from fengsui.store.accounts import Account, Arrival, Attempt, Draft, Pin  # noqa: E402, F401 - Django looks for tables here
from fengsui.store.deliveries import (  # noqa: E402, F401
    Delivery,
    EarlyReceipt,
    Inbox,
    Notice,
    NoticeChannel,
    Part,
    Spoken,
    Text,
)
