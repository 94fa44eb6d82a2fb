"""Blue and yellow leave ten seconds after they are signed: until then nothing is outside, and nothing can be lost."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connections, router, transaction

from fengsui.core import calendar
from fengsui.core.facts import Alerted
from fengsui.flow.clock import Jumping
from fengsui.store import departures, history
from fengsui.store.accounts import Draft
from fengsui.store.sql import Session
from fengsui.web import guard, here, signing
from tests.conftest import Database
from tests.web.process import entered, free_port, serving
from tests.web.site import Site, site
from tests.web.test_issue import FENGYU, JULE, PASSWORD, alerts, form, seen, sign, submitted, trust
from tests.web.test_schema import GATEWAY

YELLOW = "rainstorm/yellow"


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def later(site: Site, seconds: int) -> None:
    assert isinstance(site.house.clock, Jumping)
    site.house.clock.jump(site.now + seconds * 1_000_000)


def leaving(site: Site, **more: str) -> Draft:
    draft = submitted(site, pair=YELLOW, **more)
    assert sign(trust(site, "signer"), draft, typed="").status_code == 303
    draft.refresh_from_db()
    return draft


def test_it_leaves_after_ten_seconds_as_of_the_moment_when_it_leaves(quiet: Site) -> None:
    draft, began = leaving(quiet), quiet.now
    assert (draft.state, alerts(quiet)) == ("leaving", [])
    later(quiet, 9)
    time.sleep(0.6)
    assert (alerts(quiet), quiet.way.sent) == ([], [])

    later(quiet, 1)
    until(lambda: bool(alerts(quiet)))

    (fact,) = alerts(quiet)
    assert (fact.at, fact.signer) == (began + 10_000_000, quiet.account("signer").person)
    until(lambda: Draft.objects.get(pk=draft.pk).state == "signed")
    assert Draft.objects.count() == 1
    assert "已签发，第 1 版" in trust(quiet, "signer").get(f"/issue/{draft.pk}").content.decode()


@pytest.mark.parametrize("level", ["orange", "red"])
def test_what_is_urgent_leaves_at_once(quiet: Site, level: str) -> None:
    draft = submitted(quiet, pair=f"rainstorm/{level}")

    sign(trust(quiet, "signer"), draft)

    assert len(alerts(quiet)) == 1


@pytest.mark.parametrize("role", ["signer", "forecaster"])
def test_undone_in_time_nothing_was_ever_outside(quiet: Site, role: str) -> None:
    draft, client = leaving(quiet), trust(quiet, role)
    page = client.get(f"/issue/{draft.pk}").content.decode()
    assert ("秒后发出" in page, 'value="undo" data-key="u"' in page) == (True, True)

    assert client.post(f"/issue/{draft.pk}", {"do": "undo"}).status_code == 303
    later(quiet, 60)
    time.sleep(0.6)

    assert (alerts(quiet), quiet.way.sent) == ([], [])
    assert here.session().run("SELECT count(*) FROM signature") == [(0,)]
    draft.refresh_from_db()
    assert draft.state == "submitted"
    assert sign(trust(quiet, "signer"), draft, typed="").status_code == 303


def test_too_late_says_that_it_is_out_and_what_to_do(quiet: Site) -> None:
    draft, client = leaving(quiet), trust(quiet, "signer")
    later(quiet, 10)
    until(lambda: bool(alerts(quiet)))

    answer = client.post(f"/issue/{draft.pk}", {"do": "undo"})

    assert (answer.status_code, "W217" in answer.content.decode()) == (409, True)


def test_a_clerk_undoes_nothing(quiet: Site) -> None:
    draft = leaving(quiet)

    assert trust(quiet, "leader").post(f"/issue/{draft.pk}", {"do": "undo"}).status_code == 403

    draft.refresh_from_db()
    assert draft.state == "leaving"


def test_the_second_click_is_not_a_second_signature(quiet: Site) -> None:
    draft = submitted(quiet, pair=YELLOW)
    client = trust(quiet, "signer")
    fields = {"do": "sign", "seen": seen(client, draft), "password": PASSWORD}

    first, again = (client.post(f"/issue/{draft.pk}", fields) for _ in range(2))

    assert (first.status_code, again.status_code, "W137" in again.content.decode()) == (303, 409, True)


def test_two_that_leave_together_are_two_incidents(quiet: Site) -> None:
    leaving(quiet)
    leaving(quiet, form="token-2", zone=[FENGYU])

    later(quiet, 10)
    until(lambda: len(alerts(quiet)) == 2)

    assert len({f.stream for f in alerts(quiet)}) == 2


def test_what_can_no_longer_go_comes_back_and_says_why(quiet: Site) -> None:
    draft = leaving(quiet)
    other = submitted(quiet, pair="rainstorm/red", form="token-2")
    assert sign(trust(quiet, "signer"), other).status_code == 303

    later(quiet, 10)
    until(lambda: Draft.objects.get(pk=draft.pk).state == "submitted")

    page = trust(quiet, "signer").get(f"/issue/{draft.pk}").content.decode()
    assert ("上次签发没有发出" in page, "A10" in page) == (True, True)
    assert len(alerts(quiet)) == 1


def test_what_should_have_gone_long_ago_does_not_go_by_itself(quiet: Site) -> None:
    draft = leaving(quiet)
    quiet.house._departures._clock = _Later(quiet.house.clock)

    until(lambda: Draft.objects.get(pk=draft.pk).state == "submitted")

    assert ("R081" in trust(quiet, "signer").get(f"/issue/{draft.pk}").content.decode(), alerts(quiet)) == (
        True,
        [],
    )


def test_whoever_signs_while_another_undoes_leaves_no_draft_that_waits_for_ever(quiet: Site) -> None:
    draft, signer, author = leaving(quiet), trust(quiet, "signer"), trust(quiet, "forecaster")
    fields = {"do": "sign", "seen": signing.seen(draft), "password": PASSWORD}
    thread = threading.Thread(target=lambda: signer.post(f"/issue/{draft.pk}", fields))

    def between(execute: Any, sql: str, *args: Any) -> Any:
        """Once the draft waits for a signature again, another one signs, before what would have been posted is gone."""
        done = execute(sql, *args)
        if sql.startswith('UPDATE "draft"') and thread.ident is None:
            thread.start()
            thread.join(2)
        return done

    with connections[router.db_for_write(Draft) or "default"].execute_wrapper(between):
        assert author.post(f"/issue/{draft.pk}", {"do": "undo"}).status_code == 303
    thread.join()

    draft.refresh_from_db()
    waits = Draft.objects.filter(kind=departures.KIND, account=draft.pk).count()
    assert (draft.state, waits) in {("submitted", 0), ("leaving", 1)}


def test_a_signature_that_was_undone_sends_nothing_in_the_name_of_the_next_one(quiet: Site) -> None:
    draft = leaving(quiet)
    session = departures.desk()
    (old,) = departures.due(session, quiet.now + 60_000_000)
    assert trust(quiet, "signer").post(f"/issue/{draft.pk}", {"do": "undo"}).status_code == 303
    assert sign(trust(quiet, "signer"), draft, typed="").status_code == 303

    assert not departures.claim(session, old)

    session.close()
    assert Draft.objects.get(pk=draft.pk).state == "leaving"
    assert Draft.objects.filter(kind=departures.KIND).count() == 1


@pytest.mark.parametrize("state", ["leaving", "going"])
def test_what_would_wait_for_ever_comes_back_with_an_alarm(quiet: Site, state: str) -> None:
    draft, heard = submitted(quiet, pair=YELLOW), []
    quiet.house.writer.alarm.append(heard.append)
    Draft.objects.filter(pk=draft.pk).update(state=state)

    until(lambda: Draft.objects.get(pk=draft.pk).state == "submitted")
    until(lambda: bool(heard))

    assert [alarm.code for alarm in heard] == ["R083"]
    assert "R083" in trust(quiet, "signer").get(f"/issue/{draft.pk}").content.decode()
    assert sign(trust(quiet, "signer"), draft, typed="").status_code == 303
    assert not Draft.objects.filter(kind=departures.REFUSED).exists()


def test_what_the_ledger_has_is_out_however_late_the_house_comes_back(quiet: Site) -> None:
    """Killed after the commit, before the desk's own file was told; started again after an hour."""
    draft, heard = leaving(quiet), []
    (row,) = Draft.objects.filter(kind=departures.KIND).values()
    later(quiet, 10)
    until(lambda: Draft.objects.get(pk=draft.pk).state == "signed")
    quiet.house.writer.alarm.append(heard.append)
    with transaction.atomic(using=router.db_for_write(Draft)):
        Draft.objects.create(**row)
        Draft.objects.filter(pk=draft.pk).update(state="going")
        quiet.house._departures._clock = _Later(quiet.house.clock)

    until(lambda: not Draft.objects.filter(kind=departures.KIND).exists())

    assert (Draft.objects.get(pk=draft.pk).state, len(alerts(quiet)), heard) == ("signed", 1, [])


class _Later:
    """The house's clock after an hour in which the house was down."""

    def __init__(self, clock: Jumping) -> None:
        self._clock = clock

    def now(self) -> int:
        return self._clock.now() + 3600 * 1_000_000


# ── a process that is killed ─────────────────────────────────────────────────


def test_what_was_accepted_survives_a_kill_within_the_ten_seconds(place: Database) -> None:
    """Signed in a served process, which is killed at once; the next process sends it."""
    with site(place) as made:
        fields = form(made, pair=YELLOW)
        accounts = {role: made.account(role) for role in ("forecaster", "signer")}
        for account in accounts.values():
            guard.set_password(account, PASSWORD)
    port = free_port()
    with serving(place, port, more=GATEWAY, killed=True):
        author, signer = (entered(port, role, PASSWORD) for role in accounts)
        now = int(asked(port, author, "GET", "/issue")[2].split('data-now="')[1].split('"')[0])
        until_ = calendar.local(now + 3 * calendar.HOUR, "Asia/Shanghai")
        fields["expires"] = f"{until_:%Y-%m-%dT%H:%M}"
        _, page = posted(port, author, "/issue", fields)
        status, _ = posted(
            port, signer, page, {"do": "sign", "password": PASSWORD, "seen": mark(port, signer, page)}
        )
        assert status == 303
    assert ledger() == []
    with serving(place, port, more=GATEWAY):
        until(lambda: bool(ledger()), 25)

    (fact,) = ledger()
    assert fact.zones == {JULE: "yellow"}


def ledger() -> list[Alerted]:
    session = Session()
    try:
        return [x.fact for x in history.of_kind(session, "alerted") if isinstance(x.fact, Alerted)]
    finally:
        session.close()


def asked(port: int, headers: dict[str, str], method: str, path: str, fields: object = None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode(fields, doseq=True) if isinstance(fields, dict) else None
    connection.request(method, path, body, headers | kind)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.getheader("location", "") or "", text


def posted(port: int, headers: dict[str, str], path: str, fields: dict[str, Any]) -> tuple[int, str]:
    status, place, text = asked(port, headers, "POST", path, fields)
    assert status == 303, text
    return status, place


def mark(port: int, headers: dict[str, str], path: str) -> str:
    return asked(port, headers, "GET", path)[2].split('name="seen" value="')[1].split('"')[0]
