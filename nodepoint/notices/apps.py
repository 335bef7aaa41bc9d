from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """What customers and staff are told."""

    name = "nodepoint.notices"
    label = "notices"
    verbose_name = "Operations"
