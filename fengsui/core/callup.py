"""叫应 Call-up: takes the steps that are due, finds whom each one tells, and makes one message per person of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from fengsui.core.clauses import Do, Haste
from fengsui.core.facts import Call, DutyOpened, Exhausted, Fact, Notified, PlanStep, Recipient, StepTaken
from fengsui.core.levels import LEVELS
from fengsui.core.state import Share, State, World

ANSWERING = ("remind", "deputy", "visit")
"""Whoever is told by these steps may answer for the holder; superior and desk are only informed."""

AT_WORK = ("duty_officer", "liaison")
IN_CHARGE = ("leader", "duty_leader", "responsible_person")


def climb(held: Iterable[tuple[str, str]], fact: Fact, world: World) -> Iterator[Fact]:
    """Take the next step for each (duty, holder); a step that reaches nobody is followed by the next at once.

    Holders of one duty may climb different ladders (red here, yellow there): what is grouped is one and the same step.

    Yields the StepTaken facts, grouped, and one Notified in which each person stands once.
    """
    state = world.at(fact.stream)
    steps: dict[tuple[str, int, Do, Haste], list[str]] = defaultdict(list)
    told: dict[str, list[tuple[Call, PlanStep]]] = defaultdict(list)
    for key, holder in held:
        share = state.duties[key].shares[holder]
        for index, step in _taken(share):
            steps[key, index, step.do, share.plan.haste].append(holder)
            persons = reach(step, holder, state, world)
            for person in persons:
                told[person].append((Call(step.do, key, holder), step))
            if persons or step.do in ("desk", "supervise"):
                break
    for (key, index, do, haste), holders in sorted(steps.items()):
        yield StepTaken(fact.stream, fact.at, key, tuple(sorted(holders)), do, index, haste)
    if told:
        yield _message(told, fact, state, world)


def _taken(share: Share) -> Iterator[tuple[int, PlanStep]]:
    """The steps from the one that is due; a repeated last step comes once."""
    last = len(share.plan.steps) - 1
    for index in range(share.step, max(share.step, last) + 1):
        yield index, share.plan.steps[min(index, last)]


def reach(step: PlanStep, holder: str, state: State, world: World) -> list[str]:
    """Persons that a step can really tell for a holder now: those it names who have a way open.

    Whoever answered 不归我 is not asked again in this stream: the list is being corrected.
    """
    names = post_persons(step, holder, world) if "/" in holder else unit_persons(step, holder, world)
    strangers = state.notices.disowned
    return [
        p for p in dict.fromkeys(names) if p not in strangers and world.directory.usable(p, step.channels)
    ]


def unit_persons(step: PlanStep, unit: str, world: World) -> tuple[str, ...]:
    """Whom a step tells for a unit."""
    holders = world.directory.holders
    match step.do:
        case "remind" | "visit":
            return holders(unit, *AT_WORK) or holders(unit, *IN_CHARGE)
        case "deputy":
            return _deputies(unit, world) or holders(unit, "duty_leader")
        case "superior":
            return holders(unit, "leader") or _above(unit, world)
        case "supervise" | "bulletin":
            return holders(unit, "leader", "liaison") or holders(unit, *AT_WORK)
        case "desk":
            return ()


def post_persons(step: PlanStep, holder: str, world: World) -> tuple[str, ...]:
    """Whom a step tells for a post."""
    post = world.directory.posts.get(holder)
    unit = holder.split("/", 1)[0]
    if post is None or step.do in ("supervise", "bulletin"):
        return unit_persons(step, unit, world)
    match step.do:
        case "remind":
            return (post.holder,) if post.holder else unit_persons(step, unit, world)
        case "deputy":
            own = _but(post.holder, (post.deputy,) if post.deputy else ())
            return own or _but(post.holder, world.directory.holders(unit, "duty_officer"))
        case "superior":
            return _but(post.holder, unit_persons(step, unit, world)) or _above(unit, world)
        case "visit":
            near = _but(post.holder, world.directory.holders(unit, *AT_WORK))
            return near or _but(post.holder, world.directory.holders(unit, *IN_CHARGE)) or _above(unit, world)
        case _:
            return ()


def _but(holder: str, persons: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(p for p in persons if p != holder)


def _deputies(unit: str, world: World) -> tuple[str, ...]:
    on_duty = (p for p in world.directory.unit_posts.get(unit, ()) if p.role == "duty_officer")
    return tuple(dict.fromkeys(p.deputy for p in on_duty if p.deputy and p.deputy != p.holder))


def _above(unit: str, world: World) -> tuple[str, ...]:
    superior = world.pack.units[unit].superior if unit in world.pack.units else ""
    return world.directory.holders(superior, "duty_officer", "leader") if superior else ()


def _message(
    told: dict[str, list[tuple[Call, PlanStep]]], fact: Fact, state: State, world: World
) -> Notified:
    recipients = []
    for person, calls in sorted(told.items()):
        wanted = dict.fromkeys(c for _, step in calls for c in step.channels)
        recipients.append(
            Recipient(
                person=person,
                channels=world.directory.usable(person, wanted),
                holders=tuple(dict.fromkeys(c.holder for c, _ in calls if c.do in ANSWERING)),
                calls=tuple(c for c, _ in calls),
            )
        )
    key = f"call/{_occasion(fact)}"
    while key in state.notices.sent:  # a second call at the very same moment is a telling of its own
        key += "+"
    return Notified(
        fact.stream,
        fact.at,
        key=key,
        template="call",
        recipients=tuple(recipients),
        version=state.warning.version,
        level=_level(state),
    )


def _occasion(fact: Fact) -> str:
    """A name for this telling that nothing else of the stream bears."""
    match fact:
        case Exhausted():
            return f"{fact.notice}/{fact.person}"
        case DutyOpened():
            return f"{fact.key}/{fact.at}"
        case _:
            return str(fact.at)


def _level(state: State) -> str:
    zones = state.warning.now.zones or state.warning.before.zones
    return max(zones.values(), key=LEVELS.index, default="")
