"""How long each step of an order took, as a histogram that only ever grows: what Prometheus wants.

A periodic task adds what has ended since its last run. Counting all rows at each question would cost more
with every order, and the counts would shrink when old jobs are deleted.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from nodepoint.board import findings
from nodepoint.board.models import Reading
from nodepoint.jobs.models import JobStep

NAME = "durations"
BOUNDS = (1, 2.5, 5, 10, 20, 30, 60, 90, 120, 180, 300, 600)  # seconds
WHOLE = "whole order, until live"  # beside the names of steps
SETTLED = timedelta(seconds=10)  # what ended so long ago has been recorded by everybody
FIRST = timedelta(days=1)  # that the first run looks back

Series = dict[str, Any]  # "counts": of each bound and of what is longer, not added up; "sum": seconds


def count(kind: str, goal: str, now: datetime | None = None) -> int:
    """Add the steps of `kind` that were done since the last run; `goal`: the step with which an order is
    live. Returns how many."""
    until = (now or timezone.now()) - SETTLED
    with transaction.atomic():
        Reading.objects.get_or_create(name=NAME)
        row = Reading.objects.select_for_update().get(name=NAME)
        begun = row.data.get("until")
        since = datetime.fromisoformat(begun) if begun else until - FIRST
        done = JobStep.objects.filter(
            state=JobStep.State.DONE, finished_at__gt=since, finished_at__lte=until, job__kind=kind
        )
        ended = done.values_list("name", "work_seconds", "finished_at", "job__created_at")
        series = row.data.get("series", {})
        for name, seconds, finished_at, created_at in ended:
            if seconds is not None:
                _add(series.setdefault(name, _empty()), seconds)
            if name == goal:
                _add(series.setdefault(WHOLE, _empty()), (finished_at - created_at).total_seconds())
        row.data, row.taken_at = {"until": until.isoformat(), "series": series}, until
        row.save(update_fields=["data", "taken_at"])
    return len(ended)


def _empty() -> Series:
    return {"counts": [0] * (len(BOUNDS) + 1), "sum": 0.0}


def _add(series: Series, seconds: float) -> None:
    place = next((number for number, bound in enumerate(BOUNDS) if seconds <= bound), len(BOUNDS))
    series["counts"][place] += 1
    series["sum"] = round(series["sum"] + seconds, 3)


def histograms() -> dict[str, tuple[list[tuple[str, int]], float]]:
    """By step: ([(bound, how many took no longer)], sum of seconds), as prometheus_client takes it."""
    row = findings.last(NAME)
    found = {}
    for name, series in (row.data.get("series", {}) if row else {}).items():
        total, buckets = 0, []
        for bound, number in zip((*BOUNDS, "+Inf"), series["counts"], strict=True):
            total += number
            buckets.append((str(bound), total))
        found[name] = buckets, series["sum"]
    return found
