"""形状 Shapes: plain tables (from TOML) → structs; what is wrong is said in Chinese, with field and expectation."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from fengsui.core.lint_tables import Fault

T = TypeVar("T")

SORTS = {
    "str": "文字", "int": "整数", "float": "数", "bool": "true 或 false", "array": "列表", "object": "表",
    "null": "空", "date": "未加引号的日期", "datetime": "未加引号的时间",
}  # fmt: skip
TOKEN = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")


def convert(raw: object, kind: type[T], where: str, field: str = "") -> tuple[T | None, Fault | None]:
    """The struct that a plain table is, or the fault that prevents it. field: where in its file the table stands."""
    try:
        return msgspec.convert(raw, kind, strict=True), None
    except msgspec.ValidationError as error:
        return None, _fault(error, raw, kind, (where, field))


def _split(error: msgspec.ValidationError) -> tuple[str, list[str]]:
    """What msgspec says, and the path where it says so; ``...`` stands for a key of a dict that it does not name."""
    text, _, path = str(error).partition(" - at `$")
    return text, [key or number for key, number in TOKEN.findall(path.rstrip("`"))]


def _resolved(tokens: list[str], raw: Any, kind: type) -> list[str]:
    """The path with every ``...`` made the key that it stands for: the one whose entry alone is refused too."""
    while "..." in tokens:
        place = tokens.index("...")
        found = _at(raw, tokens[:place])
        for key in found if isinstance(found, dict) else ():
            alone = _only(raw, tokens[:place], key)
            try:
                msgspec.convert(alone, kind, strict=True)
            except msgspec.ValidationError as error:
                tokens = [*tokens[:place], str(key), *_split(error)[1][place + 1 :]]
                raw = alone
                break
        else:
            return [token for token in tokens if token != "..."]  # noqa: S105
    return tokens


def _at(raw: Any, tokens: Iterable[str]) -> Any:
    for token in tokens:
        raw = raw[int(token)] if isinstance(raw, list) else raw[token]
    return raw


def _only(raw: Any, tokens: list[str], key: str) -> Any:
    """A copy of a table in which the dict at a path has one entry only."""
    if not tokens:
        return {key: raw[key]}
    here: Any = int(tokens[0]) if isinstance(raw, list) else tokens[0]
    copy = raw.copy()
    copy[here] = _only(raw[here], tokens[1:], key)
    return copy


def _fault(error: msgspec.ValidationError, raw: object, kind: type, place: tuple[str, str]) -> Fault:
    """A message of msgspec in our words; its path in the names that stand in the file."""
    where, prefix = place
    text, tokens = _split(error)
    tokens = _resolved(tokens, raw, kind)
    shape = _walk(inspect.type_info(kind), tokens)
    names = [prefix] if prefix else []
    names += _named(raw, tokens)
    if found := re.search(r"unknown field `(.*)`", text):
        return Fault(
            where,
            ".".join([*names, found[1]]),
            f"没有这个键。可用：{'、'.join(_keys(shape)) or '无'}。",
            "P004",
        )
    if found := re.search(r"missing required field `(.*)`", text):
        expected = _sorts(_walk(shape, [found[1]]))
        return Fault(where, ".".join([*names, found[1]]), f"没有写，此项必填，应为{expected}。", "P005")
    field = ".".join(names) or "全文"
    if found := re.search(r"Invalid enum value (.*)", text):
        return Fault(
            where, field, f"写了“{found[1].strip(chr(39))}”。可用：{'、'.join(_literals(shape))}。", "P007"
        )
    if found := re.search(r"Expected `(.*)`, got `(.*)`", text):
        return Fault(where, field, f"写成了{_chinese(found[2])}，应为{_chinese(found[1])}。", "P006")
    return Fault(where, field, f"写法不对，应为{_sorts(shape)}。", "P006")


def _named(raw: object, tokens: Iterable[str]) -> list[str]:
    """The path by names: an item of a list by its own ``name``, ``id`` or place (from 1)."""
    names = []
    for token in tokens:
        if isinstance(raw, list | tuple):
            raw = raw[int(token)]
            own = (raw.get("name") or raw.get("id")) if isinstance(raw, dict) else None
            names.append(str(own or int(token) + 1))
        else:
            raw = raw.get(token) if isinstance(raw, dict) else None
            names.append(token)
    return names


def _walk(shape: inspect.Type, tokens: Iterable[str]) -> inspect.Type:
    """The type at a path, ``AnyType`` where the path leads nowhere."""
    for token in tokens:
        steps = (_step(option, token) for option in _options(shape))
        shape = next((step for step in steps if step), inspect.AnyType())
    return shape


def _step(shape: inspect.Type, token: str) -> inspect.Type | None:
    match shape:
        case inspect.StructType(fields=fields):
            return next((f.type for f in fields if f.encode_name == token), None)
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item) if token.isdigit():
            return item
        case inspect.DictType(value_type=value):
            return value
        case _:
            return None


def _options(shape: inspect.Type) -> tuple[inspect.Type, ...]:
    return shape.types if isinstance(shape, inspect.UnionType) else (shape,)


def _keys(shape: inspect.Type) -> list[str]:
    """The keys that a table of this type may have."""
    return [f.encode_name for o in _options(shape) if isinstance(o, inspect.StructType) for f in o.fields]


def _literals(shape: inspect.Type) -> list[str]:
    return [str(v) for o in _options(shape) if isinstance(o, inspect.LiteralType) for v in o.values]


def _sorts(shape: inspect.Type) -> str:
    """What a type is called in Chinese: 文字, 列表, 表 …"""
    names = {
        inspect.StrType: "文字", inspect.IntType: "整数", inspect.FloatType: "数", inspect.BoolType: "true 或 false",
        inspect.VarTupleType: "列表", inspect.ListType: "列表", inspect.StructType: "表", inspect.DictType: "表",
    }  # fmt: skip
    words = [_literals(o) or [names.get(type(o), "值")] for o in _options(shape)]
    return "或".join("、".join(word) for word in words)


def _chinese(sorts: str) -> str:
    return "或".join(SORTS.get(sort.strip(), sort.strip()) for sort in sorts.split("|"))
