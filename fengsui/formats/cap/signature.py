"""签名 Signature: is this message signed by somebody who is trusted — and what exactly did he sign?

One narrow form of XML signatures is read (enveloped, one reference to the whole document, RSA or ECDSA with SHA-256 or
better); everything else that the standard allows is refused by name. The answer is not a yes but the bytes that were signed:
whoever reads the message reads those, so that nothing in it can be moved, hidden or commented out around the signature.

Exactly one signature is read. Canada's aggregator adds its own beside the originator's, each leaving the other out of what
it signs; whoever wants those messages has to take one of the two away first.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import warnings

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.utils import CryptographyDeprecationWarning
from lxml import etree

from fengsui.core.cap_rules import Finding
from fengsui.formats.cap import parse
from fengsui.formats.cap.trust import Key, Pinned, Trust, public

DS = "http://www.w3.org/2000/09/xmldsig#"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
ENC = "http://www.w3.org/2001/04/xmlenc#"
TAG = f"{{{DS}}}Signature"
ENVELOPED = f"{DS}enveloped-signature"
DIGESTS = {f"{ENC}sha256": "sha256", f"{MORE}sha384": "sha384", f"{ENC}sha512": "sha512"}
METHODS: dict[str, tuple[type, hashes.HashAlgorithm]] = {
    f"{MORE}rsa-sha256": (rsa.RSAPublicKey, hashes.SHA256()),
    f"{MORE}rsa-sha384": (rsa.RSAPublicKey, hashes.SHA384()),
    f"{MORE}rsa-sha512": (rsa.RSAPublicKey, hashes.SHA512()),
    f"{MORE}ecdsa-sha256": (ec.EllipticCurvePublicKey, hashes.SHA256()),
    f"{MORE}ecdsa-sha384": (ec.EllipticCurvePublicKey, hashes.SHA384()),
    f"{MORE}ecdsa-sha512": (ec.EllipticCurvePublicKey, hashes.SHA512()),
}
CANONICAL = {
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315": (False, False),
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments": (False, True),
    "http://www.w3.org/2006/12/xml-c14n11": (False, False),
    "http://www.w3.org/2006/12/xml-c14n11#WithComments": (False, True),
    "http://www.w3.org/2001/10/xml-exc-c14n#": (True, False),
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments": (True, True),
}
"""Canonical form → exclusive, with comments. 1.1 differs from 1.0 only in ``xml:`` attributes, which CAP has not."""
INCLUSIVE = "{http://www.w3.org/2001/10/xml-exc-c14n#}InclusiveNamespaces"
IDS = ("Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id")

PARSERS = (parse.parser(), parse.parser(blank=False))
"""As it stands; and without white space between elements, as cap-composer and capvalidator (WMO) sign and verify."""


class Signed(msgspec.Struct, frozen=True):
    """What a trusted signature covers: the bytes that were signed, and who signed them."""

    content: bytes
    signer: Pinned


class Bad(Exception):  # noqa: N818 - the condition is the name
    """A signature that does not count, and why."""

    def __init__(self, code: str, text: str, line: int = 0) -> None:
        super().__init__(text)
        self.finding = Finding(code, text, "signature", line)


def verify(content: bytes, trust: Trust) -> Signed:
    """The message as somebody trusted signed it. Raises Bad with the reason, Refused for what is no XML."""
    problems: list[Bad] = []
    for using in PARSERS:
        root = parse.tree(content, using)
        signature = _only(root)
        try:
            return _verified(root, signature, trust)
        except Bad as bad:
            bad.finding = msgspec.structs.replace(bad.finding, line=signature.sourceline or 0)
            problems.append(bad)
    raise problems[0]


def current(signer: Pinned, at: int) -> Finding | None:
    """Why a certificate does not count at a moment (UTC µs): not yet valid, or expired."""
    if at < signer.begins:
        return Finding("X415", f"签名证书（{signer.subject}）此刻尚未生效。", "signature")
    if at > signer.ends:
        return Finding("X416", f"签名证书（{signer.subject}）此刻已过期。", "signature")
    return None


def _only(root: etree._Element) -> etree._Element:
    """The one signature of a message, where it belongs. Raises Bad if there is none, or more, or it stands elsewhere."""
    found = list(root.iter(TAG))
    if not found:
        raise Bad("X401", "没有签名。已指定受信证书，未签名的报文不予采信。")
    if len(found) > 1:
        raise Bad("X403", f"有 {len(found)} 个签名，只受理一个。", found[1].sourceline or 0)
    if found[0].getparent() is not root:
        raise Bad(
            "X402", "签名不是 alert 的直接下级：位置被移动，或签的是别的内容。", found[0].sourceline or 0
        )
    ids = [element.get(name) for element in root.iter("*") for name in IDS if name in element.attrib]
    if len(set(ids)) < len(ids):
        raise Bad("X404", "有重复的 Id，无法确定签的是哪一处。")
    return found[0]


def _verified(root: etree._Element, signature: etree._Element, trust: Trust) -> Signed:
    info, value, *rest = _children(signature, ("SignedInfo", "SignatureValue"), more=True)
    form, method, reference = _children(info, ("CanonicalizationMethod", "SignatureMethod", "Reference"))
    signer = _signer(_canonical(info, form), _decoded(value), method.get("Algorithm", ""), trust, rest)
    transforms, digest, wanted = _children(reference, ("Transforms", "DigestMethod", "DigestValue"))
    name = DIGESTS.get(digest.get("Algorithm", ""))
    if name is None:
        raise Bad("X407", f"摘要算法 {_last(digest)} 不受理，须为 SHA-256 以上。")
    whole = _whole(root, reference.get("URI"))
    last = _transform(transforms)
    expected = _decoded(wanted)
    _without(signature)
    for node in whole:
        content = _canonical(node, last, comments=False)
        if hashlib.new(name, content).digest() == expected:
            return Signed(content, signer)
    raise Bad("X413", "报文内容与签名不符：签名之后被改动过。")


def _children(element: etree._Element, names: tuple[str, ...], *, more: bool = False) -> list[etree._Element]:
    """The children of an element, which are these in this order; more: others may follow, which are not read."""
    found = list(element.iterchildren("*"))
    said = [child.tag for child in found]
    full = [f"{{{DS}}}{name}" for name in names]
    if (
        said[: len(full)] != full
        or set(full) & set(said[len(full) :])
        or (len(said) > len(full) and not more)
    ):
        inside = "、".join(parse.local(child)[:30] for child in found[:6]) or "空的"
        name = parse.local(element)
        raise Bad("X405", f"签名的 {name} 内是 {inside}，应为 {'、'.join(names)}，各一个。")
    return found


# ── who 何人所签 ──────────────────────────────────────────────────────────────


def _signer(info: bytes, value: bytes, method: str, trust: Trust, rest: list[etree._Element]) -> Pinned:
    """Whose signature this is. Raises Bad if nobody's who is trusted."""
    if method not in METHODS:
        raise Bad(
            "X406", f"签名算法 {method.rpartition('#')[2][:40]} 不受理，须为 RSA 或 ECDSA 配 SHA-256 以上。"
        )
    shown = [_decoded(one) for keys in rest for one in keys.iter(f"{{{DS}}}X509Certificate")]
    named = [one for one in trust if not shown or any(_same(der, one) for der in shown)]
    if not named:
        raise Bad("X411", "签名人不在受信证书之列。")
    for one in named:
        if _signs(one.key, info, value, method):
            return one
    raise Bad("X412", "签名值不对：签名信息被改动过，或不是这张证书签的。")


def _same(der: bytes, pinned: Pinned) -> bool:
    """Whether a certificate shown in a message is a pinned one, or has its key."""
    if der == pinned.der:
        return True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        try:
            key = x509.load_der_x509_certificate(der).public_key()
        except (ValueError, UnsupportedAlgorithm):
            return False
    return isinstance(key, Key) and public(key) == pinned.public


def _signs(key: Key, info: bytes, value: bytes, method: str) -> bool:
    """Whether a value is this key's signature of these bytes."""
    kind, digest = METHODS[method]
    try:
        if isinstance(key, rsa.RSAPublicKey) and kind is rsa.RSAPublicKey:
            key.verify(value, info, padding.PKCS1v15(), digest)
            return True
        if isinstance(key, ec.EllipticCurvePublicKey) and kind is ec.EllipticCurvePublicKey:
            half = (key.key_size + 7) // 8
            r, s = value[:half], value[half:]
            if len(r) != len(s):
                return False
            pair = encode_dss_signature(int.from_bytes(r), int.from_bytes(s))
            key.verify(pair, info, ec.ECDSA(digest))
            return True
    except InvalidSignature:
        return False
    return False


# ── what 所签何物 ─────────────────────────────────────────────────────────────


def _whole(root: etree._Element, uri: str | None) -> tuple[etree._Element | etree._ElementTree, ...]:
    """What a reference names, which must be the whole message.

    "" is the document; signers differ on whether a stylesheet instruction before the message belongs to it.
    """
    if uri == "":
        return root.getroottree(), root
    if uri and uri[0] == "#" and uri[1:] in [root.get(name) for name in IDS]:
        return (root,)
    raise Bad("X408", f"签的不是整份报文：Reference 的 URI 为“{(uri or '无')[:40]}”，应为空或 alert 的 Id。")


def _transform(transforms: etree._Element) -> etree._Element | None:
    """The canonical form that is applied last, None for the standard's own. Raises Bad for any other transform."""
    found = list(transforms.iterchildren("*"))
    names = [one.get("Algorithm", "") for one in found]
    if names[:1] != [ENVELOPED] or len(names) > 2 or any(name not in CANONICAL for name in names[1:]):
        said = "、".join(_last(one) for one in found[:4]) or "无"
        raise Bad("X409", f"变换为 {said}，只受理 enveloped-signature 加一种规范化。")
    return found[1] if found[1:] else None


def _without(signature: etree._Element) -> None:
    """Take a signature out of its message; the white space after it stays."""
    parent, before = signature.getparent(), signature.getprevious()
    if parent is None:
        return
    if before is not None:
        before.tail = (before.tail or "") + (signature.tail or "")
    else:
        parent.text = (parent.text or "") + (signature.tail or "")
    parent.remove(signature)


def _canonical(
    node: etree._Element | etree._ElementTree, form: etree._Element | None, *, comments: bool = True
) -> bytes:
    """The canonical bytes of a node. comments: keep them if the form says so."""
    name = form.get("Algorithm", "") if form is not None else next(iter(CANONICAL))
    if name not in CANONICAL:
        raise Bad("X410", f"规范化算法 {name.rpartition('/')[2][:40]} 不受理。")
    exclusive, said = CANONICAL[name]
    prefixes = [] if form is None else [one.get("PrefixList", "") for one in form.iterchildren(INCLUSIVE)]
    try:
        if etree.iselement(node):
            # lxml canonicalises a part of a document wrongly (default namespace below the second level): a document of its own
            node = etree.fromstring(etree.tostring(node, encoding="utf-8", with_tail=False), parse.parser())
        content: bytes = etree.tostring(
            node,
            method="c14n",
            exclusive=exclusive,
            with_comments=said and comments,
            inclusive_ns_prefixes=" ".join(prefixes).split() or None,
        )
    except etree.LxmlError as error:
        raise Bad("X410", "报文无法规范化，签名无从核验。") from error
    return content


# ── small things 零件 ─────────────────────────────────────────────────────────


def _decoded(element: etree._Element) -> bytes:
    """The bytes of a text in base64, which must be written as base64 is: no idle bits, so that no letter can be changed."""
    text = "".join("".join(element.itertext()).split())
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not found or base64.b64encode(found).decode() != text:
        raise Bad("X414", f"签名的 {parse.local(element)} 不是规范的 base64：被改动过。")
    return found


def _last(element: etree._Element) -> str:
    """The last part of an algorithm's name."""
    return element.get("Algorithm", "无").rpartition("#" if "#" in element.get("Algorithm", "") else "/")[2][
        :40
    ]
