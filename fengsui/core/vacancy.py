"""空岗代签 Vacancy: the desk acknowledges for a post that owes an answer and for which nobody could be told.

The ladder hands such a post to the desk, the desk rings the unit, somebody answers: the fact names the post, who
answered (if the directory knows him) and the note of what he promised. Where anybody was told, he answers himself.
"""

from __future__ import annotations

import msgspec

from fengsui.core.facts import Reached
from fengsui.core.state import Contact, NoticePart, Refusal, State, World


def answerable(holder: str, state: State) -> bool:
    """Whether somebody was told for a holder in the version that asked for it last, and has not answered 不归我."""
    part = state.notices
    asked = max((s.plan.version for d in state.duties.values() if (s := d.shares.get(holder))), default=0)
    return any(
        contact.told.get(holder, -1) >= asked and person not in part.disowned
        for person, contact in part.people.items()
    )


def refusal(fact: Reached, world: World) -> Refusal | None:
    """Why the desk may not sign for the post that a fact names, None if it may."""
    state = world.at(fact.stream)
    if fact.state != "acknowledged" or not fact.by or not fact.paper:
        return Refusal("N09", "代签须由值班席登记，并写明谁接的电话、答应了什么")
    if fact.person and fact.person not in world.directory.persons:
        return Refusal("N06", "名录中没有此人，请刷新后重试")
    found = [s for d in state.duties.values() if (s := d.shares.get(fact.holder))]
    owed = [s for s in found if "acknowledged" in s.plan.evidence]
    if not any(s.open for s in owed):
        return Refusal("N04", "已签收", already=True) if owed else Refusal("N10", "该岗位没有待签收的预警")
    if not max(s.plan.version for s in owed if s.open) <= fact.version <= state.warning.version:
        return Refusal("N11", "预警已更新，请按新版再通话一次")
    if answerable(fact.holder, state):
        return Refusal("N12", "该岗位已通知到人，请登记为被通知的人签收")
    return None


def spoken(part: NoticePart, fact: Reached) -> dict[str, Contact]:
    """Who answered for the post has been told by telephone, so that he also hears the all-clear; what he owes for posts
    of his own is untouched. Nobody, where the directory does not know him.
    """
    if not fact.person:
        return {}
    known = part.people.get(fact.person) or Contact(version=fact.version, acknowledged=fact.version)
    told = {**known.told, fact.holder: fact.version}
    return {fact.person: msgspec.structs.replace(known, told=told)}
