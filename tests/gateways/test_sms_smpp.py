"""The gateway against our own centre: what is sent, what is answered, what comes back, and every way it can go wrong."""

import asyncio

import msgspec
import pytest
import uvloop
from smpp_rig import (
    ONE,
    accepted,
    certificate,
    clock,
    connected,
    gateway,
    handover,
    handovers,
    outcomes,
    rig,
    settings,
    until,
)

from fengsui import gateways
from fengsui.formats import smpp, sms
from fengsui.gateways import sms_smpp
from fengsui.gateways.contract import Health, Outcome, PartResult, Receipt, Reply, Result
from fengsui.gateways.pace import Pace
from fengsui.gateways.settings import SettingsError
from fengsui.rehearse.smsc import Centre, Plan

LONG = "雨" * 66 + "𠮷" + "云冈区" * 20


LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=LOOPS)
def play(request):
    """Runs a scene, on the loop of the standard library and on the one we run in production."""

    def run(scene):
        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            return runner.run(scene())

    return run


# What is sent.


def test_one_message_arrives_as_written_and_its_receipt_comes_back(play):
    async def scene():
        async with rig() as (centre, gate, inbox):
            arrived = []
            centre.on_message = lambda *message: arrived.append(message)

            results = await gate.send([handover(ONE, "暴雨𠮷红色", suffix="07")])
            await until(lambda: inbox.items)

            assert arrived == [(ONE, "1069000007", "暴雨𠮷红色", 1)]
            assert results == [Result(1, (PartResult(0, Outcome.ACCEPTED, "1"),))]
            assert inbox.items == [Receipt("1", "delivered", "", 1_785_556_800_000_000)]
            sent = centre.submitted[0]
            assert (sent.data_coding, sent.registered, sent.esm_class) == (8, 1, 0)
            assert sent.validity in {"000000000100000R", "000000005959000R"}

    play(scene)


def test_a_long_text_is_sent_in_parts_and_arrives_whole(play):
    async def scene():
        async with rig() as (centre, gate, _):
            arrived = []
            centre.on_message = lambda *message: arrived.append(message)

            [result] = await gate.send([handover(ONE, *sms.split(LONG))])

            assert arrived == [(ONE, "10690000", LONG, 3 if sms.units(LONG) > 134 else 2)]
            assert sorted(part.index for part in result.parts) == list(range(len(sms.split(LONG))))
            assert {part.outcome for part in result.parts} == {Outcome.ACCEPTED}
            assert len({part.provider_id for part in result.parts}) == len(result.parts)

    play(scene)


def test_only_the_parts_given_are_sent_so_that_a_retry_doubles_nothing(play):
    async def scene():
        async with rig() as (centre, gate, _):
            whole = handover(ONE, *sms.split(LONG))
            rest = type(whole)(
                **{name: getattr(whole, name) for name in whole.__struct_fields__}
                | {"parts": whole.parts[1:]}
            )

            [result] = await gate.send([rest])

            assert [part.index for part in result.parts] == [1]
            assert [sent.body[:6] for sent in centre.submitted] == [bytes((5, 0, 3, 7, 2, 2))]

    play(scene)


def test_never_more_than_the_window_is_unanswered(play):
    async def scene():
        async with rig(plan=Plan(latency=0.02, receipts=""), window=7) as (centre, gate, _):
            most, submit = 0, centre.submit

            def watch(session, message):
                nonlocal most
                most = max(most, len(gate._pending))
                submit(session, message)

            centre.submit = watch
            results = await gate.send(handovers(60))

            assert (accepted(results), most) == (60, 7)

    play(scene)


def test_two_lanes_share_the_window_and_each_gets_its_own_answers(play):
    async def scene():
        async with rig(window=10) as (centre, gate, inbox):
            first, second = await asyncio.gather(
                gate.send(handovers(300)), gate.send(handovers(300, suffix="1"))
            )
            await until(lambda: len(inbox.items) == 600)

            assert [result.id for result in first] == [result.id for result in second] == list(range(300))
            assert (accepted(first), accepted(second), centre.stats()["unique"]) == (300, 300, 600)
            ids = {part.provider_id for result in [*first, *second] for part in result.parts}
            assert ids == {receipt.provider_id for receipt in inbox.items}

    play(scene)


def test_what_has_expired_is_not_sent(play):
    async def scene():
        async with rig() as (centre, gate, _):
            [result] = await gate.send([handover(expires=clock() - 1)])

            assert result.parts == (PartResult(0, Outcome.RETRY, "", "expired"),)
            assert centre.submitted == []

    play(scene)


@pytest.mark.parametrize("number", ["", "1000000000x", "１００", "1" * 21, "100\x00"])
def test_what_is_no_number_is_not_sent(play, number):
    async def scene():
        async with rig() as (centre, gate, _):
            results = await gate.send([handover(number), handover()])

            assert outcomes(results) == [Outcome.REFUSED_ADDRESS, Outcome.ACCEPTED]
            assert len(centre.submitted) == 1

    play(scene)


def test_a_part_that_does_not_fit_is_refused_and_the_others_go(play):
    async def scene():
        async with rig() as (_, gate, __):
            results = await gate.send(
                [handover(ONE, "雨" * 71), handover(ONE, "雨" * 70), handover(ONE, "雨" * 68, "b")]
            )

            assert outcomes(results) == [
                Outcome.REFUSED_CONTENT,
                Outcome.ACCEPTED,
                Outcome.REFUSED_CONTENT,
                Outcome.ACCEPTED,
            ]

    play(scene)


def test_a_suffix_that_makes_the_source_too_long_is_left_out(play):
    async def scene():
        async with rig(source="1" * 19) as (centre, gate, _):
            await gate.send([handover(suffix="9"), handover(suffix="99")])

            assert [sent.source for sent in centre.submitted] == ["1" * 19 + "9", "1" * 19]

    play(scene)


def test_the_prefix_and_the_validity_are_written_as_the_carrier_wants_them(play):
    async def scene():
        async with rig(dest_prefix="86", validity="absolute", dest_ton=1) as (centre, gate, _):
            await gate.send([handover(expires=4_070_908_800_000_000)])
            sent = centre.submitted[0]

            assert (sent.destination, sent.dest_ton, sent.validity) == ("86" + ONE, 1, "990101000000000+")

    play(scene)


def test_an_empty_batch_has_an_empty_answer(play):
    async def scene():
        async with rig() as (_, gate, __):
            assert await gate.send([]) == []

    play(scene)


def test_a_cancelled_batch_is_not_sent_on(play):
    async def scene():
        async with rig(plan=Plan(latency=0.05, receipts=""), window=2) as (centre, gate, _):
            task = asyncio.create_task(gate.send(handovers(50)))
            await until(lambda: centre.submitted)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

            assert accepted(await gate.send(handovers(3, suffix="5"))) == 3
            assert len(centre.submitted) < 10

    play(scene)


# What the centre says no to.


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (0x0B, Outcome.REFUSED_ADDRESS),
        (0x01, Outcome.REFUSED_CONTENT),
        (0x66, Outcome.REFUSED_CONTENT),
        (0x400, Outcome.REFUSED_CONTENT),
        (0x0A, Outcome.REFUSED_CONFIG),
        (0x58, Outcome.THROTTLED),
        (0x14, Outcome.THROTTLED),
        (0x08, Outcome.RETRY),
        (0x45, Outcome.RETRY),
        (0x4FF, Outcome.RETRY),
    ],
)
def test_each_refusal_has_its_class_and_shows_its_code(play, status, outcome):
    async def scene():
        async with rig(plan=Plan(refuse={ONE: status}), content_codes="0x400") as (_, gate, __):
            results = await gate.send([handover(), handover("10000000002")])

            assert outcomes(results) == [outcome, Outcome.ACCEPTED]
            assert results[0].parts[0].code == smpp.status_name(status)

    play(scene)


def test_a_throttled_part_is_told_apart_and_the_rest_goes_slower(play):
    async def scene():
        async with rig(plan=Plan(throttle_every=10)) as (_, gate, __):
            results = await gate.send(handovers(30))
            health = await gate.check()

            assert outcomes(results).count(Outcome.THROTTLED) == 3
            assert accepted(results) == 27
            assert health.up
            assert health.text.startswith("正常。当前限速每秒")

    play(scene)


def test_a_wrong_password_is_tried_rarely_and_says_what_to_do(play):
    async def scene():
        async with rig(password="wrong", up=False) as (centre, gate, _):
            await until(lambda: gate._refused)
            await asyncio.sleep(0.3)
            results = await gate.send([handover()])

            assert (centre.count["refused_binds"], centre.count["connections"]) == (1, 1)
            assert outcomes(results) == [Outcome.REFUSED_CONFIG]
            assert (await gate.check()) == Health(
                up=False,
                text="短信中心拒绝登录（SMPP RINVPASWD 0x0e，账号或口令不对）。系统每 5 分钟重试一次；"
                "请在网关设置中核对账号与口令，或联系运营商。[G031]",
                code="G031",
            )

    play(scene)


def test_an_account_that_is_opened_again_sends_again_by_itself(play, monkeypatch):
    monkeypatch.setattr(sms_smpp, "REFUSED_WAIT", 0.05)

    async def scene():
        async with rig(plan=Plan(bind_status=0x0F), up=False) as (centre, gate, _):
            await until(lambda: centre.count["refused_binds"] > 1)
            assert (await gate.check()).code == "G031", "the alarm stays between two tries"
            assert outcomes(await gate.send([handover()])) == [Outcome.REFUSED_CONFIG]
            centre.plan.bind_status = 0
            await until(lambda: gate._links)

            assert accepted(await gate.send([handover()])) == 1
            assert (await gate.check()).up

    play(scene)


def test_a_refused_receiver_leaves_the_sender_alone(play):
    async def scene():
        async with rig(mode="pair", up=False) as (centre, gate, _):
            await until(lambda: len(gate._links) == 2)
            centre.plan.bind_status = 0x0E
            gate._links["rx"].drop("")
            await until(lambda: centre.count["refused_binds"])

            assert accepted(await gate.send([handover()])) == 1
            health = await gate.check()
            assert (health.up, health.code, "拒绝" in health.text) == (True, "G036", True)

    play(scene)


@pytest.mark.parametrize("status", [0x05, 0x0D])
def test_a_busy_centre_is_called_again_until_it_takes_the_login(play, status):
    async def scene():
        async with rig(plan=Plan(bind_status=status), up=False) as (centre, gate, _):
            await until(lambda: centre.count["refused_binds"] > 1)
            assert (await gate.check()).code == "G032"
            assert outcomes(await gate.send([handover()])) == [Outcome.RETRY]
            centre.plan.bind_status = 0
            await until(lambda: gate._links)

            assert accepted(await gate.send([handover()])) == 1

    play(scene)


def test_without_a_centre_nothing_is_lost_and_health_says_so(play):
    async def scene():
        gate = gateway(1)
        async with connected(gate, up=False):
            await until(lambda: "G032" in gate._trouble)

            assert outcomes(await gate.send(handovers(3))) == [Outcome.RETRY] * 3
            health = await gate.check()
            assert (health.up, health.code) == (False, "G032")

    play(scene)


def test_a_host_that_is_no_name_is_told_and_does_not_end_the_trying(play):
    async def scene():
        gate = gateway(1, host="a..b")
        async with connected(gate, up=False):
            await until(lambda: "G032" in gate._trouble)
            await asyncio.sleep(0.05)
            assert not gate._keepers[0].done()

    play(scene)


# What comes back.


def test_a_receipt_before_the_answer_is_delivered_all_the_same(play):
    async def scene():
        async with rig(plan=Plan(early=True)) as (_, gate, inbox):
            results = await gate.send(handovers(20))
            await until(lambda: len(inbox.items) == 20)

            assert {part.provider_id for result in results for part in result.parts} == {
                receipt.provider_id for receipt in inbox.items
            }

    play(scene)


def test_failed_dead_doubled_and_unknown_receipts_are_all_passed_on(play):
    async def scene():
        plan = Plan(failing={"10000000000": "001", "10000000001": "027"}, duplicate_every=3, unknown_every=4)
        async with rig(plan=plan) as (_, gate, inbox):
            await gate.send(handovers(4))
            await until(lambda: len(inbox.items) == 6)
            at = 1_785_556_800_000_000

            assert sorted(inbox.items, key=lambda receipt: receipt.provider_id) == [
                Receipt("1", "failed", "UNDELIV 001", at, dead=True),
                Receipt("2", "failed", "UNDELIV 027", at),
                Receipt("3", "delivered", "", at),
                Receipt("3", "delivered", "", at),
                Receipt("4", "delivered", "", at),
                Receipt("ffff4", "delivered", "", at),
            ]

    play(scene)


def test_receipts_in_optional_parameters_are_read_too(play):
    async def scene():
        async with rig(plan=Plan(receipts="tlv", failing={ONE: "001"}), dead_codes="1,11") as (
            _,
            gate,
            inbox,
        ):
            await gate.send([handover()])
            await until(lambda: inbox.items)

            assert inbox.items == [Receipt("1", "failed", "UNDELIV 001", dead=True)]

    play(scene)


def test_a_receipt_may_come_over_another_login_of_the_account(play):
    async def scene():
        async with rig(plan=Plan(elsewhere=True)) as (centre, gate, inbox):
            other = gateway(centre.port)
            async with connected(other) as its:
                await gate.send(handovers(10))
                await until(lambda: len(its.items) == 10)

                assert inbox.items == []

    play(scene)


def test_a_pair_of_logins_sends_on_one_and_hears_on_the_other(play):
    async def scene():
        async with rig(mode="pair") as (centre, gate, inbox):
            assert accepted(await gate.send(handovers(10))) == 10
            await until(lambda: len(inbox.items) == 10)
            modes = {session.mode for session in centre.sessions}
            assert modes == {smpp.BIND_TRANSMITTER, smpp.BIND_RECEIVER}

            next(session for session in centre.sessions if session.hears).cut()
            assert accepted(await gate.send([handover()])) == 1
            await until(lambda: centre.count["binds"] == 3)
            await until(lambda: len(inbox.items) == 11)

    play(scene)


def test_a_receipt_is_answered_only_after_it_is_stored(play):
    async def scene():
        async with rig() as (centre, gate, inbox):
            inbox.gate.clear()
            await gate.send(handovers(5))
            await until(lambda: inbox.calls)
            await asyncio.sleep(0.1)
            assert (centre.count["heard"], centre.stats()["owed"]) == (0, 5)

            inbox.gate.set()
            await until(lambda: centre.count["heard"] == 5)
            assert centre.stats()["owed"] == 0

    play(scene)


def test_while_one_gathering_is_stored_the_next_one_gathers(play):
    async def scene():
        async with rig() as (_, gate, inbox):
            inbox.gate.clear()
            await gate.send(handovers(1))
            await until(lambda: inbox.calls)
            await gate.send(handovers(60))
            await asyncio.sleep(0.05)
            inbox.gate.set()
            await until(lambda: len(inbox.items) == 61)

            assert inbox.calls == [1, 60]

    play(scene)


def test_what_could_not_be_stored_is_sent_again(play, caplog):
    async def scene():
        async with rig() as (centre, gate, inbox):
            inbox.fail = 2
            await gate.send(handovers(8))
            await until(lambda: len(inbox.items) == 8)
            await until(lambda: centre.count["heard"] == 8)

            assert centre.count["sent_back"] > 0
            assert len({receipt.provider_id for receipt in inbox.items}) == 8

    play(scene)

    lines = [record for record in caplog.records if "G037" in record.getMessage()]
    assert lines
    assert all(record.exc_info is None for record in lines)


def test_one_message_that_cannot_be_stored_does_not_hold_back_the_others(play):
    async def scene():
        async with rig() as (centre, gate, inbox):
            inbox.poison = "3"
            await gate.send(handovers(9))
            await until(lambda: len({receipt.provider_id for receipt in inbox.items}) == 8, 15)

            await until(lambda: centre.stats()["owed"] == 1)

    play(scene)


def test_replies_come_back_whole_with_national_numbers(play):
    async def scene():
        async with rig() as (centre, _, inbox):
            centre.reply("+86" + ONE, "1069000007", "收到")
            centre.reply(ONE, "10690000", LONG)
            await until(lambda: len(inbox.items) == 2)

            assert inbox.items == [Reply(ONE, "1069000007", "收到"), Reply(ONE, "10690000", LONG)]

    play(scene)


def test_a_part_of_a_reply_without_the_others_stands_alone(play):
    async def scene():
        async with rig() as (centre, _, inbox):
            body = bytes((5, 0, 3, 9, 2, 1)) + sms.encode("收到")
            centre.owe(smpp.Message(smpp.DELIVER_SM, 0, ONE, "1", body, smpp.UDHI, 8))
            await until(lambda: inbox.items)

            assert inbox.items == [Reply(ONE, "1", "收到")]

    play(scene)


def test_a_receipt_nobody_can_read_is_answered_and_logged_without_its_number(play, caplog):
    async def scene():
        async with rig() as (centre, _, inbox):
            centre.owe(smpp.Message(smpp.DELIVER_SM, 0, ONE, "1", b"nothing", smpp.RECEIPT))
            centre.owe(smpp.Message(smpp.DELIVER_SM, 0, ONE, "1", b"\x09", smpp.UDHI))
            await until(lambda: centre.count["heard"] == 2)

            assert inbox.items == []

    play(scene)

    assert sum("G038" in record.getMessage() for record in caplog.records) == 2
    assert ONE not in caplog.text
    assert "100****01" in caplog.text


def test_the_same_over_tls_and_not_with_a_stranger(play, tmp_path):
    server, root = certificate(tmp_path)

    async def scene():
        centre = Centre(Plan())
        port = await centre.start(tls=server)
        friend, stranger = gateway(port, tls="yes", tls_ca=str(root)), gateway(port, tls="yes")
        async with connected(friend) as inbox, connected(stranger, up=False):
            assert accepted(await friend.send(handovers(20))) == 20
            await until(lambda: len(inbox.items) == 20)
            await until(lambda: "CERTIFICATE_VERIFY_FAILED" in stranger._trouble)
            assert (await stranger.check()).code == "G032"
        await centre.stop()

    play(scene)


# When the line breaks.


def test_what_was_under_way_is_in_doubt_what_was_not_goes_back_and_the_link_returns(play):
    async def scene():
        async with rig(plan=Plan(latency=5.0, receipts=""), window=10) as (centre, gate, _):
            task = asyncio.create_task(gate.send(handovers(25)))
            await until(lambda: len(centre.submitted) == 10)
            centre.hang_up()
            results = await task
            assert outcomes(results) == [Outcome.UNKNOWN] * 10 + [Outcome.RETRY] * 15

            centre.plan.latency = 0.0
            await until(lambda: gate._link("tx"))
            assert accepted(await gate.send(handovers(5))) == 5
            assert centre.count["binds"] == 2

    play(scene)


def test_receipts_unanswered_when_the_line_broke_come_again(play):
    async def scene():
        async with rig() as (centre, gate, inbox):
            inbox.gate.clear()
            await gate.send(handovers(5))
            await until(lambda: inbox.calls)
            centre.hang_up()
            await until(lambda: centre.count["binds"] == 2)
            inbox.gate.set()
            await until(lambda: centre.count["heard"] == 5)

            assert {receipt.provider_id for receipt in inbox.items} == {"1", "2", "3", "4", "5"}

    play(scene)


def test_a_silent_centre_leaves_parts_in_doubt_and_the_link_is_dropped(play):
    async def scene():
        async with rig(timeout=0.3, idle=0.2) as (centre, gate, _):
            centre.plan.hang = True
            results = await gate.send(handovers(3))
            assert outcomes(results) == [Outcome.UNKNOWN] * 3
            await until(lambda: "G035" in gate._trouble)

            centre.plan.hang = False
            await until(lambda: gate._link("tx"))
            assert accepted(await gate.send(handovers(3))) == 3

    play(scene)


def test_what_waits_behind_a_silent_centre_goes_back_unsent(play):
    async def scene():
        async with rig(timeout=0.3, idle=60, window=4) as (centre, gate, _):
            centre.plan.hang = True
            first, second = await asyncio.gather(gate.send(handovers(6)), gate.send(handovers(3)))
            assert outcomes(first) == [Outcome.UNKNOWN] * 4 + [Outcome.RETRY] * 2
            assert outcomes(second) == [Outcome.RETRY] * 3
            assert {p.code for r in second for p in r.parts} == {"not answering"}
            assert len(centre.submitted) <= 4

    play(scene)


def test_one_part_without_an_answer_sends_nothing_back(play):
    async def scene():
        async with rig(plan=Plan(latency=0.15, receipts=""), timeout=0.3, window=2) as (centre, gate, _):
            submit = centre.submit
            centre.submit = lambda session, message: (
                None if message.destination == ONE else submit(session, message)
            )
            batch = [handover(), *(handover(f"1000000001{n}", id=10 + n) for n in range(6))]
            results = await gate.send(batch)

            assert outcomes(results) == [Outcome.UNKNOWN] + [Outcome.ACCEPTED] * 6

    play(scene)


def test_a_late_answer_frees_no_second_slot_and_is_no_error(play, caplog):
    async def scene():
        async with rig(plan=Plan(latency=0.4, receipts=""), timeout=0.2, idle=60) as (centre, gate, _):
            assert outcomes(await gate.send([handover()])) == [Outcome.UNKNOWN]
            await asyncio.sleep(0.4)
            centre.plan.latency = 0.0
            assert accepted(await gate.send([handover()])) == 1

    play(scene)
    assert [record for record in caplog.records if record.exc_info] == []


def test_both_sides_ask_whether_the_other_is_there(play):
    async def scene():
        async with rig(plan=Plan(heartbeat=0.1), idle=0.05) as (centre, gate, _):
            answers = 0
            hear = type(centre.sessions[0])._hear

            def watch(self, pdu):
                nonlocal answers
                answers += pdu.command == smpp.ENQUIRE_LINK_RESP
                hear(self, pdu)

            type(centre.sessions[0])._hear = watch
            try:
                await until(lambda: centre.count["enquiries"] >= 2 and answers >= 2)
            finally:
                type(centre.sessions[0])._hear = hear
            assert (centre.count["connections"], (await gate.check()).up) == (1, True)

    play(scene)


def test_an_unknown_request_is_answered_and_a_goodbye_is_honoured(play):
    async def scene():
        async with rig() as (centre, gate, _):
            centre.sessions[0].send(smpp.Plain(0x103, 0, 77))
            centre.sessions[0].send(smpp.Plain(smpp.UNBIND, 0, 78))
            await until(lambda: centre.count["binds"] == 2)

            assert accepted(await gate.send([handover()])) == 1

    play(scene)


def test_stopping_waits_for_answers_under_way(play):
    async def scene():
        async with rig(plan=Plan(latency=0.1)) as (centre, gate, _):
            task = asyncio.create_task(gate.send(handovers(5)))
            await until(lambda: len(centre.submitted) == 5)
            await gate.stop()

            assert accepted(await task) == 5
            assert outcomes(await gate.send([handover()])) == [Outcome.RETRY]

    play(scene)


def test_sequence_numbers_begin_again_after_the_last(play):
    async def scene():
        async with rig() as (_, gate, __):
            gate._sequence = smpp.HIGHEST - 5
            assert accepted(await gate.send(handovers(20))) == 20
            assert gate._sequence == 15

    play(scene)


def test_a_whole_night_of_trouble_loses_nothing_and_hides_nothing(play):
    async def scene():
        plan = Plan(
            throttle_every=97, close_every=401, duplicate_every=50, early=True, refuse={"10000000013": 0x0B}
        )
        async with rig(plan=plan) as (centre, gate, inbox):
            left, doubt, taken, refused = {one.id: one for one in handovers(1_500)}, 0, set(), 0
            while left:
                results = await gate.send(list(left.values()))
                for result in results:
                    part = result.parts[0]
                    if part.outcome in {Outcome.ACCEPTED, Outcome.REFUSED_ADDRESS}:
                        taken.add(part.provider_id)
                        refused += part.outcome is Outcome.REFUSED_ADDRESS
                        del left[result.id]
                    doubt += part.outcome is Outcome.UNKNOWN
                gate._pace = Pace(0, 0.0)
                await asyncio.sleep(0.01)
            await until(lambda: centre.stats()["owed"] == 0)

            assert centre.stats()["unique"] == 1_499
            assert refused == 1
            assert centre.stats()["repeated"] <= doubt
            assert taken - {""} <= {receipt.provider_id for receipt in inbox.items}

    play(scene)


# Speed.


def test_the_bucket_gives_the_rate_and_no_more():
    pace, now, sent = Pace(100, 0.0), 0.0, 0
    while now < 5:
        sent += pace.grant(1_000, now)
        now += 0.01

    assert 480 <= sent <= 511


def test_throttling_halves_once_a_second_and_grows_back():
    pace = Pace(100, 0.0)
    for _ in range(50):
        pace.slow(1.0)
    assert pace.rate == 50
    pace.slow(2.5)
    assert pace.rate == 25
    now = 2.5
    while now < 60:
        pace.grant(1, now)
        now += 0.1
    assert pace.rate == 100


def test_an_unlimited_gateway_slows_down_and_is_unlimited_again():
    pace, now = Pace(0, 0.0), 0.0
    assert pace.grant(500, now) == 500
    pace.slow(0.5)
    assert 0 < pace.rate <= 500
    while now < 200 and pace.rate:
        now += 0.1
        pace.grant(1, now)
    assert (pace.rate, pace.grant(500, now)) == (0, 500)


def test_a_rate_is_kept_on_the_wire(play):
    async def scene():
        async with rig(plan=Plan(receipts=""), rate=200) as (centre, gate, _):
            await gate.send(handovers(60))
            assert 0.15 < centre.stats()["seconds"] < 1.5

    play(scene)


# Settings.


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"password": ""}, "G003"),
        ({"windw": "5"}, "G002"),
        ({"window": "many"}, "G004"),
        ({"window": "0"}, "G004"),
        ({"port": "70000"}, "G004"),
        ({"tls": "maybe"}, "G005"),
        ({"content_codes": "x"}, "G006"),
        ({"mode": "both"}, "G007"),
        ({"validity": "long"}, "G007"),
        ({"tls": "yes", "tls_ca": "nowhere.pem"}, "G008"),
        ({"system_id": "x" * 16}, "G012"),
        ({"source": "1" * 21}, "G013"),
        ({"source_ton": "300"}, "G013"),
    ],
)
def test_a_wrong_setting_names_itself(more, code):
    with pytest.raises(SettingsError, match=code):
        gateways.load("sms_smpp", settings(2775) | more, clock=clock)


def test_the_registry_loads_the_gateway_and_knows_no_others():
    gate = gateways.load(
        "sms_smpp", settings(2775), name="移动", accepts=frozenset({"exercise"}), clock=clock
    )

    assert (gate.name, gate.channel, gate.accepts) == ("移动", "sms", frozenset({"exercise"}))
    assert [field.name for field in gate.fields if field.kind == "secret"] == ["password"]
    with pytest.raises(SettingsError, match=r"sms_smpp.*G009"):
        gateways.load("pigeon", {}, clock=clock)


def test_the_centre_keeps_to_its_own_plan():
    with pytest.raises(ValueError, match="windw"):
        msgspec.convert({"windw": 1}, Plan)
    assert Centre().plan == Plan()
