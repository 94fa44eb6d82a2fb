"""版面 Printed forms as PDF: 预警信号发布单 and 叫应电话单, in our own fonts, the same bytes for the same form.

Pure but for reading its own templates and fonts. Data reach a template as JSON and are only ever shown as text.
Rendering takes tens of milliseconds for a page: it belongs into a job and never stands before sending. As a program
(``python -m fengsui.formats.pdf``) it reads an Order from standard input and writes what came of it to standard output.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec
import typst

from fengsui.core import calendar
from fengsui.core.levels import Level
from fengsui.core.series import Series, word
from fengsui.formats import badges

HERE = Path(__file__).parent
FORMS = HERE / "forms"
FONTS = HERE / "fonts"
SANS = "Fengsui Sans SC"
BLANK = "〓"
"""The printer's sign for a character that no font at hand has."""
UNSEEN = ("Cc", "Cf", "Zl", "Zp")
"""Unicode categories of what has no shape of its own: dropped, for it could turn the order of a line around."""
ARCHIVAL: Literal["a-2b"] = "a-2b"
"""PDF/A-2b: fonts embedded, nothing from outside; it also makes typst refuse a character without a shape."""

Ink = Literal["colour", "black"]
"""black: for fax and copier, no grey and no colour anywhere."""


class Unprintable(RuntimeError):  # noqa: N818 — read as a sentence where it is caught
    """版面无法生成：字体或版式文件缺损，请重新安装；数据本身不会引起此错误。[P001]"""


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """What ties a sheet to the ledger: number and hash (hexadecimal) of the last fact it knows of, and its moment.

    at: UTC µs; also the creation time inside the PDF. A sheet knows of no other now: the same position of the ledger
    gives the same bytes. zone: IANA name of the pack's zone, in which every moment of the sheet is shown.
    """

    seq: int
    hash: str
    at: int
    zone: str


class Channel(msgspec.Struct, frozen=True):
    """渠道 One way out: its name, when it was done (UTC µs, 0 = not yet), and a remark such as 应发 128，送达 126."""

    name: str
    done: int = 0
    note: str = ""


class IssueForm(msgspec.Struct, frozen=True, kw_only=True, tag="issue"):
    """预警信号发布单 What stands on it. Texts are whole and worded by the caller; an empty name leaves room to sign.

    signal: 暴雨红色预警信号; level: for its colour. areas: Chinese name of a level → places, strongest first; with one
    level only the places are shown. issued, begins, expires: UTC µs (expires 0 on lifting: the rows say so).
    badge: the signal's SVG, shown in colour only. impact, guide, replaces, reviewer, note: left out while empty.
    """

    number: str
    office: str
    signal: str
    level: Level
    action: str
    series: Series
    issued: int
    begins: int
    expires: int
    areas: dict[str, tuple[str, ...]]
    observed: str
    forecast: str
    guide: tuple[str, ...]
    receivers: tuple[str, ...]
    author: str
    signer: str
    channels: tuple[Channel, ...]
    seal: Seal
    badge: str = ""
    impact: str = ""
    replaces: str = ""
    reviewer: str = ""
    note: str = ""


class Callee(msgspec.Struct, frozen=True):
    """One person to ring: his part (本人, B角), his name, his numbers in the order to try — whole, or masked."""

    part: str
    name: str
    numbers: tuple[str, ...]


class CallRow(msgspec.Struct, frozen=True, kw_only=True):
    """叫应 A post that has not answered: whom to ring for it, one after the other; nobody = it is vacant.

    about: what to speak of, one of the sheet's ``words``. level: of the warning, "" = none. deadline: UTC µs by which
    an answer is due, 0 = none.
    """

    unit: str
    post: str
    people: tuple[Callee, ...]
    about: str = ""
    level: Level | Literal[""] = ""
    deadline: int = 0


class CallSheet(msgspec.Struct, frozen=True, kw_only=True, tag="calls"):
    """叫应电话单 The desk's list of persons to ring; always pure black.

    words: what to speak of → what to say. Rows stand in the caller's order, the most urgent first, as on his screen.
    whole: whether the numbers are; the sheet says what that means for whoever holds it.
    """

    office: str
    series: Series
    words: dict[str, str]
    rows: tuple[CallRow, ...]
    seal: Seal
    whole: bool = True


class DrillSheet(msgspec.Struct, frozen=True, kw_only=True, tag="drill"):
    """演练报告 What a drill came to, worded by the caller; pure black, by post and unit, without a name.

    facts: (what, words). shares: (minutes, share now, share the last time). clauses: (clause, title, five counts).
    rows: the cells of ``web.pages.drill_reports.COLUMNS``.
    """

    office: str
    title: str
    series: Series
    facts: tuple[tuple[str, str], ...]
    shares: tuple[tuple[str, str, str], ...]
    clauses: tuple[tuple[str, ...], ...]
    rows: tuple[tuple[str, ...], ...]
    seal: Seal


class Order(msgspec.Struct, frozen=True):
    """What a job prints."""

    sheet: IssueForm | CallSheet | DrillSheet
    ink: Ink = "colour"


class Printed(msgspec.Struct, frozen=True):
    """A sheet and what could not be set in our fonts.

    missing: characters outside our fonts, as they first occur. blank: those of them that no font of this machine
    has either; they stand as 〓 with their code at the foot of the sheet. Both empty = every character is ours.
    """

    pdf: bytes
    missing: tuple[str, ...] = ()
    blank: tuple[str, ...] = ()


def printed(order: Order) -> Printed:
    """Whatever is ordered. Raises Unprintable."""
    match order.sheet:
        case IssueForm() as form:
            return issue(form, ink=order.ink)
        case CallSheet() as sheet:
            return calls(sheet)
        case DrillSheet() as sheet:
            return drill(sheet)


def issue(form: IssueForm, *, ink: Ink = "colour") -> Printed:
    """The form of issue as an A4 PDF/A. Raises Unprintable."""
    badge = form.badge.replace(badges.FONT, SANS) if ink == "colour" else ""
    return _printed("issue", {"form": fields(form), "ink": ink}, form.series, form.seal, badge)


def calls(sheet: CallSheet) -> Printed:
    """The call sheet as an A4 PDF/A, about ten persons a page, column heads and page numbers on each. Raises Unprintable."""
    return _printed("calls", {"form": _calls(sheet), "ink": "black"}, sheet.series, sheet.seal)


def drill(sheet: DrillSheet) -> Printed:
    """The report of a drill as an A4 PDF/A. Raises Unprintable."""
    shown = {name: getattr(sheet, name) for name in ("office", "title", "facts", "shares", "clauses", "rows")}
    return _printed("drill", {"form": shown, "ink": "black"}, sheet.series, sheet.seal)


def fields(form: IssueForm) -> dict[str, object]:
    """What stands on the form of issue, worded: the same on paper and in a document."""
    zone, holds = form.seal.zone, bool(form.expires)
    one = len(form.areas) == 1
    said = (
        [("成因实况", form.observed), ("预报结论", form.forecast)] if holds else [("解除原因", form.observed)]
    )
    return {
        "number": form.number,
        "office": form.office,
        "signal": form.signal,
        "level": form.level,
        "action": form.action,
        "issued": moment(form.issued, zone),
        "valid": f"{moment(form.begins, zone)}至{moment(form.expires, zone)}"
        if holds
        else "已解除，即刻生效",
        "areas": [("" if one else level, "、".join(places)) for level, places in form.areas.items()],
        "rows": [*said, ("影响分析", form.impact)],
        "guide": form.guide,
        "receivers": "、".join(form.receivers),
        "hands": [("制作人", form.author), ("复核人", form.reviewer), ("签发人", form.signer)],
        "channels": [
            (c.name, _short(c.done, form.issued, zone) if c.done else "", c.note) for c in form.channels
        ],
        "replaces": form.replaces,
        "note": form.note,
    }


def _calls(sheet: CallSheet) -> dict[str, object]:
    zone, at = sheet.seal.zone, sheet.seal.at
    shown = [
        msgspec.to_builtins(row) | {"deadline": _short(row.deadline, at, zone) if row.deadline else ""}
        for row in sheet.rows
    ]
    return {"office": sheet.office, "words": list(sheet.words.items()), "whole": sheet.whole, "rows": shown}


def moment(at: int, zone: str) -> str:
    """A moment as 2027年7月21日02时13分."""
    here = calendar.local(at, zone)
    return f"{here.year}年{here.month}月{here.day}日{here.hour:02d}时{here.minute:02d}分"


def _short(at: int, beside: int, zone: str) -> str:
    """A moment in a narrow cell: with its date only when that is not the date of the moment beside it."""
    here = calendar.local(at, zone)
    day = "" if here.date() == calendar.local(beside, zone).date() else f"{here.month}月{here.day}日"
    return f"{day}{here.hour:02d}:{here.minute:02d}"


# ── setting 排版 ─────────────────────────────────────────────────────────────


def _printed(name: str, shown: dict[str, object], series: Series, seal: Seal, badge: str = "") -> Printed:
    foot = {
        "mark": word(series),
        "seq": seal.seq,
        "hash": seal.hash,
        "at": moment(seal.at, seal.zone),
    }
    cleaned = clean(msgspec.to_builtins(shown | {"foot": foot}), frozenset())
    missing = tuple(dict.fromkeys(c for text in _texts(cleaned) for c in text if c not in characters()))
    blank = tuple(char for char in missing if not _known(char))
    codes = {"blank": [f"U+{ord(char):04X}" for char in blank], "missing": missing}
    data = msgspec.json.encode([clean(cleaned, frozenset(blank)), codes]).decode()
    inputs = {"data": data, "badge": badge}
    pdf = _compile(FORMS / f"{name}.typ", inputs, seal.at, system=len(missing) > len(blank))
    return Printed(pdf, missing, blank)


def _compile(source: Path, inputs: dict[str, str], at: int, *, system: bool) -> bytes:
    """One document. Any warning is a defect of ours: an unknown family would be another font, silently."""
    try:
        pdf, warnings = typst.compile_with_warnings(
            source,
            root=FORMS,
            font_paths=fonts(system=system),
            sys_inputs=inputs,
            format="pdf",
            pdf_standards=ARCHIVAL,
            timestamp=at // calendar.SECOND,
            pdf_tags=False,
        )
    except typst.TypstError as error:
        raise Unprintable(f"{Unprintable.__doc__}（{error.message}）") from error
    if warnings:
        raise Unprintable(f"{Unprintable.__doc__}（{warnings[0].message}）")
    return pdf


@lru_cache(maxsize=2)
def fonts(*, system: bool) -> typst.Fonts:
    """Our fonts, and after them this machine's where a character needs one; never those inside the typesetter."""
    return typst.Fonts(include_system_fonts=system, include_embedded_fonts=False, font_paths=[FONTS])


@lru_cache(maxsize=1)
def characters() -> frozenset[str]:
    """Every character that all four of our fonts have; P001 when the table that goes with them is gone."""
    table = FONTS / "characters.txt"
    if not table.is_file():
        raise Unprintable(f"{Unprintable.__doc__}（{table.name}）")
    return frozenset(table.read_text(encoding="utf-8")) | {" ", "\n"}


@lru_cache(maxsize=4096)
def _known(char: str) -> bool:
    """Whether a font of this machine has a character that ours lack."""
    try:
        _compile(FORMS / "probe.typ", {"char": char}, 0, system=True)
    except Unprintable:
        return False
    return True


def _texts(value: object) -> Iterator[str]:
    """Every text that will be shown."""
    match value:
        case str():
            yield value
        case dict():
            for inner in value.values():
                yield from _texts(inner)
        case list() | tuple():
            for inner in value:
                yield from _texts(inner)


def clean(value: object, blank: frozenset[str]) -> object:
    """The same data with texts that can be set: no controls, composed, 〓 for what no font has."""
    match value:
        case str():
            return "".join(_shapes(unicodedata.normalize("NFC", value), blank))
        case dict():
            return {key: clean(inner, blank) for key, inner in value.items()}
        case list() | tuple():
            return [clean(inner, blank) for inner in value]
    return value


def _shapes(text: str, blank: frozenset[str]) -> Iterable[str]:
    for char in text:
        if char in blank:
            yield BLANK
        elif unicodedata.category(char) == "Cs":  # half a character: shown and reported as the sign for that
            yield "\ufffd"
        elif char == "\t" or (unicodedata.category(char) == "Zs" and char != "\u3000"):
            yield " "
        elif char == "\n" or (unicodedata.category(char) not in UNSEEN and not _selector(char)):
            yield char


def _selector(char: str) -> bool:
    """Variation selectors ask for another shape of the same character; without that font the plain shape stands."""
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


def main() -> int:
    """One order from standard input; the sheet, as ``read`` takes it, to standard output. 2: what is wrong is said."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    try:
        made = printed(order)
    except Unprintable as error:
        sys.stderr.write(str(error))
        return 2
    sys.stdout.buffer.write(msgspec.msgpack.encode(made))
    return 0


def read(made: bytes) -> Printed:
    """What the program wrote."""
    return msgspec.msgpack.decode(made, type=Printed)


if __name__ == "__main__":
    sys.exit(main())
