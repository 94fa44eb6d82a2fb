"""Texts are cut where the air wants it and come back whole."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fengsui.formats import sms

texts = st.text(
    st.sampled_from("暴雨红色预警𠮷🌧a1\n ") | st.characters(exclude_categories=["Cs"]), max_size=400
)


@given(texts)
def test_the_parts_of_a_text_are_the_text(text):
    assert "".join(sms.split(text)) == text


@given(texts)
def test_each_part_fits_and_no_pair_is_torn(text):
    parts = sms.split(text)

    assert all(sms.units(part) <= (sms.SINGLE if len(parts) == 1 else sms.PART) for part in parts)
    assert all(sms.decode(sms.encode(part)) == part for part in parts)


@given(texts)
def test_a_part_is_closed_only_when_the_next_character_does_not_fit(text):
    parts = sms.split(text)

    for part, following in pairwise(parts):
        assert sms.units(part) + sms.units(following[0]) > sms.PART


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("", [0]),
        ("雨" * 70, [70]),
        ("雨" * 71, [67, 4]),
        ("𠮷" * 35, [70]),
        ("𠮷" * 36, [66, 6]),
        ("雨" * 134, [67, 67]),
    ],
)
def test_lengths_are_counted_as_the_phone_counts_them(text, lengths):
    assert [sms.units(part) for part in sms.split(text)] == lengths


def test_a_text_of_more_than_255_parts_is_refused_with_what_to_do():
    assert len(sms.split("雨" * 67 * 255)) == 255
    with pytest.raises(sms.TextTooLong, match=r"请缩短正文.*G010"):
        sms.split("雨" * (67 * 255 + 1))


def test_a_lone_surrogate_becomes_a_question_mark_not_an_error():
    assert sms.decode(sms.encode("雨\ud842")) == "雨?"


def test_a_number_is_masked_but_for_three_and_two_digits():
    assert [sms.mask(number) for number in ("10000000001", "1234", "")] == ["100****01", "****", "****"]
