"""角标 Badges: a warning signal as one self-contained SVG — pictogram, upright Chinese name, band with colour word and English.

Pure. Drawn by us; not the official artwork of GB/T 27962. Only presentation attributes, no style, no script, no outside
reference, so that it stands under any policy, in a page, on paper or on the air. Red and blue bear white ink, orange
and yellow black, so that the word is legible without the colour.
"""

from __future__ import annotations

from html import escape

GROUND = {"red": "#d60010", "orange": "#f08300", "yellow": "#ffd800", "blue": "#0b57b0"}
INK = {"red": "#fff", "orange": "#000", "yellow": "#000", "blue": "#fff"}
WORD = {"red": "红", "orange": "橙", "yellow": "黄", "blue": "蓝"}
FONT = "Source Han Sans SC,Noto Sans CJK SC,Noto Sans SC,Microsoft YaHei,PingFang SC,WenQuanYi Micro Hei,SimHei,sans-serif"

_CLOUD = '<path d="M17 33a11 11 0 0 1 1-22 15 15 0 0 1 28-1 12 12 0 0 1 1 23z"/>'
_RAIN = '<path d="M20 40l-5 13M32 40l-5 13M44 40l-5 13" {line} stroke-width="4.5"/>'
_BOLT = '<path d="M35 4L14 36h14l-6 24 26-36H34l10-20z"/>'
_FLAKE = '<path d="M32 6v52M9.5 19l45 26M54.5 19l-45 26M25 9l7 7 7-7M25 55l7-7 7 7M10 27l9-2-2-9M54 37l-9 2 2 9M54 27l-9-2 2-9M10 37l9 2-2 9" {line} stroke-width="4"/>'
_WIND = '<path d="M4 22h36a9 9 0 1 0-8-13M4 34h48a8 8 0 1 1-7 12M4 46h24a7 7 0 1 1-6 11" {line} stroke-width="5"/>'
_BANG = (
    '<path d="M32 5L60 57H4z"/><path d="M32 22v18M32 46v5" stroke="{ground}" stroke-width="6" fill="none"/>'
)
_WAVES = '<path d="M4 {0}q7-7 14 0t14 0 14 0 14 0" {{line}} stroke-width="5"/>'
_GLASS = '<path d="M26 8a7 7 0 0 1 14 0v26a14 14 0 1 1-14 0z" {line} stroke-width="4.5"/><circle cx="33" cy="45" r="8"/>'

_PICTURES = {
    "rainstorm": _CLOUD + _RAIN,
    "snowstorm": _CLOUD
    + '<path d="M18 40v12M13 43l10 6M23 43l-10 6M42 40v12M37 43l10 6M47 43l-10 6M30 48v12M25 51l10 6M35 51l-10 6" {line} stroke-width="2.6"/>',
    "hail": _CLOUD + '<circle cx="18" cy="43" r="5"/><circle cx="32" cy="53" r="6"/><circle cx="45" cy="42" r="5"/>',
    "lightning": _BOLT,
    "thunderstorm_gale": '<g transform="translate(0 -6) scale(.92)">'
    + _WIND
    + '</g><path d="M50 30L38 47h8l-4 14 15-19h-9l6-12z"/>',
    "severe_convection": '<path d="M17 28a9 9 0 0 1 1-19 15 15 0 0 1 28-1 10 10 0 0 1 1 20z"/><path d="M35 30L22 47h9l-4 14 16-20h-9l8-11z"/><path d="M14 34l-4 11M52 34l-4 11" {line} stroke-width="4"/>',
    "gale": '<path d="M10 4v57" {line} stroke-width="5"/><path d="M12 5l46 13L12 34z"/><path d="M24 46h34M24 56h22" {line} stroke-width="5"/>',
    "typhoon": '<path d="M40 4C18 4 8 18 8 32a24 24 0 0 0 16 23c-4 2-9 4-14 5 32 2 46-12 46-28A24 24 0 0 0 40 9c3-2 7-3 12-3-4-2-8-2-12-2z"/><circle cx="32" cy="32" r="8" fill="{ground}"/>',
    "cold_wave": '<g transform="translate(-6 8) scale(.75)">'
    + _FLAKE
    + '</g><path d="M54 8v44M45 42l9 11 9-11" {line} stroke-width="5"/>',
    "persistent_cold": '<g transform="translate(-8 2)">'
    + _GLASS
    + '</g><path d="M44 14h17M44 26h12M44 38h17" {line} stroke-width="5"/>',
    "heat": '<g transform="translate(6 2)">' + _GLASS + '</g><path d="M4 20h18M13 11v18" {line} stroke-width="5"/>',
    "frost": '<g transform="translate(10 0) scale(.7)">' + _FLAKE + '</g><path d="M6 44v15h52V44" {line} stroke-width="5"/>',
    "fog": '<path d="M6 14h44M16 26h44M6 38h36M50 38h8M12 50h44" {line} stroke-width="6"/>',
    "haze": '<path d="M6 12h8M22 12h36M6 52h36M50 52h8" {line} stroke-width="5"/><path d="M32 32c8-14 24-12 24 0s-16 14-24 0-24-12-24 0 16 14 24 0z" {line} stroke-width="5"/>',
    "heavy_pollution": '<path d="M6 60V34h14v26zM26 60V26h14v34z"/><path d="M13 27c0-9 10-5 10-14M33 19c0-8 12-4 12-14M46 52h14M46 40h14" {line} stroke-width="5"/>',
    "sandstorm": '<path d="M46 8H24a11 11 0 0 0 0 22h16a11 11 0 0 1 0 24H14" {line} stroke-width="6"/><path d="M4 30h50M46 22l12 8-12 8" {line} stroke-width="4"/><circle cx="6" cy="46" r="3"/><circle cx="54" cy="18" r="3"/>',
    "dust": '<path d="M6 20h40M6 34h52M6 48h34" {line} stroke-width="5"/><circle cx="54" cy="20" r="3.5"/><circle cx="48" cy="48" r="3.5"/><circle cx="58" cy="48" r="2.5"/>',
    "road_ice": '<path d="M22 4h20l18 56H4z"/><path d="M32 10v9M32 27v11M32 46v12" stroke="{ground}" stroke-width="4" fill="none"/>',
    "drought": '<path d="M4 44h56M14 44l8 16M34 44l-6 16M48 44l6 16M22 52l8 3" {line} stroke-width="4"/><circle cx="32" cy="22" r="10"/><path d="M32 3v5M14 8l4 4M50 8l-4 4M10 24h5M49 24h5" {line} stroke-width="4"/>',
    "forest_fire": '<path d="M22 4L4 30h9L3 46h15v14h8V46h14L30 30h9z"/><path d="M50 22c2 9 12 14 12 24 0 9-6 14-12 14s-11-5-11-12c0-6 5-8 6-13 3 2 4 5 4 8 3-6 3-14 1-21z"/>',
    "flash_flood_risk": '<path d="M2 38L20 8l11 18 7-10 24 22z"/>' + _WAVES.format(46) + _WAVES.format(57),
    "geohazard": '<path d="M2 60L2 34 22 8l14 22 10 8 16 22z"/><circle cx="46" cy="16" r="6"/><circle cx="56" cy="30" r="5"/><path d="M22 22l8 14-8 10 10 14" stroke="{ground}" stroke-width="4" fill="none"/>',
}  # fmt: skip
"""Pictograms in a box of 64 by 64, our own; a hazard without one shows a plain sign of danger."""


def badge(hazard: str, level: str, name: str, english: str, *, mark: str = "") -> str:
    """The badge of a hazard (id, Chinese and English name) at a level, 120 by 104; mark: 演练 or 模拟 across it.

    Whether the pair exists is the pack's to say. Raises KeyError for a level that is none of the four.

    >>> badge("rainstorm", "red", "暴雨", "Rainstorm").count("<text")
    4
    """
    ground, ink = GROUND[level], INK[level]
    line = f'fill="none" stroke="{ink}" stroke-linecap="round" stroke-linejoin="round"'
    picture = _PICTURES.get(hazard, _BANG).replace("{line}", line).replace("{ground}", ground)
    columns = _columns(name)
    room = 74 if len(columns) == 1 else 62
    scale = room / 80
    title = f"{name}{WORD[level]}色预警信号"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 104" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>"
        f'<rect width="120" height="104" rx="7" fill="{ground}"/>'
        f'<rect x="3.5" y="3.5" width="113" height="97" rx="4.5" fill="none" stroke="{ink}" stroke-width="2"/>'
        f'<g transform="translate(11 {40 - 32 * scale:.1f}) scale({scale:.3f})" fill="{ink}">{picture}</g>'
        f'<path d="M4 74h112" stroke="{ink}" stroke-width="2"/>'
        f'<g fill="{ink}" font-family="{FONT}" font-weight="700" text-anchor="middle">'
        f"{_upright(columns)}"
        f'<text x="20" y="94.5" font-size="21">{WORD[level]}</text>{_english(english)}</g>'
        f"{_marked(mark)}</svg>"
    )


def sign(hazard: str, level: str, id_: str) -> str:
    """The small sign of a hazard at a level, 34 by 20, as a symbol of that id: drawn once, used wherever it stands.

    Pictogram and colour word, in the font of where it stands. Raises KeyError for a level that is none of the four.

    >>> sign("gale", "blue", "s").count("蓝")
    1
    """
    ground, ink = GROUND[level], INK[level]
    line = f'fill="none" stroke="{ink}" stroke-linecap="round" stroke-linejoin="round"'
    picture = _PICTURES.get(hazard, _BANG).replace("{line}", line).replace("{ground}", ground)
    return (
        f'<symbol id="{escape(id_)}" viewBox="0 0 34 20"><rect width="34" height="20" rx="3" fill="{ground}"/>'
        f'<g transform="translate(3 2) scale(.25)" fill="{ink}">{picture}</g>'
        f'<text x="26" y="14.5" font-size="12" font-weight="700" text-anchor="middle" fill="{ink}">{WORD[level]}</text></symbol>'
    )


def _columns(name: str) -> tuple[str, ...]:
    """An upright name in one column, or in two from the right where it is longer than four characters."""
    if len(name) <= 4:
        return (name,)
    half = (len(name) + 1) // 2
    return (name[:half], name[half:])


def _upright(columns: tuple[str, ...]) -> str:
    longest = max(map(len, columns))
    size = {1: 27, 2: 27, 3: 20, 4: 15.5}[longest] if len(columns) == 1 else {3: 18, 4: 15}[longest]
    step = size * 1.08
    found = []
    for number, column in enumerate(columns):
        x = 113 - size * (0.62 + number * 1.06)
        top = 40 - step * len(column) / 2 if len(columns) == 1 else 40 - step * longest / 2
        found += [
            f'<text x="{x:.1f}" y="{top + step * (at + 0.85):.1f}" font-size="{size}">{escape(char)}</text>'
            for at, char in enumerate(column)
        ]
    return "".join(found)


def _english(english: str) -> str:
    """The English name in capitals: one line, or two smaller ones; words in brackets are left out."""
    words = english.split(" (", maxsplit=1)[0].upper().split()
    line = " ".join(words)
    if len(line) <= 13:
        return f'<text x="74" y="92" font-size="{11.5 if len(line) <= 10 else 10}">{escape(line)}</text>'
    best = min(
        range(1, len(words)),
        key=lambda n: abs(len(" ".join(words[:n])) - len(" ".join(words[n:]))),
        default=1,
    )
    lines = [" ".join(words[:best]), " ".join(words[best:])]
    size = min(9.0, 118 / max(map(len, lines)))
    return "".join(
        f'<text x="74" y="{86 + n * 9.5:.1f}" font-size="{size:.1f}">{escape(text)}</text>'
        for n, text in enumerate(lines)
    )


def _marked(mark: str) -> str:
    if not mark:
        return ""
    return (
        '<g transform="rotate(-18 60 52)"><rect x="6" y="38" width="108" height="30" fill="#fff" fill-opacity=".9" stroke="#000"'
        f' stroke-width="2" stroke-dasharray="6 4"/><text x="60" y="61" font-size="22" font-family="{FONT}" font-weight="700"'
        f' text-anchor="middle" letter-spacing="4" fill="#000">{escape(mark)}</text></g>'
    )
