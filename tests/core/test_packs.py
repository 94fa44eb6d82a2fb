"""A wrong pack is refused, and the refusal names the file, the field and what was expected."""

import re
import shutil

import pytest

from fengsui.core.lint import lint
from fengsui.core.lint_tables import Fault
from fengsui.formats import packs

C242, C241, C43, C42B = (f"yunzhou/clauses/{i}.toml" for i in ("2.4.2", "2.4.1", "2.4.3", "4.2.b"))
TABLES, UNITS, AREAS, TEXTS = (f"yunzhou/{name}.toml" for name in ("tables", "units", "areas", "texts"))
RAIN = "shanxi/hazards/rainstorm.toml"
NIGHT = "yunzhou/drills/rainstorm.toml"

WRONG = [
    # file, what stands there, what is written instead, the refusal
    (C242, '["members", "townships"]\nlead', '["members", "townshps"]\nlead',
     "条款 2.4.2.toml「responsible」写了“townshps”，没有这类单位。可用：members 成员单位、townships 乡镇，或 units.toml 里的单位。[P014]"),
    (C242, 'lead = ["townships"', 'lead = ["village"', "条款 2.4.2.toml「lead」写了“village”，没有这类单位。"),
    (C242, 'who = ["suspended"]', 'who = ["stopped"]', "条款 2.4.2.toml「duty.resume.who」写了“stopped”，没有这类单位。"),
    (C242, '"snowstorm"', '"blizzard"', "条款 2.4.2.toml「duty.respond.trigger.hazards」写了“blizzard”，没有这个灾种。可用：cold_wave"),
    (C242, 'levels = ["red"]', 'levels = ["purple"]', "写了“purple”，没有这个级别。可用：blue、yellow、orange、red。[P016]"),
    (C242, '"suspension_decided"', '"decided"', "条款 2.4.2.toml「duty.decide.evidence」写了“decided”，没有哪件事会产生它"),
    (C242, 'ladder = "urgent"', 'ladder = "urgnt"', "写了“urgnt”，没有这个阶梯。可用：call-up、urgent、office、daily、supervised。[P018]"),
    (C242, 'latest = "10m"\n', "", "条款 2.4.2.toml「duty.respond.latest」没有写：从接收起算"),
    (C242, 'within_basis = "本区约定（待核实）"\n', "", "条款 2.4.2.toml「duty.respond.within_basis」没有写：原文没有时限数字"),
    (C242, 'within = "30m"', 'within = "30min"', "条款 2.4.2.toml「duty.respond.within」写了“30min”，不是时间长度。应为整数加 m、h、d 或 wd"),
    (C242, 'within = "30m"\n', "", "条款 2.4.2.toml「duty.respond.within」没有写。"),
    (C242, "2.当接收到暴雨", "2.当收到暴雨", "条款 2.4.2.toml「quotes」写了“2.当收到暴雨、暴雪、雷暴大风红色预警时…”，原文没有这句话。"),
    (C242, 'name = "respond"', 'name = "decide"', "条款 2.4.2.toml「name」“decide”出现了不止一次，同一条内不得重名。[P032]"),
    (C242, 'title = "执行反馈"\n', "", "条款 2.4.2.toml「duty.report.title」没有写，此项必填，应为文字。[P005]"),
    (C242, "within = ", "deadlin = ", "条款 2.4.2.toml「duty.respond.deadlin」没有这个键。可用：name、title、trigger、who"),
    (C242, 'cancel = "drop"', 'cancel = "dropp"', "条款 2.4.2.toml「duty.decide.cancel」写了“dropp”。可用：drop、stay。[P007]"),
    (C242, 'title = "红色预警停工停业停课"', "title = 242", "条款 2.4.2.toml「title」写成了整数，应为文字。[P006]"),
    (C242, 'id = "2.4.2"', 'id = "2.4.3"', "条款 2.4.2.toml「id」写了“2.4.3”，应与文件同名：2.4.2。[P008]"),
    (C242, "verified = false", "verified = false\nverified = true", "条款 2.4.2.toml「TOML」读不懂："),
    (C242, 'mechanism = "suspension"', 'mechanism = "stop"', "条款 2.4.2.toml「duty.decide.use.mechanism」写了“stop”。可用："),
    (C241, 'red = "15m", ', "", "条款 2.4.1.toml「duty.relay.within」缺少 red，这些级别也会触发本职责。"),
    (C241, '["support"]', '["help"]', "条款 2.4.1.toml「duty.support.trigger.what」写了“help”，没有这个报告。"),
    (C43, 'audience = "media"', 'audience = "tv"', "条款 2.4.3.toml「notice.media.audience」写了“tv”，没有这个对象。可用：responsible、forwarded、media、office。[P019]"),
    (C43, 'template = "order"', 'template = "ordr"', "条款 2.4.3.toml「notice.media.template」写了“ordr”，没有这个文本。"),
    (C42B, 'ladder = "supervised"', 'ladder = "urgent"', "条款 4.2.b.toml「duty.reply_urgent.ladder」阶梯“urgent”含有 supervise，而它又会开立本职责"),
    ("yunzhou/clauses/2.2.toml", "planned = true", "planned = false", "条款 2.2.toml「duty.supply.trigger.on」写了“dataset”（数据集），本版本尚不支持。"),
    ("yunzhou/clauses/4.2.a.toml", "planned = true", "planned = false", "写了“assignment”（任务清单），本版本尚不支持。"),
    ("yunzhou/clauses/2.3.b.toml", '"disowned"', '"left"', "写了“left”，没有这个词。可用：added、corrected、departed、bounced、disowned。[P040]"),
    ("yunzhou/clauses/2.3.b.toml", '"quarterly-10"', '"q-10"', "写了“q-10”，不是日期。"),
    ("yunzhou/clauses/2.1.4.toml", "holiday:国庆", "holiday:国庆节", "条款 2.1.4.toml「duty.hold.trigger.days」写了“国庆节”，没有这个节日。可用：国庆、春节。[P038]"),
    ("yunzhou/clauses/4.1.toml", "responsible_basis", "note", "条款 4.1.toml「responsible_basis」没有写："),
    (TABLES, 'blue   = [{ at = "45m", do = "remind" }, { at = "60m", do = "desk" }]\n', "",
     "条款 2.4.1.toml「duty.acknowledge.ladder」阶梯“call-up”没有 blue 的步骤"),
    (TABLES, 'at = "45m", do = "remind"', 'at = "45m", do = "call"', "tables.toml「ladder.call-up.steps.blue.1.do」写了“call”。可用：bulletin、deputy"),
    (TABLES, 'at = "60m"', 'at = "1 h"', "tables.toml「ladder.call-up.steps」写了“1 h”，不是时间长度。"),
    (TABLES, 'channels = ["voice"]', 'channels = ["phone"]', "tables.toml「ladder.call-up.steps」写了“phone”，没有这个渠道。可用：sms、voice"),
    (TABLES, 'blue   = ["duty_officer"]', 'blue   = ["officer"]', "tables.toml「audience.responsible.roles」写了“officer”，没有这个岗位。"),
    (TABLES, 'orange = ["schools", "sites"]', 'orange = ["school"]', "tables.toml「audience.responsible.lists」写了“school”，没有这个名单。"),
    (TABLES, "[report]", "[reports]", "tables.toml「reports」没有这类表。可用：ladder、audience、report、addressee、resend。[P004]"),
    ("national/tables.toml", 'first = "1m"', 'first = "0m"', "tables.toml「resend.doubt.first」写了“0m”，应为至少一分钟的时间长度"),
    ("national/tables.toml", "产品约定（待核实）：红色预警六小时内同一人至多收到九次", "", "tables.toml「resend.doubt.basis」没有写。请写这个间隔由谁定。[P021]"),
    ("national/tables.toml", "[resend.doubt]", "[resend.dout]", "tables.toml「resend.doubt」没有写，包链中也无人写。[P002]"),
    (UNITS, 'superior = "government"', 'superior = "goverment"', "units.toml「unit.natural_resources.superior」写了“goverment”，没有这个单位。"),
    (UNITS, 'area = "140215209"', 'area = "140215205000"', "units.toml「unit.聚乐乡.area」写了“140215205000”，没有这个区域。"),
    (UNITS, 'id = "water"', 'id = "emergency"', "units.toml「unit.emergency」id 重复，每个 id 只能有一项。[P010]"),
    (UNITS, 'name = "区水务局"', 'name = "区应急管理局"', "units.toml「unit.name」“区应急管理局”出现了 2 次，不得重复。[P032]"),
    (AREAS, 'parent = "140215209"', 'parent = "140215211"', "areas.toml「area.140215209200.parent」写了“140215211”。上级的 id 须是本区域 id 的开头"),
    (AREAS, '{ id = "140215209",', '{ id = "14021520900",', "areas.toml「area.14021520900.id」应为统计代码 140215209000 去掉末尾成组的 000，即 140215209。"),
    (AREAS, 'valid_to = "2021-10-31"', 'valid_from = "2022-01-01", valid_to = "2021-10-31"', "应晚于 valid_from“2022-01-01”。[P028]"),
    (AREAS, 'scheme = "mca"', 'scheme = "gb"', "areas.toml「area.140215.codes.2.scheme」写了“gb”。可用：mca、nbs。[P007]"),
    (TEXTS, "{issuer}{date}{time}{action}", "{issuer}{day}{time}{action}", "texts.toml「templates.alert」写了“{day}”，此处没有这一项。可用：action、areas"),
    (TEXTS, "{areas}。请做好防范。", "{areas。请做好防范。", "texts.toml「templates.alert」花括号不成对。[P031]"),
    (TEXTS, "badge = ", "bage = ", "texts.toml「templates.badge」没有写，系统要用到这句话。[P039]"),
    ("national/geocodes.toml", 'MCA = "mca"', 'MCA = "gb"', "geocodes.toml「names.MCA」写了“gb”。可用：mca、nbs。[P007]"),
    (RAIN, 'op = "≥"', 'op = ">="', "灾种 rainstorm.toml「levels.blue.criterion[0].op」写了“>=”，没有这个词。可用：≥、≤"),
    (RAIN, "value = 50, ", "", "灾种 rainstorm.toml「levels.blue.criterion[0]」写了 var，就须有 op"),
    (RAIN, "window_h = 24", "windows_h = 24", "灾种 rainstorm.toml「levels.blue.criterion[0]」写了“windows_h”"),
    (RAIN, "见 S31", "见 S9", "灾种 rainstorm.toml「levels.blue.source」引了“S9”，sources.toml 里没有这个来源。[P037]"),
    (RAIN, "valid_hours = 24", 'valid_hours = "24"', "灾种 rainstorm.toml「levels.blue.valid_hours」写成了文字，应为"),
    (RAIN, "[levels.blue]", "[levels.purple]", "写了“purple”，没有这个级别。"),
    ("shanxi/hazards/forest_fire.toml", '"forestry"', '"forest"', "灾种 forest_fire.toml「issuers」写了“forest”，没有这个单位。"),
    ("yunzhou/rights.toml", 'red = ["signer"]', 'red = ["boss"]', "rights.toml「sign」写了“boss”，没有这个岗位。可用：forecaster、signer"),
    ("yunzhou/rights.toml", 'red = ["signer"]\n', "", "rights.toml「sign」须恰好有 blue、yellow、orange、red 四级。[P022]"),
    ("yunzhou/almanac.toml", '"2027-06-09"', '"6月9日"', "almanac.toml「off、work、holidays」写了“6月9日”，应为日期，例如 2027-10-01。[P028]"),
    ("yunzhou/document.toml", 'reason = "标题"', 'why = "标题"', "document.toml「not_executable」须有 quote"),
    ("yunzhou/pack.toml", 'district = "140215"', 'district = "140216"', "pack.toml「district」写了“140216”，没有这个区域。"),
    ("yunzhou/pack.toml", 'release = "0.1.0"', 'release = "99.0"', "pack.toml「release」须 99.0 以上的版本"),
    ("yunzhou/pack.toml", 'reception = "delivered"', 'reception = "sent"', "pack.toml「reception」写了“sent”。可用："),
    ("yunzhou/pack.toml", 'extends = "shanxi"', 'extends = "yunzhou"', "pack.toml「extends」“yunzhou”绕回了自己，须去掉这一层。[P009]"),
    ("yunzhou/pack.toml", 'extends = "shanxi"', 'extends = "shaanxi"', "数据包「shaanxi」没有这个包，或其中没有 pack.toml。随带的有：national、shanxi、yunzhou。[P001]"),
    ("yunzhou/pack.toml", 'id = "yunzhou"', 'id = "yungang"', "pack.toml「id」写了“yungang”，应与文件夹同名：yunzhou。[P008]"),
    (NIGHT, 'hazard = "rainstorm"', 'hazard = "rain"', "演练情景 rainstorm.toml「hazard」写了“rain”，没有这个灾种。可用：cold_wave"),
    (NIGHT, 'hazard = "rainstorm"', 'hazard = "forest_fire"', "演练情景 rainstorm.toml「hazard」森林火险由多个单位联合发布，演练情景只能用一家发布的灾种。[P042]"),
    (NIGHT, "140215209 = 21.4", "140215209200 = 21.4", "演练情景 rainstorm.toml「reading.1.values」写了“140215209200”，没有这个区域。可用：140215100"),
    (NIGHT, 'at = "01:36"', 'at = "1:36"', "演练情景 rainstorm.toml「reading.1.at」写了“1:36”，应为时刻，例如 02:13。[P028]"),
    (NIGHT, 'at = "01:54"', 'at = "01:35"', "演练情景 rainstorm.toml「reading.2.at」写了“01:35”，不在 start 与 latest 之间；全程不超过一天。[P042]"),
    (NIGHT, 'at = "02:06"', 'at = "01:50"', "演练情景 rainstorm.toml「reading.3.at」写了“01:50”，早于它前面的“01:54”，各时刻须依次排列。[P042]"),
    (NIGHT, 'basis = "observed"', 'basis = "seen"', "演练情景 rainstorm.toml「reading.1.basis」写了“seen”。可用："),
    (NIGHT, '01:36"', '01:36+08:00"', "演练情景 rainstorm.toml「start」写了“2027-07-21T01:36+08:00”，应为当地的日期和时刻"),
    (NIGHT, 'signed = "02:13"', 'signed = "02:08"', "演练情景 rainstorm.toml「version.1.signed」写了“02:08”，早于它前面的“02:09”"),
    (NIGHT, 'latest = "08:00"', 'latest = "04:45"', "演练情景 rainstorm.toml「cleared.signed」写了“04:46”，不在 start 与 latest 之间"),
    (NIGHT, 'expires = "08:13"', 'expires = "04:46"', "演练情景 rainstorm.toml「version.1.expires」写了“04:46”，下一次签发（04:46）之前就已到期。[P042]"),
    (NIGHT, "过去1小时{areas}", "过去1小时{place}", "演练情景 rainstorm.toml「version.1.cause」写了“{place}”，此处没有这一项。可用：areas。[P031]"),
    (NIGHT, "累计雨量", "{累计雨量", "演练情景 rainstorm.toml「version.1.forecast」花括号不成对。[P031]"),
    (NIGHT, 'about = "后半夜两个乡短时强降水，直接发布暴雨红色预警，三小时后解除。练叫应到村、停工停业停课、即时插播、应急会商。"', 'about = ""', "演练情景 rainstorm.toml「about」没有写。请写一两句话说明演什么、练什么。[P021]"),
    (NIGHT, 'id = "rainstorm"', 'id = "rain"', "演练情景 rainstorm.toml「id」写了“rain”，应与文件同名：rainstorm。[P008]"),
    ("yunzhou/pack.toml", "[roles]", "[rolls]", "pack.toml「rolls」没有这个键。可用：id、version、release、extends"),
]  # fmt: skip


@pytest.fixture
def shipped(tmp_path):
    return shutil.copytree(packs.SHIPPED, tmp_path / "packs")


def refusal(folder):
    with pytest.raises(packs.PackError) as caught:
        packs.load(folder / "yunzhou")
    return str(caught.value)


def rewrite(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"), WRONG, ids=[f"{w[0]}:{w[2][:25]}" for w in WRONG]
)
def test_a_wrong_pack_is_refused_with_file_field_and_expectation(shipped, file, old, new, expected):
    rewrite(shipped / file, old, new)

    message = refusal(shipped)

    assert expected in message
    assert str(shipped) not in message
    assert all(re.fullmatch(r"[^「]+「[^」]+」.+\[P0\d\d\]", line) for line in message.splitlines())


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("texts.toml", "texts.toml「文件」数据包 yunzhou 没有这个文件"),
        ("document.txt", "document.txt「文件」没有这个文件，或是空的。"),
        ("units.toml", "没有这类单位"),
    ],
)
def test_a_pack_that_lacks_a_file_is_refused(shipped, file, expected):
    (shipped / "yunzhou" / file).unlink()

    assert expected in refusal(shipped)


def test_a_file_nobody_reads_is_refused(shipped):
    (shipped / "yunzhou" / "clause").mkdir()
    (shipped / "yunzhou" / "clause" / "5.toml").write_text('id = "5"')

    assert refusal(shipped).startswith("clause/5.toml「文件名」没有这种文件。可用：pack、document")


def test_a_file_in_another_encoding_is_refused(shipped):
    (shipped / "yunzhou" / "texts.toml").write_bytes("issuer = '云州区气象台'".encode("gbk"))

    assert refusal(shipped) == "texts.toml「第 10 字节」不是 UTF-8 编码，请另存为 UTF-8。[P003]"


def test_all_faults_are_named_at_once(shipped):
    rewrite(shipped / C242, '"snowstorm"', '"blizzard"')
    rewrite(shipped / C241, '"support_settled"', '"settled"')

    assert [line[-6:] for line in refusal(shipped).splitlines()] == ["[P017]", "[P015]"]


def test_only_a_district_runs_by_itself():
    with pytest.raises(packs.PackError, match=r"texts.toml「文件」数据包 shanxi 没有这个文件，不能单独运行"):
        packs.load("shanxi")


def test_a_sites_own_pack_extends_a_shipped_one_and_replaces_a_whole_table(tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "pack.toml").write_text(
        'id = "here"\nversion = "1"\nrelease = "0.1.0"\nextends = "yunzhou"\n'
    )
    (tmp_path / "here" / "units.toml").write_text(
        '[[unit]]\nid = "water"\nname = "区水利局"\narea = "140215"\nbasis = "三定方案"\nverified = true\ngroups = ["members"]\n',
    )

    ours, theirs = packs.load(tmp_path / "here"), packs.load("yunzhou")

    assert (ours.id, ours.units["water"].name, ours.units["water"].superior) == ("here", "区水利局", "")
    assert (ours.clauses, ours.zone, ours.district) == (theirs.clauses, "Asia/Shanghai", "140215")
    assert ours.group("members") == theirs.group("members")
    assert ours.digest != theirs.digest


def test_the_digest_names_the_files_wherever_they_lie(shipped):
    same = packs.load(shipped / "yunzhou").digest
    rewrite(shipped / "national/sources.toml", "S1 ", "# 注\nS1 ")

    assert same == packs.load("yunzhou").digest
    assert packs.load(shipped / "yunzhou").digest != same


def test_a_sound_pack_has_no_faults_and_a_fault_reads_as_one_line():
    assert lint(packs.load("yunzhou")) == []
    assert (
        str(Fault("units.toml", "unit.water.area", "没有。", "P027"))
        == "units.toml「unit.water.area」没有。[P027]"
    )
