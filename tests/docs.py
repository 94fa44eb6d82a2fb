"""Docs that cannot grow old: blocks between markers, made from the code. ``python -m tests.docs`` writes them anew."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from fengsui import __main__ as command_line
from fengsui.core import facts
from fengsui.formats import packs
from fengsui.gateways.sms_smpp import SmsSmpp

ROOT = Path(__file__).parent.parent
FILES = ("ARCHITECTURE.md", "docs/reference.md")
MARK = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- /made -->)", re.DOTALL)
CODE = re.compile(r"\[([A-Z]\d{3})\]")


def tree() -> Iterator[str]:
    """Every module with the first line of its docstring."""
    yield "```text"
    for path in sorted(
        (ROOT / "fengsui").rglob("*.py"), key=lambda p: (p.parent, p.name != "__init__.py", p.name)
    ):
        if "migrations" in path.parts:
            continue
        said = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").splitlines()[0]
        place = path.relative_to(ROOT)
        name = f"{place.parent}/" if path.name == "__init__.py" else f"  {place.name}"
        yield f"{name:<28}{said}"
    yield "```"


def clauses() -> Iterator[str]:
    """Every clause with its file, its duties and whether it is live."""
    pack = packs.load("yunzhou")
    yield "| 条款 | 文件 | 名称 | 事项 | 状态 |"
    yield "|---|---|---|---|---|"
    for clause in sorted(pack.clauses.values(), key=lambda c: c.id):
        duties = "、".join(d.title for d in clause.duty) or "–"
        place = f"[{clause.id}](../fengsui/mechanism/yunzhou/clauses/{clause.id}.toml)"
        yield f"| {clause.cite} | {place} | {clause.title} | {duties} | {'待实现' if clause.planned else '已实现'} |"


def kinds() -> Iterator[str]:
    """Every kind of fact with the first line of its meaning."""
    yield "| kind | 含义 |"
    yield "|---|---|"
    for struct in sorted(facts.Fact.__args__, key=lambda s: s.__struct_config__.tag):
        yield f"| `{struct.__struct_config__.tag}` | {(struct.__doc__ or '').splitlines()[0]} |"


def codes() -> Iterator[str]:
    """Every stable error code with the sentence it stands in."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "fengsui").rglob("*.py")):
        for code, text in _coded(path):
            found.setdefault(code, text)
    yield "| 代码 | 说明 |"
    yield "|---|---|"
    for code, text in sorted(found.items()):
        yield f"| `{code}` | {text} |"


def spoken() -> dict[str, set[str]]:
    """Each code with the modules that say it."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "fengsui").rglob("*.py")):
        for code, _ in _coded(path):
            found.setdefault(code, set()).add(path.relative_to(ROOT).as_posix())
    return found


def _coded(path: Path) -> Iterator[tuple[str, str]]:
    """Codes in texts (``… [G030]``) and of refusals (``Refusal("A01", "…")``)."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and len(node.args) > 1 and isinstance(node.args[0], ast.Constant):
            first, text = node.args[0].value, _said(node.args[1])
            if isinstance(first, str) and re.fullmatch(r"[A-Z]\d{2,3}", first) and text:
                yield first, _plain(text)
        text = _said(node)
        for code in CODE.findall(text):
            yield code, _plain(text)


def _said(node: ast.AST) -> str:
    """A string constant, or an f-string with … for what is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(v.value if isinstance(v, ast.Constant) else "…" for v in node.values)
    return ""


def _plain(text: str) -> str:
    return next(iter(CODE.sub("", text).strip().splitlines()), "").replace("|", "｜")


def commands() -> Iterator[str]:
    """Every command and option."""
    yield "```text"
    parser = command_line._parser()
    yield from parser.format_help().rstrip().splitlines()
    for action in parser._actions:
        for name, sub in dict(getattr(action, "choices", None) or {}).items():
            yield ""
            yield f"# fengsui {name}"
            yield from sub.format_help().rstrip().splitlines()
    yield "```"


def fields() -> Iterator[str]:
    """Every setting of every gateway."""
    yield "| 设置 | 名称 | 说明 | 默认 |"
    yield "|---|---|---|---|"
    for field in SmsSmpp.fields:
        assert isinstance(field, msgspec.Struct)
        yield f"| `{field.name}` | {field.label} | {field.help.replace('|', '｜')} | {field.default or '–'} |"


BLOCKS: dict[str, Callable[[], Iterator[str]]] = {
    f.__name__: f for f in (tree, clauses, kinds, codes, commands, fields)
}


def made(text: str) -> str:
    """A document with every block made anew."""
    return MARK.sub(lambda m: m[1] + "\n".join(BLOCKS[m[2]]()) + "\n" + m[3], text)


if __name__ == "__main__":
    for name in FILES:
        file = ROOT / name
        file.write_text(made(file.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(0)
