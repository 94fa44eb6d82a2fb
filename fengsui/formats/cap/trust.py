"""信任 Trust: whose signatures count — certificates pinned as ``*.pem`` in a folder. Pinning is the trust: no chain, no root."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning

Key = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
WEAKEST = {True: 2048, False: 256}
"""Bits of the shortest key that is taken: RSA, elliptic curve."""


class TrustFault(ValueError):  # noqa: N818 - the condition is the name
    """受信证书不可用。"""


class Pinned(msgspec.Struct, frozen=True):
    """受信证书 A certificate that is trusted: whose it is, its key, when it is valid (UTC µs), itself and its key in DER."""

    subject: str
    key: Key
    begins: int
    ends: int
    der: bytes
    public: bytes


Trust = tuple[Pinned, ...]


def load(folder: Path) -> Trust:
    """The certificates of a folder's ``*.pem`` files, sorted by file. Raises TrustFault, OSError."""
    if not folder.is_dir():
        raise TrustFault(f"没有文件夹“{folder.name}”。[X490]")
    found = [
        pinned(certificate, file.name)
        for file in sorted(folder.glob("*.pem"))
        for certificate in _certificates(file.read_bytes(), file.name)
    ]
    if not found:
        raise TrustFault(f"文件夹“{folder.name}”里没有 *.pem 证书。[X491]")
    return tuple(found)


def _certificates(content: bytes, name: str) -> Iterable[x509.Certificate]:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", CryptographyDeprecationWarning
        )  # serial 0 is bad style, not a bad key
        try:
            return x509.load_pem_x509_certificates(content)
        except ValueError as error:
            raise TrustFault(f"“{name}”不是 PEM 证书，或已损坏。[X492]") from error


def pinned(certificate: x509.Certificate, name: str) -> Pinned:
    """A certificate as it is trusted. name: of its file. Raises TrustFault for a key that cannot sign a message here."""
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise TrustFault(f"“{name}”的密钥不是 RSA 或椭圆曲线密钥。[X493]")
    least = WEAKEST[isinstance(key, rsa.RSAPublicKey)]
    if key.key_size < least:
        raise TrustFault(f"“{name}”的密钥只有 {key.key_size} 位，至少 {least} 位。[X494]")
    return Pinned(
        certificate.subject.rfc4514_string(),
        key,
        int(certificate.not_valid_before_utc.timestamp()) * 1_000_000,
        int(certificate.not_valid_after_utc.timestamp()) * 1_000_000,
        certificate.public_bytes(Encoding.DER),
        public(key),
    )


def public(key: Key) -> bytes:
    """A key in DER: what is compared when a certificate was renewed with the same key."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
