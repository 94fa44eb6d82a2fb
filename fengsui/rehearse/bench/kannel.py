"""对照 Against Kannel: the same text through Debian's Kannel and through Fengsui, to the same npm centre, alternating.

Not like for like: Kannel takes messages over HTTP from us and keeps receipts in memory only; Fengsui decides who is
told, decrypts addresses and stores every state on disk. Kannel is given many recipients with one request, its fastest
way in. Everything runs in a network namespace of its own, because Kannel listens on all interfaces.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fengsui.rehearse.bench import place
from fengsui.rehearse.bench.dispatch import Centre, centre, measured

HERE = Path(__file__).parent
MODULE = HERE.parents[2] / "tests" / "node_modules" / "smpp"
BOXES = ("/usr/sbin/bearerbox", "/usr/sbin/smsbox")
SENDSMS = 13013
CONNECTIONS = 8
TOGETHER = 25
"""Recipients of one HTTP request."""
RUNS = 3
LONGEST = 300.0
TEXT = (
    "【云州气象】【模拟】云州区气象台发布暴雨红色预警信号，请立即远离河道沟谷和危险房屋，收到请回1。【模拟】"
)


class Missing(ValueError):  # noqa: N818 - the condition is the name
    """对照缺少条件：需要 root（unshare）、node、npm 的 smpp 模块和 Debian 的 kannel 软件包。[B010]"""


def bench(*, recipients: int, responsible: int, module: str = "") -> dict[str, Any]:
    """Fengsui's figures of the median run with Kannel's beside them. Raises Missing."""
    found = Path(module or MODULE).resolve()
    if not (found.exists() and shutil.which("node") and all(map(shutil.which, BOXES))):
        raise Missing(Missing.__doc__)
    inside = (
        sys.executable,
        "-m",
        "fengsui.rehearse.bench.kannel",
        str(recipients),
        str(responsible),
        str(found),
    )
    words = ("unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *inside)
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 - our own program
    if done.returncode:
        raise Missing(Missing.__doc__)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def compare(recipients: int, responsible: int, module: str) -> dict[str, Any]:
    """Alternate: ours, Kannel's, ours … ; medians and their ratio."""
    node = (shutil.which("node") or "node", str(HERE / "centre.js"), module)
    ours, theirs = [], []
    for run in range(RUNS):
        with place.empty(None) as keys, centre(node) as peer:
            ours.append(measured(keys, peer, recipients=recipients, responsible=responsible))
        with centre(node) as peer, boxes(peer.port):
            theirs.append(asyncio.run(_through(peer, recipients)))
        place.progress(f"第 {run + 1} 轮：{ours[-1]['messages_per_s']} / {theirs[-1]['messages_per_s']}")
    mine = sorted(ours, key=lambda f: f["messages_per_s"])[RUNS // 2]
    kannel = round(statistics.median(f["messages_per_s"] for f in theirs))
    return {
        **mine,
        "kannel": {"messages_per_s": kannel, "lost": max(f["lost"] for f in theirs), "characters": len(TEXT)},
        "ratio": round(mine["messages_per_s"] / kannel, 2) if kannel else None,
        "runs": [[a["messages_per_s"], b["messages_per_s"]] for a, b in zip(ours, theirs, strict=True)],
        "centre": "npm smpp",
    }


@contextlib.contextmanager
def boxes(port: int) -> Iterator[None]:
    """Kannel's two processes, ended by their own ids."""
    with tempfile.TemporaryDirectory(prefix="fengsui-kannel-") as folder:
        settings = Path(folder) / "kannel.conf"
        text = (HERE / "kannel.conf").read_text(encoding="utf-8")
        settings.write_text(text.replace("{port}", str(port)), encoding="utf-8")
        running: list[subprocess.Popen[bytes]] = []
        try:
            for box, listens in zip(BOXES, (13001, SENDSMS), strict=True):
                running.append(
                    subprocess.Popen(  # noqa: S603 - Debian's package
                        (box, "-v", "4", str(settings)), cwd=folder,
                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    )
                )  # fmt: skip
                _await(listens)
            time.sleep(3)  # until it has logged in
            yield
        finally:
            for process in reversed(running):
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)
                process.kill()
                process.wait()


def _await(port: int) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


async def _through(peer: Centre, recipients: int) -> dict[str, Any]:
    """Give Kannel everything as fast as it takes it, wait until it has acknowledged every receipt."""
    numbers = [place.number(n) for n in range(recipients)]
    groups = iter([numbers[at : at + TOGETHER] for at in range(0, recipients, TOGETHER)])
    began = time.monotonic()
    await asyncio.gather(*(_client(groups) for _ in range(CONNECTIONS)))
    end = began + LONGEST
    while (stats := peer.stats())["heard"] < recipients and time.monotonic() < end:  # noqa: ASYNC110 - asks another process
        await asyncio.sleep(0.02)
    return {
        "messages_per_s": round(stats["heard"] / (stats["last_heard"] - began)) if stats["heard"] else 0,
        "lost": recipients - stats["unique"],
        "characters": stats["characters"],
    }


async def _client(groups: Iterator[list[str]]) -> None:
    """One kept-alive connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", SENDSMS)
    fixed = {
        "username": "bench",
        "password": "bench",
        "coding": "2",
        "charset": "UTF-8",
        "dlr-mask": "3",
        "text": TEXT,
    }
    for group in groups:
        query = urlencode({**fixed, "to": " ".join(group)})
        writer.write(f"GET /cgi-bin/sendsms?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]))
        if not head.startswith((b"HTTP/1.1 202", b"HTTP/1.1 200")):
            raise ValueError(f"Kannel：{head.splitlines()[0].decode('latin-1')}")
    writer.close()


if __name__ == "__main__":
    figures = compare(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
    sys.stdout.write(json.dumps(figures, ensure_ascii=False) + "\n")
