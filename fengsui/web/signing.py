"""签署 Signing: what whoever puts his name to a draft must prove, how one person may sign alone, and how it becomes a fact."""

from __future__ import annotations

import msgspec
from django.db import router, transaction
from django.http import HttpRequest

from fengsui.core import alerts, calendar, mind
from fengsui.core.alerts import Mode
from fengsui.core.series import NAMES
from fengsui.core.state import DISTRICT, AlertPart, Refusal, Zoned
from fengsui.flow.departures import Departing
from fengsui.flow.inputs import Answer, Change, Signature
from fengsui.store import departures
from fengsui.store.accounts import Account, Draft
from fengsui.store.archive import Paper
from fengsui.web import guard, here, shared, written
from fengsui.web.written import Written

UNKNOWN = frozenset({"W021", "W022"})
"""Answers of the writer after which nobody knows yet whether it was recorded."""
TAKEN, UNSETTLED = "W136", "W218"
"""Answers to a signer: somebody was quicker; it is signed, and the house settles by itself whether it is recorded."""

DELAY = 10 * calendar.SECOND
"""µs for which a signature of blue or yellow can be undone."""
LEASE = int((here.WAIT + 2) * calendar.SECOND)
"""µs that are left to whoever posts what is urgent; then the house asks the ledger (``flow.departures``)."""


def modes(account: Account, draft: Written) -> tuple[Mode, ...]:
    """How an account may sign a draft by itself: only its own, and only as the core allows (``alerts.alone``)."""
    if not account.person or account.person != draft.author or not written.may_write(account):
        return ()
    part = here.world().at(draft.stream).alert if draft.stream else AlertPart()
    return alerts.alone(draft.action, part, Zoned(draft.zones), draft.expires, here.pack())


def joint(draft: Written) -> tuple[str, ...]:
    """Other units that must sign a draft: it is a joint product."""
    hazard = here.pack().hazards.get(draft.hazard)
    return tuple(u for u in (hazard.issuers if hazard else ()) if u not in here.pack().rights.issue)


def missing(draft: Written) -> tuple[str, ...]:
    """Units that have not signed yet."""
    return tuple(u for u in joint(draft) if u not in draft.cosigners)


def may_cosign(account: Account, draft: Written) -> bool:
    """Whether an account may sign a joint product for its unit: pack data, and a person of that unit who never wrote it."""
    person = here.world().directory.persons.get(account.person)
    fits = account.unit in joint(draft) and account.role in here.pack().rights.cosign
    return fits and person is not None and person.unit == account.unit and person.id not in draft.writers


def supposed(draft: Written) -> dict[str, str]:
    """For each unit still to sign somebody who could: for a look ahead."""
    persons = here.world().directory.persons.values()
    found = {
        u: next((p.id for p in persons if p.unit == u and p.id not in draft.writers), "")
        for u in joint(draft)
    }
    return found | draft.cosigners


def another(draft: Written) -> str:
    """Somebody who could sign beside the author: for a look ahead; "" if nobody is in the directory."""
    persons = here.world().directory.persons.values()
    own = (p.id for p in persons if p.unit in here.pack().rights.issue and p.id != draft.author)
    return next(own, "")


def code_required(draft: Written, mode: str = "") -> bool:
    """Whether the level named or replaced asks for a one-time code: as the pack says, in a district in earnest (ADR 0009).

    Taking back is never held up by it: a false alarm that runs on does more harm.
    """
    earnest = here.world().at(DISTRICT).series == "actual"
    return earnest and mode != "retraction" and draft.gravest in here.pack().rights.totp


def typed(draft: Written) -> str:
    """The word that must be typed before it is signed, "" = none: red is never signed by habit, and no drill is taken for
    what is in earnest.
    """
    if draft.series == "exercise":
        return NAMES["exercise"]
    return here.pack().texts.levels["red"] if "red" in draft.zones.values() else ""


def unproved(request: HttpRequest, account: Account, draft: Written, mode: str = "") -> str:
    """Why what was entered does not prove who is sitting there and that he means it, "" if it does.

    Failures count for this session, whatever happens at the door.
    """
    if guard.worn(request):
        return "口令错误次数过多，请 15 分钟后再试。[W040]"
    if not account.totp and code_required(draft, mode):
        return "橙色、红色预警须凭动态码签发，您的账号尚未启用。请点右上角姓名，在“我的账号”启用后再签，稿件保留。[W210]"
    word = typed(draft)
    if word and mode != "retraction" and request.POST.get("typed", "").strip() != word:
        what = "演练，不是真实预警" if draft.series == "exercise" else "红色预警"
        return f"请键入“{word}”二字，确认签发的是{what}，尚未签发。[W211]"
    right = guard.knows(account, request.POST.get("password", ""))
    if right and (not account.totp or guard.valid(account, request.POST.get("code", ""))):
        return ""
    guard.mistaken(request, account)
    what = "口令或动态码" if account.totp else "口令"
    return f"{what}不对，尚未签发。请重新输入{what}。[W135]"


def record(row: Draft, draft: Written, signature: Signature, *papers: Paper) -> Answer:
    """Have a signed draft considered and wait for the commit. The input's id is its number and what it says: it is issued
    once, and never as what it said before it was changed.

    Before anything is posted it is out of everybody's hands, and it comes back only if it was refused. Blue and yellow
    leave ten seconds later, if nobody calls them back; whether they may is known at once.
    """
    joint = () if signature.mode else draft.cosigners.values()
    signatures = (signature, *(Signature(signature.paper, signature.author, person) for person in joint))
    stream = draft.stream or _fresh(draft)
    fact = written.fact(draft, signature.signer, here.now(), stream=stream, mode=signature.mode)
    one = Departing(f"form/{form(row)}", fact, (draft.paper, *papers), signatures)
    return _hold(row, one) if held(draft, signature) else _post(row, one)


def form(row: Draft) -> str:
    """The form's token under which a draft is recorded: its number, and what it says."""
    return f"draft/{row.pk}/{seen(row)}"


def seen(row: Draft) -> str:
    """What a signer has before his eyes, so that he signs nothing else; who else has signed changes nothing of it."""
    body = written.dump(msgspec.structs.replace(written.load(row), cosigners={}, number=0))
    return Paper("draft", body.encode()).digest[:16]


def held(draft: Written, signature: Signature) -> bool:
    """Whether it can be called back for a while: not what is urgent, nor what mends a mistake."""
    return draft.gravest in ("blue", "yellow") and not draft.corrects and not signature.mode


def _fresh(draft: Written) -> str:
    """The name of a new incident's stream: none that is taken by what leaves in a moment."""
    name = written.fresh(draft)
    taken = set(Draft.objects.filter(kind=departures.KIND).values_list("stream", flat=True))
    stem, _, number = name.rpartition("-")
    return next(n for k in range(len(taken) + 1) if (n := f"{stem}-{int(number) + k}") not in taken)


def _hold(row: Draft, departing: Departing) -> Answer:
    """Let it leave in a moment; whatever is answered with yes survives a crash."""
    outcome = mind.consider(departing.fact, departing.id, here.world())
    if isinstance(outcome, Refusal):
        return Answer(departing.id, 0, outcome.code, outcome.text, outcome.already)
    waits = _claimed(row, departing, "leaving", here.now() + DELAY)
    return Answer(departing.id) if waits else _late(departing)


def _post(row: Draft, departing: Departing) -> Answer:
    """Post it now. If the answer does not come in time, the house asks the ledger and goes on from there."""
    waits = _claimed(row, departing, "going", here.now() + LEASE)
    if waits is None:
        return _late(departing)
    answer = here.record(
        departing.fact, form=form(row), papers=departing.papers, signatures=departing.signatures
    )
    if answer.code in UNKNOWN:
        Draft.objects.filter(pk=waits.pk).update(at=here.now())
        text = "已签发，写入结果还不知道，系统正在核实，写入后立即发出。请等本页更新，不要再签一次。[W218]"
        return Answer(departing.id, 0, UNSETTLED, text)
    with _together():
        if Draft.objects.filter(pk=row.pk, state="going").update(
            state="signed" if answer.ok else "submitted"
        ):
            waits.delete()
    stir()
    return answer


def _claimed(row: Draft, departing: Departing, state: str, at: int) -> Draft | None:
    """Take a draft out of everybody's hands; the row of what will be posted, None if it is not what was seen any more."""
    body = msgspec.json.encode(departing).decode()
    with _together():
        if not Draft.objects.filter(pk=row.pk, state="submitted", body=row.body).update(state=state):
            return None
        Draft.objects.filter(kind=departures.REFUSED, account=row.pk).delete()
        waits = Draft.objects.create(
            kind=departures.KIND, account=row.pk, stream=departing.fact.stream, body=body, at=at
        )
    stir()
    return waits


def _late(departing: Departing) -> Answer:
    return Answer(departing.id, 0, TAKEN, "稿件已被签发、取回或退回，请刷新")


def _together() -> transaction.Atomic:
    """A draft and what is to be posted of it change together or not at all."""
    return transaction.atomic(using=router.db_for_write(Draft))


def departing(row: Draft) -> tuple[int, Departing] | None:
    """When a draft leaves (UTC µs) and what will be posted, None if it does not."""
    found = Draft.objects.filter(kind=departures.KIND, account=row.pk).first()
    return (found.at, msgspec.json.decode(found.body, type=Departing)) if found else None


def call_back(row: Draft) -> bool:
    """Undo a signature before it has left: nothing of it was ever outside. False if it is too late."""
    with _together():
        if not Draft.objects.filter(pk=row.pk, state="leaving").update(state="submitted"):
            return False
        Draft.objects.filter(kind=departures.KIND, account=row.pk).delete()
    stir()
    return True


def held_up(row: Draft) -> str:
    """Why a signed draft did not go, "" if it did not try."""
    found = Draft.objects.filter(kind=departures.REFUSED, account=row.pk).first()
    return found.body if found else ""


def stir() -> None:
    """Tell every open desk that a draft has moved on."""
    shared.over()
    writer = here.house().writer
    for told in writer.wake:
        told(Change(writer.position[1], ("draft",), deliveries=False))


def refused(answer: Answer) -> str:
    """An answer's words with its code."""
    text = answer.text.rstrip("。")
    return text if answer.code in text else f"{text}。[{answer.code}]"
