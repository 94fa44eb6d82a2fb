"""写出 Write: a message → its bytes, always the same; the gate at the exit; the signature. Half a message never leaves.

What the gate lets through is read back by our own reader and must be what was meant; what is signed must verify.
"""

from __future__ import annotations

from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from fengsui.core import cap_forms, cap_out
from fengsui.core.cap import Alert, Moment
from fengsui.core.cap_rules import Finding
from fengsui.formats.cap.read import VERSIONS
from fengsui.formats.cap.trust import pinned
from fengsui.formats.cap.verdict import verdict

SPACES = {version: name for name, version in VERSIONS.items()}
Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class Refused(ValueError):  # noqa: N818 - the condition is the name
    """报文未通过出口检查，没有发出。"""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        super().__init__("；".join(f"{f.text}[{f.code}]" for f in findings))


def write(alert: Alert) -> bytes:
    """A message as UTF-8; empty elements are left out, order and layout are always the same."""
    return _bytes(_element(alert))


def leaving(alert: Alert, key: Private, certificate: x509.Certificate) -> bytes:
    """The signed bytes of a message that may leave. Raises Refused with everything that is wrong with it."""
    root = _element(alert)
    _judge(_bytes(root), alert)
    content = _bytes(_signed(root, key, certificate))
    said = verdict(content, (pinned(certificate, "签名证书"),))
    if not said.valid or said.alert != alert:
        raise Refused([f for f in said.findings if f.grave] or [_altered()])
    return content


def gate(alert: Alert) -> None:
    """Raises Refused for a message that may not leave."""
    _judge(write(alert), alert)


def _judge(content: bytes, alert: Alert) -> None:
    said = verdict(content)
    found = [f for f in said.findings if f.grave] + list(cap_out.objections(alert))
    if not found and said.alert != alert:
        found = [_altered()]
    if found:
        raise Refused(found)


def _altered() -> Finding:
    return Finding("X610", "写出的报文读回来与原意不符。")


# ── elements 元素 ─────────────────────────────────────────────────────────────


def _element(alert: Alert) -> etree._Element:
    """The message as a tree. Raises Refused for a character that XML does not have."""
    space = SPACES[alert.version]
    root = etree.Element(f"{{{space}}}alert", nsmap={None: space})
    try:
        _fill(root, alert, space)
    except ValueError as error:
        raise Refused([Finding("X611", "文字里有 XML 不能写的控制字符，请改正后重新发布。")]) from error
    etree.indent(root, space="  ")
    return root


def _fill(element: etree._Element, struct: msgspec.Struct, space: str) -> None:
    """The fields of a struct as children of an element, in the order of the schema."""
    for field in msgspec.structs.fields(struct):
        if field.name == "version":
            continue
        value = getattr(struct, field.name)
        for one in value if isinstance(value, tuple) else (value,):
            if one is None or one is False or one == "":
                continue
            child = etree.SubElement(element, f"{{{space}}}{field.encode_name}")
            if isinstance(one, msgspec.Struct) and not isinstance(one, Moment):
                _fill(child, one, space)
            else:
                child.text = _text(one)


def plain(struct: msgspec.Struct) -> dict[str, Any]:
    """A message as JSON has it: the elements by their names, times as CAP writes them, nothing that is empty."""
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(struct):
        value = getattr(struct, field.name)
        if field.name == "version" or value in ("", (), None, False):
            continue
        several = isinstance(value, tuple)
        said = [_plain(one) for one in (value if several else (value,))]
        found[field.encode_name] = said if several else said[0]
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Moment):
        return cap_forms.written(value)
    return plain(value) if isinstance(value, msgspec.Struct) else value


def _text(value: Any) -> str:
    return cap_forms.written(value) if isinstance(value, Moment) else str(value)


def _bytes(root: etree._Element) -> bytes:
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _signed(root: etree._Element, key: Private, certificate: x509.Certificate) -> etree._Element:
    """The message with an enveloped signature as its last element."""
    method = (
        SignatureMethod.RSA_SHA256 if isinstance(key, rsa.RSAPrivateKey) else SignatureMethod.ECDSA_SHA256
    )
    signer = XMLSigner(
        signature_algorithm=method,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    signed: etree._Element = signer.sign(root, key=key, cert=[certificate])
    return signed
