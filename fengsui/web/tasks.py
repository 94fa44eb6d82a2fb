"""待办 Tasks: what waits for whom — board rows of the open streams, one task for each duty of a unit, worst first.

Read from the world in one pass; rows of a stream that has not changed since are not made again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from fengsui.core import board
from fengsui.core.board import Row
from fengsui.core.clauses import Pack
from fengsui.core.state import Share, State, World
from fengsui.web import paths, sentences

DESK = frozenset({"forecaster", "clerk", "signer", "administrator"})
"""Roles for whom everything at the desk waits; the others see what is their own."""
DECIDING = frozenset({"suspension", "consultation"})
"""Mechanisms that end in a decision: what a leader waits for."""
SHOWN = 9
"""Cards with a number key."""
RANKS = ("desk", "supervised", "overdue", "open")
"""How pressing: a person at the desk must see to it, under supervision, past its deadline, still in time."""

CALLED = ("", "duty_officer", "duty_leader", "leader", "liaison")
"""Roles in the order in which they are called."""

WORDS = {
    "desk": "待人工处理", "supervised": "督办中", "overdue": "已超时", "open": "在办",
    "signing": "待签发", "returned": "退回待改", "leaving": "即将发出",
    "received": "待核对", "unsent": "没有发出",
}  # fmt: skip

PLACES: dict[str, tuple[str, tuple[str, ...]]] = {
    "alert": ("继续、降级或解除", ("issue_renew",)),
    "response_set": ("批准响应", ("consult",)),
    "held": ("会商", ("consult",)),
    "concluded": ("会商结论", ("consult",)),
    "suspension_decided": ("作决定", ("suspend",)),
    "suspension_lifted": ("恢复", ("suspend",)),
    "aired_crawl": ("插播", ("media",)),
    "aired_badge": ("插播", ("media",)),
    "aired_anchor": ("插播", ("media",)),
    "off_air_crawl": ("撤下", ("media",)),
    "off_air_badge": ("撤下", ("media",)),
    "roster_confirmed": ("核对名录", ("people",)),
    "signature_review": ("复核", ("review",)),
}
"""Where one's own duty is done, by what proves it: what the button says, and the page (with the stream, or plain)."""


class Who(Protocol):
    """For whom something waits: an account, or what a screen knows of one."""

    @property
    def role(self) -> str:
        """As in ``web.rights``."""

    @property
    def unit(self) -> str:
        """Its unit, "" = none."""


class Task(NamedTuple):
    """One card: a duty of a unit. rows: who owes it, worst first."""

    id: str
    stream: str
    duty: str
    unit: str
    rows: tuple[Row, ...]
    rank: str
    deadline: int
    title: str
    detail: str
    action: str
    url: str

    @property
    def word(self) -> str:
        """Its rank in Chinese."""
        return WORDS[self.rank]


_made: dict[str, tuple[State, tuple[Row, ...]]] = {}


def rows(world: World) -> Iterator[Row]:
    """Every open row of every open stream."""
    for state in tuple(world.streams.values()):
        if not state.closed:
            yield from rows_of(state)


def rows_of(state: State) -> tuple[Row, ...]:
    """Every open row of a stream."""
    known = _made.get(state.stream)
    if known is None or known[0] is not state:
        made = tuple(r for r in board.rows(state).values() if r.ended is None)
        known = _made[state.stream] = state, made
    return known[1]


def rank(row: Row, now: int) -> str:
    """How pressing a row is."""
    if row.desk:
        return "desk"
    if row.status == "supervised":
        return "supervised"
    return "overdue" if row.deadline < now else "open"


def order(row: Row, now: int) -> tuple[int, int, int, str]:
    """Worst first; of equals whoever is on duty before those in charge, and those before the villages."""
    role = row.holder.split("/")[1] if "/" in row.holder else ""
    return (
        RANKS.index(rank(row, now)),
        row.deadline,
        CALLED.index(role) if role in CALLED else len(CALLED),
        row.id,
    )


def mine(account: Who, world: World) -> Callable[[Row], bool]:
    """Which rows wait for an account: by its role, and by its unit."""
    if account.role in DESK:
        return lambda _: True
    if account.role == "supervisor":
        return lambda row: row.status == "supervised"
    own = {account.unit} - {""}
    if account.role == "leader":
        uses = deciding(world.pack)
        return lambda row: row.unit in own or _kind(row.duty) in uses
    return lambda row: row.unit in own


def deciding(pack: Pack) -> frozenset[str]:
    """Duties (clause/name) of which somebody must decide something."""
    return frozenset(
        f"{clause.id}/{duty.name}"
        for clause in pack.clauses.values()
        for duty in clause.duty
        if (duty.use and duty.use.mechanism in DECIDING) or "response_set" in duty.evidence
    )


def _kind(key: str) -> str:
    """Clause and name of a duty without its thread."""
    return "/".join(key.split("/", 2)[:2])


class Group(NamedTuple):
    """A duty of a unit that waits, before it is worded: its most pressing rows, worst first."""

    rows: tuple[Row, ...]
    rank: str

    @property
    def id(self) -> str:
        """Names the group as long as it waits."""
        row = self.rows[0]
        return f"{row.stream}|{row.duty}|{row.unit}"


def tasks(account: Who, world: World, now: int) -> list[Task]:
    """Everything that waits for an account, worst first, each duty of a unit once."""
    return [task(group, account, world) for group in groups(account, world, now)]


def groups(account: Who, world: World, now: int) -> list[Group]:
    """The same, not yet worded: a screen words only what it shows."""
    wanted = mine(account, world)
    found: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in rows(world):
        if wanted(row):
            found[row.stream, row.duty, row.unit].append(row)
    made = [_group(sorted(group, key=lambda r: order(r, now)), now) for group in found.values()]
    return sorted(made, key=lambda group: _pressing(group, world, now))


def _group(sorted_: list[Row], now: int) -> Group:
    pressing = rank(sorted_[0], now)
    return Group(tuple(r for r in sorted_ if rank(r, now) == pressing), pressing)


def _pressing(group: Group, world: World, now: int) -> tuple[int, int, int, int, str]:
    """Worst first; of equals what is nearest to the ground (a township before an office), then the larger."""
    unit = world.pack.units.get(group.rows[0].unit)
    rank_, deadline, _, id_ = order(group.rows[0], now)
    return rank_, deadline, -len(unit.area) if unit else 0, -len(group.rows), id_


def task(group: Group, account: Who, world: World) -> Task:
    """A group worded as a card, with the one thing to do about it."""
    row = group.rows[0]
    action, url = _action(row, group.rank, account, world)
    return Task(
        id=group.id,
        stream=row.stream,
        duty=row.duty,
        unit=row.unit,
        rows=group.rows,
        rank=group.rank,
        deadline=row.deadline,
        title=f"{sentences.unit(row.unit, world)} {sentences.title(row.duty, world)}",
        detail=_detail(group.rows, world),
        action=action,
        url=url,
    )


def _detail(alike: tuple[Row, ...], world: World) -> str:
    """Who it is about, where that is more than the unit."""
    posts = [r.holder for r in alike if "/" in r.holder]
    if posts:
        first = sentences.holder(posts[0], world).removeprefix(sentences.unit(alike[0].unit, world))
        return first if len(posts) == 1 else f"{first}等 {len(posts)} 人"
    thread = alike[0].duty.split("/", 2)[2:]
    known = thread and thread[0].split("/", 1)[0] in world.pack.clauses
    return f"事由：{sentences.title(thread[0], world)}" if known else ""


def _action(row: Row, pressing: str, account: Who, world: World) -> tuple[str, str]:
    """The one thing to do about a task: one's own is done, another's is called for."""
    role = account.role
    if row.unit == account.unit or role not in DESK:
        return own(row, role, world)
    word = "催办" if pressing == "open" else "打电话"
    return word, paths.to(role, "call", row.id)


def own(row: Row, role: str, world: World) -> tuple[str, str]:
    """Where one's own duty is done: the page made for it, else the plain one."""
    for word in share(row, world).plan.evidence:
        label, pages = PLACES.get(word, ("", ()))
        wanted = [(page, row.stream) for page in pages] + [(page,) for page in pages]
        if url := paths.first(role, *wanted):
            return label, url
        if word in world.pack.reports and (url := paths.to(role, "report", row.stream)):
            return "报告", url
    return "办理", paths.to(role, "desk_do", row.id)


def share(row: Row, world: World) -> Share:
    """What the row's holder owes."""
    return world.at(row.stream).duties[row.duty].shares[row.holder]


def find(id_: str, world: World) -> Row | None:
    """An open or ended row by its id, None if there is none."""
    stream, _, rest = id_.partition("|")
    known = world.streams.get(stream)
    return board.rows(known).get(id_) if known is not None and rest else None
