"""来报登记 Arrivals: what a message or a text from elsewhere would be if it were registered, and what a person must look at first.

Two sources, one shape: a CAP message with its strict verdict, and an issued Chinese text. Nothing is decided here, nothing is
guessed: what is not settled is a doubt.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from fengsui.core import cap_forms, geocodes, reception
from fengsui.core.calendar import HOUR, MINUTE
from fengsui.core.cap import Alert, Info
from fengsui.core.cap_sense import Danger, Remark, sense
from fengsui.core.clauses import Pack
from fengsui.core.facts import Arrival
from fengsui.core.geocodes import Located
from fengsui.core.levels import LEVELS, Level
from fengsui.core.series import Series
from fengsui.core.tables import Area, stands
from fengsui.formats import geo
from fengsui.formats.cap.envelope import Part
from fengsui.formats.cap.incoming import Incoming, incoming
from fengsui.formats.cap.signature import TAG
from fengsui.formats.cap.trust import Trust
from fengsui.formats.texts import reading
from fengsui.formats.texts.reading import Reading

LASTS = 24 * HOUR
"""µs for which a warning counts that does not say how long."""
AHEAD = 10 * MINUTE
"""µs by which another clock may be ahead of ours."""
STRANGER = "X411"
"""What is said of a sound message whose signer is none of those that are pinned."""
SETTLES = ("X512", "X513", "X533", "X534", "X535")
"""Doubts that also keep an end from counting by itself; hazard, level and place are those of what it ends."""
NAME = 40
"""Characters of a sender's name that are taken over: it stands in our own messages."""
SERIES: dict[str, Series] = {"actual": "actual", "exercise": "exercise", "test": "test"}
ACTIONS: dict[str, Arrival] = {"alert": "issue", "update": "update", "cancel": "cancel"}
PLAIN = {"ack": "确认回执", "error": "出错回执"}
SIGNED = f"<{TAG.partition('}')[2]}".encode(), f":{TAG.partition('}')[2]}".encode()
Here = Literal["ours", "elsewhere", "unknown"]


class Threat(msgspec.Struct, frozen=True):
    """One hazard of a message: id of the pack ("" = none of it), its name, its zones with their levels; level: the strongest
    that is written, also where no zone is known.
    """

    hazard: str
    name: str
    zones: dict[str, Level]
    level: Level | Literal[""] = ""


class Proposal(msgspec.Struct, frozen=True):
    """What would be registered. key, referred: see ``core.reception``; here: whether the district is meant; expires: UTC µs.

    doubts: a person must look before anything follows; refused: why it can never be registered, code and words ("" = it can).
    """

    key: str
    sender: str
    sent: int
    action: Arrival
    series: Series
    title: str
    expires: int
    dangers: tuple[Threat, ...]
    here: Here
    identifier: str = ""
    kind: str = ""
    referred: tuple[str, ...] = ()
    valid: bool = False
    signer: str = ""
    doubts: tuple[Remark, ...] = ()
    refused: tuple[str, str] = ("", "")


def unreadable(content: bytes, at: int, code: str, why: str) -> Proposal:
    """What nothing can be made of; it is kept all the same."""
    key = reception.key("", "", hashlib.sha256(content).hexdigest())
    return Proposal(key, _name(""), at, "issue", "test", "", at + LASTS, (), "unknown", refused=(code, why))


# ── CAP 报文 ──────────────────────────────────────────────────────────────────


def message(content: bytes, pack: Pack, now: int, trust: Trust) -> tuple[Incoming, Proposal]:
    """Both answers to the bytes of one message, and what it would be. trust: pinned certificates; none = nobody's."""
    today = _local(now).date().isoformat()
    signed = any(mark in content for mark in SIGNED)
    one = incoming(content, pack, today=today, trust=trust if trust and signed else None)[0]
    if STRANGER in {finding.code for finding in one.verdict.findings}:  # as good as unsigned, no worse
        one = incoming(content, pack, today=today)[0]
    one = msgspec.structs.replace(one, part=Part(content))
    return one, _proposed(one, pack, now)


def _proposed(one: Incoming, pack: Pack, now: int) -> Proposal:
    alert = one.alert
    digest = hashlib.sha256(one.part.content).hexdigest()
    infos = _infos(alert)
    dangers, here, doubts = _dangers(alert, infos, one.located, pack)
    sent = alert.sent.at if alert.sent else now
    others = [
        r for r in one.reasons if r not in one.sense.remarks
    ]  # what other languages leave out is no doubt
    doubts = [r for r in (*others, *doubts, *_doubtful(alert, sent, now)) if r.grave]
    action = ACTIONS.get(alert.msg_type.strip().casefold(), "issue")
    if action == "cancel":
        doubts = [r for r in doubts if r.code in SETTLES]
    said = next((i.sender_name for i in infos if i.sender_name.strip()), alert.sender)
    ends = max((i.expires.at for i in infos if i.expires), default=0)
    return Proposal(
        reception.key(alert.sender, alert.identifier, digest), _name(said), sent,
        action, SERIES.get(alert.status.strip().casefold(), "test"),
        _title(infos), ends or sent + LASTS, dangers, here, alert.identifier.strip(), alert.msg_type.strip(),
        _referred(alert), one.verdict.valid, one.verdict.signer, tuple(dict.fromkeys(doubts)), _refused(one, pack),
    )  # fmt: skip


def _infos(alert: Alert) -> tuple[Info, ...]:
    """The blocks in Chinese, where there are any: the same in another language adds nothing."""
    chinese = tuple(i for i in alert.infos if i.language.lower().startswith("zh"))
    return chinese or alert.infos


def _title(infos: Iterable[Info]) -> str:
    found = next((i.headline or i.event for i in infos if (i.headline or i.event).strip()), "")
    return " ".join(found.split())[:120]


def _name(text: str) -> str:
    return " ".join(text.split())[:NAME] or "未具名单位"


def _referred(alert: Alert) -> tuple[str, ...]:
    """Keys of the messages that are referred to, the oldest first; those without the form of a reference are none."""
    found = [r for one in alert.references.split() for r in cap_forms.references(one) or ()]
    return tuple(reception.key(r.sender, r.identifier, "") for r in sorted(found, key=lambda r: r.sent))


def _doubtful(alert: Alert, sent: int, now: int) -> Iterator[Remark]:
    if alert.status.strip().casefold() not in {*SERIES, "system", "draft"}:
        yield Remark("X533", f"status“{alert.status[:20]}”不明，不知是不是实际预警。", grave=True)
    if alert.msg_type.strip().casefold() not in {*ACTIONS, *PLAIN}:
        yield Remark("X534", f"msgType“{alert.msg_type[:20]}”不明，不知是发布、更新还是解除。", grave=True)
    if sent > now + AHEAD:
        yield Remark("X535", "发送时间在将来，请核对两边的时钟。", grave=True)
    if alert.infos and not any(i.expires for i in alert.infos):
        yield Remark("X536", "没有写失效时间，按发送后 24 小时计。")


def _refused(one: Incoming, pack: Pack) -> tuple[str, str]:
    """Why a message can never be registered."""
    alert = one.alert
    if contradicts := next((r for r in one.reasons if r.code == "X525"), None):
        return contradicts.code, contradicts.text
    if alert.sender.strip() == pack.cap.sender:
        return "X544", "这是本区自己发布的预警。"
    if alert.status.strip().casefold() in ("system", "draft"):
        return "X537", f"status 为 {alert.status.strip()}：系统间的报文或草稿，不是预警。"
    if word := PLAIN.get(alert.msg_type.strip().casefold()):
        return "X538", f"这是{word}，不是预警。"
    if not alert.infos and alert.msg_type.strip().casefold() != "cancel":
        return "X539", "报文没有内容（info），没有可登记的预警。"
    return "", ""


# ── places and hazards 区域与灾种 ─────────────────────────────────────────────


def _dangers(
    alert: Alert, infos: Iterable[Info], located: Located, pack: Pack
) -> tuple[tuple[Threat, ...], Here, list[Remark]]:
    """Every hazard with its zones, whether the district is meant, and what is not settled."""
    found: dict[str, tuple[Danger, dict[str, Level]]] = {}
    doubts: list[Remark] = []
    heres: list[Here] = []
    day = _local(alert.sent.at).date().isoformat() if alert.sent else ""
    for info in infos:
        zones, here = _zones(info, pack, day)
        heres.append(here)
        about = sense(msgspec.structs.replace(alert, infos=(info,)), pack)
        doubts += about.remarks
        for danger in about.dangers:
            _, known = found.setdefault(danger.hazard, (danger, {}))
            if level := danger.level:
                known |= {z: max(known.get(z, level), level, key=LEVELS.index) for z in zones}
    here = next((h for h in ("ours", "unknown", "elsewhere") if h in heres), "unknown")
    if located.ambiguous:
        here = "ours"
        readings = "、".join(f"{p.name}（{geocodes.LISTS[p.scheme]} {p.code}）" for p in located.ambiguous)
        doubts.append(Remark("X540", f"区域编码有两种读法，未采用：{readings}。", grave=True))
    ending = ACTIONS.get(alert.msg_type.strip().casefold()) == "cancel"
    if here == "unknown" and not ending:
        doubts.append(Remark("X541", "看不出是否涉及本区，区域待人工确认。", grave=True))
    made = tuple(_danger(danger, zones, pack) for danger, zones in found.values())
    if here == "ours" and not ending:
        doubts += [
            Remark("X542", f"“{d.name[:20]}”不在本区灾种表内。", grave=True) for d in made if not d.hazard
        ]
        doubts += [] if made else [Remark("X542", "看不出是哪一种灾害。", grave=True)]
    return made, here, doubts


def _danger(danger: Danger, zones: dict[str, Level], pack: Pack) -> Threat:
    return Threat(
        danger.hazard if danger.hazard in pack.hazards else "",
        danger.name,
        whole(zones, pack),
        danger.level or "",
    )


def whole(zones: dict[str, Level], pack: Pack) -> dict[str, Level]:
    """Zones as they are recorded: the district where all of it is at one level."""
    towns = {a.id for a in pack.areas.values() if a.kind == "township" and not a.valid_to}
    if towns <= zones.keys() and len(set(zones.values())) == 1:
        return {pack.district: next(iter(zones.values()))}
    return zones


def _zones(info: Info, pack: Pack, day: str) -> tuple[tuple[str, ...], Here]:
    """Townships that a block is about: by codes; without any, by what is drawn; else by names of ours."""
    codes = [code for area in info.areas for code in area.geocodes]
    found = geocodes.locate(codes, pack, day or "9999-12-31")
    if found.townships:
        return tuple(p.area for p in found.townships), "ours"
    if any(geocodes.DIGITS.fullmatch(code.value.strip()) for code in codes):
        return (), "unknown" if found.remarks else "elsewhere"
    drawn = [ring for area in info.areas for text in area.polygons if (ring := cap_forms.points(text))]
    if drawn:
        inside = tuple(a.id for a in _towns(pack) if _covered(a.lon, a.lat, drawn))
        return inside, "ours" if inside else "elsewhere"
    named = tuple(named_areas((area.area_desc for area in info.areas), pack))
    return named, "ours" if named else "unknown"


def _towns(pack: Pack) -> Iterator[Area]:
    return (a for a in pack.areas.values() if a.kind == "township" and not a.valid_to)


def _covered(lon: float | None, lat: float | None, rings: Iterable[tuple[cap_forms.Point, ...]]) -> bool:
    """Whether a township's point lies in one of the rings (latitude first)."""
    if lon is None or lat is None:
        return False
    return any(geo.inside((lon, lat), [tuple((x, y) for y, x in ring)]) for ring in rings)


def named_areas(names: Iterable[str], pack: Pack) -> list[str]:
    """Townships of ours that are named together with the district, or the whole of them where only it is."""
    district = pack.areas[pack.district].name
    said = " ".join(names)
    if district not in said:
        return []
    towns = [a.id for a in _towns(pack) if a.name in said]
    return towns or [a.id for a in _towns(pack)]


# ── texts 文本 ────────────────────────────────────────────────────────────────


def text(content: bytes, pack: Pack, now: int) -> tuple[Reading, Proposal]:
    """What a text says, and what it would be. Its names are names: the person who registers it answers for them."""
    raw = content.decode("utf-8", "replace").replace("\0", " ")  # what no database keeps says nothing
    found = reading.read(raw, pack.hazards)
    sent = _moment(found.time) or now
    action: Arrival = (
        "cancel" if found.action == "解除" else "issue" if found.action in (None, "发布") else "update"
    )
    towns = {
        a.name: a.id
        for a in pack.areas.values()
        if a.kind == "township" and stands(a, _local(now).date().isoformat())
    }
    district = pack.areas[pack.district]
    dangers = []
    for one in found.hazards:
        names = one.areas or found.areas
        hit = dict.fromkeys(
            district.id if n == district.name else towns[n] for n in names if n in {*towns, district.name}
        )
        level = next((a for a in LEVELS if a == one.level), None)
        hazard = pack.hazards.get(one.hazard)
        zones = dict.fromkeys(hit, level) if level else {}
        dangers.append(
            Threat(hazard.id if hazard else "", hazard.name if hazard else one.hazard, zones, level or "")
        )
    return found, Proposal(
        reception.key("", "", hashlib.sha256(content).hexdigest()), _name(found.issuer or ""), min(sent, now), action,
        "exercise" if found.drill else "actual", " ".join(raw.split())[:120], _until(found, sent), tuple(dangers),
        "ours" if any(d.zones for d in dangers) else "unknown", kind=found.action or "", valid=True,
        doubts=(Remark("X543", "文本须由人核对后登记。", grave=True),),
    )  # fmt: skip


def _until(found: Reading, sent: int) -> int:
    """When a text says that it is over."""
    valid = found.valid
    end = _moment(valid.end) if valid and valid.end else 0
    hours = valid.hours if valid and valid.hours else 0
    return end or sent + (hours * HOUR if hours else LASTS)


def _moment(text: str | None) -> int:
    """A local time, if it is written to the hour at least; 0 if not."""
    when = (
        cap_forms.loosely(text)
        if text and len(text) >= len("2026-07-21T14") and text[0].isdecimal()
        else None
    )
    return when.at if when else 0


def _local(at: int) -> dt.datetime:
    return cap_forms.EPOCH + dt.timedelta(microseconds=at, hours=8)
