"""网关设置 A gateway's settings: checked against its declared fields, with defaults filled in.

Settings are text, as forms and files give them. A wrong one names itself and says what is expected.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence

from fengsui.gateways.contract import Field


class SettingsError(ValueError):
    """网关设置有误，该网关不会启动；请按提示改正后执行 fengsui check。[G001]"""


def read(kind: str, fields: Sequence[Field], given: Mapping[str, str]) -> dict[str, str]:
    """The settings a gateway runs with: what was given, else each field's default, blanks trimmed.

    kind: the gateway's name for messages. Raises SettingsError for an unknown, missing or ill-formed setting.
    """
    known = {field.name: field for field in fields}
    for name in given:
        if name not in known:
            raise SettingsError(f"网关 {kind} 没有「{name}」这个设置。可用：{'、'.join(known)}。[G002]")
    return {name: _value(kind, field, given.get(name, "")) for name, field in known.items()}


def _value(kind: str, field: Field, given: str) -> str:
    value = (given if field.kind == "secret" else given.strip()) or field.default
    if field.required and not value:
        raise SettingsError(f"网关 {kind}「{field.label}」（{field.name}）必须填写：{field.help}[G003]")
    if field.kind == "number" and value and not _is_number(value):
        raise SettingsError(
            f"网关 {kind}「{field.label}」（{field.name}）写了“{value}”，应为不小于 0 的数。[G004]"
        )
    if field.kind == "flag" and value not in {"", "yes", "no"}:
        raise SettingsError(
            f"网关 {kind}「{field.label}」（{field.name}）写了“{value}”，只能是 yes 或 no。[G005]"
        )
    return value


def _is_number(value: str) -> bool:
    return value.isascii() and value.replace(".", "", 1).isdigit()


def trust(kind: str, file: str) -> ssl.SSLContext:
    """The TLS side that believes the certificates of a PEM file, or the system's (""). Raises SettingsError if it is none."""
    try:
        return ssl.create_default_context(cafile=file or None)
    except OSError as error:  # ssl.SSLError is one
        problem = (
            f"网关 {kind}「TLS 根证书」（tls_ca）不是读得了的 PEM 证书：{error.strerror or error}。[G008]"
        )
        raise SettingsError(problem) from error


def codes(kind: str, field: str, value: str) -> frozenset[int]:
    """Status codes written 0x45, 0x400 … separated by commas. Raises SettingsError for anything else."""
    try:
        return frozenset(int(word, 16) for word in value.split(",") if word.strip())
    except ValueError:
        raise SettingsError(
            f"网关 {kind}「{field}」写了“{value}”，应为逗号分隔的十六进制码，如 0x400,0x45。[G006]"
        ) from None
