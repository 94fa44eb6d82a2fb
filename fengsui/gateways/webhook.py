"""网址推送 Webhook: CAP messages by HTTP POST to one subscriber, byte for byte as they were signed, one after the other.

A subscriber knows a message by its identifier, so what is in doubt is simply sent again. Whoever receives can prove by
the keyed hash in ``X-Fengsui-Signature`` (``t=<seconds>,v1=<hex>``: HMAC-SHA-256 of ``<seconds>.<body>``) that we sent it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import http.client
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from fengsui.gateways import settings
from fengsui.gateways.contract import Field, Handover, Health, Outcome, PartResult, Result, Status

TYPE = "application/cap+xml"
SHORTEST = 16
"""Characters that a secret must have."""
GLANCE = 1.0
"""Seconds that a subscriber gets to take a connection when asked for its health."""
DISCONNECTED = "not connected"
SAID = {
    401: Outcome.REFUSED_CONFIG, 403: Outcome.REFUSED_CONFIG, 404: Outcome.REFUSED_CONFIG,
    405: Outcome.REFUSED_CONFIG, 410: Outcome.REFUSED_CONFIG,
    400: Outcome.REFUSED_CONTENT, 413: Outcome.REFUSED_CONTENT, 415: Outcome.REFUSED_CONTENT,
    422: Outcome.REFUSED_CONTENT, 429: Outcome.THROTTLED,
}  # fmt: skip
"""What an answer means that is no success; any other is tried again. A redirection is never followed."""


class Webhook:
    """One subscriber. Messages go in the order in which they were handed over: one thread of its own."""

    channel = "cap"
    fields: tuple[Field, ...] = (
        Field("url", "地址", "text", "接收方的网址，以 https:// 开头；http:// 只用于专网。", required=True),
        Field("secret", "签名密钥", "secret", "与接收方约定的随机字符，至少 16 个；接收方凭它辨认真伪。", required=True),
        Field("tls_ca", "TLS 根证书", "text", "PEM 文件路径；留空用系统的。"),
        Field("timeout", "应答时限", "number", "秒；超过即稍后再发。", "10"),
    )  # fmt: skip

    def __init__(
        self, name: str, given: Mapping[str, str], *, accepts: frozenset[Status], clock: Callable[[], int]
    ) -> None:
        """Raises SettingsError for a setting that is missing or wrong."""
        values = settings.read(name, self.fields, given)
        self.name, self.accepts, self._clock = name, accepts, clock
        self._url = urlsplit(values["url"])
        if self._url.scheme not in ("http", "https") or not self._url.hostname:
            raise settings.SettingsError(f"网关 {name}「地址」（url）应以 https:// 或 http:// 开头。[G070]")
        if len(values["secret"]) < SHORTEST:
            raise settings.SettingsError(f"网关 {name}「签名密钥」（secret）至少 {SHORTEST} 个字符。[G071]")
        self._secret = values["secret"].encode()
        self._timeout = float(values["timeout"])
        if self._timeout <= 0:
            raise settings.SettingsError(f"网关 {name}「应答时限」（timeout）应大于 0。[G004]")
        self._tls = settings.trust(name, values["tls_ca"]) if self._url.scheme == "https" else None
        self._thread: ThreadPoolExecutor | None = None
        self._trouble = ""

    async def start(self) -> None:
        """Nothing is kept open between messages."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"webhook-{self.name}")

    async def stop(self) -> None:
        """What has not begun goes back to its lane."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown(wait=False, cancel_futures=True)

    async def send(self, batch: Sequence[Handover]) -> Sequence[Result]:
        """Post each message; once the subscriber cannot be reached the rest of the batch is not tried."""
        results: list[Result] = []
        code = ""
        for handover in batch:
            if not code:
                part = await self._post(handover)
                code = part.code if part.outcome is Outcome.RETRY and part.code == DISCONNECTED else ""
            else:
                part = PartResult(0, Outcome.RETRY, code=code)
            results.append(Result(handover.id, (part,)))
        return results

    async def check(self) -> Health:
        """Whether a connection can be made; nothing is sent."""
        if self._thread is None:
            return Health(up=False, text="推送网关没有启动。[G073]", code="G073")
        port = self._url.port or (443 if self._tls else 80)
        try:
            async with asyncio.timeout(GLANCE):
                _, writer = await asyncio.open_connection(self._url.hostname, port)
        except (OSError, TimeoutError):
            text = f"连不上 {self._url.hostname}:{port}，报文留在队列中，恢复后继续推送。[G074]"
            return Health(up=False, text=text, code="G074")
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        if self._trouble:
            return Health(up=False, text=self._trouble, code="G075")
        return Health(up=True, text="正常。")

    async def _post(self, handover: Handover) -> PartResult:
        if self._thread is None:
            return PartResult(0, Outcome.RETRY, code=DISCONNECTED)
        body = "".join(text for _, _, text in handover.parts).encode()
        part = await asyncio.get_running_loop().run_in_executor(self._thread, self._exchange, body)
        refused = part.outcome is Outcome.REFUSED_CONFIG
        self._trouble = f"接收方拒绝（HTTP {part.code}），请核对地址和签名密钥。[G075]" if refused else ""
        return part

    def _exchange(self, body: bytes) -> PartResult:
        """One request and what its answer means, in the gateway's own thread."""
        connection = self._connection()
        try:
            connection.connect()
        except OSError:
            return PartResult(0, Outcome.RETRY, code=DISCONNECTED)
        try:
            path = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
            connection.request("POST", path, body, self._headers(body))
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return PartResult(
                0, Outcome.RETRY, code="timeout" if isinstance(error, TimeoutError) else "broken"
            )
        finally:
            connection.close()
        if 200 <= status < 300:
            return PartResult(0, Outcome.ACCEPTED, provider_id=hashlib.sha256(body).hexdigest()[:32])
        return PartResult(0, SAID.get(status, Outcome.RETRY), code=str(status))

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._tls is not None:
            return http.client.HTTPSConnection(host, port, timeout=self._timeout, context=self._tls)
        return http.client.HTTPConnection(host, port, timeout=self._timeout)

    def _headers(self, body: bytes) -> dict[str, str]:
        second = str(self._clock() // 1_000_000)
        proof = hmac.new(self._secret, second.encode() + b"." + body, hashlib.sha256).hexdigest()
        return {
            "Content-Type": TYPE,
            "User-Agent": "fengsui",
            "Idempotency-Key": hashlib.sha256(body).hexdigest(),
            "X-Fengsui-Signature": f"t={second},v1={proof}",
        }
