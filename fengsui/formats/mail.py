"""邮件 What we write: addresses that may be written to, subjects, the letter of a text, ids that only we can make.

Pure. A letter is built once per text; per recipient only three headers are put before it. An id carries a keyed hash,
so that notices and replies that name it can be told from forged ones. Sources: RFC 5322 (form), RFC 5321 §4.5.3.1
(lengths), RFC 3461 §4 (ORCPT and its xtext), RFC 3834 §5 (Auto-Submitted).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@(?P<domain>{_LABEL}(?:\.{_LABEL})*)")
_SENTENCE = re.compile(r"[^。！？\r\n]*[！？]?")
_MARKS = re.compile(r"【(?:模拟|演练)】")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
SUBJECT = 60
"""Characters of a subject: what lists of letters show."""
HASH = 20
"""Hexadecimal digits of a keyed hash: 80 bits."""


def is_address(text: str) -> bool:
    """Whether we write to this address: local part (at most 64) and domain in plain ASCII, no quotes, no blanks.

    >>> is_address("wang.wu@example.invalid"), is_address("王五@example.invalid"), is_address("a@b, c@d")
    (True, False, False)
    """
    found = _ADDRESS.fullmatch(text)
    return bool(found) and len(text) <= 254 and len(text.partition("@")[0]) <= 64


def mask(address: str) -> str:
    """An address as a log may show it: its first character and its domain.

    >>> mask("wangwu@example.invalid"), mask("王五")
    ('w****@example.invalid', '****')
    """
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}****@{domain}" if at and is_address(address) else "****"


def subject(text: str) -> str:
    """The first sentence of a text, shortened to 60 characters; 【模拟】 and 【演练】 stand in it wherever they stood.

    >>> subject("【云州气象】【演练】区气象台发布暴雨红色预警。请回复1。")
    '【云州气象】【演练】区气象台发布暴雨红色预警'
    """
    found = _SENTENCE.match(text.lstrip())
    first = _UNSEEN.sub(" ", found[0] if found else "").strip()
    if len(first) > SUBJECT:
        first = first[: SUBJECT - 1] + "…"
    missing = dict.fromkeys(mark for mark in _MARKS.findall(text) if mark not in first)
    return "".join(missing) + (first or "气象灾害预警")


def letter(text: str, sender: str, name: str) -> bytes:
    """Everything of a letter that is the same for all its recipients: headers, an empty line, the text in base64.

    sender: our address; name: what stands before it, "" = nothing. A lone surrogate, which nobody can show, becomes
    "?". No line begins with a full stop, so that SMTP needs to add none.
    """
    local, _, domain = sender.rpartition("@")
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(name, local, domain)
    message["Subject"] = subject(text.encode("utf-8", "replace").decode())
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text.encode("utf-8", "replace").decode(), charset="utf-8", cte="base64")
    return bytes(message)


def addressed(letter: bytes, to: str, message_id: str, date: str) -> bytes:
    """The letter for one recipient, as it goes onto the wire. to: see ``is_address``; date: as RFC 5322 writes it."""
    return f"To: {to}\r\nMessage-ID: <{message_id}>\r\nDate: {date}\r\n".encode("ascii") + letter


def xtext(text: str) -> str:
    """An address inside ORCPT: everything but visible ASCII, and "+" and "=", in hexadecimal.

    >>> xtext("a+b=c@example.invalid")
    'a+2Bb+3Dc@example.invalid'
    """
    return "".join(c if "!" <= c <= "~" and c not in "+=" else f"+{ord(c):02X}" for c in text)


# ── ids that only we can make ────────────────────────────────────────────────


class Seal:
    """Makes and knows the ids of one gateway. secret: at least 16 bytes; name: another gateway's ids are not ours."""

    def __init__(self, secret: bytes, name: str) -> None:
        self._key = hmac.new(secret, f"fengsui mail {name}".encode(), hashlib.sha256).digest()

    def bounce(self, id: int) -> str:  # noqa: A002 - the contract's own word
        """A delivery as envelope sender and ENVID name it: ``<id>-<hash>``."""
        return f"{id}-{self._hash('bounce', str(id))}"

    def bounced(self, token: str) -> int | None:
        """The delivery that a notice names, None if we never wrote this id."""
        number, _, given = token.lower().partition("-")
        return int(number) if self._fits(number, given, "bounce", number) else None

    def letter(self, id: int, suffix: str, to: str) -> str:  # noqa: A002
        """A letter's Message-ID without its domain: delivery, suffix that names what it says, hash with the address.

        The same delivery sent twice has the same id: it is the same letter, and mail programs show it once.
        """
        return f"{id}.{suffix or '0'}.{self._hash('letter', str(id), suffix, to.lower())}"

    def answered(self, message_id: str, sender: str) -> str | None:
        """The suffix of the letter to ``sender`` that has this id; None if he never got one with it."""
        number, _, rest = message_id.partition(".")
        suffix, _, given = rest.partition(".")
        suffix = "" if suffix == "0" else suffix
        return suffix if self._fits(number, given, "letter", number, suffix, sender.lower()) else None

    def _fits(self, number: str, given: str, *words: str) -> bool:
        return (
            number.isascii()
            and number.isdigit()
            and len(number) <= 19
            and hmac.compare_digest(given.encode(errors="replace"), self._hash(*words).encode())
        )

    def _hash(self, *words: str) -> str:
        return hmac.new(self._key, "\n".join(words).encode(errors="replace"), hashlib.sha256).hexdigest()[
            :HASH
        ]
