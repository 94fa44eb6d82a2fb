"""报文量测 CAP bench: parse, schema, rules and structs, beside bare lxml with a cached schema and beside PyPI capvalidator.

All judge the same bytes in the same run, one pass over the corpus each in turn; of each document the best of all passes counts,
so that what else the machine does falls on nobody. Of us the signature is left aside; capvalidator is measured with its own
answer to a message (``validate_cap_message``, which looks at signatures) and with its schema part alone.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lxml import etree

from fengsui.formats.cap import schema
from fengsui.formats.cap.parse import namespace, parser
from fengsui.formats.cap.verdict import verdict
from fengsui.rehearse.bench import place

SAMPLES = Path(__file__).parent / "samples"
"""Messages that may go with the product (NOTICE); the founders' corpus lies beside the project."""
BESIDE = Path("shared", "data", "cap")
LARGE = 1_500_000
"""Bytes from which a document is large enough to say what one costs in memory."""
POLYGONS = 212
Judge = Callable[[bytes], object]


class Empty(ValueError):  # noqa: N818 - the condition is the name
    """语料文件夹里没有 valid、invalid 下的报文。[B011]"""


def bench(corpus: Path | None, *, rounds: int) -> dict[str, Any]:
    """The figures. corpus: a folder with ``valid`` and ``invalid``; None = the founders' if it is there, else the samples."""
    folder = corpus or _shared() or SAMPLES
    documents = [file.read_bytes() for file in sorted(folder.glob("*valid/*")) if file.is_file()]
    if not documents:
        raise Empty(Empty.__doc__)
    if not 1 <= rounds <= 1000:
        raise ValueError("rounds 应为 1–1000。[B012]")
    place.progress(f"{len(documents)} 份报文，{rounds} 轮")
    rates = _rates(documents, {"documents": verdict, "lxml": _bare()}, rounds)
    theirs = _rates(documents, _capvalidator(), max(1, rounds // 8))
    largest = max(documents, key=len)
    return {
        "corpus": "packaged" if folder == SAMPLES else "shared" if folder == _shared() else folder.name,
        "documents": len(documents),
        "bytes": sum(map(len, documents)),
        "valid": sum(verdict(document).valid for document in documents),
        "rounds": rounds,
        "documents_per_s": rates["documents"],
        "lxml_per_s": rates["lxml"],
        "capvalidator_per_s": theirs.get("whole"),
        "capvalidator_schema_per_s": theirs.get("schema"),
        "ratio_lxml": round(rates["documents"] / rates["lxml"], 3),
        "ratio_capvalidator": round(rates["documents"] / theirs["whole"], 1) if theirs else None,
        **_peak(largest if len(largest) >= LARGE else made()),
    }  # fmt: skip


def _shared() -> Path | None:
    """The founders' corpus, where it lies beside the project."""
    beside = (Path(__file__).parents[4] / BESIDE, Path.cwd().parent / BESIDE)
    return next((folder for folder in beside if folder.is_dir()), None)


def _rates(documents: list[bytes], judges: dict[str, Judge], rounds: int) -> dict[str, int]:
    """Documents per second of each judge: their number, by the sum of the best time of each."""
    best = {name: [float("inf")] * len(documents) for name in judges}
    for _ in range(rounds):
        for name, judge in judges.items():
            for n, document in enumerate(documents):
                began = time.perf_counter()
                judge(document)
                best[name][n] = min(best[name][n], time.perf_counter() - began)
    return {name: round(len(documents) / sum(times)) for name, times in best.items()}


# ── the others 对照 ───────────────────────────────────────────────────────────


def _bare() -> Judge:
    """Bare lxml as anybody would use it with care: a safe parser, a schema compiled once for each version."""
    using = etree.XMLParser(resolve_entities=False, no_network=True)

    def judge(document: bytes) -> object:
        try:
            root = etree.fromstring(document, using)
        except etree.XMLSyntaxError:
            return False
        rules = schema.schema(namespace(root))
        return rules is not None and rules.validate(root)

    return judge


def _capvalidator() -> dict[str, Judge]:
    """PyPI capvalidator (WMO) as it is installed with the tests, whole and its schema part; nothing where it is not."""
    try:
        found = importlib.import_module("capvalidator")
    except ModuleNotFoundError:
        place.progress("没有安装 capvalidator，不作对照（pip install capvalidator）")
        return {}
    return {
        "whole": lambda document: found.validate_cap_message(document, strict=False),
        "schema": found.check_schema,
    }


# ── memory 内存 ───────────────────────────────────────────────────────────────


def made() -> bytes:
    """A message of 1.7 MB of polygons, for a corpus without a large one."""
    root = etree.fromstring(
        (SAMPLES / "valid" / "oasiscap__v1dot2_appendix_adot2.xml").read_bytes(), parser()
    )
    area = root.find(".//{*}area")
    if area is None:
        raise Empty(Empty.__doc__)
    ring = " ".join(f"{40 + n % 100 / 1000:.6f},{113 + n % 97 / 1000:.6f}" for n in range(400))
    for n in range(POLYGONS):
        polygon = etree.Element(f"{{{namespace(root)}}}polygon")
        polygon.text = f"{ring} 40.000000,113.000000"
        area.insert(1 + n, polygon)
    return etree.tostring(root)


def _peak(document: bytes) -> dict[str, Any]:
    """What judging one document adds to the memory of a fresh process, at its peak."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(document)
        file.flush()
        words = (sys.executable, "-m", "fengsui.rehearse.bench.cap", file.name)
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 - our own program
    figures: dict[str, Any] = json.loads(done.stdout)
    return {"largest_bytes": len(document), **figures}


def _alone(file: Path) -> dict[str, Any]:
    """Judge one document in this process; peak memory before and after, MB."""
    small = (SAMPLES / "valid" / "oasiscap__v1dot2_appendix_adot2.xml").read_bytes()
    verdict(small)
    before = place.rss_mb()
    verdict(file.read_bytes())
    after = place.rss_mb()
    return {"peak_mb": round(after - before, 1), "process_mb": after}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_alone(Path(sys.argv[1]))) + "\n")
