"""Replies over a real centre: stored, then acknowledged, then read for their meaning — each once."""

from __future__ import annotations

import asyncio

import pytest

from fengsui.core.facts import Exhausted, Reached, Reported
from fengsui.flow.clock import Jumping
from fengsui.flow.inputs import Input, Parked, Pending, Unwritten
from fengsui.gateways.contract import Reply
from tests.flow import district
from tests.flow.district import NIGHT, alert
from tests.flow.town import SOURCE, facts, still, town
from tests.flow.ways import ask, running, until


@pytest.fixture(autouse=True)
def populated(database):
    district.populate(database)


def person_with(role, zone=0):
    """(person, number) of the first invented holder of a role in a township of the warning."""
    edit = district.everyone()
    numbers = {h.id: h.contacts[0].value for h in edit.people}
    post = next(p for p in edit.posts if p.role == role and p.area == district.ZONES[zone])
    return post.holder, numbers[post.holder]


def states(text="state"):
    return sorted(s for (s,) in ask(f"SELECT {text} FROM inbox"))


def acknowledged(person):
    return [f for f in facts(Reached) if f.state == "acknowledged" and f.person == person]


@pytest.mark.parametrize(
    ("words", "kind", "state"),
    [
        ("1", Reached, "read"),
        ("１。", Reached, "read"),
        ("收到！", Reached, "read"),
        ("2", Reported, "read"),
        ("3", Reported, "read"),
        ("0", Exhausted, "read"),
        ("路上有积水，正在赶", None, "unclear"),
        ("没收到", None, "unclear"),
    ],
)
def test_what_a_phone_says_becomes_a_fact(database, words, kind, state):
    person, number = person_with("duty_officer")

    async def night():
        async with town(database) as (house, centre, got):
            before = len(facts(Reported, Exhausted)) + len(acknowledged(person))
            centre.reply(number, got[number][0][0], words)
            await until(lambda: centre.count["heard"] > 0 and states())
            await still(house, centre)
            return before

    before = asyncio.run(night())
    assert states() == [state]
    if kind is None:
        assert len(facts(Reported, Exhausted)) + len(acknowledged(person)) == before
    elif kind is Reached:
        assert [f.version for f in acknowledged(person)] == [1]
    else:
        mine = [f for f in facts(kind) if person in (getattr(f, "by", ""), getattr(f, "person", ""))]
        assert len(mine) >= 1
        if kind is Reported:
            assert {f.what for f in mine} == {{"2": "relay", "3": "support"}[words]}
        else:
            assert [f.why for f in mine] == ["disowned"]
    assert not any(number in body for (body,) in ask("SELECT body FROM ledger"))


def test_a_reply_is_acknowledged_only_after_the_commit(database):
    """While it cannot be stored the centre gets an error and sends again; then it is stored once."""
    person, number = person_with("duty_officer")

    async def night():
        async with town(database) as (house, centre, got):
            real, left = house.writer.post_inbound, [2]

            def full(lane, letters):
                if not left[0]:
                    return real(lane, letters)
                left[0] -= 1
                future = Pending()
                future.set_exception(Unwritten("磁盘已满[R011]"))
                return future

            house.writer.post_inbound = full
            heard = centre.count["heard"]
            centre.reply(number, got[number][0][0], "1")
            await until(lambda: left[0] == 0)
            assert (centre.count["heard"] - heard, states()) == (0, [])
            await until(lambda: centre.count["heard"] == heard + 1)
            stored = states()
            await still(house, centre)
            return stored, centre.count["sent_back"]

    stored, sent_back = asyncio.run(night())
    assert len(stored) == 1
    assert sent_back >= 2
    assert len(acknowledged(person)) == 1


def test_nothing_is_acknowledged_while_it_is_being_written(database):
    _, number = person_with("duty_officer")

    async def night():
        async with town(database) as (house, centre, got):
            gate, heard = Pending(), centre.count["heard"]
            real = house.writer.post_inbound
            house.writer.post_inbound = lambda *_: gate
            centre.reply(number, got[number][0][0], "1")
            await asyncio.sleep(0.3)
            assert centre.count["heard"] == heard
            house.writer.post_inbound = real
            gate.set_result([])
            await until(lambda: centre.count["heard"] == heard + 1)

    asyncio.run(night())


def test_a_crash_between_inbox_and_meaning_repeats_and_loses_nothing(database):
    """Facts are written, the letter still counts as new: the next process reads it again, under the same ids."""
    person, number = person_with("duty_officer")

    async def night():
        async with town(database) as (house, centre, got):
            real = house.writer.settle_letter

            def lost(*_):
                future = Pending()
                future.set_result(None)
                return future

            house.writer.settle_letter = lost
            centre.reply(number, got[number][0][0], "3")
            await until(lambda: len([f for f in facts(Reported) if f.what == "support"]) == 1)
            await asyncio.sleep(0.3)
            assert states() == ["new"]
            house.writer.settle_letter = real
        async with running(database, clock=Jumping(NIGHT)) as house:
            await until(lambda: states() == ["read"])

    asyncio.run(night())
    assert len([f for f in facts(Reported) if f.what == "support"]) == 1
    assert len(acknowledged(person)) == 1


def test_a_letter_that_nobody_had_read_is_read_after_the_restart(database):
    person, number = person_with("duty_officer")

    async def night():
        async with town(database) as (house, _, got):
            source = got[number][0][0]
            await house.stop()  # the process ends …
            await asyncio.to_thread(stored, database, number, source)  # … just after storing a letter
            house.stop = lambda: asyncio.sleep(0)
        async with running(database, clock=Jumping(NIGHT)):
            await until(lambda: states() == ["read"])

    def stored(database, number, source):
        with district.writing(database) as writer:
            writer.post_inbound("sms_1", [Reply(number, source, "1")]).result(10)

    asyncio.run(night())
    assert len(acknowledged(person)) == 1


def test_the_same_message_twice_is_one(database):
    person, number = person_with("duty_officer")

    async def night():
        async with town(database) as (house, centre, got):
            for _ in range(3):
                centre.reply(number, got[number][0][0], "3")
            heard = centre.count["heard"]
            await until(lambda: centre.count["heard"] >= heard)
            await until(states)
            await still(house, centre)

    asyncio.run(night())
    assert states() == ["read"]
    assert len([f for f in facts(Reported) if f.what == "support" and f.by == person]) == 1


def test_a_number_that_nobody_has_is_kept_for_the_desk(database):
    async def night():
        async with town(database) as (house, centre, _):
            before = ask("SELECT count(*) FROM ledger")
            centre.reply("10099999999", SOURCE + "001", "1")
            await until(states)
            await still(house, centre)
            return before, ask("SELECT count(*) FROM ledger")

    before, after = asyncio.run(night())
    assert states() == ["unknown"]
    assert before == after


def test_an_old_suffix_answers_the_old_version_only(database):
    person, number = person_with("duty_officer")

    async def night():
        async with town(database) as (house, centre, got):
            old = got[number][0][0]
            update = alert(2, "red", at=NIGHT + 1, expires=NIGHT + 400 * district.MINUTE)
            assert (await house.writer.post(Input("form-2", update))).ok
            await until(lambda: len(got[number]) > 1)
            await still(house, centre)
            new = got[number][-1][0]
            assert new != old
            centre.reply(number, old, "1")
            await until(lambda: states() == ["read"])
            first = [f.version for f in acknowledged(person)]
            contact = house.writer.world.streams["incident-1"].notices.people[person]
            assert contact.version == 2
            centre.reply(number, new, "1")
            await until(lambda: states() == ["read", "read"])
            return first

    first = asyncio.run(night())
    assert first == [1]
    assert sorted(f.version for f in acknowledged(person)) == [1, 2]


def test_without_a_suffix_the_newest_is_meant(database):
    person, number = person_with("duty_officer")

    async def night():
        async with town(database) as (house, centre, got):
            update = alert(2, "red", at=NIGHT + 1, expires=NIGHT + 400 * district.MINUTE)
            assert (await house.writer.post(Input("form-2", update))).ok
            await until(lambda: len(got[number]) > 1)
            centre.reply(number, SOURCE, "1")
            await until(lambda: states() == ["read"])
            await still(house, centre)

    asyncio.run(night())
    assert [f.version for f in acknowledged(person)] == [2]


def test_a_letter_whose_meaning_fails_stops_no_other(database):
    person, number = person_with("duty_officer")
    other, second = person_with("duty_officer", 1)

    async def night():
        async with town(database) as (house, centre, got):
            post = house.writer.post

            def poisoned(one):
                if getattr(one.fact, "person", "") != person:
                    return post(one)
                future = Pending()
                future.set_exception(Parked(Parked.__doc__))
                return future

            house.writer.post = poisoned
            centre.reply(number, got[number][0][0], "1")
            await until(lambda: states() == ["unclear"])
            centre.reply(second, got[second][0][0], "1")
            await until(lambda: states() == ["read", "unclear"])

    asyncio.run(night())
    assert (len(acknowledged(other)), acknowledged(person)) == (1, [])


def test_an_inbox_that_cannot_be_read_is_tried_again(database):
    person, number = person_with("duty_officer")

    async def night():
        async with town(database) as (house, centre, got):
            real, left = house.writer.letters, [Unwritten("R010"), Parked("R020"), Unwritten("R010")]

            def failing():
                if not left:
                    return real()
                future = Pending()
                future.set_exception(left.pop())
                return future

            house.writer.letters = failing
            centre.reply(number, got[number][0][0], "1")
            await until(lambda: states() == ["read"])
            assert house.ready

    asyncio.run(night())
    assert len(acknowledged(person)) == 1
