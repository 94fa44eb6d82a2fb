"""预见 Foreseen: what would follow if a warning were signed now — considered in memory by the same mind, recorded nowhere.

Who is told by which words and channels, how many short messages that is, which duties open until when, what is aired.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from fengsui.core import mind, wording
from fengsui.core.facts import Consulted, DutyOpened, InsertionOrdered, Notified, SuspensionDecided
from fengsui.core.state import Refusal, World
from fengsui.core.tables import touches
from fengsui.flow import mailing
from fengsui.formats import sms
from fengsui.web import audience, here, signing, voices, written
from fengsui.web.audience import Audience, Silent
from fengsui.web.voices import Voices
from fengsui.web.written import Written

CHANNELS = {
    "sms": "短信", "voice": "电话", "email": "邮件", "fax": "传真", "im": "即时通讯", "dedicated_channel": "专用通道",
}  # fmt: skip
LISTS = {"public": "公众", "schools": "学校", "sites": "工地"}
SHORT = 90 * 1_000_000
"""µs for which a count of list members is good enough for a look ahead."""


class Text(NamedTuple):
    """Words that go out: to whom, how many by short message, in how many parts of how many units."""

    title: str
    body: str
    parts: tuple[str, ...]
    units: int
    people: int


class Owed(NamedTuple):
    """A duty that opens: clause, title, how many owe it, the first and last deadline."""

    clause: str
    title: str
    holders: int
    names: str
    first: int
    last: int


class Foreseen(NamedTuple):
    """What follows. messages: short messages counted in parts; phones: numbers that get one."""

    texts: list[Text]
    persons: int
    unreachable: int
    channels: list[tuple[str, int]]
    lists: list[tuple[str, int]]
    phones: int
    messages: int
    forms: list[str]
    off: list[str]
    consults: list[str]
    stops: list[str]
    duties: list[Owed]
    audience: Audience
    voices: Voices

    @property
    def consequence(self) -> str:
        """What the button says."""
        said = [f"短信 {self.phones} 人（{self.messages} 条）"] if self.phones else []
        said += [f"{name} {count} 人" for name, count in self.channels if name != "短信" and count]
        said += [f"插播{'、'.join(self.forms)}"] if self.forms else []
        said += ["撤下插播"] if self.off else []
        return "，".join(said) or "无人可通知"


def foresee(draft: Written, now: int) -> Foreseen | Refusal:
    """The consequences of signing a draft now, or why the core refuses it."""
    world = here.world()
    fact = written.fact(draft, signing.another(draft), now, stream="preview")
    fact = msgspec.structs.replace(fact, cosigners=signing.supposed(draft))
    outcome = mind.consider(fact, "preview", world)
    if isinstance(outcome, Refusal):
        return outcome
    after = World(world.pack, world.directory, {**world.streams, **outcome.streams}, world.heads)
    facts = [entry.fact for entry in outcome.entries]
    told = [f for f in facts if isinstance(f, Notified)]
    link = here.house().writer._setting.link  # noqa: SLF001 - the same link as the writer's, for the same length
    mails = [mailing.prepare("preview", n, after, draft.paper.body, link) for n in told]
    whole = audience.equipped(world.directory)
    lent = (
        mind.consider(fact, "preview", World(world.pack, whole, world.streams, world.heads))
        if whole
        else None
    )
    silent = []
    if lent is not None and not isinstance(lent, Refusal):
        silent = audience.silent((e.fact for e in lent.entries), world.directory, world)
    return _gathered(draft, mails, facts, after, silent)


def _gathered(
    draft: Written, mails: list[mailing.Mail], facts: list[Any], after: World, silent: list[Silent]
) -> Foreseen:
    parts: Counter[str] = Counter()
    people: set[str] = set()
    by_channel: dict[str, set[str]] = defaultdict(set)
    texts: list[Text] = []
    listed: Counter[str] = Counter()
    messages = phones = 0
    for mail in mails:
        groups: dict[str, list[bool]] = defaultdict(list)
        for recipient, body in zip(mail.fact.recipients, mail.text, strict=True):
            people.add(recipient.person)
            for channel in recipient.channels:
                by_channel[channel].add(recipient.person)
                parts[channel] += len(sms.split(body)) if channel == "sms" else 1
            groups[_plain(body)].append("sms" in recipient.channels)
            if "sms" in recipient.channels:
                messages += len(sms.split(body))
        for body, ways in groups.items():
            full = next(t for t in mail.text if _plain(t) == body)
            texts.append(_text(_titled(mail.fact), full, sum(ways)))
        if mail.public:
            size = len(sms.split(mail.public))
            reached = 0
            for name in mail.fact.lists:
                count = _members(name, mail.fact.zones, mail.fact.channels)
                listed[LISTS.get(name, name)] += count
                reached += count
            messages, phones = messages + size * reached, phones + reached
            parts["sms"] += size * reached
            texts.append(_text(_titled(mail.fact, public=True), mail.public, reached))
    state = after.at(draft.stream or "preview")
    warned = {h for f in facts if isinstance(f, DutyOpened) for h in f.holders if "/" in h}
    vacant = sum(1 for h in warned if h in after.directory.posts and not after.directory.posts[h].holder)
    return Foreseen(
        texts,
        len(people),
        vacant,
        [(CHANNELS.get(c, c), len(who)) for c, who in sorted(by_channel.items())],
        list(listed.items()),
        phones + len(by_channel["sms"]),
        messages,
        [wording.FORMS.get(f.form, f.form) for f in facts if isinstance(f, InsertionOrdered)],
        [wording.FORMS.get(p.split("/")[1], p) for p in state.on_air] if not state.alert.holds else [],
        [here.pack().units[f.unit].name for f in facts if isinstance(f, Consulted)],
        [here.pack().units[f.unit].name for f in facts if isinstance(f, SuspensionDecided)],
        _duties([f for f in facts if isinstance(f, DutyOpened)]),
        audience.gathered([m.fact for m in mails], parts, silent, after, state.series),
        voices.spoken(draft, state, after),
    )


def _plain(body: str) -> str:
    """A text without its own link: the same words for everybody."""
    return body.split(here.pack().texts.templates["link"].partition("{")[0], maxsplit=1)[0]


def _text(title: str, body: str, people: int) -> Text:
    return Text(title, body, sms.split(body), sms.units(body), people)


def _titled(fact: Notified, *, public: bool = False) -> str:
    if public:
        return "发给" + "、".join(LISTS.get(name, name) for name in fact.lists)
    words = {
        "alert": "发给应急责任人",
        "all_clear": "解除，发给曾被通知的人",
        "order": "插播单，发给区融媒体中心",
        "corrected": "更正，发给收到过的责任人",
        "retracted": "撤回，发给收到过的责任人",
    }
    words["summons"] = "会商通知"
    return words.get(fact.template, fact.template)


def _duties(opened: list[DutyOpened]) -> list[Owed]:
    found: dict[str, list[DutyOpened]] = defaultdict(list)
    for fact in opened:
        found["/".join(fact.key.split("/")[:2])].append(fact)
    pack, rows = here.pack(), []
    for key, some in sorted(found.items()):
        holders = list(dict.fromkeys(h for f in some for h in f.holders))
        units = list(
            dict.fromkeys(pack.units[h.split("/")[0]].name for h in holders if h.split("/")[0] in pack.units)
        )
        shown = "、".join(units[:4]) + (f"等 {len(units)} 个单位" if len(units) > 4 else "")
        deadlines = [f.deadline for f in some]
        clause = some[0].clause
        rows.append(
            Owed(clause, wording.title(key, pack), len(holders), shown, min(deadlines), max(deadlines))
        )
    return sorted(rows, key=lambda row: row.first)


def _members(name: str, zones: tuple[str, ...], channels: tuple[str, ...]) -> int:
    """How many members of a list are in these zones and on these channels, as of a moment ago."""
    counted = _counted(id(here.house()), here.now() // SHORT)
    return sum(
        count
        for list_, channel, area, count in counted
        if list_ == name and channel in channels and any(touches(area, z) for z in zones)
    )


@lru_cache(maxsize=2)
def _counted(house: int, moment: int) -> tuple[tuple[str, str, str, int], ...]:
    del house, moment
    rows = here.session().run(
        "SELECT list, channel, area, count(*) FROM member WHERE state = 'ok' GROUP BY list, channel, area"
    )
    return tuple((str(a), str(b), str(c), int(d)) for a, b, c, d in rows)
