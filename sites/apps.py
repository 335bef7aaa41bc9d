from django.apps import AppConfig


class SitesConfig(AppConfig):
    """WordPress sites: orders, containers, host names."""

    name = "sites"
    verbose_name = "Sites"

    def ready(self) -> None:
        """Register the health probes, the metrics and what is reconciled: they need the models to be
        there."""
        from nodepoint import metrics as all_metrics
        from nodepoint import reconcile
        from sites import health, metrics, orphans
        from sites.reconcile import compare
        from sites.services.repair import repair_site

        health.register()
        all_metrics.register(metrics.SitesCollector())
        reconcile.register(reconcile.Side(compare, repair_site, orphans.remove))
