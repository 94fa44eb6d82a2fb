"""门卫 Guard: passwords, one-time codes, lock-out, and the recorded unmasking of numbers.

Failures at the door are counted for a name at a client, those of an open session for that session alone: nobody who
reaches the login page keeps the signers from signing. The message never says which of name, password or code was wrong.
"""

from __future__ import annotations

import secrets
from functools import cache

import pyotp
from django.contrib.auth.hashers import check_password, make_password
from django.http import HttpRequest

from fengsui.core import calendar
from fengsui.store import pins
from fengsui.store.accounts import Account, Attempt
from fengsui.web import audit, here

TRIES = 5
"""Failures within the window after which a name is locked for the client they came from, or an open session for asking
again (本系统缺省, as the other numbers here).
"""
NAME_TRIES = 500
"""Failures within the window, from wherever, after which nobody logs in under a name: against guessing spread over many
addresses. So many that it takes ten clients, each at its own limit.
"""
CLIENT_TRIES = 50
"""Failures within the window after which a client is: a whole office may share one address."""
WINDOW = 15 * calendar.MINUTE
SHORTEST = 10
"""Characters a password needs."""
ISSUER = "烽燧"


def client(request: HttpRequest) -> str:
    """Where a request comes from."""
    return str(request.META.get("REMOTE_ADDR", ""))


def locked(username: str, address: str) -> bool:
    """Whether too many attempts have failed lately."""
    since = here.now() - WINDOW
    recent = Attempt.objects.filter(at__gt=since)
    named, near = recent.filter(username=username), recent.filter(client=address)
    return (
        named.filter(client=address).count() >= TRIES
        or near.count() >= CLIENT_TRIES
        or named.count() >= NAME_TRIES
    )


def worn(request: HttpRequest) -> bool:
    """Whether too many wrong passwords or codes were given lately in this open session."""
    return len(_wrong(request)) >= TRIES


def mistaken(request: HttpRequest, account: Account) -> None:
    """Remember a wrong password or code in an open session; it is listed with those at the door."""
    now = here.now()
    request.session["wrong"] = [*_wrong(request), now]
    Attempt.objects.create(username=account.username, client=client(request), at=now)


def _wrong(request: HttpRequest) -> list[int]:
    """When wrong ones were given in this session, those of the window."""
    since = here.now() - WINDOW
    return [at for at in request.session.get("wrong", ()) if at > since]


def check(username: str, password: str, code: str, address: str) -> Account | None:
    """The account, if name, password and (where enrolled) one-time code are right; a failure is remembered."""
    account = Account.objects.filter(username=username, active=True).first()
    stored = account.password if account else _nobodys()
    right = check_password(password, stored) and account is not None
    if right and account and account.totp:
        right = valid(account, code)
    if not right:
        Attempt.objects.create(username=username, client=address, at=here.now())
        return None
    Attempt.objects.filter(username=username).delete()
    return account


@cache
def _nobodys() -> str:
    """Checked where there is no such account, so that the answer takes as long. Made when first needed: it takes as
    long as a password, and a process that starts again in the middle of a night has other things to do.
    """
    return make_password(secrets.token_hex(8))


def knows(account: Account, password: str) -> bool:
    """Whether this is the account's password: asked again before what cannot be undone."""
    return bool(check_password(password, account.password))


def enter(request: HttpRequest, account: Account) -> None:
    """Open a session for an account."""
    request.session.cycle_key()
    request.session["account"] = account.pk
    request.session["stamp"] = account.stamp
    request.session["wrong"] = []


def leave(request: HttpRequest) -> None:
    """Close the session."""
    request.session.flush()


def set_password(account: Account, password: str, *, must_change: bool = False) -> None:
    """Store a new password; every session of the account ends."""
    account.password = make_password(password)
    account.stamp = secrets.token_hex(8)
    account.must_change = must_change
    account.save()


def close(account: Account) -> None:
    """Nobody logs in with it any more; every session of the account ends."""
    account.active = False
    account.stamp = secrets.token_hex(8)
    account.save()


def retire(person: str, by: Account) -> None:
    """Close what somebody who has left could still act with: his accounts and his PIN. Doing it again changes nothing."""
    for account in Account.objects.filter(person=person, active=True):
        audit.note("account", by, "关闭（离任）", account.username)
        close(account)
    pins.remove(person)


def last_administrator(person: str) -> bool:
    """Whether nobody could administer the site any more once this person's accounts are closed."""
    active = Account.objects.filter(role="administrator", active=True)
    return active.filter(person=person).exists() and not active.exclude(person=person).exists()


def weak(password: str, account: Account) -> str:
    """Why a password will not do, "" if it will."""
    if len(password) < SHORTEST:
        return f"口令至少 {SHORTEST} 个字符，可以用一句话"
    if account.username and account.username in password:
        return "口令不能包含登录名"
    return "口令过于简单，请混用字母、数字或汉字" if len(set(password)) < SHORTEST // 2 else ""


def enrolment(account: Account) -> tuple[str, str]:
    """A fresh one-time secret and the address that an authenticator reads as a picture."""
    secret = pyotp.random_base32()
    return secret, pyotp.TOTP(secret).provisioning_uri(name=account.username, issuer_name=ISSUER)


def enrol(account: Account, secret: str, code: str) -> bool:
    """Turn one-time codes on if the authenticator gives the right one."""
    if not pyotp.TOTP(secret).verify(code.strip(), valid_window=1):
        return False
    account.totp = here.house().vault.encrypt(secret, "totp")
    account.save()
    return True


def valid(account: Account, code: str) -> bool:
    """Whether a one-time code is the account's current one."""
    secret = here.house().vault.decrypt(bytes(account.totp), "totp")
    return pyotp.TOTP(secret).verify(code.strip(), valid_window=1)
