"""短信网关 Short messages over SMPP 3.4, to the carrier's centre: hands over parts, answers for each, brings receipts back.

At most ``window`` parts are unanswered at a time; a part the centre does not answer within ``timeout`` is UNKNOWN,
never silently sent again. Nothing is kept here: what is queued and not yet sent when the link ends comes back as
RETRY, what was sent as UNKNOWN. Wall-clock time is asked of ``clock``, everything else is the loop's monotone time.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence

import msgspec

from fengsui.formats import smpp, smpp_content, sms
from fengsui.gateways import smpp_settings
from fengsui.gateways.contract import Deliver, Handover, Health, Outcome, PartResult, Result, Status
from fengsui.gateways.pace import Pace
from fengsui.gateways.smpp_inward import Inbox
from fengsui.gateways.smpp_link import REFUSED_WAIT, Link, Mode

log = logging.getLogger(__name__)

SHORTEST_WAIT, LONGEST_WAIT = 0.1, 30.0
"""Bounds of the reconnect back-off, seconds; each wait is random between 0 and the bound (full jitter)."""
STEADY = 5.0
"""Seconds a connection must have lived for the back-off to begin anew."""
GRACE = 5.0
"""Seconds ``stop`` waits for answers under way."""
FORMS = 4_096
"""Prepared texts kept."""


class _Work:
    """A batch on its way: where its answers gather and who waits for them."""

    __slots__ = ("answers", "dead", "done", "left")

    def __init__(self, batch: Sequence[Handover], done: asyncio.Future[None]) -> None:
        self.answers: list[list[PartResult]] = [[] for _ in batch]
        self.left = sum(len(handover.parts) for handover in batch)
        self.done = done
        self.dead = False
        if not self.left:
            done.set_result(None)

    def answer(self, row: int, result: PartResult) -> None:
        """One part is answered; the last one wakes the waiter."""
        self.answers[row].append(result)
        self.left -= 1
        if not self.left and not self.done.done():
            self.done.set_result(None)


Job = tuple[_Work, int, Handover, tuple[int, int, str]]
"""One part to send: its batch, its row there, its handover, (index, total, text)."""
Kind = tuple[str, int, int, int, str, int, int]
"""What makes one prepared PDU differ from another: text, index, total, reference, suffix, expiry, and the seconds left
where the validity is written so.
"""


class SmsSmpp:
    """The gateway to one account of one centre."""

    channel = "sms"
    fields = smpp_settings.FIELDS

    def __init__(
        self,
        name: str,
        given: Mapping[str, str],
        *,
        accepts: frozenset[Status],
        clock: Callable[[], int],
        rng: random.Random | None = None,
    ) -> None:
        """given: settings by field name. clock: UTC µs. rng: jitter of the back-off.

        Raises SettingsError if a setting is missing or wrong.
        """
        self.name = name
        self.accepts = accepts
        self._config = smpp_settings.read(name, given)
        self._clock = clock
        self._rng = rng or random.Random()
        self._inbox = Inbox(dead_codes=self._config.dead_codes, zone_hours=self._config.zone)
        self._links: dict[Mode, Link] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._queue: deque[Job] = deque()
        self._pending: dict[int, tuple[_Work, int, int, float]] = {}  # sequence → batch, row, part, deadline
        self._forms: dict[Kind, smpp.Form | None] = {}
        self._sequence = self._answered = 0
        self._pace: Pace | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._refused: dict[
            Mode, str
        ] = {}  # connections whose login is refused, and why; until they are bound
        self._trouble = "尚未连接短信中心。[G030]"
        self._stopping = False

    # The contract.

    @property
    def rate(self) -> float:
        """Parts per second that the settings allow, 0 = no limit."""
        return self._config.rate

    async def start(self) -> None:
        """Connect and keep connected."""
        self._pace = Pace(self._config.rate, asyncio.get_running_loop().time())
        self._stopping, self._refused = False, {}
        self._keepers = [
            asyncio.create_task(self._keep(mode), name=f"{self.name}-{mode}") for mode in self._config.modes
        ]

    async def stop(self) -> None:
        """Take nothing more, wait up to five seconds for answers, say goodbye."""
        self._stopping = True
        self._give_back()
        loop = asyncio.get_running_loop()
        end = loop.time() + min(GRACE, self._config.timeout)
        while self._pending and loop.time() < end:  # noqa: ASYNC110 — once in a lifetime; the fast path stays free of it
            await asyncio.sleep(0.02)
        links = list(self._links.values())
        for link in links:
            link.unbind()
        await asyncio.gather(*(link.ended for link in links))
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        self._keepers.clear()
        self._trouble = "已停止。[G030]"
        for timer in (self._pause, self._watch):
            if timer is not None:
                timer.cancel()

    async def send(self, batch: Sequence[Handover]) -> Sequence[Result]:
        """Hand over exactly the parts given; one answer for each."""
        work = _Work(batch, asyncio.get_running_loop().create_future())
        self._queue.extend(
            (work, row, handover, part) for row, handover in enumerate(batch) for part in handover.parts
        )
        self._pump()
        try:
            await work.done
        finally:
            work.dead = True
        return [
            Result(handover.id, tuple(parts)) for handover, parts in zip(batch, work.answers, strict=True)
        ]

    async def check(self) -> Health:
        """Whether messages can leave now."""
        sending, hearing = self._link("tx"), self._link("rx")
        if sending is None:
            return _health(self._barred or self._trouble)
        if hearing is None:
            why = "登录被短信中心拒绝，隔几分钟重试；请核对账号" if self._refused else "未建立，正在重连"
            return Health(up=True, text=f"短信可以发出，但收回执的连接{why}。[G036]", code="G036")
        rate = self._pace.rate if self._pace else 0
        return Health(up=True, text=f"正常。当前限速每秒 {rate:.0f} 条。" if rate else "正常。")

    async def run(self, deliver: Deliver) -> None:
        """Receipts and replies, until cancelled."""
        await self._inbox.run(deliver)

    # What the connections say.

    def sequence(self) -> int:
        """The next sequence number, 1 … 2³¹ - 1 and round again."""
        self._sequence = self._sequence % smpp.HIGHEST + 1
        return self._sequence

    def bound(self, link: Link) -> None:
        """Ready to send."""
        log.info("%s 已登录短信中心（%s）。", self.name, link.mode)
        self._links[link.mode] = link
        self._refused.pop(link.mode, None)
        self._trouble = ""
        self._pump()

    def accepted(self, sequence: int, name: str) -> None:
        """The centre took a part."""
        self._answered = sequence
        entry = self._pending.pop(sequence, None)
        if entry is not None:
            work, row, index, _ = entry
            work.answer(row, PartResult(index, Outcome.ACCEPTED, smpp_content.normal(name[:64])))

    def refused(self, sequence: int, status: int) -> None:
        """The centre did not take a part."""
        self._answered = sequence
        entry = self._pending.pop(sequence, None)
        if entry is None:
            return
        work, row, index, _ = entry
        outcome = self._config.outcome(status) if status else Outcome.RETRY
        if outcome is Outcome.THROTTLED and self._pace is not None:
            self._pace.slow(asyncio.get_running_loop().time())
        work.answer(row, PartResult(index, outcome, "", smpp.status_name(status)))

    def arrived(self, link: Link, sequence: int, frame: bytes) -> None:
        """A receipt or reply."""
        self._inbox.add(link, sequence, frame)

    def settled(self, link: Link) -> None:  # noqa: ARG002 — one queue for all connections
        """Slots may be free."""
        if self._queue:
            self._pump()

    def closed(self, link: Link) -> None:
        """What was under way on it is in doubt; what was not yet sent goes back."""
        if self._links.get(link.mode) is link:
            del self._links[link.mode]
        self._inbox.forget(link)
        self._trouble = link.reason or self._trouble
        if link.refused:
            self._refused[link.mode] = link.reason
        if link.mode != "rx":
            for work, row, index, _ in self._pending.values():
                work.answer(row, PartResult(index, Outcome.UNKNOWN, "", "link lost"))
            self._pending.clear()
            self._give_back()

    # Within.

    def _link(self, kind: Mode) -> Link | None:
        """The bound connection for sending ("tx") or hearing ("rx"), if there is one."""
        link = self._links.get(kind) or self._links.get("trx")
        return link if link is not None and link.is_bound else None

    @property
    def _barred(self) -> str:
        """Why the connection that sends may not log in, "" if it may."""
        return self._refused.get("trx") or self._refused.get("tx", "")

    async def _keep(self, mode: Mode) -> None:
        """Connect, wait for the end, wait a little (long, if the login was refused), connect again; for ever."""
        loop = asyncio.get_running_loop()
        bound, told = SHORTEST_WAIT, ""
        while not self._stopping:
            began, link = loop.time(), Link(self, self._config.access, mode)
            await self._live(link)
            if self._trouble != told and not self._stopping:
                told = self._trouble
                log.warning("%s：%s", self.name, told)
            bound = SHORTEST_WAIT if loop.time() - began >= STEADY else min(bound * 2, LONGEST_WAIT)
            await asyncio.sleep(REFUSED_WAIT if link.refused else self._rng.uniform(0, bound))

    async def _live(self, link: Link) -> None:
        """One connection from the call to its end."""
        host, port = self._config.host, self._config.port
        loop = asyncio.get_running_loop()
        try:
            await asyncio.wait_for(
                loop.create_connection(lambda: link, host, port, ssl=self._config.tls),
                min(self._config.timeout, 10.0),
            )
        except (OSError, UnicodeError) as error:  # refused, silent, not trusted, or no such name
            self._trouble = (
                f"连不上短信中心 {host}:{port}（{error or '超时'}），正在重试；请检查网络与地址。[G032]"
            )
            return
        try:
            await asyncio.shield(link.ended)
        except asyncio.CancelledError:
            link.drop("")
            await link.ended
            raise

    def _pump(self) -> None:
        """Send as much as window and pace allow."""
        link = self._link("tx")
        if link is None or self._stopping or self._pace is None:
            self._give_back()
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        room = min(self._config.window - len(self._pending), len(self._queue))
        if room <= 0:
            return
        wall, deadline = self._clock(), now + self._config.timeout
        for _ in range(self._pace.grant(room, now)):
            self._submit(link, self._queue.popleft(), wall, deadline)
        if self._watch is None and self._pending:
            self._watch = loop.call_later(self._config.timeout, self._overdue)
        if self._queue and len(self._pending) < self._config.window and self._pause is None:
            self._pause = loop.call_later(self._pace.wait(), self._resume)

    def _resume(self) -> None:
        self._pause = None
        self._pump()

    def _submit(self, link: Link, job: Job, wall: int, deadline: float) -> None:
        """One part onto the wire, or answered at once if it cannot go there. wall: now, UTC µs."""
        work, row, handover, part = job
        if work.dead:
            return
        left = handover.expires - wall
        if left <= 0:
            work.answer(row, PartResult(part[0], Outcome.RETRY, "", "expired"))
            return
        to = self._config.prefix + handover.to
        if not (to.isascii() and to.removeprefix("+").isdigit() and len(to) <= 20):
            work.answer(row, PartResult(part[0], Outcome.REFUSED_ADDRESS, "", "not a number"))
            return
        form = self._form(handover, part, left)
        if form is None:
            work.answer(row, PartResult(part[0], Outcome.REFUSED_CONTENT, "", "does not fit"))
            return
        sequence = self.sequence()
        self._pending[sequence] = (work, row, part[0], deadline)
        link.write(form.fill(sequence, to.encode()))

    def _form(self, handover: Handover, part: tuple[int, int, str], left: int) -> smpp.Form | None:
        """The prepared PDU of a part, None if its text does not fit. left: µs until it expires."""
        index, total, text = part
        reference = handover.reference if total > 1 else 0
        expires, seconds = handover.expires, left // 1_000_000 if self._config.validity == "relative" else 0
        kind = (text, index, total, reference, handover.source_suffix, expires, seconds)
        if kind not in self._forms:
            if len(self._forms) >= FORMS:
                self._forms.clear()
            self._forms[kind] = self._prepare(handover, part, self._validity(expires, seconds))
        return self._forms[kind]

    def _validity(self, expires: int, seconds: int) -> str:
        if self._config.validity == "relative":
            return smpp_content.relative(seconds)
        return smpp_content.absolute(expires) if self._config.validity == "absolute" else ""

    def _prepare(self, handover: Handover, part: tuple[int, int, str], validity: str) -> smpp.Form | None:
        """A part as a submit_sm without destination. A suffix that makes the source number too long is left out:
        a warning that cannot be matched to its reply is better than none.
        """
        index, total, text = part
        body, suffix = sms.encode(text), handover.source_suffix
        source = self._config.template.source + (suffix if suffix.isdigit() else "")
        changes = {
            "validity": validity,
            "source": source if len(source) <= 20 else self._config.template.source,
        }
        try:
            if total > 1:
                body = (
                    smpp_content.segment_header(smpp_content.Segment(handover.reference, total, index + 1))
                    + body
                )
            if len(body) > 2 * sms.SINGLE:
                return None
            esm_class = smpp.UDHI if total > 1 else 0
            message = msgspec.structs.replace(
                self._config.template, body=body, esm_class=esm_class, **changes
            )
            return smpp.Form(message)
        except ValueError:
            return None

    def _overdue(self) -> None:
        """Parts the centre did not answer in time are in doubt; their slots are free again, but if it has answered
        nothing since, what waits goes back: unsent, it may leave another way.
        """
        loop = asyncio.get_running_loop()
        now, self._watch, silent = loop.time(), None, False
        while self._pending:
            sequence = next(iter(self._pending))
            work, row, index, deadline = self._pending[sequence]
            if deadline > now:
                self._watch = loop.call_at(deadline, self._overdue)
                break
            del self._pending[sequence]
            silent = silent or self._answered < sequence
            work.answer(row, PartResult(index, Outcome.UNKNOWN, "", "no answer"))
        if silent:
            self._return(Outcome.RETRY, "not answering")
        else:
            self._pump()

    def _give_back(self) -> None:
        """Everything not yet on the wire goes back: later, or with the word that our account is refused."""
        if self._barred:
            self._return(Outcome.REFUSED_CONFIG, "login refused")
        else:
            self._return(Outcome.RETRY, "not connected")

    def _return(self, outcome: Outcome, code: str) -> None:
        """Answer for everything not yet on the wire."""
        while self._queue:
            work, row, _, part = self._queue.popleft()
            work.answer(row, PartResult(part[0], outcome, "", code))


def _health(text: str) -> Health:
    """Not up, and the code the text ends with."""
    return Health(up=False, text=text, code=text.rpartition("[")[2].rstrip("]"))
