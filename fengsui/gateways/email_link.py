"""邮件连接 One connection to the mail server: opened when needed, changed after ninety letters, one letter at a time.

What a letter's end means is decided by where it stood: nothing of it is on the wire before the server has said 354 to
DATA; from then on, until the server has answered for it, it is in doubt. Sources: RFC 5321 §3.3 and §4.2, RFC 3461 §4.
"""

from __future__ import annotations

import contextlib
from typing import NamedTuple

import aiosmtplib

from fengsui.formats import mail, mail_answers
from fengsui.formats.mail_answers import Meaning, Stage
from fengsui.gateways.contract import Outcome
from fengsui.gateways.email_settings import Config

LETTERS = 90
"""Letters after which a connection is changed: many servers take no more than 100 on one."""
CONNECT = 10.0
"""Seconds a connection may take to come up, if the timeout is not shorter."""
FAREWELL = 2.0
"""Seconds the server may take to say goodbye."""
LOST = (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError)
OUTCOMES: dict[Meaning, Outcome] = {
    "later": Outcome.RETRY,
    "slower": Outcome.THROTTLED,
    "address": Outcome.REFUSED_ADDRESS,
    "account": Outcome.REFUSED_CONFIG,
    "content": Outcome.REFUSED_CONTENT,
}


class Envelope(NamedTuple):
    """A letter for one recipient, ready: sender and recipient of the envelope, its id for notices, its bytes."""

    sender: str
    to: str
    id: str
    letter: bytes


class Answer(NamedTuple):
    """What became of a letter; code as screens may show it, "" = it was accepted."""

    outcome: Outcome
    code: str = ""


class Down(Exception):  # noqa: N818 - the condition is the name
    """There is no connection and none can be made; its text says why."""


class Lost(Exception):  # noqa: N818
    """The connection ended before the letter was on the wire."""


class Refused(Exception):  # noqa: N818
    """The server does not take our account, or we do not trust it with one; its text says what to do."""


class Line:
    """A connection and how much was sent over it. in_doubt: a letter is on the wire and not answered for, also when
    waiting for the answer was cancelled.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._client: aiosmtplib.SMTP | None = None
        self._sent = 0
        self._ready = self.in_doubt = False

    @property
    def is_open(self) -> bool:
        """Whether there is a connection ready for letters, as far as is known."""
        return self._ready and self._client is not None and self._client.is_connected

    @property
    def is_promising(self) -> bool:
        """Whether it is open or being opened."""
        return self._client is not None and (self._client.is_connected or not self._ready)

    async def open(self) -> None:
        """Connect and log in, if there is no connection or it has done its work. Raises Down or Refused."""
        if self.is_open and self._sent < LETTERS:
            return
        await self.close()
        config = self._config
        self._sent = 0
        client = self._client = aiosmtplib.SMTP(
            hostname=config.host,
            port=config.port,
            timeout=min(config.timeout, CONNECT),
            local_hostname=config.domain,
            use_tls=config.security == "tls",
            start_tls=False,
            tls_context=config.tls,
        )
        try:
            await client.connect()
            await client.ehlo()
            await self._prove(client)
            self._ready = True
        except (aiosmtplib.SMTPException, OSError, UnicodeError) as error:
            raise Down(
                f"连不上邮件服务器 {config.host}:{config.port}（{_why(error)}），正在重试；请检查网络与地址。[G042]"
            ) from error
        finally:
            if not self._ready:
                self._drop()

    async def _prove(self, client: aiosmtplib.SMTP) -> None:
        """Encrypt and log in as far as the settings say. Raises Refused, or what the connection raises."""
        config = self._config
        if config.security == "starttls":
            if not client.supports_extension("starttls"):
                raise Refused(
                    "邮件服务器不提供 STARTTLS，没有登录也没有发信；请改「加密」为 tls 或核对端口，然后重启。[G040]"
                )
            await client.starttls()
            await client.ehlo()
        if not config.username:
            return
        if not client.supports_extension("auth"):
            raise Refused(
                "邮件服务器在此连接上不接受登录；请核对端口与「加密」，或清空账号和口令，然后重启。[G045]"
            )
        try:
            await client.login(config.username, config.password)
        except aiosmtplib.SMTPAuthenticationError as error:
            if 400 <= error.code < 500:
                raise
            raise Refused(
                f"邮件服务器不接受账号或口令（{mail_answers.shown(error.code, error.message)}），已停止登录；"
                "请核对账号、口令或客户端授权码，然后重启。[G041]"
            ) from error

    async def send(self, envelope: Envelope) -> Answer:
        """Hand one letter over. Raises Lost if nothing of it can have been taken."""
        client = self._client
        if client is None:
            raise Lost
        self._sent += 1
        try:
            refused = await self._announce(client, envelope)
        except (*LOST, aiosmtplib.SMTPResponseException) as error:
            self._drop()
            raise Lost from error
        if refused is not None:
            return refused
        protocol = client.protocol
        if protocol is None or not protocol.is_connected:
            raise Lost
        self.in_doubt = True
        try:
            protocol.write(envelope.letter + b".\r\n")
            said = await protocol.read_response(self._config.timeout)
        except (*LOST, aiosmtplib.SMTPResponseException) as error:
            self.in_doubt = False
            self._drop()
            silent = isinstance(error, aiosmtplib.SMTPTimeoutError)
            return Answer(Outcome.UNKNOWN, "no answer" if silent else "link lost")
        self.in_doubt = False
        if said.code == 421:
            await self.close()
        return _answer("data", said.code, said.message)

    async def _announce(self, client: aiosmtplib.SMTP, envelope: Envelope) -> Answer | None:
        """Name sender and recipient and ask to send the text; what was refused, None = the server waits for the text."""
        notices = client.supports_extension("dsn")
        timeout = self._config.timeout
        stage: Stage = "mail"
        try:
            await client.mail(
                envelope.sender,
                options=("RET=HDRS", f"ENVID={envelope.id}") if notices else (),
                timeout=timeout,
            )
            stage = "rcpt"
            asked = ("NOTIFY=SUCCESS,FAILURE,DELAY", f"ORCPT=rfc822;{mail.xtext(envelope.to)}")
            await client.rcpt(envelope.to, options=asked if notices else (), timeout=timeout)
            stage = "data"
            code, text = await client.execute_command(b"DATA", timeout=timeout)
        except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPRecipientRefused) as error:
            code, text = error.code, error.message
        if code == aiosmtplib.SMTPStatus.start_input:
            return None
        if client.is_connected:
            await client.rset(timeout=timeout)
        return _answer(stage, code, text)

    async def close(self) -> None:
        """Say goodbye, briefly."""
        client = self._client
        if client is not None and client.is_connected and not self.in_doubt:
            with contextlib.suppress(aiosmtplib.SMTPException):
                await client.quit(timeout=FAREWELL)
        self._drop()

    def _drop(self) -> None:
        """Close without a word: nobody listens at the other end, or what he says next would be misunderstood."""
        if self._client is not None:
            self._client.close()
        self._client, self._ready = None, False


def _answer(stage: Stage, code: int, text: str) -> Answer:
    if code == aiosmtplib.SMTPStatus.completed and stage == "data":
        return Answer(Outcome.ACCEPTED)
    return Answer(OUTCOMES[mail_answers.meaning(stage, code, text)], mail_answers.shown(code, text))


def _why(error: Exception) -> str:
    """Why there is no connection: the server's code, else what the network says."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return mail_answers.shown(error.code, error.message)
    return (
        "超时" if isinstance(error, TimeoutError) else str(error.__cause__ or error) or type(error).__name__
    )
