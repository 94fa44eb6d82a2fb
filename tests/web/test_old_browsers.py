"""Government machines run Chromium 86: our styles and scripts use nothing newer, and theirs are as they were signed."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "fengsui/web/static"
TEMPLATES = Path(__file__).parents[2] / "fengsui/web/templates"
NEWER_STYLE = re.compile(
    r"color-mix\(|oklch\(|light-dark\(|:has\(|@layer|@container|@scope|\bdvh\b|\bsvh\b|\binset:|:is\(|:where\("
    r"|aspect-ratio\s*:|accent-color|text-wrap\s*:|&:|&\s*[.#\[]"
)
"""Chromium 88 and later, or nesting."""
NEWER_SCRIPT = re.compile(
    r"\.at\(|structuredClone|Object\.hasOwn|\.replaceAll\(.*\n?.*static \{|#[a-z]+\s*=|\?\?=|\|\|=|&&=|\.findLast\(|Array\.fromAsync"
)
INLINE = re.compile(r"<script>|<style|\sstyle=\"|\son[a-z]+=\"|javascript:")
"""What the strict policy forbids."""


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.css")), ids=lambda p: p.name)
def test_styles_are_what_chromium_86_knows(path: Path) -> None:
    assert NEWER_STYLE.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.js")), ids=lambda p: p.name)
def test_scripts_are_what_chromium_86_knows(path: Path) -> None:
    assert NEWER_SCRIPT.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda p: p.name)
def test_nothing_is_inline(path: Path) -> None:
    assert INLINE.findall(path.read_text(encoding="utf-8")) == []


def test_vendored_scripts_are_those_that_were_signed() -> None:
    lines = (STATIC / "vendor/vendor.lock").read_text(encoding="utf-8").splitlines()
    signed = {line.split()[0]: line.split()[3] for line in lines if not line.startswith("#")}
    files = [p for p in (STATIC / "vendor").iterdir() if p.suffix in (".js", ".css")]
    there = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}

    assert there == signed
