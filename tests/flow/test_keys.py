"""The signets of a place: made with it, seen by the check, replaced by hand, in every backup."""

from __future__ import annotations

import base64
import os
import subprocess
import sys

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from fengsui.store import signet


def run(place, *words):
    done = subprocess.run(
        [sys.executable, "-m", "fengsui", *words],
        check=False, env=os.environ | {"FENGSUI_DATA": str(place)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_place_is_made_with_a_signet_and_another_may_be_made_beside_it(tmp_path):
    place = tmp_path / "place"
    assert run(place, "init")[0] == 0
    (first,) = signet.load(place)
    assert "C046" in run(place, "check")[1]

    code, said = run(place, "keys", "--new")
    assert code == 0
    both = signet.load(place)
    assert len(both) == 2
    assert both[1].certificate.subject.rfc4514_string() == "CN=云州区气象台"
    assert signet.signing(both, both[1].begins + 1).id == both[1].id
    assert said.count("有效") == 2
    assert first.id in said

    for file in (place / "keys").glob("signet-*.pem"):
        file.unlink()
    code, said = run(place, "check")
    assert code == 1
    assert "S025" in said


def sm2(directory):
    """A key of a curve that our library does not know, as a place might put it beside its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    der = der.replace(bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a811ccf5501822d"))
    body = base64.encodebytes(der).decode()
    file = directory / "keys" / "signet-gm.pem"
    file.write_text(f"-----BEGIN PRIVATE KEY-----\n{body}-----END PRIVATE KEY-----\n")
    file.chmod(0o600)
    return file


def test_a_file_that_cannot_be_used_leaves_the_others_usable(tmp_path):
    (tmp_path / "keys").mkdir()
    made = signet.add(tmp_path, "x", 1_800_000_000_000_000)
    with pytest.raises(UnsupportedAlgorithm):
        load_pem_private_key(sm2(tmp_path).read_bytes(), None)
    (tmp_path / "keys" / "signet-root.pem").mkdir(mode=0o700)  # an OSError: as of a file that is root's

    assert [one.id for one in signet.load(tmp_path)] == [made.id]
    assert signet.unusable(tmp_path) == ["signet-gm.pem", "signet-root.pem"]
