"""The form of issue as a document: the words of the PDF, readable by others, the same bytes, a drill marked at both ends."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile

import docx as reader
import msgspec
import pytest

from fengsui.formats import docx, pdf
from tests.formats.test_pdf import FORM

replace = msgspec.structs.replace


def opened(form: pdf.IssueForm) -> reader.document.Document:
    return reader.Document(io.BytesIO(docx.issue(form)))


def words(document: reader.document.Document) -> str:
    return "\n".join(t.text or "" for t in document.element.body.iter() if t.tag.endswith("}t"))


def test_every_word_of_the_form_stands_in_the_document() -> None:
    said = words(opened(FORM)).replace("\n", "")

    for word in (
        FORM.number, FORM.office, FORM.signal, FORM.action, *FORM.areas["红色"], FORM.observed, FORM.forecast,
        *FORM.guide, *FORM.receivers, FORM.author, FORM.signer, "应发128，送达126", "传真", "未完成",
        "2027年7月17日02时05分", "2027年7月17日08时13分",
    ):  # fmt: skip
        assert word in said, word


def test_a_lifting_says_why_and_no_end() -> None:
    said = words(opened(replace(FORM, expires=0, replaces="YZ-2027-0042", note="紧急单人签发。")))

    assert "已解除，即刻生效" in said
    assert "解除原因" in said
    assert "预报结论" not in said
    assert "YZ-2027-0042" in said
    assert "紧急单人签发。" in said


@pytest.mark.parametrize(("series", "mark"), [("exercise", "【演练】"), ("test", "【模拟】")])
def test_a_drill_is_marked_at_both_ends_of_the_text_and_of_every_page(series, mark) -> None:
    document = opened(replace(FORM, series=series))
    written = [p.text for p in document.paragraphs if p.text]

    assert written[0].startswith(mark)
    assert written[-1].startswith(mark)
    page = document.sections[0]
    assert mark in page.header.paragraphs[0].text
    assert mark in "".join(t.text or "" for t in page.footer._element.iter() if t.tag.endswith("}t"))


def test_a_real_one_bears_no_mark() -> None:
    document = opened(FORM)

    assert "非真实" not in words(document)
    assert document.sections[0].header.paragraphs[0].text == ""


def test_the_same_form_gives_the_same_bytes_in_any_process() -> None:
    made = docx.issue(FORM)
    order = msgspec.json.encode(pdf.Order(FORM))
    other = subprocess.run(
        (sys.executable, "-m", "fengsui.formats.docx"), input=order, check=True, capture_output=True
    )

    assert pdf.read(other.stdout).pdf == made
    with zipfile.ZipFile(io.BytesIO(made)) as entries:
        assert {i.date_time for i in entries.infolist()} == {docx.EPOCH}


def test_chinese_fonts_are_named_with_what_may_stand_in() -> None:
    made = docx.issue(FORM)
    with zipfile.ZipFile(io.BytesIO(made)) as entries:
        table, body = entries.read("word/fontTable.xml").decode(), entries.read("word/document.xml").decode()

    for name, others in docx.INSTEAD.items():
        assert f'w:name="{name}"><w:altName w:val="{others}"' in table
        assert f'w:eastAsia="{name}"' in body


def test_nothing_that_is_typed_breaks_the_document() -> None:
    odd = "甲\x00\x07乙<w:p/>&\ud800\ufffe丙\u202e丁\n\n戊"
    said = words(opened(replace(FORM, observed=odd, author=odd)))

    assert "甲乙<w:p/>&\ufffd丙丁" in said
    assert "戊" in said
