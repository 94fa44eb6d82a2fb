"""投递的表 Tables of what is told: notices, their texts, a row per person and channel, receipts, and what phones wrote back.

Everything hot here is SQL in ``outbox``, ``leases`` and ``receipts``. Times and flags are as in ``models``.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from fengsui.store import columns


class Notice(models.Model):
    """通知 One row for each Notified fact. rank: 0 red … 3 blue. part, cursor: how far the lists are fanned out.

    plan: JSON list of ``lanes.Step``, one after the other. stopped: nothing goes out; done as well: it was lifted, for good
    (drained: every row is withdrawn); not done: it was narrowed to what is left of its plan, until the rows of whom it no
    longer tells are withdrawn, cursor: up to which of them.
    """

    ledger = models.TextField(unique=True)
    stream = columns.text(db_index=True)
    key = columns.text()
    template = columns.text()
    series = columns.text()
    level = columns.text()
    rank = columns.number(3)
    version = columns.number()
    expires = columns.number()
    at = columns.number()
    suffix = columns.text(db_index=True)
    zones = models.TextField(default="[]")
    plan = models.TextField(default="[]")
    text = columns.number()
    part = columns.number()
    cursor = columns.number()
    done = columns.flag()
    stopped = columns.flag()
    drained = columns.flag()

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
    planned = columns.number()
    open = columns.number()
    handed = columns.number()
    delivered = columns.number()
    failed = columns.number()
    refused = columns.number()
    unknown = columns.number()
    expired = columns.number()
    withdrawn = columns.number()
    tallied = columns.flag()

    class Meta:
        db_table = "notice_channel"
        constraints = (models.UniqueConstraint("notice", "channel", name="notice_channel_once"),)
        indexes = (models.Index("notice", condition=Q(open=0, tallied=0), name="notice_channel_over"),)


class Text(models.Model):
    """文本 A rendered text, once; parts: JSON list of what it is split into as short messages."""

    digest = models.TextField(unique=True)
    body = columns.text()
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
    Rank 8 and more: stopped while somebody held it, not leased again. accepted, delivered: masks of parts. doubtful: how often it may have gone out unknown to
    us: a further one may be a duplicate.
    """

    notice = models.BigIntegerField()
    recipient = models.TextField()
    channel = models.TextField()
    lane = models.TextField()
    responsible = columns.flag()
    address = columns.number()
    text = columns.number()
    parts = models.SmallIntegerField(default=1)
    accepted = columns.number()
    delivered = columns.number()
    state = columns.flag()
    rank = models.SmallIntegerField(default=7)
    run_at = columns.number()
    lease = columns.number()
    attempts = models.SmallIntegerField(default=0)
    doubtful = models.SmallIntegerField(default=0)
    code = columns.text()

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
    code = columns.text()
    dead = columns.flag()
    at = columns.number()

    class Meta:
        db_table = "early_receipt"
        indexes = (models.Index("gateway", "provider_id", name="early_receipt_provider"),)


class Inbox(models.Model):
    """上行 What phones wrote to us; number and words encrypted. digest: keyed, to know a repetition."""

    id = models.TextField(primary_key=True)
    gateway = columns.text()
    sender = models.BinaryField()
    cipher = models.BinaryField()
    suffix = columns.text()
    text = models.BinaryField()
    at = columns.number()
    state = models.TextField(default="new")
    digest = models.BinaryField()

    class Meta:
        db_table = "inbox"
        indexes = (
            models.Index("digest", "at", name="inbox_digest"),
            models.Index("at", condition=Q(state="new"), name="inbox_new"),
        )
