"""值班台量测 Live bench: a change is shown on every open desk, and the desk page opens; through the real server.

The house with 1,000 responsible persons, three red warnings in force and its message centre are the product's, behind
the product's web server. The desks are a second process; all of them stay open while anything is measured.
"""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings

from fengsui.core.clauses import Pack
from fengsui.flow import serve
from fengsui.flow.clock import Clock
from fengsui.gateways.sms_smpp import SmsSmpp
from fengsui.rehearse.bench import ack, place
from fengsui.rehearse.bench.dispatch import centre, way
from fengsui.store.sql import Session
from fengsui.store.tokens import LENGTH
from fengsui.store.vault import Vault

PEOPLE, WARNINGS = 1000, 3
STORM = 2
"""Answers in a row, for each that was given with time to look."""
LOAD = (sys.executable, "-m", "fengsui.rehearse.bench.live_load")
LONGEST = 240.0
"""Seconds after which the load is given up."""
AT_DESKS = ("forecaster", "signer", "clerk", "township", "leader", "liaison", "administrator", "supervisor")
"""Roles of the desks, in turn; those of a unit go through the units."""
OF_UNITS = {"township": "townships", "liaison": "members"}


def bench(data: Path | None, database: str, *, desks: int, changes: int) -> dict[str, Any]:
    """One run; its figures. changes: answers with time to look between them; twice as many in a row follow."""
    if not 1 <= desks <= 1000 or not 1 <= changes <= PEOPLE // (1 + STORM):
        raise ValueError(f"desks 应为 1–1000，changes 应为 1–{PEOPLE // (1 + STORM)}。[B005]")
    with place.empty(data, database) as keys, centre() as peer:
        rules = place.pack()
        place.populate(keys, rules, responsible=PEOPLE, members=0)
        cookies = _logins(rules, desks)
        found = serve.run(_watched(keys, rules, peer.port, cookies, changes))
        return {"desks": desks, "people": PEOPLE, "warnings": WARNINGS, **_checked(found)}


def _logins(rules: Pack, desks: int) -> list[str]:
    """A login with an open session for each desk, as the login page leaves it; their session keys."""
    from fengsui.store.accounts import Account  # noqa: PLC0415 - tables need Django configured, which needs a place

    store = import_module(settings.SESSION_ENGINE).SessionStore
    units = {r: sorted(u.id for u in rules.units.values() if g in u.groups) for r, g in OF_UNITS.items()}
    keys = []
    for n in range(desks):
        role = AT_DESKS[n % len(AT_DESKS)]
        among = units.get(role, [""])
        unit = among[n // len(AT_DESKS) % len(among)]
        account = Account.objects.create(username=f"desk{n}", role=role, unit=unit, stamp=f"stamp{n}")
        session = store()
        session["account"], session["stamp"] = account.pk, account.stamp
        session.save()
        keys.append(session.session_key)
    return keys


async def _watched(keys: Vault, rules: Pack, port: int, cookies: list[str], changes: int) -> dict[str, Any]:
    """Warn, wait until everybody has been told, open the doors, let the desks in; what they measured."""
    from fengsui.config.asgi import Application  # noqa: PLC0415 - pages need Django configured, which needs a place

    clock = Clock()
    gateway = SmsSmpp("sms", way(port), accepts=frozenset({"test"}), clock=clock.now)
    house = serve.House(rules, clock, keys, [gateway], address="http://127.0.0.1")
    await house.start()
    application = Application(house)
    try:
        await house.install("test")
        streams = await ack.warned(house, rules, WARNINGS)
        await ack.told(PEOPLE * len(streams))
        tokens = [keys.token(f"p{n:07d}\n{streams[0]}", LENGTH) for n in range(changes * (1 + STORM))]
        order = {
            "cookies": cookies,
            "cookie": settings.SESSION_COOKIE_NAME,
            "tokens": tokens,
            "changes": changes,
        }
        async with ack.door(application) as door:
            return await asyncio.to_thread(ack.load, LOAD, order | {"port": door}, LONGEST)
    finally:
        application.close()
        await house.stop()


def _checked(found: dict[str, Any]) -> dict[str, Any]:
    """The load's figures, beside what the ledger holds."""
    session = Session()
    facts = session.run("SELECT count(*) FROM ledger WHERE kind = 'reached' AND id LIKE 'link/%'")[0][0]
    vendor = session.vendor
    session.close()
    return {**found, "facts": facts, "rss_mb": place.rss_mb(), "database": vendor}
