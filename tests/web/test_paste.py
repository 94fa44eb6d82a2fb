"""A text from another platform is read, compared with what is in force, and taken over with a click."""

from __future__ import annotations

import re

import pytest

from tests.web.site import INCIDENT, Site
from tests.web.test_issue import trust

TEXT = (
    "云州区气象台2027年7月21日2时10分发布暴雨红色预警信号：受对流云系影响，预计未来3小时降雨量将达100毫米以上。"
    "预警区域：聚乐乡、峰峪乡。"
)


def pasted(site: Site, text: str) -> str:
    answer = trust(site, "forecaster").post("/issue/paste", {"text": text})
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_is_read_and_taken_over_with_a_click(quiet: Site) -> None:
    page = pasted(quiet, TEXT)

    assert all(word in page for word in ("云州区气象台", "2027-07-21 02:10", "暴雨红色", "聚乐乡、峰峪乡"))
    url = re.search('href="(/issue[?][^"]+)"', page)[1].replace("&amp;", "&")
    form = trust(quiet, "forecaster").get(url).content.decode()
    assert len(re.findall('name="zone" value="[0-9]+" checked', form)) == 2
    assert re.search('value="rainstorm/red"[^>]* checked', form)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TEXT.replace("红色", "橙色"), "现行红色，文本为橙色"),
        (TEXT.replace("峰峪乡", "许堡乡"), "许堡乡现行无预警，文本为红色"),
        (TEXT.replace("峰峪乡", "蔡村镇"), "不是本区地名：蔡村镇"),
        (TEXT.replace("暴雨", "霾"), "本区没有这一信号"),
        ("今天天气晴。", "没有读出预警信号"),
    ],
)
def test_what_differs_from_what_is_in_force_is_said(busy: Site, text: str, said: str) -> None:
    assert busy.state(INCIDENT).alert.holds
    assert said in pasted(busy, text)
