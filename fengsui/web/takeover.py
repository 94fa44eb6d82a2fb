"""接手 Takeover: what another person was writing goes on at another desk, and the draft says who had it until when."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from fengsui.core.state import State
from fengsui.store.accounts import Account, Draft
from fengsui.web import here, numbers, written
from fengsui.web.written import KIND, Written


class Other(NamedTuple):
    """An open draft of somebody else: its number, his name, when he last wrote (UTC µs)."""

    number: int
    name: str
    at: int
    draft: Written


def others(account: Account, state: State) -> list[Other]:
    """Open drafts of others that still can be handed in: of one incident, or of new warnings."""
    if not written.may_write(account):
        return []
    rows = Draft.objects.filter(kind=KIND, state="open", stream=state.stream).exclude(account=account.pk)
    names = {a.pk: a.name or a.username for a in Account.objects.filter(pk__in=[r.account for r in rows])}
    found = [Other(r.pk, names.get(r.account, ""), r.at, written.load(r)) for r in rows.order_by("-at")[:9]]
    return [one for one in found if one.draft.replaces == state.alert.version]


def take(account: Account, number: int) -> Draft | None:
    """The draft, now this account's own; None where it is no longer open or is his already."""
    row = Draft.objects.filter(kind=KIND, pk=number, state="open").exclude(account=account.pk).first()
    if row is None:
        return None
    draft = written.load(row)
    mine = msgspec.structs.replace(
        draft, author=account.person, form="", held=(*draft.held, (draft.author, here.now()))
    )
    changed = Draft.objects.filter(pk=number, state="open", account=row.account, body=row.body).update(
        account=account.pk, body=written.dump(mine), at=here.now()
    )
    row.refresh_from_db()
    return row if changed else None


def holders(draft: Written) -> list[tuple[str, int]]:
    """Who was writing it before, by name, until when."""
    cards = numbers.cards(here.session(), [person for person, _ in draft.held]) if draft.held else {}
    return [(cards[person].name if person in cards else "已离任者", at) for person, at in draft.held]
