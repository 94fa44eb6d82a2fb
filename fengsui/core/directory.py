"""名录 Directory: who holds which post and can be reached how — ids only, frozen; the store keeps names and numbers."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import msgspec


class Person(msgspec.Struct, frozen=True):
    """A responsible person: an opaque id, the unit he belongs to, the channels for which he has an address."""

    id: str
    unit: str
    channels: tuple[str, ...]


class Post(msgspec.Struct, frozen=True):
    """岗位 A post of a unit, e.g. ``聚乐乡/duty_officer/1``: role, area it answers for, who holds it, who stands in (B 角).

    Empty holder = vacant.
    """

    id: str
    unit: str
    role: str
    area: str
    holder: str = ""
    deputy: str = ""


class Directory(msgspec.Struct, frozen=True, dict=True):
    """名录 The frozen snapshot that decisions see.

    ways: channels for which a gateway is configured. standing: unit → what it stops by itself on a red warning.
    digest: of the whole, named by decisions.
    """

    persons: dict[str, Person]
    posts: dict[str, Post]
    ways: frozenset[str] = frozenset()
    standing: dict[str, tuple[str, ...]] = {}
    digest: str = ""

    def within(self, units: frozenset[str]) -> Directory:
        """Only posts of these units, who holds them or stands in, and these units' own people."""
        if units not in self._within:
            posts = {id_: post for id_, post in self.posts.items() if post.unit in units}
            named = {p for post in posts.values() for p in (post.holder, post.deputy)}
            persons = {id_: p for id_, p in self.persons.items() if p.unit in units or id_ in named}
            standing = {unit: stops for unit, stops in self.standing.items() if unit in units}
            self._within[units] = Directory(persons, posts, self.ways, standing, self.digest)
        return self._within[units]

    @cached_property
    def _within(self) -> dict[frozenset[str], Directory]:
        return {}

    @cached_property
    def unit_posts(self) -> dict[str, tuple[Post, ...]]:
        """Posts of each unit, sorted by id."""
        found: dict[str, list[Post]] = {}
        for post in sorted(self.posts.values(), key=lambda p: p.id):
            found.setdefault(post.unit, []).append(post)
        return {unit: tuple(posts) for unit, posts in found.items()}

    @cached_property
    def held(self) -> dict[str, tuple[Post, ...]]:
        """Posts of each person who holds any, sorted by id."""
        found: dict[str, list[Post]] = {}
        for post in sorted(self.posts.values(), key=lambda p: p.id):
            if post.holder:
                found.setdefault(post.holder, []).append(post)
        return {person: tuple(posts) for person, posts in found.items()}

    @cached_property
    def _by_role(self) -> dict[tuple[str, str], tuple[str, ...]]:
        found: dict[tuple[str, str], dict[str, None]] = {}
        for post in sorted(self.posts.values(), key=lambda p: p.id):
            if post.holder:
                found.setdefault((post.unit, post.role), {})[post.holder] = None
        return {place: tuple(persons) for place, persons in found.items()}

    def holders(self, unit: str, *roles: str) -> tuple[str, ...]:
        """Persons who hold these roles at a unit, each once, in the order of the roles."""
        return tuple(dict.fromkeys(p for role in roles for p in self._by_role.get((unit, role), ())))

    def usable(self, person: str, wanted: Iterable[str]) -> tuple[str, ...]:
        """Channels by which a person can be told now: the wanted ones in their order, else any he has, else none."""
        open_ways = self._open.get(person, ())
        return tuple([c for c in wanted if c in open_ways]) or open_ways

    @cached_property
    def reachable(self) -> frozenset[str]:
        """Persons who have any way open."""
        return frozenset(person for person, ways in self._open.items() if ways)

    @cached_property
    def _open(self) -> dict[str, tuple[str, ...]]:
        return {p.id: tuple(c for c in p.channels if c in self.ways) for p in self.persons.values()}
