from django.apps import AppConfig


class SitesConfig(AppConfig):
    """WordPress sites: orders, containers, host names."""

    name = "sites"
    verbose_name = "Sites"
