from django.apps import AppConfig


class SupportConfig(AppConfig):
    """Support keys and their history."""

    name = "support"
    verbose_name = "Support"

    def ready(self) -> None:
        """Register what is personal in its rows, and who learns of new owners."""
        from nodepoint.api import owners
        from support import anonymity, services

        anonymity.register()
        owners.register("support", services.change_owner)
