"""短信网关设置 What an SMPP account needs to be told, checked, and what its centre's status codes mean.

Pure but for reading the certificate file. Source of the codes: SMPP Protocol Specification v3.4, issue 1.2, §5.1.3.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping

import msgspec

from fengsui.formats import smpp, smpp_content
from fengsui.gateways import settings
from fengsui.gateways.contract import Field, Outcome
from fengsui.gateways.smpp_link import Access, Mode

THROTTLE = frozenset({0x58, 0x14})
"""Throttled, message queue full."""
ADDRESS = frozenset({0x0B})
CONFIG = frozenset({0x0A, 0x0D, 0x0E, 0x0F, 0x15, 0x48, 0x49, 0x50, 0x51})
"""Our source number, service type or number types: no message of ours will pass."""
CONTENT = frozenset({0x01, 0x65, 0x66, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4})
"""Length, optional parameters, permanent refusal and rejection of this message."""

FIELDS: tuple[Field, ...] = (
    Field("host", "短信中心地址", "text", "运营商给的主机名或 IP。", required=True),
    Field("port", "端口", "number", "运营商给的端口，通常 2775。", "2775"),
    Field("system_id", "账号", "text", "SMPP system_id，最多 15 个字符。", required=True),
    Field("password", "口令", "secret", "SMPP password；协议规定 8 位，多数中心接受更长。", required=True),
    Field("system_type", "系统类型", "text", "SMPP system_type，运营商未要求则留空。"),
    Field(
        "source",
        "接入号",
        "text",
        "手机上显示的号码，如 1069 开头的接入号；扩展码加在它后面。",
        required=True,
    ),
    Field("source_ton", "接入号类型", "number", "SMPP source_addr_ton。", "0"),
    Field("source_npi", "接入号编号计划", "number", "SMPP source_addr_npi。", "1"),
    Field("dest_ton", "被叫号类型", "number", "SMPP dest_addr_ton；带 86 前缀时多为 1。", "0"),
    Field("dest_npi", "被叫号编号计划", "number", "SMPP dest_addr_npi。", "1"),
    Field("dest_prefix", "被叫号前缀", "text", "加在 11 位号码前，运营商要求时填 86。"),
    Field("mode", "登录方式", "text", "trx 一个收发连接；pair 一个发、一个收。", "trx"),
    Field("window", "窗口", "number", "最多多少条未应答；按运营商约定。", "100"),
    Field("rate", "限速", "number", "每秒最多多少条（长短信按段计），0 为不限；按运营商约定。", "0"),
    Field("timeout", "应答时限", "number", "秒；超过仍无应答即“不知是否发出”。", "30"),
    Field("idle", "心跳间隔", "number", "秒；这么久没有动静就询问一次。", "30"),
    Field("validity", "有效期写法", "text", "relative 相对，absolute 绝对（UTC），none 不写。", "relative"),
    Field("tls", "TLS", "flag", "yes 或 no。", "no"),
    Field("tls_ca", "TLS 根证书", "text", "PEM 文件路径；留空用系统的。"),
    Field("zone", "中心时区", "number", "回执中时间的时区，东几区。", "8"),
    Field(
        "dead_codes",
        "空号错误码",
        "text",
        "回执 err 为这些码即空号、停机销号；001 取自 MAP unknownSubscriber，待向运营商核实。",
        "001",
    ),
    Field(
        "content_codes",
        "内容拒绝码",
        "text",
        "运营商自定的“内容不合格”状态码，十六进制、逗号分隔，如 0x400。",
    ),
)


class Config(msgspec.Struct, frozen=True):
    """The settings of one account, ready for use. rate: parts per second, 0 = no limit; timeout: seconds."""

    host: str
    port: int
    modes: tuple[Mode, ...]
    access: Access
    template: smpp.Message
    prefix: str
    window: int
    rate: float
    timeout: float
    validity: str
    tls: ssl.SSLContext | None
    zone: float
    dead_codes: frozenset[str]
    content: frozenset[int]

    def outcome(self, status: int) -> Outcome:
        """What a submit_sm_resp with that status means for its part."""
        if status == smpp.OK:
            return Outcome.ACCEPTED
        if status in THROTTLE:
            return Outcome.THROTTLED
        if status in ADDRESS:
            return Outcome.REFUSED_ADDRESS
        if status in self.content:
            return Outcome.REFUSED_CONTENT
        return Outcome.REFUSED_CONFIG if status in CONFIG else Outcome.RETRY


def read(name: str, given: Mapping[str, str]) -> Config:
    """The settings of the gateway called ``name``. Raises SettingsError for one that is missing or wrong."""
    values = settings.read(name, FIELDS, given)
    number = {field.name: float(values[field.name]) for field in FIELDS if field.kind == "number"}
    if not (
        1 <= number["port"] <= 65_535
        and number["window"] >= 1
        and number["zone"] <= 14
        and number["timeout"] > 0
    ):
        raise settings.SettingsError(
            f"网关 {name}：端口应为 1–65535，窗口至少 1，时区不过 14，应答时限大于 0。[G004]"
        )
    if values["validity"] not in {"relative", "absolute", "none"}:
        raise settings.SettingsError(
            f"网关 {name}「有效期写法」（validity）只能是 relative、absolute 或 none。[G007]"
        )
    dead = (smpp_content.normal(word) for word in values["dead_codes"].split(","))
    return Config(
        host=values["host"],
        port=int(number["port"]),
        modes=_modes(name, values["mode"]),
        access=_access(name, values, idle=number["idle"], timeout=number["timeout"]),
        template=_template(name, values, number),
        prefix=values["dest_prefix"],
        window=int(number["window"]),
        rate=number["rate"],
        timeout=number["timeout"],
        validity=values["validity"],
        tls=settings.trust(name, values["tls_ca"]) if values["tls"] == "yes" else None,
        zone=number["zone"],
        dead_codes=frozenset(word for word in dead if word),
        content=CONTENT | settings.codes(name, "content_codes", values["content_codes"]),
    )


def _modes(name: str, mode: str) -> tuple[Mode, ...]:
    if mode == "trx":
        return ("trx",)
    if mode == "pair":
        return ("tx", "rx")
    raise settings.SettingsError(f"网关 {name}「登录方式」（mode）写了“{mode}”，只能是 trx 或 pair。[G007]")


def _access(name: str, values: Mapping[str, str], *, idle: float, timeout: float) -> Access:
    """How we log in, tried on a bind so that it cannot fail later."""
    access = Access(values["system_id"], values["password"], values["system_type"], idle, timeout)
    try:
        smpp.encode(
            smpp.Bind(smpp.BIND_TRANSCEIVER, 1, access.system_id, access.password, access.system_type)
        )
    except smpp.PduError as error:
        raise settings.SettingsError(
            f"网关 {name}：账号最多 15 个、口令最多 64 个、系统类型最多 12 个西文字符。[G012]"
        ) from error
    return access


def _template(name: str, values: Mapping[str, str], number: Mapping[str, float]) -> smpp.Message:
    """A submit_sm without text and destination, tried so that it cannot fail later."""
    message = smpp.Message(
        smpp.SUBMIT_SM,
        1,
        values["source"],
        "",
        data_coding=smpp.UCS2,
        registered=1,
        source_ton=int(number["source_ton"]),
        source_npi=int(number["source_npi"]),
        dest_ton=int(number["dest_ton"]),
        dest_npi=int(number["dest_npi"]),
    )
    try:
        smpp.encode(message)
    except smpp.PduError as error:
        raise settings.SettingsError(
            f"网关 {name}：接入号最多 20 个西文字符，号码类型与编号计划为 0–255。[G013]"
        ) from error
    return message
