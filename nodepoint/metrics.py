"""`GET /metrics`: what Prometheus asks for, read from our rows at that moment.

Every label has a fixed set of values (kinds of jobs, states, limits of steps), so that no number of sites or
customers makes more series; and the number of queries is the same for one site and for ten thousand.
"""

from collections.abc import Iterator, Mapping

from django.conf import settings
from django.db.models import Count, Q
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from rest_framework.request import Request

from nodepoint.api.models import Token
from nodepoint.api.schema import FAILURES
from nodepoint.api.views import ApiView
from nodepoint.jobs import broker, queue, registry
from nodepoint.jobs.models import Job, JobStep, Lease

# Our own, not the library's: that one counts in each process by itself, and we have several.
REGISTRY = CollectorRegistry()


def register(collector: Collector) -> None:
    """Have an app's own numbers told as well: `collect()` is called at every request."""
    REGISTRY.register(collector)


def gauge(name: str, help: str, value: float) -> GaugeMetricFamily:
    """One number; `name` without our prefix."""
    return GaugeMetricFamily(f"nodepoint_{name}", help, value=value)


def gauges(
    name: str, help: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], float]
) -> GaugeMetricFamily:
    """One number for each combination of label values."""
    family = GaugeMetricFamily(f"nodepoint_{name}", help, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(key, value)
    return family


class JobsCollector(Collector):
    """Jobs, the line of due steps, workers, and what is scarce."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Four queries."""
        yield gauges("jobs", "Jobs by kind and state; ended ones for 180 days.", ("kind", "state"), _jobs())
        yield gauge(
            "oldest_due_step_seconds",
            "Seconds that the longest due step has waited for a runner.",
            queue.oldest_due_seconds(),
        )
        limits = {limit.name: limit for limit in _limits()}
        held = _held([queue.WORKER, queue.SEAT, *limits])
        yield gauge("broker_up", "Whether the broker of wake-up calls answers.", not broker.fault())
        workers = held.get(queue.WORKER, 0)
        yield gauge("workers", "Worker commands that are up.", workers)
        yield gauge("runners", "Runners that work now.", held.get(queue.SEAT, 0))
        yield gauge("runner_seats", "Runners that may work at a time.", workers * settings.JOB_RUNNERS)
        taken = {(name,): held.get(name, 0) for name in limits}
        yield gauges("limit_taken", "Slots of a limit that steps hold.", ("limit",), taken)
        slots = {(name,): limit.slots() for name, limit in limits.items()}
        yield gauges("limit_slots", "Slots that a limit has.", ("limit",), slots)
        waiting = _waiting(list(limits))
        yield gauges("limit_waiting", "Steps that stand in line for a limit.", ("limit",), waiting)


def _jobs() -> dict[tuple[str, str], int]:
    """By kind and state; zero where a kind of this release has none, so that an alert need not guess."""
    found = {(flow.name, state): 0 for flow in registry.flows() for state in Job.State.values}
    for kind, state, count in Job.objects.order_by().values_list("kind", "state").annotate(Count("pk")):
        found[kind, state] = count
    return found


def _limits() -> Iterator[registry.Limit]:
    for flow in registry.flows():
        for step in flow.steps:
            yield from step.limits


def _held(names: list[str]) -> dict[str, int]:
    """How many slots of each name are held now. Asked by name: some leases carry a row's id in theirs."""
    held = Lease.objects.filter(name__in=names, until__gt=timezone.now()).exclude(holder="")
    return dict(held.order_by().values_list("name").annotate(Count("pk")))


def _waiting(names: list[str]) -> dict[tuple[str], int]:
    in_line = JobStep.objects.filter(awaits__in=names, held=False, due_at__isnull=False)
    counts = dict(in_line.order_by().values_list("awaits").annotate(Count("pk")))
    return {(name,): counts.get(name, 0) for name in names}


class TokensCollector(Collector):
    """Tokens of the API."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One query."""
        expired = Q(revoked_at=None, expires_at__lte=timezone.now())
        counts = Token.objects.aggregate(
            all=Count("pk"),
            revoked=Count("pk", filter=Q(revoked_at__isnull=False)),
            expired=Count("pk", filter=expired),
        )
        usable = counts.pop("all") - sum(counts.values())
        values = {(state,): count for state, count in {**counts, "usable": usable}.items()}
        yield gauges("api_tokens", "Tokens of the API by state.", ("state",), values)


register(JobsCollector())
register(TokensCollector())


class MetricsView(ApiView):
    """Numbers for Prometheus, in its text format."""

    scope = "metrics"

    @extend_schema(responses={(200, "text/plain"): OpenApiTypes.STR, **FAILURES})
    def get(self, request: Request) -> HttpResponse:
        """The text, version 0.0.4 of the format, which every Prometheus reads."""
        return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_PLAIN_0_0_4)
