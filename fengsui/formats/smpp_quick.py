"""SMPP 快读快写 What nearly every frame of a busy connection is, read where it stands and written at once.

Pure. Each says what the careful ``smpp`` and ``smpp_content`` would say, in a fraction of the time, or that they must
be asked. Frames are whole, as ``smpp.Framer`` gives them.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable

from fengsui.formats import smpp
from fengsui.formats.smpp_content import Report, moment

_WHAT = struct.Struct(">III")
_HEARD = struct.Struct(">IIIIB")
_RECEIPT = re.compile(
    rb"\0..[^\0]{0,20}\0..[^\0]{0,20}\0\x04..\0\0.{4}(.)(id:([0-9A-Za-z-]{1,64}) sub:\d* dlvrd:\d*"
    rb" submit date:\d* done date:(\d*) stat:([A-Z]{1,64}) err:([0-9A-Za-z]{0,64}) text:)",
    re.DOTALL,
)
"""From service_type on: a receipt in the customary words and nothing unusual around it."""


def what(frame: bytes) -> tuple[int, int, int]:
    """Command, status and sequence number."""
    return _WHAT.unpack_from(frame, 4)


def taken_as(frame: bytes) -> str:
    """The message id in a submit_sm_resp; "" if it names none. Raises PduError as ``smpp.decode`` does.

    >>> taken_as(smpp.encode(smpp.Answer(smpp.SUBMIT_SM_RESP, smpp.OK, 7, "1a2")))
    '1a2'
    """
    end = len(frame) - 1
    if frame.find(0, smpp.LEAST) == end:  # as nearly always: no optional parameters
        return frame[smpp.LEAST : end].decode("latin-1")
    answer = smpp.decode(frame)
    return answer.text if isinstance(answer, smpp.Answer) else ""


def receipt(frame: bytes, *, zone_hours: float = 8) -> Report | None:
    """The receipt in a deliver_sm; None: look at it with care, it may still be one.

    >>> receipt(smpp.encode(smpp.Message(smpp.DELIVER_SM, 1, "100", "1", b"hello", smpp.RECEIPT)))
    """
    found = _RECEIPT.match(frame, smpp.LEAST)
    if found is None or found.start(2) + found[1][0] != len(frame):
        return None
    name, done, stat, error = found.group(3, 4, 5, 6)
    return Report(name.decode(), stat.decode(), error.decode(), moment(done.decode(), zone_hours))


def heard(sequences: Iterable[int], status: int) -> bytes:
    """The frames that answer deliver_sm of these sequence numbers.

    >>> heard([7], smpp.OK) == smpp.encode(smpp.Answer(smpp.DELIVER_SM_RESP, smpp.OK, 7))
    True
    """
    return b"".join([_HEARD.pack(17, smpp.DELIVER_SM_RESP, status, each, 0) for each in sequences])
