"""What holds whatever happens: hypothesis draws histories, orders and worlds; the same draws every time."""

import random
import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fengsui.core import duties, mind
from fengsui.core.directory import Directory
from fengsui.core.facts import REACH, Alerted, DutyOpened, Fact, Notified, Reached, decode, encode, kind
from fengsui.core.state import Refusal, State
from fengsui.core.tables import touches
from tests.core.histories import play
from tests.core.worlds import (
    FENGYU,
    INCIDENT,
    JULE,
    District,
    a_directory,
    a_population,
    an_alert,
    at,
    only,
    with_post,
    yunzhou,
)

fixed = settings(derandomize=True, deadline=None, database=None, max_examples=40)
few = settings(fixed, max_examples=20)
LIVE = ("2.1.3", "2.3.a", "2.3.b", "2.4.1", "2.4.2", "2.4.3", "4.2.b")
UNITS = ("聚乐乡", "峰峪乡", "media", "meteorology", "headquarters_office")
seeds = st.integers(0, 10_000)
zones = st.dictionaries(
    st.sampled_from([JULE, FENGYU, "140215", f"{JULE}205", f"{FENGYU}200"]),
    st.sampled_from(["blue", "yellow", "orange", "red"]),
    min_size=1,
)


def people() -> Directory:
    base = with_post(a_directory(*UNITS), "聚乐乡", "responsible_person", "塔儿村-head", area=f"{JULE}205")
    base = with_post(base, "聚乐乡", "responsible_person", "", area=f"{JULE}216")
    base = with_post(base, "峰峪乡", "liaison", "聚乐乡-duty_officer", deputy="峰峪乡-deputy")
    return msgspec.structs.replace(base, standing={"峰峪乡": ("classes",)})


def history(seed: int, length: int = 25, pack=None, directory=None) -> District:
    d = District(directory or people(), pack)
    for _ in play(d, random.Random(seed), length):
        pass
    return d


def loosely(fact: Fact) -> object:
    """A fact without the order of what is a set."""
    match fact:
        case Notified():
            told = sorted(
                (r.person, r.channels, sorted(r.holders), sorted(r.calls, key=repr)) for r in fact.recipients
            )
            return kind(fact), fact.stream, fact.at, fact.key, told, fact.lists, fact.zones
        case DutyOpened():
            return kind(fact), fact.key, sorted(fact.holders), fact.deadline, fact.plan
        case _:
            return encode(fact)


def same(one: list[Fact], other: list[Fact]) -> bool:
    return sorted(map(repr, map(loosely, one))) == sorted(map(repr, map(loosely, other)))


@fixed
@given(seeds)
def test_the_same_inputs_give_the_same_facts_byte_for_byte(seed):
    assert [encode(f) for f in history(seed).facts] == [encode(f) for f in history(seed).facts]


@fixed
@given(seeds)
def test_the_same_input_twice_changes_nothing(seed):
    d = District(people())
    for fact in play(d, random.Random(seed), 25):
        before = dict(d.streams)
        answer = mind.consider(fact, "again", d.world)
        if isinstance(answer, Refusal):
            continue
        assert [e.fact for e in answer.entries] == [fact], "more than the fact itself followed"
        assert all(
            msgspec.structs.replace(s, last=before[n].last) == before[n] for n, s in answer.streams.items()
        )


@fixed
@given(seeds)
def test_refused_inputs_leave_no_trace_and_every_decision_ends(seed):
    d = District(people())
    for fact in play(d, random.Random(seed), 25):
        answer = mind.consider(fact, "x", d.world)
        assert isinstance(answer, Refusal) or len(answer.entries) < 60


@few
@given(seeds, st.randoms(use_true_random=False))
def test_the_order_of_clauses_units_and_people_is_irrelevant(seed, dice):
    def shuffled(table):
        pairs = list(table.items())
        dice.shuffle(pairs)
        return dict(pairs)

    pack, base = yunzhou(), people()
    other = msgspec.structs.replace(
        pack, clauses=shuffled(pack.clauses), units=shuffled(pack.units), areas=shuffled(pack.areas)
    )
    mixed = msgspec.structs.replace(base, persons=shuffled(base.persons), posts=shuffled(base.posts))

    one, two = history(seed, pack=pack, directory=base), history(seed, pack=other, directory=mixed)
    assert same(one.facts, two.facts)


@fixed
@given(zones)
def test_nobody_outside_the_area_is_told_or_asked(where):
    d = District(a_population(), only("2.3.a", "2.4.1", "2.4.2"))
    facts = d.post(an_alert(zones=where))
    assert isinstance(facts, list)

    posts, units = d.directory.posts, d.pack.units
    for f in facts:
        for holder in f.holders if isinstance(f, DutyOpened) else ():
            area = posts[holder].area if holder in posts else units[holder].area
            assert any(touches(area, z) for z in where), holder
        for r in f.recipients if isinstance(f, Notified) else ():
            assert any(touches(posts[h].area, z) for h in r.holders for z in where) or f.template == "call"


@fixed
@given(zones)
def test_every_responsible_unit_in_the_area_owes_each_duty_once_and_every_required_post_an_answer(where):
    d = District(a_population(), only("2.3.a", "2.4.1"))
    d.post(an_alert(zones=where))
    groups = {"members", "townships"}
    expected = {
        u.id
        for u in d.pack.units.values()
        if groups & set(u.groups) and any(touches(u.area, z) for z in where)
    }

    opened = [(f.key, h) for f in d.facts if isinstance(f, DutyOpened) for h in f.holders]
    assert len(opened) == len(set(opened))
    assert {h for key, h in opened if key == "2.4.1/relay"} == expected
    now, roles = d.state().alert.now, d.pack.audiences["responsible"].roles
    required = {
        p.id for p in d.directory.posts.values()
        if p.unit in expected and (level := now.level(p.area)) and p.role in roles[level]
    }  # fmt: skip
    assert {h for key, h in opened if key == "2.4.1/acknowledge"} == required


@fixed
@given(seeds)
def test_terms_end_after_they_begin_and_tellings_are_sound(seed):
    d = history(seed, 40)
    for f in d.facts:
        if isinstance(f, DutyOpened):
            assert f.deadline > f.at, f
            assert len(set(f.holders)) == len(f.holders) > 0
        if isinstance(f, Notified):
            persons = [r.person for r in f.recipients]
            assert len(persons) == len(set(persons)), f
            assert all(set(r.channels) <= d.directory.ways and r.channels for r in f.recipients), f
            assert persons or f.lists, f
    keys = [(f.stream, f.key) for f in d.facts if isinstance(f, Notified)]
    assert len(keys) == len(set(keys))


@fixed
@given(seeds)
def test_the_all_clear_goes_to_the_told_minus_the_withdrawn(seed):
    d = District(people())
    for fact in play(d, random.Random(seed), 40):
        if isinstance(fact, Alerted) and not fact.zones and d.facts and not d.state().alert.holds:
            cleared = {
                r.person for f in d.facts if isinstance(f, Notified) and f.template == "all_clear" and f.version == fact.version
                for r in f.recipients
            }  # fmt: skip
            before = [
                f
                for f in d.facts
                if isinstance(f, Notified) and f.stream == INCIDENT and f.version < fact.version
            ]
            told = {r.person for f in before for r in f.recipients}
            late = {
                r.person
                for f in d.facts
                if isinstance(f, Notified) and f.template == "call"
                for r in f.recipients
            }
            spoken = {f.person for f in d.facts if isinstance(f, Reached) and f.holder}
            assert told - set(fact.withdrawn) <= cleared <= (told | late | spoken) - set(fact.withdrawn)


@fixed
@given(seeds)
def test_a_state_never_goes_back_and_what_ended_stays_ended(seed):
    d = District(people())
    before = State.blank(INCIDENT)
    for fact in play(d, random.Random(seed), 40):
        after = d.streams.get(INCIDENT) or before
        for person, contact in before.notices.people.items():
            now = after.notices.people[person]
            assert now.acknowledged >= contact.acknowledged
            assert all(REACH.index(now.reach[n]) >= REACH.index(r) for n, r in contact.reach.items())
        assert all(after.received[u] >= v for u, v in before.received.items())
        assert after.last >= before.last
        for key, duty in before.duties.items():
            for holder, share in duty.shares.items():
                now = after.duties[key].shares[holder]
                assert share.open or now == share or now.opened == fact.at
        before = after


@fixed
@given(seeds)
def test_nothing_open_is_ever_without_a_next_step_or_a_person_at_the_desk(seed):
    d = District(people())
    for _ in play(d, random.Random(seed), 40, clock=0.7):
        for state in d.streams.values():
            for duty in state.duties.values():
                for holder, share in duty.shares.items():
                    assert not share.open or share.next_at is not None or share.desk, (duty.key, holder)


@few
@given(seeds)
def test_every_answer_that_is_owed_can_be_given_by_who_was_told_or_signed_for_by_the_desk(seed):
    d = District(people())
    for _ in play(d, random.Random(seed), 30):
        state = d.streams.get(INCIDENT) or State.blank(INCIDENT)
        for key, holder in owed(state):
            version, told = (
                state.alert.version,
                [p for p, c in state.notices.people.items() if holder in c.told],
            )
            answers = [Reached(INCIDENT, state.last, p, "", "sms", "acknowledged", version) for p in told]
            signed = Reached(
                INCIDENT, state.last, "", "", "call", "acknowledged", version, "desk", holder, "note"
            )
            assert any(ends(d, fact, key, holder) for fact in (*answers, signed)), (key, holder)


def owed(state: State) -> list[tuple[str, str]]:
    return [
        (key, holder)
        for key, duty in state.duties.items()
        for holder, share in duty.shares.items()
        if share.open and "acknowledged" in share.plan.evidence
    ]


def ends(d: District, fact: Fact, key: str, holder: str) -> bool:
    answer = mind.consider(fact, "x", d.world)
    return not isinstance(answer, Refusal) and not answer.streams[INCIDENT].duties[key].shares[holder].open


@fixed
@given(seeds)
def test_facts_survive_the_ledger_and_name_nobody(seed):
    d = history(seed, 40)
    for fact in d.facts:
        body = encode(fact)
        assert decode(body) == fact
        assert encode(decode(body)) == body
        assert not re.search(rb'"(?:\+?86)?1\d{10}"', body)
        assert not re.search(rb"(?<!\d)1[3-9]\d{9}(?!\d)", body)


@fixed
@given(seeds)
def test_folding_the_facts_again_gives_the_same_state(seed):
    d = history(seed, 40)
    again: dict[str, State] = {}
    for fact in map(decode, map(encode, d.facts)):
        again[fact.stream] = mind.fold(again.get(fact.stream) or State.blank(fact.stream), fact)

    assert again == d.streams


@few
@given(seeds)
def test_the_clock_is_always_served_and_comes_to_rest_or_repeats(seed):
    d = history(seed, 15)
    due = duties.due(d.state())
    until = at("20:00")
    d.wait(until)

    assert due is None or (after := duties.due(d.state())) is None or after > until


@few
@given(seeds)
def test_two_desks_on_one_warning_one_is_admitted_and_the_other_told_why_not(seed):
    d = history(seed, 10)
    version = d.state().alert.version
    one = an_alert("red", version=version + 1, time="20:00", paper="one")
    other = msgspec.structs.replace(one, paper="other")

    assert isinstance(d.post(one), list)
    refusal = d.post(other)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.already) == ("A01", False)


def examples(struct: type) -> object:
    """A fact of a kind with every field filled."""
    sample = {
        "stream": "s", "at": 1, "zones": {JULE: "red"}, "counts": {"delivered": 2}, "holders": ["a"], "cosigners": {"u": "p"}, "plan": {
            "within": 1, "evidence": ["relay"], "steps": [{"gap": 1, "do": "remind", "channels": ["sms"]}], "latest": 5, "every": 2,
            "again": 3, "use": {"mechanism": "insertion", "form": "crawl", "every": {"red": "5m"}}},
        "recipients": [{"person": "p", "channels": ["sms"], "calls": [{"do": "remind", "key": "k", "holder": "h"}]}],
    }  # fmt: skip
    for field in msgspec.structs.fields(struct):
        if field.name not in sample:
            text, kind_ = str(field.type), field.type
            literal = getattr(kind_, "__args__", None)
            sample[field.name] = (
                1 if kind_ is int else True if kind_ is bool else "x" if kind_ is str
                else ["x"] if text.startswith("tuple") else next(iter([a for a in literal or () if isinstance(a, str)]), "")
            )  # fmt: skip
    names = {f.encode_name for f in msgspec.structs.fields(struct)}
    fixes = {"level": "red", "change": "added", "haste": "urgent", "do": "remind", "how": "done", "state": "read", "series": "test",
             "mode": "", "stage": "held", "why": "none"}  # fmt: skip
    return {k: fixes.get(k, v) for k, v in sample.items() if k in names} | {
        "kind": struct.__struct_config__.tag
    }


@pytest.mark.parametrize("struct", Fact.__args__, ids=lambda s: s.__name__)
def test_every_kind_of_fact_survives_the_ledger(struct):
    value = examples(struct)
    if struct.__name__ == "Notified":
        value |= {"change": "new", "zones": [JULE]}
    if struct.__name__ == "DrillSet":
        value |= {"state": "started"}
    fact = msgspec.convert(value, type=struct)

    assert decode(encode(fact)) == fact


def test_what_no_release_ever_wrote_is_refused():
    for body in (b'{"kind":"gossip","stream":"s","at":1}', b'{"kind":"closed","stream":"s"}', b"[]"):
        with pytest.raises(msgspec.ValidationError):
            decode(body)


def test_an_answer_by_another_series_is_no_business_of_this_one():
    d = District(people())
    d.post(an_alert("red", JULE))
    answer = d.post(Reached("other", at("02:14"), "聚乐乡-leader", "", "sms", "acknowledged", 1))

    assert isinstance(answer, Refusal)
