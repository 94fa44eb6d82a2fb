"""回复 Replies: what a person means who answers a short message — 1 收到, 2 已再传播, 3 需支援, 0 不归我.

What is unclear is nobody's answer: it goes to a person at the desk.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Literal, NamedTuple

from fengsui.core.facts import Exhausted, Fact, Reached, Reported
from fengsui.core.state import DISTRICT, Contact, State, World

Answer = Literal["received", "relayed", "support", "disowned", "unclear"]

DIGITS: dict[str, Answer] = {"1": "received", "2": "relayed", "3": "support", "0": "disowned"}
WORDS: dict[str, Answer] = {
    "收到": "received", "已收到": "received", "好的": "received", "知道了": "received", "确认": "received",
    "签收": "received", "明白": "received", "收到谢谢": "received", "好的收到": "received", "收到了": "received",
    "已传播": "relayed", "已再传播": "relayed", "已转发": "relayed", "已通知": "relayed", "已通知到村": "relayed",
    "已传达": "relayed", "传达了": "relayed", "收到已转发": "relayed", "收到已传达": "relayed", "收到已通知": "relayed",
    "需支援": "support", "需要支援": "support", "请求支援": "support", "求援": "support", "求助": "support",
    "不归我": "disowned", "非本人": "disowned", "打错了": "disowned", "发错了": "disowned", "不是我": "disowned",
    "已调离": "disowned", "已退休": "disowned", "不在岗": "disowned",
}  # fmt: skip
"""The usual words; anything else is unclear. Longer answers are not guessed at: 没收到 must not be read as 收到."""

_ONES = {
    "一": "1",
    "壹": "1",
    "①": "1",
    "二": "2",
    "贰": "2",
    "两": "2",
    "②": "2",
    "三": "3",
    "叁": "3",
    "③": "3",
    "零": "0",
    "〇": "0",
    "o": "0",
}


def read(text: str) -> Answer:
    """The meaning of a reply: full-width digits, punctuation and blanks do not matter.

    >>> read(" １。"), read("收到！"), read("没收到"), read("11")
    ('received', 'received', 'unclear', 'unclear')
    """
    plain = "".join(c for c in unicodedata.normalize("NFKC", text).lower() if c.isalnum() or c in _ONES)
    plain = _ONES.get(plain, plain).removeprefix("回复").removeprefix("回")
    return DIGITS.get(plain) or WORDS.get(plain) or _both(plain)


def _both(plain: str) -> Answer:
    """A digit with its own word, as in ``1收到``: both must mean the same."""
    if plain[:1] in DIGITS and WORDS.get(plain[1:]) == DIGITS[plain[0]]:
        return DIGITS[plain[0]]
    return "unclear"


def meaning(
    answer: Answer,
    person: str,
    world: World,
    *,
    at: int,
    named: tuple[str, int] | None = None,
    channel: str = "sms",
) -> list[Fact]:
    """The inputs that a person's answer stands for, in every open stream where he was told something.

    named: (stream, version) of the message he answered, where his reply says so: an old message never signs for
    the upgrade, and a message of the district, such as a test, never signs for a warning. Empty: he was told
    nothing, or nobody can tell what he means.
    """
    found: list[Fact] = []
    for stream, state in sorted(world.streams.items()):
        contact = state.notices.people.get(person)
        elsewhere = named is not None and named[0] == DISTRICT != stream
        if contact and not state.closed and not elsewhere:
            version = named[1] if named and named[0] == stream else contact.version
            found += _inputs(_Heard(answer, person, version, at, channel), state, world)
    return found


class _Heard(NamedTuple):
    """An answer, whose it is, which version it answers, when and by which channel it came."""

    answer: Answer
    person: str
    version: int
    at: int
    channel: str


def _inputs(heard: _Heard, state: State, world: World) -> Iterator[Fact]:
    answer, person, version, at, channel = heard
    stream = state.stream
    match answer:
        case "received":
            yield Reached(stream, at, person, "", channel, "acknowledged", version)
        case "relayed":
            for unit in _units(person, state.notices.people[person], world):
                yield Reported(stream, at, "relay", unit, person, version)
        case "support":
            yield Reached(stream, at, person, "", channel, "acknowledged", version)
            known = world.directory.persons.get(person)
            if known:
                yield Reported(stream, at, "support", known.unit, person, version)
        case "disowned":
            last = [
                key for key, n in state.notices.sent.items() if any(r.person == person for r in n.recipients)
            ]
            if last:
                yield Exhausted(stream, at, person, last[-1], "disowned")
        case "unclear":
            return


def _units(person: str, contact: Contact, world: World) -> tuple[str, ...]:
    """Units a person may report for: those he was asked for, else his own."""
    asked = dict.fromkeys(h.split("/", 1)[0] for h in contact.holders)
    known = world.directory.persons.get(person)
    return tuple(asked) or ((known.unit,) if known else ())
