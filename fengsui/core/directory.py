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

    @cached_property
    def unit_posts(self) -> dict[str, tuple[Post, ...]]:
        """Posts of each unit, sorted by id."""
        found: dict[str, list[Post]] = {}
        for post in sorted(self.posts.values(), key=lambda p: p.id):
            found.setdefault(post.unit, []).append(post)
        return {unit: tuple(posts) for unit, posts in found.items()}

    def holders(self, unit: str, *roles: str) -> tuple[str, ...]:
        """Persons who hold these roles at a unit, each once, in the order of the roles."""
        posts = self.unit_posts.get(unit, ())
        return tuple(dict.fromkeys(p.holder for role in roles for p in posts if p.role == role and p.holder))

    def usable(self, person: str, wanted: Iterable[str]) -> tuple[str, ...]:
        """Channels by which a person can be told now: the wanted ones in their order, else any he has, else none."""
        if person not in self.persons:
            return ()
        open_ways = [c for c in self.persons[person].channels if c in self.ways]
        return tuple(c for c in wanted if c in open_ways) or tuple(open_ways)
