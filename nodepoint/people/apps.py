from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class PeopleConfig(AppConfig):
    """Finds what customers have: every app may keep a module `people` that registers its own."""

    name = "nodepoint.people"
    label = "people"
    verbose_name = "Customers"

    def ready(self) -> None:
        """Register what is known of all, then import `people` of all apps."""
        from nodepoint.people import finding, forgetting  # noqa: F401 - they register

        autodiscover_modules("people")
