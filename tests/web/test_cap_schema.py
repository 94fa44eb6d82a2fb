"""Schemathesis over ``/cap`` alone: nobody logs in there, so anybody may try anything — no fault, and nobody waits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import Database
from tests.web.process import free_port, serving
from tests.web.site import site
from tests.web.test_cap import told

SECONDS = 15
pytestmark = [pytest.mark.slow, pytest.mark.foreign]


def described(names: list[str]) -> dict[str, object]:
    """The three kinds of addresses below /cap, with what is there and with anything else, and the headers that caches send."""
    anything = {"type": "string", "minLength": 1, "maxLength": 200}
    name = {"anyOf": [{"type": "string", "enum": names}, anything]}
    form = {"anyOf": [{"type": "string", "enum": ["atom", "json", "xml"]}, anything]}
    headers = [
        {"name": key, "in": "header", "schema": {"type": "string", "maxLength": 300}}
        for key in ("If-None-Match", "If-Modified-Since", "Accept", "Range")
    ]
    places = [
        {"name": key, "in": "path", "required": True, "schema": schema}
        for key, schema in (("name", name), ("form", form))
    ]
    query = [{"name": "q", "in": "query", "schema": anything}]
    answers = {"responses": {"default": {"description": "a message, a feed, or nothing"}}}
    verbs = ("get", "head", "post", "put", "delete")
    return {
        "openapi": "3.0.3",
        "info": {"title": "cap", "version": "1"},
        "paths": {
            "/cap/{name}.{form}": {
                v: {"operationId": v, "parameters": [*places, *headers, *query], **answers} for v in verbs
            },
            "/cap/certificates.pem": {"get": {"operationId": "pem", "parameters": headers, **answers}},
        },
    }


@pytest.mark.timeout(300)
def test_the_public_pages_of_messages_bear_anything(
    database: Database, request: pytest.FixtureRequest
) -> None:
    with site(database, series="actual") as made:
        made.issue(series="actual")
        (cap,) = told(made, 1)
    document = database.data / "cap.json"
    names = ["feed", "exercise", "test", cap.identifier, "certificates"]
    document.write_text(json.dumps(described(names)), encoding="utf-8")
    port, seconds = free_port(), SECONDS * request.config.getoption("--fuzz")
    with serving(database, port) as log:
        command = [
            sys.executable, "-m", "schemathesis.cli", "run", str(document), "--url", f"http://127.0.0.1:{port}",
            "--checks", "not_a_server_error,prompt", "--max-time", str(seconds), "--seed",
            str(request.config.getoption("--seed")), "--no-shrink", "--generation-database", "none", "--no-color",
            "--suppress-health-check", "all", "--warnings", "off",
        ]  # fmt: skip
        hooks = {
            "SCHEMATHESIS_HOOKS": "tests.web.schema_checks",
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        began = time.monotonic()
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            env=os.environ | hooks,
            cwd=database.data,
            timeout=240,
        )
        took = time.monotonic() - began
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert took < seconds + 60
    assert "Traceback" not in log.read_text(encoding="utf-8")
