from django.apps import AppConfig


class NodePointConfig(AppConfig):
    """The project itself: its system checks and commands."""

    name = "nodepoint"
    verbose_name = "NodePoint"

    def ready(self) -> None:
        """Register the system checks."""
        from nodepoint import checks, production  # noqa: F401 - importing registers them
