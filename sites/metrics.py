"""What `GET /metrics` tells of the sites."""

from collections.abc import Iterator

from django.conf import settings
from django.db.models import Count, Q
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from nodepoint import metrics
from sites.models import Site, Spare
from sites.pool.board import counts
from sites.watch import held_and_free

HELD = (Site.State.PROVISIONING, Site.State.LIVE)


class SitesCollector(Collector):
    """Sites and addresses."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Three queries; where the addresses were not counted lately, five."""
        yield metrics.gauges("sites", "Sites by state, each counted once.", ("state",), _sites())
        used, free = held_and_free()
        spares = counts()
        values = {(state.value,): spares.get(state, 0) for state in Spare.STANDING}
        yield metrics.gauges("pool", "Ready containers that no order has, by state.", ("state",), values)
        yield metrics.gauge("pool_size", "Ready containers that are wanted.", settings.POOL_SIZE)
        values = {("used",): used, ("free",): free}
        yield metrics.gauges("addresses", "Private addresses of SITE_IP_RANGE.", ("state",), values)


def _sites() -> dict[tuple[str], int]:
    """By state as callers see it, but for what only the cluster knows: `live` is running or stopped."""
    deleting = Q(state__in=HELD, deletion_requested_at__isnull=False)
    standing = Q(state__in=HELD, deletion_requested_at=None)
    unsuspended = standing & Q(suspended_at=None)
    states = {
        "provisioning": unsuspended & Q(state=Site.State.PROVISIONING),
        "live": unsuspended & Q(state=Site.State.LIVE),
        "suspended": standing & Q(suspended_at__isnull=False),
        "deleting": deleting,
        "failed": Q(state=Site.State.FAILED),
        "deleted": Q(state=Site.State.DELETED),
    }
    counts = Site.objects.aggregate(**{state: Count("pk", filter=rows) for state, rows in states.items()})
    return {(state,): count for state, count in counts.items()}
