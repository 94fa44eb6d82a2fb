"""What others send: in envelopes, broken, misnamed — judged strictly and read all the same, and never dropped."""

import base64
import json
import re

import pytest

from fengsui.formats import packs
from fengsui.formats.cap.envelope import parts
from fengsui.formats.cap.incoming import incoming, replayed
from fengsui.formats.cap.verdict import verdict
from fengsui.rehearse.bench.cap import SAMPLES
from tests.formats.cap.forge import BUREAU, FORGER, MESSAGE, PINNED, key, message, sign

PACK = packs.load("yunzhou")
BODY = MESSAGE.partition("?>\n")[2]
IDENTIFIER = "14021541600000_20260717144000"


def read(content, **more):
    return incoming(
        content if isinstance(content, bytes) else content.encode(), PACK, today="2026-07-17", **more
    )


def one(content, **more):
    (found,) = read(content, **more)
    return found


def reasons(found):
    return [reason.code for reason in found.reasons]


def test_a_message_of_ours_is_read_whole():
    found = one(message())

    assert found.verdict.valid
    assert found.sense.level == "red"
    assert [(d.hazard, d.level) for d in found.sense.dangers] == [("rainstorm", "red")]
    assert [(p.name, p.scheme, p.code) for p in found.located.townships] == [
        ("聚乐乡", "nbs", "140215209000")
    ]
    assert found.reasons == ()


# ── envelopes 信封 ────────────────────────────────────────────────────────────

ATOM = '<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title>{}</feed>'
ENTRY = "<entry><id>{n}</id><content type='{kind}'>{body}</content></entry>"
DE = (
    '<EDXLDistribution xmlns="urn:oasis:names:tc:emergency:EDXL:DE:1.0"><distributionID>x</distributionID>'
    "<contentObject>{}</contentObject></EDXLDistribution>"
)


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


ENVELOPES = {
    "alone": (MESSAGE, ""),
    "atom, as an element": (ATOM.format(ENTRY.format(n=1, kind="text/xml", body=BODY)), "feed"),
    "atom, as escaped text": (ATOM.format(ENTRY.format(n=1, kind="text", body=escaped(MESSAGE))), "feed"),
    "atom, as cdata": (ATOM.format(ENTRY.format(n=1, kind="text", body=f"<![CDATA[{MESSAGE}]]>")), "feed"),
    "edxl-de, embedded": (DE.format(f"<xmlContent><embeddedXMLContent>{BODY}</embeddedXMLContent></xmlContent>"), "EDXLDistribution"),
    "edxl-de, base64": (DE.format(f"<nonXMLContent><mimeType>a</mimeType><contentData>{base64.b64encode(MESSAGE.encode()).decode()}</contentData></nonXMLContent>"), "EDXLDistribution"),
    "a prefix": (re.sub(r"(</?)(\w)", r"\1c:\2", BODY).replace("xmlns=", "xmlns:c="), ""),
    "anything with cdata": (f"<msg><data><![CDATA[{MESSAGE}]]></data></msg>", "msg"),
    "an envelope in an envelope": (f"<a><![CDATA[<b><![CDATA[{MESSAGE}]]]]><![CDATA[></b>]]></a>", "a"),
    "json": (json.dumps({"rows": [{"xml": MESSAGE}]}, ensure_ascii=False), "JSON"),
    "a mail around": (f"From: somebody\n\n{MESSAGE}\n-- \nbye", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", ENVELOPES)
def test_a_message_is_found_in(name):
    content, within = ENVELOPES[name]
    found = one(content)

    assert found.part.within == within
    assert (found.verdict.valid, found.alert.identifier, found.sense.level) == (True, IDENTIFIER, "red")
    assert [p.name for p in found.located.townships] == ["聚乐乡"]


def test_a_feed_holds_several():
    entries = [ENTRY.format(n=n, kind="text/xml", body=BODY.replace("144000", f"14400{n}")) for n in range(3)]
    found = read(ATOM.format("\n".join(entries)))

    assert [f.alert.identifier[-1] for f in found] == ["0", "1", "2"]
    assert [f.part.line for f in found] == sorted({f.part.line for f in found})


def test_a_signed_message_is_itself_again_when_it_is_taken_out():
    signed = sign(message(), key(), BUREAU).partition(b"?>")[2].decode()
    for body in (signed, f"<![CDATA[{signed}]]>"):
        found = one(ATOM.format(ENTRY.format(n=1, kind="text/xml", body=body)), trust=PINNED)
        assert found.verdict.signer == "CN=bureau"


def test_a_message_alone_is_handed_on_byte_for_byte():
    for content in (message(), b"\xef\xbb\xbf" + message(), message()[:300], b"<alert", b""):
        assert [part.content for part in parts(content)] == [content]


# ── salvage 抢救 ──────────────────────────────────────────────────────────────

BROKEN = {
    "cut off": (MESSAGE[: MESSAGE.index("<area>")], "xml", []),
    "cut off in a word": (MESSAGE[: MESSAGE.index("特别严重")], "xml", []),
    "an unclosed element": (MESSAGE.replace("</event>", ""), "xml", ["X506"]),
    "a lone ampersand": (MESSAGE.replace("聚乐乡", "聚乐乡 & 峰峪乡"), "xml", []),
    "an unknown entity": (MESSAGE.replace("聚乐乡", "聚乐乡&nbsp;等地"), "xml", ["X507"]),
    "a document type": (MESSAGE.replace("?>\n", "?>\n<!DOCTYPE alert [<!ENTITY x 'y'>]>"), "xml", ["X502"]),
    "text before": ("\n\n  " + MESSAGE, "xml", []),
    "GBK that says UTF-8": (MESSAGE.encode("gbk"), "xml", ["X503"]),
    "another namespace": (MESSAGE.replace("emergency:cap:1.2", "emergency:alerts:1.2"), "xsd", ["X504"]),
    "no namespace": (MESSAGE.replace(' xmlns="urn:oasis:names:tc:emergency:cap:1.2"', ""), "xsd", ["X504"]),
    "an undeclared prefix": (re.sub(r"(</?)(\w)", r"\1c:\2", BODY), "xml", ["X504"]),
    "names in other case": (MESSAGE.replace("headline>", "Headline>").replace("msgType>", "msgtype>"), "xsd", ["X505"]),
    "no order": (re.sub(r"(\s*<severity>.*?)(\s*<headline>.*?</headline>)", r"\2\1", MESSAGE, flags=re.DOTALL), "xsd", []),
    "an area beside the info": (re.sub(r"(\s*<area>.*?</area>)(\s*</info>)", r"\2\1", MESSAGE, flags=re.DOTALL), "xsd", ["X506"]),
    "no info around": (MESSAGE.replace("<info>", "").replace("</info>", ""), "xsd", ["X506"]),
    "a time in UTC": (MESSAGE.replace("14:40:00+08:00</sent>", "06:40:00Z</sent>"), "xsd", ["X313"]),
    "a time without a zone": (MESSAGE.replace("T14:40:00+08:00</sent>", " 14:40:00</sent>"), "xsd", ["X313"]),
    "another severity": (MESSAGE.replace("Extreme", "特别严重"), "xsd", ["X523"]),
    "Cancle": (MESSAGE.replace("<msgType>Alert", "<msgType>Cancle"), "xsd", ["X512"]),
    "no kind": (MESSAGE.replace("<msgType>Alert</msgType>", ""), "xsd", ["X511"]),
    "a foreign element": (MESSAGE.replace("<info>", "<priority>1</priority><info>"), "xsd", []),
    "an attribute": (MESSAGE.replace("<info>", '<info lang="zh">'), "xsd", []),
    "a bad polygon": (MESSAGE.replace("<geocode>", "<polygon>1 2</polygon><geocode>"), "semantic", []),
    "a sender of two words": (MESSAGE.replace("District_Met", "District Met"), "semantic", []),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_malformed_red_warning_is_marked_not_dropped(name):
    content, layer, said = BROKEN[name]
    found = one(content)

    assert not found.verdict.valid
    assert next(f.layer for f in found.verdict.findings if f.grave) == layer
    assert (found.sense.level, found.sense.dangers[0].hazard) == ("red", "rainstorm")
    assert found.alert.identifier == IDENTIFIER
    assert set(said) <= set(reasons(found))
    assert reasons(found) or layer == "semantic" or name in UNREMARKABLE


UNREMARKABLE = {
    "a lone ampersand", "text before", "no order", "a foreign element", "an attribute",
}  # fmt: skip
"""What needs no remark beside the verdict: everything that was written is read."""


def test_a_named_value_is_read_by_its_names():
    swapped = re.sub(r"(<valueName>CPEAS.*?</valueName>)(<value>.*?</value>)", r"\2\1", MESSAGE)
    found = one(swapped)

    assert not found.verdict.valid
    assert [(p.name, p.scheme) for p in found.located.townships] == [("聚乐乡", "nbs")]


def test_an_unknown_entity_cuts_nothing_short():
    assert one(BROKEN["an unknown entity"][0]).alert.infos[0].areas[0].area_desc == "聚乐乡等地"


def test_a_time_that_only_the_prose_forbids_is_read_too():
    """The schema of CAP 1.1 lets any time of ISO 8601 pass."""
    found = one(
        MESSAGE.replace("cap:1.2", "cap:1.1").replace("T14:40:00+08:00</sent>", "T06:40:00.5Z</sent>")
    )

    assert [f.code for f in found.verdict.findings] == ["X313"]
    assert found.alert.sent.at == one(MESSAGE).alert.sent.at
    assert found.alert.version == "1.1"


def test_times_are_read_though_written_wrongly():
    for name in ("a time in UTC", "a time without a zone"):
        assert one(BROKEN[name][0]).alert.sent.at == one(MESSAGE).alert.sent.at


@pytest.mark.parametrize(
    "content", [b"", b"nothing", b"<feed/>", b"{}", b"\xff\xfe\x00", b"<alert/>", b"<alert"]
)
def test_where_nothing_can_be_read_that_is_said(content):
    found = one(content)

    assert not found.verdict.valid
    assert "X501" in reasons(found)
    assert (found.sense.level, found.alert.identifier) == (None, "")


def test_what_is_missing_is_none():
    found = one(
        "<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'><info><event>暴雨</event></info></alert>"
    )

    assert (found.alert.sent, found.alert.infos[0].expires, found.alert.sender) == (None, None, "")
    assert reasons(found).count("X511") == 5


def test_western_bytes_that_say_utf_8_are_read_all_the_same():
    found = one((SAMPLES / "invalid" / "cap-library__earthquake.cap_6d4a0019.xml").read_bytes())

    assert "X503" in reasons(found)
    assert any("ha sido revisado por un sism" in info.description for info in found.alert.infos)


@pytest.mark.parametrize("file", sorted(SAMPLES.glob("*valid/*")), ids=lambda f: f.name)
def test_every_sample_is_read(file):
    found = one(file.read_bytes())

    assert found.alert.identifier
    assert found.alert.infos[0].event if found.alert.infos else True
    assert found.verdict.valid == verdict(file.read_bytes()).valid


def test_codes_of_no_list_are_shown_and_warn_nobody():
    found = one(MESSAGE.replace("CPEAS Geographic Code", "code").replace("140215209000", "140215205"))

    assert found.located.townships == ()
    assert [p.name for p in found.located.ambiguous] == ["党留庄乡", "聚乐乡"]
    assert "X531" in reasons(found)


# ── trust and replays 信任与重放 ─────────────────────────────────────────────


def test_of_an_unbelieved_message_the_reading_says_so():
    for content in (message(), sign(message(), key(name="forger"), FORGER)):
        found = one(content, trust=PINNED)
        assert not found.verdict.valid
        assert "X513" in reasons(found)


def test_a_message_that_came_before_is_marked():
    seen = {}
    signed = sign(message(), key(), BUREAU)
    altered = sign(message(severity="Minor"), key(), BUREAU)
    later = sign(message(sent="2026-07-17T14:41:00+08:00"), key(), BUREAU)

    assert [replayed(one(content), seen) for content in (signed, signed, altered, later, signed)] == [
        "", "same", "altered", "", "same",
    ]  # fmt: skip


def test_messages_without_a_name_are_no_replays():
    seen = {}

    assert [replayed(one(b"<alert/>"), seen) for _ in range(2)] == ["", ""]
