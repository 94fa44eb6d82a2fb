"""CAP of ours: what it says, that it is always the same, that a wrong one does not leave, that others can read it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import capparser
import capvalidator
import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from fengsui.core import alerts, cap_forms, cap_out, cap_sense
from fengsui.core.calendar import HOUR, MINUTE
from fengsui.core.cap import Alert, Named
from fengsui.core.state import AlertPart, Zoned
from fengsui.core.wording import Draft
from fengsui.formats.cap import incoming, write
from fengsui.formats.cap.trust import pinned
from fengsui.formats.cap.verdict import verdict
from fengsui.store import signet
from tests.core.cap_lives import DRAFT, versions
from tests.core.test_life import ACTS, everybody
from tests.core.worlds import DRILL, FENGYU, INCIDENT, JULE, District, an_alert, at, only, yunzhou

SCHEMA = Path(write.__file__).parent / "schema" / "CAP-v1.2.xsd"


@pytest.fixture(scope="module")
def seal(tmp_path_factory) -> signet.Signet:
    place = tmp_path_factory.mktemp("place")
    (place / "keys").mkdir(mode=0o700)
    return signet.add(place, "云州区气象台", at("00:00"))


def messages(*facts, draft: Draft = DRAFT) -> list[Alert]:
    return [cap_out.message(v, yunzhou(), {}) for v in versions(facts, draft)]


def life(series: str = "actual") -> list[Alert]:
    """Issue, split upgrade, cancel."""
    return messages(
        an_alert("orange", series=series, action="issue"),
        an_alert(
            zones={JULE: "red", FENGYU: "yellow"}, version=2, time="02:30", series=series, action="change"
        ),
        an_alert("", version=3, time="04:00", series=series, action="cancel", expires=at("08:13")),
    )


def test_a_message_says_what_the_profile_demands():
    first, split, gone = life()

    assert (first.identifier, first.sender) == ("14021541600000_20270721021300", "14021541600000")
    assert [a.msg_type for a in (first, split, gone)] == ["Alert", "Update", "Cancel"]
    assert [i.language for i in split.infos] == ["zh-CN", "zh-CN", "en-US", "en-US"]
    assert [i.severity for i in split.infos] == ["Extreme", "Moderate"] * 2
    assert split.infos[0].headline == "云州区气象台变更发布暴雨红色预警[Ⅰ级/特别严重]"
    assert "短时强降水" in split.infos[1].description
    assert [a.area_desc for a in split.infos[1].areas] == ["峰峪乡"]
    assert split.infos[1].areas[0].geocodes == (
        Named("CPEAS Geographic Code", "140215202000"),
        Named("MCA", "140215201"),
    )
    assert [(p.value_name, p.value) for p in split.infos[1].parameters] == [
        ("level_color", "yellow"), ("roman_level", "Ⅲ级"), ("signal_action", "change"), ("previous_level", "orange"),
    ]  # fmt: skip
    assert split.infos[0].event_codes[0] == Named("CMA-11B", "11B03")
    assert split.infos[0].instruction.startswith("地方各级人民政府")
    assert {i.urgency for i in gone.infos} == {"Past"}
    assert {i.response_types for i in gone.infos} == {("AllClear",)}
    assert first.incidents == INCIDENT


def test_references_name_every_version_of_this_warning_and_none_of_the_one_before():
    facts = [
        an_alert("orange", action="issue"),
        an_alert("", version=2, time="03:00", action="cancel", expires=at("08:13")),
        an_alert("red", version=3, time="05:00", action="issue"),
        an_alert("red", version=4, time="05:00", action="renew"),
    ]
    made = messages(*facts)

    assert [len(cap_forms.references(m.references) or ()) for m in made] == [0, 1, 0, 1]
    last = cap_forms.references(made[3].references)[0]
    assert (last.identifier, last.sent) == ("14021541600000_20270721050000", "2027-07-21T05:00:00+08:00")
    assert made[3].identifier == "14021541600000_20270721050001", "the same second is never given twice"


@pytest.mark.parametrize(
    ("series", "mark", "english"), [("exercise", "【演练】", "[EXERCISE]"), ("test", "【模拟】", "[TEST]")]
)
def test_what_is_not_in_earnest_says_so_at_both_ends_of_every_text(series, mark, english, seal):
    for made in life(series):
        for info in made.infos:
            sign = mark if info.language == "zh-CN" else english
            for text in (info.headline, info.description):
                assert text.startswith(sign)
                assert text.endswith(sign)
        assert made.note
        write.leaving(made, seal.key, seal.certificate)


def test_polygons_are_closed_latitude_first():
    square = ((113.0, 40.0), (114.0, 40.0), (114.0, 41.0))
    ring = cap_out.outlines(iter([square]))

    assert ring == ("40,113 40,114 41,114 40,113",)
    made = cap_out.message(next(versions([an_alert("red", JULE)])), yunzhou(), {JULE: ring})
    assert made.infos[0].areas[0].polygons == ring
    write.gate(made)


def test_bytes_are_always_the_same():
    assert [write.write(m) for m in life()] == [write.write(m) for m in life()]


# ── the gate 出口 ─────────────────────────────────────────────────────────────


def replaced(alert: Alert, **fields) -> Alert:
    """The message with fields of its first block changed."""
    return msgspec.structs.replace(
        alert, infos=(msgspec.structs.replace(alert.infos[0], **fields), *alert.infos[1:])
    )


WRONG = {
    "X603": lambda m: replaced(m, expires=m.sent),
    "X604": lambda m: replaced(m, areas=()),
    "X605": lambda m: replaced(m, description=" "),
    "X606": lambda m: replaced(m, severity="Minor"),
    "X608": lambda m: replaced(m, headline=f"【演练】{m.infos[0].headline}"),
    "X609": lambda m: msgspec.structs.replace(m, status="Exercise"),
    "X607": lambda m: msgspec.structs.replace(m, status="System"),
    "X602": lambda m: msgspec.structs.replace(m, msg_type="Update"),
    "X302": lambda m: msgspec.structs.replace(m, identifier="a b"),
    "X206": lambda m: replaced(m, urgency="Soon"),
    "X611": lambda m: replaced(m, description="a\x00b"),
}


@pytest.mark.parametrize("code", WRONG)
def test_what_is_wrong_does_not_leave_and_says_why(code, seal):
    with pytest.raises(write.Refused) as refused:
        write.leaving(WRONG[code](life()[0]), seal.key, seal.certificate)

    assert code in {f.code for f in refused.value.findings}


def test_drill_words_in_a_real_warning_are_refused():
    (made,) = messages(an_alert("red", series="actual"), draft=Draft("", "这是一次演练。"))

    with pytest.raises(write.Refused, match="X608"):
        write.gate(made)


# ── the signature 签名 ────────────────────────────────────────────────────────


def test_only_the_pinned_certificate_is_believed_and_no_byte_may_change(seal, tmp_path):
    (tmp_path / "keys").mkdir(mode=0o700)
    other = signet.add(tmp_path, "云州区气象台", at("00:00"))
    content = write.leaving(life()[0], seal.key, seal.certificate)

    assert verdict(content, (pinned(seal.certificate, ""),)).signer == "CN=云州区气象台"
    assert not verdict(content, (pinned(other.certificate, ""),)).valid
    assert not verdict(
        content.replace("聚乐乡".encode(), "许堡乡".encode()), (pinned(seal.certificate, ""),)
    ).valid


def test_a_place_may_sign_with_its_own_rsa_key():
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(dt.datetime(2027, 1, 1, tzinfo=dt.UTC)).not_valid_after(dt.datetime(2028, 1, 1, tzinfo=dt.UTC))
        .sign(key, hashes.SHA256())
    )  # fmt: skip

    assert b"rsa-sha256" in write.leaving(life()[0], key, certificate)


def test_the_newest_valid_signet_signs_and_without_one_nothing_is_signed(tmp_path):
    (tmp_path / "keys").mkdir(mode=0o700)
    old = signet.add(tmp_path, "x", at("00:00"))
    new = signet.add(tmp_path, "x", at("01:00"))
    found = signet.load(tmp_path)

    assert [one.id for one in found] == [old.id, new.id]
    assert signet.signing(found, at("02:00")).id == new.id
    with pytest.raises(signet.NoSignet, match="S025"):
        signet.signing(found, at("02:00") + 5 * 365 * 24 * HOUR)
    with pytest.raises(signet.NoSignet):
        signet.signing((), at("02:00"))


def test_a_signet_that_others_can_read_or_that_is_damaged_is_none(tmp_path):
    (tmp_path / "keys").mkdir(mode=0o700)
    signet.add(tmp_path, "x", at("00:00"))
    (file,) = (tmp_path / "keys").glob("signet-*.pem")
    assert file.stat().st_mode & 0o777 == 0o600

    file.chmod(0o644)
    assert signet.load(tmp_path) == ()
    file.chmod(0o600)
    file.write_bytes(file.read_bytes()[:200])
    assert signet.load(tmp_path) == ()
    assert signet.unusable(tmp_path) == [file.name]


# ── others read it 他人可读 ───────────────────────────────────────────────────


def test_capparser_and_capvalidator_read_what_we_write(seal):
    for made in life():
        content = write.leaving(made, seal.key, seal.certificate)
        plain = write.write(made)  # capparser knows no element but those of CAP
        assert capparser.parse(stringXML=plain.decode().split("?>", 1)[1]).getIdentifier() == made.identifier
        passed = capvalidator.check_schema(content)
        assert passed.passed, passed.message


def test_our_own_reader_understands_hazard_level_and_places():
    for made in life():
        (read,) = incoming.incoming(write.write(made), yunzhou(), today="2027-07-21")
        told = {i.severity for i in made.infos}
        assert {a.area for a in read.located.townships} == {JULE, FENGYU}
        assert read.sense.dangers[0].hazard == "rainstorm"
        assert cap_sense.SEVERITY[max(told, key=list(cap_sense.SEVERITY).index)] == read.sense.level
        assert not [r for r in read.reasons if r.grave]


@settings(max_examples=60, deadline=None)
@given(ACTS, st.sampled_from(["actual", "exercise", "test"]))
def test_cap_of_any_version_of_any_life_leaves_and_is_read_back(acts, series):
    d, now = District(everybody(), only("2.3.a")), at("02:13")
    drill = DRILL if series == "exercise" and d.drilled() else ""
    for stream, zones, corrects, keeps, minutes in acts:
        now += minutes * MINUTE
        part = d.streams[stream].alert if stream in d.streams else AlertPart()
        action = "correct" if corrects else alerts.fitting(part.now, Zoned(zones), d.pack)
        kept = [z for z, level in zones.items() if part.now.zones.get(z) == level] if keeps else []
        d.post(
            an_alert(
                stream=stream, zones=zones, version=part.version + 1, at=now, action=action, kept=kept,
                expires=part.expires if kept else now + 6 * HOUR, series=series, drill=drill,
            )
        )  # fmt: skip
    schema = etree.XMLSchema(file=str(SCHEMA))
    seen: dict[str, Alert] = {}
    for version in versions(d.facts):
        made = cap_out.message(version, d.pack, {})
        content = write.write(made)
        write.gate(made)
        schema.assertValid(etree.fromstring(content))
        assert verdict(content).alert == made
        assert made.identifier not in seen
        for reference in cap_forms.references(made.references) or ():
            assert seen[reference.identifier].incidents == made.incidents
        seen[made.identifier] = made
