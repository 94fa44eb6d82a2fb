"""拟稿 Written: a warning as it stands in a draft — read from a form, checked before it can be signed, turned into a fact."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

import msgspec

from fengsui.core import alerts, calendar, slips, wording
from fengsui.core.facts import Alerted
from fengsui.core.levels import LEVELS, Action, Level
from fengsui.core.series import Series
from fengsui.core.state import AlertPart, State, Zoned
from fengsui.core.tables import stands
from fengsui.store import archive
from fengsui.store.accounts import Account, Draft
from fengsui.store.archive import Paper
from fengsui.store.sql import archive as open_archive
from fengsui.web import here

KIND = "alert"
"""Drafts of warnings."""
GAP = re.compile(r"〔[^〕]*〕|\{[^}]*\}|_{2,}|＿{2,}|×{2,}")
"""What a template leaves open: it must be filled or struck out before anybody signs."""
SENTENCE = re.compile(r"[。，；！：,;]$")
NOBODY = "您的账号未对应在册的责任人（未指定或已离任），不能制作或签发预警。请管理员在“账号”中指定。[W125]"
LONGEST_DAYS = 10
"""Days after which an expiry is taken for a slip of the pen."""


class Signed(wording.Draft, frozen=True):
    """What is signed: the two sentences, and all else that the warning says, so that no two warnings share a paper."""

    hazard: str = ""
    zones: dict[str, Level] = msgspec.field(default_factory=dict)
    expires: int = 0
    version: int = 0
    number: int = 0


class Written(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a draft holds. stream: "" = a new incident; replaces: version the author saw; cancel: it lifts the warning;
    corrects: the version it replaces was wrong, no zones = nothing of it holds.

    others: forecasts of zones at another level than the strongest; anew: tell also whom nothing changed for.
    cosigners: of a joint product, unit → the person who has signed for it.
    verb: the one it was begun with. held: persons who were writing it before, until when (UTC µs), the last one last.
    drill: the one it is played in. form: the token of the form it came from; remark: why a signer gave it back; number: of the stored draft.
    """

    hazard: str = ""
    zones: dict[str, Level] = {}
    cause: str = ""
    forecast: str = ""
    expires: int = 0
    stream: str = ""
    replaces: int = 0
    series: str = ""
    cancel: bool = False
    author: str = ""
    form: str = ""
    remark: str = ""
    number: int = 0
    corrects: bool = False
    others: dict[str, str] = {}
    anew: bool = False
    cosigners: dict[str, str] = {}
    verb: str = ""
    held: tuple[tuple[str, int], ...] = ()
    drill: str = ""

    @property
    def writers(self) -> frozenset[str]:
        """Persons who have written it, whoever has it now: none of them signs it."""
        return frozenset({self.author, *(person for person, _ in self.held)})

    @property
    def page(self) -> str:
        """The verb on whose page it is written, "" = that of a new warning."""
        if not self.stream:
            return ""
        return "correct" if self.corrects else self.verb or ("cancel" if self.cancel else "change")

    @property
    def ended(self) -> bool:
        """Whether nothing of the warning holds once it is signed: it lifts it, or takes it back altogether."""
        return self.cancel or (self.corrects and not self.zones)

    @property
    def action(self) -> Action:
        """The verb that fits what it does to the warning in force."""
        now = here.world().at(self.stream).alert.now if self.stream else Zoned()
        return "correct" if self.corrects else alerts.fitting(now, Zoned(self.zones), here.pack())

    @property
    def kept(self) -> tuple[str, ...]:
        """Zones whose level and expiry stay while others change: nobody there need be told again."""
        part = here.world().at(self.stream).alert if self.stream else AlertPart()
        if self.anew or self.action in ("renew", "correct") or self.expires != part.expires:
            return ()
        return tuple(sorted(z for z, level in self.zones.items() if part.now.over(z) == {z: level}))

    @property
    def level(self) -> Level | Literal[""]:
        """The strongest level it names; on lifting, the strongest that is lifted."""
        ended = self.cancel or self.corrects
        zones = self.zones or (here.world().at(self.stream).alert.now.zones if ended else {})
        return max(zones.values(), key=LEVELS.index, default="")

    @property
    def gravest(self) -> Level | Literal[""]:
        """The strongest level it names or replaces: what it takes to sign it, also where it lifts or lowers a level."""
        now = here.world().at(self.stream).alert.now.zones if self.stream else {}
        return max((*self.zones.values(), *now.values()), key=LEVELS.index, default="")

    @property
    def draft(self) -> wording.Draft:
        """The two sentences."""
        if self.cancel or not self.zones:
            return wording.Draft(self.cause)
        return wording.Draft(
            self.cause, self.forecast, {a: t for a, t in self.others.items() if t != self.forecast}
        )

    @property
    def paper(self) -> Paper:
        """The paper that the warning names; ``core.wording`` reads its sentences."""
        said = self.draft
        signed = Signed(
            said.cause, said.forecast, said.others,
            self.hazard, self.zones, self.expires, self.replaces + 1, self.number,
        )  # fmt: skip
        return Paper("alert", wording.paper(signed))


def load(draft: Draft) -> Written:
    """What a stored draft holds."""
    found = msgspec.json.decode(draft.body.encode(), type=Written)
    return msgspec.structs.replace(found, number=draft.pk)


def dump(written: Written) -> str:
    """As it is stored; the same words give the same text."""
    return msgspec.json.encode(written, order="deterministic").decode()


def read(data: Mapping[str, Any], account: Account, stream: str = "", *, cancel: bool = False) -> Written:
    """What a form says. ``pair``: hazard/level; ``zone``: areas at that level; ``at-<area>``: an area's own level."""
    state = here.world().at(stream) if stream else State.blank("")
    hazard, _, level = str(data.get("pair", "")).partition("/")
    zones: dict[str, Level] = {}
    listed = data.getlist("zone") if hasattr(data, "getlist") else data.get("zone", [])
    if level in LEVELS:
        zones = dict.fromkeys(listed, level)
    zones |= {
        key.removeprefix("at-"): cast("Level", value)
        for key, value in data.items()
        if key.startswith("at-") and value in LEVELS
    }
    whole = here.pack().district
    if stream:
        zones = gathered(zones, state)
    if whole in zones:  # a part adds nothing where the whole district has the same level or a higher one
        zones = {z: a for z, a in zones.items() if z == whole or LEVELS.index(a) > LEVELS.index(zones[whole])}
    strongest = max(zones.values(), key=LEVELS.index, default="")
    spoken = {a: str(data.get(f"forecast-{a}", "")).strip() for a in LEVELS if a in zones.values()}
    said = {a: text for a, text in spoken.items() if text}
    return Written(
        hazard=state.alert.hazard or hazard,
        zones={} if cancel else zones,
        cause=str(data.get("cause", "")).strip(),
        forecast=said.pop(strongest, "") or str(data.get("forecast", "")).strip(),
        expires=state.alert.expires if cancel else moment(str(data.get("expires", ""))),
        stream=stream,
        replaces=_number(data.get("replaces", "")) if stream else 0,
        series=state.series if state.alert.version else series(str(data.get("drill", ""))),
        drill="" if state.alert.version else str(data.get("drill", "")),
        cancel=cancel,
        author=account.person,
        form=str(data.get("form", "")),
        others=said,
        anew=bool(data.get("anew")) and not cancel,
        verb=str(data.get("verb", "")),
    )


def gathered(zones: dict[str, Level], state: State) -> dict[str, Level]:
    """Townships that together are what was in force for the whole district become the district again."""
    whole = here.pack().district
    was = state.alert.now.zones.get(whole)
    places = [area for area, _ in towns() if area != whole]
    if was is None or whole in zones or not all(place in zones for place in places):
        return zones
    held = {zones[place] for place in places}
    if len(held) > 1 and min(held, key=LEVELS.index) != was:
        return zones
    level = min(held, key=LEVELS.index)
    return {whole: level} | {z: a for z, a in zones.items() if a != level}


def _number(text: object) -> int:
    return int(str(text)) if str(text).isdecimal() else 0


def series(drill: str) -> Series:
    """The district's own, but in a drill."""
    return "exercise" if drill else here.world().at("district").series


def moment(text: str) -> int:
    """A local time of a form as UTC µs, 0 if there is none."""
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return 0
    return calendar.utc(found.replace(tzinfo=ZoneInfo(here.pack().zone), second=0, microsecond=0))


def local(at: int) -> str:
    """A moment as a form shows it, in the pack's zone."""
    return f"{calendar.local(at, here.pack().zone):%Y-%m-%dT%H:%M}" if at else ""


def towns() -> list[tuple[str, str]]:
    """Areas a warning may name: the district and the townships that exist today, (id, name)."""
    pack = here.pack()
    today = calendar.local(here.now(), pack.zone).date().isoformat()
    found = [a for a in pack.areas.values() if a.kind == "township" and stands(a, today)]
    return [(pack.district, "全区"), *((a.id, a.name) for a in found)]


def filled(hazard: str, level: str, now: int) -> tuple[str, str, int]:
    """Cause (empty) and forecast as the criterion suggests them, and the expiry after the signal's own hours."""
    signal = here.pack().hazards[hazard].levels[level]
    said = re.split(r"[，,；;]?\s*或者?(?:已|将|可能已)|。|（", signal.criterion_text, maxsplit=1)[0].strip(
        "，,；; "
    )
    forecast = said if said.startswith(("预计", "未来")) else f"预计未来{said}"
    hours = signal.valid_hours or 6
    minute = now // calendar.MINUTE * calendar.MINUTE
    return "", f"{forecast}。", minute + int(hours * calendar.HOUR)


def faults(written: Written, now: int) -> list[str]:
    """What must be mended before it can be signed; the rest is the core's to refuse."""
    found = []
    if not written.hazard:
        found.append("请选择灾种和级别。[W120]")
    if not written.ended and written.hazard and not written.zones:
        found.append("请至少选择一个预警区域。[W120]")
    for title, text in _said(written):
        if gap := GAP.search(text):
            found.append(f"“{title}”中“{gap[0]}”尚未填写，请填写或删去。[W122]")
        elif text and not SENTENCE.search(text):
            found.append(f"“{title}”须以标点结尾，以便与下文连成一句。[W123]")
    if not written.ended and not written.forecast:
        found.append("请写明预报。[W124]")
    if (written.cancel or written.corrects) and not written.cause:
        found.append(f"请写明{'更正' if written.corrects else '解除'}的原因。[W124]")
    if not written.ended:
        found += _until(written, now)
    found += slips.found(" ".join(text for _, text in _said(written)), _meant(written), here.pack())
    if not written.author:
        found.append(NOBODY)
    return found


def _said(written: Written) -> list[tuple[str, str]]:
    """Every sentence of a draft, with what it is called."""
    names, draft = here.pack().texts.levels, written.draft
    more = [(f"{names[a]}区域的预报", text) for a, text in draft.others.items()]
    return [("成因", draft.cause), ("预报", draft.forecast), *more]


def _meant(written: Written) -> slips.Meant:
    now = here.world().at(written.stream).alert.now.zones if written.stream else {}
    levels = frozenset(written.zones.values()) | frozenset(now.values())
    return slips.Meant(written.hazard, levels, written.series or "actual")


def _until(written: Written, now: int) -> list[str]:
    if written.expires <= now:
        return ["失效时间已过或未填，请改为将来的时间。[W126]"]
    if written.expires > now + LONGEST_DAYS * calendar.DAY:
        return [f"失效时间超过 {LONGEST_DAYS} 天，请核对日期。[W126]"]
    return []


def fact(written: Written, signer: str, now: int, *, stream: str = "", mode: str = "") -> Alerted:
    """The warning as it would be recorded now. stream: of a new incident."""
    return Alerted(
        stream=written.stream or stream,
        at=now,
        version=written.replaces + 1,
        hazard=written.hazard,
        zones=written.zones,
        expires=written.expires,
        author=written.author,
        signer=signer,
        paper=written.paper.digest,
        replaces=written.replaces,
        series=cast("Series", written.series or "actual"),
        mode=cast("Any", mode),
        action=written.action,
        kept=written.kept,
        cosigners=written.cosigners,
        drill=written.drill,
    )


def fresh(written: Written) -> str:
    """The name of a new incident's stream: its day, its hazard and how many there were."""
    day = calendar.local(here.now(), here.pack().zone)
    stem = f"incident-{day:%Y%m%d}-{written.hazard}-"
    known = {
        str(row[0])
        for row in here.session().run(
            "SELECT DISTINCT stream FROM ledger WHERE stream >= ? AND stream < ?", stem, stem + "~"
        )
    }
    return next(name for n in range(1, len(known) + 2) if (name := f"{stem}{n}") not in known)


def before(state: State) -> Written:
    """The warning in force as if it had been written for the next version: nothing is typed again."""
    said = wording.draft(paper(state.alert.paper))
    return msgspec.structs.replace(
        standing(state), cause=said.cause, forecast=said.forecast, others=said.others
    )


def standing(state: State) -> Written:
    """The warning in force without its sentences, which are read from the archive."""
    return Written(
        hazard=state.alert.hazard,
        zones=state.alert.now.zones,
        expires=state.alert.expires,
        stream=state.stream,
        replaces=state.alert.version,
        series=state.series,
    )


def paper(digest: str) -> bytes:
    """The bytes of a paper; empty where it is gone."""
    return papers([digest])[digest]


def papers(digests: Iterable[str]) -> dict[str, bytes]:
    """The bytes of several, read at once."""
    wanted = dict.fromkeys(digests, b"")
    if not any(wanted):
        return wanted
    session = open_archive()
    try:
        return wanted | archive.several(session, filter(None, wanted))
    finally:
        session.close()


def apart() -> str:
    """The series that pages in earnest do not speak of, "" = none: the drill, unless the whole district is one."""
    return "" if here.world().at("district").series == "exercise" else "exercise"


def barred(account: Account) -> str:
    """Why an account may not draft warnings, "" if it may: unit and role are pack data; whoever has left may not."""
    right = here.pack().rights
    if account.unit not in right.issue or account.role not in (
        right.accounts or {"forecaster": "", "signer": ""}
    ):
        return "您的单位或角色没有制作预警的权限，见数据包“签发权”。[W127]"
    return "" if listed(account) else NOBODY


def may_write(account: Account) -> bool:
    """Whether an account may draft warnings."""
    return not barred(account)


def may_sign(account: Account, written: Written) -> bool:
    """Whether an account may sign at the level named and the one replaced: its unit and role by pack data, and its person is
    in the directory.
    """
    right = here.pack().rights
    fits = account.unit in right.issue and account.role in right.sign.get(written.gravest, ())
    return fits and listed(account)


def listed(account: Account) -> bool:
    """Whether the person whom an account acts for is in the directory: he is named, and has not left."""
    return account.person in here.world().directory.persons
