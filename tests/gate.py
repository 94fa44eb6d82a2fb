"""关口 The gate: runs what must hold before a change may go on — ``quick`` (< 15 s), ``check`` (< 10 min), ``all``.

Stops at the first failure and says which. A skipped test counts as a failure: see ``tests/strict.py``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

PYTEST = ("-m", "pytest", "-p", "tests.strict")
QUICK: tuple[tuple[str, ...], ...] = (
    ("-m", "ruff", "check", "."),
    ("-m", "mypy", "fengsui/core"),
    (
        *PYTEST,
        "-n",
        "2",
        "tests/core",
        "tests/scenarios",
        "--ignore=tests/core/test_walk.py",
        "-m",
        "not slow and not shared",
    ),
)
CHECK = (
    ("-m", "ruff", "check", "."),
    ("-m", "ruff", "format", "--check", "."),
    ("-m", "mypy"),
    ("-c", "import sys; from importlinter.cli import lint_imports_command as c; sys.argv[1:] = []; c()"),
    ("-m", "deptry", "fengsui"),
    ("-m", "django", "makemigrations", "--check", "--dry-run", "--verbosity", "0"),
    (*PYTEST, "-m", "not slow and not storm"),
)
ALL = (*CHECK[:-1], PYTEST)
ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "1", "DJANGO_SETTINGS_MODULE": "fengsui.config.settings"}
PLANS = {"quick": QUICK, "check": CHECK, "all": ALL}


def main(plan: str) -> int:
    """Run a plan; the exit code of the first step that fails, else 0."""
    began = time.monotonic()
    for step in PLANS[plan]:
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as place:  # Django looks for a database even to compare tables
            done = subprocess.run(
                (sys.executable, *step), check=False, env=os.environ | ENVIRONMENT | {"FENGSUI_DATA": place}
            )
        sys.stderr.write(f"gate: {' '.join(step)[:80]} — {time.monotonic() - started:.1f} s\n")
        if done.returncode:
            return done.returncode
    sys.stderr.write(f"gate: {plan} holds, {time.monotonic() - began:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
