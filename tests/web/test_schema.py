"""Schemathesis over every address of a served process, as several roles: no page breaks, nothing is left half done.

The document it works from is made of the addresses and of the forms that are really served (``tests.web.described``).
``--fuzz N`` gives it N times as long, ``--seed N`` another way through.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fengsui.rehearse.visit import POSTS
from fengsui.store import pins, tokens
from fengsui.web import guard
from tests.conftest import Database
from tests.web import described
from tests.web.described import Visitor
from tests.web.process import entered, fengsui, free_port, serving
from tests.web.site import FENGYU, INCIDENT, night, site

PASSWORD, PIN = "yige henchang de kouling", "4071"
ROUNDS = {
    ("forecaster", "township"): 12,
    ("signer", "media"): 8,
    ("clerk", "leader"): 6,
    ("administrator",): 10,
    ("",): 6,
}
"""Who is at it at once and for how many seconds; who can close accounts, and the public, who lock them, come last."""
FIRST = ("/desk", "/own", "/media", "/people", "/supervision")
GATEWAY = """
[[gateway]]
name = "sms_1"
kind = "sms_smpp"
accepts = ["test"]
[gateway.settings]
host = "127.0.0.1"
port = "9"
system_id = "none"
password = "none"
source = "1069"
"""
"""The gateway of the night, whose centre is gone."""
pytestmark = [pytest.mark.slow, pytest.mark.foreign]


@pytest.mark.timeout(900)
def test_nothing_that_can_be_sent_breaks_a_page_or_the_ledger(
    database: Database, request: pytest.FixtureRequest
) -> None:
    with site(database) as made:
        night(made)
        for role in POSTS:
            guard.set_password(made.account(role), PASSWORD)
        holder = made.holder(f"{FENGYU}/leader/1")
        pins.put(holder, PIN)
        token = database.vault.token(f"{holder}\n{INCIDENT}", tokens.LENGTH)
    times, seed = request.config.getoption("--fuzz"), request.config.getoption("--seed")
    wrong, port = [], free_port()
    with serving(database, port, more=GATEWAY) as log:
        for roles, seconds in ROUNDS.items():
            with ThreadPoolExecutor(len(roles)) as several:
                how = (seconds * times, seed)
                wrong += several.map(lambda role: _fuzzed(database, port, role, token, how), roles)  # noqa: B023
    said = log.read_text(encoding="utf-8")
    if "Traceback" in said:
        wrong.append(said[max(0, said.index("Traceback") - 500) :][:5000])
    for command in ("verify", "rebuild"):
        done = fengsui(database, command)
        if done.returncode or (command == "rebuild" and "不同 0 行" not in done.stdout):
            wrong.append(f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}")

    assert not any(wrong), "\n".join(filter(None, wrong))


def _fuzzed(database: Database, port: int, role: str, token: str, how: tuple[int, int]) -> str:
    """What schemathesis found, "" if nothing. how: seconds, seed."""
    headers = entered(port, role, PASSWORD) if role else {}
    pages = described.visited(
        Visitor(f"127.0.0.1:{port}", headers), FIRST if role else ("/login", f"/a/{token}")
    )
    document = database.data / f"{role or 'public'}.json"
    seeds = {"password": PASSWORD, "pin": PIN}
    document.write_text(json.dumps(described.document(pages, role, seeds)), encoding="utf-8")
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", str(document), "--url", f"http://127.0.0.1:{port}",
        "--checks", "not_a_server_error,prompt,clear", "--max-time", str(how[0]),
        "--seed", str(how[1]), "--no-shrink", "--generation-database", "none", "--no-color",
        "--suppress-health-check", "all", "--warnings", "off", "--output-sanitize", "false",
        *(word for name, value in headers.items() for word in ("-H", f"{name}:{value}")),
    ]  # fmt: skip
    hooks = {"SCHEMATHESIS_HOOKS": "tests.web.schema_checks", "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | hooks,
        cwd=database.data,
        timeout=900,
    )
    if not done.returncode:
        return ""
    return f"{role or 'public'}:\n{done.stdout.partition('= FAILURES =')[2] or done.stdout + done.stderr}"
