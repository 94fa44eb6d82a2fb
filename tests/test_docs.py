"""What the documents say is what the code does."""

from __future__ import annotations

import re

import pytest

from tests import docs

DOCUMENTS = (
    "README.md",
    "README.en.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/reference.md",
    "docs/benchmarks.md",
    "docs/guides/README.md",
    "docs/guides/forecaster.md",
    "docs/guides/signer.md",
    "docs/guides/desk.md",
    "docs/guides/township.md",
    "docs/guides/media.md",
    "docs/guides/drills.md",
)

SHARED = {
    "G004", "G007", "G032", "N04", "N06", "R010", "R020", "R061", "W040", "W121", "W125", "W138", "W222",
}  # fmt: skip
"""Codes that several modules say, because it is the same fault wherever it is met."""


@pytest.mark.parametrize("name", docs.FILES)
def test_made_blocks_are_as_the_code_makes_them(name: str) -> None:
    text = (docs.ROOT / name).read_text(encoding="utf-8")

    assert docs.made(text) == text, "run: make docs"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_file_a_document_links_to_is_there(name: str) -> None:
    place = docs.ROOT / name
    links = re.findall(r"\]\(([^)#]+)\)", place.read_text(encoding="utf-8"))

    assert [link for link in links if "://" not in link and not (place.parent / link).exists()] == []


def test_an_error_code_means_one_thing() -> None:
    rows = [line for line in docs.codes() if line.startswith("| `")]

    spoken = docs.spoken()
    assert {code: places for code, places in spoken.items() if len(places) > 1 and code not in SHARED} == {}
    assert len(rows) > 60
    assert [row for row in rows if len(row.split("|")[2].strip()) < 3] == []


def test_the_two_commands_of_the_readme_are_targets() -> None:
    targets = (docs.ROOT / "Makefile").read_text(encoding="utf-8")

    for command in ("demo", "test"):
        assert f"make {command}" in (docs.ROOT / "README.md").read_text(encoding="utf-8")
        assert f"\n{command}:" in targets
