"""印鉴 Signets: the keys that sign what leaves for other systems, each with its self-signed certificate.

``keys/signet-<since>-<id>.pem``, mode 0600: the private key and the certificate, one after the other; a place may put its
own RSA or elliptic key there. Validity is the certificate's. Two may be valid at once: the newest signs; peers pin both.
Backed up with the other keys.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

YEARS = 3
LEAD = dt.timedelta(days=1)
"""A certificate begins so long before it is made: clocks differ."""
SHORTEST = 2048
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class NoSignet(Exception):  # noqa: N818 - the condition is the name
    """没有可用的签名密钥，对外报文停发。请执行 fengsui keys --new，或从备份恢复 keys 目录。[S025]"""


class Signet(msgspec.Struct, frozen=True):
    """A key and its certificate. begins, ends: UTC µs."""

    id: str
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    begins: int
    ends: int

    @property
    def pem(self) -> bytes:
        """The certificate, to be pinned by whoever receives our messages."""
        return self.certificate.public_bytes(Encoding.PEM)


def load(directory: Path) -> tuple[Signet, ...]:
    """Every signet of a data directory, oldest first; what is unreadable or open to others is none."""
    found = [one for path in sorted((directory / "keys").glob("signet-*.pem")) if (one := _read(path))]
    return tuple(sorted(found, key=lambda one: (one.begins, one.id)))


def unusable(directory: Path) -> list[str]:
    """Names of files that should be signets and are none: damaged, weak, of a kind that we do not know, unreadable, or open to others."""
    return [p.name for p in sorted((directory / "keys").glob("signet-*.pem")) if _read(p) is None]


def signing(signets: Sequence[Signet], now: int) -> Signet:
    """The newest that is valid at a moment (UTC µs). Raises NoSignet: then nothing is signed, and nothing leaves."""
    valid = [one for one in signets if one.begins <= now < one.ends]
    if not valid:
        raise NoSignet(NoSignet.__doc__)
    return valid[-1]


def create(directory: Path, name: str, now: int) -> None:
    """A first signet where there is no file of one; an expired one is never replaced in silence."""
    if not any((directory / "keys").glob("signet-*.pem")):
        add(directory, name, now)


def add(directory: Path, name: str, now: int) -> Signet:
    """Make a signet that signs from now on. name: of whoever signs; now: UTC µs."""
    key = ec.generate_private_key(ec.SECP256R1())
    moment = EPOCH + dt.timedelta(microseconds=now)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - LEAD)
        .not_valid_after(moment + dt.timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = directory / "keys" / f"signet-{now}-{certificate.serial_number & 0xFFFFFFFF:08x}.pem"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(private + certificate.public_bytes(Encoding.PEM))
        file.flush()
        os.fsync(file.fileno())
    return _signet(path.stem, key, certificate)


def _usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _read(path: Path) -> Signet | None:
    """A file as a signet; None for one that must not be used."""
    try:
        if path.stat().st_mode & 0o077:
            return None
        content = path.read_bytes()
        key = load_pem_private_key(content, None)
        certificate = x509.load_pem_x509_certificate(content)
        certified = certificate.public_key()
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        return None
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < SHORTEST:
        return None
    return _signet(path.stem, key, certificate) if key.public_key() == certified else None


def _signet(
    name: str, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, certificate: x509.Certificate
) -> Signet:
    return Signet(
        name.rpartition("-")[2],
        key,
        certificate,
        int(certificate.not_valid_before_utc.timestamp()) * 1_000_000,
        int(certificate.not_valid_after_utc.timestamp()) * 1_000_000,
    )
