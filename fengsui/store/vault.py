"""密钥 Keys of a data directory: encryption of names and numbers, keyed hashes, the signature of the chain.

``keys/<purpose>-<id>.key``, mode 0600, one JSON object each; two keys of a purpose may be valid at once (rotation):
the newest writes, all of them read. Never in a database or a pack; backed up apart.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import string
from pathlib import Path
from typing import Literal, get_args

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fengsui.store import signet

Purpose = Literal["data", "lookup", "chain", "web"]
LOOKUP_BYTES = 16
SIGNER = "Fengsui"
"""Whose name the first certificate of a place bears, until it brings its own."""
LETTERS = string.digits + string.ascii_letters


class KeyFault(Exception):  # noqa: N818 - the condition is the name
    """密钥缺失或不可用。请从密钥备份恢复 keys 目录，再执行 fengsui check。[S020]"""


class Key(msgspec.Struct, frozen=True):
    """One key: 8 hexadecimal digits as id, 32 secret bytes, valid from and to (UTC µs; valid_to 0 = without end)."""

    id: str
    purpose: Purpose
    secret: bytes
    valid_from: int
    valid_to: int = 0


class Vault:
    """The keys of a data directory, read once. directory: where it is, for the signets of ``store.signet``."""

    def __init__(self, keys: list[Key], directory: Path) -> None:
        self.directory = directory
        ordered = sorted(keys, key=lambda k: (k.valid_from, k.id))
        self._keys: dict[Purpose, list[Key]] = {
            p: [k for k in ordered if k.purpose == p] for p in get_args(Purpose)
        }
        if missing := [p for p, found in self._keys.items() if not found]:
            raise KeyFault(f"{KeyFault.__doc__} 缺少：{'、'.join(missing)}")
        self._ciphers = {bytes.fromhex(k.id): AESGCM(k.secret) for k in self._keys["data"]}
        self._writing = bytes.fromhex(self._keys["data"][-1].id)
        self._chain = {k.id: Ed25519PrivateKey.from_private_bytes(k.secret) for k in self._keys["chain"]}

    def encrypt(self, text: str, purpose: str) -> bytes:
        """AES-256-GCM: key id (4 bytes), nonce (12), cipher; ``purpose`` is bound to it ("name", "address" …)."""
        nonce = os.urandom(12)
        return (
            self._writing
            + nonce
            + self._ciphers[self._writing].encrypt(nonce, text.encode(), purpose.encode())
        )

    def decrypt(self, cipher: bytes, purpose: str) -> str:
        """The text again. Raises KeyFault if its key is gone or it was changed."""
        try:
            return self._ciphers[cipher[:4]].decrypt(cipher[4:16], cipher[16:], purpose.encode()).decode()
        except (KeyError, InvalidTag) as error:
            raise KeyFault(KeyFault.__doc__) from error

    def lookup(self, text: str) -> bytes:
        """The keyed hash that is stored beside a cipher, so that an address can be found: 16 bytes."""
        return _keyed(self._keys["lookup"][-1], text)

    def lookups(self, text: str) -> tuple[bytes, ...]:
        """The hashes under every valid key, for searching during a rotation."""
        return tuple(_keyed(key, text) for key in self._keys["lookup"])

    def token(self, text: str, length: int) -> str:
        """An opaque word of letters and digits that only the newest ``web`` key can make of this text."""
        number = int.from_bytes(
            hmac.new(self._keys["web"][-1].secret, text.encode(), hashlib.sha256).digest()
        )
        letters = []
        for _ in range(length):
            number, digit = divmod(number, len(LETTERS))
            letters.append(LETTERS[digit])
        return "".join(letters)

    def sign(self, message: bytes) -> tuple[str, str]:
        """Ed25519 signature (base64) with the newest chain key, and that key's id."""
        key = self._keys["chain"][-1].id
        return base64.b64encode(self._chain[key].sign(message)).decode(), key

    def signed(self, message: bytes, signature: str, key: str) -> bool:
        """Whether a signature is good; False for a key that is not here."""
        if key not in self._chain:
            return False
        try:
            self._chain[key].public_key().verify(base64.b64decode(signature), message)
        except InvalidSignature:
            return False
        return True

    def public(self) -> dict[str, Ed25519PublicKey]:
        """Public keys of the chain by id, to hand to whoever checks from outside."""
        return {id_: key.public_key() for id_, key in self._chain.items()}


def create(directory: Path, now: int) -> Vault:
    """Make ``keys/`` of a data directory with a first key for each purpose, or read what is there."""
    keys = directory / "keys"
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    for purpose in get_args(Purpose):
        if not any(keys.glob(f"{purpose}-*.key")):
            add(directory, purpose, now)
    signet.create(directory, SIGNER, now)
    return load(directory, now)


def add(directory: Path, purpose: Purpose, now: int) -> Key:
    """Add a key that writes from now on; the old ones still read until they are ended."""
    key = Key(secrets.token_hex(4), purpose, secrets.token_bytes(32), now)
    path = directory / "keys" / f"{purpose}-{now}-{key.id}.key"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.encode(key))
        file.flush()
        os.fsync(file.fileno())
    return key


def load(directory: Path, now: int) -> Vault:
    """The keys valid now. Raises KeyFault if one is missing, unreadable, or open to others."""
    found: list[Key] = []
    for path in sorted((directory / "keys").glob("*.key")):
        if path.stat().st_mode & 0o077:
            raise KeyFault(f"密钥文件“{path.name}”可被他人读取。请执行 chmod 600 后再启动。[S021]")
        try:
            key = msgspec.json.decode(path.read_bytes(), type=Key)
        except msgspec.DecodeError as error:
            raise KeyFault(f"密钥文件“{path.name}”已损坏。请从密钥备份恢复。[S022]") from error
        if key.valid_from <= now and (not key.valid_to or now < key.valid_to):
            found.append(key)
    return Vault(found, directory)


def _keyed(key: Key, text: str) -> bytes:
    return hmac.new(key.secret, text.encode(), hashlib.sha256).digest()[:LOOKUP_BYTES]
