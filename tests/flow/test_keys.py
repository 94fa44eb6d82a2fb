"""The signets of a place: made with it, seen by the check, replaced by hand, in every backup."""

from __future__ import annotations

import os
import subprocess
import sys

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
