"""邮件答复 What a mail server's answers and status codes mean. Pure.

Only what says that this mailbox does not exist may bury an address; what is about us, our relay or our text never may.
Sources: RFC 5321 §4.2 (reply codes), RFC 3463 (enhanced codes), RFC 7505 (5.1.10), RFC 2852 is not used.
"""

from __future__ import annotations

import re
from typing import Literal

Stage = Literal["mail", "rcpt", "data"]
"""At which command an answer was given; data: also after the text."""
Meaning = Literal["later", "slower", "address", "account", "content"]
"""Try later; we are too fast; this mailbox does not exist; our account or relay is set up wrongly; this letter not."""

GONE = frozenset({"5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.4", "5.1.6", "5.1.10", "5.2.1"})
"""The recipient's mailbox or system does not exist. Not 5.1.7 and 5.1.8: those are about the sender's."""
OURS = frozenset({500, 502, 503, 504, 530, 534, 535, 538, 555})
"""Commands or parameters not known, login required or refused: no letter of ours will pass."""
_ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?=\s|$)")
_ADDRESSES = re.compile(r"<[^>]*>")
_FAST = re.compile(
    r"\btoo (?:many|much|fast|frequent)|\brate\b|\bfrequen|\blimit|\bquota|\bRP:", re.IGNORECASE
)
"""We are too fast, or there is no room: what a server says of today, whatever its code (``RP:TRC`` is 163's and 126's)."""
_NOBODY = re.compile(
    r"\b(?:no such|unknown|invalid|non-?existent) (?:user|recipient|mailbox|address|person|local part)\b"
    r"|\b(?:user|recipient|mailbox|address|addressee)(?: is| was| name)? "
    r"(?:unknown|not found|invalid|(?:do(?:es)? not|doesn'?t) exist|not exists?)\b"
    r"|用户不存在|收件人不存在|邮箱不存在|地址不存在|无此用户",
    re.IGNORECASE,
)
"""In plain words that this mailbox does not exist."""
_ACCOUNT = re.compile(r"\brelay|\bauth|\bsender\b|\blog ?in\b|\bclient host\b", re.IGNORECASE)
_POLICY = re.compile(r"\bspam|\bpolicy|\bblock|\bblack|\bdenied|\breputation|\bprohibit", re.IGNORECASE)


def enhanced(text: str) -> str:
    """The enhanced status code at the beginning of an answer's text, "" if it has none.

    >>> enhanced("5.1.1 <a@example.invalid>: unknown"), enhanced("OK")
    ('5.1.1', '')
    """
    found = _ENHANCED.match(text)
    return found[1] if found else ""


def shown(code: int, text: str) -> str:
    """An answer as screens and logs may show it: its codes, never its words, which often name the address."""
    return f"{code} {enhanced(text)}".strip()


def meaning(stage: Stage, code: int, text: str) -> Meaning:
    """What a refusal (4xx or 5xx, or anything that is not the answer hoped for) means for one letter.

    >>> meaning("rcpt", 550, "5.1.1 no such user"), meaning("rcpt", 554, "5.7.1 <a@b.invalid>: Relay access denied")
    ('address', 'account')
    >>> meaning("rcpt", 550, "RP:TRC"), meaning("rcpt", 550, "No such user here"), meaning("rcpt", 550, "Rejected")
    ('slower', 'address', 'later')
    """
    words = _ADDRESSES.sub("", text)
    status = enhanced(text)
    if not 500 <= code < 600:
        full = status == "4.2.2"
        return "slower" if code == 421 or (_FAST.search(words) and not full) else "later"
    if code in OURS or status.startswith("5.5.") or status in {"5.1.7", "5.1.8"} or stage == "mail":
        return "account"
    if status in GONE:
        return "address"
    if stage == "data":
        return "content"
    if status and not status.startswith("5.7."):
        return "content"
    if _ACCOUNT.search(words):
        return "account"
    if status or _POLICY.search(words):
        return "content"
    if _FAST.search(words):
        return "slower"
    return "address" if _NOBODY.search(words) else "later"


def gone(status: str) -> bool:
    """Whether a notice's status says that the mailbox does not exist."""
    return status in GONE
