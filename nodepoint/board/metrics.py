"""What the periodic looks know, for Prometheus: systems, calls of the API, durations of orders."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Sum
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from nodepoint.board import durations
from nodepoint.board.models import CallCount, SystemState
from nodepoint.metrics import gauge, gauges

STATUSES = {2: "answered", 4: "refused", 5: "failed"}


class BoardCollector(Collector):
    """Read from rows, like everything here."""

    def collect(self) -> Iterator[GaugeMetricFamily | HistogramMetricFamily]:
        """Three queries."""
        states = list(SystemState.objects.all())
        up = {(state.name,): float(state.ok) for state in states}
        yield gauges("system_up", "Whether the last check of a system found it well.", ("system",), up)
        took = {(state.name,): (state.latency_ms or 0.0) / 1000 for state in states}
        yield gauges("system_latency_seconds", "What the last check of a system took.", ("system",), took)
        oldest = min((state.checked_at for state in states), default=None)
        age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
        yield gauge("system_check_age_seconds", "How old the oldest of these checks is.", age)
        yield gauges(
            "api_calls_of_the_hour",
            "Calls of the API since the last full hour, by how they ended.",
            ("ended",),
            _calls(),
        )
        family = HistogramMetricFamily(
            "nodepoint_order_seconds",
            "How long the work of each step of an order took, and whole orders until they were live.",
            labels=("step",),
        )
        for step, (buckets, total) in sorted(durations.histograms().items()):
            family.add_metric((step,), buckets, total)
        yield family


def _calls() -> dict[tuple[str], float]:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    rows = CallCount.objects.filter(hour__gte=hour, hour__lt=hour + timedelta(hours=1)).order_by()
    found = dict(rows.values_list("status").annotate(Sum("calls")))
    return {(word,): found.get(status, 0) for status, word in STATUSES.items()}
