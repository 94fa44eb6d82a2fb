"""An office that receives: messages of a province for tests, and a reception over a fresh place."""

from __future__ import annotations

import datetime as dt

from lxml import etree

from fengsui.core import reception as core
from fengsui.store import arrivals, history
from fengsui.store.sql import Session
from tests.flow.district import NIGHT
from tests.formats.cap import forge

CAP = f"{{{forge.CAP}}}"
EAST = dt.timezone(dt.timedelta(hours=8))
JULE, DUZHUANG = "140215209", "140215204"
SENDER = "山西省气象台"


def when(minutes: float) -> str:
    """A time of CAP, minutes after the night began."""
    moment = dt.datetime.fromtimestamp(NIGHT / 1e6 + minutes * 60, EAST)
    return moment.isoformat(timespec="seconds")


def cap(
    number: int = 1,
    *,
    sent: float = -1,
    refers: int = 0,
    code: tuple[str, str] = ("CPEAS Geographic Code", "140215209000"),
    **changed: str,
) -> bytes:
    """A message of the province for 聚乐乡; changed: texts of elements, "" removes them."""
    texts = {
        "identifier": f"1400004160000_{number}", "sender": "14000041600000", "sent": when(sent),
        "expires": when(180), "headline": "山西省气象台发布暴雨红色预警[Ⅰ级/特别严重]",
        "valueName": code[0], "value": code[1],
    } | changed  # fmt: skip
    root = etree.fromstring(
        forge.message(**{k: v for k, v in texts.items() if k not in ("valueName", "value")})
    )
    geocode = root.find(f".//{CAP}geocode")
    assert geocode is not None
    geocode[0].text, geocode[1].text = texts["valueName"], texts["value"]
    info = root.find(f"{CAP}info")
    assert info is not None
    name = etree.Element(f"{CAP}senderName")
    name.text = SENDER
    info.find(f"{CAP}headline").addprevious(name)
    if refers:
        references = etree.Element(f"{CAP}references")
        references.text = f"14000041600000,1400004160000_{refers},{when(-1)}"
        info.addprevious(references)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


class Office:
    def __init__(self, reception, writer, clock):
        self.reception, self.writer, self.clock = reception, writer, clock

    def take(self, content, **more):
        """Keep and read; the arrival as it stands afterwards."""
        digest = self.reception.keep(content, more.pop("source", "province"), **({"bound": True} | more))[0]
        self.reception.look()
        return self.row(digest)

    def row(self, digest):
        session = arrivals.desk()
        try:
            return arrivals.find(session, digest)
        finally:
            session.close()

    def facts(self, *kinds):
        session = Session()
        try:
            return [x.fact for x in history.facts(session) if isinstance(x.fact, kinds)]
        finally:
            session.close()

    @property
    def now(self):
        return self.clock.now()

    @property
    def in_force(self):
        return core.in_force(self.writer.world, self.now)


TEXT = "山西省气象台2027年7月21日2时10分发布暴雨红色预警信号：预计未来3小时，云州区降雨量将达100毫米以上。请做好防范。"
