"""A PostgreSQL server of our own for one test session: loopback, free port, temporary directory, stopped by its pid."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

HOW = "PostgreSQL 没有安装。请执行：sh tests/system.sh（即 apt-get install -y --no-install-recommends postgresql）"


class Server:
    """Started on construction; ``database(name)`` makes a fresh database and returns its URL."""

    def __init__(self) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        assert found, HOW
        self._bin = found[-1].parent
        self._dir = Path(tempfile.mkdtemp(prefix="fengsui-pg-"))
        self._user = "postgres" if os.getuid() == 0 else None
        if self._user:
            shutil.chown(self._dir, self._user)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        data = self._dir / "data"
        self._run(
            "initdb",
            "-D",
            str(data),
            "-A",
            "trust",
            "-U",
            "postgres",
            "--locale=C.UTF-8",
            "-E",
            "UTF8",
            "--no-sync",
        )
        self._settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self._dir,
            "fsync": "off",
            "shared_buffers": "64MB",
        }
        self.start()

    def start(self) -> None:
        """Start it, or again after ``halt``."""
        words = (w for k, v in self._settings.items() for w in ("-c", f"{k}={v}"))
        with (self._dir / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self._dir / "data", *words],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=self._user, cwd=self._dir,
            )  # fmt: skip
        self._wait()

    def halt(self) -> None:
        """End it at once, whoever is connected, as an administrator's restart does."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)

    def _run(self, program: str, *words: str) -> None:
        done = subprocess.run(
            [self._bin / program, *words], check=False, capture_output=True, user=self._user, cwd=self._dir
        )
        assert done.returncode == 0, done.stderr.decode()

    def _wait(self) -> None:
        end = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self._dir / "log").read_text()
                assert time.monotonic() < end, "PostgreSQL did not come up in 30 s"
                time.sleep(0.05)
            else:
                return

    def url(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def database(self, name: str, template: str = "template1") -> str:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop(self, name: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(30)
        shutil.rmtree(self._dir, ignore_errors=True)
