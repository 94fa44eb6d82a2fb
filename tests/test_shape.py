"""The house keeps its shape: every module says what it is, none is a drawer, none grows past one sitting."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOUSE = sorted(p for p in (ROOT / "fengsui").rglob("*.py") if "migrations" not in p.parts)
AVOIDED = {"event", "manager", "handler", "service", "util", "utils", "common", "helpers", "data", "misc"}
"""Names that say nothing, and ``event``, which in CAP is the hazard."""


def names(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", HOUSE, ids=names)
def test_every_module_says_first_what_it_is(path: Path) -> None:
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))

    assert said, "a module without a docstring cannot be found"
    assert len(said.splitlines()[0]) <= 125


@pytest.mark.parametrize("path", HOUSE, ids=names)
def test_no_module_is_named_after_nothing(path: Path) -> None:
    assert path.stem not in AVOIDED


@pytest.mark.parametrize("path", HOUSE, ids=names)
def test_a_module_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 480


def test_nothing_in_the_house_catches_every_error() -> None:
    """Each place names what it can answer for; what it cannot ends the round, or the process, loudly."""
    found = [
        names(path)
        for path in HOUSE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler) and _broad(node.type)
    ]

    assert found == []


def _broad(caught: ast.expr | None) -> bool:
    named = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(
        n is None or (isinstance(n, ast.Name) and n.id in ("Exception", "BaseException")) for n in named
    )
