"""The writer: one transaction for many decisions, each of them whole; first answers, parked poison, cancelling."""

from __future__ import annotations

import threading

import msgspec
import pytest

from fengsui.core.facts import Alerted, DirectoryChanged, Notified, Reached
from fengsui.flow.clock import Jumping
from fengsui.flow.inputs import Input, Malformed, Parked, Signature, Unwritten
from fengsui.gateways.contract import Receipt, Reply
from fengsui.store import archive, history, inbox, people, rebuild
from fengsui.store.leases import Verdict
from fengsui.store.sql import Session
from fengsui.store.states import State
from fengsui.store.verify import verify
from tests.flow import district
from tests.flow.district import MINUTE, NIGHT, alert, facts, issue, send_all, take, writing


@pytest.fixture(autouse=True)
def populated(database):
    district.populate(database)


def test_a_red_warning_is_one_commit_with_all_its_deliveries(database, session):
    with writing(database) as writer:
        answer = issue(writer)
        writer.settle().result(10)

    assert (answer.seq, answer.code) == (1, "")
    entries = session.run("SELECT kind, cause, pack <> '', release FROM ledger ORDER BY seq")
    assert entries[0] == ("alerted", "", 1 if not database.url else True, "0.1.0")
    assert all(cause and not release for _, cause, _, release in entries[1:])
    told = {r.person for r in _recipients(session)}
    assert {p for (p,) in session.run("SELECT recipient FROM delivery WHERE responsible = 1")} == told
    assert session.run("SELECT count(*) FROM delivery WHERE responsible = 0")[0][0] > 0
    assert list(verify(session, database.vault)) == []
    assert rebuild.rebuild(session, "Asia/Shanghai") == 0


def test_the_world_and_its_seq_are_taken_together(database, session):
    with writing(database) as writer:
        issue(writer)
        writer.settle().result(10)
        world, seq = writer.position

    facts_ = [line.fact for line in history.since(session, 0) if line.seq <= seq]
    assert seq == history.last_seq(session) > 1
    assert world.at("incident-1").last == max(f.at for f in facts_ if f.stream == "incident-1")


def _recipients(session):
    return [
        r
        for line in history.since(session, 0)
        if isinstance(line.fact, Notified)
        for r in line.fact.recipients
    ]


def test_many_inputs_share_a_commit_and_each_has_its_answer(database):
    with writing(database) as writer:
        issue(writer)
        everyone = [p.id for p in district.everyone().people]
        told = set(writer.world.streams["incident-1"].notices.people)
        futures = [
            writer.post(Input(f"reply-{p}", Reached("incident-1", NIGHT, p, "", "sms", "acknowledged", 1)))
            for p in everyone
        ]
        answers = {p: f.result(10) for p, f in zip(everyone, futures, strict=True)}

    assert {p for p, a in answers.items() if a.seq} == told
    assert {a.code for p, a in answers.items() if p not in told} <= {"N01"}


def test_a_repeated_input_gets_its_first_answer(database, session):
    with writing(database) as writer:
        first = issue(writer)
        again = [issue(writer) for _ in range(2)]
    with writing(database) as writer:
        later = issue(writer)

    assert [*again, later] == [first] * 3
    assert len(facts(session, "alerted")) == 1


def test_the_same_input_twice_in_one_round_is_one(database, session):
    with writing(database) as writer:
        with writer._queue.ready:  # both wait before the writer looks
            pass
        one = Input("form", alert())
        futures = [writer.post(one) for _ in range(5)]
        answers = {f.result(10) for f in futures}

    assert {a.seq for a in answers} == {1}
    assert len(facts(session, "alerted")) == 1


def test_poison_is_parked_and_stops_nobody(database, session):
    pack = district.yunzhou()
    broken = msgspec.structs.replace(
        pack,
        texts=msgspec.structs.replace(pack.texts, templates=dict.fromkeys(pack.texts.templates, "{nothing}")),
    )
    alarms = []
    with writing(database, pack=broken) as writer:
        writer.alarm.append(alarms.append)
        poison = writer.post(Input("poison", alert()))
        good = writer.post(Input("good", DirectoryChanged("district", NIGHT, "corrected", "media", "p")))
        with pytest.raises(Parked, match="R020"):
            poison.result(10)
        assert good.result(10).ok

    assert [id_ for (id_,) in session.run("SELECT id FROM parked")] == ["poison"]
    assert [a.code for a in alarms] == ["R020"]
    assert facts(session, "alerted") == []
    assert session.run("SELECT count(*) FROM delivery") == [(0,)]


def test_two_persons_sign_or_nothing_happens(database, session):
    with writing(database) as writer:
        paper = archive.Paper("alert", b"{}")
        fact = alert(paper=paper.digest)
        alone = Input("a", fact, (paper,), (Signature(paper.digest, "x", "x"),))
        both = Input("b", fact, (paper,), (Signature(paper.digest, "x", "y"),))
        refused, signed = writer.post(alone).result(10), writer.post(both).result(10)

    assert (refused.code, refused.seq, signed.seq) == ("R021", 0, 1)
    assert session.run("SELECT author_person, signer_person FROM signature") == [("x", "y")]


def test_what_a_refused_input_brought_is_not_written(database, session):
    with writing(database) as writer:
        issue(writer)
        stale = Input("b", alert(1, "orange"), (), (Signature("p", "x", "y"),))
        answer = writer.post(stale).result(10)

    assert answer.code == "A01"
    assert session.run("SELECT count(*) FROM signature") == [(0,)]


def test_an_edit_and_its_fact_are_one(database, session):
    gone = district.everyone().people[0]
    with writing(database) as writer:
        fact = DirectoryChanged("district", NIGHT, "departed", gone.unit, gone.id)
        assert writer.post(Input("e", fact, edit=people.Edit(departed=(gone.id,)))).result(10).ok
        assert gone.id not in writer.world.directory.persons
        digest = writer.world.directory.digest

    (line,) = [x for x in history.since(session, 0) if isinstance(x.fact, DirectoryChanged)]
    assert line.fact.digest == digest == people.snapshot(session, frozenset({"sms"})).digest


def test_handing_over_and_receipts_become_facts_of_responsible_persons(database, session):
    with writing(database) as writer:
        issue(writer)
        writer.settle().result(10)
        sent = send_all(writer)
        batch = [Receipt(f"{r.id}-{i}", "delivered") for r in sent for i in range(r.parts)]
        writer.post_receipts("sms_1", batch).result(10)
        writer.post_receipts("sms_1", batch).result(10)
        writer.settle().result(10)

    told = sum(
        len(line.fact.recipients) for line in history.since(session, 0) if isinstance(line.fact, Notified)
    )
    reached = [x.fact.state for x in history.since(session, 0) if isinstance(x.fact, Reached)]
    assert (reached.count("handed_over"), reached.count("delivered")) == (told, told)
    assert session.run("SELECT DISTINCT state FROM delivery") == [(int(State.DELIVERED),)]
    assert len(facts(session, "tallied")) == session.run("SELECT count(*) FROM notice_channel")[0][0]
    assert not any("100" + "0000" in body for body in facts(session))
    assert rebuild.rebuild(session, "Asia/Shanghai") == 0


def test_whom_every_way_refused_is_exhausted_and_his_number_is_dead(database, session):
    with writing(database) as writer:
        issue(writer)
        token, rows = take(writer, 1)
        refused = Verdict(rows[0].id, token, end=State.REFUSED, code="1", dead=True)
        writer.post_results("sms_1", [refused]).result(10)
        assert writer.world.directory.persons[rows[0].recipient].channels == ()

    assert [f"{rows[0].recipient}" in body and "address" in body for body in facts(session, "exhausted")] == [
        True
    ]
    assert len(facts(session, "directory_changed")) == 1


def test_without_a_lane_everybody_is_exhausted_at_once(database, session):
    exercise_only = msgspec.structs.replace(district.SMS, accepts=frozenset({"exercise"}))
    with writing(database, lanes=(exercise_only,)) as writer:
        issue(writer)
        writer.settle().result(10)
        assert take(writer)[1] == []

    assert session.run("SELECT DISTINCT state, code FROM delivery") == [(int(State.REFUSED), "no-lane")]
    assert len(facts(session, "exhausted")) > 0


def test_cancelling_names_whom_it_spared_and_tells_the_others(database, session):
    with writing(database) as writer:
        issue(writer)
        _, rows = take(writer, 3)
        told = set(writer.world.streams["incident-1"].notices.people)
        assert issue(writer, 2, "").ok
        writer.settle().result(10)

    (cancelled,) = [
        x.fact for x in history.since(session, 0) if isinstance(x.fact, Alerted) and not x.fact.zones
    ]
    tried = {r.recipient for r in rows}
    assert set(cancelled.withdrawn) == told - tried
    notified = [
        x.fact
        for x in history.since(session, 0)
        if isinstance(x.fact, Notified) and "all_clear" in x.fact.key
    ]
    cleared = {r.person for f in notified for r in f.recipients}
    assert (tried - cleared, cleared & set(cancelled.withdrawn)) == (set(), set())


def test_a_cancellation_that_is_refused_withdraws_nothing(database, session):
    with writing(database) as writer:
        issue(writer)
        assert issue(writer, 9, "").code == "A01"

    assert session.run("SELECT count(*) FROM delivery WHERE state = 6") == [(0,)]


def test_time_comes_once_and_the_ladder_climbs(database, session):
    clock = Jumping(NIGHT)
    with writing(database, clock) as writer:
        issue(writer)
        for _ in range(40):
            clock.jump(clock.now() + MINUTE)
            writer.due()
            writer.settle().result(10)

    assert (
        len(facts(session, "time_reached"))
        == session.run("SELECT count(DISTINCT id) FROM ledger WHERE kind = 'time_reached'")[0][0]
    )
    assert len(facts(session, "step_taken")) > 0
    assert rebuild.rebuild(session, "Asia/Shanghai") == 0
    assert list(verify(session, database.vault)) == []


def test_what_another_writer_added_is_folded_first(database, session):
    with writing(database) as one, writing(database) as two:
        assert issue(one).seq == 1
        assert issue(two, 1, "orange").code == "A01"
        assert issue(two, 2, "orange").ok
        assert issue(one, 2, "red").code == "A01"
        assert issue(one, 3, "red").ok

    assert list(verify(session, database.vault)) == []
    assert rebuild.rebuild(session, "Asia/Shanghai") == 0


def test_two_writers_answer_at_once_and_the_chain_holds(database, session):
    with writing(database) as one, writing(database) as two:
        issue(one)
        two.due()
        told = sorted(one.world.streams["incident-1"].notices.people)
        answers = [
            writer.post(Input(f"{n}-{p}", Reached("incident-1", NIGHT, p, "", "sms", "acknowledged", 1)))
            for p in told
            for n, writer in enumerate((one, two))
        ]
        assert all(a.result(20).ok for a in answers)

    assert list(verify(session, database.vault)) == []
    assert rebuild.rebuild(session, "Asia/Shanghai") == 0


@pytest.mark.parametrize("written", [True, False])
def test_an_unknown_outcome_is_looked_up(written, database, session):
    with writing(database) as writer:
        issue(writer)
        writer.settle().result(10)
        commit = Session.commit

        def lost(self: Session) -> None:
            self.commit = lambda: commit(self)
            commit(self) if written else self.rollback()
            raise __import__("sqlite3").OperationalError("connection lost")

        writer._session.commit = lambda: lost(writer._session)
        future = writer.post(Input("unsure", alert(2, "orange")))
        if written:
            assert future.result(10).seq > 1
        else:
            with pytest.raises(Unwritten):
                future.result(10)
        again = writer.post(Input("unsure", alert(2, "orange"))).result(10)
        assert again.ok

    assert len(facts(session, "alerted")) == 2
    assert list(verify(session, database.vault)) == []
    assert rebuild.rebuild(session, "Asia/Shanghai") == 0


def _until_it_fails(writer):
    for version in range(2, 12):
        issue(writer, version, "orange" if version % 2 == 0 else "red")


def test_a_full_disk_is_said_and_nothing_is_half_done(database, session):
    if database.url:
        return
    with writing(database) as writer:
        issue(writer)
        before = session.run("SELECT count(*) FROM ledger")
        pages = writer._session.run("PRAGMA page_count")[0][0]
        writer._session.run(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(Unwritten, match="R011"):
            _until_it_fails(writer)
        broken = 1 + len(facts(session, "alerted"))
        assert before < session.run("SELECT count(*) FROM ledger") or broken == 2
        writer._session.run(f"PRAGMA max_page_count = {pages * 100}")
        assert issue(writer, broken, "orange" if broken % 2 == 0 else "red").ok

    assert list(verify(session, database.vault)) == []
    assert rebuild.rebuild(session, "Asia/Shanghai") == 0


def test_what_comes_in_is_stored_once_and_encrypted(database, session):
    reply = Reply("10000000001", "1069001", "1 收到")
    with writing(database) as writer:
        first = writer.post_inbound("sms_1", [reply]).result(10)
        again = writer.post_inbound("sms_1", [reply]).result(10)

    assert (len(first), again) == (1, [])
    assert inbox.new(session, database.vault) == [
        (first[0], "sms_1", reply.sender, reply.recipient, reply.text)
    ]
    assert reply.sender.encode() not in bytes(session.run("SELECT cipher FROM inbox")[0][0])


def test_waiters_are_woken_after_the_commit(database):
    seen = []
    woken = threading.Event()
    with writing(database) as writer:
        writer.wake.append(lambda change: (seen.append(change), woken.set()))
        answer = issue(writer)
        assert woken.wait(5)

    assert seen[0].streams == ("incident-1",)
    assert seen[0].deliveries
    assert seen[0].seq >= answer.seq


def test_what_no_database_can_store_is_refused_at_the_door(database):
    with writing(database) as writer:
        for bad in ("a\0b", "a\ud800b"):
            with pytest.raises(Malformed, match="R024"):
                writer.post(Input(bad, alert())).result(10)
        assert issue(writer).ok


def test_one_input_that_the_database_refuses_fails_alone(database, session):
    with writing(database) as writer:
        issue(writer)
        writer.settle().result(10)
        bad = alert(2, "orange", hazard="rainstorm", paper="\0")
        futures = [writer.post(Input("bad", bad, (), (Signature("p\0", "x", "y"),)))]
        told = sorted(writer.world.streams["incident-1"].notices.people)[:5]
        futures += [
            writer.post(Input(f"r-{p}", Reached("incident-1", NIGHT, p, "", "sms", "acknowledged", 1)))
            for p in told
        ]
        assert all(f.result(10).ok for f in futures[1:])
        if database.url:
            with pytest.raises(Unwritten):
                futures[0].result(10)

    assert list(verify(session, database.vault)) == []
    assert rebuild.rebuild(session, "Asia/Shanghai") == 0


def test_a_job_that_fails_writes_nothing_and_stops_nobody(database, session):
    """Results beside it in the same round are written once, with the facts they are."""
    district.populate(database)
    alarms = []
    with writing(database) as writer:
        writer.alarm.append(alarms.append)
        assert issue(writer).ok
        writer.settle().result(10)
        tokens = [district.take(writer, 5) for _ in range(2)]

        def broken(this):
            this.session.run("INSERT INTO parked (id, input, error, at) VALUES ('x', '', '', 0)")
            raise RuntimeError("broken")

        def accepted(token, rows):
            return [Verdict(r.id, token, (1 << r.parts) - 1) for r in rows]

        with writer._queue.ready:  # so that they meet in one round
            told = [writer.post_results("sms_1", accepted(*tokens[0])), writer._job(broken, 1)]
            told.append(writer.post_results("sms_1", accepted(*tokens[1])))
        assert (told[0].result(10), told[2].result(10)) == (5, 5)
        with pytest.raises(Parked):
            told[1].result(10)

    assert [a.code for a in alarms] == ["R023"]
    assert session.run("SELECT count(*) FROM parked") == [(0,)]
    assert session.run("SELECT count(*) FROM delivery WHERE state = 2") == [(10,)]
    reached = [b for b in district.facts(session, "reached") if '"handed_over"' in b]
    assert len(reached) == len(set(reached)) == 10
    assert list(verify(session, database.vault)) == []
    assert rebuild.rebuild(session, "Asia/Shanghai") == 0


def test_who_stops_waiting_does_not_stop_the_writer(database):
    with writing(database) as writer:
        future = writer.post(Input("form", alert()))
        assert not future.cancel()
        assert future.result(10).ok

    with pytest.raises(Unwritten, match="R013"):
        writer.post(Input("late", alert())).result(1)


def test_a_moment_that_the_mind_does_not_take_is_an_alarm_and_no_busy_loop(database, session):
    clock = Jumping(NIGHT)
    alarms, rounds = [], []
    with writing(database, clock) as writer:
        writer.alarm.append(alarms.append)
        issue(writer)
        writer.settle().result(10)
        session.run("UPDATE board SET run_at = ? WHERE id = (SELECT min(id) FROM board)", NIGHT - 1)
        session.run("UPDATE board SET run_at = NULL WHERE run_at > ?", NIGHT)
        for _ in range(2):
            writer.due()
            writer.settle().result(10)
        original = writer._round
        writer._round = lambda waiting: (rounds.append(1), original(waiting))[1]
        threading.Event().wait(1.2)

    assert len(rounds) <= 4
    assert [a.code for a in alarms] == ["R022"]


def test_a_cancellation_that_nobody_signed_withdraws_nothing(database, session):
    with writing(database) as writer:
        issue(writer)
        alone = Input("c", alert(2, ""), (), (Signature("p", "x", "x"),))
        assert writer.post(alone).result(10).code == "R021"

    assert session.run("SELECT count(*) FROM delivery WHERE state = 6") == [(0,)]
