"""What the tests of the mail gateway share: a real Postfix, a server that says what a script says, a gateway.

The domain is example.invalid: nothing here can leave for anywhere.
"""

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from fengsui.gateways.contract import Handover
from fengsui.gateways.email import Email

HOUR = 3_600 * 1_000_000
SECRET = "only for rehearsals, 32 characters"
TEXT = "【云州气象】【模拟】区气象台发布暴雨红色预警。请立即上岗，回复1收到。"
HOW = "Postfix 没有安装。请执行：sh tests/system.sh"

MAIN = """
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
mail_owner = postfix
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
myhostname = mail.example.invalid
mydestination =
local_transport = error:none
default_transport = error:nowhere
alias_maps =
alias_database =
virtual_mailbox_domains = example.invalid
virtual_mailbox_base = {root}/mail
virtual_mailbox_maps = texthash:{root}/boxes
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
recipient_delimiter = +
smtpd_reject_unlisted_recipient = {strict}
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
maillog_file = {root}/log/mail
maillog_file_prefixes = {root}/log
maillog_file_permissions = 0644
"""
MASTER = """
{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postfix:
    """A Postfix of our own: loopback, free port, temporary directory, mailboxes of example.invalid, stopped by its pid.

    strict: unknown users are refused at RCPT; else they are taken and bounced.
    """

    def __init__(self, *, strict=False, boxes=("bounce", "warning", "wang", "li")):
        assert Path("/usr/lib/postfix/sbin/master").exists(), HOW
        user = pwd.getpwnam("nobody")
        self.root = Path(tempfile.mkdtemp(prefix="fengsui-mail-"))
        self.root.chmod(0o755)
        self.port = free_port()
        for name in ("queue", "data", "mail", "log", "etc"):
            (self.root / name).mkdir()
        os.chown(self.root / "mail", user.pw_uid, user.pw_gid)
        shutil.chown(self.root / "data", "postfix")
        shutil.chown(self.root / "log", "postfix")
        lines = [f"{box}@example.invalid {box}/\n" for box in boxes]
        (self.root / "boxes").write_text("".join(lines))
        words = {"root": self.root, "uid": user.pw_uid, "gid": user.pw_gid}
        main = MAIN.format(**words, strict="yes" if strict else "no")
        (self.root / "etc/main.cf").write_text(main)
        (self.root / "etc/master.cf").write_text(MASTER.format(port=f"127.0.0.1:{self.port}"))
        self._run("/usr/sbin/postfix", "check")
        self.start()

    def start(self):
        """Bring it up; also after it was killed, when the usual checks stumble over what was under way."""
        self._run("/usr/lib/postfix/sbin/master", "-w")
        end = time.monotonic() + 15
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert time.monotonic() < end, self.log()
                time.sleep(0.05)
            else:
                return

    def _run(self, program, *words):
        done = subprocess.run(
            [program, "-c", self.root / "etc", *words], check=False, capture_output=True,
            stdin=subprocess.DEVNULL, text=True, env={**os.environ, "MAIL_CONFIG": str(self.root / "etc")},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr + self.log()

    def log(self):
        path = self.root / "log/mail"
        return path.read_text(errors="replace") if path.exists() else "no log"

    def box(self, name):
        return self.root / "mail" / name

    def mails(self, name):
        """Mails of a box that nobody has read, oldest first."""
        new = self.box(name) / "new"
        return sorted(new.iterdir(), key=lambda p: p.stat().st_mtime_ns) if new.exists() else []

    @property
    def pid(self):
        """Its master, which leads a process group of its own."""
        path = self.root / "queue/pid/master.pid"
        pid = int(path.read_text()) if path.exists() else 0
        return pid if pid and Path(f"/proc/{pid}").exists() and os.getpgid(pid) == pid else 0

    def kill(self):
        """End it at once, and the processes that serve its connections."""
        if pid := self.pid:
            os.killpg(pid, signal.SIGKILL)
            end = time.monotonic() + 10
            while self.pid:
                assert time.monotonic() < end, "Postfix did not end"
                time.sleep(0.02)

    def stop(self):
        self.kill()
        shutil.rmtree(self.root, ignore_errors=True)


class Script:
    """A mail server that says what it is told: ``say`` maps a stage to an answer, or to a function of the recipient.

    Stages: greeting, ehlo, auth, mail, rcpt, data, end. An answer "drop" closes the connection, "hang" says nothing.
    """

    def __init__(self, *, offers=("DSN",), **say):
        self.offers, self.say = offers, say
        self.letters, self.commands, self.connections, self.logins = [], [], 0, 0
        self._open = set()

    async def start(self, port=0, tls=None):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, ssl=tls)
        return self._server.sockets[0].getsockname()[1]

    async def stop(self):
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        await self._server.wait_closed()

    def _answer(self, stage, default, to=""):
        said = self.say.get(stage, default)
        return said(to) if callable(said) else said

    async def _serve(self, reader, writer):
        self.connections += 1
        self._open.add(writer)
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _talk(self, reader, writer):
        async def tell(answer):
            if answer == "hang":
                await asyncio.sleep(60)
            if answer == "drop":
                writer.transport.abort()
                raise ConnectionResetError
            writer.write(answer.encode() + b"\r\n")
            await writer.drain()

        await tell(self._answer("greeting", "220 mail.example.invalid"))
        to = sender = ""
        while line := (await reader.readline()).decode().strip():
            self.commands.append(line)
            word = line.split()[0].upper()
            if word == "EHLO":
                lines = ["mail.example.invalid", *self.offers]
                await tell("\r\n".join(f"250{' ' if x is lines[-1] else '-'}{x}" for x in lines))
            elif word == "AUTH":
                self.logins += 1
                await tell(self._answer("auth", "235 2.7.0 ok"))
            elif word == "MAIL":
                sender = line
                await tell(self._answer("mail", "250 2.1.0 ok"))
            elif word == "RCPT":
                to = line[line.index("<") + 1 : line.index(">")]
                await tell(self._answer("rcpt", "250 2.1.5 ok", to))
            elif word == "DATA":
                said = self._answer("data", "354 go on", to)
                await tell(said)
                if said.startswith("354"):
                    letter = await reader.readuntil(b"\r\n.\r\n")
                    self.letters.append((sender, to, letter[:-3]))
                    await tell(self._answer("end", "250 2.0.0 queued", to))
            elif word == "QUIT":
                await tell("221 2.0.0 bye")
                return
            else:
                await tell("250 2.0.0 ok")


def clock():
    return time.time_ns() // 1_000


def handover(to="wang@example.invalid", text=TEXT, *, id=1, suffix="", expires=None):  # noqa: A002
    return Handover(id, to, ((0, 1, text),), 7, expires or clock() + HOUR, "red", suffix)


def settings(port, **more):
    base = {
        "host": "127.0.0.1", "port": str(port), "security": "none", "sender": "warning@example.invalid",
        "sender_name": "云州区气象台", "secret": SECRET,
    }  # fmt: skip
    return base | {name: str(value) for name, value in more.items()}


def gateway(port, **more):
    return Email("email", settings(port, **more), accepts=frozenset({"test"}), clock=clock)


async def until(holds, seconds=15.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.01)


class Inbox:
    """Stores what comes in; fails as often as told, and always for a poisonous one."""

    def __init__(self):
        self.items, self.fail, self.poison = [], 0, None

    async def __call__(self, items):
        if self.fail:
            self.fail -= 1
            raise RuntimeError("disk full")
        if self.poison is not None and any(self.poison(item) for item in items):
            raise RuntimeError("cannot be stored")
        self.items += items


@contextlib.asynccontextmanager
async def running(gate):
    """The gateway started, its inbox filling; stopped in the end."""
    inbox = Inbox()
    await gate.start()
    hearing = asyncio.create_task(gate.run(inbox))
    try:
        async with asyncio.timeout(60):
            yield inbox
    finally:
        await gate.stop()
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)


@contextlib.asynccontextmanager
async def scripted(*, offers=("DSN",), settings=None, **say):
    """A scripted server and a gateway that writes to it: (server, gateway, inbox)."""
    server = Script(offers=offers, **say)
    gate = gateway(await server.start(), **{"connections": 1, "timeout": 2} | (settings or {}))
    try:
        async with running(gate) as inbox:
            yield server, gate, inbox
    finally:
        await server.stop()


def said(results):
    return [(part.outcome, part.code) for result in results for part in result.parts]


def drop(folder, name, text):
    """Put a mail into a Maildir, as mail systems do."""
    for part in ("new", "cur", "tmp"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    data = text if isinstance(text, bytes) else text.encode()
    (folder / "tmp" / name).write_bytes(data)
    (folder / "tmp" / name).rename(folder / "new" / name)
