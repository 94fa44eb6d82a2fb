"""Mutated CAP: messages of others, bent at random by seed, must be judged and read without a traceback, a hang or a connection.

``python -m tests.formats.cap.fuzz 50000`` (``make fuzz``) tries that many and says how many of them were valid; a mutant that
breaks something is kept in a file that is named. One minute of it runs with the tests.
"""

from __future__ import annotations

import random
import re
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from fengsui.formats import packs
from fengsui.formats.cap.incoming import incoming, replayed
from fengsui.formats.cap.verdict import verdict
from fengsui.rehearse.bench.cap import SAMPLES
from tests.formats.cap.forge import BUREAU, PINNED, key, message, sign

LONGEST = 1.0
"""Seconds of CPU that one mutant may take, for both answers."""
LARGE = 40_000
NOWHERE = b"127.0.0.1:9"
"""Where entities point to; a port that is listened to takes its place."""
TAG = re.compile(rb"<[^<>]{1,80}>")
ELEMENT = re.compile(rb"<([\w:]+)[^<>]*>[^<>]*</\1>")
TEXT = re.compile(rb"(?<=>)[^<>]+(?=<)")
SPICE = [
    b"", b" ", b"\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"<", b">", b"&", b"&amp;", b"&#0;", b"&#x10FFFF;", b"&x;", b"]]>", b"<![CDATA[",
    b"<!--", b"-->", b"<?x?>", b"<!DOCTYPE alert>", b"<!DOCTYPE a [<!ENTITY x SYSTEM 'http://127.0.0.1:9/'>]>", b"/", b'"', b"'",
    b"xmlns=''", b"xmlns:xml='x'", b" Id='a'", b"<alert>", b"</alert>", b"<info/>", b"-", b"+", b".", b",", b"1e999", b"NaN", b"-0",
    b"9" * 400, b"91,181", b"2026-02-30T24:00:00+14:00", b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:59:59-14:00", b"Z",
    "红色".encode(), "\u202e".encode(), "暴雨".encode("gbk"), "\ud800".encode("utf-8", "surrogatepass"), b"140215205", b"MCA",
]  # fmt: skip
Bend = Callable[[random.Random, bytes], bytes]


def _spot(chance: random.Random, content: bytes) -> int:
    return chance.randrange(len(content) + 1)


def _flip(chance: random.Random, content: bytes) -> bytes:
    at = _spot(chance, content)
    return content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]


def _cut(chance: random.Random, content: bytes) -> bytes:
    first, second = sorted((_spot(chance, content), _spot(chance, content)))
    return content[:first] + content[min(second, first + 200) :]


def _end(chance: random.Random, content: bytes) -> bytes:
    return content[: _spot(chance, content)]


def _spice(chance: random.Random, content: bytes) -> bytes:
    at = _spot(chance, content)
    return content[:at] + chance.choice(SPICE) + content[at:]


def _spice_text(chance: random.Random, content: bytes) -> bytes:
    found = _one(chance, TEXT, content)
    return (
        content
        if not found
        else content[: found[0]] + chance.choice(SPICE) + content[found[chance.randrange(2)] :]
    )


def _plain_text(chance: random.Random, content: bytes) -> bytes:
    found = _one(chance, TEXT, content)
    spice = chance.choice([word for word in SPICE if not set(word) & set(b"<>&\0\xff")])
    return content if not found else content[: found[0]] + spice + content[found[chance.randrange(2)] :]


def _drop_tag(chance: random.Random, content: bytes) -> bytes:
    found = _one(chance, TAG, content)
    return content if not found else content[: found[0]] + content[found[1] :]


def _swap_tags(chance: random.Random, content: bytes) -> bytes:
    first, second = _one(chance, TAG, content), _one(chance, TAG, content)
    if not first or not second or first >= second or first[1] > second[0]:
        return content
    a, b = content[slice(*first)], content[slice(*second)]
    return content[: first[0]] + b + content[first[1] : second[0]] + a + content[second[1] :]


def _repeat(chance: random.Random, content: bytes) -> bytes:
    first, second = sorted((_spot(chance, content), _spot(chance, content)))
    piece = content[first : min(second, first + 400)]
    return content[:first] + piece * chance.choice((2, 2, 2, 30)) + content[first + len(piece) :]


def _encode(chance: random.Random, content: bytes) -> bytes:
    name = chance.choice(("utf-16", "utf-7", "gbk", "latin-1", "utf-8-sig"))
    return content.decode("utf-8", "replace").encode(name, "replace")


def _declare(chance: random.Random, content: bytes) -> bytes:
    name = chance.choice((b"utf-16", b"UTF-7", b"gbk", b"iso-8859-1", b"x-none", b"", b"cp037"))
    return re.sub(rb"<\?xml.*?\?>", b'<?xml version="1.0" encoding="' + name + b'"?>', content, count=1)


def _wrap(chance: random.Random, content: bytes) -> bytes:
    body = content.partition(b"?>")[2]
    before, after = chance.choice(
        ((b"<feed>", b"</feed>"), (b"<a><![CDATA[", b"]]></a>"), (b'{"x": "', b'"}'), (b"x", b"x"))
    )
    return before + body + after


def _swap_texts(chance: random.Random, content: bytes) -> bytes:
    first, second = _one(chance, TEXT, content), _one(chance, TEXT, content)
    if not first or not second:
        return content
    return content[: first[0]] + content[slice(*second)] + content[first[1] :]


def _copy_element(chance: random.Random, content: bytes) -> bytes:
    found = _one(chance, ELEMENT, content)
    at = _one(chance, TAG, content)
    return content if not found or not at else content[: at[0]] + content[slice(*found)] + content[at[0] :]


def _drop_element(chance: random.Random, content: bytes) -> bytes:
    found = _one(chance, ELEMENT, content)
    return content if not found else content[: found[0]] + content[found[1] :]


GENTLE: tuple[Bend, ...] = (_plain_text, _plain_text, _swap_texts, _copy_element, _drop_element)
"""Bends after which a message mostly is XML still."""
ROUGH: tuple[Bend, ...] = (
    _flip, _cut, _end, _spice, _spice_text, _drop_tag, _swap_tags, _repeat, _encode, _declare, _wrap,
)  # fmt: skip


def _one(chance: random.Random, pattern: re.Pattern[bytes], content: bytes) -> tuple[int, int] | None:
    found = pattern.search(content, _spot(chance, content)) or pattern.search(content)
    return found.span() if found else None


def seeds() -> list[bytes]:
    """Messages to begin with: those of others, and one of ours with a signature."""
    files = [file.read_bytes() for file in sorted(SAMPLES.glob("*valid/*"))]
    return [content for content in files if len(content) < LARGE] + [
        message(),
        sign(message(), key(), BUREAU),
    ]


def mutants(seed: int) -> Iterator[bytes]:
    """Messages bent one to five times, for ever."""
    chance, begin = random.Random(seed), seeds()
    while True:
        content = chance.choice(begin)
        bends = GENTLE if chance.random() < 0.6 else GENTLE + ROUGH
        for _ in range(chance.randint(1, 5)):
            content = chance.choice(bends)(chance, content)[: 10 * LARGE]
        yield content


class BrokenError(AssertionError):
    """A mutant that was not judged as it must be."""


def tried(content: bytes, pack, seen) -> str:
    """Judge and read one mutant: "valid", or the layer that refuses it. Raises BrokenError, or whatever breaks."""
    began = time.process_time()
    said = verdict(content, PINNED)
    bare = verdict(content)
    found = incoming(content, pack, today="2026-07-17")
    for one in found:
        replayed(one, seen)
    took = time.process_time() - began
    if took > LONGEST:
        raise BrokenError(f"{took:.1f} s of CPU")
    if not found:
        raise BrokenError("dropped")
    if said.valid and (not said.signer or said.alert is None):
        raise BrokenError("believed without a signer")
    grave = {finding.layer for finding in bare.findings if finding.grave}
    if bool(grave) == bare.valid or any(not f.text or not f.code for f in bare.findings):
        raise BrokenError("verdict and findings disagree")
    return next((layer for layer in ("xml", "xsd", "semantic") if layer in grave), "valid")


def run(seed: int, *, count: int | None = None, seconds: float = float("inf")) -> Counter[str]:
    """Try mutants until one of both limits; what became of them. A mutant that breaks something is written to a file first."""
    pack, seen, outcomes = packs.load("yunzhou"), {}, Counter()
    end = time.monotonic() + seconds
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        here = f"127.0.0.1:{listener.getsockname()[1]}".encode()
        for number, content in enumerate(mutants(seed)):
            if number == count or time.monotonic() > end:
                return outcomes
            whole = False
            try:
                outcomes[tried(content.replace(NOWHERE, here), pack, seen)] += 1
                _nobody_called(listener)
                whole = True
            finally:
                if not whole:
                    kept = Path(tempfile.mkdtemp()) / f"mutant-{seed}-{number}.xml"
                    kept.write_bytes(content)
                    sys.stderr.write(f"kept: {kept}\n")
    raise BrokenError("mutants never end")


def _nobody_called(listener: socket.socket) -> None:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return
    raise BrokenError("a connection was opened")


if __name__ == "__main__":
    wanted, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns() % 10**9
    sys.stderr.write(f"seed {seed}\n")
    began = time.monotonic()
    done = run(seed, count=wanted)
    sys.stdout.write(f"{sum(done.values())} mutants in {time.monotonic() - began:.0f} s: {dict(done)}\n")
