from django.apps import AppConfig


class SupportConfig(AppConfig):
    """Support keys and their history."""

    name = "support"
    verbose_name = "Support"
