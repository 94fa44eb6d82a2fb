"""网址 Addresses: every page, one line each. Its name is what ``web.rights`` speaks of."""

from __future__ import annotations

from django.urls import path

from fengsui.web.pages import calls, desk, handover, login

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
]
