"""SMPP 3.4 on the wire: frames, PDUs both ways, optional parameters. What messages carry: ``smpp_content``.

Pure: bytes in, structs out, and back. Every malformed input ends in PduError and in nothing else. Lengths are octets.
Read generously (a text field may be longer than the standard allows), written strictly.
Source: SMPP Protocol Specification v3.4, issue 1.2, §§3.2, 4, 5.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec

RESPONSE = 0x80000000
GENERIC_NACK = 0x80000000
BIND_RECEIVER = 0x00000001
BIND_TRANSMITTER = 0x00000002
SUBMIT_SM = 0x00000004
DELIVER_SM = 0x00000005
UNBIND = 0x00000006
BIND_TRANSCEIVER = 0x00000009
ENQUIRE_LINK = 0x00000015
BIND_RECEIVER_RESP = RESPONSE | BIND_RECEIVER
BIND_TRANSMITTER_RESP = RESPONSE | BIND_TRANSMITTER
SUBMIT_SM_RESP = RESPONSE | SUBMIT_SM
DELIVER_SM_RESP = RESPONSE | DELIVER_SM
UNBIND_RESP = RESPONSE | UNBIND
BIND_TRANSCEIVER_RESP = RESPONSE | BIND_TRANSCEIVER
ENQUIRE_LINK_RESP = RESPONSE | ENQUIRE_LINK

BINDS = frozenset({BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER})
MESSAGES = frozenset({SUBMIT_SM, DELIVER_SM})
ANSWERS = frozenset(RESPONSE | command for command in BINDS | MESSAGES | {UNBIND, ENQUIRE_LINK})
TEXTLESS = frozenset({UNBIND_RESP, ENQUIRE_LINK_RESP})
"""Answers without a body."""

LEAST, MOST = 16, 65536
"""Smallest and largest frame we believe in, octets."""
HIGHEST = 0x7FFFFFFF
"""Last sequence number; 1 follows."""

MESSAGE_PAYLOAD = 0x0424
NETWORK_ERROR_CODE = 0x0423
MESSAGE_STATE = 0x0427
RECEIPTED_MESSAGE_ID = 0x001E

UCS2 = 8
UDHI = 0x40
"""esm_class: the body begins with a user data header."""
RECEIPT = 0x04
"""esm_class: the body is a delivery receipt."""

OK = 0x00
STATUS = {
    0x00: "ROK",
    0x01: "RINVMSGLEN",
    0x02: "RINVCMDLEN",
    0x03: "RINVCMDID",
    0x04: "RINVBNDSTS",
    0x05: "RALYBND",
    0x06: "RINVPRTFLG",
    0x07: "RINVREGDLVFLG",
    0x08: "RSYSERR",
    0x0A: "RINVSRCADR",
    0x0B: "RINVDSTADR",
    0x0C: "RINVMSGID",
    0x0D: "RBINDFAIL",
    0x0E: "RINVPASWD",
    0x0F: "RINVSYSID",
    0x14: "RMSGQFUL",
    0x15: "RINVSERTYP",
    0x43: "RINVESMCLASS",
    0x45: "RSUBMITFAIL",
    0x48: "RINVSRCTON",
    0x49: "RINVSRCNPI",
    0x50: "RINVDSTTON",
    0x51: "RINVDSTNPI",
    0x58: "RTHROTTLED",
    0x61: "RINVSCHED",
    0x62: "RINVEXPIRY",
    0x63: "RINVDFTMSGID",
    0x64: "RX_T_APPN",
    0x65: "RX_P_APPN",
    0x66: "RX_R_APPN",
    0xC0: "RINVOPTPARSTREAM",
    0xC1: "ROPTPARNOTALLWD",
    0xC2: "RINVPARLEN",
    0xC3: "RMISSINGOPTPARAM",
    0xC4: "RINVOPTPARAMVAL",
    0xFE: "RDELIVERYFAILURE",
    0xFF: "RUNKNOWNERR",
}
"""command_status → the standard's name for it without the prefix ESME_. Source: §5.1.3."""

_HEADER = struct.Struct(">IIII")
_LENGTH = struct.Struct(">I")
_TLV = struct.Struct(">HH")


class PduError(ValueError):
    """Octets that are not SMPP 3.4, or a value that does not fit the field it is meant for."""


Tlvs = tuple[tuple[int, bytes], ...]


class Bind(msgspec.Struct, frozen=True):
    """bind_transmitter, bind_receiver or bind_transceiver: who wants to talk, in which direction."""

    command: int
    sequence: int
    system_id: str
    password: str
    system_type: str = ""
    version: int = 0x34
    ton: int = 0
    npi: int = 0
    address_range: str = ""


class Message(msgspec.Struct, frozen=True, gc=False):
    """submit_sm or deliver_sm: one short message or one part of one. body: what sm_length counts, header included."""

    command: int
    sequence: int
    source: str
    destination: str
    body: bytes = b""
    esm_class: int = 0
    data_coding: int = 0
    registered: int = 0
    validity: str = ""
    service: str = ""
    source_ton: int = 0
    source_npi: int = 0
    dest_ton: int = 0
    dest_npi: int = 0
    protocol: int = 0
    priority: int = 0
    schedule: str = ""
    replace: int = 0
    default_id: int = 0
    tlvs: Tlvs = ()

    def tlv(self, tag: int) -> bytes | None:
        """The first optional parameter of that tag, or None."""
        return next((value for found, value in self.tlvs if found == tag), None)

    def content(self) -> bytes:
        """The message's octets, wherever they stand: message_payload if the body is empty."""
        return self.body or self.tlv(MESSAGE_PAYLOAD) or b""


class Answer(msgspec.Struct, frozen=True, gc=False):
    """Any response but generic_nack. text: the message id (submit, deliver) or the system id (binds), else empty."""

    command: int
    status: int
    sequence: int
    text: str = ""
    tlvs: Tlvs = ()


class Plain(msgspec.Struct, frozen=True, gc=False):
    """A PDU whose header is all of it: enquire_link, unbind, generic_nack, and every command we do not know."""

    command: int
    status: int
    sequence: int


Pdu = Bind | Message | Answer | Plain


def status_name(status: int) -> str:
    """The standard's name and the number: what an operator can quote to the carrier.

    >>> status_name(0x58), status_name(0x400)
    ('RTHROTTLED 0x58', '0x400')
    """
    return f"{STATUS[status]} 0x{status:02x}" if status in STATUS else f"0x{status:02x}"


class Framer:
    """Cuts a stream of octets into frames."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Whole frames in order, the rest kept for the next call; take them all before feeding again.

        Raises PduError, after the good frames before it, at a length outside 16 … 65,536.
        """
        data = self._rest + data if self._rest else data
        self._rest = b""
        at, size = 0, len(data)
        while size - at >= 4:
            length: int = _LENGTH.unpack_from(data, at)[0]
            if not LEAST <= length <= MOST:
                raise PduError(f"frame of {length} octets")
            if size - at < length:
                break
            yield data[at : at + length]
            at += length
        self._rest = data[at:]


def decode(frame: bytes) -> Pdu:
    """One whole frame as a struct. Raises PduError for anything malformed; an unknown command is Plain."""
    if len(frame) < LEAST:
        raise PduError(f"{len(frame)} octets where a header has 16")
    length, command, status, sequence = _HEADER.unpack_from(frame)
    if length != len(frame):
        raise PduError(f"length says {length}, frame has {len(frame)} octets")
    try:
        if command in ANSWERS:
            return _answer(frame, command, status, sequence)
        if command in MESSAGES:
            return _message(frame, command, sequence)
        if command in BINDS:
            return _bind(frame, command, sequence)
    except (IndexError, ValueError, struct.error) as error:
        raise PduError(f"command 0x{command:08x}: body of {length - LEAST} octets is malformed") from error
    return Plain(command, status, sequence)


def _text(frame: bytes, at: int) -> tuple[str, int]:
    """A C-octet string and where the next field begins. Raises ValueError without a terminating zero."""
    end = frame.index(0, at)
    return frame[at:end].decode("latin-1"), end + 1


def _tlvs(frame: bytes, at: int) -> Tlvs:
    """The optional parameters from ``at`` to the end. Raises ValueError or struct.error if one is cut short."""
    found: list[tuple[int, bytes]] = []
    while at < len(frame):
        tag, size = _TLV.unpack_from(frame, at)
        at += 4 + size
        if at > len(frame):
            raise ValueError(tag)
        found.append((tag, frame[at - size : at]))
    return tuple(found)


def _bind(frame: bytes, command: int, sequence: int) -> Bind:
    system_id, at = _text(frame, LEAST)
    password, at = _text(frame, at)
    system_type, at = _text(frame, at)
    address_range, _ = _text(frame, at + 3)
    return Bind(
        command,
        sequence,
        system_id,
        password,
        system_type,
        frame[at],
        frame[at + 1],
        frame[at + 2],
        address_range,
    )


def _answer(frame: bytes, command: int, status: int, sequence: int) -> Answer:
    if len(frame) == LEAST or command in TEXTLESS:
        return Answer(command, status, sequence)
    text, at = _text(frame, LEAST)
    return Answer(command, status, sequence, text, _tlvs(frame, at) if at < len(frame) else ())


def _message(frame: bytes, command: int, sequence: int) -> Message:
    service, at = _text(frame, LEAST)
    source_ton, source_npi = frame[at], frame[at + 1]
    source, at = _text(frame, at + 2)
    dest_ton, dest_npi = frame[at], frame[at + 1]
    destination, at = _text(frame, at + 2)
    esm_class, protocol, priority = frame[at], frame[at + 1], frame[at + 2]
    schedule, at = _text(frame, at + 3)
    validity, at = _text(frame, at)
    registered, replace, data_coding, default_id, size = frame[at : at + 5]
    end = at + 5 + size
    if end > len(frame):
        raise ValueError(size)
    return Message(
        command,
        sequence,
        source,
        destination,
        frame[at + 5 : end],
        esm_class,
        data_coding,
        registered,
        validity,
        service,
        source_ton,
        source_npi,
        dest_ton,
        dest_npi,
        protocol,
        priority,
        schedule,
        replace,
        default_id,
        _tlvs(frame, end) if end < len(frame) else (),
    )


def encode(pdu: Pdu) -> bytes:
    """A struct as one frame. Raises PduError if a value does not fit its field."""
    try:
        if isinstance(pdu, Message):
            return _frame(pdu.command, 0, pdu.sequence, _submit_head(pdu) + _submit_tail(pdu))
        if isinstance(pdu, Answer):
            body = b"" if pdu.command in TEXTLESS else _c(pdu.text, 65) + _optional(pdu.tlvs)
            return _frame(pdu.command, pdu.status, pdu.sequence, body)
        if isinstance(pdu, Bind):
            return _frame(pdu.command, 0, pdu.sequence, _bind_body(pdu))
        return _frame(pdu.command, pdu.status, pdu.sequence, b"")
    except (ValueError, struct.error) as error:
        raise PduError(f"command 0x{pdu.command:08x}: {error}") from error


def _frame(command: int, status: int, sequence: int, body: bytes) -> bytes:
    if len(body) > MOST - LEAST:
        raise ValueError(f"body of {len(body)} octets")
    return _HEADER.pack(LEAST + len(body), command, status, sequence) + body


def _c(text: str, limit: int) -> bytes:
    """A C-octet string of at most ``limit`` octets, its zero included. Raises ValueError if it is longer."""
    data = text.encode("latin-1")
    if len(data) >= limit or 0 in data:
        raise ValueError(f"text of {len(data)} octets where {limit - 1} fit, or a zero in it")
    return data + b"\0"


def _optional(tlvs: Tlvs) -> bytes:
    return b"".join(_TLV.pack(tag, len(value)) + value for tag, value in tlvs)


def _bind_body(pdu: Bind) -> bytes:
    names = _c(pdu.system_id, 16) + _c(pdu.password, 65) + _c(pdu.system_type, 13)
    return names + bytes((pdu.version, pdu.ton, pdu.npi)) + _c(pdu.address_range, 41)


def _submit_head(pdu: Message) -> bytes:
    """From service_type to the destination, its zero not included."""
    origin = _c(pdu.service, 6) + bytes((pdu.source_ton, pdu.source_npi)) + _c(pdu.source, 21)
    return origin + bytes((pdu.dest_ton, pdu.dest_npi)) + _c(pdu.destination, 21)[:-1]


def _submit_tail(pdu: Message) -> bytes:
    """From the destination's zero to the end."""
    return (
        bytes((0, pdu.esm_class, pdu.protocol, pdu.priority))
        + _c(pdu.schedule, 17)
        + _c(pdu.validity, 17)
        + bytes((pdu.registered, pdu.replace, pdu.data_coding, pdu.default_id, len(pdu.body)))
        + pdu.body
        + _optional(pdu.tlvs)
    )


class Form:
    """A submit_sm ready but for its sequence number and its destination: what one text costs once, not per phone."""

    __slots__ = ("_head", "_size", "_tail")

    def __init__(self, pdu: Message) -> None:
        """pdu: the message, its destination empty. Raises PduError if a value does not fit."""
        try:
            self._head, self._tail = _submit_head(pdu), _submit_tail(pdu)
        except ValueError as error:
            raise PduError(f"submit_sm: {error}") from error
        self._size = LEAST + len(self._head) + len(self._tail)

    def fill(self, sequence: int, destination: bytes) -> bytes:
        """The frame for one phone. destination: digits, at most 20, no zero octet: the caller has checked."""
        start = _HEADER.pack(self._size + len(destination), SUBMIT_SM, 0, sequence)
        return b"".join((start, self._head, destination, self._tail))
