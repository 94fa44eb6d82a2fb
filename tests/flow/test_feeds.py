"""Feeds over real sockets and real folders: unchanged is not fetched, dead delays nobody, nothing is lost or repeated."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import ipaddress
import os
import signal
import ssl
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from fengsui.core.facts import Received
from fengsui.flow import feeds
from fengsui.flow.feeds import Feed, FeedFault, Running, Trouble, probe
from fengsui.formats.cap.parse import MAX_BYTES
from fengsui.store import arrivals
from tests.flow.district import MINUTE, NIGHT
from tests.flow.office import cap

ATOM = b"<feed xmlns='http://www.w3.org/2005/Atom'><title>x</title>%s</feed>"
DE = b"<EDXLDistribution xmlns='urn:oasis:names:tc:emergency:EDXL:DE:1.0'><contentObject>%s</contentObject></EDXLDistribution>"


class Province:
    """A server of a province: what it gives, and what it was asked with."""

    def __init__(self) -> None:
        self.body, self.status, self.etag = b"", 200, '"1"'
        self.headers: dict[str, str] = {}
        self.asked: list[dict[str, str]] = []
        self.given: list[int] = []
        self.drip = 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(dict(self.headers))
                same = outer.status == 200 and outer.etag and self.headers.get("If-None-Match") == outer.etag
                outer.given.append(304 if same else outer.status)
                self.send_response(outer.given[-1])
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                if outer.etag:
                    self.send_header("ETag", outer.etag)
                if same:
                    self.end_headers()
                    return
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    for byte in outer.body if outer.drip else (outer.body,):
                        self.wfile.write(bytes([byte]) if isinstance(byte, int) else byte)
                        time.sleep(outer.drip)

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/cap/atom.xml"


@pytest.fixture
def province() -> Iterator[Province]:
    made = Province()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def told() -> list[str]:
    return []


def running(office, told, **settings) -> Running:
    feed = Feed(**({"name": "province", "timeout": 3, "trusted": True} | settings))
    directory = settings.pop("directory", Path("/nonexistent"))
    return Running(feed, office.reception, directory, office.clock.now, lambda alarm: told.append(alarm.text))


def all_of(office) -> int:
    office.reception.look()
    return len(office.facts(Received))


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda one: one,
        lambda one: ATOM % (b"<entry><content>" + one.partition(b"?>\n")[2] + b"</content></entry>"),
        lambda one: ATOM % (b"<entry><content><![CDATA[" + one + b"]]></content></entry>"),
        lambda one: (
            DE % (b"<nonXMLContent><contentData>" + base64.b64encode(one) + b"</contentData></nonXMLContent>")
        ),
    ],
    ids=["alone", "atom", "cdata", "edxl-de"],
)
def test_what_has_changed_is_brought_once_and_what_has_not_is_not_fetched(office, province, told, wrapped):
    province.body = wrapped(cap())
    feed = running(office, told, url=province.url)
    assert feed.look() == 60
    assert all_of(office) == 1
    feed.look()
    assert province.given == [200, 304]
    assert province.asked[1]["If-None-Match"] == '"1"'
    province.body, province.etag = (
        wrapped(cap(2, event="大风", headline="发布大风橙色预警", severity="Severe")),
        '"2"',
    )
    feed.look()
    assert all_of(office) == 2
    standing = feed.told()
    assert (standing.health.up, standing.well > 0, standing.news > 0) == (True, True, True)
    assert told == []


def test_a_restart_repeats_nothing(office, province, told):
    province.body = cap()
    running(office, told, url=province.url).look()
    assert all_of(office) == 1
    running(office, told, url=province.url).look()
    assert province.given == [200, 200], "marks are not kept over a restart: the bytes are"
    assert all_of(office) == 1


def test_what_could_not_be_kept_is_fetched_again(office, province, told, monkeypatch):
    province.body = cap()
    feed = running(office, told, url=province.url)

    def full(*_args, **_more):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(office.reception, "keep", full)
        assert feed.look() == 60
    assert not feed.told().health.up
    feed.look()
    assert province.given == [200, 200]
    assert all_of(office) == 1


def test_an_empty_feed_is_well_and_a_page_of_something_else_is_not(office, province, told):
    feed = running(office, told, url=province.url)
    province.body = ATOM % b""
    feed.look()
    assert feed.told().health.up
    for body in (b"<html><body>502</body></html>", b"gateway timeout", b""):
        province.body, province.etag = body, ""
        feed.look()
        assert "R097" in feed.told().health.text
    assert all_of(office) == 0


@pytest.mark.parametrize(
    ("set_", "code"),
    [
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/elsewhere"}}, "R096"),
        ({"status": 503}, "R094"),
        ({"headers": {"Content-Encoding": "gzip"}}, "R097"),
        ({"body": b" " * (MAX_BYTES + 1)}, "R098"),
    ],
    ids=["redirected", "503", "compressed", "too long"],
)
def test_what_is_not_taken_says_why(office, province, told, set_, code):
    province.body = cap()
    for name, value in set_.items():
        setattr(province, name, value)
    feed = running(office, told, url=province.url, timeout=20)
    feed.look()
    assert code in feed.told().health.text
    assert len(province.asked) == 1, "nothing else was opened"
    assert all_of(office) == 0


def test_a_feed_that_drips_is_cut_off_in_time(office, province, told):
    province.body, province.drip = cap(), 0.2
    feed = running(office, told, url=province.url, timeout=1)
    began = time.monotonic()
    feed.look()
    assert time.monotonic() - began < 3
    assert "R093" in feed.told().health.text


def test_a_dead_one_is_asked_less_and_less_and_somebody_is_told_once(office, told):
    feed = running(office, told, url="http://127.0.0.1:1/", timeout=1)
    assert [feed.look() for _ in range(6)] == [60, 120, 240, 480, 900, 900]
    assert len(told) == 1
    assert "R104" in told[0]
    assert "R093" in feed.told().health.text


def test_a_silent_one_is_an_alarm(office, province, told):
    province.body = cap()
    feed = running(office, told, url=province.url, silent=1)
    feed.look()
    office.clock.jump(NIGHT + 61 * MINUTE)
    feed.look()
    feed.look()
    assert len(told) == 1
    assert "R105" in told[0]
    assert not feed.told().health.up
    province.body, province.etag = cap(2), '"2"'
    feed.look()
    assert feed.told().health.up


# ── https ────────────────────────────────────────────────────────────────────


def secured(province: Province, folder: Path) -> Path:
    """Let the server speak TLS with a certificate of its own; where that certificate lies."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.fromtimestamp(time.time(), dt.UTC)
    shown = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    public, both = folder / "server.pem", folder / "both.pem"
    public.write_bytes(shown.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    both.write_bytes(private + shown.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    province.server.socket = context.wrap_socket(province.server.socket, server_side=True)
    return public


def test_a_certificate_that_is_not_trusted_is_not_read_from(office, province, told, tmp_path):
    public = secured(province, tmp_path)
    province.body = cap()
    url = province.url.replace("http:", "https:")
    feed = running(office, told, url=url)
    feed.look()
    assert "R095" in feed.told().health.text
    assert province.asked == []
    known = running(office, told, url=url, tls_ca=str(public))
    known.look()
    assert known.told().health.up, known.told().health.text
    assert all_of(office) == 1


# ── folders ──────────────────────────────────────────────────────────────────


def left(folder: Path) -> dict[str, list[str]]:
    return {
        place: sorted(p.name for p in (folder / place).iterdir() if p.is_file())
        for place in (".", "done", "refused")
    }


def test_whole_files_are_taken_and_moved_and_half_ones_wait(office, told, tmp_path):
    place = tmp_path / "incoming"
    feed = Running(
        Feed("folder", folder="incoming"),
        office.reception,
        tmp_path,
        office.clock.now,
        lambda a: told.append(a.text),
    )
    feed.look()
    (place / "a.xml").write_bytes(cap()[:200])
    feed.look()
    (place / "a.xml").write_bytes(cap())
    (place / "b.xml.part").write_bytes(cap(2))
    (place / ".hidden").write_bytes(cap(3))
    (place / "c.xml").symlink_to("/etc/passwd")
    feed.look()
    assert all_of(office) == 0, "it has just changed"
    feed.look()
    assert all_of(office) == 1
    assert left(place) == {".": [".hidden", "b.xml.part", "c.xml"], "done": ["a.xml"], "refused": []}
    (place / "a.xml").write_bytes(cap())
    feed.look()
    feed.look()
    assert len(left(place)["done"]) == 2, "nothing is written over"
    assert all_of(office) == 1
    assert told == []


def test_what_is_no_message_is_moved_apart_and_told(office, told, tmp_path):
    feed = Running(
        Feed("folder", folder="incoming"),
        office.reception,
        tmp_path,
        office.clock.now,
        lambda a: told.append(a.text),
    )
    feed.look()
    place = tmp_path / "incoming"
    (place / "x.doc").write_bytes(b"\xd0\xcf\x11\xe0")
    (place / "y.txt").write_text(
        "山西省气象台2027年7月21日2时10分发布暴雨红色预警信号：预计未来3小时，云州区降雨量将达100毫米以上。"
    )
    feed.look()
    feed.look()
    assert left(place) == {".": [], "done": ["y.txt"], "refused": ["x.doc"]}
    assert "R102" in told[0]
    session = arrivals.desk()
    office.reception.look()
    (one,) = arrivals.listed(session, "", 9)
    session.close()
    assert (one.form, one.state) == ("text", "waiting")


# ── settings ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "file:///etc/passwd"}, {"url": "ftp://x/"}, {"url": "http://a:b@x/"}, {"url": "http:///x"}, {},
        {"url": "http://x/", "folder": "y"}, {"url": "http://x/", "every": 0}, {"url": "https://x/", "tls_ca": "/no/such"},
    ],
)  # fmt: skip
def test_wrong_settings_do_not_start(office, told, wrong):
    with pytest.raises(FeedFault, match=r"R10[01]"):
        running(office, told, **wrong)


def test_a_probe_keeps_nothing(office, province, tmp_path):
    province.body = cap()
    probe(Feed("p", url=province.url), tmp_path)
    assert all_of(office) == 0
    with pytest.raises(Trouble, match="R093"):
        probe(Feed("p", url="http://127.0.0.1:1/", timeout=1), tmp_path)
    (tmp_path / "open").mkdir()
    probe(Feed("f", folder="open"), tmp_path)


# ── crashes ──────────────────────────────────────────────────────────────────

CHILD = """
import os, signal, sys
from pathlib import Path
from fengsui.config import configure
data = Path(sys.argv[1])
configure(data, os.environ.get("FENGSUI_DATABASE", ""))
from fengsui.flow import feeds, reception
from fengsui.flow.clock import Jumping
from fengsui.flow.feeds import Feed, Running
from fengsui.store import arrivals

die = sys.argv[3]
def dead(*_args, **_more):
    os.kill(os.getpid(), signal.SIGKILL)
if die == "before":
    reception.arrivals.keep = dead
if die == "between":
    arrivals.archive.put, put = (lambda *a: (put(*a), dead())), arrivals.archive.put
if die == "after":
    feeds.Asking.keep = dead
way_in = reception.Reception(None, Jumping(int(sys.argv[4])), data)
Running(Feed("province", url=sys.argv[2], trusted=True), way_in, data, lambda: int(sys.argv[4]), print).look()
"""


@pytest.mark.parametrize("die", ["before", "between", "after"])
def test_killed_between_fetching_and_writing_it_loses_nothing_and_repeats_nothing(
    office, database, province, told, die
):
    province.body = cap()
    script = [sys.executable, "-c", textwrap.dedent(CHILD), str(database.data), province.url, die, str(NIGHT)]
    child = subprocess.run(
        script, env=os.environ | {"FENGSUI_DATABASE": database.url}, check=False, timeout=60
    )
    assert child.returncode == -signal.SIGKILL
    feed = running(office, told, url=province.url)
    feed.look()
    assert all_of(office) == 1
    feed.look()
    assert all_of(office) == 1
    session = arrivals.desk()
    assert len(arrivals.listed(session, "", 9)) == 1
    session.close()
    assert feeds.LONGEST
