"""原文 Sent: every text that went out about a version, byte for byte as it was stored that day, and how far each channel got.

Personal links are shown as 〔个人链接〕: whoever reads the archive must not be able to answer for somebody else.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from fengsui.core import wording
from fengsui.core.facts import Fact, Notified, Reached
from fengsui.formats import mail
from fengsui.store import sent
from fengsui.store.history import Line
from fengsui.store.sent import Telling
from fengsui.web import here, sentences
from fengsui.web.foreseen import LISTS

LINK = re.compile(r"[\x21-\x7e]*/a/[\x21-\x7e]+")
"""A personal link as it stands in a text, whatever the address was."""
PERSONAL = "〔个人链接〕"
MAIN = ("alert", "corrected", "retracted", "all_clear")
"""Templates that are the warning itself."""
TITLES = {
    "alert": "预警", "corrected": "更正", "retracted": "撤回", "all_clear": "解除", "order": "插播单",
    "summons": "会商通知", "call": "催办和叫应",
}  # fmt: skip


class Words(NamedTuple):
    """One text: what it was, its words, on which channels it went to how many, its short messages, its digest.

    digest: sha-256 of the words as they stand here; whole: whether the archive still has what it stored.
    subject: of the letters, "" = none.
    """

    title: str
    body: str
    ways: tuple[tuple[str, int], ...]
    parts: int
    digest: str
    whole: bool
    subject: str
    personal: bool


class Way(NamedTuple):
    """A channel by the five states 计划 已提交 送达 已读 签收, and what led nowhere."""

    name: str
    planned: int
    handed: int
    delivered: int
    read: int
    acknowledged: int
    failed: int
    unknown: int
    withdrawn: int


class Sent(NamedTuple):
    """Everything of a version: the warning's texts, what was aired, orders and summons, calls; and its channels."""

    main: list[Words]
    aired: list[Words]
    others: list[Words]
    calls: list[Words]
    ways: list[Way]


def of(line: Line, version: int, lines: Sequence[Line]) -> Sent:
    """What went out about a version; line: that of its fact; lines: those of its stream."""
    session = here.session()
    tellings = sent.tellings(session, line.fact.stream, version)
    told = {f.key: f for x in lines if isinstance(f := x.fact, Notified) and f.version == version}
    pairs = [(t.id, r.person) for t in tellings if t.key in told for r in told[t.key].recipients]
    used, aired = sent.used(session, pairs), sent.aired(session, line.id)
    bodies = sent.texts(
        session, [*(u.text for u in used), *(t.text for t in tellings), *(i for _, i in aired)]
    )
    counted = sent.counts(session, [t.id for t in tellings])
    lists = {(c.notice, c.channel): c.planned for c in counted}
    for u in used:
        lists[u.notice, u.channel] = lists.get((u.notice, u.channel), 0) - u.people
    ways: dict[int, Counter[tuple[int, str]]] = defaultdict(Counter)
    for u in used:
        ways[u.notice][u.text, u.channel] += u.people
    shown = [w for t in tellings for w in _words(t, told.get(t.key), ways[t.id], lists, bodies)]
    return Sent(
        [w for t, w in shown if t in MAIN],
        [_aired(form, bodies[text]) for form, text in aired if text in bodies],
        [w for t, w in shown if t not in (*MAIN, "call")],
        [w for t, w in shown if t == "call"],
        _ways([t for t in tellings if t.template in MAIN], counted, [x.fact for x in lines], version),
    )


def _words(
    telling: Telling, fact: Notified | None, ways: Counter[tuple[int, str]], lists: dict[tuple[int, str], int],
    bodies: dict[int, sent.Text],
) -> list[tuple[str, Words]]:  # fmt: skip
    """The texts of a telling: the same words for everybody but for their links are one."""
    title = TITLES.get(telling.template, telling.template)
    found: dict[str, tuple[Counter[str], sent.Text, bool]] = {}
    for (text, channel), count in ways.items():
        if text not in bodies:
            continue
        body = LINK.sub(PERSONAL, bodies[text].body)
        known = found.setdefault(body, (Counter(), bodies[text], True))
        known[0][channel] += count
        found[body] = (known[0], known[1], known[2] and _whole(bodies[text]))
    made = [(telling.template, _one(title, body, *some)) for body, some in found.items()]
    if telling.text in bodies and fact is not None:
        some = bodies[telling.text]
        reached = Counter({c: lists.get((telling.id, c), 0) for c in fact.channels})
        name = "、".join(LISTS.get(name, name) for name in fact.lists)
        made.append((telling.template, _one(f"{title}（{name}）", some.body, reached, some, _whole(some))))
    return made


def _whole(text: sent.Text) -> bool:
    return hashlib.sha256(text.body.encode()).hexdigest() == text.digest


def _one(title: str, body: str, ways: Counter[str], text: sent.Text, whole: bool) -> Words:
    return Words(
        title,
        body,
        tuple((sentences.CHANNELS.get(c, c), n) for c, n in ways.items()),
        len(text.parts) if "sms" in ways else 0,
        hashlib.sha256(body.encode()).hexdigest(),
        whole,
        mail.subject(text.body) if "email" in ways else "",
        PERSONAL in body,
    )


def _aired(form: str, text: sent.Text) -> Words:
    return Words(wording.FORMS.get(form, form), text.body, (), 0, text.digest, _whole(text), "", False)


def _ways(
    tellings: Sequence[Telling], counted: Iterable[sent.Count], facts: Sequence[Fact], version: int
) -> list[Way]:
    ids, keys = {t.id for t in tellings}, {t.key for t in tellings}
    sums: dict[str, list[int]] = {}
    for c in counted:
        if c.notice in ids:
            values = (c.planned, c.handed, c.delivered, c.failed, c.unknown, c.withdrawn)
            sums[c.channel] = [a + b for a, b in zip(sums.get(c.channel, [0] * 6), values, strict=True)]
    read, answered = Counter[str](), Counter[str]()
    for fact in facts:
        if isinstance(fact, Reached) and fact.state == "read" and fact.notice in keys:
            read[fact.channel] += 1
        elif isinstance(fact, Reached) and fact.state == "acknowledged" and fact.version == version:
            answered[fact.channel] += 1
    order = [*sums, *(c for c in answered if c not in sums)]
    return [
        Way(sentences.CHANNELS.get(c, c) or "其他", *(s := sums.get(c, [0] * 6))[:3], read[c], answered[c], *s[3:]) for c in order
    ]  # fmt: skip
