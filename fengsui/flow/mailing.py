"""投递 Mailing: from a Notified fact to deliveries, from what became of them to facts. No rule is taken here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from fengsui.core import suspension, wording
from fengsui.core.facts import Call, Exhausted, Notified, Reach, Reached, Recipient, Tallied
from fengsui.core.series import mark
from fengsui.core.state import World
from fengsui.flow.inputs import Input
from fengsui.formats import sms
from fengsui.store import notice, outbox, tally, tokens
from fengsui.store.lanes import Lane, route
from fengsui.store.outbox import Planned
from fengsui.store.receipts import Moved
from fengsui.store.sql import Session
from fengsui.store.states import GIVEN_UP, State, urgency

SECOND = 1_000_000
LASTS = 24 * 3600 * SECOND
"""µs for which a telling is worth sending that no warning's expiry bounds."""
PARTS = 60
"""Most parts of a text: masks of parts are 63 bits."""
REACHED: dict[int, Reach] = {
    State.HANDED_OVER: "handed_over",
    State.DELIVERED: "delivered",
    State.READ: "read",
}


class Mail(msgspec.Struct, frozen=True):
    """A Notified fact with its texts, rendered before anything is written: a template at fault parks its input only.

    text: of each recipient, in order; public: for the lists ("" where there are none).
    """

    id: str
    fact: Notified
    series: str
    expires: int
    text: tuple[str, ...]
    public: str
    tokens: tuple[tuple[str, str, str, int], ...] = ()


class Link(msgspec.Struct, frozen=True):
    """Makes links: the public address ("" = texts carry none), and the token of a person for a stream."""

    address: str
    token: Callable[[str, str], str]

    def words(self, person: str, stream: str, template: str) -> str:
        """The end of a text that carries a link."""
        return template.format(link=f"{self.address}/a/{self.token(person, stream)}")


def prepare(id: str, fact: Notified, world: World, paper: bytes, link: Link) -> Mail:  # noqa: A002 - the ledger's own word
    """Render a telling; the same words for the same reason. Raises KeyError for a template the pack lacks."""
    state = world.at(fact.stream)
    ends = state.warning.expires if state.warning.holds and fact.version else 0
    reasons: dict[tuple[Call, ...], str] = {}
    for recipient in fact.recipients:
        if recipient.calls not in reasons:
            reasons[recipient.calls] = wording.render(fact, recipient.calls, world, paper)
    asked = [r.person for r in fact.recipients if _links(r, fact.stream, world)] if link.address else []
    ending = {p: link.words(p, fact.stream, world.pack.texts.templates["link"]) for p in asked}
    mail = Mail(
        id,
        fact,
        state.series,
        ends if ends > fact.at else fact.at + LASTS,
        tuple(
            _ended(reasons[r.calls], ending.get(r.person, ""), mark(state.series)) for r in fact.recipients
        ),
        wording.public(fact, world, paper) if fact.lists else "",
        tuple((tokens.mark(link.token(p, fact.stream)), p, fact.stream, fact.version) for p in asked),
    )
    for text in {*mail.text, mail.public}:
        if len(sms.split(text)) > PARTS:
            raise sms.TextTooLong(sms.TextTooLong.__doc__)
    return mail


def _ended(text: str, link: str, mark: str) -> str:
    """A text with its link, if it has one; the mark of what is not in earnest stays last, apart from the address."""
    return f"{text.removesuffix(mark)}{link} {mark}" if link and mark else text + link


def _links(recipient: Recipient, stream: str, world: World) -> bool:
    """Whether a link would open anything for this person: what he answers for, or what he has still to lift."""
    state = world.at(stream)
    if state.foreign.part.version:
        return False  # the page behind a link speaks of ours
    if state.alert.holds:
        return bool(recipient.holders)
    return suspension.remains(recipient.person, state, world)


def write(session: Session, mail: Mail, lanes: Sequence[Lane], now: int) -> list[Input]:
    """The notice's row, texts and responsible deliveries; what must be considered at once: persons without a way."""
    fact = mail.fact
    bodies = {text: sms.split(text) for text in (*mail.text, *([mail.public] if mail.public else []))}
    texts = notice.texts(session, bodies) if bodies else {}
    plan = [
        (name, channel, route(lanes, channel, mail.series))
        for channel in fact.channels
        for name in fact.lists
    ]
    id_ = notice.create(
        session,
        mail.id,
        fact,
        series=mail.series,
        expires=mail.expires,
        plan=plan,
        text=texts.get(mail.public, 0),
    )
    channels = dict.fromkeys((*(c for r in fact.recipients for c in r.channels), *(c for _, c, _ in plan)))
    tally.planned(
        session, id_, Counter(dict.fromkeys(channels, 0))
    )  # so that a channel without a row is over too
    addresses = notice.addresses(session, {r.person for r in fact.recipients})
    if mail.tokens:
        tokens.put(session, mail.tokens)
    rows, nowhere = [], []
    for recipient, text in zip(fact.recipients, mail.text, strict=True):
        ways = [(c, a) for c in recipient.channels if (a := addresses.get((recipient.person, c)))]
        for channel, address in ways:
            lane = route(lanes, channel, mail.series)
            parts = len(bodies[text]) if channel == "sms" else 1
            end = (0, "") if lane else (int(State.REFUSED), "no-lane")
            rows.append(Planned(recipient.person, channel, lane, address, texts[text], parts, *end))
        if not any(route(lanes, channel, mail.series) for channel, _ in ways):
            nowhere.append(recipient.person)
    if rows:
        outbox.fan_out_responsible(session, id_, rows, rank=urgency(fact.level), now=now)
    return [
        Input(f"notice/{id_}/{person}/none", Exhausted(fact.stream, now, person, fact.key, "none"))
        for person in nowhere
    ]


# ── back ─────────────────────────────────────────────────────────────────────


def news(session: Session, moved: Sequence[Moved], now: int) -> list[Input]:
    """What rows that moved mean for responsible persons: reached so far, or every way has led nowhere."""
    mine = [m for m in moved if m.responsible]
    if not mine:
        return []
    notices = notice.known(session, {m.notice for m in mine})
    found = []
    for move in mine:
        told = notices[move.notice]
        if reach := REACHED.get(move.state):
            fact = Reached(told.stream, now, move.recipient, told.key, move.channel, reach, told.version)
            found.append(Input(f"delivery/{move.id}/{reach}", fact))
    pairs = [(m.notice, m.recipient) for m in mine if m.state in GIVEN_UP]
    for id_, person, dead in outbox.exhausted(session, pairs) if pairs else ():
        told = notices[id_]
        exhausted = Exhausted(told.stream, now, person, told.key, "address" if dead else "refused")
        found.append(Input(f"notice/{id_}/{person}/exhausted", exhausted))
    return found


def tallied(session: Session, over: Sequence[tuple[int, str, dict[str, int]]], now: int) -> list[Input]:
    """Channels of notices of which nothing is left to hand over."""
    notices = notice.known(session, {id_ for id_, _, _ in over})
    return [
        Input(
            f"notice/{id_}/{channel}/tallied",
            Tallied(notices[id_].stream, now, notices[id_].key, channel, counts),
        )
        for id_, channel, counts in over
    ]
