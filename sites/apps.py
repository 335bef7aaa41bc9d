from django.apps import AppConfig


class SitesConfig(AppConfig):
    """WordPress sites: orders, containers, host names."""

    name = "sites"
    verbose_name = "Sites"

    def ready(self) -> None:
        """Register the health probes, the metrics, what is reconciled and restored, whose names are and what
        can be asked for again: they need the models to be there."""
        from nodepoint import metrics as all_metrics
        from nodepoint import reconcile, restoration
        from sites import anonymity, belonging, health, metrics, orphans, tasks  # noqa: F401 - all register
        from sites.reconcile import compare
        from sites.restored import settling
        from sites.services import again, owners
        from sites.services.repair import repair_site

        again.register()
        anonymity.register()
        belonging.register()
        health.register()
        owners.register()
        all_metrics.register(metrics.SitesCollector())
        reconcile.register(reconcile.Side(compare, repair_site, orphans.remove))
        restoration.register(restoration.Side(settling.look, settling.settle, settling.release))
