"""The mail gateway: against a server that says what a script says, against a real Postfix, and through the house."""

import asyncio
import email
import email.policy
import re
import time

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st
from mail_rig import (
    SECRET,
    TEXT,
    Postfix,
    Script,
    drop,
    free_port,
    gateway,
    handover,
    running,
    said,
    scripted,
    settings,
    until,
)
from smpp_rig import certificate

from fengsui import gateways
from fengsui.formats import mail, mail_answers, mail_notice
from fengsui.gateways import email_inward, email_link
from fengsui.gateways.contract import Outcome, Receipt, Reply
from fengsui.gateways.settings import SettingsError

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
QUEUED = re.compile(r"\bid ([0-9A-Za-z]+)")
SEAL = mail.Seal(SECRET.encode(), "email")


@pytest.fixture(params=LOOPS)
def play(request):
    """Runs a scene, on the loop of the standard library and on the one we run in production."""

    def run(scene):
        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            return runner.run(scene())

    return run


@pytest.fixture
def postfix():
    server = Postfix()
    yield server
    server.stop()


def parsed(data):
    return email.message_from_bytes(data, policy=email.policy.default)


# What is written.


def test_a_letter_says_what_the_text_says_and_names_its_delivery(play):
    async def scene():
        async with scripted() as (server, gate, _):
            [result] = await gate.send([handover(id=4711, suffix="042")])

        [(sender, to, letter)] = server.letters
        message = parsed(letter)
        token = SEAL.bounce(4711)
        assert said([result]) == [(Outcome.ACCEPTED, "")]
        assert result.parts[0].provider_id == "4711"
        assert to == "wang@example.invalid"
        assert sender == f"MAIL FROM:<bounce+{token}@example.invalid> RET=HDRS ENVID={token}"
        assert (
            "RCPT TO:<wang@example.invalid> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;wang@example.invalid"
            in server.commands
        )
        assert message.get_content().strip() == TEXT
        assert message["Subject"] == "【云州气象】【模拟】区气象台发布暴雨红色预警"
        assert message["From"].addresses[0].display_name == "云州区气象台"
        assert message["To"] == "wang@example.invalid"
        assert message["Auto-Submitted"] == "auto-generated"
        assert message["Message-ID"] == f"<{SEAL.letter(4711, '042', to)}@example.invalid>"
        assert abs(message["Date"].datetime.timestamp() - time.time()) < 60
        assert all(len(line) <= 78 for line in letter.splitlines())
        assert letter.isascii()

    play(scene)


def test_a_server_without_notices_is_not_asked_for_them(play):
    async def scene():
        async with scripted(offers=("8BITMIME",)) as (server, gate, _):
            await gate.send([handover(id=4711)])
        assert f"MAIL FROM:<bounce+{SEAL.bounce(4711)}@example.invalid>" in server.commands
        assert "RCPT TO:<wang@example.invalid>" in server.commands

    play(scene)


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("【演练】请注意。", "【演练】请注意"),
        ("暴雨红色预警！请转移。【模拟】", "【模拟】暴雨红色预警！"),
        ("雨" * 100, "雨" * 59 + "…"),
        ("第一行\r\nBcc: li@example.invalid", "第一行"),
        ("预\x00警\u202e。", "预 警"),
        ("\ud800。", "?"),
        ("", "气象灾害预警"),
    ],
)
def test_the_subject_is_the_first_sentence_and_keeps_the_mark(text, subject):
    message = parsed(
        mail.addressed(mail.letter(text, "a@example.invalid", "名"), "b@example.invalid", "i@d", "")
    )

    assert message["Subject"] == subject
    assert message["Bcc"] is None


@pytest.mark.parametrize(
    "to",
    [
        "王五@example.invalid", "a@例子.invalid", "a@b\r\nBcc: c@example.invalid", "a@example.invalid\n", "a b@example.invalid",
        "<a@example.invalid>", "a@example.invalid,b@example.invalid", "", "a", "@example.invalid", "a@", '"a"@example.invalid',
        "a" * 65 + "@example.invalid", "a@" + "b." * 130 + "invalid", "a@example.invalid RCPT", "a@-b.invalid", ".a@example.invalid",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_before_the_wire(play, to):
    async def scene():
        async with scripted() as (server, gate, _):
            results = await gate.send([handover(to, id=1), handover(id=2)])
        assert said(results) == [(Outcome.REFUSED_ADDRESS, "not an address"), (Outcome.ACCEPTED, "")]
        assert len(server.letters) == 1

    play(scene)


def test_a_bad_address_is_refused_and_a_late_letter_kept_without_a_connection(play):
    async def scene():
        gate = gateway(free_port())
        async with running(gate):
            results = await gate.send([handover("a@b\nc"), handover(id=2, expires=1)])
        assert said(results) == [(Outcome.REFUSED_ADDRESS, "not an address"), (Outcome.RETRY, "expired")]

    play(scene)


# What the server says.

ANSWERS = [
    ("mail", "421 4.3.2 closing", "THROTTLED"),
    ("mail", "450 4.7.1 too much mail from you", "THROTTLED"),
    ("mail", "451 4.3.0 try later", "RETRY"),
    ("mail", "530 5.7.0 must log in", "REFUSED_CONFIG"),
    ("mail", "553 5.7.1 not your address", "REFUSED_CONFIG"),
    ("mail", "555 5.5.4 unsupported", "REFUSED_CONFIG"),
    ("rcpt", "421 4.7.0 too many connections", "THROTTLED"),
    ("rcpt", "450 4.2.0 greylisted", "RETRY"),
    ("rcpt", "452 4.2.2 mailbox full", "RETRY"),
    ("rcpt", "550 5.1.1 <a@b>: no such user in relay table", "REFUSED_ADDRESS"),
    ("rcpt", "550 no such user", "REFUSED_ADDRESS"),
    ("rcpt", "550 <a@b>: Recipient address rejected: User unknown in local table", "REFUSED_ADDRESS"),
    ("rcpt", "550 Mailbox not found", "REFUSED_ADDRESS"),
    ("rcpt", "550 RP:TRC 163 smtp11", "THROTTLED"),
    ("rcpt", "550 Connection frequency limited", "THROTTLED"),
    ("rcpt", "550 Ip frequency limited", "THROTTLED"),
    ("rcpt", "552 Quota exceeded", "THROTTLED"),
    ("rcpt", "550 Requested action not taken: mailbox unavailable", "RETRY"),
    ("rcpt", "550 rejected", "RETRY"),
    ("rcpt", "554 invalid", "RETRY"),
    ("rcpt", "452 4.2.2 over quota", "RETRY"),
    ("rcpt", "553 5.1.3 bad syntax", "REFUSED_ADDRESS"),
    ("rcpt", "556 5.1.10 takes no mail", "REFUSED_ADDRESS"),
    ("rcpt", "550 5.2.1 disabled", "REFUSED_ADDRESS"),
    ("rcpt", "552 5.2.2 mailbox full", "REFUSED_CONTENT"),
    ("rcpt", "550 5.4.1 no route", "REFUSED_CONTENT"),
    ("rcpt", "554 5.7.1 <a@b>: Relay access denied", "REFUSED_CONFIG"),
    ("rcpt", "550 5.7.1 <auth@b>: blocked by policy", "REFUSED_CONTENT"),
    ("rcpt", "550 blocked as spam", "REFUSED_CONTENT"),
    ("rcpt", "550 5.1.8 sender's domain not found", "REFUSED_CONFIG"),
    ("rcpt", "501 5.5.4 NOTIFY not understood", "REFUSED_CONFIG"),
    ("data", "451 4.3.0 try later", "RETRY"),
    ("data", "554 5.7.1 not this", "REFUSED_CONTENT"),
    ("end", "451 4.7.1 later", "RETRY"),
    ("end", "421 4.3.2 closing", "THROTTLED"),
    ("end", "554 5.7.1 spam", "REFUSED_CONTENT"),
    ("end", "552 5.3.4 too big", "REFUSED_CONTENT"),
    ("end", "550 5.1.1 no such user after all", "REFUSED_ADDRESS"),
]


@pytest.mark.parametrize(("stage", "answer", "outcome"), ANSWERS)
def test_what_an_answer_means(play, stage, answer, outcome):
    """And the connection is good for the next letter, or a new one is made."""

    async def scene():
        async with scripted(**{stage: answer}) as (server, gate, _):
            first = await gate.send([handover(id=1)])
            del server.say[stage]
            second = await gate.send([handover(id=2)])
        code = " ".join(w for w in answer.split()[:2] if w[0].isdigit())
        assert said(first) == [(Outcome[outcome], code)]
        assert said(second) == [(Outcome.ACCEPTED, "")]
        assert server.connections == (2 if answer.startswith("421") else 1)

    play(scene)


@pytest.mark.parametrize(
    ("stage", "fault", "told"),
    [
        ("greeting", "drop", (Outcome.RETRY, "not connected")),
        ("greeting", "554 5.7.1 go away", (Outcome.RETRY, "not connected")),
        ("greeting", "nonsense", (Outcome.RETRY, "not connected")),
        ("mail", "drop", (Outcome.RETRY, "not connected")),
        ("mail", "hang", (Outcome.RETRY, "not connected")),
        ("mail", "garbage", (Outcome.RETRY, "not connected")),
        ("rcpt", "drop", (Outcome.RETRY, "not connected")),
        ("data", "drop", (Outcome.RETRY, "not connected")),
        ("end", "drop", (Outcome.UNKNOWN, "link lost")),
        ("end", "hang", (Outcome.UNKNOWN, "no answer")),
        ("end", "garbage", (Outcome.UNKNOWN, "link lost")),
    ],
)
def test_where_a_connection_ends_decides_what_is_known(play, stage, fault, told):
    async def scene():
        async with scripted(**{stage: fault}, settings={"timeout": 0.5}) as (server, gate, _):
            results = await gate.send([handover(id=1)])
            server.say.clear()
            again = await gate.send([handover(id=2)])
        assert said(results) == [told]
        assert said(again) == [(Outcome.ACCEPTED, "")]
        assert [to for _, to, _ in server.letters].count("wang@example.invalid") == 1 + (stage == "end")

    play(scene)


def test_a_stale_connection_is_replaced_without_anybody_noticing(play):
    async def scene():
        async with scripted() as (server, gate, _):
            await gate.send([handover(id=1)])
            for writer in list(server._open):
                writer.transport.abort()
            results = await gate.send([handover(id=2)])
        assert said(results) == [(Outcome.ACCEPTED, "")]
        assert server.connections == 2

    play(scene)


def test_a_refused_login_is_not_tried_again_and_health_says_what_to_do(play):
    account = {"username": "warning", "password": "wrong"}

    async def scene():
        say = {"auth": "535 5.7.8 bad credentials"}
        async with scripted(offers=("AUTH PLAIN",), settings=account, **say) as (server, gate, _):
            results = [await gate.send([handover(id=n), handover(id=n + 100)]) for n in range(5)]
            health = await gate.check()
        assert {pair for r in results for pair in said(r)} == {(Outcome.REFUSED_CONFIG, "login refused")}
        assert server.logins == 1
        assert not health.up
        assert health.code == "G041"
        assert "授权码" in health.text

    play(scene)


def test_a_login_that_fails_for_now_is_tried_again(play):
    account = {"username": "warning", "password": "right"}

    async def scene():
        say = {"auth": "454 4.7.0 later"}
        async with scripted(offers=("AUTH PLAIN",), settings=account, **say) as (server, gate, _):
            first = await gate.send([handover(id=1)])
            server.say.clear()
            second = await gate.send([handover(id=2)])
        assert said([*first, *second]) == [(Outcome.RETRY, "not connected"), (Outcome.ACCEPTED, "")]

    play(scene)


def test_nothing_leaves_unencrypted_when_encryption_is_asked_for(play):
    async def scene():
        async with scripted(settings={"security": "starttls"}) as (server, gate, _):
            results = await gate.send([handover()])
            health = await gate.check()
        assert said(results) == [(Outcome.REFUSED_CONFIG, "login refused")]
        assert server.letters == []
        assert health.code == "G040"

    play(scene)


def test_letters_leave_over_tls_only_to_whom_we_trust(play, tmp_path):
    context, root = certificate(tmp_path)

    async def scene():
        server = Script()
        port = await server.start(tls=context)
        trusting = gateway(port, security="tls", tls_ca=root, connections=1)
        wary = gateway(port, security="tls", connections=1)
        async with running(trusting), running(wary):
            assert said(await trusting.send([handover()])) == [(Outcome.ACCEPTED, "")]
            assert said(await wary.send([handover()])) == [(Outcome.RETRY, "not connected")]
            assert "certificate" in (await wary.check()).text.lower()
        await server.stop()

    play(scene)


def test_being_too_fast_slows_the_gateway_down(play):
    async def scene():
        async with scripted(rcpt="450 4.7.1 too much mail") as (server, gate, _):
            await gate.send([handover(id=n) for n in range(3)])
            server.say.clear()
            began = time.monotonic()
            results = await gate.send([handover(id=n) for n in range(3)])
        assert {o for o, _ in said(results)} <= {Outcome.ACCEPTED, Outcome.THROTTLED}
        assert gate._pace.rate > 0
        assert time.monotonic() - began > 0.2

    play(scene)


def test_a_connection_is_changed_before_the_server_tires_of_it(play, monkeypatch):
    monkeypatch.setattr(email_link, "LETTERS", 10)

    async def scene():
        async with scripted() as (server, gate, _):
            results = await gate.send([handover(id=n) for n in range(35)])
        assert {o for o, _ in said(results)} == {Outcome.ACCEPTED}
        assert server.connections == 4
        assert server.commands.count("QUIT") == 4

    play(scene)


def test_a_server_that_grants_one_connection_gets_one(play):
    async def scene():
        server = Script()
        server.say["greeting"] = lambda _: (
            "421 4.7.0 too many" if len(server._open) > 1 else "220 mail.example.invalid"
        )
        gate = gateway(await server.start(), connections=4, timeout=2)
        async with running(gate):
            await gate.send([handover(id=0)])
            results = await gate.send([handover(id=n) for n in range(1, 40)])
            assert (await gate.check()).up
        await server.stop()
        assert {o for o, _ in said(results)} == {Outcome.ACCEPTED}
        assert len(server.letters) == 40

    play(scene)


def test_a_refused_connection_gives_everything_back_at_once(play):
    async def scene():
        gate = gateway(free_port())
        async with running(gate):
            began = time.monotonic()
            results = await gate.send([handover(id=n) for n in range(200)])
            health = await gate.check()
        assert set(said(results)) == {(Outcome.RETRY, "not connected")}
        assert time.monotonic() - began < 2
        assert (health.up, health.code) == (False, "G042")

    play(scene)


def test_stopping_answers_for_everything(play, monkeypatch):
    monkeypatch.setattr("fengsui.gateways.email.GRACE", 0.3)

    async def scene():
        server = Script(end="hang")
        gate = gateway(await server.start(), connections=2)
        await gate.start()
        sending = asyncio.create_task(gate.send([handover(id=n) for n in range(10)]))
        await until(lambda: len(server.letters) == 2)
        await gate.stop()
        results = await sending
        assert sorted(said(results), key=str) == sorted(
            [(Outcome.UNKNOWN, "stopped")] * 2 + [(Outcome.RETRY, "not connected")] * 8, key=str
        )
        assert said(await gate.send([handover()])) == [(Outcome.RETRY, "not connected")]
        await server.stop()

    play(scene)


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": "0"}, {"security": "maybe"}, {"secret": "short"}, {"username": "only"}, {"sender": "王@example.invalid"},
        {"bounce": "no address"}, {"sender_name": "a\nBcc: b"}, {"connections": "0"}, {"host": ""}, {"unknown": "x"},
        {"bounce": "a-very-long-local-part@example.invalid"}, {"security": "tls", "tls_ca": "missing.pem"},
    ],
)  # fmt: skip
def test_a_wrong_setting_says_so(wrong):
    with pytest.raises(SettingsError, match=r"\[G0\d\d\]"):
        gateways.load("email", settings(25) | wrong, clock=lambda: 0)


# What comes back.


def notice(to, action="failed", status="5.1.1", envelope=""):
    return f"""Return-Path: <>
From: MAILER-DAEMON@example.invalid
To: {to}
Date: Wed, 21 Jul 2027 02:13:00 +0800
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

told
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; example.invalid
{envelope}

Final-Recipient: rfc822; wang@example.invalid
Action: {action}
Status: {status}

--b--
"""


def letter(text="1\n", *, sender="Wang <wang@example.invalid>", answers="", more=""):
    return (
        f"From: {sender}\nTo: warning@example.invalid\nIn-Reply-To: {answers}\n{more}"
        f"Content-Type: text/plain; charset=utf-8\n\n{text}"
    )


def own(id=4711, suffix="042", to="wang@example.invalid"):  # noqa: A002
    return f"<{SEAL.letter(id, suffix, to)}@example.invalid>"


BOUNCE = f"bounce+{SEAL.bounce(4711)}@example.invalid"
AT = 1_816_107_180_000_000


def hear(play, folder, *texts, fail=0, poison=None, items=None):
    """What the gateway makes of mails in its folder; waits until none is left in ``new``."""

    async def scene():
        for n, text in enumerate(texts):
            drop(folder, f"{n}.mail", text)
        gate = gateway(free_port(), maildir=folder)
        async with running(gate) as inbox:
            inbox.fail, inbox.poison = fail, poison
            if items is None:
                await until(lambda: not any((folder / "new").iterdir()))
            else:
                await until(lambda: len(inbox.items) >= items)
            return inbox.items

    return play(scene)


@pytest.mark.parametrize(
    ("action", "status", "receipt"),
    [
        ("delivered", "2.0.0", Receipt("4711", "delivered", "", AT)),
        ("failed", "5.1.1", Receipt("4711", "failed", "5.1.1", AT, dead=True)),
        ("failed", "5.1.8", Receipt("4711", "failed", "5.1.8", AT)),
        ("failed", "5.2.2", Receipt("4711", "failed", "5.2.2", AT)),
        ("failed", "4.4.7 (expired)", Receipt("4711", "failed", "4.4.7", AT)),
        ("delayed", "4.4.1", Receipt("4711", "pending", "4.4.1", AT)),
        ("relayed", "2.0.0", Receipt("4711", "pending", "2.0.0", AT)),
    ],
)
def test_a_notice_becomes_a_receipt(play, tmp_path, action, status, receipt):
    assert hear(play, tmp_path, notice(BOUNCE, action, status)) == [receipt]
    assert [p.name for p in (tmp_path / "cur").iterdir()] == ["0.mail:2,S"]


def test_a_notice_is_known_by_its_envelope_id_too(play, tmp_path):
    told = notice("postmaster@example.invalid", envelope=f"Original-Envelope-Id: {SEAL.bounce(7)}")
    assert hear(play, tmp_path, told) == [Receipt("7", "failed", "5.1.1", AT, dead=True)]


@pytest.mark.parametrize(
    "to",
    [
        f"bounce+4712-{SEAL.bounce(4711)[5:]}@example.invalid",
        "bounce+4711-@example.invalid",
        "bounce+4711@example.invalid",
        f"bounce+{mail.Seal(b'another secret of 32 characters.', 'email').bounce(4711)}@example.invalid",
        f"bounce+{mail.Seal(SECRET.encode(), 'other').bounce(4711)}@example.invalid",
        f"bounce+{SEAL.bounce(4711)}@elsewhere.invalid",
        "bounce+٤-x@example.invalid",
    ],
)
def test_a_forged_notice_changes_nothing(play, tmp_path, caplog, to):
    assert hear(play, tmp_path, notice(to)) == []
    assert len(list((tmp_path / ".unread/cur").iterdir())) == 1
    assert [r.message for r in caplog.records if "G056" in r.message] == [
        "一封来信编号不是本系统所发，已另存到收件夹的 .unread，什么都没有改变。[G056]"
    ]


MALFORMED = [
    b"", b"\x00\xff\xfe", b"From: nobody\n\n1", notice(BOUNCE).replace("Action: failed\n", "").encode(),
    notice(BOUNCE, "invented").encode(), b"Content-Type: multipart/report\nTo: " + BOUNCE.encode() + b"\n\nnothing",
    b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3000)),
    f"Return-Path: <>\nFrom: a@example.invalid\nTo: {BOUNCE}\n\nan older kind".encode(),
]  # fmt: skip


def test_malformed_mails_are_set_aside_and_hold_up_nobody(play, tmp_path, caplog):
    assert hear(play, tmp_path, *MALFORMED, notice(BOUNCE, "delivered", "2.0.0")) == [
        Receipt("4711", "delivered", "", AT)
    ]
    assert len(list((tmp_path / ".unread/cur").iterdir())) == len(MALFORMED)
    assert sum("G056" in r.message for r in caplog.records) == len(MALFORMED)
    assert not any(r.exc_info for r in caplog.records)


@given(st.binary(max_size=400), st.integers(0, 900), st.integers(0, 200))
def test_no_mail_can_trip_the_reader(junk, at, cut):
    whole = notice(BOUNCE).encode()
    for data in (
        junk,
        whole[:at] + junk + whole[at + cut :],
        b"From: a@b\n" + junk,
        b"Content-Type: " + junk + b"\n\nx",
    ):
        try:
            mail_notice.read(data)
        except mail_notice.Unreadable:
            continue


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        (letter(answers=own()), Reply("wang@example.invalid", "warning+042", "1")),
        (letter("\n  收到 \n\n> 原文\n", answers=own()), Reply("wang@example.invalid", "warning+042", "收到")),
        (letter("> 原文\n2\n", answers=own(suffix="")), Reply("wang@example.invalid", "warning", "2")),
        (letter(answers="<a@b.invalid>", more=f"References: <c@d.invalid>\n {own()}\n"),
         Reply("wang@example.invalid", "warning+042", "1")),
        (letter(), Reply("wang@example.invalid", "warning", "（来源未核实）1")),
        (letter(answers=own(to="li@example.invalid")), Reply("wang@example.invalid", "warning", "（来源未核实）1")),
        (letter("收到".encode("gbk").decode("latin1"), answers=own()).replace("utf-8", "gb2312").encode("latin1"),
         Reply("wang@example.invalid", "warning+042", "收到")),
        (letter("<style>x</style><div>已&nbsp;转发<br>原文</div>", answers=own()).replace("text/plain", "text/html"),
         Reply("wang@example.invalid", "warning+042", "已 转发")),
        (letter("", answers=own()), Reply("wang@example.invalid", "warning+042", "")),
        (letter("5pS25Yiw\n", answers=own(), more="Content-Transfer-Encoding: base64\n"),
         Reply("wang@example.invalid", "warning+042", "收到")),
    ],
)  # fmt: skip
def test_a_letter_becomes_a_reply(play, tmp_path, text, reply):
    """One that does not name the letter we wrote to its sender signs for nobody: anybody can write any sender."""
    assert hear(play, tmp_path, text) == [reply]


@pytest.mark.parametrize(
    "more", ["Auto-Submitted: auto-replied\n", "Precedence: bulk\n", "X-Autoreply: yes\n"]
)
def test_absence_notes_say_nothing(play, tmp_path, more):
    assert hear(play, tmp_path, letter("我在休假，收到", answers=own(), more=more)) == []
    assert len(list((tmp_path / "cur").iterdir())) == 1


def test_a_mail_stays_until_it_is_stored(play, tmp_path, monkeypatch):
    monkeypatch.setattr(email_inward, "SHORT", 0.05)
    assert len(hear(play, tmp_path, *[notice(BOUNCE)] * 5, fail=3)) == 5


def test_one_mail_that_cannot_be_stored_does_not_hold_back_the_others(play, tmp_path, monkeypatch):
    monkeypatch.setattr(email_inward, "SHORT", 0.02)
    monkeypatch.setattr(email_inward, "LONG", 0.05)
    texts = [letter("poison", answers=own()), *(letter(str(n), answers=own()) for n in range(20))]

    heard = hear(play, tmp_path, *texts, poison=lambda i: i.text == "poison", items=20)

    assert {reply.text for reply in heard} == {str(n) for n in range(20)}
    assert "0.mail" in {p.name for p in (tmp_path / "new").iterdir()}


def test_a_missing_folder_is_said_and_found_when_it_is_there(play, tmp_path, caplog):
    async def scene():
        server = Script()
        folder = tmp_path / "later"
        gate = gateway(await server.start(), maildir=folder)
        async with running(gate) as inbox:
            await asyncio.sleep(1.2)
            health = await gate.check()
            drop(folder, "1.mail", notice(BOUNCE))
            await until(lambda: inbox.items)
            after = await gate.check()
        await server.stop()
        assert (health.up, health.code) == (True, "G054")
        assert (after.up, after.text) == (True, "正常。")
        assert sum("G054" in r.message for r in caplog.records) == 1

    play(scene)


def test_no_address_stands_in_the_log(play, tmp_path, caplog):
    caplog.set_level("INFO")

    async def scene():
        async with scripted(rcpt="550 5.1.1 <wangwu@example.invalid> unknown") as (_, gate, _):
            await gate.send([handover("wangwu@example.invalid")])

    play(scene)
    mine = [r.getMessage() for r in caplog.records if r.name.startswith("fengsui")]
    assert mine
    assert not any("wangwu" in line for line in mine)


def test_codes_never_carry_words():
    assert mail_answers.shown(550, "5.1.1 <wang@example.invalid> unknown") == "550 5.1.1"


# A real Postfix.


@pytest.mark.foreign
def test_success_and_failure_come_back_from_a_real_server(play, postfix):
    async def scene():
        gate = gateway(postfix.port, maildir=postfix.box("bounce"))
        async with running(gate) as inbox:
            results = await gate.send([handover(id=1), handover("nobody@example.invalid", id=2)])
            await until(lambda: len(inbox.items) == 2)
        assert {o for o, _ in said(results)} == {Outcome.ACCEPTED}
        told = {r.provider_id: (r.state, r.code, r.dead) for r in inbox.items}
        assert told == {"1": ("delivered", "", False), "2": ("failed", "5.1.1", True)}
        [arrived] = postfix.mails("wang")
        message = parsed(arrived.read_bytes())
        assert message.get_content().strip() == TEXT
        assert "【模拟】" in message["Subject"]
        assert message["Return-Path"] == f"<bounce+{SEAL.bounce(1)}@example.invalid>"

    play(scene)


@pytest.mark.foreign
def test_a_real_server_refuses_an_unknown_user_at_once():
    server = Postfix(strict=True)

    async def scene():
        gate = gateway(server.port)
        async with running(gate):
            return await gate.send(
                [handover("nobody@example.invalid"), handover("x@elsewhere.invalid", id=2)]
            )

    try:
        results = asyncio.run(scene())
    finally:
        server.stop()
    assert said(results)[0] == (Outcome.REFUSED_ADDRESS, "550 5.1.1")


@pytest.mark.foreign
def test_two_hundred_letters_leave_through_the_pool_and_are_receipted(play, postfix, record_property):
    async def scene():
        gate = gateway(postfix.port, maildir=postfix.box("bounce"))
        async with running(gate) as inbox:
            began = time.monotonic()
            results = await gate.send([handover(id=n) for n in range(1, 201)])
            record_property("letters_per_second", 200 / (time.monotonic() - began))
            await until(lambda: len(inbox.items) == 200, 50)
        assert {o for o, _ in said(results)} == {Outcome.ACCEPTED}
        assert {r.provider_id for r in inbox.items} == {str(n) for n in range(1, 201)}
        assert {r.state for r in inbox.items} == {"delivered"}
        ids = {parsed(p.read_bytes())["Message-ID"] for p in postfix.mails("wang")}
        assert len(ids) == 200

    play(scene)


@pytest.mark.foreign
def test_a_server_killed_midway_loses_nothing_and_doubt_is_said(postfix):
    """Whatever is not accepted is given back or in doubt; sent again after the server is back, all arrive."""

    async def scene():
        gate = gateway(postfix.port, connections=8, maildir=postfix.box("bounce"))
        async with running(gate) as inbox:
            sending = asyncio.create_task(gate.send([handover(id=n) for n in range(1, 401)]))
            await asyncio.to_thread(wait_for, lambda: len(postfix.mails("wang")) > 50)
            await asyncio.to_thread(postfix.kill)
            first = await sending
            await asyncio.to_thread(postfix.start)
            left = [r.id for r in first if r.parts[0].outcome is not Outcome.ACCEPTED]
            second = await gate.send([handover(id=n) for n in left])
            await until(lambda: len({r.provider_id for r in inbox.items}) == 400, 50)
        return first, second, left

    first, second, left = asyncio.run(scene())
    assert {p for p in said(first) if p[0] is not Outcome.ACCEPTED} <= {
        (Outcome.RETRY, "not connected"),
        (Outcome.UNKNOWN, "link lost"),
    }
    assert left
    assert {o for o, _ in said(second)} == {Outcome.ACCEPTED}
    arrived = [parsed(p.read_bytes()) for p in postfix.mails("wang")]
    taken = {(m["Message-ID"].split(".")[0], QUEUED.search(m["Received"])[1]) for m in arrived}
    ids = [id_ for id_, _ in taken]  # one for each time the server took it; it may itself deliver one twice
    assert len(set(ids)) == 400
    doubtful = {f"<{r.id}" for r in first if r.parts[0].outcome is Outcome.UNKNOWN}
    assert {id_ for id_ in ids if ids.count(id_) > 1} <= doubtful


def wait_for(holds):
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)
