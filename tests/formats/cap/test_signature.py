"""Who signed what: signatures of others that hold, and every way we know to make one seem to."""

import datetime as dt
import re

import capvalidator
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from lxml import etree
from signxml import CanonicalizationMethod, SignatureConfiguration, SignatureMethod, XMLVerifier

from fengsui.formats.cap import trust
from fengsui.formats.cap.verdict import verdict
from fengsui.rehearse.bench.cap import SAMPLES
from tests.formats.cap.forge import (
    BUREAU,
    CAP,
    DS,
    FORGER,
    MORE,
    PINNED,
    SENT,
    YEAR,
    certificate,
    digest_of,
    handmade,
    key,
    message,
    pem,
    pin,
    sign,
)  # fmt: skip

SIGNATURE = f"{{{DS}}}Signature"


def codes(content: bytes, pinned=PINNED, at=None):
    return [f.code for f in verdict(content, pinned, at).findings if f.layer == "signature" and f.grave]


def signed(**changed) -> bytes:
    return sign(message(**changed), key(), BUREAU)


def tree(content: bytes) -> etree._Element:
    return etree.fromstring(content)


def raw(root: etree._Element) -> bytes:
    return etree.tostring(root)


# ── what holds 有效的 ─────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["rsa", "ec"])
@pytest.mark.parametrize(
    "c14n",
    [
        CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        CanonicalizationMethod.CANONICAL_XML_1_0,
        CanonicalizationMethod.CANONICAL_XML_1_1,
    ],
)
def test_a_signature_of_somebody_pinned_holds_and_signxml_agrees(kind, c14n):
    private = key(kind)
    shown = certificate(private)
    content = sign(message(), private, shown, c14n=c14n)
    said = verdict(content, pin(shown))

    assert (said.valid, said.layers["signature"], said.signer) == (True, True, "CN=bureau")
    assert said.alert == verdict(message()).alert
    XMLVerifier().verify(
        content, x509_cert=shown, expect_config=SignatureConfiguration(verification_time=SENT)
    )


@pytest.mark.parametrize("method", [SignatureMethod.RSA_SHA384, SignatureMethod.RSA_SHA512])
def test_longer_digests_are_as_good(method):
    assert codes(sign(message(), key(), BUREAU, method=method)) == []


def test_a_federal_message_verifies_at_the_time_it_was_sent(tmp_path):
    """FEMA's gateway, RSA; its certificate ended in 2020."""
    content = (SAMPLES / "valid" / "oasiscap__ipaws-5e7e0fc5023f1930efcf3deb.xml").read_bytes()
    pinned = shown(content, tmp_path)
    said = verdict(content, pinned)

    assert (said.valid, "IPAWSOPEN" in said.signer) == (True, True)
    assert codes(content, pinned, moment(2026)) == ["X416"]
    assert codes(content.replace(b"Actual", b"Test"), pinned) == ["X413"]
    assert codes(content, PINNED) == ["X411"]


def test_a_message_of_wmos_composer_verifies_though_it_was_indented_after_signing(tmp_path):
    """ECDSA over the text without white space between elements; Seychelles, certificate of summer 2024."""
    content = (SAMPLES / "valid" / "wis2box__cap_example.xml").read_bytes()
    pinned = shown(content, tmp_path)

    assert codes(content, pinned, moment(2024, 8)) == []
    assert codes(content, pinned) == ["X415"]
    assert codes(content.replace(b"40km/hr", b"90km/hr"), pinned, moment(2024, 8)) == ["X412"]


def shown(content: bytes, folder) -> trust.Trust:
    """Pin the certificate that a message shows."""
    (text,) = re.findall(rb"<(?:ds:)?X509Certificate>([^<]+)<", content)
    (folder / "shown.pem").write_bytes(
        b"-----BEGIN CERTIFICATE-----\n" + text.strip() + b"\n-----END CERTIFICATE-----\n"
    )
    return trust.load(folder)


def moment(year: int, month: int = 7) -> int:
    return int(dt.datetime(year, month, 1, tzinfo=dt.UTC).timestamp()) * 1_000_000


def test_without_pins_a_signature_is_mentioned_and_changes_nothing():
    said = verdict(signed())

    assert (said.valid, said.layers["signature"], said.signer) == (True, None, "")
    assert [(f.code, f.grave) for f in said.findings] == [("X400", False)]
    assert verdict(
        b"".join(signed().partition(b"Extreme")[:1]) + b"Minor" + signed().partition(b"Extreme")[2]
    ).valid


def test_a_stylesheet_may_be_named_before_a_signed_message():
    head, _, rest = signed().partition(b"<alert")

    assert codes(head + b'<?xml-stylesheet type="text/xsl" href="alert.xsl"?><alert' + rest) == []


def test_a_renewed_certificate_with_the_same_key_is_the_same_signer():
    renewed = certificate(key(), begins=SENT - dt.timedelta(days=1), ends=SENT + 2 * YEAR)

    assert codes(signed(), pin(renewed)) == []


def test_a_signature_that_shows_no_certificate_is_tried_with_every_pin():
    root = tree(signed())
    root.find(SIGNATURE).remove(root.find(f"{SIGNATURE}/{{{DS}}}KeyInfo"))

    assert codes(raw(root), pin(FORGER, BUREAU)) == []
    assert codes(raw(root), pin(FORGER)) == ["X412"]


@pytest.mark.parametrize(
    ("begins", "ends", "at", "code"),
    [
        (SENT - YEAR, SENT - dt.timedelta(days=1), None, ["X416"]),
        (SENT + dt.timedelta(days=1), SENT + YEAR, None, ["X415"]),
        (SENT - YEAR, SENT + dt.timedelta(days=1), None, []),
        (SENT - YEAR, SENT + dt.timedelta(days=1), moment(2027), ["X416"]),
        (SENT - YEAR, SENT - dt.timedelta(days=1), moment(2026, 1), []),
    ],
)
def test_a_certificate_is_judged_when_the_message_was_sent_or_at_a_given_moment(begins, ends, at, code):
    shown = certificate(key(), begins=begins, ends=ends)

    assert codes(sign(message(), key(), shown), pin(shown), at) == code


# ── what was read is what was signed 所读即所签 ──────────────────────────────


def test_the_message_is_read_from_the_bytes_that_were_signed():
    """A comment is not signed: it may be put anywhere afterwards, and must cut nothing short."""
    content = signed().replace(b"Yunzhou_District", b"Yunzhou<!-- -->_District")
    said = verdict(content, PINNED)

    assert said.valid
    assert said.alert.sender == "Yunzhou_District_Meteorological_Bureau"


def test_of_a_message_that_is_not_believed_nothing_is_handed_on():
    assert verdict(message(), PINNED).alert is None
    assert verdict(signed().replace(b"Extreme", b"Minor"), PINNED).alert is None


# ── forgeries 伪造 ────────────────────────────────────────────────────────────


def test_an_unsigned_message_is_refused():
    assert codes(message()) == ["X401"]


def test_a_message_signed_anew_with_ones_own_certificate_is_refused():
    """capvalidator passes it: it trusts whatever certificate a message brings along."""
    compact = etree.tostring(etree.fromstring(message(), etree.XMLParser(remove_blank_text=True)))
    fresh = certificate(key(name="forger"), "bureau", SENT - 10 * YEAR, SENT + 10 * YEAR)
    forged = sign(compact, key(name="forger"), fresh)

    assert capvalidator.validate_cap_message(forged).passed
    assert codes(forged) == ["X411"]


def test_the_bureaus_certificate_over_a_forgers_signature_is_refused():
    assert codes(sign(message(), key(name="forger"), BUREAU)) == ["X412"]


def test_a_forgers_certificate_over_the_bureaus_signature_is_refused():
    assert codes(sign(message(), key(), FORGER)) == ["X411"]


@pytest.mark.parametrize(
    ("what", "instead"),
    [(b"Extreme", b"Minor"), (b"140215209000", b"140215211000"), (b"17:40:00", b"17:41:00"), (b">Actual<", b">Test<"), (b"Public", b"Private")],
)  # fmt: skip
def test_what_was_altered_after_signing_is_refused(what, instead):
    assert what in signed()
    assert "X413" in codes(signed().replace(what, instead))


@pytest.mark.parametrize("name", ["DigestValue", "SignatureValue", "X509Certificate"])
def test_idle_bits_of_base64_are_not_idle(name):
    """``Rlg==`` and ``Rlh==`` are the same bytes to most decoders (capvalidator's own three forgeries)."""
    private = key("ec") if name == "SignatureValue" else key()
    bureau = certificate(private)
    content = sign(message(), private, bureau)
    for serial in range(40):  # until the text ends in padding, under which bits can hide
        text = tree(content).findtext(f".//{{{DS}}}{name}").strip()
        if text.endswith("="):
            break
        bureau = certificate(private, f"bureau{'x' * serial}")
        content = sign(message(), private, bureau)
    body, pad = text.rstrip("="), "=" * (len(text) - len(text.rstrip("=")))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = body[:-1] + letters[letters.index(body[-1]) + 1] + pad

    assert codes(content, pin(bureau)) == []
    assert codes(content.replace(text.encode(), other.encode()), pin(bureau)) in (["X414"], ["X412"])


@pytest.mark.parametrize(
    "c14n",
    [CanonicalizationMethod.CANONICAL_XML_1_1, CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0],
)
def test_any_single_letter_of_a_signed_message_matters(c14n):
    content = sign(message(), key(), BUREAU, c14n=c14n)
    letters = [m.start() for m in re.finditer(rb"(?<=>)[^<\s]", content)]

    for at in letters:
        other = b"X" if content[at : at + 1] != b"X" else b"Y"
        assert not verdict(content[:at] + other + content[at + 1 :], PINNED).valid, content[at - 20 : at + 5]


def enveloped(root: etree._Element, **how) -> bytes:
    """A message with a signature made by hand with the bureau's key, put where it belongs."""
    signature = handmade(root, key(), BUREAU, **how)
    root.append(signature)
    return raw(root)


def test_the_workshop_makes_signatures_that_hold():
    """Were this not so, the refusals below would prove nothing."""
    assert codes(enveloped(tree(message()))) == []


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"method": f"{DS}rsa-sha1", "algorithm": hashes.SHA1()}, "X406"),
        ({"method": f"{DS}dsa-sha1"}, "X406"),
        ({"method": f"{DS}hmac-sha1"}, "X406"),
        ({"method": f"{MORE}hmac-sha256"}, "X406"),
        ({"method": f"{MORE}rsa-md5"}, "X406"),
        ({"method": ""}, "X406"),
        ({"digest_method": f"{DS}sha1"}, "X407"),
        ({"digest_method": f"{MORE}md5"}, "X407"),
        ({"uri": None}, "X408"),
        ({"uri": "#other"}, "X408"),
        ({"uri": "#"}, "X408"),
        ({"uri": "http://127.0.0.1/alert.xml"}, "X408"),
        ({"uri": "file:///etc/passwd"}, "X408"),
        ({"uri": "#xpointer(/)"}, "X408"),
        ({"references": 0}, "X405"),
        ({"references": 2}, "X405"),
        ({"transforms": ()}, "X409"),
        ({"transforms": ("http://www.w3.org/2001/10/xml-exc-c14n#",)}, "X409"),
        ({"transforms": ("http://www.w3.org/2001/10/xml-exc-c14n#", f"{DS}enveloped-signature")}, "X409"),
        ({"transforms": (f"{DS}enveloped-signature", "http://www.w3.org/TR/1999/REC-xslt-19991116")}, "X409"),
        ({"transforms": (f"{DS}enveloped-signature", "http://www.w3.org/TR/1999/REC-xpath-19991116")}, "X409"),
        ({"transforms": (f"{DS}enveloped-signature", "http://www.w3.org/2002/06/xmldsig-filter2")}, "X409"),
        ({"transforms": (f"{DS}enveloped-signature", f"{DS}base64")}, "X409"),
        ({"transforms": (f"{DS}enveloped-signature",) + ("http://www.w3.org/2001/10/xml-exc-c14n#",) * 2}, "X409"),
    ],
)  # fmt: skip
def test_a_signature_of_another_form_is_refused(how, code):
    assert codes(enveloped(tree(message()), **how)) == [code]


def test_another_canonical_form_is_refused():
    content = signed().replace(
        b'<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>',
        b'<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2010/xml-c14n2"/>',
    )

    assert codes(content) == ["X410"]


# wrapping 包裹 ---------------------------------------------------------------


def with_id(content: bytes, value: str = "a") -> etree._Element:
    root = tree(content)
    root.set("Id", value)
    return root


def by_id(value: str = "a") -> etree._Element:
    """A message signed by the id of its root, as standards allow and the CAP schema does not."""
    root = with_id(message(), value)
    root.append(handmade(root, key(), BUREAU, uri=f"#{value}"))
    return root


def test_a_reference_to_the_roots_own_id_is_the_whole_message():
    assert codes(raw(by_id())) == []


def forged_root(**changed) -> etree._Element:
    return tree(message(severity="Minor", identifier="forged", **changed))


def test_the_signed_message_inside_the_forgers_own():
    genuine = by_id()
    root = forged_root()
    root.append(genuine)

    assert codes(raw(root)) == ["X402"]


def test_the_signature_taken_out_and_put_into_the_forgers_message():
    genuine = by_id()
    root = forged_root()
    root.append(genuine.find(SIGNATURE))
    root.append(genuine)

    assert codes(raw(root)) == ["X408"]


def test_the_signed_message_hidden_in_the_signature():
    genuine = by_id()
    signature = genuine.find(SIGNATURE)
    genuine.remove(signature)
    etree.SubElement(signature, f"{{{DS}}}Object").append(genuine)
    root = forged_root()
    root.append(signature)

    assert codes(raw(root)) == ["X408"]


def test_the_forgers_message_around_with_the_same_id():
    genuine = by_id()
    signature = genuine.find(SIGNATURE)
    root = with_id(raw(forged_root()))
    root.append(signature)
    etree.SubElement(signature, f"{{{DS}}}Object").append(genuine)

    assert codes(raw(root)) == ["X404"]


@pytest.mark.parametrize("name", ["Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id"])
def test_a_second_element_with_the_same_id(name):
    root = by_id()
    root.find(f"{{{CAP}}}info").set(name, "a")

    assert codes(raw(root)) == ["X404"]


def test_only_a_part_was_signed():
    root = tree(message())
    info = root.find(f"{{{CAP}}}info")
    info.set("Id", "part")
    root.append(handmade(root, key(), BUREAU, uri="#part", digest=digest_of(info)))
    root.find(f"{{{CAP}}}sender").text = "forger"

    assert codes(raw(root)) == ["X408"]


@pytest.mark.parametrize("place", ["info", f"info/{{{CAP}}}area"])
def test_the_signature_moved_to_another_place(place):
    root = tree(signed())
    root.find(f"{{{CAP}}}{place}").append(root.find(SIGNATURE))

    assert codes(raw(root)) == ["X402"]


def test_the_signature_as_the_root():
    genuine = by_id()
    signature = genuine.find(SIGNATURE)
    genuine.remove(signature)
    etree.SubElement(signature, f"{{{DS}}}Object").append(genuine)

    assert codes(raw(signature)) == ["X402"]


def test_a_second_signature():
    root = tree(signed())
    root.append(handmade(root, key(name="forger"), FORGER))

    assert codes(raw(root)) == ["X403"]


def test_a_signature_within_the_signature():
    root = tree(signed())
    inner = etree.SubElement(root.find(SIGNATURE), f"{{{DS}}}Object")
    inner.append(handmade(root, key(), BUREAU))

    assert codes(raw(root)) == ["X403"]


def test_a_second_signed_info():
    root = tree(signed())
    signature = root.find(SIGNATURE)
    signature.append(tree(raw(signature[0])))

    assert codes(raw(root)) == ["X405"]


def test_cap_elements_hidden_in_the_signature_are_not_read():
    root = tree(signed())
    hidden = etree.SubElement(root.find(SIGNATURE), f"{{{DS}}}Object")
    etree.SubElement(hidden, f"{{{CAP}}}sender").text = "forger"
    said = verdict(raw(root), PINNED)

    assert said.valid
    assert said.alert.sender == "Yunzhou_District_Meteorological_Bureau"


# ── pins 受信证书 ─────────────────────────────────────────────────────────────


def test_pins_are_the_pem_files_of_a_folder(tmp_path):
    (tmp_path / "one.pem").write_bytes(pem(BUREAU, FORGER))
    (tmp_path / "two.pem").write_bytes(b"# comment\n" + pem(certificate(key("ec"))))
    (tmp_path / "key.txt").write_bytes(b"not looked at")

    assert [one.subject for one in trust.load(tmp_path)] == ["CN=bureau"] * 3


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "X491"),
        (b"nothing", "X492"),
        (pem(BUREAU)[:-60], "X492"),
        (pem(certificate(key("weak"))), "X494"),
        (pem(certificate(ec.generate_private_key(ec.SECP224R1()))), "X494"),
    ],
)
def test_a_bad_pin_is_said(tmp_path, content, code):
    if content is not None:
        (tmp_path / "a.pem").write_bytes(content)

    with pytest.raises(trust.TrustFault, match=code):
        trust.load(tmp_path)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(trust.TrustFault, match="X490"):
        trust.load(tmp_path / "none")


def test_a_key_of_another_kind_cannot_be_pinned():
    from cryptography import x509

    private = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "other")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    made = (
        builder.serial_number(1)
        .not_valid_before(SENT - YEAR)
        .not_valid_after(SENT + YEAR)
        .sign(private, None)
    )

    with pytest.raises(trust.TrustFault, match="X493"):
        trust.pinned(made, "other.pem")
