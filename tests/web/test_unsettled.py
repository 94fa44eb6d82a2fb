"""A signature of which nobody can say at once whether it was recorded: it is neither lost, nor repeated, nor mistaken for another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from fengsui.store.accounts import Draft
from fengsui.store.departures import KIND
from fengsui.web import here, signing
from tests.web.site import INCIDENT, Site
from tests.web.test_correct import alone
from tests.web.test_issue import FENGYU, JULE, PASSWORD, alerts, form, sign, submitted, trust
from tests.web.test_leaving import later, until


@contextmanager
def slow(site: Site, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """The writer takes longer over whatever is posted than a page waits."""
    writer, gate = site.house.writer, threading.Event()
    one = writer._one

    def held(waiting: Any) -> bool:
        if waiting.inputs:
            gate.wait(10)
        return one(waiting)

    with patch.context() as inner:
        inner.setattr(writer, "_one", held)
        inner.setattr(here, "WAIT", 0.05)
        yield
        gate.set()


class Killed(BaseException):
    """The process is gone."""


@contextmanager
def killed(patch: pytest.MonkeyPatch, *, written: bool) -> Iterator[None]:
    """The process dies as soon as the ledger has what was posted, or just before it is posted."""
    record = here.record

    def dying(*args: Any, **more: Any) -> Any:
        if written:
            record(*args, **more)
        raise Killed

    with patch.context() as inner:
        inner.setattr(here, "record", dying)
        yield


def do(site: Site, role: str, draft: Draft, act: str) -> int:
    return trust(site, role).post(f"/issue/{draft.pk}", {"do": act, "remark": "重写"}).status_code


def state(draft: Draft) -> str:
    draft.refresh_from_db()
    return draft.state


def zones(site: Site) -> list[list[str]]:
    return [sorted(fact.zones) for fact in alerts(site)]


def test_what_is_being_written_is_nobodys_to_change_and_a_changed_warning_is_another(
    quiet: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = submitted(quiet)
    with slow(quiet, monkeypatch):
        answer = sign(trust(quiet, "signer"), draft)
        assert (answer.status_code, "W218" in answer.content.decode()) == (409, True)
        assert (do(quiet, "forecaster", draft, "take"), do(quiet, "signer", draft, "return")) == (409, 409)
        page = trust(quiet, "signer").get(f"/issue/{draft.pk}").content.decode()
        assert ("正在写入" in page, 'value="undo"' in page, 'value="sign"' in page) == (True, False, False)

    until(lambda: state(draft) == "signed")
    other = submitted(quiet, form="token-2", zone=[FENGYU])
    assert (other.pk == draft.pk, sign(trust(quiet, "signer"), other).status_code) == (False, 303)

    assert zones(quiet) == [[JULE], [FENGYU]]
    assert not Draft.objects.filter(kind=KIND).exists()


def test_a_correction_of_one_person_is_settled_as_well(quiet: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet.issue()
    with slow(quiet, monkeypatch):
        answer = alone(quiet)
        assert "正在写入" in trust(quiet, "forecaster").get(answer["Location"]).content.decode()

    until(Draft.objects.filter(state="signed").exists)

    assert not quiet.state(INCIDENT).alert.holds


@pytest.mark.parametrize("written", [True, False])
def test_a_kill_while_it_is_posted_leaves_one_warning_and_no_alarm(
    quiet: Site, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    draft, heard = submitted(quiet), []
    quiet.house.writer.alarm.append(heard.append)
    with killed(monkeypatch, written=written), pytest.raises(Killed):
        sign(trust(quiet, "signer"), draft)
    assert do(quiet, "forecaster", draft, "take") == 409

    later(quiet, signing.LEASE // 1_000_000)
    until(lambda: state(draft) == "signed")

    assert (zones(quiet), heard) == ([[JULE]], [])


def test_what_is_refused_waits_for_a_signature_again(quiet: Site) -> None:
    first, second = submitted(quiet), submitted(quiet, form="token-2", cause="受低涡影响，")
    assert sign(trust(quiet, "signer"), first).status_code == 303
    fields = {"do": "sign", "seen": signing.seen(second), "password": PASSWORD, "typed": "红色"}

    answer = trust(quiet, "signer").post(f"/issue/{second.pk}", fields)

    assert (answer.status_code, "A10" in answer.content.decode(), state(second)) == (409, True, "submitted")
    assert not Draft.objects.filter(kind=KIND).exists()
    assert do(quiet, "forecaster", second, "take") == 303


def test_what_the_ledger_has_is_neither_taken_back_nor_given_back(quiet: Site) -> None:
    """The desk's own file was restored from before the signature."""
    draft = submitted(quiet)
    assert sign(trust(quiet, "signer"), draft).status_code == 303
    Draft.objects.filter(pk=draft.pk).update(state="submitted")

    answers = do(quiet, "forecaster", draft, "take"), do(quiet, "signer", draft, "return")

    assert (answers, state(draft)) == ((409, 409), "submitted")


def test_taking_back_too_late_costs_no_other_draft(quiet: Site) -> None:
    draft = submitted(quiet)
    other = begun(quiet)
    assert sign(trust(quiet, "signer"), draft).status_code == 303

    assert do(quiet, "forecaster", draft, "take") == 409

    assert state(other) == "open"
    assert "另一份写了半小时的稿，" in trust(quiet, "forecaster").get("/issue").content.decode()


def begun(site: Site) -> Draft:
    """Another warning that the forecaster is writing, on the same page."""
    fields = form(site, form="token-9", pair="thunderstorm/yellow", cause="另一份写了半小时的稿，")
    trust(site, "forecaster").post("/issue/preview", fields)
    later(site, 1)
    return Draft.objects.get(state="open")


def test_what_is_taken_back_stands_before_what_was_begun_since_and_both_are_kept(quiet: Site) -> None:
    draft, client = submitted(quiet), trust(quiet, "forecaster")
    other = begun(quiet)

    assert do(quiet, "forecaster", draft, "take") == 303
    page = client.get("/issue").content.decode()
    assert ("受强对流云团影响，" in page, "另一份写了半小时的稿，" in page) == (True, False)
    assert submitted(quiet, form="token-10", cause="受低涡影响，").pk == draft.pk

    assert (state(draft), state(other)) == ("submitted", "open")
    assert "另一份写了半小时的稿，" in client.get("/issue").content.decode()


def test_other_words_under_the_same_number_are_never_taken_for_what_was_issued(quiet: Site) -> None:
    """The desk's own file was restored from a time when it was still being written."""
    draft, signer = submitted(quiet), trust(quiet, "signer")
    assert sign(signer, draft).status_code == 303
    Draft.objects.filter(pk=draft.pk).update(state="open")

    trust(quiet, "forecaster").post("/issue", form(quiet, form="token-2", zone=[FENGYU]))
    assert "已签发" not in signer.get(f"/issue/{draft.pk}").content.decode()
    assert sign(signer, draft).status_code == 303

    assert zones(quiet) == [[JULE], [FENGYU]]
