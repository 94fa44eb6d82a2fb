"""人物 People: the invented population of a rehearsal — names from the sixty-year cycle, numbers that cannot ring.

A Chinese mobile number starts with 13 to 19; ours start with 100. The same size and seed give the same people.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec

from fengsui.core.clauses import Pack
from fengsui.core.directory import Directory, Person, Post

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨"
STEMS, BRANCHES = "甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉戌亥"
LISTS = ("public", "schools", "sites")
DOMAIN = "example.invalid"
"""No mail ever goes there: the name is reserved (RFC 2606)."""
ROLES = ("leader", "liaison", "duty_leader")
FEWEST = 30
"""Below this there are fewer people than offices that must answer at night."""


class Invented(msgspec.Struct, frozen=True):
    """One invented person; ``list`` is set for list members, who hold no post; office people have a mailbox."""

    id: str
    name: str
    unit: str
    number: str
    area: str
    list: str = ""
    email: str = ""


class Population(msgspec.Struct, frozen=True):
    """Everyone invented for a rehearsal, and the posts they hold."""

    people: tuple[Invented, ...]
    posts: tuple[Post, ...]

    def directory(self, ways: frozenset[str] = frozenset({"sms"})) -> Directory:
        """The frozen snapshot decisions would see, if everybody's number worked."""
        persons = {p.id: Person(p.id, p.unit, ("sms",)) for p in self.people if not p.list}
        return Directory(persons, {p.id: p for p in self.posts}, ways)


class _Maker:
    def __init__(self, size: int, seed: int, district: str) -> None:
        self.size, self.dice, self.district = size, random.Random(seed), district
        self.people: list[Invented] = []

    def person(self, unit: str, area: str, list_: str = "") -> str:
        """A new person, or "" when everyone there is to be has been invented."""
        number = len(self.people)
        if number >= self.size:
            return ""
        name = SURNAMES[number // 60 % len(SURNAMES)] + STEMS[number % 10] + BRANCHES[number % 12]
        tag = f"{self.dice.getrandbits(40):010x}"
        office = f"p{tag}@{DOMAIN}" if unit and area == self.district else ""
        self.people.append(Invented(f"p{tag}", name, unit, f"100{number:08d}", area, list_, office))
        return self.people[-1].id


def invent(pack: Pack, size: int, seed: int, zones: tuple[str, ...]) -> Population:
    """A population of ``size`` people, all concerned by a warning for ``zones`` (township area ids).

    Offices are filled first: officers on duty, village heads, deputies, the other roles, more village cadres; whoever
    is left stands on the lists of schools, sites and public. With few people one holds several posts of his unit.
    Raises ValueError if there are too few for every office to have somebody.
    """
    units = [u for u in pack.units.values() if "members" in u.groups or u.area in zones or u.id in COMMAND]
    if size < len(units) + 2:
        raise ValueError(f"人数 {size} 太少：涉及 {len(units)} 个单位，至少要 {len(units) + 2} 人")
    make = _Maker(size, seed, pack.district)
    posts = {u.id: {"duty_officer": make.person(u.id, u.area)} for u in units}
    posts["meteorology"]["leader"] = make.person("meteorology", pack.district)
    villages = [
        a for a in pack.areas.values() if a.kind == "village" and a.parent in zones and not a.valid_to
    ]
    towns = {u.area: u.id for u in units if u.area in zones}
    heads = [(v, make.person(towns[v.parent], v.id)) for v in villages]
    deputies = {u.id: make.person(u.id, u.area) for u in units}
    for role in ROLES:
        for unit in units:
            if role not in posts[unit.id]:
                posts[unit.id][role] = make.person(unit.id, unit.area)
    heads += [(v, make.person(towns[v.parent], v.id)) for _ in range(2) for v in villages]
    for number in range(len(make.people), size):
        village = villages[number % len(villages)]
        make.person("", village.id, LISTS[number % len(LISTS)])
    made = list(_posts(posts, deputies, {u.id: u.area for u in units}))
    made += _village_posts([(v.id, towns[v.parent], p) for v, p in heads if p])
    return Population(tuple(make.people), tuple(made))


COMMAND = ("headquarters", "government", "inspection")
"""Units above the members, whom ladders reach."""


def _posts(
    held: dict[str, dict[str, str]], deputies: dict[str, str], areas: dict[str, str]
) -> Iterator[Post]:
    for unit, roles in held.items():
        for role, person in roles.items():
            deputy = deputies[unit] if role == "duty_officer" else ""
            holder = person or roles["duty_officer"]
            yield Post(f"{unit}/{role}/1", unit, role, areas[unit], holder, deputy)


def _village_posts(heads: list[tuple[str, str, str]]) -> Iterator[Post]:
    numbers: dict[str, int] = {}
    for area, unit, person in heads:
        numbers[unit] = numbers.get(unit, 0) + 1
        yield Post(f"{unit}/responsible_person/{numbers[unit]}", unit, "responsible_person", area, person)
