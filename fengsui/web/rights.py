"""权限 Rights: the one table of who may open which page, by the page's name in ``web.urls``.

A page that is not named here opens for nobody.
"""

from __future__ import annotations

ROLES = {
    "forecaster": "预报员",
    "signer": "签发人",
    "clerk": "指挥部办公室",
    "leader": "区领导",
    "liaison": "部门联络员",
    "township": "乡镇",
    "media": "融媒体编辑",
    "supervisor": "督查",
    "administrator": "管理员",
}

PUBLIC = frozenset(
    {
        "login", "phone", "phone_relay", "phone_decide", "phone_again", "badge",
         "cap", "cap_certificates",
    }
)  # fmt: skip
"""Pages that ask for no login; those of the phone are guarded by their link."""

_ALL = frozenset(ROLES)
_DESK = frozenset({"forecaster", "signer", "clerk", "leader", "administrator"})
_WORK = frozenset({"forecaster", "signer", "clerk"})

RIGHTS: dict[str, frozenset[str]] = {
    "home": _ALL,
    "logout": _ALL,
    "own": _ALL,
    **dict.fromkeys(("desk", "desk_live", "desk_channels", "desk_tasks"), _ALL),
    "desk_do": _WORK | {"leader", "liaison", "township", "media", "administrator"},
    **dict.fromkeys(("desk_handover", "call", "letters"), _WORK),
    **dict.fromkeys(("call_sheet", "call_paper"), _DESK),
    "issue": frozenset({"forecaster", "signer", "leader"}),
    "issue_sign": frozenset(
        {"forecaster", "signer", "leader", "liaison"}
    ),  # liaisons: joint products of their unit
    **dict.fromkeys(
        (
            "issue_preview",
            "issue_words",
            "issue_places",
            "issue_paste",
            "issue_take",
            "issue_renew",
            "issue_upgrade",
            "issue_downgrade",
            "issue_change",
            "issue_cancel",
            "issue_correct",
        ),
        frozenset({"forecaster", "signer"}),
    ),
    **dict.fromkeys(("review", "received_new", "received_act"), frozenset({"forecaster", "signer"})),
    "consult": _DESK,
    "suspend": frozenset({"liaison", "township", "leader", "clerk", "media"}),
    "report": _ALL - {"administrator"},
    "media": frozenset({"media", "administrator", "forecaster", "clerk"}),
    **dict.fromkeys(("people", "person"), _DESK | {"liaison", "township", "supervisor"}),
    **dict.fromkeys(
        (
            "person_new",
            "person_edit",
            "person_depart",
            "post",
            "people_import",
            "people_template",
            "people_table",
        ),
        frozenset({"forecaster", "clerk", "administrator", "liaison", "township"}),
    ),
    **dict.fromkeys(("person_number", "person_test"), frozenset({"forecaster", "clerk", "administrator"})),
    **dict.fromkeys(
        ("accounts", "account", "account_new", "account_act", "account_deeds", "failures", "looks"),
        frozenset({"administrator"}),
    ),
    **dict.fromkeys(("gateways", "gateway"), frozenset({"forecaster", "clerk", "administrator"})),
    **dict.fromkeys(("gateway_new", "gateway_act"), frozenset({"administrator"})),
    **dict.fromkeys(
        (
            "ledger",
            "stream",
            "replay",
            "issue_paper",
            "issue_document",
            "signals",
            "signals_of",
            "signal_figures",
            "signal",
            "incident",
            "received",
            "received_one",
        ),
        _DESK | {"supervisor"},
    ),
    "drill": _ALL,
    **dict.fromkeys(("drill_new", "drill_turn"), frozenset({"forecaster", "signer"})),
    **dict.fromkeys(("drill_report", "drill_paper"), _DESK | {"supervisor"}),
    **dict.fromkeys(("drills", "simulation", "simulation_live", "simulation_report"), _DESK | {"supervisor"}),
    **dict.fromkeys(("drills_new", "simulation_stop"), _WORK | {"administrator"}),
    **dict.fromkeys(("mechanism", "clause"), _ALL),
    "supervision": _DESK | {"supervisor", "liaison", "township"},
}
"""Name of a page → roles it opens for."""

NUMBERS = frozenset({"forecaster", "clerk", "administrator"})
"""Roles that may see a whole number, one at a time, with a record of each."""


def may(role: str, page: str) -> bool:
    """Whether a page opens for a role."""
    return page in PUBLIC or role in RIGHTS.get(page, frozenset())
