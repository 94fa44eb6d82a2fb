"""短信中心连接 One SMPP connection: bind, framing, heartbeats both ways, one write per turn of the loop.

It knows no messages and no retries: who holds it hears of answers and of messages in, and of its end, exactly once.
Time is the loop's monotone clock, seconds. Malformed octets end the connection with a reason.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import Literal, Protocol, cast

import msgspec

from fengsui.formats import smpp, smpp_quick

Mode = Literal["trx", "tx", "rx"]
COMMANDS: dict[Mode, int] = {
    "trx": smpp.BIND_TRANSCEIVER,
    "tx": smpp.BIND_TRANSMITTER,
    "rx": smpp.BIND_RECEIVER,
}
REFUSALS = frozenset({0x0E, 0x0F})
"""Answers to a bind that a person must put right: wrong password, wrong system id. Not 0x0D (bind failed): a centre
also says that while it still counts the connection of before a crash of ours.
"""
REFUSED_WAIT = 300.0
"""Seconds until a login so refused is tried again (本系统缺省): an account that is opened at night comes back by itself,
and one that is wrong is not locked by our trying.
"""


class Access(msgspec.Struct, frozen=True):
    """How a connection introduces itself and how patient it is. idle, timeout: seconds."""

    system_id: str
    password: str
    system_type: str = ""
    idle: float = 30.0
    timeout: float = 30.0


class Holder(Protocol):
    """Who holds a connection."""

    def sequence(self) -> int:
        """The next sequence number: monotone over all connections, so that no late answer is taken for another's."""

    def bound(self, link: Link) -> None:
        """The peer took the bind: messages may go."""

    def accepted(self, sequence: int, name: str) -> None:
        """The peer took a submit_sm, under a message id of its own."""

    def refused(self, sequence: int, status: int) -> None:
        """The peer refused a submit_sm, or by generic_nack (perhaps of status 0) whatever it was."""

    def arrived(self, link: Link, sequence: int, frame: bytes) -> None:
        """A deliver_sm came in; ``link.reply`` when it is stored. Raises PduError if it is malformed."""

    def settled(self, link: Link) -> None:
        """All that came in with one read is told: time to send on."""

    def closed(self, link: Link) -> None:
        """The connection is gone; told once, ``link.reason`` and ``link.refused`` say why."""


class Link(asyncio.Protocol):
    """One connection, from its first octet to its last."""

    def __init__(self, holder: Holder, access: Access, mode: Mode) -> None:
        self.mode: Mode = mode
        self.is_bound = False
        self.refused = 0
        """The status of a bind whose account or password was refused, else 0."""
        self.reason = ""
        """Why it ended, for the operator; Chinese."""
        self.ended = asyncio.get_running_loop().create_future()
        self._holder = holder
        self._access = access
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._framer = smpp.Framer()
        self._meant = self._is_over = False
        self._out: list[bytes] = []
        self._heard = self._loop.time()
        self._asked: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    # What the holder says.

    def write(self, frames: bytes) -> None:
        """Queue whole frames; all that is queued in one turn of the loop leaves in one write."""
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(frames)

    def reply(self, sequences: Sequence[int], status: int) -> None:
        """Answer deliver_sm of these sequence numbers."""
        if not self.ended.done():
            self.write(smpp_quick.heard(sequences, status))

    def unbind(self) -> None:
        """Say goodbye; the peer's answer or a second's silence ends the connection."""
        self.is_bound, self._meant = False, True
        self.write(smpp.encode(smpp.Plain(smpp.UNBIND, 0, self._holder.sequence())))
        self._loop.call_later(1.0, self.drop, "")

    def drop(self, reason: str) -> None:
        """End the connection now. reason: Chinese, with a code; "" = as intended."""
        self.is_bound = False
        if self._transport is not None and not self._transport.is_closing():
            self._is_over = True
            self.reason, self._meant = self.reason or reason, not reason
            self._flush()
            if self._transport.get_write_buffer_size():
                self._transport.abort()
            else:
                self._transport.close()

    # What the loop says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce ourselves."""
        self._transport = cast("asyncio.Transport", transport)
        plug = transport.get_extra_info("socket")
        if plug is not None:
            plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        access = self._access
        command = COMMANDS[self.mode]
        self._asked = self._heard = self._loop.time()
        self.write(
            smpp.encode(
                smpp.Bind(
                    command, self._holder.sequence(), access.system_id, access.password, access.system_type
                )
            )
        )
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Hear the peer."""
        self._heard, self._asked = self._loop.time(), self._asked if not self.is_bound else None
        try:
            for frame in self._framer.feed(data):
                self._hear(frame)
                if self._is_over:
                    break
        except smpp.PduError as error:
            self.drop(
                f"短信中心发来无法识别的数据（{error}），已断开，正在重连；若反复出现请联系运营商。[G034]"
            )
        self._holder.settled(self)

    def pause_writing(self) -> None:
        """The peer reads too slowly: hear no more from it until it does, so that our answers cannot pile up."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The peer reads again."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, whoever wanted it."""
        self.is_bound, self._is_over = False, True
        self._out.clear()
        if self._timer is not None:
            self._timer.cancel()
        if not self._meant and not self.reason:
            self.reason = f"与短信中心的连接断开（{exc or '对方关闭'}），正在重连。[G033]"
        if not self.ended.done():
            self.ended.set_result(None)
        self._holder.closed(self)

    # Within.

    def _flush(self) -> None:
        if self._out and self._transport is not None:
            frames, self._out = self._out, []
            if not self._transport.is_closing():
                self._transport.write(frames[0] if len(frames) == 1 else b"".join(frames))

    def _hear(self, frame: bytes) -> None:
        """One frame from the peer. Nearly all are answers and receipts: those are not decoded in full."""
        command, status, sequence = smpp_quick.what(frame)
        if command == smpp.DELIVER_SM:
            self._holder.arrived(self, sequence, frame)
        elif command == smpp.SUBMIT_SM_RESP and status == smpp.OK:
            self._holder.accepted(sequence, smpp_quick.taken_as(frame))
        else:
            self._hear_rarely(smpp.decode(frame))

    def _hear_rarely(self, pdu: smpp.Pdu) -> None:
        """Refusals, and what keeps the connection going."""
        command = pdu.command
        if command in (smpp.SUBMIT_SM_RESP, smpp.GENERIC_NACK):
            assert isinstance(pdu, smpp.Answer | smpp.Plain)
            self._holder.refused(pdu.sequence, pdu.status)
        elif command == smpp.ENQUIRE_LINK:
            self.write(smpp.encode(smpp.Answer(smpp.ENQUIRE_LINK_RESP, smpp.OK, pdu.sequence)))
        elif command == smpp.UNBIND:
            self.write(smpp.encode(smpp.Answer(smpp.UNBIND_RESP, smpp.OK, pdu.sequence)))
            self.drop("短信中心要求退出登录，正在重连。[G033]")
        elif command == smpp.UNBIND_RESP:
            self.drop("")
        elif command == smpp.RESPONSE | COMMANDS[self.mode]:
            assert isinstance(pdu, smpp.Answer)
            self._admitted(pdu.status)
        elif not command & smpp.RESPONSE:
            self.write(smpp.encode(smpp.Plain(smpp.GENERIC_NACK, 0x03, pdu.sequence)))

    def _admitted(self, status: int) -> None:
        """The peer's answer to our bind."""
        if status == smpp.OK:
            if not self.is_bound:
                self.is_bound, self._asked = True, None
                self._holder.bound(self)
            return
        name = smpp.status_name(status)
        if status in REFUSALS:
            self.refused = status
            self.drop(
                f"短信中心拒绝登录（SMPP {name}，账号或口令不对）。系统每 {REFUSED_WAIT / 60:g} 分钟重试一次；"
                "请在网关设置中核对账号与口令，或联系运营商。[G031]"
            )
        else:
            self.drop(f"短信中心暂不接受登录（SMPP {name}），正在重试；持续十分钟以上请联系运营商。[G032]")

    def _watch(self) -> None:
        """The heartbeat: ask when nothing was heard for ``idle``, drop when no answer came for ``timeout``."""
        now, access = self._loop.time(), self._access
        if self._asked is not None:
            due = self._asked + access.timeout
            if now >= due:
                self.drop(
                    f"短信中心 {access.timeout:g} 秒没有应答，已断开，正在重连；请检查网络或联系运营商。[G035]"
                )
                return
        else:
            due = self._heard + access.idle
            if now >= due:
                self.write(smpp.encode(smpp.Plain(smpp.ENQUIRE_LINK, 0, self._holder.sequence())))
                self._asked, due = now, now + access.timeout
        self._timer = self._loop.call_at(min(due, now + access.idle), self._watch)
