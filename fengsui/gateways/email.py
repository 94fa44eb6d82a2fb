"""邮件网关 Letters by submission to a mail server: a few connections, one letter each at a time, notices come back.

Every letter has an envelope sender of its own, ``bounce+<delivery>-<hash>@…`` (VERP), so that notices find their
delivery. What the server has not asked the text of is RETRY "not connected", what it did not answer for is UNKNOWN,
never silently sent again. After a refused login nothing more is tried until the gateway is started anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from email.utils import format_datetime
from typing import NamedTuple

from fengsui.formats import mail
from fengsui.gateways import email_settings
from fengsui.gateways.contract import Deliver, Handover, Health, Outcome, PartResult, Result, Status
from fengsui.gateways.email_inward import Folder
from fengsui.gateways.email_link import Answer, Down, Envelope, Line, Lost, Refused
from fengsui.gateways.pace import Pace

log = logging.getLogger(__name__)

IDLE = 30.0
"""Seconds after which a connection without work is closed: sooner than servers do it."""
GRACE = 5.0
"""Seconds ``stop`` waits for answers under way."""
REST = (1.0, 3.0)
"""Seconds, between them at random, that a connection rests which the server did not grant while others work."""
FORMS = 256
"""Prepared letters kept."""
NOT_CONNECTED = Answer(Outcome.RETRY, "not connected")
LOGIN_REFUSED = Answer(Outcome.REFUSED_CONFIG, "login refused")


class _Job(NamedTuple):
    """One letter to send and who waits for its answer."""

    handover: Handover
    done: asyncio.Future[Answer]

    def answer(self, answer: Answer) -> None:
        """Tell whoever waits, if he still does."""
        if not self.done.done():
            self.done.set_result(answer)


class Email:
    """The gateway to one account of one mail server."""

    channel = "email"
    fields = email_settings.FIELDS

    def __init__(
        self,
        name: str,
        given: Mapping[str, str],
        *,
        accepts: frozenset[Status],
        clock: Callable[[], int],
        rng: random.Random | None = None,
    ) -> None:
        """given: settings by field name. clock: UTC µs. rng: how long a connection rests.

        Raises SettingsError if a setting is missing or wrong.
        """
        self.name = name
        self.accepts = accepts
        self._config = email_settings.read(name, given)
        self._clock = clock
        self._rng = rng or random.Random()
        self._seal = mail.Seal(self._config.secret, name)
        self._folder = (
            Folder(self._config.maildir, self._seal, self._config.sender, self._config.bounce)
            if self._config.maildir
            else None
        )
        self._lines = [Line(self._config) for _ in range(self._config.connections)]
        self._workers: list[asyncio.Task[None]] = []
        self._queue: deque[_Job] = deque()
        self._news = asyncio.Event()
        self._at_work = 0
        self._pace = Pace(self._config.rate, 0.0)
        self._letters: dict[str, bytes] = {}
        self._refused = self._wrong = ""
        self._trouble = ""
        self._stopping = True

    # The contract.

    @property
    def rate(self) -> float:
        """Mails per second that the settings allow, 0 = no limit."""
        return self._config.rate

    async def start(self) -> None:
        """Begin to take letters; the first connection is made at once, so that a wrong setting shows."""
        self._stopping, self._refused, self._wrong = False, "", ""
        self._pace = Pace(self._config.rate, asyncio.get_running_loop().time())
        self._workers = [
            asyncio.create_task(self._work(line, eager=line is self._lines[0]), name=f"{self.name}-{n}")
            for n, line in enumerate(self._lines)
        ]

    async def stop(self) -> None:
        """Take nothing more, wait up to five seconds for answers, say goodbye."""
        self._stopping = True
        self._give_back()
        loop = asyncio.get_running_loop()
        end = loop.time() + GRACE
        while self._at_work and loop.time() < end:  # noqa: ASYNC110 — once in a lifetime; the fast path stays free of it
            await asyncio.sleep(0.02)
        while alive := [worker for worker in self._workers if not worker.done()]:
            for worker in alive:  # again and again: asyncio.wait_for may swallow it, before Python 3.12
                worker.cancel()
            await asyncio.wait(alive, timeout=0.1)
        self._workers.clear()
        self._give_back()
        await asyncio.gather(*(line.close() for line in self._lines))

    async def send(self, batch: Sequence[Handover]) -> Sequence[Result]:
        """Hand over; one answer for each. A text in several parts is one letter, its answer is that of each part."""
        loop = asyncio.get_running_loop()
        jobs = [_Job(handover, loop.create_future()) for handover in batch]
        self._queue.extend(jobs)
        self._news.set()
        if self._stopping or self._refused:
            self._give_back()
        answers = await asyncio.gather(*(job.done for job in jobs))
        return [_result(handover, answer) for handover, answer in zip(batch, answers, strict=True)]

    async def check(self) -> Health:
        """Whether letters can leave now; connects and logs in if no connection is there."""
        if self._stopping:
            return Health(up=False, text="邮件网关没有启动。[G044]", code="G044")
        trouble = self._refused or self._wrong
        if not trouble and not any(line.is_open for line in self._lines):
            await self._probe()
            trouble = self._refused or self._trouble
        if trouble:
            return Health(up=False, text=trouble, code=trouble.rpartition("[")[2].rstrip("]"))
        if self._folder is None:
            return Health(up=True, text="正常。没有设收件夹，收不到投递通知和回信。")
        if self._folder.trouble:
            return Health(up=True, text=f"邮件可以发出。{self._folder.trouble}", code="G054")
        return Health(up=True, text="正常。")

    async def run(self, deliver: Deliver) -> None:
        """Notices and answers from the folder, until cancelled."""
        if self._folder is None:
            await asyncio.Event().wait()
        else:
            await self._folder.run(deliver)

    # Within.

    async def _probe(self) -> None:
        """One connection, to see whether it can be made."""
        line = Line(self._config)
        try:
            await line.open()
        except Refused as error:
            self._refuse(error)
        except Down as error:
            self._say(str(error))
        else:
            self._say("")
        finally:
            await line.close()

    async def _work(self, line: Line, *, eager: bool) -> None:
        """One connection's life: a letter after the other, until cancelled."""
        if eager:
            await self._opened(line)
        while True:
            job = await self._next(line)
            self._at_work += 1
            try:
                rests = await self._one(line, job)
            except asyncio.CancelledError:
                job.answer(Answer(Outcome.UNKNOWN, "stopped") if line.in_doubt else NOT_CONNECTED)
                raise
            finally:
                self._at_work -= 1
            if rests:
                await asyncio.sleep(self._rng.uniform(*REST))

    async def _next(self, line: Line) -> _Job:
        """The next letter, once it may leave; a connection that waits for long is closed."""
        while not self._queue:
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE if line.is_open else None):
                    await self._news.wait()
            if not self._queue and line.is_open and not self._news.is_set():
                await line.close()
        return self._queue.popleft()

    async def _one(self, line: Line, job: _Job) -> bool:
        """One letter onto the wire, or answered at once if it cannot go there; whether the connection should rest."""
        if job.done.done():
            return False
        made = self._envelope(job.handover)
        if isinstance(made, Answer):
            answer = made
        elif await self._opened(line):
            await self._turn()
            answer = await self._handed(line, made)
        else:
            return self._unopened(job)
        if answer.outcome is Outcome.THROTTLED:
            self._pace.slow(asyncio.get_running_loop().time())
        self._judge(job.handover, answer)
        job.answer(answer)
        return False

    async def _turn(self) -> None:
        """Wait until a letter may leave."""
        loop = asyncio.get_running_loop()
        while not self._pace.grant(1, loop.time()):  # noqa: ASYNC110 — it is time that is waited for
            await asyncio.sleep(self._pace.wait())

    async def _opened(self, line: Line) -> bool:
        """Whether there is a connection now; if not, what is wrong is kept for health."""
        if self._refused:
            return False
        try:
            await line.open()
        except Refused as error:
            self._refuse(error)
        except Down as error:
            if not any(other.is_promising for other in self._lines):
                self._say(str(error))
        else:
            self._say("")
            return True
        return False

    def _unopened(self, job: _Job) -> bool:
        """No connection for this letter: another one takes it if there is one, else everything goes back."""
        self._queue.appendleft(job)
        if self._refused or not any(line.is_promising for line in self._lines):
            self._give_back()
            return False
        self._news.set()
        return True

    async def _handed(self, line: Line, envelope: Envelope) -> Answer:
        """Hand over; once more on a new connection if the old one turns out to have ended before."""
        for _ in range(2):
            try:
                return await line.send(envelope)
            except Lost:
                if not await self._opened(line):
                    break
        return LOGIN_REFUSED if self._refused else NOT_CONNECTED

    def _envelope(self, handover: Handover) -> Envelope | Answer:
        """The letter of a handover, or why it does not leave."""
        now, to = self._clock(), handover.to
        if handover.expires <= now:
            return Answer(Outcome.RETRY, "expired")
        if not mail.is_address(to):
            return Answer(Outcome.REFUSED_ADDRESS, "not an address")
        config = self._config
        text = "".join(text for _, _, text in handover.parts)
        if text not in self._letters:
            if len(self._letters) >= FORMS:
                self._letters.clear()
            self._letters[text] = mail.letter(text, config.sender, config.sender_name)
        local, domain = config.bounce
        id_ = self._seal.bounce(handover.id)
        own = f"{self._seal.letter(handover.id, handover.source_suffix, to)}@{config.domain}"
        date = format_datetime(dt.datetime.fromtimestamp(now // 1_000_000, dt.UTC))
        letter = mail.addressed(self._letters[text], to, own, date)
        return Envelope(f"{local}+{id_}@{domain}", to, id_, letter)

    def _judge(self, handover: Handover, answer: Answer) -> None:
        """What an answer says of the account, for health; what was refused, for the log."""
        if answer.outcome is Outcome.ACCEPTED:
            self._wrong = ""
        elif answer.outcome is Outcome.REFUSED_CONFIG and not self._refused:
            said = (
                f"邮件服务器不让本账号这样发信（{answer.code}）；请核对发件地址、账号权限与转发许可。[G043]"
            )
            if said != self._wrong:
                self._wrong = said
                log.error("%s：%s", self.name, said)
        elif answer.outcome in (Outcome.REFUSED_ADDRESS, Outcome.REFUSED_CONTENT):
            log.info("%s：%s 未被接受：%s", self.name, mail.mask(handover.to), answer.code)

    def _refuse(self, error: Refused) -> None:
        """The login is refused: nothing is tried any more."""
        if not self._refused:
            self._refused = str(error)
            log.error("%s：%s", self.name, error)

    def _say(self, trouble: str) -> None:
        """Keep what is wrong with the connection, "" = nothing; log it when it begins."""
        if trouble and trouble != self._trouble:
            log.warning("%s：%s", self.name, trouble)
        self._trouble = trouble

    def _give_back(self) -> None:
        """Everything not yet taken up is answered: later, or never if our account is refused."""
        while self._queue:
            self._queue.popleft().answer(LOGIN_REFUSED if self._refused else NOT_CONNECTED)


def _result(handover: Handover, answer: Answer) -> Result:
    """An answer in the contract's words. The peer's id is the one that its notices will name."""
    id_ = str(handover.id) if answer.outcome is Outcome.ACCEPTED else ""
    return Result(
        handover.id,
        tuple(PartResult(index, answer.outcome, id_, answer.code) for index, _, _ in handover.parts),
    )
