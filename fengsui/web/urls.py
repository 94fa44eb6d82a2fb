"""网址 Addresses: every page, one line each. Its name is what ``web.rights`` speaks of."""

from __future__ import annotations

from django.urls import path

from fengsui.web.pages import (
    accounts,
    acts,
    calls,
    desk,
    handover,
    issue,
    login,
    media,
    people,
    people_edit,
    phone,
    roster,
    sign,
)

handler404 = "fengsui.web.pages.trouble.missing"
handler500 = "fengsui.web.pages.trouble.broken"

urlpatterns = [
    path("", login.home, name="home"),
    path("login", login.login, name="login"),
    path("logout", login.logout, name="logout"),
    path("own", login.own, name="own"),
    path("desk", desk.desk, name="desk"),
    path("desk/live", desk.live, name="desk_live"),
    path("desk/channels", desk.ways, name="desk_channels"),
    path("desk/tasks", desk.all_tasks, name="desk_tasks"),
    path("desk/handover", handover.handover, name="desk_handover"),
    path("desk/sheet", calls.sheet, name="call_sheet"),
    path("desk/do/<path:row>", calls.do, name="desk_do"),
    path("call/<path:row>", calls.call, name="call"),
    path("a/<token>/relay", phone.relay, name="phone_relay"),
    path("a/<token>/decide", phone.decide, name="phone_decide"),
    path("a/<token>/again", phone.again, name="phone_again"),
    path("issue", issue.issue, name="issue"),
    path("issue/preview", issue.preview, name="issue_preview"),
    path("issue/words", issue.words, name="issue_words"),
    path("issue/<int:draft>", sign.issue_sign, name="issue_sign"),
    path("issue/<path:stream>/change", issue.change, name="issue_change"),
    path("issue/<path:stream>/cancel", issue.cancel, name="issue_cancel"),
    path("consult/<path:stream>", acts.consult, name="consult"),
    path("suspend/<path:stream>", acts.suspend, name="suspend"),
    path("report/<path:stream>", acts.report, name="report"),
    path("media", media.media, name="media"),
    path("badge/<hazard>/<level>.svg", media.badge, name="badge"),
    path("people", people.people, name="people"),
    path("people/new", people_edit.new, name="person_new"),
    path("people/import", roster.load, name="people_import"),
    path("people/template.csv", roster.template, name="people_template"),
    path("people/table.csv", roster.export, name="people_table"),
    path("people/<id>", people.person, name="person"),
    path("people/<id>/edit", people_edit.edit, name="person_edit"),
    path("people/<id>/number", people.number, name="person_number"),
    path("people/<id>/test", people.test, name="person_test"),
    path("people/<id>/depart", people.depart, name="person_depart"),
    path("posts/<path:post>", people_edit.post, name="post"),
    path("accounts", accounts.accounts, name="accounts"),
    path("accounts/new", accounts.new, name="account_new"),
    path("accounts/failures", accounts.failures, name="failures"),
    path("accounts/looks", accounts.looks, name="looks"),
    path("accounts/deeds", accounts.deeds, name="account_deeds"),
    path("accounts/<int:number>", accounts.account, name="account"),
    path("accounts/<int:number>/<what>", accounts.act, name="account_act"),
]
