"""网址 Addresses: every page, one line each. Its name is what ``web.rights`` speaks of."""

from __future__ import annotations

from django.urls import path

from fengsui.web.pages import login

handler404 = "fengsui.web.pages.trouble.missing"
handler500 = "fengsui.web.pages.trouble.broken"

urlpatterns = [
    path("", login.home, name="home"),
    path("login", login.login, name="login"),
    path("logout", login.logout, name="logout"),
    path("own", login.own, name="own"),
]
