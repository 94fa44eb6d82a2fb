"""邮件网关设置 What a mail account needs to be told, checked. Pure but for reading the certificate file."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

import msgspec

from fengsui.formats import mail
from fengsui.gateways import settings
from fengsui.gateways.contract import Field

FIELDS: tuple[Field, ...] = (
    Field("host", "邮件服务器", "text", "提交邮件的服务器，主机名或 IP。", required=True),
    Field("port", "端口", "number", "通常 587（STARTTLS）、465（TLS）或 25。", "587"),
    Field("security", "加密", "text", "starttls、tls 或 none；none 只用于本机或专网。", "starttls"),
    Field("tls_ca", "TLS 根证书", "text", "PEM 文件路径；留空用系统的。"),
    Field("username", "账号", "text", "服务器不要求登录则留空。"),
    Field("password", "口令", "secret", "邮箱口令或客户端授权码。"),
    Field("sender", "发件地址", "text", "收件人看到的地址，如 warning@example.invalid。", required=True),
    Field("sender_name", "发件人名称", "text", "收件人看到的名称，通常为发布单位。"),
    Field(
        "bounce",
        "退信地址",
        "text",
        "投递通知寄回的地址，须能收“地址+编号”；留空则为发件域名下的 bounce。",
    ),
    Field(
        "secret",
        "退信密钥",
        "secret",
        "随机字符，至少 16 个；投递通知凭它辨认真伪，更换后旧邮件的通知不再采信。",
        required=True,
    ),
    Field(
        "maildir",
        "收件夹",
        "text",
        "投递通知和回信所在的 Maildir 目录，每个网关各用一个；留空则不收，只知道服务器已接收。",
    ),
    Field("connections", "连接数", "number", "同时用几个连接提交。", "4"),
    Field("rate", "限速", "number", "每秒最多多少封，0 为不限；按服务器约定。", "0"),
    Field("timeout", "应答时限", "number", "秒；正文发出后超过仍无应答即“不知是否发出”。", "60"),
)

SECURITY = ("starttls", "tls", "none")
SHORTEST = 16
"""Characters a secret must have."""


class Config(msgspec.Struct, frozen=True):
    """The settings of one account, ready for use. rate: mails per second, 0 = no limit; timeout: seconds.

    bounce: local part and domain before and after ``+<id>``.
    """

    host: str
    port: int
    security: str
    tls: ssl.SSLContext | None
    username: str
    password: str
    sender: str
    sender_name: str
    bounce: tuple[str, str]
    secret: bytes
    maildir: Path | None
    connections: int
    rate: float
    timeout: float

    @property
    def domain(self) -> str:
        """The domain of our own address."""
        return self.sender.rpartition("@")[2]


def read(name: str, given: Mapping[str, str]) -> Config:
    """The settings of the gateway called ``name``. Raises SettingsError for one that is missing or wrong."""
    values = settings.read(name, FIELDS, given)
    number = {field.name: float(values[field.name]) for field in FIELDS if field.kind == "number"}
    if not (1 <= number["port"] <= 65_535 and 1 <= number["connections"] <= 50 and number["timeout"] > 0):
        raise settings.SettingsError(f"网关 {name}：端口应为 1–65535，连接数 1–50，应答时限大于 0。[G004]")
    if values["security"] not in SECURITY:
        raise settings.SettingsError(f"网关 {name}「加密」（security）只能是 {'、'.join(SECURITY)}。[G007]")
    if len(values["secret"]) < SHORTEST:
        raise settings.SettingsError(f"网关 {name}「退信密钥」（secret）至少 {SHORTEST} 个字符。[G050]")
    if bool(values["username"]) != bool(values["password"]):
        raise settings.SettingsError(f"网关 {name}：账号和口令须一起填写，或一起留空。[G051]")
    sender = _address(name, "sender", values["sender"])
    bounce = _address(name, "bounce", values["bounce"] or f"bounce@{sender.rpartition('@')[2]}")
    if len(bounce.partition("@")[0]) > 20:
        raise settings.SettingsError(f"网关 {name}「退信地址」（bounce）在 @ 前最多 20 个字符。[G053]")
    if not values["sender_name"].isprintable():
        raise settings.SettingsError(f"网关 {name}「发件人名称」（sender_name）含有不可见字符。[G052]")
    local, _, domain = bounce.partition("@")
    return Config(
        host=values["host"],
        port=int(number["port"]),
        security=values["security"],
        tls=None if values["security"] == "none" else settings.trust(name, values["tls_ca"]),
        username=values["username"],
        password=values["password"],
        sender=sender,
        sender_name=values["sender_name"],
        bounce=(local, domain),
        secret=values["secret"].encode(),
        maildir=Path(values["maildir"]) if values["maildir"] else None,
        connections=int(number["connections"]),
        rate=number["rate"],
        timeout=number["timeout"],
    )


def _address(name: str, field: str, value: str) -> str:
    if not mail.is_address(value):
        raise settings.SettingsError(f"网关 {name}（{field}）写了“{value}”，应为西文的邮件地址。[G052]")
    return value
