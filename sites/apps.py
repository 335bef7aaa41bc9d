from django.apps import AppConfig


class SitesConfig(AppConfig):
    """WordPress sites: orders, containers, host names."""

    name = "sites"
    verbose_name = "Sites"

    def ready(self) -> None:
        """Register the health probes and the metrics, which need the models to be there."""
        from nodepoint import metrics as all_metrics
        from sites import health, metrics

        health.register()
        all_metrics.register(metrics.SitesCollector())
