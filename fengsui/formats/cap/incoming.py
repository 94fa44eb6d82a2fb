"""来报 Incoming: a file that somebody sent → its messages, each with two answers: the strict verdict, and what can be read.

The verdict says whether the message is to be believed; the reading, what it says — for the desk, with every liberty named.
What is read of a message with a trusted signature are the bytes that were signed.
"""

from __future__ import annotations

import datetime as dt
import hashlib

import msgspec

from fengsui.core import geocodes
from fengsui.core.cap import Alert
from fengsui.core.cap_forms import EPOCH, written
from fengsui.core.cap_sense import Remark, Sense, sense
from fengsui.core.clauses import Pack
from fengsui.core.geocodes import Located
from fengsui.formats.cap.envelope import Part, parts
from fengsui.formats.cap.salvage import salvage
from fengsui.formats.cap.trust import Trust
from fengsui.formats.cap.verdict import Verdict, verdict

BEIJING = dt.timedelta(hours=8)
MISNAMED = {"Cancle": "Cancel"}
"""Kinds of message as platforms misspell them → as they are meant."""
EMPTY = Alert()


class Incoming(msgspec.Struct, frozen=True):
    """来报 One message of a file. alert: as far as it can be read; nothing in it if there was nothing to read."""

    part: Part
    verdict: Verdict
    alert: Alert
    sense: Sense
    located: Located
    reasons: tuple[Remark, ...]


def incoming(
    content: bytes, pack: Pack, *, today: str, trust: Trust | None = None, at: int | None = None
) -> list[Incoming]:
    """The messages of a file. today: the day (ISO) by which codes are read where a message does not say when it was sent."""
    return [_one(part, pack, today, trust, at) for part in parts(content)]


def _one(part: Part, pack: Pack, today: str, trust: Trust | None, at: int | None) -> Incoming:
    said = verdict(part.content, trust, at)
    alert, remarks = (said.alert, []) if said.alert and said.valid else salvage(part.content)
    if trust is not None and not said.signer:
        remarks.append(Remark("X513", "没有受信的签名，以下内容未经证实。", grave=True))
    alert, more = _corrected(alert or EMPTY)
    about = sense(alert, pack)
    codes = [code for info in alert.infos for area in info.areas for code in area.geocodes]
    located = geocodes.locate(codes, pack, _day(alert) or today)
    places = [Remark("X531", f"区域编码：{text}") for text in located.remarks]
    if alert.infos and not (located.townships or located.ambiguous or places):
        places = [Remark("X532", "没有本区的区域编码，影响范围待人工确认。")]
    return Incoming(part, said, alert, about, located, (*remarks, *more, *about.remarks, *places))


def _corrected(alert: Alert) -> tuple[Alert, list[Remark]]:
    """A message with the kind that is meant, and what is missing that every message has."""
    remarks = [
        Remark("X511", f"缺 {name}。")
        for name in ("identifier", "sender", "sent", "status", "msgType")
        if not getattr(alert, "msg_type" if name == "msgType" else name)
    ]
    if meant := MISNAMED.get(alert.msg_type):
        remarks.append(Remark("X512", f"msgType 写成“{alert.msg_type}”，按 {meant} 读。"))
        alert = msgspec.structs.replace(alert, msg_type=meant)
    return alert, remarks


def _day(alert: Alert) -> str:
    """The day (ISO, Beijing) on which a message was sent, "" if it does not say."""
    if alert.sent is None:
        return ""
    return (EPOCH + dt.timedelta(microseconds=alert.sent.at) + BEIJING).date().isoformat()


# ── replays 重放 ──────────────────────────────────────────────────────────────

Seen = dict[tuple[str, str, str], bytes]
"""Sender, identifier and time of the messages that came before → digest of their bytes."""


def replayed(one: Incoming, seen: Seen) -> str:
    """Whether a message came before: "same" byte for byte, "altered" (its key with another content), or "". Notes it."""
    alert = one.alert
    if not (alert.identifier and alert.sender):
        return ""
    key = (alert.sender.strip(), alert.identifier.strip(), written(alert.sent) if alert.sent else "")
    digest = hashlib.sha256(one.part.content).digest()
    if key not in seen:
        seen[key] = digest
        return ""
    return "same" if seen[key] == digest else "altered"
