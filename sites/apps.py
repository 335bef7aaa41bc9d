from django.apps import AppConfig


class SitesConfig(AppConfig):
    """WordPress sites: orders, containers, host names."""

    name = "sites"
    verbose_name = "Sites"

    def ready(self) -> None:
        """Register the health probes, which need the models to be there."""
        from sites import health

        health.register()
