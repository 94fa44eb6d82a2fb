"""Mail and short messages side by side in one house: a dead mail server delays no short message; a letter signs."""

import asyncio
import time

import msgspec
import pytest
from mail_rig import Postfix, Script, drop, free_port, gateway

from fengsui.flow.inputs import Input
from fengsui.store import people
from fengsui.store.sql import Session
from tests.flow import district
from tests.flow.ways import Way, ask, count, running, until


def populate(database):
    """Everybody of the district, with a mailbox beside his number."""
    everyone = district.everyone()
    humans = tuple(
        people.Human(
            h.id, h.unit, h.name, (*h.contacts, people.Contact("email", f"{h.id.lower()}@example.invalid", 1))
        )
        for h in everyone.people
    )
    session = Session()
    with session.transaction():
        people.apply(
            session,
            database.vault,
            people.Edit(people=humans, posts=everyone.posts, members=everyone.members),
        )
    session.close()


async def issued(house):
    answer = await house.writer.post(Input("form-1", district.alert(at=house.clock.now())))
    assert answer.ok, answer
    await house.writer.settle()


@pytest.mark.parametrize("fault", ["away", "silent", "drops", "refuses the login"])
def test_a_dead_mail_server_delays_no_short_message(database, fault):
    populate(database)

    async def night():
        server = Script(
            offers=("AUTH PLAIN",),
            **{"silent": {"greeting": "hang"}, "drops": {"mail": "drop"}}.get(
                fault, {"auth": "535 5.7.8 no"}
            ),
        )
        port = free_port() if fault == "away" else await server.start()
        account = {"username": "u", "password": "p"} if fault == "refuses the login" else {}
        mail, sms = gateway(port, **account), Way("sms_1")
        async with running(database, mail, sms) as house:
            began = time.monotonic()
            await issued(house)
            await until(lambda: count("channel = 'sms'") and not count("channel = 'sms' AND state = 0"))
            took = time.monotonic() - began
            assert (
                count("channel = 'email' AND state = 0 AND attempts <= 1") == count("channel = 'email'") > 0
            )
        if fault != "away":
            await server.stop()
        return took, len(sms.sent)

    took, sent = asyncio.run(night())
    assert sent == count("channel = 'sms'")
    assert took < 3.0


def test_letters_leave_once_the_server_is_back(database, monkeypatch):
    monkeypatch.setattr("fengsui.flow.send.PROBE", 0.1)
    populate(database)

    async def night():
        server, port = Script(), free_port()
        async with running(database, gateway(port), Way("sms_1")) as house:
            await issued(house)
            await until(lambda: house.lanes[0].pulse.down)
            await server.start(port)
            await until(lambda: not count("channel = 'email' AND state = 0"))
        await server.stop()
        return server

    server = asyncio.run(night())
    deliveries = [sender for sender, _, _ in server.letters]
    assert len(deliveries) == len(set(deliveries)) == count("channel = 'email' AND state = 2") > 0


def test_an_answer_by_mail_signs_for_its_sender_and_no_other(database, tmp_path):
    """Looked up on the channel of the lane that heard it; only one that names the letter written to its sender counts."""
    populate(database)

    async def night():
        server = Script()
        mail = gateway(await server.start(), maildir=tmp_path)
        async with running(database, mail, Way("sms_1")) as house:
            await issued(house)
            await until(lambda: not count("channel = 'email' AND state = 0"))
            (_, one, first), (_, other, _) = server.letters[:2]
            own = next(w for w in first.decode().splitlines() if w.startswith("Message-ID:")).split()[1]
            for n, sender in enumerate((one, other)):
                drop(tmp_path, f"{n}.mail", f"From: {sender}\nIn-Reply-To: {own}\n\n收到\n")
            await until(
                lambda: (
                    not ask("SELECT 1 FROM inbox WHERE state = 'new'")
                    and len(ask("SELECT 1 FROM inbox")) == 2
                )
            )
            await house.writer.settle()
        await server.stop()
        return one, other

    one, other = asyncio.run(night())
    assert sorted(s for (s,) in ask("SELECT state FROM inbox")) == ["read", "unclear"]
    facts = [msgspec.json.decode(body) for (body,) in ask("SELECT body FROM ledger WHERE kind = 'reached'")]
    signed = {f["person"].lower() for f in facts if f["state"] == "acknowledged"}
    assert one != other
    assert signed == {one.partition("@")[0]}


@pytest.mark.foreign
def test_the_whole_way_through_a_real_server(database):
    """Warning → letter → mailbox → notice → delivered."""
    populate(database)
    humans = district.everyone().people
    server = Postfix(boxes=("bounce", *(h.id.lower() for h in humans)))

    async def night():
        mail = gateway(server.port, maildir=server.box("bounce"))
        async with running(database, mail, Way("sms_1")) as house:
            await issued(house)
            await until(
                lambda: count("channel = 'email'") and count("channel = 'email' AND state <> 7") == 0, 40
            )

    try:
        asyncio.run(night())
    finally:
        server.stop()
    assert count("channel = 'email' AND state = 7") > 10
