"""活计 Tasks: what the writer does inside a round for lanes and ways back — results, receipts, letters, leases."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from fengsui.flow import mailing
from fengsui.flow.inputs import Batch, Letter
from fengsui.flow.round import Round
from fengsui.gateways.contract import Receipt
from fengsui.store import caps, inbox, leases, notice, outbox, people, receipts, subscribed
from fengsui.store.caps import Cap
from fengsui.store.lanes import Lane
from fengsui.store.leases import Verdict


def finish(this: Round, lane: str, verdicts: Sequence[Verdict]) -> int:
    """Write results of leased rows, and the facts they are for responsible persons; how many rows moved."""
    risen = leases.finish(this.session, lane, verdicts, this.now)
    if any(v.dead for v in verdicts):
        this.readdress()
    this.take(mailing.news(this.session, risen.persons, this.now))
    return risen.rows


def published(this: Round, cap: Cap, body: str, level: str) -> int:
    """Keep what became of a version as a message, and give it to every subscriber; how many there are."""
    caps.write(this.session, cap)
    if not cap.digest:
        return 0
    outbox.supersede(this.session, cap.stream, cap.version, this.now)
    made = subscribed.fan_out(this.session, cap, body, level=level, lanes=this.setting.lanes, now=this.now)
    this.deliveries = this.deliveries or made > 0
    return made


def received(this: Round, lane: str, words: Sequence[Receipt]) -> int:
    """Apply receipts, and the facts they are for responsible persons; how many rows moved."""
    risen = receipts.apply(this.session, lane, words, this.now)
    if any(r.dead for r in words):
        this.readdress()
    this.take(mailing.news(this.session, risen.persons, this.now))
    return risen.rows


def letters(this: Round, limit: int) -> list[Letter]:
    """Unread messages, oldest first.

    A sender is looked up on the channel of the lane that heard him; one that is not configured any more was a phone's.
    """
    session, vault = this.session, this.setting.vault
    channels = {lane.name: lane.channel for lane in this.setting.lanes}
    found = []
    for id_, lane, sender, recipient, text in inbox.new(session, vault, limit):
        channel = channels.get(lane, "sms")
        persons = people.find(session, vault, channel, sender)
        told = notice.meant(session, persons[0], recipient[-notice.SUFFIX :]) if persons else None
        found.append(Letter(id_, channel, persons, (told.stream, told.version) if told else None, text))
    return found


def reroute(this: Round, lane: str, other: Lane) -> int:
    """Move what waits in a lane to another, and have that one woken; how many rows."""
    moved = leases.reroute(this.session, lane, other, this.now)
    this.deliveries = this.deliveries or moved > 0
    return moved


def lease(this: Round, lane: Lane, now: int, until: int, limit: int) -> Batch:
    """Lease rows of a lane under a new token; and the facts of rows that no lane takes."""
    token = secrets.randbits(62) | 1
    rows, closed = leases.lease(
        this.session, lane, this.setting.lanes, now=now, until=until, token=token, limit=limit
    )
    this.take(mailing.news(this.session, closed, this.now))
    return Batch(token, rows)
