"""号码 Numbers: names and numbers of persons for those who work with them — masked, or whole with a record of each look.

Whoever may not see a number never gets it in a page; each whole number that was shown is a paper of kind ``unmask``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from fengsui.formats import sms
from fengsui.store import archive
from fengsui.store.accounts import Account
from fengsui.store.archive import Paper
from fengsui.store.sql import Session, pack
from fengsui.store.sql import archive as open_archive
from fengsui.web import here, rights

SPOKEN = ("voice", "sms")
"""Channels whose addresses can be dialled, the better first."""


class Card(NamedTuple):
    """A person as the desk sees him: name and numbers, whole (in his order). ``mask`` is what may always be shown."""

    person: str
    name: str = ""
    numbers: tuple[str, ...] = ()

    @property
    def mask(self) -> str:
        """His first number as others may read it, "" if he has none."""
        return sms.mask(self.numbers[0]) if self.numbers else ""


def cards(session: Session, persons: Iterable[str]) -> dict[str, Card]:
    """Name and numbers of persons, with one query; who has left the directory is not there."""
    vault = here.house().vault
    wanted = list(dict.fromkeys(p for p in persons if p))
    if not wanted:
        return {}
    found: dict[str, Card] = {}
    rows = session.run(
        "SELECT p.id, p.name, a.channel, a.cipher FROM {each_text} {join} person p ON p.id = j.value"
        " LEFT JOIN address a ON a.person = p.id AND a.state = 'ok' ORDER BY p.id, a.rank, a.id",
        pack(wanted),
    )
    for person, name, channel, cipher in rows:
        if person not in found:
            found[person] = Card(person, vault.decrypt(bytes(name), "name"))
        if channel in SPOKEN:
            number = vault.decrypt(bytes(cipher), "address")
            card = found[person]
            if number not in card.numbers:
                found[person] = card._replace(numbers=(*card.numbers, number))
    return found


def whole(role: str) -> bool:
    """Whether a role may see whole numbers."""
    return role in rights.NUMBERS


def unmasked(account: Account, persons: Iterable[str], reason: str) -> None:
    """Keep that somebody is about to see whole numbers: who, whose, when, why. Never the number itself."""
    at = here.now()
    note = {"at": at, "account": account.username, "of": sorted(set(persons)), "reason": reason}
    keep(Paper("unmask", msgspec.json.encode(note, order="deterministic")))


def keep(paper: Paper) -> str:
    """Put a paper into the archive that no fact names; its digest."""
    session = open_archive()
    try:
        archive.put(session, [paper], here.now())
    finally:
        session.close()
    return paper.digest
