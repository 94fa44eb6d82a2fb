"""照片 Photos as phones make them, without what phones write beside the picture: position, device, owner, time, previews.

The picture itself is not encoded anew. What is kept is named, everything else goes; JPEG and PNG keep which way is up. Pure.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple


class NotAPhoto(ValueError):  # noqa: N818 - the condition is the name
    """不是可用的照片（JPEG、PNG、WebP、HEIC），或文件不完整。请重新选择照片。[W174]"""


def bare(body: bytes) -> bytes:
    """The photo without anything but the picture; the same bytes for the same photo, and nothing to do the second time.

    Raises NotAPhoto for anything that is none of JPEG, PNG, WebP and HEIC, or ends too early.
    """
    for at, sign, strip in KINDS:
        if body[at : at + len(sign)] == sign:
            try:
                return strip(body)
            except (struct.error, IndexError) as error:
                raise NotAPhoto(NotAPhoto.__doc__) from error
    raise NotAPhoto(NotAPhoto.__doc__)


# ── JPEG: ISO/IEC 10918-1 annex B, Exif 2.3 §4.6 ─────────────────────────────

SOI, EOI, SOS, APP0, APP1, APP14, COM = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xEE, 0xFE
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""In coded data: the next marker that does not belong to it."""
ORIENTATION = 0x0112
UP = 1
"""The orientation of a picture that stands as it is stored."""


def _jpeg(body: bytes) -> bytes:
    """Segments that draw the picture, up to its end; of the notes only the orientation."""
    out, up, at = bytearray(b"\xff\xd8"), UP, 2
    start = len(out)
    while True:
        marker, segment, after = _segment(body, at)
        if marker == EOI:
            out += segment
            return bytes(out[:start] + _turned(up) + out[start:])
        if marker == APP1 and segment[4:10] == b"Exif\0\0":
            up = _orientation(segment[10:])
        elif marker == APP0 and segment[4:9] == b"JFIF\0":
            out += b"\xff\xe0\0\x10" + segment[4:16] + b"\0\0"  # without its preview
            start = len(out)
        elif marker == APP14 or not (APP0 <= marker <= 0xEF or marker == COM):
            out += segment
        at = after


def _segment(body: bytes, at: int) -> tuple[int, bytes, int]:
    """Marker, the whole segment (with the coded data behind a scan's header), and where the next one begins."""
    while body[at] == body[at + 1] == 0xFF:
        at += 1  # fill bytes
    if body[at] != 0xFF or body[at + 1] == 0:
        raise NotAPhoto(NotAPhoto.__doc__)
    marker = body[at + 1]
    if marker == EOI:
        return marker, body[at : at + 2], at + 2
    end = at + 2 + struct.unpack_from(">H", body, at + 2)[0]
    if marker == SOS:
        found = _MARKER.search(body, end)
        end = found.start() if found else len(body)
    if end < at + 4 or end >= len(body):
        raise NotAPhoto(NotAPhoto.__doc__)
    return marker, body[at:end], end


def _orientation(tiff: bytes) -> int:
    """Which way is up, as the first directory says; UP where it does not, or says what no picture can be."""
    order = {b"MM\0*": ">", b"II*\0": "<"}.get(tiff[:4])
    if order is None or len(tiff) < 10:
        return UP
    (at,) = struct.unpack_from(f"{order}I", tiff, 4)
    if at + 2 > len(tiff):
        return UP
    (count,) = struct.unpack_from(f"{order}H", tiff, at)
    for entry in range(at + 2, min(at + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind, many, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
        if (tag, kind, many) == (ORIENTATION, 3, 1) and 1 <= value <= 8:
            return int(value)
    return UP


def _turned(up: int) -> bytes:
    """A segment that says nothing but the orientation; none where there is nothing to say."""
    tiff = _tiff(up)
    return struct.pack(">BBH", 0xFF, APP1, 8 + len(tiff)) + b"Exif\0\0" + tiff if up != UP else b""


def _tiff(up: int) -> bytes:
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, ORIENTATION, 3, 1, up, 0, 0)


# ── PNG: W3C PNG §5.3 ─────────────────────────────────────────────────────────

PNG = b"\x89PNG\r\n\x1a\n"
DRAWN = {b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs", b"IDAT", b"IEND"}


def _png(body: bytes) -> bytes:
    """Chunks that draw the picture, up to its end; of the notes only the orientation, behind the header."""
    chunks, at, kind, up = list[bytes](), len(PNG), b"", UP
    while kind != b"IEND":
        size, kind = struct.unpack_from(">I4s", body, at)
        chunk = body[at : at + 12 + size]
        if len(chunk) < 12 + size:
            raise NotAPhoto(NotAPhoto.__doc__)
        if kind == b"eXIf":
            up = _orientation(chunk[8:-4])
        elif kind in DRAWN:
            chunks.append(chunk)
        at += len(chunk)
    if up != UP:
        chunks.insert(1, _chunk(b"eXIf", _tiff(up)))
    return PNG + b"".join(chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# ── WebP: RFC 9649 §2.7 ──────────────────────────────────────────────────────

WEBP = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"}
NOTES = 0x20 | 0x08 | 0x04
"""Flags that promise a colour profile, Exif and XMP."""


def _webp(body: bytes) -> bytes:
    """Chunks that draw the picture; the header promises no others."""
    if body[:4] != b"RIFF":
        raise NotAPhoto(NotAPhoto.__doc__)
    end = 8 + struct.unpack_from("<I", body, 4)[0]
    out, at = bytearray(), 12
    if end > len(body):
        raise NotAPhoto(NotAPhoto.__doc__)
    while at + 8 <= end:
        kind, size = struct.unpack_from("<4sI", body, at)
        after = at + 8 + size + size % 2
        chunk = bytearray(body[at:after])
        if len(chunk) < 8 + size:
            raise NotAPhoto(NotAPhoto.__doc__)
        if kind == b"VP8X":
            chunk[8] &= ~NOTES & 0xFF
        if kind in WEBP:
            out += chunk
        at = after
    return struct.pack("<4sI4s", b"RIFF", 4 + len(out), b"WEBP") + bytes(out)


# ── HEIC: ISO/IEC 14496-12 (boxes) and 23008-12 (items) ──────────────────────

PICTURES = {b"hvc1", b"av01", b"jpeg", b"grid", b"iovl", b"iden"}
"""Kinds of items that are pictures or put pictures together."""
KEPT = {b"ftyp", b"meta", b"mdat"}
NOTHING = b"\0\0\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"
"""Exif that says nothing: readers want it to be some."""
PARTS = {b"hdlr", b"pitm", b"iinf", b"iloc", b"iprp", b"iref", b"idat", b"dinf", b"grpl"}
"""What ``meta`` holds."""


class Box(NamedTuple):
    """A box: its kind, where it begins, where its content begins, where it ends."""

    kind: bytes
    start: int
    inner: int
    end: int


def _heic(body: bytes) -> bytes:
    """The file with all that is no picture blanked where it stands: its parts are found by their offsets."""
    out, parts = bytearray(body), dict[bytes, Box]()
    for box in _boxes(body, 0, len(body)):
        inside = list(_boxes(body, box.inner + 4, box.end)) if box.kind == b"meta" else []
        parts |= {b.kind: b for b in inside}
        for other in [b for b in inside if b.kind not in PARTS] + [box] * (box.kind not in KEPT):
            out[other.start + 4 : other.start + 8] = b"free"
            _blank(out, other.inner, other.end)
    if not {b"iinf", b"iloc"} <= parts.keys():
        raise NotAPhoto(NotAPhoto.__doc__)
    kinds = dict(_items(body, parts[b"iinf"]))
    for item, start, end in _places(body, parts):
        if kinds.get(item) not in PICTURES:
            _blank(out, start, end, NOTHING if kinds.get(item) == b"Exif" else b"")
    return bytes(out)


def _blank(out: bytearray, start: int, end: int, by: bytes = b"") -> None:
    if not start <= end <= len(out):
        raise NotAPhoto(NotAPhoto.__doc__)
    out[start:end] = by[: end - start].ljust(end - start, b"\0")


def _boxes(body: bytes, at: int, end: int) -> Iterator[Box]:
    while at < end:
        size, kind = struct.unpack_from(">I4s", body, at)
        inner = at + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", body, inner)
            inner += 8
        after = at + size if size else end
        if after < inner or after > end:
            raise NotAPhoto(NotAPhoto.__doc__)
        yield Box(kind, at, inner, after)
        at = after


def _items(body: bytes, iinf: Box) -> Iterator[tuple[int, bytes]]:
    """Every item and its kind."""
    first = iinf.inner + (6 if body[iinf.inner] == 0 else 8)
    for box in _boxes(body, first, iinf.end):
        wide = body[box.inner] >= 3
        item, _, kind = struct.unpack_from(">IH4s" if wide else ">HH4s", body, box.inner + 4)
        yield item, kind


def _places(body: bytes, parts: dict[bytes, Box]) -> Iterator[tuple[int, int, int]]:
    """Every extent of every item: (item, first byte, byte after the last)."""
    iloc, idat = parts[b"iloc"], parts.get(b"idat")
    version, sizes, at = body[iloc.inner], body[iloc.inner + 4 : iloc.inner + 6], iloc.inner + 6
    widths = (sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4, sizes[1] & 15 if version else 0)

    def number(width: int) -> int:
        nonlocal at
        if at + width > iloc.end:
            raise NotAPhoto(NotAPhoto.__doc__)
        at += width
        return int.from_bytes(body[at - width : at], "big")

    offset, length, base, index = widths
    for _ in range(number(2 if version < 2 else 4)):
        item = number(2 if version < 2 else 4)
        method = number(2) & 15 if version else 0
        number(2)  # data reference: always this file
        origin = number(base)
        if method > 1 or (method and idat is None):
            raise NotAPhoto(NotAPhoto.__doc__)
        if method and idat:
            origin += idat.inner
        for _ in range(number(2)):
            number(index)
            start = origin + number(offset)
            yield item, start, start + number(length)


KINDS: tuple[tuple[int, bytes, Callable[[bytes], bytes]], ...] = (
    (0, b"\xff\xd8\xff", _jpeg), (0, PNG, _png), (8, b"WEBP", _webp), (4, b"ftyphei", _heic), (4, b"ftypmif1", _heic),
)  # fmt: skip
"""How photos of phones begin."""
