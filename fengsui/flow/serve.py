"""运行 Serve: everything that runs in one process — the writer, a lane for each gateway, the ways back, the web.

Ready only when the state is loaded. Whoever composes hands in gateways, clock and web application; nothing here knows
which they are.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from importlib import import_module
from typing import Any, TypeVar

import uvicorn

from fengsui.core.clauses import Pack
from fengsui.core.facts import PackInForce
from fengsui.core.series import Series
from fengsui.core.state import DISTRICT
from fengsui.flow import inputs, restore
from fengsui.flow.clock import Alarm, Time
from fengsui.flow.departures import Departures
from fengsui.flow.failover import Failover
from fengsui.flow.feeds import Feed, Running, Standing
from fengsui.flow.holds import Holds
from fengsui.flow.inputs import Change
from fengsui.flow.jobs import Jobs
from fengsui.flow.listen import Listener
from fengsui.flow.publish import Publisher
from fengsui.flow.receive import Mailroom
from fengsui.flow.reception import Reception
from fengsui.flow.record import Writer
from fengsui.flow.send import Lane
from fengsui.flow.simulations import Simulations
from fengsui.gateways.contract import Gateway, Health, Inbound
from fengsui.store import lanes
from fengsui.store.vault import Vault

log = logging.getLogger(__name__)

T = TypeVar("T")
GRACE = 2.0
"""Seconds that results of batches just answered get to be written at the end."""
PATIENCE = 1.5
"""Seconds that gateways get to say how they are."""
WATCH = 0.5
"""Seconds between looks at whether the writer lives."""
Application = Callable[..., Any]
Wall = Callable[[], int]
Told = Callable[[], None]


class House:
    """One process's worth of Fengsui: ``start`` it, post to its ``writer``, ``stop`` it."""

    def __init__(
        self,
        pack: Pack,
        clock: Time,
        vault: Vault,
        gateways: Sequence[Gateway] = (),
        *,
        address: str = "",
        feeds: Sequence[Feed] = (),
    ) -> None:
        """address: the public web address that texts link to, "" = texts carry no link. feeds: where warnings of others
        come from; raises FeedFault for one that is set up wrongly.

        ``over`` is set when a part of the house has ended by itself: the process must not go on pretending.
        """
        known = [lanes.Lane(g.name, g.channel, g.accepts) for g in gateways]
        self.pack, self.clock, self.vault = pack, clock, vault
        self.gateways = tuple(gateways)
        self.writer = Writer(pack, clock, vault, lanes=known, address=address)
        self.lanes = [Lane(g, self.writer, vault, clock) for g in gateways]
        self._holds = Holds(self.lanes)
        self._failover = Failover(self.lanes, self.writer)
        self.mailroom = Mailroom(self.writer)
        self.publisher = Publisher(self.writer, vault.directory, clock.now)
        self.reception = Reception(self.writer, clock, vault.directory)
        self.feeds = [Running(f, self.reception, vault.directory, clock.now, self._alarm) for f in feeds]
        self.jobs = Jobs()
        self.simulations = Simulations(vault.directory, pack, clock.now)
        self._departures = Departures(self.writer, clock)
        self._listener = Listener(self.writer.due)
        self._open = False
        self.over = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Load the state, connect the gateways, begin to send and to listen. Raises what makes that impossible."""
        loop = self._loop = asyncio.get_running_loop()
        restore.whole(self.vault.directory)
        await asyncio.to_thread(self.writer.start)
        await asyncio.to_thread(self.simulations.recover)
        await self._holds.look()  # before any lane takes anything

        def woken(change: Change) -> None:
            if change.deliveries:
                loop.call_soon_threadsafe(self._woken)
            self.publisher.woken(change, loop)

        self.writer.wake.append(woken)
        self.writer.alarm.append(_alarmed)
        self._listener.start()
        for gateway in self.gateways:
            await gateway.start()
        work = [lane.run() for lane in self.lanes] + [self.mailroom.run(), self._watch(), self._holds.run()]
        work += [self._failover.run(), self.publisher.run(), self._departures.run(), self.reception.run()]
        work += [feed.run() for feed in self.feeds]
        work += [self.mailroom.listen(g, g.name) for g in self.gateways if isinstance(g, Inbound)]
        self._tasks = [asyncio.create_task(w) for w in work]
        for task in self._tasks:
            task.add_done_callback(self._ended)
        self._open = True

    @property
    def ready(self) -> bool:
        """Whether it may be relied on: everything is loaded, nothing has ended, and what is posted is written."""
        return self._open and not self.writer.late

    async def stop(self) -> None:
        """Stop sending, let gateways finish what is under way, write what is waiting, end."""
        self._open = False
        for feed in self.feeds:
            feed.stop()
        for lane in self.lanes:
            lane.held = True
        for gateway in self.gateways:
            await gateway.stop()
        await asyncio.gather(*(lane.finish(GRACE) for lane in self.lanes))
        for task in self._tasks:
            task.remove_done_callback(self._ended)
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._departures.stop)
        await self.publisher.look()
        await asyncio.to_thread(self.jobs.stop)
        await asyncio.to_thread(self.simulations.close)
        await asyncio.to_thread(self._listener.stop)
        await asyncio.to_thread(self.writer.stop)

    def told(self) -> list[Standing]:
        """How each feed fares."""
        return [feed.told() for feed in self.feeds]

    def _alarm(self, alarm: Alarm) -> None:
        for call in self.writer.alarm:
            call(alarm)

    def health(self) -> dict[str, Health]:
        """What each gateway says of itself and its lane knows of it, asked from any thread but the loop's; who says
        nothing in time is down.
        """
        if self._loop is None or not self._loop.is_running():
            return {g.name: SILENT for g in self.gateways}
        return asyncio.run_coroutine_threadsafe(self._asked(), self._loop).result()

    async def _asked(self) -> dict[str, Health]:
        asked = {g.name: asyncio.create_task(g.check()) for g in self.gateways}
        if asked:
            await asyncio.wait(asked.values(), timeout=PATIENCE)
        for task in asked.values():
            task.cancel()
        return {lane.name: lane.health(_said(asked[lane.name])) for lane in self.lanes}

    async def install(self, series: Series = "actual") -> None:
        """Record that this pack is in force, once for each version of it."""
        pack = self.pack
        fact = PackInForce(DISTRICT, self.clock.now(), pack.id, pack.version, pack.digest, series)
        await self.writer.post(inputs.Input(f"pack/{pack.id}/{pack.digest}", fact))

    def _woken(self) -> None:
        for lane in self.lanes:
            lane.wake()

    async def _watch(self) -> None:
        """Pass on what the clock has to say; ends with what ended the writer."""
        told: Alarm | None = None
        while self.writer.failure is None:  # a thread that dies signals nobody
            if (alarm := self.clock.alarm) != told and alarm is not None:
                for call in self.writer.alarm:
                    call(alarm)
            told = alarm
            await asyncio.sleep(WATCH)
        raise self.writer.failure

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A part of the house that ends by itself is a fault: say so loudly, be not ready, let the process end."""
        if not task.cancelled() and (error := task.exception()):
            log.critical("%s 意外停止：%r [R040]", task.get_name(), error)
        self._open = False
        self.over.set()


SILENT = Health(
    up=False, text="网关没有应答，消息留在队列中，恢复后继续发出。请查看日志。[R043]", code="R043"
)
"""What is said of a gateway that says nothing."""


def _said(task: asyncio.Task[Health]) -> Health:
    done = task.done() and not task.cancelled() and task.exception() is None
    return task.result() if done else SILENT


def _alarmed(alarm: Alarm) -> None:
    log.error("%s", alarm.text)


class _Server(uvicorn.Server):
    """uvicorn without its own signals: it would raise them again before the house is stopped.

    opened: called when the port is open; closing: called before open connections are waited for.
    """

    def __init__(self, config: uvicorn.Config, opened: Told, closing: Told) -> None:
        super().__init__(config)
        self.opened, self.closing = opened, closing

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the port, and say so."""
        await super().startup(sockets)
        if self.started:
            self.opened()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say so, and let open connections end."""
        self.closing()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals ask it to stop, nothing more."""
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(sign, self.handle_exit, sign, None)
        yield
        for sign in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(sign)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a process's main coroutine, on uvloop where there is one."""
    gc.set_threshold(
        20_000, 20, 50
    )  # thousands of short-lived rows a second, no cycles among them: 8 % faster
    factory = None if sys.platform == "win32" else import_module("uvloop").new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


async def serve(
    application: Application,
    over: asyncio.Event,
    *,
    host: str,
    port: int,
    proxy: str = "127.0.0.1",
    opened: Told = lambda: None,
    closing: Told = lambda: None,
) -> None:
    """Answer requests until SIGINT or SIGTERM says stop, or the house is over; connections under way are finished
    (at most 5 s). proxy: addresses whose X-Forwarded-For and -Proto are believed, nobody else's are. opened: called
    when the port is open; closing: when it is to close, so that streams end by themselves. Raises OSError if the port
    cannot be opened or a part of the house ended by itself.
    """
    config = uvicorn.Config(
        application, host=host, port=port, log_level="warning", access_log=False, timeout_graceful_shutdown=5,
        forwarded_allow_ips=proxy,
    )  # fmt: skip
    server = _Server(config, opened, closing)

    async def end() -> None:
        await over.wait()
        server.should_exit = True

    ending = asyncio.create_task(end())
    try:
        await server.serve()
    finally:
        ending.cancel()
    if over.is_set():
        raise OSError("系统的一部分意外停止，进程随之结束，由服务管理器重启；原因见日志。[R042]")
    if server.started is False:
        raise OSError(f"端口 {port} 无法打开，可能已被占用。请在 fengsui.toml 另设 port。[R041]")
