"""Mosquitto for tests: on a free port of loopback, with what it needs in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path


def program() -> str:
    """Where it is; Debian keeps it from users."""
    found = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    assert found, "mosquitto is missing: run make system"
    return found


def free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def broker(folder: Path, *, password: str = "", port: int = 0) -> Iterator[int]:
    """A running broker; its port. password: of the user fengsui, "" = anybody may come."""
    port = port or free()
    lines = [f"listener {port} 127.0.0.1", "persistence false", "log_dest none"]
    if os.geteuid() == 0:
        lines.append("user root")  # it would become somebody who cannot read our folder
    if password:
        file = folder / "passwords"
        subprocess.run([shutil.which("mosquitto_passwd"), "-b", "-c", file, "fengsui", password], check=True)
        file.chmod(0o644)
        lines += ["allow_anonymous false", f"password_file {file}"]
    else:
        lines.append("allow_anonymous true")
    (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
    running = subprocess.Popen([program(), "-c", folder / "mosquitto.conf"])
    try:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                break
            assert running.poll() is None, "mosquitto did not start"
            time.sleep(0.02)
        yield port
    finally:
        running.terminate()
        running.wait(10)
