"""``fengsui cap validate`` and ``fengsui import`` as anybody runs them: exit codes, one object a line, no place needed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fengsui.__main__ import main
from fengsui.formats.cap.parse import MAX_BYTES
from fengsui.rehearse.bench.cap import SAMPLES
from tests.formats.cap.forge import BUREAU, FORGER, MESSAGE, certificate, key, message, pem, sign

GOOD = SAMPLES / "valid" / "cap-library__thunderstorm.cap"
BAD = SAMPLES / "invalid" / "cap-library__canada_errors.cap"


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Runs a command where there is no data directory: exit code, lines, errors."""
    monkeypatch.setenv("FENGSUI_DATA", str(tmp_path / "nowhere"))

    def running(*words):
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        assert not (tmp_path / "nowhere").exists()
        return code, said.out.splitlines(), said.err

    return running


@pytest.fixture
def validate(run):
    """Runs ``cap validate --json``: exit code and objects."""

    def running(*words):
        code, lines, _ = run("cap", "validate", "--json", *words)
        return code, [json.loads(line) for line in lines]

    return running


@pytest.fixture
def take(run):
    def running(*words):
        code, lines, errors = run("import", "--json", *words)
        assert (code, errors) == (0, "")
        return [json.loads(line) for line in lines]

    return running


@pytest.fixture
def pins(tmp_path):
    folder = tmp_path / "pins"
    folder.mkdir()
    (folder / "bureau.pem").write_bytes(pem(BUREAU))
    return folder


def written(folder, content, name="alert.xml"):
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_one_object_for_each_file_in_order(validate):
    code, found = validate(BAD, GOOD, BAD)

    assert code == 1
    assert [(f["file"], f["valid"]) for f in found] == [
        (str(BAD), False),
        (str(GOOD), True),
        (str(BAD), False),
    ]
    assert found[1] == {
        "file": str(GOOD),
        "valid": True,
        "layers": {"xml": True, "xsd": True, "semantic": True, "signature": None},
        "signer": None,
        "findings": [],
    }
    assert found[0]["layers"] == {"xml": True, "xsd": True, "semantic": False, "signature": None}
    assert found[0]["findings"] == [
        {
            "layer": "semantic",
            "line": 7,
            "code": "X305",
            "reason": "msgType 为 Update，必须用 references 指明所针对的报文。",
            "grave": True,
        }
    ]


def test_zero_where_all_are_valid(validate):
    assert validate(GOOD, GOOD)[0] == 0


def test_people_read_it_too(run):
    code, lines, _ = run("cap", "validate", GOOD, BAD)

    assert code == 1
    assert lines == [
        f"有效　{GOOD}　（格式 通过　模式 通过　规范 通过　签名 未判）",
        f"无效　{BAD}　（格式 通过　模式 通过　规范 不通过　签名 未判）",
        "  第 7 行　规范　msgType 为 Update，必须用 references 指明所针对的报文。[X305]",
    ]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["cap", "validate", "none.xml"], "X480"),
        (["cap", "validate", str(GOOD), "none.xml"], "X480"),
        (["import", "none.xml"], "X480"),
        (["cap", "validate", str(SAMPLES)], "X480"),
        (["cap", "validate", str(GOOD), "--trust", "none"], "X490"),
        (["import", str(GOOD), "--trust", "none"], "X490"),
    ],
)
def test_two_where_it_cannot_be_done(run, words, code):
    found, lines, errors = run(*words)

    assert (found, lines) == (2, [])
    assert code in errors


@pytest.mark.parametrize(
    "words",
    [
        ["cap"],
        ["cap", "validate"],
        ["import"],
        ["cap", "validate", str(GOOD), "--at", "soon"],
        ["cap", "judge"],
    ],
)
def test_two_for_wrong_words(run, words, capsys):
    with pytest.raises(SystemExit) as stop:
        run(*words)

    assert stop.value.code == 2


def test_trust_decides(validate, pins, tmp_path):
    signed = written(tmp_path, sign(message(), key(), BUREAU), "signed.xml")
    forged = written(tmp_path, sign(message(), key(name="forger"), FORGER), "forged.xml")
    plain = written(tmp_path, message(), "plain.xml")

    code, found = validate(signed, forged, plain, "--trust", pins)
    assert (code, [f["valid"] for f in found]) == (1, [True, False, False])
    assert (found[0]["signer"], found[0]["layers"]["signature"]) == ("CN=bureau", True)
    assert [f["findings"][0]["code"] for f in found[1:]] == ["X411", "X401"]

    code, found = validate(signed, forged, plain)
    assert (code, [f["valid"] for f in found]) == (0, [True, True, True])
    assert [[f["code"] for f in one["findings"]] for one in found] == [["X400"], ["X400"], []]


@pytest.mark.parametrize(
    ("at", "valid"),
    [
        ("2026-07-17T14:40:00+08:00", True),
        ("2026-07-17T14:40", True),
        ("2026-07-17", True),
        ("2031-01-01T00:00:00Z", False),
        ("2001-01-01T00:00:00+08:00", False),
    ],
)
def test_at_is_when_the_certificate_must_be_valid(validate, pins, tmp_path, at, valid):
    signed = written(tmp_path, sign(message(), key(), BUREAU))

    assert validate(signed, "--trust", pins, "--at", at)[1][0]["valid"] is valid


def test_a_certificate_that_has_expired_since_is_judged_when_it_was_used(validate, pins, tmp_path):
    import datetime as dt

    old = dt.datetime(2020, 7, 17, 6, 40, tzinfo=dt.UTC)
    shown = certificate(key(), begins=old - dt.timedelta(days=9), ends=old + dt.timedelta(days=9))
    (pins / "bureau.pem").write_bytes(pem(shown))
    signed = written(tmp_path, sign(message(sent="2020-07-17T14:40:00+08:00"), key(), shown))

    assert validate(signed, "--trust", pins)[0] == 0
    assert validate(signed, "--trust", pins, "--at", "2026-07-17")[0] == 1


def test_both_answers_to_a_message(take, tmp_path):
    (found,) = take(written(tmp_path, MESSAGE))

    assert found == {
        "file": str(tmp_path / "alert.xml"), "index": 0, "within": None, "line": 1,
        "valid": True, "layers": {"xml": True, "xsd": True, "semantic": True, "signature": None}, "signer": None,
        "findings": [], "replay": None, "version": "1.2",
        "identifier": "14021541600000_20260717144000", "sender": "Yunzhou_District_Meteorological_Bureau", "senderName": None,
        "sent": "2026-07-17T14:40:00+08:00", "status": "Actual", "msgType": "Alert", "references": [],
        "headline": "云州区气象台发布暴雨红色预警[Ⅰ级/特别严重]", "effective": None, "onset": None,
        "expires": "2026-07-17T17:40:00+08:00", "level": "red",
        "hazards": [{"hazard": "rainstorm", "name": "暴雨", "level": "red"}], "areas": ["聚乐乡"],
        "townships": [{"name": "聚乐乡", "scheme": "nbs", "code": "140215209000"}], "ambiguous": [], "reasons": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "township", "scheme"),
    [("CPEAS Geographic Code", "党留庄乡", "nbs"), ("MCA", "聚乐乡", "mca")],
)
def test_a_code_is_the_township_of_its_list(take, tmp_path, name, township, scheme):
    text = MESSAGE.replace("CPEAS Geographic Code", name).replace("140215209000", "140215205000")
    (found,) = take(written(tmp_path, text))

    assert found["townships"] == [{"name": township, "scheme": scheme, "code": "140215205000"}]
    assert found["ambiguous"] == []


def test_a_code_of_no_list_is_refused_with_both_readings(take, tmp_path):
    text = MESSAGE.replace("CPEAS Geographic Code", "geocode").replace("140215209000", "140215205000")
    (found,) = take(written(tmp_path, text))

    assert found["townships"] == []
    assert found["ambiguous"] == [
        {"name": "党留庄乡", "scheme": "nbs", "code": "140215205000"},
        {"name": "聚乐乡", "scheme": "mca", "code": "140215205000"},
    ]


def test_a_broken_message_has_both_answers(take, tmp_path):
    text = MESSAGE[: MESSAGE.index("<area>")].replace("Extreme", "Minor")
    (found,) = take(written(tmp_path, text))

    assert (found["valid"], found["layers"]["xml"], found["level"]) == (False, False, "red")
    assert {"X524", "X532"} <= {reason["code"] for reason in found["reasons"]}
    assert found["townships"] == []


def test_several_messages_of_a_file_are_several_lines(take, tmp_path):
    body = MESSAGE.partition("?>\n")[2]
    feed = f"<feed>\n{body}{body.replace('144000', '144001')}</feed>"
    found = take(written(tmp_path, feed), written(tmp_path, MESSAGE, "again.xml"))

    assert [(f["index"], f["within"], f["replay"]) for f in found] == [
        (0, "feed", None),
        (1, "feed", None),
        (0, None, "altered"),
    ]
    assert take(GOOD, GOOD)[1]["replay"] == "same"


def test_people_read_an_import_too(run, tmp_path):
    code, lines, _ = run(
        "import", written(tmp_path, MESSAGE), SAMPLES / "invalid" / "foss-public-alert-server__il.xml"
    )

    assert code == 0
    assert "  读出：Alert　暴雨（red）　发送 2026-07-17T14:40:00+08:00" in lines
    assert "  乡镇：聚乐乡" in lines
    assert any("没有本区的区域编码" in line for line in lines)


def test_of_a_file_too_large_no_more_is_read(run, tmp_path):
    file = tmp_path / "large.xml"
    with file.open("wb") as opened:
        opened.truncate(100 * MAX_BYTES)
    code, lines, _ = run("cap", "validate", "--json", file)

    assert (code, json.loads(lines[0])["findings"][0]["code"]) == (1, "X101")


def test_it_runs_where_there_is_nothing(tmp_path):
    """As a program, in an empty folder, without any setting."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FENGSUI")}
    environment["PYTHONPATH"] = str(Path(__file__).parents[3])
    done = subprocess.run(
        [sys.executable, "-m", "fengsui", "import", "--json", str(GOOD)],
        capture_output=True, text=True, check=True, cwd=tmp_path, env=environment,
    )  # fmt: skip

    assert json.loads(done.stdout)["identifier"] == "KSTO1055887203"
    assert list(tmp_path.iterdir()) == []
