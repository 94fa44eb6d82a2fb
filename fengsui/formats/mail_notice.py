"""来信 What mail systems and people write to us: delivery status notices, replies, and what is neither.

Pure; bounded; raises Unreadable and nothing else. Sources: RFC 3464 (notices), RFC 3834 (automatic answers), RFC 5322.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from email import message_from_bytes
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from typing import Literal

import msgspec

from fengsui.formats import mail_answers

State = Literal["delivered", "failed", "pending"]

ACTIONS: dict[str, State] = {
    "delivered": "delivered",
    "failed": "failed",
    "delayed": "pending",
    "relayed": "pending",
    "expanded": "pending",
}
"""A notice's Action → ours. Relayed: on to a system that sends no notices, so nothing more will be heard."""
LONGEST = 200
"""Characters of a reply's first line; longer ones are cut, they go to a person anyhow."""
MARKUP = 16_384
"""Characters of an HTML body that are looked at."""
HEADERS = ("To", "Delivered-To", "X-Original-To", "Cc")
"""Where the address stands to which a letter was sent."""
_IDS = re.compile(r"<([^<>@\s]{1,120})@[^<>\s]{1,255}>")
_DROPPED = re.compile(r"<(style|script|head)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_BREAKS = re.compile(r"<(?:br|/p|/div|/tr|/li)\b[^<>]*>", re.IGNORECASE)
_TAGS = re.compile(r"<[^<>]*>")


class Unreadable(ValueError):  # noqa: N818 - the condition is the name
    """来信不是可以识别的邮件，已另存，不影响其他来信。[G057]"""


class Notice(msgspec.Struct, frozen=True):
    """投递状态通知 What became of a letter. to: addresses the notice was sent to, and the envelope id it names.

    status: as RFC 3463 writes it, "" = none. at: UTC µs as the mail system dates it, 0 = not.
    """

    to: tuple[str, ...]
    state: State
    status: str
    at: int


class Letter(msgspec.Struct, frozen=True):
    """A person's letter. answers: local parts of the Message-IDs it answers; text: the first line that is his own."""

    sender: str
    to: tuple[str, ...]
    answers: tuple[str, ...]
    text: str


class Automatic(msgspec.Struct, frozen=True):
    """An absence note or the like: nobody wrote it, it says nothing."""

    to: tuple[str, ...]


def read(data: bytes) -> Notice | Letter | Automatic:
    """What a mail is. Raises Unreadable for a notice without its parts, a letter of nobody or of several, or no mail."""
    try:
        message = message_from_bytes(data)
        to = tuple(address for header in HEADERS for address in _addresses(message, header))
        if message.get_content_type() == "multipart/report":
            return _notice(message, to)
        if _automatic(message):
            return Automatic(to)
        return _letter(message, to)
    except (
        RecursionError,
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
    ):  # all that the parser trips over
        raise Unreadable(Unreadable.__doc__) from None


def _notice(message: Message, to: tuple[str, ...]) -> Notice:
    """The notice's machine-readable part. Of several recipients (an alias) one that got it counts."""
    blocks = next((b for part in message.walk() if (b := _blocks(part))), None)
    if not blocks:
        raise Unreadable(Unreadable.__doc__)
    told = [(state, block) for block in blocks if (state := ACTIONS.get(_text(block, "Action").lower()))]
    if not told:
        raise Unreadable(Unreadable.__doc__)
    order: tuple[State, ...] = ("delivered", "failed", "pending")
    state, block = min(told, key=lambda one: order.index(one[0]))
    envelope = next((found for b in blocks if (found := _text(b, "Original-Envelope-Id"))), "")
    when = _text(block, "Last-Attempt-Date") or _text(message, "Date")
    return Notice(
        (*to, envelope) if envelope else to,
        state,
        mail_answers.enhanced(_text(block, "Status").partition("(")[0]),
        _moment(when),
    )


def _blocks(part: Message) -> list[Message]:
    """The groups of fields of a message/delivery-status part, [] for any other."""
    content = part.get_payload()
    if part.get_content_type() != "message/delivery-status" or not isinstance(content, list):
        return []
    return [block for block in content if isinstance(block, Message)]


def _automatic(message: Message) -> bool:
    said = _text(message, "Auto-Submitted").lower()
    return (
        (bool(said) and not said.startswith("no"))
        or _text(message, "Precedence").lower() in {"bulk", "junk", "list", "auto_reply"}
        or any(name in message for name in ("X-Autoreply", "X-Autorespond", "List-Id"))
    )


def _letter(message: Message, to: tuple[str, ...]) -> Letter:
    senders = _addresses(message, "From")
    if (
        len(senders) != 1 or _text(message, "Return-Path") == "<>"
    ):  # a notice of an older kind is nobody's letter
        raise Unreadable(Unreadable.__doc__)
    named = _text(message, "In-Reply-To") + " " + _text(message, "References")[-4_000:]
    return Letter(senders[0], to, tuple(dict.fromkeys(_IDS.findall(named))), _first_line(message))


def _first_line(message: Message) -> str:
    """The first line with words that quotes nothing, of the plain text if there is one, else of the HTML."""
    for kind in ("text/plain", "text/html"):
        for part in message.walk():
            if part.get_content_type() == kind and not part.get_filename():
                text = _words(part)
                lines = _plain(text) if kind == "text/html" else text.splitlines()
                for line in lines:
                    if (bare := line.replace("\xa0", " ").strip()) and not bare.startswith(">"):
                        return bare[:LONGEST]
    return ""


def _plain(markup: str) -> list[str]:
    """An HTML body's lines of text."""
    text = _BREAKS.sub("\n", _DROPPED.sub(" ", markup[:MARKUP]))
    return html.unescape(_TAGS.sub("", text)).splitlines()


def _words(part: Message) -> str:
    """A part's text; GB2312 and GBK are read as GB 18030, which contains them. What cannot be read becomes U+FFFD."""
    data = part.get_payload(decode=True)
    charset = str(part.get_content_charset() or "utf-8")
    return _decoded(data, charset) if isinstance(data, bytes) else ""


def _decoded(data: bytes, charset: str) -> str:
    charset = "gb18030" if charset.lower() in {"gb2312", "gbk", "x-gbk", "cp936"} else charset
    try:
        return data.decode(charset, "replace")
    except (LookupError, ValueError):  # no such charset
        return data.decode("utf-8", "replace")


def _text(message: Message, name: str) -> str:
    """A header as text, its encoded words left as they are."""
    return str(message.get(name, "")).strip()


def _addresses(message: Message, name: str) -> list[str]:
    """The addresses of a header, without the names beside them."""
    values = [str(value) for value in message.get_all(name, [])]
    return [address for _, address in getaddresses(values) if "@" in address]


def _moment(text: str) -> int:
    """A date as mail writes it, in UTC µs; 0 if it is none."""
    try:
        moment = parsedate_to_datetime(text)
        return int(moment.replace(tzinfo=moment.tzinfo or dt.UTC).timestamp()) * 1_000_000
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0
