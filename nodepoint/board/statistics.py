"""Figures by day, counted by a periodic task: raw rows would have to be read in their hundred thousands for a
picture of a month.

Today and yesterday are counted again each time; older days stand, since their jobs have ended."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from nodepoint.board.models import DayOfJobs
from nodepoint.jobs.models import Job, JobStep

DAYS = 30  # that the pictures show, and that are counted where they never were
AGAIN = 2  # days that can still change: a job lasts a day at most
FAILED = (Job.State.FAILED, Job.State.ROLLED_BACK)

_goals: dict[str, str] = {}


def goal(kind: str, step: str) -> None:
    """Count the jobs of a kind: a job has reached its goal when the step of that name is done."""
    _goals[kind] = step


def goals() -> dict[str, str]:
    """The kinds of jobs that are counted, with the step that is their goal."""
    return dict(_goals)


def count(now: datetime | None = None) -> int:
    """Count the days that can have changed, and those of the last DAYS that were never counted. Returns how
    many."""
    today = timezone.localdate(now)
    days = [today - timedelta(days=back) for back in range(DAYS)]
    done = 0
    for kind, step in _goals.items():
        known = set(DayOfJobs.objects.filter(kind=kind, day__gte=days[-1]).values_list("day", flat=True))
        for place, day in enumerate(days):
            if place < AGAIN or day not in known:
                values = _figures(kind, step, day)
                DayOfJobs.objects.update_or_create(day=day, kind=kind, defaults=values)
                done += 1
    return done


def recent(kind: str, days: int, now: datetime | None = None) -> list[DayOfJobs]:
    """The last `days`, today as the last one; days that nobody has counted are empty rows."""
    today = timezone.localdate(now)
    wanted = [today - timedelta(days=back) for back in reversed(range(days))]
    found = {row.day: row for row in DayOfJobs.objects.filter(kind=kind, day__gte=wanted[0])}
    return [found.get(day) or DayOfJobs(day=day, kind=kind) for day in wanted]


def usual_seconds(kinds: Iterable[str] | None = None, now: datetime | None = None) -> dict[str, float]:
    """What 95 of 100 jobs of a kind stayed below in the last week, in seconds; kinds without a goal or
    without jobs are not in it."""
    since = timezone.localdate(now) - timedelta(days=7)
    rows = DayOfJobs.objects.filter(day__gte=since, p95_seconds__isnull=False).order_by("p95_seconds")
    by_kind: dict[str, list[float]] = {}
    for kind, seconds in rows.values_list("kind", "p95_seconds"):
        by_kind.setdefault(kind, []).append(seconds)
    # The middle one of the days: one bad day does not move the measure.
    return {kind: days[len(days) // 2] for kind, days in by_kind.items()}


def _figures(kind: str, step: str, day: date) -> dict[str, Any]:
    jobs = Job.objects.filter(kind=kind, created_at__gte=_begin(day), created_at__lt=_begin(day, 1))
    counts = jobs.aggregate(
        asked=Count("pk"),
        succeeded=Count("pk", filter=Q(state=Job.State.SUCCEEDED)),
        failed=Count("pk", filter=Q(state__in=FAILED)),
    )
    return {**counts, **_durations(jobs, step)} if counts["asked"] else counts


def _begin(day: date, later: int = 0) -> datetime:
    return timezone.make_aware(datetime.combine(day + timedelta(days=later), datetime.min.time()))


def _durations(jobs: QuerySet[Job], step: str) -> dict[str, Any]:
    reached = jobs.filter(steps__name=step, steps__state=JobStep.State.DONE)
    times = reached.values_list("pk", "created_at", "steps__finished_at")
    lasted = sorted(((end - begin).total_seconds(), pk) for pk, begin, end in times if end)
    if not lasted:
        return {"median_seconds": None, "p95_seconds": None, "median_steps": [], "p95_steps": []}
    median, p95 = _at(lasted, 0.5), _at(lasted, 0.95)
    return {
        "median_seconds": median[0],
        "p95_seconds": p95[0],
        "median_steps": shares(median[1], step),
        "p95_steps": shares(p95[1], step),
    }


def _at(lasted: list[tuple[float, str]], share: float) -> tuple[float, str]:
    """The first one that `share` of all do not exceed."""
    return lasted[max(0, -(-len(lasted) * int(share * 100) // 100) - 1)]


def shares(job_id: str, goal: str) -> list[list[Any]]:
    """Where the time of one job went, until its goal: each step's title and the seconds from the end of the
    step that ended before it. Steps run side by side; this counts no second twice."""
    steps = JobStep.objects.filter(job=job_id, state=JobStep.State.DONE, finished_at__isnull=False)
    rows = list(steps.order_by("finished_at").values_list("name", "title", "finished_at", "job__created_at"))
    found, before = [], rows[0][3] if rows else None
    for name, title, end, _ in rows:
        if end > before:
            found.append([title, round((end - before).total_seconds(), 3)])
            before = end
        if name == goal:
            break
    return found


def late(now: datetime | None = None, factor: float = 1.5) -> Q:
    """Jobs that go on, or went on, clearly longer than is usual for their kind."""
    now = now or timezone.now()
    found = Q(pk__in=[])
    for kind, seconds in usual_seconds(now=now).items():
        limit = timedelta(seconds=factor * seconds)
        still = Q(state__in=Job.ALIVE, created_at__lt=now - limit)
        found |= Q(kind=kind) & (still | Q(finished_at__gt=F("created_at") + limit))
    return found
