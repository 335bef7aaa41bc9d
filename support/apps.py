from django.apps import AppConfig


class SupportConfig(AppConfig):
    """Support keys and their history."""

    name = "support"
    verbose_name = "Support"

    def ready(self) -> None:
        """Register what is personal in its rows."""
        from support import anonymity

        anonymity.register()
