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
        Register the health probe, what is reconciled and restored, whose names are and what can be asked for
        again: they need the models to be there."""
        if Path(self.path).resolve().parent != settings.BASE_DIR:
            raise ImproperlyConfigured("The package dns is not ours: dnspython must not be installed.")
        from dns import again, belonging, health, restored, tasks  # noqa: F401 - tasks: what is pruned
        from dns.reconcile import compare, remove
        from dns.services import repair_zone
        from nodepoint import reconcile, restoration

        again.register()
        belonging.register()
        health.register()
        reconcile.register(reconcile.Side(compare, repair_zone, remove))
        restoration.register(restoration.Side(restored.look, restored.settle))
