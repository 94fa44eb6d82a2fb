"""文档 Documents: the 预警信号发布单 as DOCX, for whoever must edit or paste it — the words of the PDF, the same bytes each time.

Pure. Office fonts are named, each with what stands in for it (仿宋 text, 宋体 title, 黑体 labels); none is embedded, so the
PDF stays the paper that counts. As a program (``python -m fengsui.formats.docx``) it reads an Order from standard input.
"""

from __future__ import annotations

import datetime as dt
import io
import sys
import zipfile
from collections.abc import Iterable
from typing import Any

import docx
import msgspec
from docx.document import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.part import Part
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph

from fengsui.core import calendar, series
from fengsui.formats import pdf
from fengsui.formats.pdf import IssueForm, Order, Printed, Unprintable

TEXT, TITLE, LABEL = "仿宋", "宋体", "黑体"
LATIN = "Times New Roman"
INSTEAD = {
    TEXT: "FangSong,仿宋_GB2312,STFangsong,Noto Serif CJK SC",
    TITLE: "SimSun,STSong,Noto Serif CJK SC",
    LABEL: "SimHei,STHeiti,Noto Sans CJK SC",
}
"""Office font → what a machine without it may take."""
GROUND = {"red": "D7000F", "orange": "F08300", "yellow": "FFE100", "blue": "0068B7"}
RED = RGBColor(0xC0, 0, 0)
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The moment of every entry of the archive: a zip knows none before it."""
WIDTHS = (Cm(2.6), Cm(5.6), Cm(2.6), Cm(5.6))


def issue(form: IssueForm) -> bytes:
    """The form of issue as a document; of a drill the mark stands at both ends of the text and of every page."""
    shown: dict[str, Any] = pdf.clean(msgspec.to_builtins(pdf.fields(form)), frozenset())  # type: ignore[assignment]
    mark = series.mark(form.series)
    document = docx.Document()
    _prepare(document, form, shown)
    _edges(document, form, mark)
    if mark:
        _line(document.add_paragraph(), f"{mark}非真实预警", LABEL, 14, bold=True, centre=True)
    _line(document.add_paragraph(), "气象灾害预警信号发布单", TITLE, 24, bold=True, centre=True, colour=RED)
    _line(
        document.add_paragraph(),
        f"发布单位：{shown['office']}　　编号：{shown['number']}",
        TEXT,
        12,
        centre=True,
    )
    _body(document, form, shown)
    if mark:
        _line(document.add_paragraph(), f"{mark}非真实预警", LABEL, 14, bold=True, centre=True)
    return _saved(document)


def _prepare(document: Document, form: IssueForm, shown: dict[str, Any]) -> None:
    """Page, fonts and properties; nothing in them is of the moment of asking."""
    page = document.sections[0]
    page.page_width, page.page_height = Cm(21), Cm(29.7)
    page.left_margin, page.right_margin, page.top_margin, page.bottom_margin = (
        Cm(2.4),
        Cm(2.2),
        Cm(2.5),
        Cm(2.2),
    )
    _font(document.styles["Normal"].element.get_or_add_rPr(), TEXT)
    at = dt.datetime.fromtimestamp(form.seal.at // calendar.SECOND, dt.UTC).replace(tzinfo=None)
    about = document.core_properties
    about.author = about.last_modified_by = shown["office"]
    about.title, about.comments, about.revision = f"气象灾害预警信号发布单 {shown['number']}", "", 1
    about.created = about.modified = at
    for part in document.part.package.iter_parts():
        if part.partname.endswith("/fontTable.xml"):
            _fonts(part)


def _fonts(part: Part) -> None:
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    named = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{others}"/><w:charset w:val="86"/></w:font>'
        for name, others in INSTEAD.items()
    )
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    part._blob = f'{head}<w:fonts xmlns:w="{space}">{named}</w:fonts>'.encode()  # noqa: SLF001 - a part without a setter


def _edges(document: Document, form: IssueForm, mark: str) -> None:
    """Head and foot of every page: the mark of a drill, the place in the ledger, the page."""
    page = document.sections[0]
    if mark:
        _line(page.header.paragraphs[0], f"{mark}非真实预警", LABEL, 12, bold=True)
    seal = form.seal
    foot = page.footer.paragraphs[0]
    _line(foot, f"台账第{seal.seq}条　{seal.hash}", TEXT, 7.5)
    last = page.footer.add_paragraph()
    _line(last, f"数据截至{pdf.moment(seal.at, seal.zone)}　第", TEXT, 8)
    _field(last, "PAGE")
    _line(last, "页，共", TEXT, 8)
    _field(last, "NUMPAGES")
    _line(last, f"页　{mark}" if mark else "页", TEXT, 8)


def _body(document: Document, form: IssueForm, shown: dict[str, Any]) -> None:
    table = _table(document, WIDTHS)
    signal = _row(table, [("预警信号", shown["signal"], 3)])[0]
    _ground(signal, GROUND[form.level], dark=form.level in ("red", "blue"))
    if shown["replaces"]:
        _row(table, [("动作", shown["action"], 1), ("原编号", shown["replaces"], 1)])
    else:
        _row(table, [("动作", shown["action"], 3)])
    areas = "\n".join(f"{level}：{places}" if level else places for level, places in shown["areas"])
    rows = [("发布时间", shown["issued"]), ("有效时段", shown["valid"]), ("预警区域", areas)]
    rows += [(name, said) for name, said in shown["rows"] if said or name != "影响分析"]
    if shown["guide"]:
        rows.append(("防御指南", "\n".join(f"{n}．{line}" for n, line in enumerate(shown["guide"], start=1))))
    rows.append(("接收单位", shown["receivers"]))
    if shown["note"]:
        rows.append(("备注", shown["note"]))
    for name, said in rows:
        _row(table, [(name, said, 3)])
    hands = [(name, who) for name, who in shown["hands"] if who or name != "复核人"]
    _row(table, [("签署", "　　".join(f"{name}：{who or '　　　　'}" for name, who in hands), 3)])
    ways = _table(document, (Cm(1.4), Cm(5), Cm(3.4), Cm(6.6)))
    _cells(ways, ("序", "发布渠道", "完成时间", "情况"), LABEL)
    for number, (name, done, note) in enumerate(shown["channels"], start=1):
        _cells(ways, (str(number), name, done or "未完成", note or "——"), TEXT)


# ── making 制作 ──────────────────────────────────────────────────────────────


def _table(document: Document, widths: Iterable[Cm]) -> Table:
    document.add_paragraph().paragraph_format.space_after = Pt(2)
    widths = tuple(widths)
    table: Table = document.add_table(rows=0, cols=len(widths))
    table.style, table.alignment, table.autofit = "Table Grid", WD_TABLE_ALIGNMENT.CENTER, False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    return table


def _row(table: Table, pairs: list[tuple[str, str, int]]) -> list[_Cell]:
    """Labels and what belongs to them; span: how many columns it takes. The cells of what belongs to them."""
    cells, at, filled = _added(table), 0, list[_Cell]()
    for name, said, span in pairs:
        _write(cells[at], name, LABEL, centre=True)
        whole = cells[at + 1].merge(cells[at + span]) if span > 1 else cells[at + 1]
        _write(whole, said, TEXT)
        filled.append(whole)
        at += span + 1
    return filled


def _added(table: Table) -> tuple[_Cell, ...]:
    row: Any = table.add_row()  # type: ignore[no-untyped-call]
    cells: tuple[_Cell, ...] = row.cells
    return cells


def _cells(table: Table, texts: tuple[str, ...], font: str) -> None:
    for cell, text in zip(_added(table), texts, strict=True):
        _write(cell, text, font)


def _write(cell: _Cell, text: str, font: str, *, centre: bool = False) -> None:
    """A text with its line breaks as paragraphs; empty lines leave no gap, an empty text leaves room to write."""
    lines = [line for line in text.split("\n") if line.strip()] or [""]
    for number, line in enumerate(lines):
        paragraph = cell.paragraphs[0] if number == 0 else cell.add_paragraph()
        _line(paragraph, line, font, 11, centre=centre)


def _line(
    paragraph: Paragraph, text: str, font: str, size: float, *, bold: bool = False, centre: bool = False,
    colour: RGBColor | None = None,
) -> None:  # fmt: skip
    run = paragraph.add_run(_writable(text))
    run.font.size, run.bold = Pt(size), bold
    if colour is not None:
        run.font.color.rgb = colour
    _font(run._element.get_or_add_rPr(), font)  # noqa: SLF001 - the library's own way to its element
    paragraph.paragraph_format.space_after = Pt(2)
    if centre:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER


def _font(properties: Any, name: str) -> None:
    fonts = properties.get_or_add_rFonts()
    for key, value in (("ascii", LATIN), ("hAnsi", LATIN), ("cs", LATIN), ("eastAsia", name)):
        fonts.set(qn(f"w:{key}"), value)
    for key in (
        "asciiTheme",
        "hAnsiTheme",
        "eastAsiaTheme",
        "cstheme",
    ):  # a theme's font would win over a named one
        fonts.attrib.pop(qn(f"w:{key}"), None)


def _field(paragraph: Paragraph, code: str) -> None:
    """A number that the program that opens it fills in."""
    field: Any = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), code)
    paragraph._p.append(field)  # noqa: SLF001


def _ground(cell: _Cell, colour: str, *, dark: bool) -> None:
    """The colour of a level behind its words, which say it too."""
    shade: Any = OxmlElement("w:shd")
    properties: Any = cell._tc.get_or_add_tcPr()  # noqa: SLF001
    for key, value in (("val", "clear"), ("color", "auto"), ("fill", colour)):
        shade.set(qn(f"w:{key}"), value)
    properties.append(shade)
    for run in cell.paragraphs[0].runs:
        run.bold, run.font.size = True, Pt(15)
        run.font.color.rgb = RGBColor(255, 255, 255) if dark else RGBColor(0, 0, 0)


def _writable(text: str) -> str:
    """Without what XML cannot hold; controls are gone already."""
    return text.replace("\ufffe", "").replace("\uffff", "")


def _saved(document: Document) -> bytes:
    """The document with every entry at one moment and in one order."""
    made, packed = io.BytesIO(), io.BytesIO()
    document.save(made)
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, EPOCH), old.read(name), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def main() -> int:
    """One order from standard input; the document, as ``pdf.read`` takes it, to standard output."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    if not isinstance(order.sheet, IssueForm):
        sys.stderr.write(Unprintable.__doc__ or "")
        return 2
    sys.stdout.buffer.write(msgspec.msgpack.encode(Printed(issue(order.sheet))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
