"""A skipped test is a failed gate: what did not run proves nothing."""

from __future__ import annotations

import pytest


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = len(reporter.stats.get("skipped", ())) if reporter else 0
    if skipped and exitstatus == 0:
        reporter.write_line(f"{skipped} skipped: a skip is a failure here", red=True)
        session.exitstatus = 1
