"""出口 One file per way out, behind one contract. No people, no ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from fengsui.gateways.contract import Field, Gateway, Status
from fengsui.gateways.settings import SettingsError

KINDS = {
    "email": "fengsui.gateways.email:Email",
    "mqtt": "fengsui.gateways.mqtt:Mqtt",
    "webhook": "fengsui.gateways.webhook:Webhook",
    "sms_smpp": "fengsui.gateways.sms_smpp:SmsSmpp",
}
"""Kind of gateway → where its class is. A new gateway: one file, one line here, one table of tests."""


def load(
    kind: str,
    settings: Mapping[str, str],
    *,
    name: str = "",
    accepts: frozenset[Status] = frozenset({"actual"}),
    clock: Callable[[], int],
) -> Gateway:
    """The gateway of that kind, not yet started.

    settings: by the kind's declared fields. name: its own if there are two of a kind. clock: UTC µs.
    Raises SettingsError for an unknown kind or a wrong setting. Call ``start`` inside the event loop that uses it.
    """
    gateway: Gateway = _made(kind)(name or kind, settings, accepts=accepts, clock=clock)
    return gateway


def declared(kind: str) -> tuple[Field, ...]:
    """The settings that a kind of gateway declares. Raises SettingsError for an unknown kind."""
    fields: tuple[Field, ...] = _made(kind).fields
    return fields


def _made(kind: str) -> Any:
    if kind not in KINDS:
        raise SettingsError(f"没有「{kind}」这种网关。可用：{'、'.join(KINDS)}。[G009]")
    module, _, made = KINDS[kind].partition(":")
    return getattr(import_module(module), made)
