"""短信 Texts and numbers of short messages: length in UCS-2 units, splitting, rejoining, national numbers, masks.

Pure. Lengths are UTF-16 code units as the phone network counts them: a Chinese character is one, an emoji or a
character beyond U+FFFF (𠮷) two. Source: 3GPP TS 23.040 §9.2.3.24.1 (concatenation with an 8-bit reference).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

SINGLE = 70
"""UTF-16 units that fit one message of its own: 140 octets."""
PART = 67
"""UTF-16 units that fit one part of a longer text: 140 octets less the six of the header."""
MOST = 255
"""Parts a text may have: the header counts them in one octet."""


class TextTooLong(ValueError):  # noqa: N818 — read as a sentence where it is caught
    """正文过长：一条短信最多 255 段，请缩短正文。[G010]"""


def encode(text: str) -> bytes:
    """The text as the air carries it: UTF-16 big endian. A lone surrogate, which no phone can show, becomes "?"."""
    return text.encode("utf-16-be", "replace")


def decode(data: bytes) -> str:
    """The words of UTF-16 big endian octets; what cannot be read becomes U+FFFD. Never raises."""
    return data.decode("utf-16-be", "replace")


def units(text: str) -> int:
    """Length of a text in UTF-16 code units.

    >>> units("暴雨"), units("𠮷")
    (2, 2)
    """
    return len(encode(text)) // 2


def split(text: str) -> tuple[str, ...]:
    """The parts a text is sent in: itself if it fits 70 units, else pieces of at most 67, no surrogate pair torn.

    ``"".join(split(text)) == text`` always. Raises TextTooLong beyond 255 parts.

    >>> [len(part) for part in split("雨" * 71)]
    [67, 4]
    """
    if units(text) <= SINGLE:
        return (text,)
    if max(text) <= "\uffff":
        parts = tuple(text[at : at + PART] for at in range(0, len(text), PART))
    else:
        parts = tuple(_wide(text))
    if len(parts) > MOST:
        raise TextTooLong(TextTooLong.__doc__)
    return parts


def _wide(text: str) -> Iterable[str]:
    """Pieces of a text with characters of two units: each as long as fits."""
    ends = list(accumulate((2 if char > "\uffff" else 1 for char in text), initial=0))
    start = 0
    for at in range(len(text)):
        if ends[at + 1] - ends[start] > PART:
            yield text[start:at]
            start = at
    yield text[start:]


def national(number: str) -> str:
    """A number without China's country code in any of its spellings; others stay as they are.

    >>> national("+8610000000001"), national("008610000000001"), national("10000000001")
    ('10000000001', '10000000001', '10000000001')
    """
    bare = number.strip().removeprefix("+").removeprefix("00")
    if len(bare) == 13 and bare.startswith("86"):
        return bare[2:]
    return number.strip()


def mask(number: str) -> str:
    """A number as a log may show it: first three digits and last two.

    >>> mask("10000000001"), mask("12")
    ('100****01', '****')
    """
    return f"{number[:3]}****{number[-2:]}" if len(number) > 6 else "****"
