from pathlib import Path

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class DnsConfig(AppConfig):
    """Customers' DNS zones."""

    name = "dns"
    verbose_name = "DNS"

    def ready(self) -> None:
        """Stop where `dns` is somebody else's package: dnspython's would silently load as an empty app.
        Register the health probe, which needs the models to be there."""
        if Path(self.path).resolve().parent != settings.BASE_DIR:
            raise ImproperlyConfigured("The package dns is not ours: dnspython must not be installed.")
        from dns import health

        health.register()
