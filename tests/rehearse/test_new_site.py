"""A site from nothing, as its administrator makes it: init, a table of people, a gateway, a test message that arrives."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.rehearse.test_visit import browser  # noqa: F401 - a fixture

FENGSUI = (sys.executable, "-m", "fengsui")
PASSWORD = "一句足够长的话语口令"
TABLE = (
    "编号,单位,姓名,手机,电话,邮箱,传真,岗位,B角\n"
    ",区气象局,赵甲子,10000000101,,,,值班员,\n"
    ",聚乐乡人民政府,孙丙寅,10000000103,,,,值班员,\n"
)
SOON = 4.5
"""Seconds: less than uvicorn waits for connections that do not end by themselves."""
pytestmark = pytest.mark.foreign


class Site:
    """The data directory of a site that is being made, and its process."""

    def __init__(self, data: Path) -> None:
        self.data = data
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("FENGSUI_")}
        self.environment["FENGSUI_DATA"] = str(data)

    def run(self, *words: str) -> str:
        """What a command says, well or ill."""
        done = subprocess.run(
            [*FENGSUI, *words], env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def settle(self) -> None:
        """The one change that the file needs here."""
        file = self.data / "fengsui.toml"
        file.write_text(file.read_text().replace("port = 8080", f"port = {self.port}"), encoding="utf-8")

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """``fengsui serve`` until the block ends; it must end well, and soon, whatever pages are open."""
        process = subprocess.Popen(
            [*FENGSUI, "serve"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            self._open(process)
            yield
        finally:
            process.send_signal(signal.SIGINT)
            begun = time.monotonic()
            said, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (0, "")
        assert f"烽燧已启动：{self.address}" in said
        assert time.monotonic() - begun < SOON

    def _open(self, process: subprocess.Popen[str]) -> None:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            assert process.poll() is None, process.communicate()[1]
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        raise TimeoutError


@pytest.fixture
def centre() -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """The rehearsal's message centre as a process of its own; its port."""
    words = [sys.executable, "-m", "fengsui.rehearse.smsc_process", "--port", "0"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdin
    yield json.loads(process.stdout.readline())["port"], process
    process.communicate(timeout=10)


def logged_in(page: Page, address: str, password: str) -> None:
    page.goto(f"{address}/login")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_load_state()


def test_from_an_empty_directory_to_a_message_on_a_phone(
    tmp_path: Path,
    browser: Browser,  # noqa: F811
    centre: tuple[int, subprocess.Popen[str]],
) -> None:
    port, process = centre
    site = Site(tmp_path / "data")
    once = re.search(r"一次性口令：(\S+)", site.run("init"))
    assert once
    site.settle()
    said = site.run("check")
    assert "没有配置网关" in said
    assert "无人可通知" in said

    context = browser.new_context(locale="zh-CN")
    context.set_default_timeout(15_000)
    page = context.new_page()
    with site.serving():
        _first_login(page, site, once[1])
        _people(page, site)
        _gateway(page, site, port)
    assert "短信中心" in site.run("check") or "[C034]" in site.run("check")
    with site.serving():
        logged_in(page, site.address, PASSWORD)
        overlay = context.new_page()
        overlay.goto(f"{site.address}/tv/overlay")
        _test_message(page, site)
        assert process.stdin
        assert process.stdout
        process.stdin.write("stats\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["messages"] == 1
    assert "台账完整" in site.run("verify")
    context.close()


def _first_login(page: Page, site: Site, once: str) -> None:
    logged_in(page, site.address, once)
    expect(page.locator("main")).to_contain_text("首次登录，请先更改口令")
    page.fill("[name=old]", once)
    page.fill("[name=new]", PASSWORD)
    page.fill("[name=again]", PASSWORD)
    page.click("button:text('更改')")
    expect(page.locator("main")).to_contain_text("口令已更改")


def _people(page: Page, site: Site) -> None:
    """One row is wrong: nothing is written; then all are right."""
    page.goto(f"{site.address}/people/import")
    wrong = TABLE.replace("10000000103", "1000")
    for text, words in ((wrong, "没有写入任何内容"), (TABLE, "2 人新增")):
        page.set_input_files(
            "input[type=file]", {"name": "p.csv", "mimeType": "text/csv", "buffer": text.encode()}
        )
        page.click("button:text('预览')")
        expect(page.locator("main")).to_contain_text(words)
    page.click("button[value=confirm]")
    expect(page.locator("main")).to_contain_text("孙丙寅")


def _gateway(page: Page, site: Site, port: int) -> None:
    page.goto(f"{site.address}/gateways")
    page.click("text=新增短信（SMPP）")
    page.fill("[name=name]", "sms_mobile")
    given = {
        "host": "127.0.0.1",
        "port": str(port),
        "system_id": "fengsui",
        "password": "rehearse",
        "source": "1069000",
    }
    for name, value in given.items():
        page.fill(f"[name=set-{name}]", value)
    page.click("button:text('保存')")
    expect(page.locator("main")).to_contain_text("已保存。重启服务后生效。")


def _test_message(page: Page, site: Site) -> None:
    page.goto(f"{site.address}/gateways/sms_mobile")
    expect(page.locator(".head .mark.ok")).to_contain_text("正常")
    page.click("main a:text('责任人')")
    page.click("text=孙丙寅")
    page.click("text=试通")
    page.click("button:text('发送试通消息')")
    expect(page.locator("#trials")).to_contain_text("已送达")
    page.goto(f"{site.address}/gateways/sms_mobile")
    expect(page.locator("main")).to_contain_text("100****03")
