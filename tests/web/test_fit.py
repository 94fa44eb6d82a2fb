"""Every hazard at every level, as its criterion fills the form, fits three messages — with link, mark and three townships."""

from __future__ import annotations

import pytest

from fengsui.core import alerts, wording
from fengsui.core.facts import Notified, Recipient
from fengsui.core.state import State, World
from fengsui.flow import mailing
from fengsui.formats import sms
from fengsui.web import here, written
from tests.flow.district import NIGHT, alert, yunzhou

ZONES = ("140215209", "140215202", "140215103")
"""Three townships, as a warning names them commonly."""
CAUSE = "受强对流云团影响，"
"""What forecasters write besides."""
LINK = mailing.Link("https://yj.yunzhou.gov.cn", lambda *_: "abcdefghijkl")
PAIRS = [(h, level) for h in yunzhou().hazards for level in yunzhou().hazards[h].levels]


@pytest.mark.parametrize(("hazard", "level"), PAIRS, ids="-".join)
@pytest.mark.parametrize(("change", "series"), [("new", "actual"), ("up", "exercise")])
def test_the_text_fits_three_messages(monkeypatch, hazard, level, change, series):
    world = World(yunzhou(), None, {}, {})  # nobody is called
    monkeypatch.setattr(here, "pack", yunzhou)
    cause, forecast, _ = written.filled(hazard, level, NIGHT)
    assert not cause, "nothing has to be typed"
    fact = alert(1, level, at=NIGHT, hazard=hazard, zones=dict.fromkeys(ZONES, level), series=series)
    there = world.seen(alerts.folded(State.blank(fact.stream), fact))
    to = Recipient("p", ("sms",), ("聚乐乡/duty_officer/1",))
    told = Notified(fact.stream, NIGHT, "k", "alert", (to,), 1, level, change=change, lists=("public",))

    mail = mailing.prepare("id", told, there, wording.paper(wording.Draft(CAUSE, forecast)), LINK)

    assert "办理：https://" in mail.text[0]
    assert len(sms.split(mail.text[0])) <= 3, (sms.units(mail.text[0]), mail.text[0])
    assert len(sms.split(mail.public)) <= 3
