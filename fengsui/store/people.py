"""人 People: the directory's edits, and the frozen snapshot of ids that decisions see. Names and numbers stay here."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable

import msgspec

from fengsui.core.directory import Directory, Person, Post
from fengsui.store.sql import Session, pack
from fengsui.store.vault import Vault


class Contact(msgspec.Struct, frozen=True):
    """One way to reach a person: channel, number or address; rank orders several of one channel.

    verified_at: when somebody confirmed it (UTC µs), 0 = not now. A number that died stays dead until it is confirmed.
    """

    channel: str
    value: str
    rank: int = 0
    verified_at: int = 0


class Human(msgspec.Struct, frozen=True):
    """A person with his name and every address he has from now on."""

    id: str
    unit: str
    name: str
    contacts: tuple[Contact, ...] = ()


class Member(msgspec.Struct, frozen=True):
    """A member of an informed list."""

    list: str
    area: str
    value: str
    channel: str = "sms"


class Edit(msgspec.Struct, frozen=True):
    """A change of the directory: people put or gone, posts put or gone, authorisations, list members put or gone."""

    people: tuple[Human, ...] = ()
    departed: tuple[str, ...] = ()
    posts: tuple[Post, ...] = ()
    abolished: tuple[str, ...] = ()
    standing: dict[str, tuple[str, ...]] = {}
    members: tuple[Member, ...] = ()
    removed: tuple[Member, ...] = ()


def apply(session: Session, vault: Vault, edit: Edit) -> None:
    """Write an edit inside the caller's transaction. What a departed person held becomes vacant; his data go.

    Nobody stands in for himself: who takes a post of which he was the deputy leaves it without one.
    """
    for human in edit.people:
        _put(session, vault, human)
    for person in edit.departed:
        session.run("DELETE FROM address WHERE person = ?", person)
        session.run("DELETE FROM person WHERE id = ?", person)
        session.run("UPDATE post SET holder = '' WHERE holder = ?", person)
        session.run("UPDATE post SET deputy = '' WHERE deputy = ?", person)
    for post in edit.posts:
        session.run(
            "INSERT INTO post (id, unit, role, area, holder, deputy) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO"
            " UPDATE SET unit = excluded.unit, role = excluded.role, area = excluded.area, holder = excluded.holder,"
            " deputy = excluded.deputy",
            post.id, post.unit, post.role, post.area, post.holder,
            "" if post.deputy == post.holder else post.deputy,
        )  # fmt: skip
    for id_ in edit.abolished:
        session.run("DELETE FROM post WHERE id = ?", id_)
    for unit, stops in edit.standing.items():
        session.run(
            "INSERT INTO standing (unit, stops) VALUES (?, ?) ON CONFLICT (unit) DO UPDATE SET stops = excluded.stops",
            unit, msgspec.json.encode(stops).decode(),
        )  # fmt: skip
    _members(session, vault, edit)


def _put(session: Session, vault: Vault, human: Human) -> None:
    session.run(
        "INSERT INTO person (id, unit, name) VALUES (?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET unit = excluded.unit, name = excluded.name",
        human.id, human.unit, vault.encrypt(human.name, "name"),
    )  # fmt: skip
    kept = {
        (channel, bytes(lookup)): id_
        for id_, channel, lookup in session.run(
            "SELECT id, channel, lookup FROM address WHERE person = ?", human.id
        )
    }
    for contact in human.contacts:
        key = (contact.channel, vault.lookup(contact.value))
        if id_ := kept.pop(key, None):
            session.run("UPDATE address SET rank = ? WHERE id = ?", contact.rank, id_)
            if contact.verified_at:
                session.run(
                    "UPDATE address SET verified_at = ?, state = 'ok' WHERE id = ?", contact.verified_at, id_
                )
            continue
        session.run(
            "INSERT INTO address (person, channel, cipher, lookup, rank, verified_at, state)"
            " VALUES (?, ?, ?, ?, ?, ?, 'ok')",
            human.id, contact.channel, vault.encrypt(contact.value, "address"), key[1], contact.rank,
            contact.verified_at,
        )  # fmt: skip
    for id_ in kept.values():
        session.run("DELETE FROM address WHERE id = ?", id_)


def _members(session: Session, vault: Vault, edit: Edit) -> None:
    if edit.members:
        session.raw.cursor().executemany(
            _MEMBER if session.vendor == "sqlite" else _MEMBER.replace("?", "%s"),
            [
                (m.list, m.area, m.channel, vault.encrypt(m.value, "address"), vault.lookup(m.value))
                for m in edit.members
            ],
        )
    for member in edit.removed:
        for lookup in vault.lookups(member.value):
            session.run(
                "DELETE FROM member WHERE list = ? AND channel = ? AND lookup = ?",
                member.list,
                member.channel,
                lookup,
            )


_MEMBER = (
    "INSERT INTO member (list, area, channel, cipher, lookup, state) VALUES (?, ?, ?, ?, ?, 'ok')"
    " ON CONFLICT (list, channel, lookup) DO UPDATE SET area = excluded.area, state = 'ok'"
)


def snapshot(session: Session, ways: frozenset[str]) -> Directory:
    """The directory as decisions see it: ids, roles, areas, usable channels. The same tables give the same digest."""
    channels: dict[str, list[str]] = defaultdict(list)
    for person, channel in session.run(
        "SELECT person, channel FROM address WHERE state = 'ok' ORDER BY person, rank, channel, id"
    ):
        if channel not in channels[person]:
            channels[person].append(channel)
    persons = {
        id_: Person(id_, unit, tuple(channels.get(id_, ())))
        for id_, unit in session.run("SELECT id, unit FROM person ORDER BY id")
    }
    posts = {
        row[0]: Post(*row)
        for row in session.run("SELECT id, unit, role, area, holder, deputy FROM post ORDER BY id")
    }
    standing = {
        unit: tuple(msgspec.json.decode(stops))
        for unit, stops in session.run("SELECT unit, stops FROM standing ORDER BY unit")
    }
    whole = msgspec.json.encode([list(persons.values()), list(posts.values()), standing, sorted(ways)])
    return Directory(persons, posts, ways, standing, hashlib.sha256(whole).hexdigest())


def find(session: Session, vault: Vault, channel: str, value: str) -> tuple[str, ...]:
    """Ids of the persons who have this number or address."""
    return owners(session, vault, [(channel, value)])[channel, value]


def owners(
    session: Session, vault: Vault, addresses: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], tuple[str, ...]]:
    """The same for several, by (channel, number or address), with one query."""
    found: dict[tuple[str, str], dict[str, None]] = {address: {} for address in addresses}
    wanted = {(c, lookup): found[c, v] for c, v in found for lookup in vault.lookups(v)}
    lookups = list(dict.fromkeys(lookup for _, lookup in wanted))
    if lookups:
        marks = ", ".join("?" * len(lookups))
        text = f"SELECT channel, lookup, person FROM address WHERE lookup IN ({marks}) ORDER BY person"  # noqa: S608 - marks
        for channel, lookup, person in session.run(text, *lookups):
            wanted.get((channel, bytes(lookup)), {})[person] = None
    return {address: tuple(persons) for address, persons in found.items()}


def name(session: Session, vault: Vault, person: str) -> str:
    """A person's name, or "" if he is not in the directory any more."""
    rows = session.run("SELECT name FROM person WHERE id = ?", person)
    return vault.decrypt(bytes(rows[0][0]), "name") if rows else ""


def names(session: Session, vault: Vault, persons: Iterable[str]) -> dict[str, str]:
    """Names of persons, with one query; who is not in the directory any more is not there."""
    rows = session.run(
        "SELECT p.id, p.name FROM {each_text} {join} person p ON p.id = j.value",
        pack(sorted({p for p in persons if p})),
    )
    return {str(id_): vault.decrypt(bytes(found), "name") for id_, found in rows}


def numbers(session: Session, vault: Vault, person: str) -> tuple[Contact, ...]:
    """A person's addresses in clear, in his order; for the page that edits them and for the call sheet."""
    rows = session.run(
        "SELECT channel, cipher, rank, verified_at FROM address WHERE person = ? ORDER BY rank, channel, id",
        person,
    )
    return tuple(
        Contact(c, vault.decrypt(bytes(cipher), "address"), rank, at) for c, cipher, rank, at in rows
    )
