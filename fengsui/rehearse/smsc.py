"""演练短信中心 A short message centre for rehearsals, tests and benches: takes SMPP logins, plays the phones, misbehaves on order.

On 127.0.0.1 only; rehearsal only. What it knows lives as long as the process, also over broken connections: receipts
that were not answered OK are sent again after the next login.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections import Counter, deque
from collections.abc import Callable
from typing import cast

import msgspec

from fengsui.formats import smpp, smpp_content, sms
from fengsui.rehearse.smsc_plan import Plan

REFUSED_BIND = 0x0E
THROTTLED = 0x58
NOT_BOUND = 0x04
AGAIN_AFTER = 0.05
"""Seconds until a receipt that was answered with an error is sent again."""

OnMessage = Callable[[str, str, str, int], None]
"""(number, source, text, parts): a whole message arrived at a phone."""


Postpone = Callable[[str, Callable[[str], None]], None]
"""(number, then): call ``then`` when the submission has reached the phone, with "" or the error it failed with."""


class Centre:
    """The centre: its connections, what they sent it, what it owes them."""

    def __init__(self, plan: Plan | None = None, on_message: OnMessage | None = None) -> None:
        self.plan = plan or Plan()
        self.on_message = on_message
        self.sessions: list[Session] = []
        self.port = 0
        self.count: Counter[str] = Counter()
        self.submitted: list[smpp.Message] | None = None
        """Set to a list to keep every submit_sm."""
        self.postpone: Postpone | None = None
        """Set to decide oneself when a submission reaches its phone."""
        self._seen: set[int] = set()
        self._parts: dict[tuple[str, str, int, int], dict[int, str]] = {}
        self._owed: deque[smpp.Message] = deque()
        self._number = self._later = 0
        self._first = self._last = 0.0
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0, tls: ssl.SSLContext | None = None) -> int:
        """Listen on 127.0.0.1; the port, a free one for 0."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Session(self), "127.0.0.1", port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    async def stop(self) -> None:
        """Hang up on everyone and listen no more."""
        if self._server is not None:
            self._server.close()
        self.hang_up()
        while self.sessions:  # noqa: ASYNC110 — a rehearsal's end
            await asyncio.sleep(0.005)

    def hang_up(self) -> None:
        """Cut every connection without a word, as a broken line does."""
        for session in list(self.sessions):
            session.cut()

    def reply(self, sender: str, recipient: str, text: str) -> None:
        """A phone answers: its message goes to whoever is logged in to hear."""
        self.count["replies"] += 1
        parts = sms.split(text)
        self._number += 1
        for index, part in enumerate(parts):
            piece = smpp_content.Segment(self._number & 0xFF, len(parts), index + 1)
            head = smpp_content.segment_header(piece) if len(parts) > 1 else b""
            body, esm_class = head + sms.encode(part), smpp.UDHI if head else 0
            self.owe(
                smpp.Message(
                    smpp.DELIVER_SM, 0, sender, recipient, body, esm_class=esm_class, data_coding=smpp.UCS2
                )
            )

    def stats(self) -> dict[str, float]:
        """What happened so far; seconds: from the first to the last submission taken."""
        owed = len(self._owed) + self._later + sum(len(session.unanswered) for session in self.sessions)
        return {
            **self.count,
            "unique": len(self._seen),
            "repeated": self.count["taken"] - len(self._seen),
            "owed": owed,
            "seconds": round(self._last - self._first, 4),
        }

    def submit(self, session: Session, message: smpp.Message) -> None:
        """One submit_sm: taken, refused or worse, as planned."""
        plan, count = self.plan, self.count
        count["submits"] += 1
        nth = count["submits"]
        if plan.close_every and nth % plan.close_every == 0:
            session.cut()
            return
        status = plan.refuse.get(message.destination, smpp.OK)
        if plan.throttle_every and nth % plan.throttle_every == 0:
            status = THROTTLED
        if status:
            count["throttled" if status == THROTTLED else "refused"] += 1
            session.answer(smpp.Answer(smpp.SUBMIT_SM_RESP, status, message.sequence))
            return
        self._take(session, message)

    def owe(self, message: smpp.Message) -> None:
        """Something for the other side to hear, sent when a window has room."""
        self._owed.append(message)
        self.pay()

    def owe_later(self, message: smpp.Message, seconds: float) -> None:
        """The same after a while."""
        if seconds:
            self._later += 1
            asyncio.get_running_loop().call_later(seconds, self._due, message)
        else:
            self.owe(message)

    def _due(self, message: smpp.Message) -> None:
        self._later -= 1
        self.owe(message)

    def back(self, messages: list[smpp.Message]) -> None:
        """Not answered OK: to be sent again, before everything newer."""
        self._owed.extendleft(reversed(messages))

    def pay(self) -> None:
        """Send what is owed to whoever listens and has room."""
        listening = [session for session in self.sessions if session.hears]
        if not listening:
            return
        if not self.plan.elsewhere:
            listening = listening[:1]
        for session in reversed(listening):
            while self._owed and len(session.unanswered) < self.plan.window:
                session.push(self._owed.popleft())

    def _take(self, session: Session, message: smpp.Message) -> None:
        """Accept a submission: answer, receipt, and the message for the phone."""
        self.count["taken"] += 1
        self._number += 1
        self._last = asyncio.get_running_loop().time()
        self._first = self._first or self._last
        if self.submitted is not None:
            self.submitted.append(message)
        number = self._number
        answer = smpp.Answer(smpp.SUBMIT_SM_RESP, smpp.OK, message.sequence, f"{number:08X}")
        if self.postpone is not None:
            session.answer(answer)
            self.postpone(message.destination, lambda code: self._arrive(message, number, code))
            return
        self._phone(message)
        if self.plan.early:
            self._receipts(message, number)
            session.answer(answer)
        else:
            session.answer(answer)
            self._receipts(message, number)

    def _arrive(self, message: smpp.Message, number: int, code: str) -> None:
        """A postponed submission reaches its phone (code "") or fails; either way there is a receipt."""
        self.owe(self._receipt(message, f"{number:x}", code))
        self.count["receipts"] += 1
        if not code:
            self._phone(message)

    def _phone(self, message: smpp.Message) -> None:
        """The phone's side: parts joined, whole messages shown."""
        self._seen.add(hash((message.destination, message.source, message.body)))
        part, data = smpp_content.segment(message)
        text = smpp_content.words(data, message.data_coding)
        if part is not None:
            key = (message.destination, message.source, part.reference, part.total)
            parts = self._parts.setdefault(key, {})
            parts[part.number] = text
            if len(parts) < part.total:
                return
            text = "".join(parts[number] for number in sorted(parts))
            del self._parts[key]
        self.count["messages"] += 1
        if self.on_message is not None:
            self.on_message(message.destination, message.source, text, part.total if part else 1)

    def _receipts(self, message: smpp.Message, number: int) -> None:
        """The receipt of one submission, and its planned companions."""
        plan = self.plan
        if not plan.receipts or not message.registered & 1:
            return
        name = str(number) if plan.ids == "mixed" else f"{number:x}"
        code = plan.failing.get(message.destination)
        if code is None:
            unlucky = zlib.crc32(message.destination.encode("latin-1")) % 10_000 < plan.fail_share * 10_000
            code = plan.fail_code if unlucky else ""
        made = [self._receipt(message, name, code)]
        if plan.duplicate_every and number % plan.duplicate_every == 0:
            made.append(made[0])
        if plan.unknown_every and number % plan.unknown_every == 0:
            made.append(self._receipt(message, f"ffff{name}", ""))
        self.count["receipts"] += len(made)
        for receipt in made:
            self.owe_later(receipt, plan.receipt_delay)

    def _receipt(self, message: smpp.Message, name: str, code: str) -> smpp.Message:
        stat = "UNDELIV" if code else "DELIVRD"
        body, tlvs = smpp_content.receipt_text(name, stat, err=code or "000", done="2608011200"), ()
        if self.plan.receipts == "tlv":
            state = 5 if code else 2
            error = b"\x03" + int(code or 0).to_bytes(2, "big")
            return smpp.Message(
                smpp.DELIVER_SM,
                0,
                message.destination,
                message.source,
                esm_class=smpp.RECEIPT,
                tlvs=(
                    (smpp.RECEIPTED_MESSAGE_ID, name.encode("latin-1") + b"\0"),
                    (smpp.MESSAGE_STATE, bytes((state,))),
                    (smpp.NETWORK_ERROR_CODE, error),
                ),
            )
        return smpp.Message(
            smpp.DELIVER_SM, 0, message.destination, message.source, body, esm_class=smpp.RECEIPT, tlvs=tlvs
        )


class Session(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.mode = 0
        self.unanswered: dict[int, smpp.Message] = {}
        self._framer = smpp.Framer()
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._out: list[bytes] = []
        self._sequence = 0
        self._beat: asyncio.TimerHandle | None = None

    @property
    def hears(self) -> bool:
        """Logged in to receive."""
        return self.mode in {smpp.BIND_TRANSCEIVER, smpp.BIND_RECEIVER}

    def cut(self) -> None:
        """Break the connection."""
        if self._transport is not None:
            self._transport.abort()

    def answer(self, answer: smpp.Answer) -> None:
        """Answer a request, late if planned."""
        if self.centre.plan.latency:
            self._loop.call_later(self.centre.plan.latency, self.send, answer)
        else:
            self.send(answer)

    def push(self, message: smpp.Message) -> None:
        """Send a deliver_sm and remember it until it is answered."""
        self._sequence += 1
        self.unanswered[self._sequence] = message
        self.send(msgspec.structs.replace(message, sequence=self._sequence))

    def send(self, pdu: smpp.Pdu) -> None:
        """Queue one PDU; those of one turn of the loop leave together."""
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(smpp.encode(pdu))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client calls."""
        self._transport = cast("asyncio.Transport", transport)
        self.centre.sessions.append(self)
        self.centre.count["connections"] += 1
        if self.centre.plan.heartbeat:
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 — every end is the same to a centre
        """Gone: what it did not answer is owed to the next one."""
        self.mode = 0
        self._out.clear()
        if self._beat is not None:
            self._beat.cancel()
        self.centre.sessions.remove(self)
        self.centre.back(list(self.unanswered.values()))
        self.unanswered.clear()
        self.centre.pay()

    def data_received(self, data: bytes) -> None:
        """Hear the client; what is not SMPP ends the connection."""
        if self.centre.plan.hang:
            return
        try:
            for frame in self._framer.feed(data):
                self._hear(smpp.decode(frame))
        except smpp.PduError:
            self.centre.count["malformed"] += 1
            self.cut()

    def _hear(self, pdu: smpp.Pdu) -> None:
        if isinstance(pdu, smpp.Bind):
            self._login(pdu)
        elif isinstance(pdu, smpp.Answer):
            if pdu.command == smpp.DELIVER_SM_RESP:
                self._heard(pdu)
        elif isinstance(pdu, smpp.Message):
            if pdu.command == smpp.SUBMIT_SM and self.mode in {smpp.BIND_TRANSCEIVER, smpp.BIND_TRANSMITTER}:
                self.centre.submit(self, pdu)
            else:
                self.send(smpp.Answer(smpp.RESPONSE | pdu.command, NOT_BOUND, pdu.sequence))
        elif pdu.command == smpp.ENQUIRE_LINK:
            self.centre.count["enquiries"] += 1
            self.send(smpp.Answer(smpp.ENQUIRE_LINK_RESP, smpp.OK, pdu.sequence))
        elif pdu.command == smpp.UNBIND:
            self.mode = 0
            self.send(smpp.Answer(smpp.UNBIND_RESP, smpp.OK, pdu.sequence))
        elif not pdu.command & smpp.RESPONSE:
            self.send(smpp.Plain(smpp.GENERIC_NACK, 0x03, pdu.sequence))

    def _login(self, bind: smpp.Bind) -> None:
        plan, count = self.centre.plan, self.centre.count
        status = plan.bind_status or (smpp.OK if bind.password == plan.password else REFUSED_BIND)
        count["refused_binds" if status else "binds"] += 1
        text = "" if status else "rehearsal"
        self.send(smpp.Answer(smpp.RESPONSE | bind.command, status, bind.sequence, text))
        if status == smpp.OK:
            self.mode = bind.command
            self.centre.pay()

    def _heard(self, answer: smpp.Answer) -> None:
        """A deliver_sm is answered; an error means: again, in a moment."""
        message = self.unanswered.pop(answer.sequence, None)
        if message is None:
            return
        if answer.status == smpp.OK:
            self.centre.count["heard"] += 1
        else:
            self.centre.count["sent_back"] += 1
            self.centre.owe_later(message, AGAIN_AFTER)
        self.centre.pay()

    def _ask(self) -> None:
        """The centre's own heartbeat."""
        self._sequence += 1
        self.send(smpp.Plain(smpp.ENQUIRE_LINK, 0, self._sequence))
        self._beat = self._loop.call_later(self.centre.plan.heartbeat, self._ask)

    def _flush(self) -> None:
        if self._out and self._transport is not None:
            data, self._out = b"".join(self._out), []
            if not self._transport.is_closing():
                self._transport.write(data)
