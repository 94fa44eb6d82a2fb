"""短信中心进程 The rehearsal's message centre as a process of its own, told what to do by lines of JSON.

``python -m fengsui.rehearse.smsc_process --port 0`` prints ``{"port": N}``, answers the line ``stats`` with one line of JSON,
takes ``{"plan": {…}}`` and ``{"reply": [sender, recipient, text]}``, and stops when its input ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading

import msgspec

from fengsui.rehearse.smsc import Centre
from fengsui.rehearse.smsc_plan import Plan


def command(centre: Centre, line: str) -> str:
    """One line of control; the line to print, or "" for none. Raises ValueError for what is not a command."""
    if line.strip() == "stats":
        return json.dumps(centre.stats())
    order = json.loads(line)
    if "plan" in order:
        centre.plan = msgspec.convert({**msgspec.to_builtins(centre.plan), **order["plan"]}, Plan)
    if "reply" in order:
        centre.reply(*order["reply"])
    if order.get("hang_up"):
        centre.hang_up()
    return ""


async def serve(centre: Centre, port: int) -> None:
    """Run until standard input ends."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()

    def obey(line: str) -> None:
        try:
            said = command(centre, line)
        except (ValueError, TypeError) as error:
            said = json.dumps({"error": str(error)})
        if said:
            sys.stdout.write(said + "\n")
            sys.stdout.flush()

    def listen() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(obey, line)
        loop.call_soon_threadsafe(over.set)

    sys.stdout.write(json.dumps({"port": await centre.start(port)}) + "\n")
    sys.stdout.flush()
    threading.Thread(target=listen, daemon=True).start()
    await over.wait()
    await centre.stop()


def main() -> None:
    """The centre as a process of its own."""
    words = argparse.ArgumentParser(
        prog="python -m fengsui.rehearse.smsc_process", description="演练短信中心，只在本机。"
    )
    words.add_argument("--port", type=int, default=0, help="端口，0 为任一空闲端口")
    words.add_argument("--plan", default="{}", help="行为，JSON，字段见 Plan")
    given = words.parse_args()
    asyncio.run(serve(Centre(msgspec.json.decode(given.plan, type=Plan)), given.port))


if __name__ == "__main__":
    main()
