"""责任人名册 Roster: everybody with name and addresses as stored, and what a table of them would change — as one edit.

Reads and plans; writes nothing. Planning is all or nothing: while anything is wrong there is no edit.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from fengsui.core.clauses import Pack
from fengsui.core.directory import Directory, Post
from fengsui.formats import roster
from fengsui.formats.roster import Row, Wrong
from fengsui.store.people import Contact, Edit, Human
from fengsui.store.sql import Session
from fengsui.store.vault import Vault


class Way(NamedTuple):
    """An address as stored: verified_at 0 = nobody has confirmed it; dead = the network says it does not exist."""

    channel: str
    value: str
    rank: int
    verified_at: int
    dead: bool


class Entry(NamedTuple):
    """A person with his addresses in his order."""

    id: str
    unit: str
    name: str
    ways: tuple[Way, ...]


class Change(NamedTuple):
    """What a row does to a person: kind (new, changed), whose, and in words what becomes different."""

    line: int
    kind: str
    unit: str
    name: str
    what: str


class Plan(NamedTuple):
    """What a table would do: the edit (None while anything is wrong), its changes, how many rows change nothing."""

    edit: Edit | None
    changes: list[Change]
    same: int
    wrong: list[Wrong]


Read = tuple[list[Row], list[Wrong]]
"""What ``formats.roster.read`` gives."""


def everyone(session: Session, vault: Vault, person: str = "") -> list[Entry]:
    """Everybody (or one), by unit and id; addresses decrypted."""
    ways: dict[str, list[Way]] = defaultdict(list)
    for id_, channel, cipher, rank, at, state in session.run(
        "SELECT person, channel, cipher, rank, verified_at, state FROM address WHERE ? = '' OR person = ?"
        " ORDER BY person, rank, channel DESC, id",
        person, person,
    ):  # fmt: skip
        value = vault.decrypt(bytes(cipher), "address")
        ways[id_].append(Way(channel, value, rank, at, state != "ok"))
    rows = session.run(
        "SELECT id, unit, name FROM person WHERE ? = '' OR id = ? ORDER BY unit, id", person, person
    )
    return [
        Entry(id_, unit, vault.decrypt(bytes(name), "name"), tuple(ways.get(id_, ())))
        for id_, unit, name in rows
    ]


def new_id() -> str:
    """An opaque id for a person."""
    return f"p{secrets.token_hex(5)}"


# ── planning ─────────────────────────────────────────────────────────────────


class _Planner:
    def __init__(self, known: Sequence[Entry], directory: Directory, pack: Pack) -> None:
        self.pack = pack
        self.by_id = {e.id: e for e in known}
        self.by_name: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        for entry in known:
            self.by_name[entry.unit, entry.name].append(entry)
        self.posts = dict(directory.posts)
        self.labels = {u: roster.labels(directory.unit_posts.get(u, ()), pack) for u in pack.units}
        self.names = {p.id: name for found in self.labels.values() for name, p in found.items()}
        self.areas = {(a.parent, a.name): a.id for a in pack.areas.values() if not a.valid_to}
        self.roles = {name: role for role, name in pack.roles.items()}
        self.held = _by_person(directory.posts.values(), "holder")
        self.stood = _by_person(directory.posts.values(), "deputy")
        self.claimed: dict[tuple[str, str], int] = {}
        self.humans: list[Human] = []
        self.changes: list[Change] = []
        self.wrong: list[Wrong] = []
        self.seen: dict[str, int] = {}
        self.same = 0

    def row(self, row: Row) -> None:
        before = self._who(row)
        if before is None and self._faulty(row.line):
            return
        id_ = before.id if before else new_id()
        if id_ in self.seen:
            expected = f"与第 {self.seen[id_]} 行是同一人，每人一行"
            self.wrong.append(Wrong(row.line, "编号", row.id or row.name, expected))
            return
        self.seen[id_] = row.line
        contacts = self._contacts(row, before)
        words = [] if before is None else list(_differences(before, row, contacts))
        if before is None or words:
            self.humans.append(Human(id_, row.unit, row.name, contacts))
        gone: tuple[str, ...] | None = () if before and before.unit != row.unit else None
        moved = self._held(row, id_, "holder", gone if row.posts is None else row.posts)
        moved += self._held(row, id_, "deputy", gone if row.deputies is None else row.deputies)
        if before is None:
            self.changes.append(Change(row.line, "new", row.unit, row.name, "、".join(moved)))
        elif words or moved:
            self.changes.append(Change(row.line, "changed", row.unit, row.name, "；".join([*words, *moved])))
        else:
            self.same += 1

    def _faulty(self, line: int) -> bool:
        return bool(self.wrong) and self.wrong[-1].line == line

    def _who(self, row: Row) -> Entry | None:
        """The person a row speaks of; None: a new one, or it is not clear (then that is noted)."""
        if row.id:
            if row.id not in self.by_id:
                self.wrong.append(Wrong(row.line, "编号", row.id, "在册的编号；新人留空"))
            return self.by_id.get(row.id)
        alike = self.by_name.get((row.unit, row.name), [])
        if len(alike) > 1:
            self.wrong.append(
                Wrong(row.line, "编号", "空", f"本单位有 {len(alike)} 位{row.name}，请填编号（可由导出得到）")
            )
        return alike[0] if len(alike) == 1 else None

    def _contacts(self, row: Row, before: Entry | None) -> tuple[Contact, ...]:
        found = [
            Contact(channel, self._plain(row, channel, value, before), rank)
            for channel, values in row.contacts.items()
            for rank, value in enumerate(values)
        ]
        kept = [w for w in before.ways if w.channel not in row.contacts] if before else []
        found += [Contact(w.channel, w.value, w.rank) for w in kept]
        if not found:
            self.wrong.append(Wrong(row.line, "手机", "空", "手机、电话、邮箱、传真至少一项，否则预警送不到"))
        return tuple(found)

    def _plain(self, row: Row, channel: str, value: str, before: Entry | None) -> str:
        """A masked number means the one on record that looks like it."""
        if "****" not in value:
            return value
        ways = before.ways if before else ()
        alike = [w.value for w in ways if w.channel == channel and roster.masked(channel, w.value) == value]
        if len(alike) != 1:
            column = roster.NAMES[channel]
            self.wrong.append(Wrong(row.line, column, value, "完整号码（掩码须与在册的一个号码相符）"))
            return ""
        return alike[0]

    def _held(self, row: Row, id_: str, place: str, names: tuple[str, ...] | None) -> list[str]:
        """Put the person into posts (or behind them); what changes, in words."""
        if names is None:
            return []
        word = "任" if place == "holder" else "作B角："
        wanted = [post for name in names if (post := self._post(row, name, place))]
        before = (self.held if place == "holder" else self.stood).get(id_, ())
        said = []
        for post in wanted:
            if getattr(self.posts.get(post.id, post), place) != id_:
                said.append(f"{word}{self.names[post.id]}")
            now = self.posts.get(post.id, post)
            self.posts[post.id] = msgspec.structs.replace(now, **{place: id_})
            if place == "holder" and now.deputy == id_ and row.deputies is None:
                self.posts[post.id] = msgspec.structs.replace(now, holder=id_, deputy="")
                said.append(f"不再作B角：{self.names[post.id]}")
        for old in before:
            now = self.posts[old.id]
            if old.id not in {p.id for p in wanted} and getattr(now, place) == id_:
                self.posts[old.id] = msgspec.structs.replace(now, **{place: ""})
                said.append(f"不再{word}{self.names[old.id]}")
        return said

    def doubled(self) -> None:
        """Note every row that makes somebody the deputy of himself: known only when all rows are read."""
        for (id_, place), line in self.claimed.items():
            post = self.posts.get(id_)
            if place == "deputy" and post and post.deputy == post.holder:
                self.wrong.append(Wrong(line, "B角", self.names[id_], "本岗责任人以外的人"))

    def _post(self, row: Row, name: str, place: str) -> Post | None:
        column = "岗位" if place == "holder" else "B角"
        known = self.labels[row.unit]
        post = known.get(name) or self._made(row, name)
        if post is None:
            some = "、".join(list(known)[:6]) or "、".join(self.roles)
            self.wrong.append(
                Wrong(row.line, column, name, f"岗位名称，如 {some}；村级写“应急责任人（某村）”")
            )
            return None
        taken = self.claimed.setdefault((post.id, place), row.line)
        if taken != row.line:
            self.wrong.append(
                Wrong(row.line, column, name, f"第 {taken} 行已任此岗；一岗一人，另一人写“{name}2”")
            )
            return None
        return post

    def _made(self, row: Row, name: str) -> Post | None:
        """A post that does not exist yet, if its name says role and place."""
        bare = name.rstrip("0123456789")
        role, _, place = bare.removesuffix("）").partition("（")
        unit = self.pack.units[row.unit]
        area = self.areas.get((unit.area, place), "") if place else unit.area
        if role not in self.roles or not area:
            return None
        taken = {p.id for p in self.labels[row.unit].values()}
        number = 1
        while (id_ := f"{row.unit}/{self.roles[role]}/{number}") in taken:
            number += 1
        post = Post(id_, row.unit, self.roles[role], area)
        self.labels[row.unit][name] = post
        self.names[id_] = name
        return post


def plan(found: Read, known: Sequence[Entry], directory: Directory, pack: Pack) -> Plan:
    """What a table that was read changes in the directory."""
    planner = _Planner(known, directory, pack)
    for row in found[0]:
        planner.row(row)
    planner.doubled()
    faults = sorted([*found[1], *planner.wrong])
    posts = tuple(p for p in planner.posts.values() if directory.posts.get(p.id) != p)
    edit = None if faults else Edit(people=tuple(planner.humans), posts=posts)
    return Plan(edit, planner.changes, planner.same, faults)


def _differences(before: Entry, row: Row, contacts: tuple[Contact, ...]) -> Iterable[str]:
    if before.name != row.name:
        yield f"姓名由{before.name}改为{row.name}"
    if before.unit != row.unit:
        yield "调到本单位"
    old = [(w.channel, w.value) for w in before.ways]
    new = [(c.channel, c.value) for c in contacts]
    for channel, value in new:
        if (channel, value) not in old:
            yield f"加{roster.NAMES[channel]} {roster.masked(channel, value)}"
    for channel, value in old:
        if (channel, value) not in new:
            yield f"去{roster.NAMES[channel]} {roster.masked(channel, value)}"
    if sorted(old) == sorted(new) and _order(old) != _order(new):
        yield "号码次序"


def _order(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for channel, value in pairs:
        found[channel].append(value)
    return found


def _by_person(posts: Iterable[Post], place: str) -> dict[str, list[Post]]:
    found: dict[str, list[Post]] = defaultdict(list)
    for post in posts:
        found[getattr(post, place)].append(post)
    return found


def table(
    entries: Iterable[Entry], directory: Directory, pack: Pack, *, whole: bool
) -> list[tuple[str, ...]]:
    """Everybody as rows of the table, numbers whole or masked; what ``formats.roster`` reads back as no change."""
    names = {
        p.id: name
        for unit in directory.unit_posts
        for name, p in roster.labels(directory.unit_posts[unit], pack).items()
    }
    held, stood = (
        _by_person(directory.posts.values(), "holder"),
        _by_person(directory.posts.values(), "deputy"),
    )
    rows = []
    for e in entries:
        by_channel: dict[str, list[str]] = defaultdict(list)
        for way in e.ways:
            by_channel[way.channel].append(way.value if whole else roster.masked(way.channel, way.value))
        ways = ["、".join(by_channel[c]) for c in roster.CHANNELS.values()]
        posts = ["、".join(names[p.id] for p in place.get(e.id, ())) for place in (held, stood)]
        rows.append(
            (e.id, pack.units[e.unit].name if e.unit in pack.units else e.unit, e.name, *ways, *posts)
        )
    return rows
