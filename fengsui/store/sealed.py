"""封存 Sealed bytes: what only a passphrase opens — scrypt makes the key, AES-256-GCM closes. For keys in a backup."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MARK = b"fengsui sealed 1\n"
SALT, NONCE = 16, 12
COST = 2**15
"""scrypt's n; with r = 8 and p = 1 about 32 MB and a tenth of a second for each guess."""
SHORTEST = 12
"""Characters of a passphrase."""


class Unsealed(ValueError):  # noqa: N818 - the condition is the name
    """口令不对，或文件已损坏，打不开。请核对 FENGSUI_BACKUP_PASSPHRASE。[S060]"""


def close(body: bytes, passphrase: str) -> bytes:
    """Bytes that only this passphrase opens. Raises ValueError for one that is too short."""
    if len(passphrase) < SHORTEST:
        raise ValueError(f"备份口令至少 {SHORTEST} 个字符，请设环境变量 FENGSUI_BACKUP_PASSPHRASE。[S061]")
    salt, nonce = os.urandom(SALT), os.urandom(NONCE)
    return MARK + salt + nonce + AESGCM(_key(passphrase, salt)).encrypt(nonce, body, MARK)


def open_(body: bytes, passphrase: str) -> bytes:
    """The bytes again. Raises Unsealed."""
    if not body.startswith(MARK):
        raise Unsealed(Unsealed.__doc__)
    rest = body[len(MARK) :]
    salt, nonce, cipher = rest[:SALT], rest[SALT : SALT + NONCE], rest[SALT + NONCE :]
    try:
        return AESGCM(_key(passphrase, salt)).decrypt(nonce, cipher, MARK)
    except (InvalidTag, ValueError) as error:
        raise Unsealed(Unsealed.__doc__) from error


def _key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=COST, r=8, p=1).derive(passphrase.encode())
