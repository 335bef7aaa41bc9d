"""Running jobs in tests: in the calling thread, by a clock that is moved by hand."""

from datetime import datetime, timedelta

from django.utils import timezone

from nodepoint.clients import breaker
from nodepoint.jobs import engine
from nodepoint.jobs.models import JobStep
from nodepoint.prepared import prepared


class MovedClock:
    """A clock that stands still until somebody moves it."""

    def __init__(self, start: datetime | None = None) -> None:
        self.time = start or timezone.now()

    def now(self) -> datetime:
        """The time it was moved to."""
        return self.time

    def move(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self.time += timedelta(seconds=seconds)


def run_until_idle(
    clock: MovedClock | None = None, *, most: int = 2000, until: datetime | None = None
) -> int:
    """Call every step that is due, moving the clock to the next due one whenever none is, until nothing is
    left to do or the clock would pass `until`. Returns the number of calls; AssertionError after `most` of
    them, since a job that never ends is a fault."""
    clock = clock or MovedClock()
    with breaker.timed_by(lambda: clock.now().timestamp()):
        for calls in range(most):
            step_id = _next(clock, until)
            if step_id is None:
                return calls
            if held := engine.claim(step_id, clock.now()):
                engine.execute(held, clock)
    raise AssertionError(f"Jobs were not idle after {most} calls.")


def _next(clock: MovedClock, until: datetime | None) -> int | None:
    due = prepared(JobStep).filter(due_at__isnull=False).order_by("due_at", "pk").limit(1)
    step_id, due_at = next(iter(due.values("pk", "due_at")), (None, None))
    if step_id is None or (until and due_at > until):
        return None
    clock.time = max(clock.time, due_at)
    return step_id


def due(now: datetime, count: int) -> list[int]:
    """The ids of the steps to be called now, the longest due first, at most `count`."""
    steps = JobStep.objects.filter(due_at__lte=now).order_by("due_at")
    return list(steps.values_list("pk", flat=True)[:count])
