"""The table of deliveries is the queue: leases fence, states rise, nothing is counted twice."""

from __future__ import annotations

import pytest

from fengsui.store import leases, outbox, receipts, tally
from fengsui.store.lanes import Lane
from fengsui.store.leases import Verdict
from fengsui.store.receipts import Receipt
from fengsui.store.states import State
from tests.store import deliveries
from tests.store.deliveries import NOW, SECOND, members, states, told


def lease(session, lane="sms_1", now=NOW, token=7, limit=250):
    way = Lane(lane, "sms", frozenset({"test"}))
    return leases.lease(session, way, (), now=now, until=now + 60 * SECOND, token=token, limit=limit)[0]


def accepted(row, token=7, provider="a1"):
    return Verdict(row.id, token, 1, provider_ids=((0, provider),))


def test_red_goes_before_blue_and_persons_before_lists(database, session):
    members(session, database.vault, 2)
    with session.transaction():
        deliveries.a_notice(session, level="red", lists=("public",))
    told(session, database.vault, "late", level="blue")
    told(session, database.vault, "first", level="red")
    while outbox.fan_out_slice(session, NOW)[1]:
        pass

    assert [row.recipient[:5] for row in lease(session)][:1] == ["first"]
    assert [row.recipient for row in lease(session, token=8, limit=9)] == []


def test_one_number_in_two_lists_is_told_once(database, session):
    members(session, database.vault, 3)
    members(session, database.vault, 2, name="schools")
    with session.transaction():
        notice = deliveries.a_notice(session, lists=("public", "schools"))
    while outbox.fan_out_slice(session, NOW)[0]:
        pass

    assert deliveries.tally(session, notice) == {"planned": 3, "open": 3}


def test_only_members_in_the_zones_are_told(database, session):
    members(session, database.vault, 2, area="140215209")
    members(session, database.vault, 4, area="140215202", name="far")
    with session.transaction():
        notice = deliveries.a_notice(session, lists=("public", "far"), zones=("140215209201",))
    while outbox.fan_out_slice(session, NOW)[0]:
        pass

    assert deliveries.tally(session, notice) == {"planned": 2, "open": 2}


def test_a_fan_out_goes_on_where_it_was_broken_off(database, session):
    members(session, database.vault, 25)
    with session.transaction():
        notice = deliveries.a_notice(session, lists=("public",))
    session.begin()
    outbox.fan_out_slice(session, NOW, 10)
    session.commit()
    session.begin()
    outbox.fan_out_slice(session, NOW, 10)
    session.rollback()

    made = []
    while (step := outbox.fan_out_slice(session, NOW, 10))[0]:
        made.append(step[1])

    assert made[:2] == [10, 5]
    assert deliveries.tally(session, notice) == {"planned": 25, "open": 25}


def test_a_lease_is_exclusive_and_its_result_counts_once(database, session):
    notice = told(session, database.vault, "p1", "p2")
    rows = lease(session)

    assert [r.recipient for r in rows] == ["p1", "p2"]
    assert lease(session, token=8) == []
    assert leases.finish(session, "sms_1", [accepted(rows[0], token=8)], NOW).rows == 0
    assert [m.recipient for m in leases.finish(session, "sms_1", [accepted(rows[0])], NOW).persons] == ["p1"]
    assert leases.finish(session, "sms_1", [accepted(rows[0])], NOW).rows == 0
    assert states(session) == {"p1": State.HANDED_OVER, "p2": State.PLANNED}
    assert deliveries.tally(session, notice) == {"planned": 2, "open": 1, "handed": 1}


def test_the_address_comes_with_the_lease_and_is_gone_when_erased(database, session):
    told(session, database.vault, "p1", "p2")
    session.run("DELETE FROM address WHERE person = 'p2'")

    first, second = lease(session)

    assert database.vault.decrypt(bytes(first.cipher), "address") == "10000000000"
    assert second.cipher is None


def test_a_lost_lease_changes_nothing_but_keeps_the_peers_id(database, session):
    told(session, database.vault, "p1")
    (row,) = lease(session)
    leases.expire_doubtful(session, NOW + 61 * SECOND)
    (again,) = lease(session, now=NOW + 61 * SECOND, token=8)
    assert again.doubtful == 1

    assert leases.finish(session, "sms_1", [accepted(row, provider="old")], NOW).rows == 0
    assert states(session) == {"p1": State.PLANNED}
    moved = receipts.apply(session, "sms_1", [Receipt("old", "delivered")], NOW).persons

    assert [(m.recipient, m.state) for m in moved] == [("p1", State.DELIVERED)]
    assert lease(session, now=NOW + 999 * SECOND, token=9) == []


@pytest.mark.parametrize(
    ("level", "end"),
    [("red", State.PLANNED), ("orange", State.PLANNED), ("yellow", State.UNKNOWN), ("blue", State.UNKNOWN)],
)
def test_an_expired_lease_means_unknown(level, end, database, session):
    members(session, database.vault, 1)
    with session.transaction():
        notice = deliveries.a_notice(session, level=level, lists=("public",))
    outbox.fan_out_slice(session, NOW)
    told(session, database.vault, "p1", level=level)
    assert len(lease(session)) == 2

    assert leases.expire_doubtful(session, NOW + 59 * SECOND) == []
    moved = leases.expire_doubtful(session, NOW + 60 * SECOND)

    assert len(moved) == (1 if end else 0)
    assert session.run("SELECT state, doubtful FROM delivery ORDER BY responsible") == [
        (end, 1),
        (State.PLANNED, 1),
    ]
    assert deliveries.tally(session, notice) == (
        {"planned": 1, "unknown": 1} if end else {"planned": 1, "open": 1}
    )


def test_a_row_that_is_put_off_goes_on_until_its_warning_expires(database, session):
    told(session, database.vault, "p1")
    now = NOW
    for turn in range(1, 31):
        (row,) = lease(session, now=now, token=turn)
        assert row.attempts == turn
        later = Verdict(row.id, turn, run_at=now + SECOND, code="busy")
        assert leases.finish(session, "sms_1", [later], now).rows == 0
        now += SECOND

    assert outbox.expire(session, NOW + 3599 * SECOND) == []
    moved = outbox.expire(session, NOW + 3600 * SECOND)

    assert [m.state for m in moved] == [State.EXPIRED]
    assert session.run("SELECT state, code FROM delivery") == [(State.EXPIRED, "busy")]
    assert lease(session, now=NOW + 3600 * SECOND) == []


def test_what_may_have_gone_out_expires_as_unknown(database, session):
    notice = told(session, database.vault, "p1", "p2")
    (one, _) = lease(session)
    leases.finish(session, "sms_1", [Verdict(one.id, 7, end=State.UNKNOWN)], NOW)

    assert outbox.expire(session, NOW + 3600 * SECOND)[0].state == State.UNKNOWN  # the other is leased
    assert deliveries.tally(session, notice) == {"planned": 2, "open": 1, "unknown": 1}


def test_released_rows_were_never_tried(database, session):
    told(session, database.vault, "p1")
    (row,) = lease(session)

    assert leases.release(session, 8, [row.id], NOW) == 0
    assert leases.release(session, 7, [row.id], NOW) == 1
    outbox.withdraw(session, "s")
    assert outbox.unsent(session, "s", [("k", "p1")]) == ("p1",)


def test_a_receipt_before_its_answer_is_kept_until_then(database, session):
    told(session, database.vault, "p1")
    (row,) = lease(session)
    words = [Receipt("a1", "delivered"), Receipt("x", "failed", "1", dead=True)]
    assert receipts.apply(session, "sms_1", words, NOW).rows == 0
    assert session.run("SELECT provider_id, dead FROM early_receipt ORDER BY id") == [("a1", 0), ("x", 1)]

    moved = leases.finish(session, "sms_1", [accepted(row)], NOW).persons

    assert [m.state for m in moved] == [State.HANDED_OVER, State.DELIVERED]
    assert session.run("SELECT count(*) FROM early_receipt") == [(1,)]


@pytest.mark.parametrize(
    "order", [("delivered", "failed"), ("failed", "delivered"), ("delivered", "expired", "delivered")]
)
@pytest.mark.parametrize("together", [True, False])
def test_the_order_of_receipts_does_not_matter(order, together, database, session):
    notice = told(session, database.vault, "p1")
    leases.finish(session, "sms_1", [accepted(lease(session)[0])], NOW)
    batch = [Receipt("a1", word) for word in order]
    for words in [batch] if together else [[w] for w in batch]:
        receipts.apply(session, "sms_1", words, NOW)

    assert states(session) == {"p1": State.DELIVERED}
    assert deliveries.tally(session, notice)["delivered"] == 1
    assert deliveries.tally(session, notice)["handed"] == 1


def test_a_long_text_is_delivered_when_every_part_is(database, session):
    told(session, database.vault, "p1", parts=3)
    (row,) = lease(session)
    half = Verdict(row.id, 7, 0b011, run_at=NOW, provider_ids=((0, "a"), (1, "b")))
    assert leases.finish(session, "sms_1", [half], NOW).rows == 0
    (again,) = lease(session, token=8)
    assert again.accepted == 0b011
    moved = leases.finish(
        session, "sms_1", [Verdict(row.id, 8, 0b100, provider_ids=((2, "c"),))], NOW
    ).persons
    assert [m.state for m in moved] == [State.HANDED_OVER]

    assert (
        receipts.apply(session, "sms_1", [Receipt("c", "delivered"), Receipt("a", "delivered")], NOW).rows
        == 0
    )
    moved = receipts.apply(session, "sms_1", [Receipt("b", "delivered")], NOW).persons

    assert [m.state for m in moved] == [State.DELIVERED]


def test_receipts_of_all_kinds_together_are_each_applied(database, session):
    """Of one part and of several, of persons and of lists, first and again, failed and unknown, in one call."""
    members(session, database.vault, 2)
    with session.transaction():
        lists = deliveries.a_notice(session, lists=("public",))
    while outbox.fan_out_slice(session, NOW)[0]:
        pass
    notice = told(session, database.vault, "one", "failed", "twice")
    long = told(session, database.vault, "long", parts=2, stream="other")
    taken = [
        Verdict(
            r.id,
            7,
            (1 << r.parts) - 1,
            provider_ids=tuple((i, f"{r.recipient or r.id}{i}") for i in range(r.parts)),
        )
        for r in lease(session)
    ]
    names = [name for v in taken for _, name in v.provider_ids]
    assert leases.finish(session, "sms_1", taken, NOW).rows == 6
    assert receipts.apply(session, "sms_1", [Receipt("twice0", "delivered")], NOW).rows == 1

    words = [Receipt(name, "delivered") for name in [*names, "nobody"] if name != "failed0"]
    risen = receipts.apply(session, "sms_1", [*words, Receipt("failed0", "failed", "027")], NOW)

    assert risen.rows == 5
    assert {(m.recipient, m.state) for m in risen.persons} == {
        ("one", State.DELIVERED), ("long", State.DELIVERED), ("failed", State.FAILED)
    }  # fmt: skip
    assert session.run("SELECT provider_id FROM early_receipt") == [("nobody",)]
    assert session.run("SELECT code FROM delivery WHERE state = 5") == [("027",)]
    assert deliveries.tally(session, lists) == {"planned": 2, "handed": 2, "delivered": 2}
    assert deliveries.tally(session, notice) == {"planned": 3, "handed": 3, "delivered": 2, "failed": 1}
    assert deliveries.tally(session, long) == {"planned": 1, "handed": 1, "delivered": 1}
    assert receipts.apply(session, "sms_1", words, NOW).rows == 0


def test_receipts_of_another_gateway_are_not_ours(database, session):
    told(session, database.vault, "p1")
    leases.finish(session, "sms_1", [accepted(lease(session)[0])], NOW)

    assert receipts.apply(session, "sms_2", [Receipt("a1", "delivered")], NOW).rows == 0
    assert receipts.forget_early(session, NOW + 1) == 1


def test_withdrawing_names_only_whom_nobody_tried_to_reach(database, session):
    members(session, database.vault, 30)
    notice = told(session, database.vault, "p1", "p2", "p3")
    told(session, database.vault, "p3", stream="s", key="again")
    with session.transaction():
        lists = deliveries.a_notice(session, lists=("public",), key="lists")
    outbox.fan_out_slice(session, NOW, 10)
    (tried,) = lease(session, limit=1)
    assert tried.recipient == "p1"

    outbox.withdraw(session, "s")
    pairs = [*(("k", p) for p in ("p1", "p2", "p3")), ("again", "p3"), ("unknown", "p1")]
    assert outbox.unsent(session, "s", pairs) == ("p2", "p3")
    while outbox.drain(session, 4):
        pass

    assert outbox.fan_out_slice(session, NOW)[0] == 0
    assert lease(session, token=8) == []
    assert deliveries.tally(session, lists) == {"planned": 10, "withdrawn": 10}
    assert deliveries.tally(session, notice) == {"planned": 3, "open": 1, "withdrawn": 2}
    leases.finish(session, "sms_1", [Verdict(tried.id, 7, run_at=NOW, code="busy")], NOW)
    while outbox.drain(session, 4):
        pass
    assert set(states(session).values()) == {State.WITHDRAWN}


def test_waiting_rows_move_to_another_lane_as_far_as_they_may_leave_there(database, session):
    """Not what is held, what a peer has begun to take, or what was withdrawn; at once, whatever it was waiting for."""
    told(session, database.vault, "held", "begun", "busy", parts=2)
    rows = lease(session, limit=3)
    put_off = {"run_at": NOW + 99 * SECOND, "code": "busy"}
    verdicts = [
        Verdict(rows[1].id, 7, 0b01, provider_ids=((0, "a"),), **put_off),
        Verdict(rows[2].id, 7, **put_off),
    ]
    leases.finish(session, "sms_1", verdicts, NOW)
    told(session, database.vault, "gone", stream="other")
    outbox.withdraw(session, "other")

    assert leases.reroute(session, "sms_1", Lane("sms_2", "sms", frozenset({"actual"})), NOW) == 0
    assert leases.reroute(session, "sms_1", Lane("sms_2", "sms", frozenset({"test", "actual"})), NOW) == 1
    assert [r.recipient for r in lease(session, "sms_2", token=8)] == ["busy"]


def test_what_is_in_doubt_waits_no_longer_once_the_lane_works(database, session):
    told(session, database.vault, "doubtful", "busy")
    rows = lease(session)
    later = NOW + 480 * SECOND
    verdicts = [Verdict(r.id, 7, end=e, run_at=later) for r, e in zip(rows, (State.UNKNOWN, 0), strict=True)]
    leases.finish(session, "sms_1", verdicts, NOW)

    assert leases.revive(session, "sms_2", NOW + 60 * SECOND) == 0
    assert leases.revive(session, "sms_1", NOW + 60 * SECOND) == 1
    assert lease(session, now=NOW + 59 * SECOND, token=8) == []
    assert [(r.recipient, r.doubtful) for r in lease(session, now=NOW + 60 * SECOND, token=9)] == [
        ("doubtful", 1)
    ]


def test_a_person_is_exhausted_when_every_way_has_failed(database, session):
    notice = told(session, database.vault, "p1", "p2")
    first, second = lease(session)
    leases.finish(
        session,
        "sms_1",
        [Verdict(first.id, 7, end=State.REFUSED, code="no", dead=True), accepted(second)],
        NOW,
    )

    assert outbox.exhausted(session, [(notice, "p1"), (notice, "p2")]) == [(notice, "p1", True)]
    assert session.run("SELECT person FROM address WHERE state = 'dead'") == [("p1",)]


def test_a_channel_is_over_once(database, session):
    members(session, database.vault, 2)
    with session.transaction():
        notice = deliveries.a_notice(session, lists=("public",))
    assert tally.over(session) == []
    while outbox.fan_out_slice(session, NOW)[0]:
        pass
    first, second = lease(session)
    leases.finish(session, "sms_1", [accepted(first)], NOW)
    assert tally.over(session) == []
    leases.finish(session, "sms_1", [Verdict(second.id, 7, end=State.REFUSED)], NOW)

    assert tally.over(session) == [(notice, "sms", {"planned": 2, "handed_over": 1, "refused": 1})]
    assert tally.over(session) == []
