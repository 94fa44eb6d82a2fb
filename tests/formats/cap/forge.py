"""Workshop of the CAP tests: a message, keys and certificates of its own, and a signer that was written apart from the verifier.

The signer is signxml's; what it makes is then bent by whoever forges.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import warnings
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml import CanonicalizationMethod, DigestAlgorithm, SignatureMethod, XMLSigner

from fengsui.formats.cap import trust

CAP = "urn:oasis:names:tc:emergency:cap:1.2"
DS = "http://www.w3.org/2000/09/xmldsig#"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
SENT = dt.datetime(2026, 7, 17, 14, 40, tzinfo=dt.timezone(dt.timedelta(hours=8)))
YEAR = dt.timedelta(days=365)

MESSAGE = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>14021541600000_20260717144000</identifier>
  <sender>Yunzhou_District_Meteorological_Bureau</sender>
  <sent>2026-07-17T14:40:00+08:00</sent>
  <status>Actual</status>
  <msgType>Alert</msgType>
  <scope>Public</scope>
  <info>
    <language>zh-CN</language>
    <category>Met</category>
    <event>暴雨</event>
    <urgency>Unknown</urgency>
    <severity>Extreme</severity>
    <certainty>Unknown</certainty>
    <eventCode><valueName>CMA</valueName><value>11B03</value></eventCode>
    <expires>2026-07-17T17:40:00+08:00</expires>
    <headline>云州区气象台发布暴雨红色预警[Ⅰ级/特别严重]</headline>
    <area>
      <areaDesc>聚乐乡</areaDesc>
      <geocode><valueName>CPEAS Geographic Code</valueName><value>140215209000</value></geocode>
    </area>
  </info>
</alert>
"""


def message(**changed: str) -> bytes:
    """The message with some elements holding other texts (``msgType="Cancel"``), or without them (``expires=""``)."""
    root = etree.fromstring(MESSAGE.encode())
    for name, text in changed.items():
        for element in root.findall(f".//{{{CAP}}}{name}"):
            element.text = text
            if not text:
                element.getparent().remove(element)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


@cache
def key(kind: str = "rsa", name: str = "bureau"):
    """A private key; the same for the same name."""
    if kind == "ec":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, 1024 if kind == "weak" else 2048)


def certificate(private, name: str = "bureau", begins=SENT - YEAR, ends=SENT + YEAR) -> x509.Certificate:
    """A self-signed certificate."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(ends)
        .sign(private, hashes.SHA256())
    )


def pin(*certificates: x509.Certificate) -> trust.Trust:
    return tuple(trust.pinned(one, "test.pem") for one in certificates)


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def sign(
    content: bytes,
    private,
    shown: x509.Certificate,
    *,
    uri: str | None = None,
    c14n=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    method=None,
    digest=DigestAlgorithm.SHA256,
) -> bytes:
    """A message signed as signxml signs."""
    is_rsa = isinstance(private, rsa.RSAPrivateKey)
    method = method or (SignatureMethod.RSA_SHA256 if is_rsa else SignatureMethod.ECDSA_SHA256)
    signer = XMLSigner(signature_algorithm=method, digest_algorithm=digest, c14n_algorithm=c14n)
    root = etree.fromstring(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        signed = signer.sign(root, key=private, cert=[shown], reference_uri=uri)
    return etree.tostring(signed, encoding="utf-8", xml_declaration=True)


def digest_of(root: etree._Element) -> str:
    return base64.b64encode(
        hashlib.sha256(etree.tostring(root, method="c14n", exclusive=True)).digest()
    ).decode()


def handmade(
    root: etree._Element,
    private: rsa.RSAPrivateKey,
    shown: x509.Certificate,
    *,
    uri: str | None = "",
    digest: str | None = None,
    transforms: tuple[str, ...] = (f"{DS}enveloped-signature", "http://www.w3.org/2001/10/xml-exc-c14n#"),
    method: str = f"{MORE}rsa-sha256",
    digest_method: str = "http://www.w3.org/2001/04/xmlenc#sha256",
    algorithm: hashes.HashAlgorithm | None = None,
    references: int = 1,
) -> etree._Element:
    """A Signature element over anything that the forger likes, rightly signed by his key."""
    reference = (
        f"<ds:Reference{'' if uri is None else f' URI={chr(34)}{uri}{chr(34)}'}><ds:Transforms>"
        + "".join(f'<ds:Transform Algorithm="{name}"/>' for name in transforms)
        + f'</ds:Transforms><ds:DigestMethod Algorithm="{digest_method}"/>'
        + f"<ds:DigestValue>{digest or digest_of(root)}</ds:DigestValue></ds:Reference>"
    )
    signature = etree.fromstring(
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>'
        f'<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>'
        f'<ds:SignatureMethod Algorithm="{method}"/>{reference * references}</ds:SignedInfo>'
        f"<ds:SignatureValue/><ds:KeyInfo><ds:X509Data><ds:X509Certificate>"
        f"{base64.b64encode(shown.public_bytes(Encoding.DER)).decode()}"
        f"</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>"
    )
    info = etree.tostring(signature[0], method="c14n", exclusive=True)
    value = private.sign(info, padding.PKCS1v15(), algorithm or hashes.SHA256())
    signature[1].text = base64.b64encode(value).decode()
    return signature


BUREAU, FORGER = certificate(key()), certificate(key(name="forger"), "bureau")
PINNED = pin(BUREAU)
