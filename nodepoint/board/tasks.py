"""What django-q2 calls now and then, so that pages have something to show without asking anybody."""

from datetime import datetime

from django.utils import timezone

from nodepoint import pruning
from nodepoint.api import health
from nodepoint.board import alerts, drift, durations, statistics
from nodepoint.board.models import Alert, CallCount, DayOfJobs, Dismissal, SystemState
from nodepoint.jobs.registry import periodic
from nodepoint.pruning import Rule

KEPT_CALLS_DAYS = 90
KEPT_DAYS = 400
KEPT_ALERTS_DAYS = 90
KEPT_DISMISSALS_DAYS = 180  # as long as the jobs that they are about

periodic("nodepoint.board.tasks.check_systems", minutes=1)
periodic("nodepoint.board.tasks.count_days", minutes=5)
periodic("nodepoint.board.tasks.count_durations", minutes=1)
periodic("nodepoint.board.tasks.compare", minutes=60)
periodic("nodepoint.board.tasks.tell_troubles", minutes=1)
periodic("nodepoint.board.tasks.prune", minutes=24 * 60)


def check_systems(now: datetime | None = None) -> int:
    """Ask every system something harmless and keep what it said. Returns how many are down."""
    now = now or timezone.now()
    found = health.systems()
    before = {state.name: state for state in SystemState.objects.all()}
    for name, facts in found.items():
        known = before.get(name)
        since = known.since if known and known.ok == facts["ok"] else now
        values = {**facts, "error": facts["error"] or "", "since": since, "checked_at": now}
        SystemState.objects.update_or_create(name=name, defaults=values)
    SystemState.objects.exclude(name__in=found).delete()
    return sum(not facts["ok"] for facts in found.values())


def count_days() -> int:
    """See `statistics.count`."""
    return statistics.count()


def count_durations() -> int:
    """See `durations.count`."""
    return sum(durations.count(kind, goal) for kind, goal in statistics.goals().items())


def compare() -> str:
    """Have everything compared; returns the job's id."""
    return drift.request("periodic check").pk


def tell_troubles() -> int:
    """Tell staff of troubles that stand, and of those that are over. Returns how many notices."""
    return alerts.look()


CALLS = "counts of calls, by the hour"
PRUNED = pruning.register(
    Rule(CALLS, KEPT_CALLS_DAYS, lambda before: CallCount.objects.filter(hour__lt=before)),
    Rule(
        "figures of jobs, by the day",
        KEPT_DAYS,
        lambda before: DayOfJobs.objects.filter(day__lt=timezone.localdate(before)),
    ),
    Rule(
        "dismissals of troubles", KEPT_DISMISSALS_DAYS, lambda before: Dismissal.objects.filter(at__lt=before)
    ),
    Rule("troubles that are over", KEPT_ALERTS_DAYS, lambda before: Alert.objects.filter(over_at__lt=before)),
)


def prune() -> int:
    """Delete figures that no picture shows any more. Returns how many rows of calls."""
    return pruning.carry_out(PRUNED)[CALLS]
