"""What SMPP messages carry: parts of longer texts, words in several alphabets, delivery receipts, validity periods.

Pure. Malformed content ends in PduError and in nothing else. Times are UTC µs.
Source: SMPP Protocol Specification v3.4, issue 1.2, §5.2.26 (message_state), §7.1.1 (time), appendix B (receipts);
3GPP TS 23.040 §9.2.3.24 (user data header).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import NamedTuple

import msgspec

from fengsui.formats import smpp

MINUTE, HOUR, DAY = 60, 3_600, 86_400
LONGEST = 30 * DAY
"""Longest validity period asked for, seconds."""

STATES = {
    0: "SCHEDULED",
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
    9: "SKIPPED",
}
"""message_state → the word a receipt's text uses for it."""

CODECS = {1: "ascii", 3: "latin-1", 8: "utf-16-be", 15: "gb18030"}
"""data_coding → Python's codec; 15 is what centres that also speak CMPP write for Chinese in GBK (待核实)."""

_USUAL = re.compile(
    r"id:([^\s:]{1,64}) sub:\d* dlvrd:\d* submit date:\d* done date:(\d*) stat:(\w{1,64}) err:(\w{0,64}) text:",
    re.IGNORECASE,
)
"""A receipt as nearly every centre writes it: read by one match, five times as fast as field by field."""
_FIELD = re.compile(r"\b(id|stat|err|done date)\s*:\s*([^\s:]{0,64})", re.IGNORECASE)


class Segment(NamedTuple):
    """Which part of which text: reference 0 … 65,535, total and number from 1."""

    reference: int
    total: int
    number: int


def segment_header(part: Segment) -> bytes:
    """The user data header of one part, 8-bit reference: 05 00 03 reference total number."""
    return bytes((5, 0, 3, part.reference & 0xFF, part.total, part.number))


def segment(message: smpp.Message) -> tuple[Segment | None, bytes]:
    """Which part a message is (None: a whole text), and its words' octets without the header.

    Raises PduError if the header is longer than the message or contradicts itself.
    """
    data = message.content()
    if not message.esm_class & smpp.UDHI:
        return None, data
    if not data or data[0] >= len(data):
        raise smpp.PduError("user data header longer than the message")
    rest, found, at = data[data[0] + 1 :], None, 1
    while at < data[0]:
        kind, size = data[at], data[at + 1]
        value = data[at + 2 : at + 2 + size]
        at += 2 + size
        if at > data[0] + 1:
            raise smpp.PduError("user data header contradicts itself")
        if (kind, size) in {(0, 3), (8, 4)}:
            found = Segment(int.from_bytes(value[:-2], "big"), value[-2], value[-1])
    if found is not None and not 1 <= found.number <= found.total:
        raise smpp.PduError(f"part {found.number} of {found.total}")
    return found, rest


def words(data: bytes, data_coding: int) -> str:
    """The octets of a message as text; what cannot be read becomes U+FFFD, zeros go (databases refuse them).
    Unknown codings are read as Latin-1.
    """
    return data.decode(CODECS.get(data_coding, "latin-1"), "replace").replace("\0", "")


class Report(msgspec.Struct, frozen=True, gc=False):
    """A delivery receipt as the centre wrote it.

    id: its message id, as written. stat: its state in a receipt's words (DELIVRD …). err: its error, raw, or "".
    done: UTC µs of the end, or 0 if it does not say. final: False for an intermediate notification.
    """

    id: str
    stat: str
    err: str = ""
    done: int = 0
    final: bool = True


def report(message: smpp.Message, *, zone_hours: float = 8) -> Report | None:
    """The receipt in a deliver_sm, from its optional parameters where it has them, else from its text; None if the
    message is no receipt. zone_hours: the centre's clock, hours east of UTC.

    Raises PduError if it is a receipt that names no message or no state.
    """
    kind = message.esm_class & 0x3C
    number = message.tlv(smpp.RECEIPTED_MESSAGE_ID) if message.tlvs else None
    if kind not in {smpp.RECEIPT, 0x20} and number is None:
        return None
    text = message.content().decode("latin-1").replace("\0", "")
    if not message.tlvs and (usual := _USUAL.match(text)):
        name, done, stat, error = usual.groups()
        return Report(name, stat.upper(), error, moment(done, zone_hours), kind != 0x20)
    found = {name.lower(): value for name, value in reversed(_FIELD.findall(text))}
    state = message.tlv(smpp.MESSAGE_STATE)
    name = number[:65].replace(b"\0", b"").decode("latin-1") if number else found.get("id", "")
    stat = STATES.get(state[0], "UNKNOWN") if state else found.get("stat", "").upper()
    if not name or not stat:
        raise smpp.PduError("receipt without a message id or a state")
    error = found.get("err", "") or _network_error(message.tlv(smpp.NETWORK_ERROR_CODE))
    return Report(name, stat, error, moment(found.get("done date", ""), zone_hours), kind != 0x20)


def _network_error(value: bytes | None) -> str:
    """The error of network_error_code in three digits: one octet of network type, two of the code."""
    return f"{int.from_bytes(value[1:], 'big'):03d}" if value and len(value) == 3 else ""


@lru_cache(maxsize=256)
def moment(digits: str, zone_hours: float = 8) -> int:
    """YYMMDDhhmm or YYMMDDhhmmss of the centre's clock as UTC µs; 0 if it is not a date.

    >>> moment("2608011200")
    1785556800000000
    """
    form = {10: "%y%m%d%H%M", 12: "%y%m%d%H%M%S"}.get(len(digits))
    if form is None or not (digits.isascii() and digits.isdigit()):
        return 0
    try:
        local = datetime.strptime(digits, form).replace(tzinfo=timezone(timedelta(hours=zone_hours)))
    except ValueError:
        return 0
    return int(local.timestamp()) * 1_000_000


def receipt_text(
    name: str, stat: str, *, err: str = "000", done: str = "0000000000", text: str = ""
) -> bytes:
    """A receipt in the customary words: what a centre writes. done: YYMMDDhhmm."""
    good = 1 if stat == "DELIVRD" else 0
    line = f"id:{name} sub:001 dlvrd:{good:03d} submit date:{done} done date:{done} stat:{stat} err:{err} text:{text}"
    return line.encode("latin-1", "replace")


@lru_cache(maxsize=256)
def relative(seconds: float) -> str:
    """A validity period from now, at least one second, at most thirty days.

    >>> relative(7_265)
    '000000020105000R'
    """
    days, rest = divmod(int(min(max(seconds, 1), LONGEST)), DAY)
    return f"0000{days:02d}{rest // HOUR:02d}{rest % HOUR // MINUTE:02d}{rest % MINUTE:02d}000R"


@lru_cache(maxsize=256)
def absolute(at: int) -> str:
    """A moment, UTC µs, as a validity period in UTC; outside the years the format can say: "" (the centre's default).

    >>> absolute(1_785_556_800_000_000)
    '260801040000000+'
    """
    second = at // 1_000_000
    if not 946_684_800 <= second < 4_102_444_800:
        return ""
    return f"{datetime.fromtimestamp(second, UTC):%y%m%d%H%M%S}000+"


def normal(name: str) -> str:
    """A message id in the one form it is stored and matched in: lower case, no leading zeros.

    >>> normal("00A1F"), normal("000")
    ('a1f', '0')
    """
    name = name.strip().lower()
    return name.lstrip("0") or name[:1]


def variants(name: str) -> tuple[str, ...]:
    """Every normal form a message id may come back in: itself, then the same number from hex to decimal and back.

    Centres answer a submission with one notation and write the other into the receipt.

    >>> variants("0001A2"), variants("418")
    (('1a2', '418'), ('418', '1a2', '1048'))
    """
    plain = normal(name)
    forms = [plain]
    if plain.isascii() and plain.isdigit() and len(plain) <= 32:
        forms.append(f"{int(plain):x}")
    if re.fullmatch(r"[0-9a-f]{1,32}", plain):
        forms.append(str(int(plain, 16)))
    return tuple(dict.fromkeys(forms))
