"""数据包 Packs: folders of TOML → one frozen, checked ``Pack``; or a ``PackError`` that says what to mend.

A pack extends another; a table with the same id replaces the whole table, a file of single tables (texts, almanac,
rights, document) the whole file. Names of files in messages are relative: a message never shows where a machine keeps them.
"""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import msgspec

from fengsui import __version__
from fengsui.core import clauses
from fengsui.core.clauses import Document, Pack
from fengsui.core.lint import lint
from fengsui.core.lint_tables import Fault
from fengsui.core.scenario import Scenario
from fengsui.core.tables import (
    Addressee,
    Almanac,
    Area,
    Geocodes,
    Hazard,
    Profile,
    Resend,
    Right,
    Texts,
    Unit,
)
from fengsui.formats.shapes import convert

SHIPPED = Path(__file__).parent.parent / "mechanism"
KINDS: dict[str, type[Any]] = {
    "clauses": clauses.Clause,
    "hazards": Hazard,
    "drills": Scenario,
    "ladder": clauses.Ladder,
    "audience": clauses.Audience,
    "report": clauses.Report,
    "addressee": Addressee,
    "resend": Resend,
    "unit": Unit,
    "area": Area,
}
"""Word (a folder, a group of ``tables.toml``, a list) → the struct each of its tables is."""

GROUPS = ("ladder", "audience", "report", "addressee", "resend")
"""Groups that may stand in ``tables.toml``."""

WHOLE = {"clauses": "条款 ", "hazards": "灾种 ", "drills": "演练情景 "}
"""Folders of which each file is one table → what such a file is called."""

SINGLE: dict[str, type[Any]] = {
    "texts.toml": Texts,
    "almanac.toml": Almanac,
    "rights.toml": Right,
    "geocodes.toml": Geocodes,
    "cap.toml": Profile,
    "document.toml": Document,
}
"""Files that are one table."""

KNOWN = "pack、document、tables、units、areas、sources、texts、almanac、rights、geocodes、cap"
T = TypeVar("T")


class PackError(ValueError):
    """数据包有误，未启用。

    faults: everything found, each with file, field, what was expected and a stable code; the text is one a line.
    """

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        super().__init__("\n".join(map(str, faults)) or self.__doc__)


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``pack.toml``: what a pack is and extends. release: the oldest release of the product that understands it."""

    id: str
    version: str
    release: str
    extends: str = ""
    zone: str = ""
    district: str = ""
    reception: str = ""
    roles: dict[str, str] = {}


class Tables(msgspec.Struct):
    """What a chain of packs says so far; each pack on top replaces what has the same id.

    heads: base first. named: word of KINDS → id → table. single: file → its one table.
    """

    heads: list[Head] = []
    named: dict[str, dict[str, Any]] = msgspec.field(default_factory=lambda: {word: {} for word in KINDS})
    sources: dict[str, str] = {}
    single: dict[str, Any] = {}
    faults: list[Fault] = []


def load(which: str | Path) -> Pack:
    """The pack of that name (one we ship: ``yunzhou``) or in that folder, with everything it extends, checked.

    Raises PackError with every fault found: first those of shape; where there are none, those of sense (``core.lint``).
    """
    tables, digest = _read(which)
    if tables.faults:
        raise PackError(*tables.faults)
    pack = _assemble(tables, digest)
    if faults := lint(pack):
        raise PackError(*faults)
    return pack


def hazards(which: str | Path) -> dict[str, Hazard]:
    """Only the hazards of a pack, for one that cannot run alone (``national``, ``shanxi``). Raises PackError."""
    tables, _ = _read(which)
    if tables.faults:
        raise PackError(*tables.faults)
    return tables.named["hazards"]


def frozen(pack: Pack) -> bytes:
    """A pack as one piece of JSON, for a program that is to use exactly this one."""
    return msgspec.json.encode(pack)


def thawed(file: Path) -> Pack:
    """The pack that was ``frozen`` in a file. Raises PackError if it is not one."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Pack)
    except msgspec.DecodeError as error:
        raise PackError(Fault(file.name, "全文", f"不是由系统写出的数据包：{error}。", "P003")) from error


# ── folders 文件夹 ────────────────────────────────────────────────────────────


def _read(which: str | Path) -> tuple[Tables, str]:
    """All tables of a chain of packs, and the digest of all its files in order."""
    tables, digest = Tables(), hashlib.sha256()
    for folder in _chain(which):
        files = _files(folder)
        for name, content in files.items():
            digest.update(f"{folder.name}/{name}\0{len(content)}\0".encode())
            digest.update(content)
        _add(tables, files)
    return tables, digest.hexdigest()


def _chain(which: str | Path) -> list[Path]:
    """The folders of a pack and of all that it extends, base first."""
    chain: list[Path] = []
    folder: Path | None = _folder(which)
    while folder:
        if folder in chain:
            problem = f"“{folder.name}”绕回了自己，须去掉这一层。"
            raise PackError(Fault("pack.toml", "extends", problem, "P009"))
        if not (folder / "pack.toml").is_file():
            shipped = "、".join(sorted(p.parent.name for p in SHIPPED.glob("*/pack.toml")))
            problem = f"没有这个包，或其中没有 pack.toml。随带的有：{shipped}。"
            raise PackError(Fault("数据包", folder.name, problem, "P001"))
        chain.insert(0, folder)
        parent = _head(folder).extends
        beside = folder.parent / parent
        folder = (beside if beside.is_dir() else SHIPPED / parent) if parent else None
    return chain


def _folder(which: str | Path) -> Path:
    """A bare name is a pack we ship; anything else is a path."""
    bare = isinstance(which, str) and "/" not in which
    return SHIPPED / which if bare else Path(which).absolute()


def _files(folder: Path) -> dict[str, bytes]:
    """Relative name → content of every file of a pack, sorted; hidden files are none of ours."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    named = ((path.relative_to(folder).as_posix(), path) for path in paths)
    return {name: path.read_bytes() for name, path in sorted(named) if not _hidden(name)}


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in PurePosixPath(name).parts)


def _head(folder: Path) -> Head:
    raw = _toml("pack.toml", (folder / "pack.toml").read_bytes())
    head, fault = convert(raw, Head, "pack.toml")
    if fault or not head:
        raise PackError(*([fault] if fault else []))
    if head.id != folder.name:
        raise PackError(Fault("pack.toml", "id", f"写了“{head.id}”，应与文件夹同名：{folder.name}。", "P008"))
    if _numbers(head.release) > _numbers(__version__):
        problem = f"须 {head.release} 以上的版本，现为 {__version__}。请先升级。"
        raise PackError(Fault("pack.toml", "release", problem, "P012"))
    return head


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _text(where: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        problem = "不是 UTF-8 编码，请另存为 UTF-8。"
        raise PackError(Fault(where, f"第 {error.start} 字节", problem, "P003")) from error


def _toml(where: str, content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(where, content))
    except tomllib.TOMLDecodeError as error:
        raise PackError(Fault(where, "TOML", f"读不懂：{error}。请检查引号、括号和逗号。", "P003")) from error


# ── tables 表 ─────────────────────────────────────────────────────────────────


def _add(tables: Tables, files: dict[str, bytes]) -> None:
    """One pack's files on top of what the packs below it said."""
    for name, content in files.items():
        path = PurePosixPath(name)
        if path.suffix == ".toml":
            where = WHOLE.get(str(path.parent), "") + path.name
            _file(tables, path, where, _toml(where, content))
    if "document.txt" in files and "document.toml" in tables.single:
        text = _text("document.txt", files["document.txt"])
        tables.single["document.toml"] = msgspec.structs.replace(tables.single["document.toml"], text=text)


def _file(tables: Tables, path: PurePosixPath, where: str, raw: dict[str, Any]) -> None:
    """One file's tables, put where they belong."""
    match str(path.parent), path.name:
        case ".", "pack.toml":
            tables.heads += _kept(tables, raw, Head, where)
        case "clauses" | "hazards" | "drills" as word, _:
            _whole(tables, word, path.stem, where, raw)
        case ".", "tables.toml":
            _groups(tables, where, raw)
        case ".", "units.toml":
            _rows(tables, "unit", where, raw, {})
        case ".", "areas.toml":
            source = {"source": raw.pop("source", "")}
            _rows(tables, "area", where, raw, source)
        case ".", "sources.toml":
            for known in _kept(tables, raw, dict[str, str], where):
                tables.sources |= known
        case ".", name if name in SINGLE:
            given = {**raw, "text": ""} if SINGLE[name] is Document else raw
            for table in _kept(tables, given, SINGLE[name], where):
                tables.single[name] = table
        case _:
            problem = (
                f"没有这种文件。可用：{KNOWN}（均为 .toml），以及 clauses/、hazards/、drills/ 之下的 .toml。"
            )
            tables.faults.append(Fault(str(path), "文件名", problem, "P011"))


def _kept(tables: Tables, raw: object, kind: type[T], where: str, field: str = "") -> list[T]:
    """The struct that a table is, alone in a list; or an empty one, its fault noted."""
    found, fault = convert(raw, kind, where, field)
    if fault:
        tables.faults.append(fault)
    return [] if found is None else [found]


def _whole(tables: Tables, word: str, stem: str, where: str, raw: dict[str, Any]) -> None:
    """A table that is a whole file, named by its id."""
    if raw.get("id", stem) != stem:
        tables.faults.append(Fault(where, "id", f"写了“{raw['id']}”，应与文件同名：{stem}。", "P008"))
    _put(tables, (word, stem), raw, where, "")


def _groups(tables: Tables, where: str, raw: dict[str, Any]) -> None:
    """Ladders, audiences, reports, addressees of guides, resends: tables by name."""
    for word, group in raw.items():
        if word not in GROUPS or not isinstance(group, dict):
            tables.faults.append(Fault(where, word, f"没有这类表。可用：{'、'.join(GROUPS)}。", "P004"))
            continue
        for name, table in group.items():
            _put(tables, (word, name), table, where, f"{word}.{name}")


def _rows(tables: Tables, word: str, where: str, raw: dict[str, Any], common: dict[str, str]) -> None:
    """A list of tables, each with its id; no id twice. common: what every row has unless it says otherwise."""
    for extra in sorted(set(raw) - {word}):
        tables.faults.append(Fault(where, extra, f"没有这个键。可用：{word}。", "P004"))
    rows = raw.get(word, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        tables.faults.append(Fault(where, word, "写法不对，应为表的列表。", "P006"))
        return
    seen: set[str] = set()
    for number, row in enumerate(rows, 1):
        name = str(row.get("id", number))
        if name in seen:
            tables.faults.append(Fault(where, f"{word}.{name}", "id 重复，每个 id 只能有一项。", "P010"))
        seen.add(name)
        _put(tables, (word, name), common | row, where, f"{word}.{name}")


def _put(tables: Tables, key: tuple[str, str], raw: object, where: str, field: str) -> None:
    word, name = key
    for found in _kept(tables, raw, KINDS[word], where, field):
        tables.named[word][name] = found


# ── the whole 合成 ────────────────────────────────────────────────────────────


def _assemble(tables: Tables, digest: str) -> Pack:
    """The pack that a chain makes. Raises PackError for what only a district's own pack has."""
    top = tables.heads[-1]
    head = {key: _last(tables, key) for key in ("zone", "district", "reception", "roles")}
    faults = [
        Fault("pack.toml", key, "没有写，包链中也无人写。", "P002")
        for key, value in head.items()
        if not value
    ]
    if "document.toml" in tables.single and not tables.single["document.toml"].text:
        faults.append(Fault("document.txt", "文件", "没有这个文件，或是空的。请放入原文全文。", "P002"))
    for name in SINGLE:
        if name not in tables.single:
            problem = f"数据包 {top.id} 没有这个文件，不能单独运行；请由一个区的包 extends 它。"
            faults.append(Fault(name, "文件", problem, "P002"))
    if faults:
        raise PackError(*faults)
    raw = head | {"id": top.id, "version": top.version, "digest": digest, "sources": tables.sources}
    raw |= {name.removesuffix(".toml"): table for name, table in tables.single.items()}
    raw |= {word if word.endswith("s") else f"{word}s": named for word, named in tables.named.items()}
    pack, fault = convert(raw, Pack, "pack.toml")
    if pack is None:
        raise PackError(*([fault] if fault else []))
    return pack


def _last(tables: Tables, key: str) -> Any:
    """A setting of ``pack.toml``: what the topmost pack that has it says."""
    return next((value for head in reversed(tables.heads) if (value := getattr(head, key))), "")
