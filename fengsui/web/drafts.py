"""待签稿件 Drafts that wait for somebody: for his signature, or for its author who got it back — as tasks of the desk."""

from __future__ import annotations

from fengsui.store.accounts import Account, Draft
from fengsui.web import here, paths, signing, written
from fengsui.web.pages.issue import title
from fengsui.web.tasks import Task

DRAFTED = ("submitted", "returned", "leaving", "going")
RANKED = {"submitted": "signing", "returned": "returned"}
"""States of drafts that the desk shows, and the rank of each; the others are on their way out."""
WRITING = frozenset({"forecaster", "signer"})
"""Roles that draft and sign warnings."""


def waiting() -> list[Draft]:
    """Drafts that the desk shows, the oldest first."""
    found = Draft.objects.filter(kind=written.KIND, state__in=DRAFTED).order_by("at")[:20]
    return [row for row in found if written.load(row).series != written.apart()]


def tasks_of(account: Account, rows: list[Draft]) -> list[Task]:
    """Drafts that wait for this account's signature, and its own that were given back: before everything else."""
    if account.role not in WRITING | set(here.pack().rights.cosign):
        return []
    made = []
    for row in rows:
        draft, own = written.load(row), row.account == account.pk
        state = RANKED.get(row.state, "leaving")
        joins = account.unit in signing.missing(draft) and signing.may_cosign(account, draft)
        wrote = own or account.person in draft.writers
        signs = not wrote and (written.may_sign(account, draft) or joins)
        if own if state == "returned" else signs or (state == "leaving" and own):
            url = paths.to(account.role, "issue_sign", row.pk)
            action = "撤销" if state == "leaving" else "修改" if own else "联合签发" if joins else "审核签发"
            made.append(
                Task(f"draft|{row.pk}", draft.stream, "", "", (), state, 0, title(draft), "", action, url)
            )
    return made
