"""参观 Visit: after the night the house goes on at a pace, with a ready login for each role and the invented phones."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sys

from fengsui.core import suspension
from fengsui.flow import serve
from fengsui.rehearse.phones import Login, Phones, Ready
from fengsui.rehearse.stage import Stage

POSTS = {
    "forecaster": "meteorology/duty_officer/1",
    "signer": "meteorology/leader/1",
    "clerk": "headquarters_office/duty_officer/1",
    "leader": "headquarters/leader/1",
    "liaison": "water/liaison/1",
    "township": "聚乐乡/duty_officer/1",
    "media": "media/duty_officer/1",
    "supervisor": "inspection/duty_officer/1",
    "administrator": "",
}
"""For each role the post whose holder the ready login acts for."""
PIN = "4816"
"""What everybody invented who may decide for his unit has as his PIN."""


async def visit(stage: Stage, port: int) -> None:
    """Serve visitors until interrupted; time runs at the pace they choose."""
    from fengsui.config.asgi import Application  # noqa: PLC0415 - pages need Django configured, which needs a place

    password = f"moni-{secrets.token_hex(3)}"
    logins = await asyncio.to_thread(_accounts, stage, password)
    await asyncio.to_thread(_pins, stage)
    application = Application(stage.house)
    phones = Phones(stage, application, Ready(logins, password, PIN))
    pacing = asyncio.create_task(stage.pace(lambda: phones.speed))
    pacing.add_done_callback(
        lambda _: stage.house.over.set()
    )  # time that stands still must not look like a calm night
    try:
        await serve.serve(
            phones, stage.house.over, host="127.0.0.1", port=port,
            opened=lambda: _welcome(port, password), closing=application.leave,
        )  # fmt: skip
    finally:
        pacing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await pacing
        application.close()


def _accounts(stage: Stage, password: str) -> tuple[Login, ...]:
    from fengsui.store.accounts import Account  # noqa: PLC0415 - tables need Django configured, which needs a place
    from fengsui.web import guard, rights  # noqa: PLC0415

    held = {p.id: p for p in stage.population.posts}
    names = {p.id: p.name for p in stage.population.people}
    towns = stage.pack.group("townships")
    near = next((p for p in held.values() if p.role == "duty_officer" and p.unit in towns), None)
    logins = []
    for role, post in POSTS.items():
        own = held.get(post, near) if post else None  # that township may not be in this night
        person, unit = (own.holder, own.unit) if own else ("", "")
        account = Account(username=role, role=role, unit=unit, person=person)
        account.name = f"{rights.ROLES[role]} {names.get(person, '')}".strip()
        guard.set_password(account, password)
        place = stage.pack.units[unit].name if unit else ""
        logins.append(Login(role, f"{account.name}　{place}".strip()))
    return tuple(logins)


def _pins(stage: Stage) -> None:
    """One hash for all: hundreds would take a minute of work that no rehearsal needs."""
    from django.contrib.auth.hashers import make_password  # noqa: PLC0415 - needs Django configured

    from fengsui.store.accounts import Pin  # noqa: PLC0415

    made = make_password(PIN)
    deciders = {p.holder for p in stage.population.posts if p.holder and p.role in suspension.DECIDERS}
    Pin.objects.bulk_create([Pin(person=person, hash=made) for person in sorted(deciders)])


def _welcome(port: int, password: str) -> None:
    logins = "、".join(POSTS)
    sys.stdout.write(
        f"\n可以参观：http://127.0.0.1:{port}　（Ctrl-C 结束）\n"
        f"登录名：{logins}\n口令都是：{password}\n停工停业停课的决定口令都是：{PIN}\n"
        f"虚构的手机与时间快慢：http://127.0.0.1:{port}/rehearse\n"
    )
    sys.stdout.flush()
