"""应用 The Django app's name."""

from django.apps import AppConfig


class Store(AppConfig):
    """The one app that owns tables."""

    name = "fengsui.store"
    label = "store"
    default_auto_field = "django.db.models.BigAutoField"
