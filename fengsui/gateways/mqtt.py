"""报文通告 MQTT: CAP messages to one broker, each as a WIS2 notification that says where its signed bytes are.

At least once (QoS 1): a notification counts as taken when the broker has confirmed it; what is in doubt is sent again
under the same id. One connection for each batch, so that nothing has to be kept alive between warnings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import aiomqtt

from fengsui.formats.cap import wis2
from fengsui.gateways import settings
from fengsui.gateways.contract import Field, Handover, Health, Outcome, PartResult, Result, Status

DISCONNECTED = "not connected"
GLANCE = 1.0
"""Seconds that a broker gets to take a connection when asked for its health."""
REFUSING = frozenset({"4", "5", "134", "135"})
"""Answers to a login that no second try changes: bad name or password, not authorized."""


class Mqtt:
    """One topic of one broker."""

    channel = "cap"
    fields: tuple[Field, ...] = (
        Field("host", "服务器", "text", "MQTT 服务器，主机名或 IP。", required=True),
        Field("port", "端口", "number", "通常 1883，或 8883（TLS）。", "1883"),
        Field("tls", "加密", "flag", "yes 或 no；no 只用于本机或专网。", "no"),
        Field("tls_ca", "TLS 根证书", "text", "PEM 文件路径；留空用系统的。"),
        Field("username", "账号", "text", "服务器不要求登录则留空。"),
        Field("password", "口令", "secret", "账号的口令。"),
        Field("topic", "主题", "text", "如 origin/a/wis2/cn-example/data/core/weather/advisories-warnings。", required=True),
        Field("address", "公网地址", "text", "接收方取报文的本站网址，如 https://yj.example.gov.cn。", required=True),
        Field("data_id", "数据标识", "text", "通告 data_id 的前一半；留空同主题。"),
        Field("timeout", "应答时限", "number", "秒；超过即稍后再发。", "10"),
    )  # fmt: skip

    def __init__(
        self, name: str, given: Mapping[str, str], *, accepts: frozenset[Status], clock: Callable[[], int]
    ) -> None:
        """Raises SettingsError for a setting that is missing or wrong."""
        values = settings.read(name, self.fields, given)
        self.name, self.accepts, self._clock, self._values = name, accepts, clock, values
        self._port, self._timeout = int(float(values["port"])), float(values["timeout"])
        if not 1 <= self._port <= 65_535 or self._timeout <= 0:
            raise settings.SettingsError(f"网关 {name}：端口应为 1–65535，应答时限大于 0。[G004]")
        if any(mark in values["topic"] for mark in "+#\0"):
            raise settings.SettingsError(f"网关 {name}「主题」（topic）不能含 + 或 #。[G080]")
        if not values["address"].startswith(("https://", "http://")):
            raise settings.SettingsError(f"网关 {name}「公网地址」（address）应以 https:// 开头。[G081]")
        self._tls = settings.trust(name, values["tls_ca"]) if values["tls"] == "yes" else None
        self._turn = asyncio.Lock()
        self._stopped = True
        self._trouble = ""

    async def start(self) -> None:
        """Nothing is kept open between warnings."""
        self._stopped = False

    async def stop(self) -> None:
        """What has not begun goes back to its lane."""
        self._stopped = True

    async def send(self, batch: Sequence[Handover]) -> Sequence[Result]:
        """Tell the broker of each message, in order, over one connection."""
        parts: dict[int, PartResult] = {}
        async with self._turn:
            missing = await self._told(batch, parts)
        return [Result(h.id, (parts.get(h.id, missing),)) for h in batch]

    async def _told(self, batch: Sequence[Handover], parts: dict[int, PartResult]) -> PartResult:
        """Publish; what was confirmed goes into ``parts``. What is to be said of the rest."""
        missing = PartResult(0, Outcome.RETRY, code=DISCONNECTED)
        if self._stopped:
            return missing
        try:
            async with (
                asyncio.timeout(self._timeout * (1 + len(batch))),
                self._client(self._timeout) as client,
            ):
                missing = PartResult(0, Outcome.RETRY, code="broken")
                for handover in batch:
                    await client.publish(self._values["topic"], self._payload(handover), qos=1)
                    parts[handover.id] = PartResult(0, Outcome.ACCEPTED)
        except aiomqtt.MqttCodeError as error:
            missing = self._refused(error)
        except (aiomqtt.MqttError, OSError, TimeoutError):
            return missing
        else:
            self._trouble = ""
        return missing

    def _refused(self, error: aiomqtt.MqttCodeError) -> PartResult:
        code = str(getattr(error.rc, "value", error.rc))
        if code not in REFUSING:
            return PartResult(0, Outcome.RETRY, code=DISCONNECTED)
        self._trouble = "服务器拒绝登录，请核对账号和口令。[G083]"
        return PartResult(0, Outcome.REFUSED_CONFIG, code=code)

    def _payload(self, handover: Handover) -> bytes:
        content = "".join(text for _, _, text in handover.parts).encode()
        place = self._values["data_id"] or self._values["topic"]
        return wis2.notification(content, address=self._values["address"], place=place, at=self._clock())

    def _client(self, timeout: float) -> aiomqtt.Client:
        return aiomqtt.Client(
            self._values["host"],
            self._port,
            username=self._values["username"] or None,
            password=self._values["password"] or None,
            tls_context=self._tls,
            timeout=timeout,
        )

    async def check(self) -> Health:
        """Whether the broker lets us in; nothing is published."""
        if self._stopped:
            return Health(up=False, text="通告网关没有启动。[G084]", code="G084")
        try:
            async with asyncio.timeout(GLANCE), self._client(GLANCE):
                pass
        except (aiomqtt.MqttError, OSError, TimeoutError):
            text = self._trouble or "连不上 MQTT 服务器，通告留在队列中，恢复后继续发出。[G085]"
            return Health(up=False, text=text, code=text[-5:-1])
        return Health(up=True, text="正常。")
