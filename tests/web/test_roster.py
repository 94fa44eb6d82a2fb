"""The roster as a table: everything wrong at once with its line, all of it or nothing, out and in again without a change."""

from __future__ import annotations

import csv
import io
import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from fengsui.core.facts import DirectoryChanged
from fengsui.formats import roster as table
from fengsui.store import roster
from fengsui.store.accounts import Draft
from fengsui.store.sql import Session
from tests.flow.district import yunzhou
from tests.web.site import JULE, Site

HEADER = ",".join(table.COLUMNS)
UNIT = "聚乐乡人民政府"


def text(answer, status=200):
    assert answer.status_code == status, (answer.status_code, answer.content.decode()[-800:])
    return answer.content.decode()


def sent(at: Site, content: str | bytes, role="administrator"):
    data = content if isinstance(content, bytes) else content.encode()
    return at.client(role).post("/people/import", {"file": SimpleUploadedFile("名册.csv", data)})


def confirmed(at: Site, role="administrator", form="c1"):
    return at.client(role).post("/people/import", {"do": "confirm", "form": form})


def everyone(at: Site):
    session = Session()
    try:
        return {e.name: e for e in roster.everyone(session, at.house.vault)}
    finally:
        session.close()


def lines(page: str) -> list[str]:
    return [line.split("</td>")[0] for line in page.split('<tr><td class="num">')[1:]]


def test_every_wrong_row_is_listed_and_nothing_is_written(quiet):
    before = everyone(quiet)
    rows = [
        f",{UNIT},张三,10000000091,,,,,",
        ",聚乐镇,李四,10000000092,,,,,",
        f",{UNIT},王5,1,,,,,",
        f",{UNIT},赵六,,,,,,",
        f"p-none,{UNIT},孙七,10000000093,,,,,",
        f",{UNIT},周八,10000000094,,,,打更的,",
        f",{UNIT},吴九,100****94,,,,,",
        f",{UNIT},郑十,10000000095,,不是邮箱,,,",
    ]

    page = text(sent(quiet, "\n".join([HEADER, *rows])), 400)

    assert lines(page) == ["3", "4", "4", "5", "6", "7", "8", "9"]
    assert "是否“聚乐乡”" in page
    assert "11 位手机号，以 1 开头" in page
    assert "确认导入" not in page
    assert everyone(quiet) == before
    assert "W153" in text(confirmed(quiet), 400)


def test_a_sound_table_is_previewed_first_and_then_written_with_one_fact(quiet):
    head = quiet.holder(f"{JULE}/leader/1")
    rows = [
        f",{UNIT},张三,+86 10000000091,,zhang@example.invalid,,主要负责人,",
        f",{UNIT},李四,10000000092,,,,,值班员",
    ]
    count = len(quiet.facts(DirectoryChanged))

    page = text(sent(quiet, "\n".join([HEADER, *rows]).encode("gbk")))
    assert "<b>2</b> 人新增" in page
    assert "任主要负责人" in page
    assert "张三" not in everyone(quiet)
    assert "10000000091" not in Draft.objects.get(kind="roster").body

    assert confirmed(quiet)["Location"] == "/people"

    found = everyone(quiet)
    assert [(w.channel, w.value) for w in found["张三"].ways] == [
        ("sms", "10000000091"),
        ("email", "zhang@example.invalid"),
    ]
    assert quiet.holder(f"{JULE}/leader/1") == found["张三"].id != head
    assert quiet.house.writer.world.directory.posts[f"{JULE}/duty_officer/1"].deputy == found["李四"].id
    assert len(quiet.facts(DirectoryChanged)) == count + 1
    assert "W153" in text(confirmed(quiet), 400), "once confirmed it is gone"


@pytest.mark.parametrize("whole", ["", "?whole=1"])
def test_what_is_exported_is_imported_again_without_a_change(quiet, whole):
    exported = quiet.client("administrator").get(f"/people/table.csv{whole}").content

    page = text(sent(quiet, exported))

    assert "与现有名册完全相同" in page


def test_a_blank_cell_changes_nothing_and_a_word_empties_it(quiet):
    known = next(e for e in everyone(quiet).values() if e.id == quiet.holder(f"{JULE}/duty_officer/1"))

    page = text(sent(quiet, f"单位,姓名,邮箱\n{UNIT},{known.name},a@example.invalid"))
    assert "<b>1</b> 人有改动" in page
    confirmed(quiet)
    assert len(everyone(quiet)[known.name].ways) == 2
    assert quiet.holder(f"{JULE}/duty_officer/1") == known.id

    sent(quiet, f"单位,姓名,手机,岗位\n{UNIT},{known.name},无,无")
    confirmed(quiet, form="c2")
    assert [w.channel for w in everyone(quiet)[known.name].ways] == ["email"]
    assert quiet.holder(f"{JULE}/duty_officer/1") == ""


def test_a_deputy_who_rises_by_a_table_is_no_longer_his_own_deputy(quiet):
    post = quiet.house.writer.world.directory.posts[f"{JULE}/duty_officer/1"]
    name = next(e.name for e in everyone(quiet).values() if e.id == post.deputy)

    page = text(sent(quiet, f"编号,单位,姓名,岗位\n{post.deputy},{UNIT},{name},值班员"))
    assert "不再作B角：值班员" in page
    confirmed(quiet)

    after = quiet.house.writer.world.directory.posts[post.id]
    assert (after.holder, after.deputy) == (post.deputy, "")
    both = f"编号,单位,姓名,岗位,B角\n{post.deputy},{UNIT},{name},值班员,值班员"
    assert "本岗责任人以外的人" in text(sent(quiet, both), 400)


def test_two_rows_cannot_hold_one_post_nor_be_one_person(quiet):
    rows = [f",{UNIT},张三,10000000091,,,,值班员,", f",{UNIT},李四,10000000092,,,,值班员,"]
    known = next(iter(everyone(quiet).values()))

    assert "第 2 行已任此岗" in text(sent(quiet, "\n".join([HEADER, *rows])), 400)
    twice = f"编号,单位,姓名\n{known.id},{UNIT},甲\n{known.id},{UNIT},乙"
    assert "与第 2 行是同一人" in text(sent(quiet, twice), 400)


def test_a_township_imports_its_own_people_only(quiet):
    page = text(sent(quiet, f"{HEADER}\n,区水务局,张三,10000000091,,,,,", "township"), 400)

    assert "您只能维护本单位的名册" in page
    assert "<b>1</b> 人新增" in text(sent(quiet, f"{HEADER}\n,{UNIT},张三,10000000091,,,,,", "township"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "W150"),
        (b"\xff\xfe\x00\x00\xd8", "W152"),
        ("姓名,电话号码\n张三,1".encode(), "不认识的列"),
        (f'{HEADER}\n,{UNIT},"张三,10000000091'.encode(), "引号须成对"),
        (f"{HEADER}\n,{UNIT},张三,10000000091,,,,,,,".encode(), "多出 2 格"),
    ],
)
def test_what_is_no_such_table_is_refused_with_what_to_do(quiet, content, said):
    assert said in text(sent(quiet, content), 400)


def test_no_cell_is_taken_for_a_formula(quiet):
    sent(quiet, f"{HEADER}\n,{UNIT},=1+甲,10000000091,,,,,")
    page = text(sent(quiet, f"{HEADER}\n,{UNIT},=甲,10000000091,,,,,"))
    assert "<b>1</b> 人新增" in page
    confirmed(quiet)

    assert "'=甲" in quiet.client("administrator").get("/people/table.csv").content.decode()


def test_ten_thousand_rows_with_broken_ones_among_them_take_seconds(quiet):
    units = [u.name for u in yunzhou().units.values() if not u.valid_to]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(table.COLUMNS)
    for i in range(10_000):
        number = "12" if i % 100 == 50 else f"100{i + 1_000_000:08d}"
        writer.writerow(["", units[i % len(units)], f"张{chr(0x4E00 + i)}", number, "", "", "", "", ""])

    began = time.monotonic()
    page = text(sent(quiet, out.getvalue()), 400)
    assert "100 行有误" in page
    sent(quiet, out.getvalue().replace(",12,", ",10099999999,"))
    assert confirmed(quiet)["Location"] == "/people"

    assert time.monotonic() - began < 20
    assert len(everyone(quiet)) > 10_000
