"""即时插播: what is ordered, what counts as aired, what must come off."""

from fengsui.core.calendar import MINUTE
from fengsui.core.facts import Aired, InsertionOrdered
from tests.core.worlds import INCIDENT, JULE, District, a_directory, an_alert, at, code, kinds, only, opened


def district(level="red", zones=(JULE,)):
    d = District(a_directory("media"), only("2.4.3"))
    d.post(an_alert(level, *zones))
    return d


def aired(form, time="02:15", *, on=True, version=1):
    return Aired(INCIDENT, at(time), "media", form, on, "onair", version)


def orders(d):
    return {
        (f.form, f.version, f.level, f.every // MINUTE) for f in d.facts if isinstance(f, InsertionOrdered)
    }


def test_red_is_ordered_as_crawl_every_five_minutes_badge_throughout_and_anchor():
    assert orders(district()) == {("crawl", 1, "red", 5), ("badge", 1, "red", 0), ("anchor", 1, "red", 0)}


def test_yellow_needs_no_anchor():
    assert {o[0] for o in orders(district("yellow"))} == {"crawl", "badge"}


def test_what_is_aired_ends_its_own_duty():
    d = district()
    d.post(aired("badge"))

    assert {k for k, duty in d.state().duties.items() if not duty.shares["media"].open} == {"2.4.3/badge"}
    assert d.state().on_air == {"media/badge": 1}


def test_every_version_is_ordered_anew_and_the_picture_of_an_older_one_does_not_prove_it():
    d = district()
    d.post(an_alert("red", JULE, version=2, time="02:20"))
    assert ("badge", 2, "red", 0) in orders(d)

    d.post(aired("badge", "02:21", version=1))
    assert d.share("2.4.3/badge", "media").open
    d.post(aired("badge", "02:22", version=2))
    assert not d.share("2.4.3/badge", "media").open


def test_only_what_was_ordered_counts_and_only_once():
    d = district("yellow")

    assert code(d.post(aired("anchor"))) == ("I01", False)
    assert "aired" in kinds(d.post(aired("crawl")))
    assert code(d.post(aired("crawl", "02:16"))) == ("I02", True)
    assert code(d.post(aired("badge", on=False))) == ("I03", True)


def test_when_the_warning_ends_what_is_on_the_air_comes_off_and_only_that():
    d = district()
    d.post(aired("crawl"))
    d.post(aired("anchor"))

    facts = d.post(an_alert("", version=2, time="03:00"))
    assert opened(facts) == {("media", "2.4.3/crawl_off", "03:10")}
    assert d.share("2.4.3/badge", "media").how == "cancelled"
    d.post(aired("crawl", "03:05", on=False, version=2))
    assert d.share("2.4.3/crawl_off", "media").how == "done"
    assert d.state().on_air == {}


def test_what_goes_on_the_air_after_the_end_must_come_off_too():
    d = district()
    d.post(an_alert("", version=2, time="03:00"))

    facts = d.post(aired("badge", "03:01"))
    assert opened(facts) == {("media", "2.4.3/badge_off", "03:11")}
    d.post(aired("badge", "03:02", on=False))
    assert d.share("2.4.3/badge_off", "media").how == "done"


def test_a_spoken_text_is_over_when_it_was_spoken():
    d = district()
    d.post(aired("anchor"))

    assert not d.share("2.4.3/anchor", "media").open
    assert d.state().on_air == {}
