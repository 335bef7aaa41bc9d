from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class JobsConfig(AppConfig):
    """Finds the flows: every app may keep a module `flows` that registers its own."""

    name = "nodepoint.jobs"
    label = "jobs"
    verbose_name = "Operations"  # where it stands in the sidebar

    def ready(self) -> None:
        """Import `flows` of all apps, so that the engine finds them by name."""
        autodiscover_modules("flows")
