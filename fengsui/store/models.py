"""表 Tables, for migrations and for pages that edit by form; everything hot is SQL in ``outbox`` and ``ledger``.

All times are UTC microseconds (0 = never). Flags are 0 or 1, so that one SQL text serves both databases.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q


def _text(**options: Any) -> models.TextField:
    return models.TextField(default="", **options)


def _number(default: int = 0) -> models.BigIntegerField:
    return models.BigIntegerField(default=default)


def _flag(default: int = 0) -> models.SmallIntegerField:
    return models.SmallIntegerField(default=default)


class Ledger(models.Model):
    """台账 Facts in their order; refuses change by trigger. pack, directory, release: of the decision, on its input only."""

    seq = models.BigIntegerField(primary_key=True)
    id = models.TextField(unique=True)
    series = _text()
    stream = _text()
    kind = _text()
    at = _number()
    cause = _text()
    schema = models.SmallIntegerField(default=1)
    body = _text()
    pack = _text()
    directory = _text()
    release = _text()
    prev = _text()
    hash = _text()

    class Meta:
        db_table = "ledger"
        indexes = (
            models.Index("stream", "seq", name="ledger_stream"),
            models.Index("kind", "seq", name="ledger_kind"),
        )


class Chain(models.Model):
    """链头 One row: the last seq and hash, signed with a key of ``keys/``. epoch rises with every restore."""

    id = models.SmallIntegerField(primary_key=True)
    seq = _number()
    hash = _text()
    epoch = _number()
    signature = _text()
    key = _text()

    class Meta:
        db_table = "chain"


class Person(models.Model):
    """人员 A responsible person; the name is encrypted."""

    id = models.TextField(primary_key=True)
    unit = _text()
    name = models.BinaryField(default=b"")

    class Meta:
        db_table = "person"


class Address(models.Model):
    """地址 One way to reach a person: encrypted, found by keyed hash. rank: preference within the channel."""

    person = _text(db_index=True)
    channel = _text()
    cipher = models.BinaryField()
    lookup = models.BinaryField()
    rank = _number()
    verified_at = _number()
    state = models.TextField(default="ok")

    class Meta:
        db_table = "address"
        indexes = (models.Index("lookup", name="address_lookup"),)
        constraints = (models.CheckConstraint(condition=Q(state__in=("ok", "dead")), name="address_state"),)


class Post(models.Model):
    """岗位 Who holds a post of a unit, and who stands in."""

    id = models.TextField(primary_key=True)
    unit = _text()
    role = _text()
    area = _text()
    holder = _text()
    deputy = _text()

    class Meta:
        db_table = "post"


class Member(models.Model):
    """名单成员 A member of an informed list: an area and an address, no name."""

    list = _text()
    area = _text()
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
    kind = _text()
    accepts = models.TextField(default='["actual"]')
    settings = models.TextField(default="{}")
    position = _number()
    active = models.BooleanField(default=True)
    changed = _number()

    class Meta:
        db_table = "way"


class Paper(models.Model):
    """文书 Bytes by their sha-256; body is NULL once erased, digest and size stay."""

    digest = models.TextField(primary_key=True)
    kind = _text()
    at = _number()
    size = _number()
    body = models.BinaryField(null=True)
    erased_at = _number()

    class Meta:
        db_table = "paper"


class Signature(models.Model):
    """签发 Who wrote and who signed a paper; one person alone only in a retraction or an emergency, with a reason."""

    paper = models.TextField()
    author_person = models.TextField()
    signer_person = models.TextField()
    mode = models.TextField()
    reason = models.TextField()
    at = _number()

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


class Notice(models.Model):
    """通知 One row for each Notified fact. rank: 0 red … 3 blue. part, cursor: how far the lists are fanned out.

    plan: JSON list of [list, channel, lane], one after the other. stopped: cancelled, nothing more goes out.
    """

    ledger = models.TextField(unique=True)
    stream = _text(db_index=True)
    key = _text()
    template = _text()
    series = _text()
    level = _text()
    rank = _number(3)
    version = _number()
    expires = _number()
    at = _number()
    suffix = _text(db_index=True)
    zones = models.TextField(default="[]")
    plan = models.TextField(default="[]")
    text = _number()
    part = _number()
    cursor = _number()
    done = _flag()
    stopped = _flag()
    drained = _flag()

    class Meta:
        db_table = "notice"
        indexes = (
            models.Index("id", condition=Q(done=0), name="notice_open"),
            models.Index("id", condition=Q(stopped=1, drained=0), name="notice_draining"),
        )


class NoticeChannel(models.Model):
    """通知进度 Counts of a notice on a channel. open = planned and not yet handed over or given up."""

    notice = models.BigIntegerField()
    channel = models.TextField()
    planned = _number()
    open = _number()
    handed = _number()
    delivered = _number()
    failed = _number()
    refused = _number()
    unknown = _number()
    expired = _number()
    withdrawn = _number()
    tallied = _flag()

    class Meta:
        db_table = "notice_channel"
        constraints = (models.UniqueConstraint("notice", "channel", name="notice_channel_once"),)
        indexes = (models.Index("notice", condition=Q(open=0, tallied=0), name="notice_channel_over"),)


class Text(models.Model):
    """文本 A rendered text, once; parts: JSON list of what it is split into as short messages."""

    digest = models.TextField(unique=True)
    body = _text()
    parts = models.TextField(default="[]")

    class Meta:
        db_table = "text"


class Spoken(models.Model):
    """口播字幕 The words of a form of insertion as they stood after a version: ledger = id of its fact."""

    ledger = models.TextField()
    form = models.TextField()
    text = models.BigIntegerField()

    class Meta:
        db_table = "spoken"
        constraints = (models.UniqueConstraint("ledger", "form", name="spoken_once"),)


class Delivery(models.Model):
    """投递 One row for each notice, recipient and channel: record and outbox at once.

    recipient: person id, or "m" + keyed hash of a list member's address (the same number is told once).
    address: id of the address, or of the member where responsible = 0. state: ``states``. rank: 2 × notice's rank,
    + 1 for the informed. lease: token of who is sending it, 0 = nobody. run_at: when it is due, or its lease ends.
    accepted, delivered: masks of parts. doubtful: how often it may have gone out unknown to
    us: a further one may be a duplicate.
    """

    notice = models.BigIntegerField()
    recipient = models.TextField()
    channel = models.TextField()
    lane = models.TextField()
    responsible = _flag()
    address = _number()
    text = _number()
    parts = models.SmallIntegerField(default=1)
    accepted = _number()
    delivered = _number()
    state = _flag()
    rank = models.SmallIntegerField(default=7)
    run_at = _number()
    lease = _number()
    attempts = models.SmallIntegerField(default=0)
    doubtful = models.SmallIntegerField(default=0)
    code = _text()

    class Meta:
        db_table = "delivery"
        constraints = (models.UniqueConstraint("notice", "recipient", "channel", name="delivery_once"),)
        indexes = (
            models.Index(
                "lane", "rank", "run_at", "notice", condition=Q(state=0, lease=0), name="delivery_queue"
            ),
            models.Index("run_at", condition=Q(state=0) & ~Q(lease=0), name="delivery_leased"),
            models.Index("notice", "id", condition=Q(state=0, lease=0), name="delivery_unsent"),
            models.Index("recipient", "id", condition=Q(responsible=1), name="delivery_person"),
        )


class Part(models.Model):
    """分段 A part that a peer accepted, under the peer's own id."""

    delivery = models.BigIntegerField()
    idx = models.SmallIntegerField()
    gateway = models.TextField()
    provider_id = models.TextField()

    class Meta:
        db_table = "part"
        indexes = (models.Index("gateway", "provider_id", name="part_provider"),)


class EarlyReceipt(models.Model):
    """早到回执 A receipt that came before the answer that names its id."""

    gateway = models.TextField()
    provider_id = models.TextField()
    state = models.TextField()
    code = _text()
    dead = _flag()
    at = _number()

    class Meta:
        db_table = "early_receipt"
        indexes = (models.Index("gateway", "provider_id", name="early_receipt_provider"),)


class Inbox(models.Model):
    """上行 What phones wrote to us; number and words encrypted. digest: keyed, to know a repetition."""

    id = models.TextField(primary_key=True)
    gateway = _text()
    sender = models.BinaryField()
    cipher = models.BinaryField()
    suffix = _text()
    text = models.BinaryField()
    at = _number()
    state = models.TextField(default="new")
    digest = models.BinaryField()

    class Meta:
        db_table = "inbox"
        indexes = (
            models.Index("digest", "at", name="inbox_digest"),
            models.Index("at", condition=Q(state="new"), name="inbox_new"),
        )


class Board(models.Model):
    """看板 What screens show and filter by: ``core.board.rows`` of every stream. Disposable."""

    id = models.TextField(primary_key=True)
    stream = _text(db_index=True)
    clause = _text()
    duty = _text()
    holder = _text()
    unit = _text(db_index=True)
    opened = _number()
    deadline = _number()
    run_at = models.BigIntegerField(null=True)
    status = _text()
    desk = _flag()
    version = _number()
    haste = _text()
    ended = models.BigIntegerField(null=True)
    evidence = _text()

    class Meta:
        db_table = "board"
        indexes = (models.Index("run_at", condition=Q(run_at__isnull=False), name="board_due"),)


class Signal(models.Model):
    """发布登记 Every version of every warning with its number and its second: see ``store.signals``. Disposable."""

    seq = models.BigIntegerField(primary_key=True)
    stream = _text()
    version = _number()
    series = _text()
    year = _number()
    number = _number()
    second = models.BigIntegerField(unique=True)
    at = _number()
    hazard = _text()
    level = _text()
    action = _text()
    mode = _text()
    zones = _text()
    expires = _number()
    author = _text()
    signer = _text()
    paper = _text()

    class Meta:
        db_table = "signal"
        constraints = (
            models.UniqueConstraint("stream", "version", name="signal_version"),
            models.UniqueConstraint("series", "year", "number", name="signal_number"),
        )


class Cap(models.Model):
    """对外报文 Each version of a warning as it left for other systems, or why it did not: see ``store.caps``."""

    identifier = models.TextField(primary_key=True)
    stream = _text()
    version = _number()
    series = _text()
    second = _number()
    expires = _number()
    digest = _text()
    fault = _text()

    class Meta:
        db_table = "cap"
        constraints = (models.UniqueConstraint("stream", "version", name="cap_version"),)
        indexes = (models.Index("series", "second", name="cap_series"),)


class Hold(models.Model):
    """停发 Lanes that send nothing until a person releases them, also after a restart; "*" = every lane."""

    lane = models.TextField(primary_key=True)
    since = _number()
    reason = _text()

    class Meta:
        db_table = "hold"


class Token(models.Model):
    """链接 An opaque link token, by its hash."""

    hash = models.TextField(primary_key=True)
    person = _text()
    stream = _text()
    version = _number()
    used_at = _number()

    class Meta:
        db_table = "token"


class Answer(models.Model):
    """答复 The first answer to an input, for whoever asks again."""

    id = models.TextField(primary_key=True)
    answer = _text()

    class Meta:
        db_table = "answer"


class Parked(models.Model):
    """搁置 An input whose decision failed: nothing of it happened; somebody must look."""

    id = models.TextField(primary_key=True)
    input = _text()
    error = _text()
    at = _number()

    class Meta:
        db_table = "parked"


from fengsui.store.accounts import Account, Arrival, Attempt, Draft, Pin  # noqa: E402, F401 - Django looks for tables here
