"""Printed forms: every word and number of the data stands on the paper, in our fonts, in the same bytes each time."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from fengsui.core.levels import LEVELS
from fengsui.formats import badges, packs, pdf

pytestmark = pytest.mark.foreign

MINUTE = 60_000_000
AT = 1_815_761_580_000_000
"""2027-07-17 02:13 in Asia/Shanghai."""
SEAL = pdf.Seal(seq=128_804, hash="9f2c" * 16, at=AT, zone="Asia/Shanghai")
PACK = packs.load("yunzhou")
WHOLE = pdf.FONTS
OURS = {"FengsuiSansSC-Bold", "FengsuiSansSC-Regular", "FengsuiSerifSC-Bold", "FengsuiSerifSC-Regular"}
TOWNSHIPS = tuple(a.name for a in PACK.areas.values() if a.kind == "township")
FORM = pdf.IssueForm(
    number="YZ-2027-0043",
    office="云州区气象台",
    signal="暴雨红色预警信号",
    level="red",
    action="发布",
    series="actual",
    issued=AT - 8 * MINUTE,
    begins=AT - 8 * MINUTE,
    expires=AT + 360 * MINUTE,
    areas={"红色": ("聚乐乡", "峰峪乡")},
    observed="00时至02时，聚乐乡降雨量104.2毫米。",
    forecast="预计未来3小时，上述地区仍有60～90毫米降雨。",
    guide=PACK.hazards["rainstorm"].levels["red"].guide,
    receivers=("区水务局", "区教育局"),
    author="甲子",
    signer="乙丑",
    channels=(pdf.Channel("短信（应急责任人）", AT - 7 * MINUTE, "应发128，送达126"), pdf.Channel("传真")),
    seal=SEAL,
)


WORDS = {"暴雨红色": "这里是云州区气象台，请立即到岗。", "大风蓝色": "这里是云州区气象台，请注意防风。"}


def a_row(at: int, **changed: object) -> pdf.CallRow:
    numbers = changed.pop("numbers", (f"1000000{at:04}", f"0352-000{at:04}"))
    name = changed.pop("name", f"甲{at:03}")
    row = pdf.CallRow(
        unit="聚乐乡人民政府",
        post="带班领导",
        people=(pdf.Callee("本人", name, numbers), pdf.Callee("B角", f"乙{at:03}", (f"1000001{at:04}",))),
        about="暴雨红色",
        level=LEVELS[at % 4],
        deadline=AT + (at * 37 % 90) * MINUTE,
    )
    return msgspec.structs.replace(row, **changed)


def a_sheet(*rows: pdf.CallRow, series: str = "actual", **changed: object) -> pdf.CallSheet:
    sheet = pdf.CallSheet(office="云州区气象台", series=series, words=WORDS, rows=rows, seal=SEAL)
    return msgspec.structs.replace(sheet, **changed)


def run(tool: str, *options: str, given: bytes) -> bytes:
    return subprocess.run((tool, *options), input=given, check=True, capture_output=True).stdout


def pages(printed: pdf.Printed) -> list[str]:
    """The words of each page, without the spaces and breaks of lines."""
    text = run("pdftotext", "-raw", "-", "-", given=printed.pdf).decode()
    return ["".join(page.replace("\u200b", "").split()) for page in text.split("\f")[:-1]]


def typefaces(printed: pdf.Printed, tmp_path: Path) -> set[str]:
    path = tmp_path / "form.pdf"
    path.write_bytes(printed.pdf)
    lines = run("pdffonts", str(path), given=b"").decode().splitlines()[2:]
    assert all(line.split()[-5] == "yes" for line in lines), "every font is embedded"
    return {line.split()[0].partition("+")[2].removesuffix("-Identity-H") for line in lines}


def tones(printed: pdf.Printed) -> set[bytes]:
    """The different pixels of all pages, without the smoothing of edges."""
    still = run("pdftoppm", "-r", "40", "-aa", "no", "-aaVector", "no", given=printed.pdf)
    found: set[bytes] = set()
    while still:
        _, size, _, still = still.split(b"\n", 3)
        width, height = map(int, size.split())
        picture, still = still[: width * height * 3], still[width * height * 3 :]
        found |= {picture[at : at + 3] for at in range(0, len(picture), 3)}
    return found


def test_the_form_of_issue_says_everything() -> None:
    printed = pdf.issue(FORM)
    (page,) = pages(printed)

    for said in (
        "气象灾害预警信号发布单", "编号：YZ-2027-0043", "云州区气象台", "暴雨红色预警信号",
        "2027年7月17日02时05分至2027年7月17日08时13分", "聚乐乡、峰峪乡", FORM.observed, FORM.forecast, *FORM.guide,
        "区水务局、区教育局", "制作人：甲子", "签发人：乙丑", "应发128，送达126", "02:06", "未完成",
        "台账第128804条", SEAL.hash, "第1页，共1页", "数据截至2027年7月17日02时13分",
    ):  # fmt: skip
        assert said in page
    assert (printed.missing, printed.blank) == ((), ())
    assert "演练" not in page
    assert "模拟" not in page


def test_a_long_form_runs_on_and_loses_nothing() -> None:
    names = tuple(unit.name for unit in PACK.units.values())
    areas = {"红色": TOWNSHIPS[:3], "橙色": TOWNSHIPS[3:]}
    link = "https://warning.example.invalid/" + "a" * 160
    form = msgspec.structs.replace(
        FORM, areas=areas, receivers=names, forecast="仍有强降雨。" * 60, impact="山洪风险高。" * 60, note=link,
        replaces="YZ-2027-0042", reviewer="阿卜杜热西提·买买提明·库尔班江", signer="",
        channels=tuple(pdf.Channel(f"渠道{n}", AT + 1440 * MINUTE, f"应发{n}") for n in range(30)),
    )  # fmt: skip
    shown = pages(pdf.issue(form))
    whole = "".join(shown)

    assert 2 <= len(shown) <= 4
    assert whole.count("仍有强降雨。") == whole.count("山洪风险高。") == 60
    assert all(name in whole for name in (*names, *TOWNSHIPS))
    assert all(f"渠道{n}" in whole for n in range(30))
    assert "7月18日02:13" in whole
    assert link in whole
    assert all("YZ-2027-0043" in page for page in shown)


def test_a_lifting_has_no_end() -> None:
    form = msgspec.structs.replace(
        FORM, action="解除", expires=0, observed="降雨已减弱。", forecast="", guide=()
    )
    (page,) = pages(pdf.issue(form))

    assert "有效时段已解除，即刻生效" in page
    assert "解除原因降雨已减弱。" in page
    assert "预报结论" not in page
    assert "防御指南" not in page


@pytest.mark.parametrize("count", [1, 300])
def test_every_person_to_call_stands_on_the_sheet_once(count: int) -> None:
    shown = pages(pdf.calls(a_sheet(*map(a_row, range(count)))))

    whole = "".join(shown)
    for at in range(count):
        for said in (f"甲{at:03}", f"1000000{at:04}", f"0352-000{at:04}", f"乙{at:03}", f"1000001{at:04}"):
            assert whole.count(said) == 1, said
    assert all(whole.count(words) == 1 for words in WORDS.values())
    for at, page in enumerate(shown, 1):
        assert "应答（勾选）" in page, "the column heads are repeated"
        assert f"第{at}页，共{len(shown)}页" in page


def test_a_sheet_without_anybody_says_so() -> None:
    (page,) = pages(pdf.calls(a_sheet()))

    assert "共0项" in page
    assert "没有未签收的人，不用打电话。" in page


def test_rows_stand_as_on_the_screen() -> None:
    (page,) = pages(pdf.calls(a_sheet(*map(a_row, (3, 1, 2)))))

    assert sorted((1, 2, 3), key=lambda at: page.index(f"甲{at:03}")) == [3, 1, 2]


def test_a_vacant_post_and_a_mute_person_are_no_blank_cells() -> None:
    (page,) = pages(pdf.calls(a_sheet(a_row(1, people=()), a_row(2, numbers=()))))

    assert "岗位空缺，请打该单位值班电话" in page
    assert "甲002无可用号码" in page


def test_the_sheet_says_what_its_numbers_mean_for_whoever_holds_it() -> None:
    whole, masked = (pages(pdf.calls(a_sheet(a_row(1), whole=w)))[0] for w in (True, False))

    assert "本单含完整号码，不得外传，用后销毁。" in whole
    assert "本单号码不完整" in masked
    assert "本单含完整号码" not in masked


def test_a_row_taller_than_a_page_runs_on() -> None:
    numbers = tuple(f"1000002{n:04}" for n in range(300))
    whole = "".join(
        pages(pdf.calls(a_sheet(a_row(0, numbers=numbers), words={"暴雨红色": "请立即到岗。" * 600})))
    )

    assert all(number in whole for number in numbers)
    assert whole.count("岗。") == 600


@pytest.mark.parametrize(("series", "mark"), [("exercise", "演练"), ("test", "模拟")])
def test_what_is_not_in_earnest_says_so_on_every_page(series: str, mark: str) -> None:
    sheet = pdf.calls(a_sheet(*map(a_row, range(40)), series=series))
    form = pdf.issue(msgspec.structs.replace(FORM, series=series))

    for page in (*pages(sheet), *pages(form)):
        assert f"【{mark}】非真实预警" in page
        assert page.replace(f"【{mark}】", "").count(mark) == 1, "and across the page"


def test_only_our_fonts_are_used(tmp_path: Path) -> None:
    assert typefaces(pdf.issue(FORM), tmp_path) <= OURS
    assert typefaces(pdf.calls(a_sheet(a_row(1))), tmp_path) <= OURS


def test_all_four_fonts_have_every_character_we_claim(tmp_path: Path) -> None:
    """PDF/A refuses a character without a shape, and here no other font can help."""
    claimed = "".join(sorted(pdf.characters() - {" ", "\n"}))
    assert len(claimed) > 9_000

    body = pdf._compile(pdf.FORMS / "probe.typ", {"char": claimed}, 0, system=False)

    assert len(typefaces(pdf.Printed(body), tmp_path)) == 4


def test_every_text_of_the_pack_can_be_printed() -> None:
    folder = Path(packs.__file__).parent.parent / "mechanism"
    texts = (path.read_text(encoding="utf-8") for path in folder.rglob("*.t*"))

    assert set().union(*texts) - pdf.characters() == set()


def test_every_text_of_the_forms_can_be_printed() -> None:
    texts = (path.read_text(encoding="utf-8") for path in pdf.FORMS.glob("*.typ"))

    assert set().union(*texts) - pdf.characters() == set()


def test_a_character_no_font_has_is_shown_as_such_and_reported() -> None:
    printed = pdf.calls(a_sheet(a_row(1, name="甲\ue0de乙")))
    (page,) = pages(printed)

    assert (printed.missing, printed.blank) == (("\ue0de",), ("\ue0de",))
    assert "甲〓乙" in page
    assert "U+E0DE" in page


def test_a_rare_character_is_reported_and_found_elsewhere_where_there_is_a_font() -> None:
    printed = pdf.issue(msgspec.structs.replace(FORM, author="𠮷田"))
    (page,) = pages(printed)

    assert printed.missing == ("𠮷",)
    assert printed.blank in ((), ("𠮷",))
    assert ("〓田" if printed.blank else "𠮷田") in page


@pytest.mark.parametrize(
    "text",
    [
        '#import "@preview/x:1.0.0": *', '#read("/etc/passwd")', "\\ $x^2$ `raw` *b* _i_ <label> @ref // c /* d */",
        '"}], {"mark": ""', "= 标题 - 列表 + 一 / 二: 三", "#panic()", "\\u{41} --- ~ ...", "'single' \"double\"",
    ],
)  # fmt: skip
def test_data_stay_text(text: str) -> None:
    expected = "".join(text.split())
    form = msgspec.structs.replace(FORM, observed=text, author=text, number=text, office=text)
    sheet = a_sheet(a_row(1, name=text, unit=text, numbers=(text,)), words={"暴雨红色": text})

    assert "".join(pages(pdf.issue(form))).count(expected) >= 4
    assert "".join(pages(pdf.calls(sheet))).count(expected) == 4


def test_what_has_no_shape_is_dropped() -> None:
    row = a_row(1, name="甲\u202e乙\u200b丙\ufe0f\x00\x1b丁\ud800")

    printed = pdf.calls(a_sheet(row))

    assert printed.missing == ("\ufffd",)
    assert "甲乙丙丁" in pages(printed)[0]


def test_the_sheet_for_the_fax_is_black_and_white() -> None:
    both = {b"\x00\x00\x00", b"\xff\xff\xff"}
    form = msgspec.structs.replace(FORM, series="exercise")

    assert tones(pdf.calls(a_sheet(*map(a_row, range(30)), series="exercise"))) == both
    assert tones(pdf.issue(form, ink="black")) == both
    assert tones(pdf.issue(FORM)) > both


def test_the_same_form_gives_the_same_bytes() -> None:
    sheet = a_sheet(*map(a_row, range(20)))

    assert pdf.issue(FORM) == pdf.issue(FORM)
    assert pdf.calls(sheet) == pdf.calls(sheet)


@pytest.mark.parametrize("order", [pdf.Order(FORM, "black"), pdf.Order(a_sheet(a_row(1, name="甲\ue0de乙")))])
def test_the_program_prints_the_same(order: pdf.Order) -> None:
    given = msgspec.json.encode(order)
    made = run(sys.executable, "-m", "fengsui.formats.pdf", given=given)

    assert pdf.read(made) == pdf.printed(order)


def test_the_badge_stands_on_the_form_in_our_font_and_only_in_colour(tmp_path: Path) -> None:
    form = msgspec.structs.replace(FORM, badge=badges.badge("rainstorm", "red", "暴雨", "Rainstorm"))
    printed = pdf.issue(form)

    assert "RAINSTORM" in pages(printed)[0].upper()
    assert {"FengsuiSansSC-Bold"} <= typefaces(printed, tmp_path) <= OURS
    assert pdf.issue(form, ink="black") == pdf.issue(FORM, ink="black")


def test_a_page_takes_less_than_a_second() -> None:
    pdf.fonts.cache_clear()
    began = time.monotonic()
    pdf.issue(FORM)

    assert time.monotonic() - began < 1


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """An installation without a single font; nothing remembered of the whole one, and nothing of this one afterwards."""
    monkeypatch.setattr(pdf, "FONTS", tmp_path)
    _forget()
    yield tmp_path
    _forget()


def _forget() -> None:
    pdf.fonts.cache_clear()
    pdf.characters.cache_clear()


def test_a_missing_font_is_an_error_and_not_another_font(broken: Path) -> None:
    shutil.copy(WHOLE / "characters.txt", broken)
    with pytest.raises(pdf.Unprintable, match="P001"):
        pdf.issue(FORM)


def test_a_missing_table_of_characters_is_the_same_error(broken: Path) -> None:
    with pytest.raises(pdf.Unprintable, match="P001"):
        pdf.issue(FORM)
