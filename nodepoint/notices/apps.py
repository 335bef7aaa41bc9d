from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """What customers and staff are told."""

    name = "nodepoint.notices"
    label = "notices"
    verbose_name = "Operations"

    def ready(self) -> None:
        """Register the check."""
        from nodepoint.notices import checks  # noqa: F401 - it registers
