"""Photos: what a phone writes beside the picture is gone, the picture is what it was; what is broken is refused in words."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from fengsui.formats import photos

FOLDER = Path(__file__).parent / "photos"
"""Made by an encoder: 48 by 32, with position, device, author; two of them are to be turned by a quarter."""
NAMES = sorted(p.name for p in FOLDER.iterdir())
BESIDE = (b"Spyphone", b"Geheim", b"Phonemaker")


def photo(name):
    return (FOLDER / name).read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_nothing_but_the_picture_is_left(name):
    assert any(word in photo(name) for word in BESIDE)

    bare = photos.bare(photo(name))

    assert not any(word in bare for word in BESIDE)
    assert b"GPS" not in bare
    assert photos.bare(bare) == bare


def test_a_preview_and_what_hangs_behind_the_picture_go_too():
    body = photos.bare(photo("phone.jpg"))
    jfif = b"\xff\xe0\0\x13JFIF\0\x01\x01\0\0\x01\0\x01\x01\x01ABC"
    film = body[:2] + jfif + body[20:] + b"\0\0\0\x18ftypmp42film"

    bare = photos.bare(film)

    assert bare == body[:2] + jfif[:2] + b"\0\x10" + jfif[4:16] + b"\0\0" + body[20:]


def test_an_orientation_that_cannot_be_is_none():
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, 9, 0, 0)
    body = photo("progressive.jpg")
    body = body[:2] + b"\xff\xe1" + struct.pack(">H", 8 + len(tiff)) + b"Exif\0\0" + tiff + body[2:]

    assert b"\x01\x12\0\x03\0\0\0\x01\0\x06" in photos.bare(body), "the second says how"
    for far in (b"II*\0\xff\xff\xff\xff\0\0", b"MM\0*\0\0\0\x08\xff\xff", b"MM"):
        exif = b"\xff\xe1" + struct.pack(">H", 8 + len(far)) + b"Exif\0\0" + far
        assert photos.bare(body[:2] + exif + photos.bare(photo("progressive.jpg"))[2:])


@pytest.mark.parametrize("name", NAMES)
def test_what_is_cut_short_is_refused_and_says_what_to_do(name):
    whole = photo(name)

    for end in range(len(whole) - 1):
        try:
            bare = photos.bare(whole[:end])
        except photos.NotAPhoto:
            continue
        assert not any(word in bare for word in BESIDE), end
    with pytest.raises(photos.NotAPhoto, match=r"请重新选择照片。\[W174\]"):
        photos.bare(whole[: len(whole) // 2])


@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_written_over_it_nothing_else_is_raised(name):
    dice = random.Random(name)
    for _ in range(500):
        body = bytearray(photo(name))
        for _ in range(dice.randint(1, 6)):
            body[dice.randrange(len(body))] = dice.randrange(256)
        try:
            photos.bare(bytes(body))
        except photos.NotAPhoto:
            continue


@pytest.mark.parametrize(
    "body", [b"", b"x" * 10, b"<svg onload=alert(1)>", b"GIF89a", b"\xff\xd8\xff", b"%PDF-1.7"]
)
def test_what_is_no_photo_is_refused(body):
    with pytest.raises(photos.NotAPhoto):
        photos.bare(body)


def test_a_png_may_not_hide_words_in_chunks_of_its_own():
    body = photos.bare(photo("phone.png"))
    hidden = struct.pack(">I", 6) + b"teStGeheim" + b"crc?"

    assert photos.bare(body[:33] + hidden + body[33:] + b"Geheim") == body
