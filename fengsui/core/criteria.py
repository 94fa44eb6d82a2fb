"""判据 Criteria: which signal the readings of a place support. It only proposes; a person issues.

A criterion is a leaf ``{basis, var, op, value, …}`` or ``{any = […]}`` or ``{all = […]}``. Whatever is missing is false:
no criterion, a leaf without ``var`` or ``value``, a reading nobody gave, a phenomenon nobody saw. Other keys of a leaf:
lead_h, expected within so many hours; window_h, hours over which ``agg`` is formed; days, how many daily values
``all_days`` needs (else window_h / 24); phenomenon, the leaf holds only with it; text, a sentence a person confirms;
config, the name under which a site will supply the unknown value. Source: the hazards' own ``source``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Literal, cast

import msgspec

from fengsui.core.levels import LEVELS, Level
from fengsui.core.tables import Hazard

Basis = Literal["forecast", "observed", "judgement", "product"]
Value = bool | float | str | tuple[float, ...]

OPS: dict[str, Callable[[Any, Any], bool]] = {
    "≥": operator.ge,
    "≤": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    "in": lambda got, bounds: bounds[0] <= got <= bounds[1],
    "in_half_open": lambda got, bounds: bounds[0] <= got < bounds[1],
    "one_of": lambda got, wanted: got in wanted,
}
"""What a leaf may ask of a value; ``in`` is a closed interval, ``in_half_open`` lacks its upper bound."""

AGGS = ("sum", "max", "min", "max_intensity", "all_days")
LEAF_KEYS = frozenset({
    "basis", "var", "op", "value", "unit", "lead_h", "window_h", "agg", "days", "continuing", "phenomenon", "config", "text",
})  # fmt: skip


class Reading(msgspec.Struct, frozen=True):
    """读数 One value at one area: measured, forecast, or given by another's product.

    value in ``unit``, formed by ``agg`` over ``window_h`` hours (None: the instant value); a tuple of daily values for
    ``all_days``. lead_h: a forecast is for the coming so many hours. continuing: observed and may go on.
    """

    area: str
    basis: Basis
    var: str
    value: Value
    unit: str = ""
    agg: str = ""
    window_h: float | None = None
    lead_h: float | None = None
    continuing: bool = False
    phenomenon: str = ""


class Proposal(msgspec.Struct, frozen=True):
    """建议 A signal that readings support, for a forecaster to judge; unverified thresholds show 待核实.

    evidence: the readings that made it so, in the order of the areas.
    """

    hazard: str
    level: Level
    areas: tuple[str, ...]
    verified: bool
    evidence: tuple[Reading, ...]


def judge(hazard: Hazard, readings: Iterable[Reading], confirmed: Collection[str] = ()) -> Level | None:
    """The strongest level that the readings of one place support, or None.

    confirmed: sentences of the criteria that a person has said to be so; without him they are false.
    """
    found = _strongest(hazard, tuple(readings), confirmed)
    return found[0] if found else None


def propose(
    hazards: Iterable[Hazard],
    readings: Iterable[Reading],
    confirmed: Mapping[str, Collection[str]] | None = None,
) -> tuple[Proposal, ...]:
    """What the readings of all areas support: one proposal for each hazard and level, strongest first.

    confirmed: area → sentences that a person confirmed for it. Areas stand in the order of their ids.
    """
    told = confirmed or {}
    by_area: dict[str, list[Reading]] = {area: [] for area in told}
    for reading in readings:
        by_area.setdefault(reading.area, []).append(reading)
    found = []
    for hazard in hazards:
        grouped: dict[Level, list[tuple[str, tuple[Reading, ...]]]] = {}
        for area, here in sorted(by_area.items()):
            if hit := _strongest(hazard, tuple(here), told.get(area, ())):
                grouped.setdefault(hit[0], []).append((area, hit[1]))
        found += [_proposal(hazard, level, hits) for level, hits in grouped.items()]
    return tuple(sorted(found, key=lambda p: (-LEVELS.index(p.level), p.hazard)))


def _proposal(hazard: Hazard, level: Level, hits: list[tuple[str, tuple[Reading, ...]]]) -> Proposal:
    return Proposal(
        hazard=hazard.id,
        level=level,
        areas=tuple(area for area, _ in hits),
        verified=hazard.levels[level].verified,
        evidence=tuple(reading for _, proof in hits for reading in proof),
    )


def _strongest(
    hazard: Hazard,
    readings: tuple[Reading, ...],
    confirmed: Collection[str],
) -> tuple[Level, tuple[Reading, ...]] | None:
    for level in reversed(LEVELS):
        signal = hazard.levels.get(level)
        if signal and (proof := _proof(signal.criterion, readings, confirmed)) is not None:
            return level, proof
    return None


def _proof(
    tree: object, readings: tuple[Reading, ...], confirmed: Collection[str]
) -> tuple[Reading, ...] | None:
    """The readings that make a criterion true (none, where a person's word does), or None: it does not hold."""
    if not isinstance(tree, dict):
        return None
    if "any" in tree:
        proofs = (_proof(branch, readings, confirmed) for branch in tree["any"])
        return next((proof for proof in proofs if proof is not None), None)
    if "all" in tree:
        parts = [_proof(branch, readings, confirmed) for branch in tree["all"]]
        if not parts or any(part is None for part in parts):
            return None
        return tuple(dict.fromkeys(reading for part in parts for reading in part or ()))
    if "text" in tree and tree["text"] not in confirmed:
        return None
    if "text" in tree and "var" not in tree:
        return ()
    return next(((reading,) for reading in readings if _meets(tree, reading, readings)), None)


def _meets(leaf: dict[str, Any], reading: Reading, readings: tuple[Reading, ...]) -> bool:
    """Whether a reading is what a leaf asks about, and enough."""
    asked = (leaf["basis"], leaf.get("var"), leaf.get("agg", ""), leaf.get("window_h"), leaf.get("unit", ""))
    given = (reading.basis, reading.var, reading.agg, reading.window_h, reading.unit)
    if asked != given or leaf.get("value") is None or not _in_time(leaf, reading):
        return False
    return _seen(leaf, reading, readings) and _compare(leaf, reading.value)


def _in_time(leaf: dict[str, Any], reading: Reading) -> bool:
    if leaf.get("continuing") and not reading.continuing:
        return False
    lead = leaf.get("lead_h")
    return lead is None or (reading.lead_h is not None and reading.lead_h <= lead)


def _seen(leaf: dict[str, Any], reading: Reading, readings: tuple[Reading, ...]) -> bool:
    """Whether the phenomenon that a leaf is for was reported, with the value itself or beside it."""
    wanted = leaf.get("phenomenon")
    if wanted is None or reading.phenomenon == wanted:
        return True
    return any(
        (r.area, r.basis, r.var, r.value) == (reading.area, reading.basis, "phenomenon", wanted)
        for r in readings
    )


def _compare(leaf: dict[str, Any], value: Value) -> bool:
    """The operator on a value; on daily values it must hold for each of them, and for enough of them."""
    op, wanted = OPS[leaf["op"]], leaf["value"]
    if leaf.get("agg") != "all_days":
        return not isinstance(value, tuple) and _comparable(value, wanted) and op(value, wanted)
    days = cast("float", leaf.get("days") or leaf["window_h"] / 24)
    return isinstance(value, tuple) and len(value) >= days and all(op(day, wanted) for day in value)


def _comparable(value: object, wanted: object) -> bool:
    """Whether two values are of one sort: words with words, yes with yes, numbers with numbers."""
    sample = wanted[0] if isinstance(wanted, list | tuple) else wanted
    return _sort(value) == _sort(sample)


def _sort(value: object) -> type:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)
