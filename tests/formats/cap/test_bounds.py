"""Nothing is opened and nothing runs away: entities, DTDs, includes, schema hints, depth, size, very many faults."""

import ctypes
import gc
import os
import socket
import struct
import time

import pytest

from fengsui.formats import packs
from fengsui.formats.cap import parse
from fengsui.formats.cap.incoming import incoming
from fengsui.formats.cap.verdict import verdict
from tests.formats.cap.forge import BUREAU, CAP, MESSAGE, PINNED, key, message, sign

PACK = packs.load("yunzhou")
BODY = MESSAGE.partition("?>\n")[2]
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
LAUGHS = '<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {y} "{f"&{x};" * 10}">' for x, y in zip("abcdefghi", "bcdefghij", strict=True)
)
OPENED = 0x20


class Watch:
    """Whether anybody opens a file, as the kernel sees it; and whether anybody connects to a port."""

    def __init__(self, file, listener):
        self.file, self.listener = file, listener
        libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor = libc.inotify_init1(os.O_NONBLOCK)
        assert libc.inotify_add_watch(self.descriptor, os.fsencode(file), OPENED) >= 0

    @property
    def port(self):
        return self.listener.getsockname()[1]

    def opened(self) -> int:
        try:
            return len(os.read(self.descriptor, 4096)) // struct.calcsize("iIII")
        except BlockingIOError:
            return 0

    def connected(self) -> bool:
        try:
            self.listener.accept()[0].close()
        except TimeoutError:
            return False
        return True


@pytest.fixture
def watch(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("a secret")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        watching = Watch(secret, listener)
        yield watching
        os.close(watching.descriptor)


def test_the_watch_sees_what_it_is_for(watch):
    """Were this not so, the tests below would prove nothing."""
    watch.file.read_text()
    socket.create_connection(("127.0.0.1", watch.port)).close()

    assert (watch.opened(), watch.connected()) == (1, True)
    assert (watch.opened(), watch.connected()) == (0, False)


PRYING = {
    "general entity": '{d}<!DOCTYPE alert [<!ENTITY x SYSTEM "{url}">]>' + BODY.replace("聚乐乡", "&x;"),
    "parameter entity": '{d}<!DOCTYPE alert [<!ENTITY % x SYSTEM "{url}"> %x;]>' + BODY,
    "external subset": '{d}<!DOCTYPE alert SYSTEM "{url}">' + BODY,
    "public subset": '{d}<!DOCTYPE alert PUBLIC "-//A//B" "{url}">' + BODY,
    "entity in an attribute": '{d}<!DOCTYPE alert [<!ENTITY x SYSTEM "{url}">]>' + BODY.replace("<info>", '<info lang="&x;">'),
    "unparsed entity": '{d}<!DOCTYPE alert [<!NOTATION n SYSTEM "{url}"><!ENTITY x SYSTEM "{url}" NDATA n>]>' + BODY,
    "a subset after comments": '{d}<!-- a --><?a b > c?><!-- <alert> --> <!DOCTYPE alert SYSTEM "{url}">' + BODY,
    "an instruction that looks like a root": '<?a > <alert ?><!DOCTYPE alert SYSTEM "{url}">' + BODY,
    "include": "{d}" + BODY.replace("<info>", '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{url}"/><info>'),
    "schema hint": "{d}" + BODY.replace("<alert ", '<alert xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="' + CAP + ' {url} urn:a {url}" '),
    "schema hint without a namespace": "{d}" + BODY.replace("<alert ", '<alert xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="{url}" '),
    "stylesheet": '{d}<?xml-stylesheet type="text/xsl" href="{url}"?>' + BODY,
    "base": "{d}" + BODY.replace("<alert ", '<alert xml:base="{url}" '),
    "resource": "{d}" + BODY.replace("<area>", "<resource><resourceDesc/><mimeType>text/plain</mimeType><uri>{url}</uri></resource><area>"),
}  # fmt: skip


@pytest.mark.parametrize("name", PRYING)
@pytest.mark.parametrize("scheme", ["http", "file"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_nothing_is_opened(watch, name, scheme, encoding):
    url = f"http://127.0.0.1:{watch.port}/a" if scheme == "http" else watch.file.as_uri()
    text = PRYING[name].replace("{url}", url)
    content = text.replace("{d}", DECLARATION.replace("UTF-8", encoding)).encode(encoding)
    said = verdict(content, PINNED)
    (read,) = incoming(content, PACK, today="2026-07-17")

    assert (watch.opened(), watch.connected()) == (0, False)
    assert "a secret" not in repr((said, read))
    assert ("X104" in [f.code for f in said.findings]) == ("DOCTYPE" in text)


def test_nothing_is_opened_for_a_signature(watch):
    signed = sign(message(), key(), BUREAU)
    for url in (f"http://127.0.0.1:{watch.port}/a", watch.file.as_uri()):
        for bent in (
            signed.replace(b'URI=""', f'URI="{url}"'.encode()),
            signed.replace(b"</ds:X509Data>", f'</ds:X509Data><ds:RetrievalMethod URI="{url}"/>'.encode()),
            signed.replace(b"xml-exc-c14n#", url.encode()),
        ):
            verdict(bent, PINNED)

    assert (watch.opened(), watch.connected()) == (0, False)


@pytest.mark.parametrize(
    "prologue",
    [
        f"{DECLARATION}<!DOCTYPE alert [{LAUGHS}]>",
        f'{DECLARATION}<!DOCTYPE alert [<!ENTITY j "{"x" * 100_000}">]>',
        f'{DECLARATION}<!DOCTYPE alert [{LAUGHS}<!ATTLIST alert a CDATA "&j;">]>',
        f'{DECLARATION}<!DOCTYPE alert [<!ENTITY j "&i;"><!ENTITY i "&j;">]>',
        f'{DECLARATION}<!DOCTYPE alert [<!ENTITY % p "{"&#37;q;" * 5000}">]>',
        "<!DOCTYPE alert>",
    ],
    ids=["laughs", "quadratic", "attribute", "circle", "parameters", "harmless"],
)
def test_a_document_type_is_refused_whatever_is_in_it(prologue):
    content = (prologue + BODY.replace("聚乐乡", "&j;" * 1000)).encode()
    began = time.process_time()
    said = verdict(content)
    (read,) = incoming(content, PACK, today="2026-07-17")

    assert [(f.layer, f.code) for f in said.findings] == [("xml", "X104")]
    assert time.process_time() - began < 0.5
    assert len(repr((read.alert, read.reasons))) < 20_000
    assert read.sense.level == "red"  # shown to a person all the same, without its entities


@pytest.mark.parametrize("encoding", ["utf-7", "utf-32", "cp037", "punycode", "x-unknown"])
def test_an_encoding_that_could_hide_markup_is_refused(encoding):
    """``+ADwAIQ-DOCTYPE`` is a document type in UTF-7 and nothing at all to whoever looks for its bytes."""
    text = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE alert [{LAUGHS}]>' + BODY
    try:
        content = text.encode(encoding, "replace")
    except LookupError:
        content = text.encode()
    said = verdict(content)

    assert not said.valid
    assert said.findings[0].layer == "xml"


def test_a_document_type_hidden_in_utf_7():
    text = '<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE alert+AD4APA-alert/+AD4-'

    assert [f.code for f in verdict(text.encode()).findings] == ["X103"]


HEAD = f'{DECLARATION}<alert xmlns="{CAP}">'
FULL = HEAD + (
    "<identifier>a</identifier><sender>b</sender><sent>2026-01-01T00:00:00+08:00</sent>"
    "<status>Actual</status><msgType>Alert</msgType><scope>Public</scope>"
)
INFO = "<info><category>Met</category><event>x</event><urgency>Past</urgency><severity>Minor</severity><certainty>Likely</certainty>"
END = "</info></alert>"
MUCH = 2 * 1024 * 1024 - 2000
HUGE = {
    "unknown elements": HEAD + "<a/>" * (MUCH // 4) + "</alert>",
    "codes": FULL + "<code/>" * (MUCH // 7) + "</alert>",
    "areas": FULL + INFO + "<area><areaDesc/></area>" * (MUCH // 24) + END,
    "areas with a fault each": FULL + INFO + "<area><areaDesc/><x/></area>" * (MUCH // 28) + END,
    "categories with a fault each": FULL + "<info>" + "<category>x</category>" * (MUCH // 22) + END,
    "geocodes": FULL + INFO + "<area><areaDesc/>" + "<geocode><valueName/><value/></geocode>" * (MUCH // 39) + "</area>" + END,
    "polygons without points": FULL + INFO + "<area><areaDesc/>" + "<polygon/>" * (MUCH // 10) + "</area>" + END,
    "circles that are none": FULL + INFO + "<area><areaDesc/>" + "<circle>x</circle>" * (MUCH // 18) + "</area>" + END,
    "a ring written oddly": FULL + INFO + "<area><areaDesc/><polygon>" + ".1,.2 " * (MUCH // 6) + "</polygon></area>" + END,
    "attributes": HEAD[:-1] + "".join(f' a{n}=""' for n in range(MUCH // 11)) + "></alert>",
    "namespaces": HEAD[:-1] + "".join(f' xmlns:a{n}="u"' for n in range(MUCH // 18)) + "></alert>",
    "depth": HEAD + "<a>" * (MUCH // 3),
    "depth that is closed": HEAD + "<a>" * 2000 + "</a>" * 2000 + "</alert>",
    "one word": HEAD + "<identifier>" + "a" * MUCH + "</identifier></alert>",
    "a language of many parts": FULL + "<info><language>" + "a-" * (MUCH // 2) + "</language>" + END,
    "a time of many digits": HEAD + "<identifier>a</identifier><sender>b</sender><sent>" + "1" * MUCH + "</sent></alert>",
    "comments": "<!---->" * (MUCH // 7) + HEAD + "</alert>",
    "open comments": "<!--" * (MUCH // 4),
    "instructions": "<?x?>" * (MUCH // 5) + HEAD + "</alert>",
    "character references": FULL + "<note>" + "&#65;" * (MUCH // 5) + "</note></alert>",
    "blocks": FULL + (INFO + "</info>") * (MUCH // len(INFO + "</info>")) + "</alert>",
    "references": FULL + "<references>" + "a,b,2026-01-01T00:00:00+08:00 " * (MUCH // 30) + "</references></alert>",
    "digits": FULL + INFO + "<resource><resourceDesc/><mimeType/><size>" + "9" * MUCH + "</size></resource>" + END,
    "blanks": " " * MUCH + HEAD,
    "brackets": "<" * MUCH,
    "alerts that do not end": "<alert " * (MUCH // 7),
    "alerts in a feed": "<feed>" + "<alert/>" * (MUCH // 8) + "</feed>",
    "strings in json": "[" + '"<alert>",' * (MUCH // 10) + '""]',
    "braces": "[" * MUCH,
    "too large": FULL + "<note>" + "a" * parse.MAX_BYTES,
    "too many": FULL + "<a/>" * (parse.MAX_BYTES // 4 - 100),
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def alone():
    """What thousands of other tests left on the heap is not searched for rubbish while these are timed."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.parametrize("name", HUGE)
def test_no_document_takes_a_second(name):
    content = HUGE[name].encode()
    began = time.process_time()
    said = verdict(content)
    took = time.process_time() - began

    assert took < 1
    assert len(repr(said.findings)) < 50_000


@pytest.mark.parametrize("name", HUGE)
def test_no_document_takes_two_seconds_to_salvage(name):
    content = HUGE[name].encode()
    began = time.process_time()
    found = incoming(content, PACK, today="2026-07-17")

    assert found
    assert time.process_time() - began < 3


def test_a_message_as_large_as_the_largest_known_is_read():
    ring = (
        " ".join(f"{40 + n % 100 / 1000:.6f},{113 + n % 97 / 1000:.6f}" for n in range(400))
        + " 40.000000,113.000000"
    )
    content = (FULL + INFO + f"<area><areaDesc/><polygon>{ring}</polygon></area>" * 210 + END).encode()

    assert len(content) > 1_681_422
    assert verdict(content).valid


def test_depth_is_bounded():
    for depth, valid in ((250, True), (257, False)):
        root = HEAD + "<a>" * depth + "</a>" * depth + "</alert>"
        assert (verdict(root.encode()).layers["xml"]) is valid
